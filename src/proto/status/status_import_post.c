/* SPDX-License-Identifier: ISC */
/* status_import_post.c - what becomes of a post of a text. See status_import.h. */
#include "proto/status/status_import.h"

#include "proto/status/status_post_edit.h"

_Static_assert(STATUS_BODY_MAX == KIB(32), "it is said below");

static bool
add_tags(const struct status_import_post *from, const struct str *tags,
    size_t n_tags, struct status_post *p, struct status_fault *ret)
{
	for (size_t i = 0; i < n_tags && p->n_tags < STATUS_TAGS_MAX; i++)
		if ((status_import_has_words(from->title, tags[i]) ||
			status_import_has_words(from->body, tags[i])) &&
		    !status_post_add_tag(p, tags[i], ret))
			return false;
	return true;
}

bool
status_import_make(const struct status_import_post *from,
    const struct str *tags, size_t n_tags, struct buf *body,
    struct status_post *p, struct status_fault *ret)
{
	struct str system;

	*p = status_post_begin(STATUS_NOTICE, from->at_s);
	p->title = from->title;
	p->is_imported = true;
	status_import_markdown(from->body, body);
	if (body->failed || body->n > STATUS_BODY_MAX)
		return status_fault_set(
		    ret, from->title, "a post of at most 32768 bytes");
	p->body = buf_str(body);
	for (size_t i = 0; i < STATUS_AFFECTED_MAX; i++) {
		system = status_import_system(from->title, i);
		if (system.n > 0 && !status_affects_add(&p->affects, system,
					STATUS_IMPACT_NONE, ret))
			return false;
	}
	return add_tags(from, tags, n_tags, p, ret);
}

bool
status_import_is(
    const struct status_import_post *from, const struct status_post *p)
{
	return p->is_imported && from->at_s == p->published_s &&
	       str_eq(from->title, p->title);
}
