/* SPDX-License-Identifier: ISC */
/*
 * summary.c - /api/v2/: the state as programs know it from Statuspage.
 *
 * Systems are its components, posts about incidents and planned work its
 * incidents and scheduled maintenances; notices and archives are neither.
 * Of internal systems nothing is told. What is not known has no word over
 * there: it is "degraded_performance" with a description that says so, never
 * "operational". While role watch has not answered at all there is 503.
 */
#include "base/markdown.h"
#include "proto/feed/statuspage.h"
#include "web/page/document.h"
#include "web/page/pages.h"
#include "web/page/parts.h"
#include "web/table/posts.h"

#define INCIDENTS_MAX 50
#define UPDATES_MAX   20
#define BODY_MAX      KIB(4)
#define LISTS_BYTES   MIB(1) /* no further incident behind so many */

_Static_assert(
    (int)STATUS_IMPACT_DOWN == (int)STATUSPAGE_MAJOR &&
	(int)STATUS_IMPACT_MAINTENANCE == (int)STATUSPAGE_MAINTENANCE,
    "the same order");

/* What of it a document has; its path is behind /api/v2/. */
enum { COMPONENTS = 1, INCIDENTS = 2, OPEN = 4, PLANNED = 8, STATUS = 16 };
enum { ALL_PLANNED = 32, UPCOMING = 64, ACTIVE = 128 };
static const struct kind_of {
	const char *path;
	unsigned parts;
} paths[] = {
	{ "summary.json", COMPONENTS | OPEN | UPCOMING | ACTIVE | STATUS },
	{ "status.json", STATUS },
	{ "components.json", COMPONENTS },
	{ "incidents.json", INCIDENTS },
	{ "incidents/unresolved.json", OPEN },
	{ "scheduled-maintenances.json", ALL_PLANNED },
	{ "scheduled-maintenances/upcoming.json", UPCOMING },
	{ "scheduled-maintenances/active.json", ACTIVE },
};

/* --- components ------------------------------------------------------------------------ */

static enum statuspage_state
state_of_look(enum look l)
{
	static const enum statuspage_state states[LOOKS] = {
		[LOOK_PLAIN] = STATUSPAGE_OPERATIONAL,
		[LOOK_UP] = STATUSPAGE_OPERATIONAL,
		[LOOK_DEGRADED] = STATUSPAGE_DEGRADED,
		[LOOK_DOWN] = STATUSPAGE_MAJOR,
		[LOOK_PLANNED] = STATUSPAGE_MAINTENANCE,
		[LOOK_UNKNOWN] = STATUSPAGE_DEGRADED,
	};

	return states[l];
}

/* What is said of a system: by incidents, and by planned work that has begun. */
static enum statuspage_state
state_by_posts(const struct server *sv, const struct msg_watch_system *m)
{
	enum status_impact worst = said_of_system(sv, m), impact;

	for (size_t i = 0; i < posts_count(sv->posts); i++) {
		const struct status_post *p = &posts_at(sv->posts, i)->post;

		if (p->kind == STATUS_PLANNED &&
		    p->state == STATUS_IN_PROGRESS &&
		    status_affects_find(&p->affects, m->key, &impact))
			worst = MAX(worst, impact);
	}
	return (enum statuspage_state)worst;
}

static struct statuspage_component
component_of(const struct server *sv, const struct msg_watch_system *m)
{
	const struct site_state *t = site_state(sv->site);
	enum look l = look_by_checks(t, m);

	return (struct statuspage_component){ .id = m->key,
		.name = m->id,
		.description = l == LOOK_UNKNOWN ? STR("not known")
		               : l == LOOK_PLAIN ? STR("not watched")
		                                 : m->city,
		.state = MAX(state_of_look(l), state_by_posts(sv, m)),
		.created_s = m->first_s,
		.updated_s = m->since_s,
		.position = (uint32_t)(m - t->systems) + 1 };
}

static void
put_components(struct document *d, const struct statuspage_page *page)
{
	const struct site_state *t = site_state(d->sv->site);
	struct statuspage_component *v = x_calloc(t->n_systems + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < t->n_systems; i++)
		if (!(t->systems[i].flags & WATCH_SITE_INTERNAL))
			v[n++] = component_of(d->sv, &t->systems[i]);
	statuspage_put_components(&d->b, page, v, n);
	free(v);
}

/* --- incidents ------------------------------------------------------------------------- */

static struct str
status_word(enum status_state s)
{
	if (s == STATUS_STATE_PLANNED)
		return STR("scheduled");
	if (s == STATUS_IN_PROGRESS)
		return STR("in_progress");
	if (s == STATUS_DONE)
		return STR("completed");
	return str_c(status_state_name(s));
}

