/* SPDX-License-Identifier: ISC */
/* status_json_read.c - what clients of the API say. See status_json_read.h. */
#include "proto/status/status_json_read.h"

#include "proto/status/status_date.h"

/* The members of one object. */
struct reading {
	enum status_json_use use;
	struct status_post *post;
	struct status_update *update;
	struct status_system *system;
	struct status_window *window;
	struct status_subscriber *subscriber;
	struct str *to;
	uint64_t window_to_s;
	struct status_fault *fault;
};

static bool
is_new(const struct reading *r)
{
	return r->use == STATUS_JSON_NEW;
}

/* --- values ------------------------------------------------------------------------ */

static bool
expected(struct reading *r, struct str name, const char *what)
{
	return status_fault_set(r->fault, name, what);
}

static bool
read_text(struct reading *r, struct str name, const struct jsonnode *v,
    struct str *ret)
{
	if (!jsonnode_is_text(v) && !jsonnode_is_null(v))
		return expected(r, name, "a text");
	*ret = jsonnode_text(v);
	return true;
}

static bool
read_time(
    struct reading *r, struct str name, const struct jsonnode *v, uint64_t *ret)
{
	*ret = 0;
	if (jsonnode_is_null(v) || status_date_parse(jsonnode_text(v), ret))
		return true;
	return expected(r, name, "a time like 2026-11-20T18:30:00Z, or null");
}

static bool
read_bool(
    struct reading *r, struct str name, const struct jsonnode *v, bool *ret)
{
	int is = jsonnode_bool(v);

	if (is < 0)
		return expected(r, name, "true or false");
	*ret = is == 1;
	return true;
}

static bool
read_u32(
    struct reading *r, struct str name, const struct jsonnode *v, uint32_t *ret)
{
	uint64_t n = 0;

	if (!jsonnode_is_null(v) && (!jsonnode_u64(v, &n) || n > UINT32_MAX))
		return expected(r, name, "a number, or null");
	*ret = (uint32_t)n;
	return true;
}

static bool
read_state(struct reading *r, const struct jsonnode *v, enum status_state *ret)
{
	if (jsonnode_is_null(v)) {
		*ret = STATUS_STATE_NONE;
		return true;
	}
	return status_state_parse(jsonnode_text(v), ret) ||
	       expected(r, STR("state"),
		   "investigating, identified, monitoring or resolved; "
		   "planned, "
		   "in-progress or done; or null");
}

struct affected {
	struct reading *r;
	struct str system;
	enum status_impact impact;
};

static bool
take_affected(void *arg, struct str name, const struct jsonnode *v)
{
	struct affected *a = arg;

	if (str_eq(name, STR("system"))) {
		a->system = jsonnode_text(v);
		return true;
	}
	if (str_eq(name, STR("impact")))
		return status_impact_parse(jsonnode_text(v), &a->impact) ||
		       expected(a->r, name,
			   "none, maintenance, degraded, partial or down");
	return expected(a->r, name, "system and impact");
}

static bool
read_affects(
    struct reading *r, const struct jsonnode *v, struct status_affects *ret)
{
	if (!jsonnode_is_array(v))
		return expected(r, STR("affected"), "a list of objects");
	ret->n = 0;
	for (size_t i = 0; i < jsonnode_count(v); i++) {
		const struct jsonnode *one = jsonnode_at(v, i);
		struct affected a = { .r = r, .impact = STATUS_IMPACT_DOWN };

		if (!jsonnode_is_object(one))
			return expected(
			    r, STR("affected"), "a list of objects");
		if (!jsonnode_each(one, take_affected, &a) ||
		    !status_affects_add(ret, a.system, a.impact, r->fault))
			return false;
	}
	return true;
}

static bool
read_words(struct reading *r, struct str name, const struct jsonnode *v,
    bool (*add)(struct status_post *p, struct str s, struct status_fault *f))
{
	if (!jsonnode_is_array(v))
		return expected(r, name, "a list of texts");
	for (size_t i = 0; i < jsonnode_count(v); i++)
		if (!add(r->post, jsonnode_text(jsonnode_at(v, i)), r->fault))
			return false;
	return true;
}

static bool
unknown(struct reading *r, struct str name)
{
	return expected(
	    r, name, "a member that can be set here; see openapi.json");
}

/* --- posts ------------------------------------------------------------------------------ */

static bool
take_post_list(struct reading *r, struct str name, const struct jsonnode *v)
{
	struct status_post *p = r->post;

	if (str_eq(name, STR("affected")))
		return read_affects(r, v, &p->affects);
	if (str_eq(name, STR("tags"))) {
		p->n_tags = 0;
		return read_words(r, name, v, status_post_add_tag);
	}
	if (str_eq(name, STR("categories"))) {
		p->n_categories = 0;
		return read_words(r, name, v, status_post_add_category);
	}
	if (is_new(r) && str_eq(name, STR("kind")))
		return true; /* it was read before */
	if (is_new(r) && str_eq(name, STR("state")))
		return read_state(r, v, &p->state);
	if (is_new(r) && str_eq(name, STR("quiet")))
		return read_bool(r, name, v, &p->is_quiet);
	if (str_eq(name, STR("incident")))
		return read_u32(r, name, v, &p->incident);
	return unknown(r, name);
}

