/* SPDX-License-Identifier: ISC */
/* status_post.c - what posts may be, and their words. See status_post.h. */
#include "proto/status/status_post.h"

#define YEAR_10000    UINT64_C(253402300800)
#define DIGITS_POST   8
#define DIGITS_UPDATE 4

static const char *const kinds[STATUS_POST_KINDS] = {
	[STATUS_INCIDENT] = "incident",
	[STATUS_NOTICE] = "notice",
	[STATUS_PLANNED] = "maintenance",
	[STATUS_POSTMORTEM] = "post-mortem",
};

static const char *const states[STATUS_STATES] = {
	[STATUS_STATE_NONE] = "none",
	[STATUS_INVESTIGATING] = "investigating",
	[STATUS_IDENTIFIED] = "identified",
	[STATUS_MONITORING] = "monitoring",
	[STATUS_RESOLVED] = "resolved",
	[STATUS_STATE_PLANNED] = "planned",
	[STATUS_IN_PROGRESS] = "in-progress",
	[STATUS_DONE] = "done",
};

static const char *const impacts[STATUS_IMPACTS] = {
	[STATUS_IMPACT_NONE] = "none",
	[STATUS_IMPACT_MAINTENANCE] = "maintenance",
	[STATUS_IMPACT_DEGRADED] = "degraded",
	[STATUS_IMPACT_PARTIAL] = "partial",
	[STATUS_IMPACT_DOWN] = "down",
};

const char *
status_post_kind_name(enum status_post_kind k)
{
	ASSERT((unsigned)k < STATUS_POST_KINDS);
	return kinds[k];
}

bool
status_post_kind_parse(struct str word, enum status_post_kind *ret)
{
	int i = status_word_find(kinds, STATUS_POST_KINDS, word);

	if (i >= 0)
		*ret = (enum status_post_kind)i;
	return i >= 0;
}

const char *
status_state_name(enum status_state s)
{
	ASSERT((unsigned)s < STATUS_STATES);
	return states[s];
}

bool
status_state_parse(struct str word, enum status_state *ret)
{
	int i = status_word_find(states, STATUS_STATES, word);

	if (i >= 0)
		*ret = (enum status_state)i;
	return i >= 0;
}

bool
status_state_is_of(enum status_state s, enum status_post_kind k)
{
	switch (s) {
	case STATUS_STATE_NONE:
		return k == STATUS_NOTICE || k == STATUS_POSTMORTEM;
	case STATUS_INVESTIGATING:
	case STATUS_IDENTIFIED:
	case STATUS_MONITORING:
	case STATUS_RESOLVED:
		return k == STATUS_INCIDENT;
	case STATUS_STATE_PLANNED:
	case STATUS_IN_PROGRESS:
	case STATUS_DONE:
		return k == STATUS_PLANNED;
	case STATUS_STATES:
		break;
	}
	return false;
}

const char *
status_states_expected(enum status_post_kind k)
{
	static const char *const texts[STATUS_POST_KINDS] = {
		[STATUS_INCIDENT] =
		    "investigating, identified, monitoring or resolved",
		[STATUS_NOTICE] = "no state: a notice has none",
		[STATUS_PLANNED] = "planned, in-progress or done",
		[STATUS_POSTMORTEM] = "no state: a post-mortem has none",
	};

	ASSERT((unsigned)k < STATUS_POST_KINDS);
	return texts[k];
}

const char *
status_impact_name(enum status_impact i)
{
	ASSERT((unsigned)i < STATUS_IMPACTS);
	return impacts[i];
}

bool
status_impact_parse(struct str word, enum status_impact *ret)
{
	int i = status_word_find(impacts, STATUS_IMPACTS, word);

	if (i >= 0)
		*ret = (enum status_impact)i;
	return i >= 0;
}

/* --- keys ------------------------------------------------------------------ */

void
status_post_put_key(struct buf *to, uint32_t number, uint32_t update)
{
	ASSERT(number > 0 && number <= STATUS_POST_MAX &&
	       update <= STATUS_UPDATES_MAX);
	buf_printf(to, "%0*u/%0*u", DIGITS_POST, number, DIGITS_UPDATE, update);
}