/* Markdown as text, as long as the document. */
static struct str
plain(struct document *d, struct str markdown)
{
	struct buf b = BUF_INIT(MARKDOWN_TEXT_MAX);
	struct str kept, s;

	markdown_text(markdown, 0, &b);
	s = str_first(buf_str(&b), BODY_MAX);
	while (s.n > 0 && !str_is_utf8(s))
		s.n--;
	kept = document_join(d, s, STR(""));
	buf_done(&b);
	return kept;
}

struct updates {
	size_t n;
	struct statuspage_update v[UPDATES_MAX + 1];
	struct statuspage_change changes[UPDATES_MAX + 1][STATUS_AFFECTED_MAX];
};

/* A post may name others: none of them is told of here. */
static const struct msg_watch_system *
find_public(const struct document *d, struct str system)
{
	const struct msg_watch_system *m = site_find(d->sv->site, system);

	return m != NULL && !(m->flags & WATCH_SITE_INTERNAL) ? m : NULL;
}

/* What became otherwise; before may be NULL: all was well. */
static size_t
find_changes(const struct document *d, const struct status_affects *before,
    const struct status_affects *after, struct statuspage_change *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < after->n; i++) {
		enum status_impact was = STATUS_IMPACT_NONE;

		if (before != NULL)
			(void)!status_affects_find(
			    before, after->v[i].system, &was);
		if (was == after->v[i].impact ||
		    find_public(d, after->v[i].system) == NULL)
			continue;
		ret[n++] = (struct statuspage_change){ .id = after->v[i].system,
			.name = after->v[i].system,
			.before = (enum statuspage_state)was,
			.after = (enum statuspage_state)after->v[i].impact };
	}
	return n;
}

static void
add_update(struct document *d, const struct posts_entry *e, size_t i,
    struct updates *us, struct statuspage_incident *in)
{
	const struct posts *all = d->sv->posts;
	struct statuspage_update *out = &us->v[us->n];
	struct status_update u, before;
	bool has_before = i > 0 && posts_update(all, e, i - 1, &before);

	if (!posts_update(all, e, i, &u))
		return;
	*out = (struct statuspage_update){ .number = (uint32_t)i + 1,
		.status = status_word(u.state),
		.body = plain(d, u.body),
		.created_s = u.created_s,
		.updated_s = MAX(u.edited_s, u.created_s),
		.changes = us->changes[us->n] };
	out->n_changes = find_changes(d, has_before ? &before.affects : NULL,
	    &u.affects, us->changes[us->n]);
	if (u.state == STATUS_MONITORING)
		in->monitoring_s = u.created_s;
	us->n++;
}

static void
add_first(struct document *d, const struct posts_entry *e, struct updates *us)
{
	const struct status_post *p = &e->post;
	struct statuspage_update *out = &us->v[us->n];
	enum status_state first = p->kind == STATUS_PLANNED
	                              ? STATUS_STATE_PLANNED
	                              : STATUS_INVESTIGATING;

	*out = (struct statuspage_update){ .number = 0,
		/* What it was before its updates is not kept. */
		.status = status_word(e->n_updates > 0 ? first : p->state),
		.body = plain(d, p->body),
		.created_s = p->published_s,
		.updated_s = MAX(p->edited_s, p->published_s),
		.changes = us->changes[us->n] };
	if (e->n_updates == 0)
		out->n_changes =
		    find_changes(d, NULL, &p->affects, us->changes[us->n]);
	us->n++;
}

static size_t
affected_components(struct document *d, const struct status_post *p,
    struct statuspage_component *v)
{
	size_t n = 0;

	for (size_t i = 0; i < p->affects.n; i++) {
		const struct msg_watch_system *m =
		    find_public(d, p->affects.v[i].system);

		if (m != NULL)
			v[n++] = component_of(d->sv, m);
	}
	return n;
}

static void
put_incident(
    struct document *d, struct statuspage_list *l, const struct posts_entry *e)
{
	const struct status_post *p = &e->post;
	struct statuspage_component components[STATUS_AFFECTED_MAX];
	struct updates *us = X_NEW(struct updates);
	struct statuspage_incident in = { .number = e->number,
		.name = p->title,
		.status = status_word(p->state),
		.is_maintenance = p->kind == STATUS_PLANNED,
		.worst =
		    (enum statuspage_state)status_affects_worst(&p->affects),
		.created_s = p->published_s,
		.updated_s = MAX(p->changed_s, p->published_s),
		.resolved_s = p->resolved_s,
		.from_s = p->from_s,
		.to_s = p->to_s,
		.url = document_post_id(d, e->number),
		.updates = us->v,
		.components = components };
	size_t oldest = e->n_updates - MIN(e->n_updates, (size_t)UPDATES_MAX);

