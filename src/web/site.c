/* SPDX-License-Identifier: ISC */
/* site.c - asking role watch. See site.h. */
#include "web/site.h"

#define ASK_MS      15000
#define SILENT_MS   60000 /* no answer for so long */
#define SYSTEMS_MAX 4000

/* One answer, in as many portions as it took. */
struct answer {
	struct site_state state;
	size_t cap;
	struct str *bodies; /* what the texts point into */
	size_t n_bodies, bodies_cap;
};

struct site {
	struct server *sv;
	struct loop_timer *again;
	uint32_t request; /* under way; 0: none */
	bool is_wanted;   /* once more, when it is over */
	uint64_t heard_ms;
	struct answer now, next;
};

static void ask_portion(struct site *s);

static void
clear(struct answer *a)
{
	for (size_t i = 0; i < a->n_bodies; i++)
		str_free(&a->bodies[i]);
	free(a->bodies);
	free(a->state.systems);
	*a = (struct answer){ 0 };
}

/* --- one answer ------------------------------------------------------------------ */

static int
in_order(const void *pa, const void *pb)
{
	const struct msg_watch_system *a = pa, *b = pb;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return str_cmp(a->key, b->key);
}

static bool
is_same(const struct answer *a, const struct answer *b)
{
	if (a->n_bodies != b->n_bodies)
		return false;
	for (size_t i = 0; i < a->n_bodies; i++)
		if (!str_eq(a->bodies[i], b->bodies[i]))
			return false;
	return true;
}

static bool
is_sane(const struct msg_watch_system *m)
{
	return m->status <= WATCH_DOWN && m->outcome <= WATCH_INCONCLUSIVE &&
	       (m->days.n == 0 ||
		   m->days.n == (size_t)WATCH_SITE_DAYS * WATCH_SITE_DAY);
}

/* Takes a portion into s->next; false: it is malformed. */
static bool
take_portion(struct answer *a, struct str body, bool *ret_has_more)
{
	struct str own = str_copy(body);
	struct msg_watch_site_reply m;
	struct msg_watch_system system;
	struct msg_watch_service service;
	struct msg_watch_suspected suspected;
	struct site_state *t = &a->state;
	struct wire w;

	a->bodies = x_grow(
	    a->bodies, &a->bodies_cap, a->n_bodies + 1, sizeof(*a->bodies));
	a->bodies[a->n_bodies++] = own;
	if (!msg_watch_site_reply_get(own, &m))
		return false;
	t->today_s = m.today_s;
	t->at_s = m.at_s;
	t->places = m.places;
	t->oldest_s = m.oldest_s;
	t->n_services = 0;
	w = wire_read(m.services);
	while (t->n_services < STATUS_SERVICES &&
	       msg_watch_service_read(&w, &service))
		if (service.service < STATUS_SERVICES &&
		    service.status <= WATCH_DOWN)
			t->services[t->n_services++] = service;
	t->n_suspected = 0;
	w = wire_read(m.suspected);
	while (t->n_suspected < SITE_SUSPECTED_MAX &&
	       msg_watch_suspected_read(&w, &suspected))
		if (suspected.kind < REACH_KINDS)
			t->suspected[t->n_suspected++] = suspected;
	w = wire_read(m.systems);
	while (
	    t->n_systems < SYSTEMS_MAX && msg_watch_system_read(&w, &system)) {
		if (!is_sane(&system))
			return false;
		t->systems = x_grow(
		    t->systems, &a->cap, t->n_systems + 1, sizeof(*t->systems));
		t->systems[t->n_systems++] = system;
	}
	*ret_has_more =
	    m.has_more && t->n_systems > 0 && t->n_systems < SYSTEMS_MAX;
	return true;
}

static bool
is_stale(const struct site *s)
{
	/* What watch itself has no results of, it calls unknown. */
	return loop_now_ms(s->sv->loop) - s->heard_ms > SILENT_MS;
}

