/* SPDX-License-Identifier: ISC */
/* status_post_edit.c - make posts and change them. See status_post_edit.h. */
#include "proto/status/status_post_edit.h"

#include <time.h>

struct status_post
status_post_begin(enum status_post_kind kind, uint64_t now_s)
{
	struct status_post p = { .kind = kind,
		.language = STR("en"),
		.created_s = now_s,
		.published_s = now_s,
		.changed_s = now_s };

	if (kind == STATUS_INCIDENT)
		p.state = STATUS_INVESTIGATING;
	else if (kind == STATUS_PLANNED)
		p.state = STATUS_STATE_PLANNED;
	return p;
}

/* --- lists --------------------------------------------------------------------- */

static bool
add(struct str *v, size_t *n, size_t max, struct str s,
    struct status_fault *ret)
{
	s = str_trim(s);
	if (!status_is_tag(s))
		return status_fault_set(
		    ret, s, "a text of at most 60 bytes without a comma");
	for (size_t i = 0; i < *n; i++)
		if (str_eq_case(v[i], s))
			return true;
	if (*n == max)
		return status_fault_set(
		    ret, s, "at most 16 tags and 8 categories");
	v[(*n)++] = s;
	return true;
}

bool
status_post_add_tag(
    struct status_post *p, struct str tag, struct status_fault *ret)
{
	return add(p->tags, &p->n_tags, STATUS_TAGS_MAX, tag, ret);
}

bool
status_post_add_category(
    struct status_post *p, struct str category, struct status_fault *ret)
{
	return add(p->categories, &p->n_categories, STATUS_CATEGORIES_MAX,
	    category, ret);
}

bool
status_affects_add(struct status_affects *a, struct str system,
    enum status_impact impact, struct status_fault *ret)
{
	if (!status_is_id(system))
		return status_fault_set(ret, system, STATUS_ID_EXPECTED);
	for (size_t i = 0; i < a->n; i++)
		if (str_eq_case(a->v[i].system, system)) {
			a->v[i].impact = impact;
			return true;
		}
	if (a->n == STATUS_AFFECTED_MAX)
		return status_fault_set(ret, system, "at most 32 systems");
	a->v[a->n++] = (struct status_affected){ system, impact };
	return true;
}

bool
status_post_set_tags(
    struct status_post *p, struct str list, struct status_fault *ret)
{
	struct str one;

	p->n_tags = 0;
	while (list.n > 0) {
		list = str_split(list, ',', &one);
		if (!status_post_add_tag(p, one, ret))
			return false;
	}
	return true;
}

bool
status_post_set_categories(
    struct status_post *p, struct str list, struct status_fault *ret)
{
	struct str one;

	p->n_categories = 0;
	while (list.n > 0) {
		list = str_split(list, ',', &one);
		if (!status_post_add_category(p, one, ret))
			return false;
	}
	return true;
}

bool
status_affects_set(struct status_affects *a, struct str list,
    enum status_impact fallback, struct status_fault *ret)
{
	struct str one, system;

	a->n = 0;
	while (list.n > 0) {
		enum status_impact impact = fallback;
		struct str word;

		list = str_split(list, ',', &one);
		word = str_split(one, '=', &system);
		if (str_find(one, '=') >= 0 &&
		    !status_impact_parse(str_trim(word), &impact))
			return status_fault_set(ret, one,
			    "SYSTEM=IMPACT with none, maintenance, degraded, "
			    "partial or down");
		if (!status_affects_add(a, str_trim(system), impact, ret))
			return false;
	}
	return true;
}

void
status_affects_end(struct status_affects *a)
{
	for (size_t i = 0; i < a->n; i++)
		a->v[i].impact = STATUS_IMPACT_NONE;
}

/* --- slugs --------------------------------------------------------------------- */