	for (size_t i = e->n_updates; i-- > oldest;)
		add_update(d, e, i, us, &in);
	if (oldest == 0)
		add_first(d, e, us);
	in.n_updates = us->n;
	in.n_components = affected_components(d, p, components);
	statuspage_list_put(l, &in);
	free(us);
}

static bool
is_incident(const struct status_post *p, unsigned parts)
{
	return p->kind == STATUS_INCIDENT &&
	       ((parts & INCIDENTS) || status_post_is_open(p));
}

static bool
is_maintenance(const struct status_post *p, unsigned parts)
{
	if (p->kind != STATUS_PLANNED)
		return false;
	if (parts & ALL_PLANNED)
		return true;
	return (parts & UPCOMING && p->state == STATUS_STATE_PLANNED) ||
	       (parts & ACTIVE && p->state == STATUS_IN_PROGRESS);
}

static void
put_list(struct document *d, const struct statuspage_page *page,
    const char *name, unsigned parts,
    bool (*fits)(const struct status_post *p, unsigned parts))
{
	struct statuspage_list l;
	size_t n = posts_count(d->sv->posts);

	statuspage_list_begin(&l, &d->b, page, name);
	for (size_t i = 0; i < n && l.n < INCIDENTS_MAX && d->b.n < LISTS_BYTES;
	     i++) {
		const struct posts_entry *e = posts_at(d->sv->posts, i);

		if (fits(&e->post, parts))
			put_incident(d, &l, e);
	}
	statuspage_list_end(&l);
}

/* --- documents ------------------------------------------------------------------------- */

static void
put_status(struct document *d)
{
	struct verdict v = verdict_of(d->sv);
	enum statuspage_state s = state_of_look(v.look);

	if (v.look == LOOK_UNKNOWN)
		statuspage_put_status(
		    &d->b, s, STR("Not Known: Not Checked Just Now"));
	else if (v.look == LOOK_UP && v.has_planned)
		statuspage_put_status(&d->b, STATUSPAGE_MAINTENANCE, STR(""));
	else
		/* Critical is only what is the whole of mail. */
		statuspage_put_status(&d->b,
		    s == STATUSPAGE_MAJOR && v.sentence != T_ALL_DOWN
			? STATUSPAGE_PARTIAL
			: s,
		    STR(""));
}

/* When anything of it changed last. */
static uint64_t
updated_s(const struct server *sv)
{
	const struct site_state *t = site_state(sv->site);
	uint64_t s = 0;

	for (size_t i = 0; i < t->n_systems; i++)
		s = MAX(s, t->systems[i].since_s);
	for (size_t i = 0; i < posts_count(sv->posts); i++) {
		const struct status_post *p = &posts_at(sv->posts, i)->post;

		s = MAX(s, MAX(p->changed_s, p->published_s));
	}
	return s;
}

static bool
write_summary(struct document *d, const void *arg)
{
	unsigned parts = ((const struct kind_of *)arg)->parts;
	struct statuspage_page page = { .id = str_c(d->sv->conf->hostname),
		.name = d->name,
		.url = d->base,
		.updated_s = updated_s(d->sv) };

	statuspage_begin(&d->b, &page);
	if (parts & COMPONENTS)
		put_components(d, &page);
	if (parts & (INCIDENTS | OPEN))
		put_list(d, &page, "incidents", parts, is_incident);
	if (parts & (ALL_PLANNED | UPCOMING | ACTIVE))
		put_list(
		    d, &page, "scheduled_maintenances", parts, is_maintenance);
	if (parts & STATUS)
		put_status(d);
	statuspage_end(&d->b);
	return true;
}

void
api_summary(struct visit *v)
{
	/* Anybody's page may read these; nothing else of the site. */
	static const struct document_kind kind = { "application/json",
		"Access-Control-Allow-Origin: *\r\n"
		"Cross-Origin-Resource-Policy: cross-origin\r\n",
		10 };
	struct buf key = BUF_INIT(KIB(1));

	if (!site_state(visit_server(v)->site)->is_known) {
		visit_reply_error(v, 503, "Nothing is known yet.");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (!str_eq(visit_rest(v), str_c(paths[i].path)))
			continue;
		buf_printf(&key, "summary %zu", i);
		document_serve(
		    v, &kind, buf_str(&key), write_summary, &paths[i]);
		buf_done(&key);
		return;
	}
	visit_reply_error(v, 404, "There is no such document.");
}