bool
status_post_key_parse(
    struct str key, uint32_t *ret_number, uint32_t *ret_update)
{
	struct str number, update = str_split(key, '/', &number);
	uint32_t n, u;

	if (number.n != DIGITS_POST || update.n != DIGITS_UPDATE ||
	    !str_to_u32(number, STATUS_POST_MAX, &n) || n == 0 ||
	    !str_to_u32(update, STATUS_UPDATES_MAX, &u))
		return false;
	*ret_number = n;
	*ret_update = u;
	return true;
}

/* --- single values ----------------------------------------------------------- */

bool
status_is_body(struct str s)
{
	return s.n <= STATUS_BODY_MAX && str_is_utf8(s) &&
	       !str_has_control(s, "\n\t");
}

bool
status_is_tag(struct str s)
{
	return s.n > 0 && s.n <= STATUS_TAG_MAX && status_is_text(s) &&
	       str_find(s, ',') < 0 && str_trim(s).n == s.n;
}

bool
status_is_slug(struct str s)
{
	if (s.n == 0 || s.n > STATUS_SLUG_MAX || s.p[0] == '-' ||
	    s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < 'a' || s.p[i] > 'z') && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-')
			return false;
	return true;
}

bool
status_is_language(struct str s)
{
	struct str first, rest = str_split(s, '-', &first);

	if (s.n > STATUS_LANGUAGE_MAX || first.n < 2 || first.n > 3 ||
	    (first.n < s.n && rest.n < 2))
		return false;
	for (size_t i = 0; i < first.n; i++)
		if (!ascii_is_alpha(first.p[i]))
			return false;
	for (size_t i = 0; i < rest.n; i++)
		if (!ascii_is_alpha(rest.p[i]) && !ascii_is_digit(rest.p[i]))
			return false;
	return true;
}

/* --- asking -------------------------------------------------------------------- */

bool
status_post_is_open(const struct status_post *p)
{
	return (p->kind == STATUS_INCIDENT && p->state != STATUS_RESOLVED) ||
	       (p->kind == STATUS_PLANNED && p->state != STATUS_DONE);
}

bool
status_post_is_public(const struct status_post *p, uint64_t now_s)
{
	return p->published_s > 0 && p->published_s <= now_s;
}

enum status_impact
status_affects_worst(const struct status_affects *a)
{
	enum status_impact worst = STATUS_IMPACT_NONE;

	for (size_t i = 0; i < a->n; i++)
		worst = MAX(worst, a->v[i].impact);
	return worst;
}

bool
status_affects_find(
    const struct status_affects *a, struct str system, enum status_impact *ret)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq_case(a->v[i].system, system)) {
			*ret = a->v[i].impact;
			return true;
		}
	return false;
}

static bool
has(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_case(v[i], s))
			return true;
	return false;
}

bool
status_post_has_tag(const struct status_post *p, struct str tag)
{
	return has(p->tags, p->n_tags, tag);
}

/* --- the whole -------------------------------------------------------------------- */

static bool
affects_are_sane(const struct status_affects *a, struct status_fault *ret)
{
	if (a->n > STATUS_AFFECTED_MAX)
		return status_fault_set(
		    ret, STR("affected"), "at most 32 systems");
	for (size_t i = 0; i < a->n; i++) {
		if (!status_is_id(a->v[i].system))
			return status_fault_set(
			    ret, a->v[i].system, STATUS_ID_EXPECTED);
		if ((unsigned)a->v[i].impact >= STATUS_IMPACTS)
			return status_fault_set(ret, STR("impact"),
			    "none, maintenance, degraded, partial or down");
		for (size_t k = 0; k < i; k++)
			if (str_eq_case(a->v[k].system, a->v[i].system))
				return status_fault_set(
				    ret, a->v[i].system, "each system once");
	}
	return true;
}

