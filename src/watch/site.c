/* SPDX-License-Identifier: ISC */
/*
 * site.c - what role web may know: the states and histories of systems, and
 * that they changed.
 *
 * Of internal systems their name, role and place leave this process, and nothing
 * else: a web worker that is taken over cannot tell more.
 */
#include "proc/ipc_msgs.h"
#include "proto/status/status_service.h"
#include "proto/watch/watch_worst.h"
#include "watch/reach/reach.h"
#include "watch/server.h"

#define REPLY_MAX  KIB(900)
#define REPLY_ROWS 200
#define WEBS_MAX   64 /* as many workers as there can be */
#define DAY_S      UINT64_C(86400)

/* Of days that are over nothing changes, but by an agent: read once a day. */
struct past {
	uint64_t today_s;
	struct watch_worst_sum days[WATCH_SITE_DAYS - 1];
};

struct site {
	struct server *sv;
	struct past **past; /* in the order of the mirror's systems */
	size_t n_past;
	struct ipc_peer *webs[WEBS_MAX];
	size_t n_webs;
	bool is_queued;
};

struct site *
site_new(struct server *sv)
{
	struct site *s = X_NEW(struct site);

	s->sv = sv;
	return s;
}

/* --- who is told --------------------------------------------------------------- */

void
site_add_web(struct site *s, struct ipc_peer *p)
{
	for (size_t i = 0; i < s->n_webs; i++) {
		if (ipc_peer_is_open(s->webs[i]))
			continue;
		(void)ipc_peer_unref(s->webs[i]);
		s->webs[i--] = s->webs[--s->n_webs];
	}
	if (s->n_webs < WEBS_MAX)
		s->webs[s->n_webs++] = ipc_peer_ref(p);
}

static void
tell(void *arg)
{
	struct site *s = arg;

	s->is_queued = false;
	for (size_t i = 0; i < s->n_webs; i++)
		ipc_notify(s->webs[i], MSG_WATCH_CHANGED, 0, STR(""), -1);
}

void
site_changed(struct site *s)
{
	if (s->is_queued)
		return;
	s->is_queued = true;
	loop_defer(s->sv->loop, tell, s);
}

void
site_renew(struct site *s)
{
	for (size_t i = 0; i < s->n_past; i++)
		free(s->past[i]);
	free(s->past);
	s->n_past = ledger_mirror_count(s->sv->mirror, LEDGER_SYSTEM);
	s->past = x_calloc(s->n_past + 1, sizeof(*s->past));
	site_changed(s);
}

/* --- one system ------------------------------------------------------------------ */

void
site_find_part(struct server *sv, struct str system, struct system_part *ret)
{
	struct buf prefix = BUF_INIT(STATUS_KEY_MAX);

	*ret = (struct system_part){ .head = watched_speaker(sv, system) };
	buf_put_str(&prefix, system);
	buf_put_char(&prefix, '/');
	for (size_t i = 0; i < sv->n_watched; i++) {
		if (!str_starts(str_c(sv->watched[i]->key), buf_str(&prefix)))
			continue;
		if (ret->n++ == 0)
			ret->first = i;
	}
	buf_done(&prefix);
	ret->rings = x_calloc(ret->n + 1, sizeof(*ret->rings));
	for (size_t i = 0; i < ret->n; i++) {
		struct watched *w = sv->watched[ret->first + i];

		if (w->history == NULL)
			continue;
		schedule_spend(
		    w, watch_state_settled_ms(
			   &watched_state(w)->state, server_now_ms()));
		ret->rings[ret->n_rings++] = history_ring(w->history);
	}
}

void
site_end_part(struct server *sv, struct system_part *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (sv->watched[p->first + i]->history != NULL)
			history_relax(sv->watched[p->first + i]->history);
	free(p->rings);
}

static void
put_day(struct buf *to, const struct watch_worst_sum *day)
{
	for (size_t i = 0; i < WATCH_CLASSES; i++)
		wire_put_u32(to, (uint32_t)day->seconds[i]);
}

static void
add(struct watch_worst_sum *to, const struct watch_worst_sum *day)
{
	for (size_t i = 0; i < WATCH_CLASSES; i++)
		to->seconds[i] += day->seconds[i];
	if (to->first_s == 0)
		to->first_s = day->first_s;
}

static const struct past *
past_of(
    struct site *s, size_t index, const struct system_part *p, uint64_t today_s)
{
	struct past **past = &s->past[index];
	size_t n = WATCH_SITE_DAYS - 1;

	if (*past != NULL && (*past)->today_s == today_s)
		return *past;
	if (*past == NULL)
		*past = X_NEW(struct past);
	(*past)->today_s = today_s;
	for (size_t i = 0; i < n; i++) {
		uint64_t from = today_s - (n - i) * DAY_S;

		watch_worst_sum(p->rings, p->n_rings, from, from + DAY_S,
		    &(*past)->days[i]);
	}
	return *past;
}

