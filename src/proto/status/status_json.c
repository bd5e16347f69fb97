/* SPDX-License-Identifier: ISC */
/* status_json.c - posts and what belongs to them as JSON. See status_json.h. */
#include "proto/status/status_json.h"

#include "base/jsondoc.h"
#include "proto/status/status_date.h"

/* --- members ------------------------------------------------------------------- */

void
status_json_name(struct buf *to, const char *name)
{
	char last = to->n > 0 ? to->p[to->n - 1] : '{';

	if (last != '{' && last != '[')
		buf_put_char(to, ',');
	jsondoc_put_text(to, str_c(name));
	buf_put_char(to, ':');
}

void
status_json_text(struct buf *to, const char *name, struct str s)
{
	status_json_name(to, name);
	jsondoc_put_text(to, s);
}

void
status_json_word(struct buf *to, const char *name, struct str s)
{
	status_json_name(to, name);
	if (s.n > 0)
		jsondoc_put_text(to, s);
	else
		buf_put_c(to, "null");
}

void
status_json_time(struct buf *to, const char *name, uint64_t s)
{
	status_json_name(to, name);
	if (s == 0) {
		buf_put_c(to, "null");
		return;
	}
	buf_put_char(to, '"');
	status_date_put(to, s);
	buf_put_char(to, '"');
}

void
status_json_number(struct buf *to, const char *name, uint64_t n)
{
	status_json_name(to, name);
	buf_put_u64(to, n);
}

void
status_json_bool(struct buf *to, const char *name, bool is)
{
	status_json_name(to, name);
	buf_put_c(to, is ? "true" : "false");
}

static void
put_list(struct buf *to, const char *name, const struct str *v, size_t n)
{
	status_json_name(to, name);
	buf_put_char(to, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_put_char(to, ',');
		jsondoc_put_text(to, v[i]);
	}
	buf_put_char(to, ']');
}

/* --- posts ------------------------------------------------------------------------ */

static void
put_state(struct buf *to, enum status_state s)
{
	status_json_word(to, "state",
	    s == STATUS_STATE_NONE ? STR_NONE : str_c(status_state_name(s)));
}

static void
put_affects(struct buf *to, const struct status_affects *a)
{
	status_json_name(to, "affected");
	buf_put_char(to, '[');
	for (size_t i = 0; i < a->n; i++) {
		buf_put_c(to, i > 0 ? ",{" : "{");
		status_json_text(to, "system", a->v[i].system);
		status_json_text(
		    to, "impact", str_c(status_impact_name(a->v[i].impact)));
		buf_put_char(to, '}');
	}
	buf_put_char(to, ']');
}

void
status_json_begin_post(
    struct buf *to, uint32_t number, const struct status_post *p)
{
	buf_put_char(to, '{');
	status_json_number(to, "number", number);
	status_json_text(to, "kind", str_c(status_post_kind_name(p->kind)));
	put_state(to, p->state);
	status_json_text(to, "title", p->title);
	status_json_text(to, "slug", p->slug);
	status_json_text(to, "body", p->body);
	status_json_word(to, "author", p->author);
	status_json_text(to, "language", p->language);
	status_json_time(to, "created", p->created_s);
	status_json_time(to, "published", p->published_s);
	status_json_time(to, "edited", p->edited_s);
	status_json_time(to, "changed", p->changed_s);
	status_json_time(to, "resolved", p->resolved_s);
	status_json_time(to, "next_update", p->next_update_s);
	status_json_time(to, "from", p->from_s);
	status_json_time(to, "to", p->to_s);
	status_json_name(to, "incident");
	if (p->incident > 0)
		buf_put_u64(to, p->incident);
	else
		buf_put_c(to, "null");
	put_affects(to, &p->affects);
	put_list(to, "tags", p->tags, p->n_tags);
	put_list(to, "categories", p->categories, p->n_categories);
	status_json_bool(to, "imported", p->is_imported);
	status_json_bool(to, "quiet", p->is_quiet);
	status_json_name(to, "updates");
	buf_put_char(to, '[');
}

void
status_json_put_update(struct buf *to, uint32_t number,
    const struct status_update *u, bool is_first)
{
	buf_put_c(to, is_first ? "{" : ",{");
	status_json_number(to, "number", number);
	put_state(to, u->state);
	status_json_text(to, "body", u->body);
	status_json_word(to, "author", u->author);
	status_json_time(to, "created", u->created_s);
	status_json_time(to, "edited", u->edited_s);
	status_json_time(to, "next_update", u->next_update_s);
	put_affects(to, &u->affects);
	status_json_bool(to, "quiet", u->is_quiet);
	buf_put_char(to, '}');
}

void
status_json_end_post(struct buf *to)
{
	buf_put_c(to, "]}");
}

/* --- the others ------------------------------------------------------------------- */

void
status_json_put_system(struct buf *to, const struct status_system *s)
{
	buf_put_char(to, '{');
	status_json_text(to, "id", s->id);
	status_json_text(to, "role", str_c(status_role_name(s->role)));
	status_json_word(to, "city", s->city);
	status_json_word(to, "country", s->country);
	status_json_bool(to, "internal", s->is_internal);
	status_json_number(to, "order", s->order);
	put_list(to, "parents", s->parents, s->n_parents);
	buf_put_char(to, '}');
}

void
status_json_put_window(
    struct buf *to, struct str key, const struct status_window *w)
{
	buf_put_char(to, '{');
	status_json_text(to, "id", key);
	status_json_text(to, "system", w->system);
	status_json_time(to, "from", w->from_s);
	status_json_time(to, "to", w->from_s + w->length_s);
	status_json_name(to, "every_s");
	if (w->every_s > 0)
		buf_put_u64(to, w->every_s);
	else
		buf_put_c(to, "null");
	status_json_word(to, "note", w->note);
	buf_put_char(to, '}');
}

void
status_json_put_subscriber(
    struct buf *to, struct str key, const struct status_subscriber *s)
{
	buf_put_char(to, '{');
	status_json_text(to, "to", key);
	status_json_text(to, "channel",
	    status_subscriber_is_webhook(key) ? STR("webhook") : STR("mail"));
	status_json_bool(to, "confirmed", s->is_confirmed);
	status_json_text(to, "scope", str_c(status_scope_name(s->scope)));
	put_list(to, "names", s->names, s->n_names);
	status_json_text(to, "language", s->language);
	status_json_time(to, "created", s->created_s);
	status_json_time(to, "confirmed_at", s->confirmed_s);
	status_json_time(to, "paused_at", s->paused_s);
	status_json_number(to, "bounces", s->bounces);
	status_json_word(to, "why", s->why);
	buf_put_char(to, '}');
}

void
status_json_put_audit(struct buf *to, const struct status_audit *a)
{
	buf_put_char(to, '{');
	status_json_time(to, "at", a->at_ms / 1000);
	status_json_text(to, "who", a->who);
	status_json_text(to, "what", a->what);
	status_json_text(to, "object", a->object);
	status_json_text(to, "from", a->from);
	status_json_word(to, "detail", a->detail);
	buf_put_char(to, '}');
}