static void
take_over(struct site *s)
{
	bool same = s->now.state.is_known && is_same(&s->now, &s->next);
	bool was_stale = s->now.state.is_stale;

	if (s->next.state.n_systems > 0)
		qsort(s->next.state.systems, s->next.state.n_systems,
		    sizeof(struct msg_watch_system), in_order);
	s->heard_ms = loop_now_ms(s->sv->loop);
	clear(&s->now);
	s->now = s->next;
	s->next = (struct answer){ 0 };
	s->now.state.is_known = true;
	s->now.state.is_stale = is_stale(s);
	if (!same || was_stale != s->now.state.is_stale)
		server_changed(s->sv);
}

/* --- asking ------------------------------------------------------------------------ */

static void
on_answer(void *arg, struct ipc_msg *m)
{
	struct site *s = arg;
	bool has_more = false;

	s->request = 0;
	if (m->outcome == DONE && take_portion(&s->next, m->body, &has_more)) {
		if (has_more) {
			ask_portion(s);
			return;
		}
		take_over(s);
	}
	clear(&s->next);
	if (!s->is_wanted)
		return;
	s->is_wanted = false;
	site_ask(s);
}

static void
ask_portion(struct site *s)
{
	const struct site_state *t = &s->next.state;
	struct buf body = BUF_INIT(KIB(1));
	struct msg_watch_site q = { .after = STR("") };

	if (t->n_systems > 0)
		q.after = t->systems[t->n_systems - 1].key;
	msg_watch_site_put(&body, &q);
	s->request = runtime_request(s->sv->rt,
	    &(struct ipc_peer_request){ .to = ROLE_WATCH,
		.type = MSG_WATCH_SITE,
		.body = buf_str(&body),
		.fd = -1 },
	    on_answer, s);
	buf_done(&body);
}

void
site_ask(struct site *s)
{
	if (runtime_peer(s->sv->rt, ROLE_WATCH) == NULL)
		return;
	/* An id of 0 stands for one that was given up at once. */
	if (s->request != 0) {
		s->is_wanted = true;
		return;
	}
	clear(&s->next);
	ask_portion(s);
}

static void
on_again(void *arg)
{
	struct site *s = arg;
	bool stale = is_stale(s);

	loop_timer_set(s->again, ASK_MS);
	if (stale != s->now.state.is_stale) {
		s->now.state.is_stale = stale;
		server_changed(s->sv);
	}
	site_ask(s);
}

/* --- life -------------------------------------------------------------------------- */

struct site *
site_new(struct server *sv)
{
	struct site *s = X_NEW(struct site);

	s->sv = sv;
	s->heard_ms = loop_now_ms(sv->loop);
	s->again = loop_timer_new(sv->loop, on_again, s);
	loop_timer_set(s->again, ASK_MS);
	return s;
}

void
site_free(struct site *s)
{
	if (s == NULL)
		return;
	clear(&s->now);
	clear(&s->next);
	loop_timer_free(s->again);
	free(s);
}

/* --- looking ------------------------------------------------------------------------ */

const struct site_state *
site_state(const struct site *s)
{
	return &s->now.state;
}

const struct msg_watch_system *
site_find(const struct site *s, struct str key)
{
	for (size_t i = 0; i < s->now.state.n_systems; i++)
		if (str_eq_case(s->now.state.systems[i].key, key))
			return &s->now.state.systems[i];
	return NULL;
}

bool
site_day(const struct msg_watch_system *m, unsigned i, struct site_day *ret)
{
	struct wire w =
	    wire_read(str_sub(m->days, i * WATCH_SITE_DAY, WATCH_SITE_DAY));

	ret->up_s = wire_get_u32(&w);
	ret->degraded_s = wire_get_u32(&w);
	ret->down_s = wire_get_u32(&w);
	ret->planned_s = wire_get_u32(&w);
	return !w.failed;
}