static void
fill_history(struct site *s, size_t index, const struct system_part *p,
    struct buf *to, struct msg_watch_system *m)
{
	uint64_t now = loop_time(s->sv->loop), today = now - now % DAY_S;
	uint64_t range = now - today + (WATCH_SITE_DAYS - 1) * DAY_S;
	const struct past *past = past_of(s, index, p, today);
	struct watch_worst_sum day, all = { 0 };

	for (size_t i = 0; i < WATCH_SITE_DAYS - 1; i++) {
		put_day(to, &past->days[i]);
		add(&all, &past->days[i]);
	}
	watch_worst_sum(p->rings, p->n_rings, today, today + DAY_S, &day);
	put_day(to, &day);
	add(&all, &day);
	m->days = buf_str(to);
	if (all.first_s != 0)
		m->first_s =
		    watch_worst_first_s(p->rings, p->n_rings, all.first_s, now);
	if (watch_worst_uptime_ppm(&all, &m->uptime_ppm))
		m->flags |= WATCH_SITE_UPTIME;
	m->coverage_ppm =
	    (uint32_t)(MIN(watch_worst_known_s(&all), range) * 1000000 / range);
}

static void
fill_state(
    struct server *sv, const struct system_part *p, struct msg_watch_system *m)
{
	struct watch_worst worst = { 0 };
	uint64_t now = server_now_ms();

	for (size_t i = 0; i < p->n; i++) {
		const struct watched *w = sv->watched[p->first + i];
		const struct watch_check *c = watched_state(w);

		watch_worst_take(&worst, &c->state);
		m->services |= (uint8_t)status_check_services(
		    &w->check, m->role == STATUS_ROLE_RELAY);
		if (watch_check_is_maintained(c, now))
			m->flags |= WATCH_SITE_PLANNED | WATCH_SITE_EXCUSED;
		if (c->state.is_unstable)
			m->flags |= WATCH_SITE_UNSTABLE;
	}
	m->flags |= WATCH_SITE_CHECKED;
	m->status = (uint8_t)watch_worst_status(&worst);
	m->since_s =
	    server_wall_ms(sv,
		MAX(watch_worst_since_ms(&worst, watch_worst_status(&worst)),
		    p->head->born_ms)) /
	    1000;
	m->outcome = (uint8_t)p->head->outcome;
	m->us = p->head->us;
	m->at_s = p->head->at_wall_ms / 1000;
}

/* Of an internal one strangers hear nothing but that it is there. */
static void
put_system(struct site *s, size_t index, bool is_for_us, struct buf *to)
{
	struct server *sv = s->sv;
	struct ledger_mirror_row row =
	    ledger_mirror_row(sv->mirror, LEDGER_SYSTEM, index);
	struct buf days = BUF_INIT(WATCH_SITE_DAYS * WATCH_SITE_DAY);
	struct status_system sys;
	struct msg_watch_system m = { .key = row.key };
	struct system_part p;

	if (!status_system_decode(row.value, &sys))
		return;
	m.id = sys.id;
	m.role = (uint8_t)sys.role;
	m.city = sys.city;
	m.country = sys.country;
	m.order = sys.order;
	if (sys.is_internal)
		m.flags = WATCH_SITE_INTERNAL;
	site_find_part(sv, row.key, &p);
	if (p.n > 0 && (is_for_us || !sys.is_internal)) {
		fill_state(sv, &p, &m);
		fill_history(s, index, &p, &days, &m);
	}
	msg_watch_system_put(to, &m);
	site_end_part(sv, &p);
	buf_done(&days);
}

/* --- what customers do ----------------------------------------------------------- */

/* Of one service: what is planned counts only where all is. */
struct count {
	struct watch_worst worst, planned;
	uint64_t born_ms;
};

static void
count_check(const struct watched *w, bool is_relay, struct count *counts)
{
	const struct watch_check *c = watched_state(w);
	unsigned bits = status_check_services(&w->check, is_relay);
	bool is_planned = watch_check_is_maintained(c, server_now_ms());

	for (unsigned i = 0; i < STATUS_SERVICES; i++) {
		if (!(bits & STATUS_SERVICE_BIT(i)))
			continue;
		watch_worst_take(
		    is_planned ? &counts[i].planned : &counts[i].worst,
		    &c->state);
		counts[i].born_ms = MAX(counts[i].born_ms, w->born_ms);
	}
}

static void
put_service(
    struct server *sv, unsigned service, const struct count *c, struct buf *to)
{
	const struct watch_worst *w =
	    c->worst.n_all > 0 ? &c->worst : &c->planned;
	struct msg_watch_service m = { .service = (uint8_t)service };
	enum watch_status status = watch_worst_shared(w);
	uint64_t since = watch_worst_since_ms(w, status);

	if (w->n_all == 0)
		return;
	m.status = (uint8_t)status;
	if (c->planned.n_all > 0)
		m.flags |= WATCH_SITE_PLANNED;
	if (c->worst.n_all == 0)
		m.flags |= WATCH_SITE_EXCUSED;
	m.since_s = server_wall_ms(sv, MAX(since, c->born_ms)) / 1000;
	msg_watch_service_put(to, &m);
}