static bool
take_post(void *arg, struct str name, const struct jsonnode *v)
{
	struct reading *r = arg;
	struct status_post *p = r->post;
	const struct {
		const char *name;
		struct str *text;
		uint64_t *time;
	} members[] = {
		{ "title", &p->title, NULL },
		{ "slug", &p->slug, NULL },
		{ "body", &p->body, NULL },
		{ "author", &p->author, NULL },
		{ "language", &p->language, NULL },
		{ "published", NULL, &p->published_s },
		{ "next_update", NULL, &p->next_update_s },
		{ "from", NULL, &p->from_s },
		{ "to", NULL, &p->to_s },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (str_eq(name, str_c(members[i].name)))
			return members[i].text
			           ? read_text(r, name, v, members[i].text)
			           : read_time(r, name, v, members[i].time);
	return take_post_list(r, name, v);
}

static bool
stop(UNUSED void *arg, UNUSED struct str name, UNUSED const struct jsonnode *v)
{
	return false;
}

/* "Edited" is written below what a change was made of. */
static bool
has_members(const struct jsonnode *object, const struct reading *r)
{
	return is_new(r) || !jsonnode_each(object, stop, NULL) ||
	       status_fault_set(r->fault, STR_NONE,
		   "at least one member: without any there is nothing to "
		   "change");
}

bool
status_json_read_kind(const struct jsonnode *object,
    enum status_post_kind *ret_kind, struct status_fault *ret)
{
	return status_post_kind_parse(
		   jsonnode_text(jsonnode_get(object, "kind")), ret_kind) ||
	       status_fault_set(ret, STR("kind"),
		   "incident, notice, maintenance or post-mortem");
}

bool
status_json_read_post(const struct jsonnode *object, enum status_json_use use,
    struct status_post *p, struct status_fault *ret)
{
	struct reading r = { .use = use, .post = p, .fault = ret };

	return has_members(object, &r) && jsonnode_each(object, take_post, &r);
}

static bool
take_update(void *arg, struct str name, const struct jsonnode *v)
{
	struct reading *r = arg;
	struct status_update *u = r->update;

	if (str_eq(name, STR("body")))
		return read_text(r, name, v, &u->body);
	if (str_eq(name, STR("author")))
		return read_text(r, name, v, &u->author);
	if (is_new(r) && str_eq(name, STR("state")))
		return read_state(r, v, &u->state);
	if (is_new(r) && str_eq(name, STR("affected")))
		return read_affects(r, v, &u->affects);
	if (is_new(r) && str_eq(name, STR("next_update")))
		return read_time(r, name, v, &u->next_update_s);
	if (is_new(r) && str_eq(name, STR("quiet")))
		return read_bool(r, name, v, &u->is_quiet);
	return unknown(r, name);
}

bool
status_json_read_update(const struct jsonnode *object, enum status_json_use use,
    struct status_update *u, struct status_fault *ret)
{
	struct reading r = { .use = use, .update = u, .fault = ret };

	return has_members(object, &r) &&
	       jsonnode_each(object, take_update, &r);
}

/* --- systems and windows -------------------------------------------------------------------- */

static bool
read_parents(struct reading *r, const struct jsonnode *v)
{
	struct status_system *s = r->system;

	if (!jsonnode_is_array(v) || jsonnode_count(v) > STATUS_PARENTS_MAX)
		return expected(
		    r, STR("parents"), "a list of at most 8 systems");
	s->n_parents = jsonnode_count(v);
	for (size_t i = 0; i < s->n_parents; i++)
		s->parents[i] = jsonnode_text(jsonnode_at(v, i));
	return true;
}

static bool
take_system(void *arg, struct str name, const struct jsonnode *v)
{
	struct reading *r = arg;
	struct status_system *s = r->system;

	if (str_eq(name, STR("role")))
		return status_role_parse(jsonnode_text(v), &s->role) ||
		       expected(r, name,
			   "mail, relay, web, primary-ns, secondary-ns, phone, "
			   "monitoring, status or other");
	if (str_eq(name, STR("city")))
		return read_text(r, name, v, &s->city);
	if (str_eq(name, STR("country")))
		return read_text(r, name, v, &s->country);
	if (str_eq(name, STR("internal")))
		return read_bool(r, name, v, &s->is_internal);
	if (str_eq(name, STR("order")))
		return read_u32(r, name, v, &s->order);
	if (str_eq(name, STR("parents")))
		return read_parents(r, v);
	return unknown(r, name);
}

bool
status_json_read_system(const struct jsonnode *object, struct status_system *s,
    struct status_fault *ret)
{
	struct reading r = { .system = s, .fault = ret };

	if (jsonnode_get(object, "role") == NULL)
		return status_fault_set(ret, STR("role"), "a role");
	return jsonnode_each(object, take_system, &r);
}

static bool
take_window(void *arg, struct str name, const struct jsonnode *v)
{
	struct reading *r = arg;
	struct status_window *w = r->window;

	if (str_eq(name, STR("system")))
		return read_text(r, name, v, &w->system);
	if (str_eq(name, STR("from")))
		return read_time(r, name, v, &w->from_s);
	if (str_eq(name, STR("to")))
		return read_time(r, name, v, &r->window_to_s);
	if (str_eq(name, STR("note")))
		return read_text(r, name, v, &w->note);
	if (str_eq(name, STR("every_s"))) {
		w->every_s = 0;
		return jsonnode_is_null(v) || jsonnode_u64(v, &w->every_s) ||
		       expected(r, name, "a number of seconds, or null");
	}
	return unknown(r, name);
}

bool
status_json_read_window(const struct jsonnode *object, struct status_window *w,
    struct status_fault *ret)
{
	struct reading r = { .window = w, .fault = ret };

	if (!jsonnode_each(object, take_window, &r))
		return false;
	if (w->from_s == 0 || r.window_to_s <= w->from_s)
		return status_fault_set(
		    ret, STR("to"), "a time behind that of from");
	w->length_s = r.window_to_s - w->from_s;
	return true;
}

/* --- subscribers ------------------------------------------------------------------------------ */

static bool
read_names(struct reading *r, const struct jsonnode *v)
{
	struct status_subscriber *s = r->subscriber;

	if (!jsonnode_is_array(v) ||
	    jsonnode_count(v) > STATUS_SUBSCRIBER_NAMES)
		return expected(r, STR("names"), "a list of at most 16 texts");
	s->n_names = jsonnode_count(v);
	for (size_t i = 0; i < s->n_names; i++)
		s->names[i] = jsonnode_text(jsonnode_at(v, i));
	return true;
}

static bool
take_subscriber(void *arg, struct str name, const struct jsonnode *v)
{
	struct reading *r = arg;

	if (str_eq(name, STR("to")))
		return read_text(r, name, v, r->to);
	if (str_eq(name, STR("scope")))
		return status_scope_parse(
			   jsonnode_text(v), &r->subscriber->scope) ||
		       expected(r, name, "all, systems or tags");
	if (str_eq(name, STR("names")))
		return read_names(r, v);
	if (str_eq(name, STR("language")))
		return read_text(r, name, v, &r->subscriber->language);
	return unknown(r, name);
}

bool
status_json_read_subscriber(const struct jsonnode *object,
    struct status_subscriber *s, struct str *ret_to, struct status_fault *ret)
{
	struct reading r = { .subscriber = s, .to = ret_to, .fault = ret };

	*ret_to = STR_NONE;
	return jsonnode_each(object, take_subscriber, &r);
}

/* --- checks -------------------------------------------------------------------------------------- */

struct check_reading {
	struct status_check *c;
	struct buf *scratch;
	struct status_fault *fault;
};

static bool
put_option(struct check_reading *r, struct str name, const struct jsonnode *v)
{
	struct str value = jsonnode_text(v);
	struct str word;
	size_t start = r->scratch->n;

	if (value.n == 0)
		return status_fault_set(
		    r->fault, name, "a text, or a list of texts");
	buf_put_str(r->scratch, name);
	buf_put_char(r->scratch, '=');
	buf_put_str(r->scratch, value);
	if (r->scratch->failed)
		return status_fault_set(r->fault, name, "shorter texts");
	word = str_from(buf_str(r->scratch), start);
	return status_check_put(r->c, word, r->fault);
}

static bool
take_option(void *arg, struct str name, const struct jsonnode *v)
{
	struct check_reading *r = arg;

	if (str_find(name, '=') >= 0)
		return status_fault_set(r->fault, name, "a name of an option");
	if (!jsonnode_is_array(v))
		return put_option(r, name, v);
	for (size_t i = 0; i < jsonnode_count(v); i++)
		if (!put_option(r, name, jsonnode_at(v, i)))
			return false;
	return true;
}

static bool
take_check(void *arg, struct str name, UNUSED const struct jsonnode *v)
{
	struct check_reading *r = arg;

	if (str_eq(name, STR("kind")) || str_eq(name, STR("target")) ||
	    str_eq(name, STR("options")))
		return true;
	return status_fault_set(r->fault, name, "kind, target and options");
}

bool
status_json_read_check(const struct jsonnode *object, struct status_check *c,
    struct buf *scratch, struct status_fault *ret)
{
	struct check_reading r = { c, scratch, ret };
	const struct jsonnode *options = jsonnode_get(object, "options");

	/* All of it at once: words point into it. */
	if (buf_reserve(scratch, scratch->max - scratch->n) == NULL)
		return status_fault_set(ret, STR("options"), "less of them");
	if (options != NULL && !jsonnode_is_object(options))
		return status_fault_set(ret, STR("options"), "an object");
	return jsonnode_each(object, take_check, &r) &&
	       status_check_begin(c,
		   jsonnode_text(jsonnode_get(object, "kind")),
		   jsonnode_text(jsonnode_get(object, "target")), ret) &&
	       jsonnode_each(options, take_option, &r) &&
	       status_check_finish(c, ret);
}