void
status_post_make_slug(const struct status_post *p, unsigned n, struct buf *to)
{
	time_t at = (time_t)(p->published_s ? p->published_s : p->created_s);
	struct buf title = BUF_INIT(KIB(1)), behind = BUF_INIT(16);
	struct str words;
	struct tm tm;

	gmtime_r(&at, &tm);
	buf_printf(
	    to, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	if (n > 1)
		buf_printf(&behind, "-%u", n);
	status_put_slug(&title, p->title);
	/* "2026-11-30-" */
	words = str_first(buf_str(&title), STATUS_SLUG_MAX - 11 - behind.n);
	while (words.n > 0 && words.p[words.n - 1] == '-')
		words.n--;
	if (words.n > 0) {
		buf_put_char(to, '-');
		buf_put_str(to, words);
	}
	buf_put_str(to, buf_str(&behind));
	buf_done(&title);
	buf_done(&behind);
}

unsigned
status_post_slug_number(const struct status_post *p, struct str slug)
{
	struct buf b = BUF_INIT(KIB(1));
	size_t digits = 0;
	uint32_t n = 1;
	bool is_it;

	while (digits < slug.n && slug.p[slug.n - 1 - digits] >= '0' &&
	       slug.p[slug.n - 1 - digits] <= '9')
		digits++;
	status_post_make_slug(p, 1, &b);
	is_it = str_eq(buf_str(&b), slug);
	if (!is_it && b.n >= 10 &&
	    str_eq(str_first(buf_str(&b), 10), str_first(slug, 10)) &&
	    str_to_u32(str_from(slug, slug.n - digits), UINT32_MAX - 1, &n)) {
		buf_reset(&b, KIB(1));
		status_post_make_slug(p, n, &b);
		is_it = n > 1 && str_eq(buf_str(&b), slug);
	}
	buf_done(&b);
	return is_it ? n : 0;
}

/* --- updates ------------------------------------------------------------------- */

struct status_update
status_update_begin(const struct status_post *p, uint64_t now_s)
{
	return (struct status_update){
		.state = p->state, .created_s = now_s, .affects = p->affects
	};
}

bool
status_update_resolve(struct status_update *u, const struct status_post *p,
    struct status_fault *ret)
{
	if (p->kind != STATUS_INCIDENT && p->kind != STATUS_PLANNED)
		return status_fault_set(ret, STR("kind"),
		    "an incident or maintenance: nothing else has an end");
	if (!status_post_is_open(p))
		return status_fault_set(
		    ret, STR("state"), "one that is not over: this one is");
	u->state = p->kind == STATUS_INCIDENT ? STATUS_RESOLVED : STATUS_DONE;
	u->next_update_s = 0;
	status_affects_end(&u->affects);
	return true;
}

static bool
is_same(const struct status_affects *a, const struct status_affects *b)
{
	enum status_impact impact;

	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!status_affects_find(b, a->v[i].system, &impact) ||
		    impact != a->v[i].impact)
			return false;
	return true;
}

static bool
has_words(struct str body)
{
	for (size_t i = 0; i < body.n; i++)
		if ((unsigned char)body.p[i] > ' ')
			return true;
	return false;
}

/* All subscribers would hear of one that does not. */
static bool
says_something(const struct status_update *u, const struct status_post *p)
{
	return has_words(u->body) || u->state != p->state ||
	       !is_same(&u->affects, &p->affects) ||
	       (u->next_update_s > 0 && u->next_update_s != p->next_update_s);
}

bool
status_post_apply(struct status_post *p, const struct status_update *u,
    struct status_fault *ret)
{
	if (!status_update_is_sane(u, p->kind, ret))
		return false;
	if (!says_something(u, p))
		return status_fault_set(ret, STR("body"),
		    "a text, or else another state, other systems or another "
		    "time of the next update: an update with none of these "
		    "says nothing");
	if (p->last_update == STATUS_UPDATES_MAX)
		return status_fault_set(ret, STR("update"),
		    "at most 999 updates; begin another post");
	p->last_update++;
	p->state = u->state;
	p->is_auto = u->is_auto;
	p->affects = u->affects;
	p->next_update_s = u->next_update_s;
	p->changed_s = u->created_s;
	if (status_post_is_open(p))
		p->resolved_s = 0;
	else if (p->resolved_s == 0 && p->state != STATUS_STATE_NONE)
		p->resolved_s = u->created_s;
	return true;
}