static bool
list_is_sane(
    const struct str *v, size_t n, size_t max, struct status_fault *ret)
{
	if (n > max)
		return status_fault_set(
		    ret, STR("tags"), "at most 16 tags and 8 categories");
	for (size_t i = 0; i < n; i++) {
		if (!status_is_tag(v[i]))
			return status_fault_set(ret, v[i],
			    "a text of at most 60 bytes without a comma");
		if (has(v, i, v[i]))
			return status_fault_set(ret, v[i], "each of them once");
	}
	return true;
}

static bool
texts_are_sane(const struct status_post *p, struct status_fault *ret)
{
	if (p->title.n == 0 || !status_is_text(p->title) ||
	    str_trim(p->title).n != p->title.n)
		return status_fault_set(ret, STR("title"),
		    "a line of at most 200 bytes, with no space at its ends");
	if (!status_is_slug(p->slug))
		return status_fault_set(ret, p->slug,
		    "at most 100 letters a to z, digits and dashes");
	if (!status_is_body(p->body))
		return status_fault_set(ret, STR("body"),
		    "at most 32 KiB of UTF-8 without control characters");
	if (!status_is_text(p->author))
		return status_fault_set(ret, STR("author"), "a short text");
	if (!status_is_language(p->language))
		return status_fault_set(
		    ret, p->language, "a language such as en or pt-BR");
	return true;
}

static bool
times_are_sane(const struct status_post *p, struct status_fault *ret)
{
	const uint64_t times[] = { p->created_s, p->published_s, p->edited_s,
		p->changed_s, p->resolved_s, p->next_update_s, p->from_s,
		p->to_s };

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (times[i] >= YEAR_10000)
			return status_fault_set(
			    ret, STR("time"), "a time before the year 10000");
	if (p->created_s == 0)
		return status_fault_set(ret, STR("created"), "a time");
	if (p->kind != STATUS_PLANNED && (p->from_s > 0 || p->to_s > 0))
		return status_fault_set(
		    ret, STR("from"), "planned times of maintenance only");
	if (p->kind == STATUS_PLANNED &&
	    (p->from_s == 0 || p->to_s <= p->from_s))
		return status_fault_set(ret, STR("from"),
		    "the planned start and, behind it, the planned end");
	return true;
}

bool
status_post_is_sane(const struct status_post *p, struct status_fault *ret)
{
	if ((unsigned)p->kind >= STATUS_POST_KINDS)
		return status_fault_set(ret, STR("kind"),
		    "incident, notice, maintenance or post-mortem");
	if (!status_state_is_of(p->state, p->kind))
		return status_fault_set(
		    ret, STR("state"), status_states_expected(p->kind));
	if (p->incident > STATUS_POST_MAX ||
	    (p->incident > 0 && p->kind != STATUS_POSTMORTEM))
		return status_fault_set(ret, STR("incident"),
		    "the number of an incident, of a post-mortem only");
	if (p->last_update > STATUS_UPDATES_MAX)
		return status_fault_set(
		    ret, STR("update"), "at most 999 updates");
	return texts_are_sane(p, ret) && times_are_sane(p, ret) &&
	       affects_are_sane(&p->affects, ret) &&
	       list_is_sane(p->tags, p->n_tags, STATUS_TAGS_MAX, ret) &&
	       list_is_sane(
		   p->categories, p->n_categories, STATUS_CATEGORIES_MAX, ret);
}

bool
status_update_is_sane(const struct status_update *u, enum status_post_kind kind,
    struct status_fault *ret)
{
	if (!status_state_is_of(u->state, kind))
		return status_fault_set(
		    ret, STR("state"), status_states_expected(kind));
	if (!status_is_body(u->body))
		return status_fault_set(ret, STR("body"),
		    "at most 32 KiB of UTF-8 without control characters");
	if (!status_is_text(u->author))
		return status_fault_set(ret, STR("author"), "a short text");
	if (u->created_s == 0 || u->created_s >= YEAR_10000 ||
	    u->edited_s >= YEAR_10000 || u->next_update_s >= YEAR_10000)
		return status_fault_set(
		    ret, STR("time"), "a time before the year 10000");
	return affects_are_sane(&u->affects, ret);
}
