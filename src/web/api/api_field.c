/* SPDX-License-Identifier: ISC */
/* api_field.c - the way to what is wrong in a body. See api_field.h. */
#include "web/api/api_field.h"

#define DEPTH_MAX 4    /* "options.server[1]" has three */
#define WAY_MAX   1000 /* bytes */

struct search {
	struct str part;
	bool (*is_it)(
	    const struct search *s, struct str name, const struct jsonnode *v);
	struct buf path; /* to where the search is */
	unsigned depth;
};

/* --- which value it is ------------------------------------------------------------- */

/* A part may be less than the value: without the blanks around it. */
static bool
is_made_of(
    const struct search *s, UNUSED struct str name, const struct jsonnode *v)
{
	struct str text = jsonnode_text(v);

	return s->part.n > 0 && text.n > 0 && s->part.p >= text.p &&
	       s->part.p < text.p + text.n;
}

static bool
reads_the_same(
    const struct search *s, UNUSED struct str name, const struct jsonnode *v)
{
	return s->part.n > 0 && str_eq(jsonnode_text(v), s->part);
}

static bool
has_the_name(
    const struct search *s, struct str name, UNUSED const struct jsonnode *v)
{
	return s->part.n > 0 && str_eq(name, s->part);
}

/* --- looking for it ------------------------------------------------------------------ */

static bool find(struct search *s, struct str name, const struct jsonnode *v);

/* False, which ends the walk, is: here it is. */
static bool
try_member(void *arg, struct str name, const struct jsonnode *v)
{
	struct search *s = arg;
	size_t before = s->path.n;

	buf_printf(&s->path, "%s%.*s", before > 0 ? "." : "", STR_ARG(name));
	if (find(s, name, v))
		return false;
	s->path.n = before;
	return true;
}

static bool
try_elements(struct search *s, const struct jsonnode *v)
{
	for (size_t i = 0; i < jsonnode_count(v); i++) {
		size_t before = s->path.n;

		buf_printf(&s->path, "[%zu]", i);
		if (find(s, STR_NONE, jsonnode_at(v, i)))
			return true;
		s->path.n = before;
	}
	return false;
}

static bool
find(struct search *s, struct str name, const struct jsonnode *v)
{
	bool is_found;

	if (s->is_it(s, name, v))
		return true;
	if (s->depth == DEPTH_MAX)
		return false;
	s->depth++;
	is_found = jsonnode_is_array(v) ? try_elements(s, v)
	                                : !jsonnode_each(v, try_member, s);
	s->depth--;
	return is_found;
}

static bool
put_found(struct buf *to, const struct jsonnode *body, struct str part,
    bool (*is_it)(
	const struct search *s, struct str name, const struct jsonnode *v))
{
	struct search s = {
		.part = part, .is_it = is_it, .path = BUF_INIT(WAY_MAX)
	};
	bool is_found = find(&s, STR_NONE, body) && !s.path.failed;

	if (is_found)
		buf_put_str(to, buf_str(&s.path));
	buf_done(&s.path);
	return is_found;
}

static bool
is_member(const struct jsonnode *body, struct str part)
{
	char name[64];

	if (part.n == 0 || part.n >= sizeof(name))
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(part));
	return jsonnode_get(body, name) != NULL;
}

void
api_field_put(struct buf *to, const struct jsonnode *body, struct str part)
{
	if (put_found(to, body, part, is_made_of))
		return;
	if (is_member(body, part) ||
	    (!put_found(to, body, part, reads_the_same) &&
		!put_found(to, body, part, has_the_name)))
		buf_put_str(to, part);
}