static bool
is_relay(struct server *sv, const struct watched *w)
{
	struct status_system sys;
	struct str key, value;

	(void)str_split(str_c(w->key), '/', &key);
	return ledger_mirror_find(sv->mirror, LEDGER_SYSTEM, key, &value) &&
	       status_system_decode(value, &sys) &&
	       sys.role == STATUS_ROLE_RELAY;
}

static void
put_services(struct server *sv, struct buf *to, struct msg_watch_site_reply *m)
{
	struct count counts[STATUS_SERVICES] = { 0 };

	for (size_t i = 0; i < sv->n_watched; i++) {
		const struct watched *w = sv->watched[i];

		m->at_s = MAX(m->at_s, w->at_wall_ms / 1000);
		count_check(w, is_relay(sv, w), counts);
	}
	for (unsigned i = 0; i < STATUS_SERVICES; i++)
		put_service(sv, i, &counts[i], to);
	m->services = buf_str(to);
}

/* --- the answer -------------------------------------------------------------------- */

/* Vantage points of a check that are heard, and when the one was that is silent the longest. */
static size_t
heard_of(const struct watch_state *s, uint64_t *ret_oldest_s)
{
	uint64_t oldest_ms = UINT64_MAX;
	size_t n = 0;

	for (size_t k = 0; k < s->n_vantages; k++) {
		const struct watch_vantage *v = &s->vantages[k];

		if (v->verdict == WATCH_UNKNOWN)
			continue;
		oldest_ms = MIN(oldest_ms, v->seen_ms);
		n++;
	}
	*ret_oldest_s = n ? oldest_ms / 1000 : 0;
	return n;
}

/* As the check sees it that most of them look at; of several, the latest. */
static void
count_places(const struct server *sv, struct msg_watch_site_reply *m)
{
	for (size_t i = 0; i < sv->n_watched; i++) {
		uint64_t oldest_s;
		size_t n =
		    heard_of(&watched_state(sv->watched[i])->state, &oldest_s);

		if (n < m->places ||
		    (n == m->places && oldest_s <= m->oldest_s))
			continue;
		m->places = (uint16_t)n;
		m->oldest_s = oldest_s;
	}
}

/* Rows are still being read, or have just changed. */
static bool
is_settling(const struct site *s)
{
	return s->past == NULL ||
	       ledger_mirror_count(s->sv->mirror, LEDGER_SYSTEM) != s->n_past;
}

static bool
site_request(struct site *s, struct ipc_peer *p, struct ipc_msg *m)
{
	struct server *sv = s->sv;
	size_t n = ledger_mirror_count(sv->mirror, LEDGER_SYSTEM), rows = 0;
	uint64_t now = loop_time(sv->loop);
	struct msg_watch_site_reply reply = { .today_s = now - now % DAY_S };
	struct buf systems = BUF_INIT(REPLY_MAX), services = BUF_INIT(KIB(4));
	struct buf body = BUF_INIT(MIB(1)), suspected = BUF_INIT(KIB(16));
	struct ipc_return ret;
	struct msg_watch_site q;

	if (!msg_watch_site_get(m->body, &q))
		return false;
	ret = ipc_return_new(p, m);
	if (is_settling(s)) {
		ipc_reply_error(&ret, TEMPFAIL, REASON_NONE, NULL);
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		struct str key =
		    ledger_mirror_row(sv->mirror, LEDGER_SYSTEM, i).key;

		if (str_cmp(key, q.after) <= 0)
			continue;
		if (rows++ == REPLY_ROWS) {
			reply.has_more = 1;
			break;
		}
		put_system(s, i, false, &systems);
	}
	put_services(sv, &services, &reply);
	count_places(sv, &reply);
	reply.systems = buf_str(&systems);
	if (sv->reach != NULL)
		reach_told_put(sv->reach, &suspected);
	reply.suspected = buf_str(&suspected);
	msg_watch_site_reply_put(&body, &reply);
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&systems);
	buf_done(&services);
	buf_done(&suspected);
	buf_done(&body);
	return true;
}

/* One system, for whoever has a key of the API. */
static bool
state_request(struct site *s, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf body = BUF_INIT(KIB(16));
	struct msg_watch_state q;
	struct ipc_return ret;

	if (!msg_watch_state_get(m->body, &q))
		return false;
	ret = ipc_return_new(p, m);
	if (!is_settling(s))
		for (size_t i = 0; i < s->n_past && body.n == 0; i++)
			if (str_eq(ledger_mirror_row(
				       s->sv->mirror, LEDGER_SYSTEM, i)
				       .key,
				q.key))
				put_system(s, i, true, &body);
	if (body.n > 0)
		ipc_reply(&ret, buf_str(&body), -1);
	else
		ipc_reply_error(&ret, is_settling(s) ? TEMPFAIL : NOT_FOUND,
		    REASON_NONE, NULL);
	buf_done(&body);
	return true;
}

bool
site_message(struct site *s, struct ipc_peer *p, struct ipc_msg *m)
{
	return m->type == MSG_WATCH_STATE ? state_request(s, p, m)
	                                  : site_request(s, p, m);
}
