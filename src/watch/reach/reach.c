/* SPDX-License-Identifier: ISC */
/*
 * reach.c - events of the fronts become counts of five minutes; their time.
 *
 * The stretch that is open is written every five seconds when it changed, so a
 * process that is killed loses that much at most. A clock that is set back
 * only makes a stretch longer.
 */
#include "watch/reach/reach_internal.h"

#include "base/crypt.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"

#define WRITE_MS 5000
#define LOOK_S   10 /* what becomes old enough to be told */
#define LATE_S   60 /* later than that is not from the beginning */
#define REPLAY   36 /* stretches: what signals stand on, and more */

bool
reach_has_accounts(unsigned service)
{
	switch ((enum service)service) {
	case SERVICE_SUBMISSION:
	case SERVICE_SUBMISSIONS:
	case SERVICE_IMAP:
	case SERVICE_IMAPS:
	case SERVICE_POP3:
	case SERVICE_POP3S:
		return true;
	case SERVICE_MX:
	case SERVICE_LMTP:
	case SERVICE_HTTP:
	case SERVICE_HTTPS:
		break;
	}
	return false;
}

/* --- counting ------------------------------------------------------------------- */

static uint64_t
hash_of(const struct reach *r, uint64_t number)
{
	struct crypt_sum sum;

	if (number == 0)
		return 0;
	crypt_hmac(str_make(r->key, sizeof(r->key)),
	    str_make(&number, sizeof(number)), &sum);
	return be64_get(sum.v);
}

/* A client: an address; of IPv6 its /64, which is one household's. Four bits of it
 * are used, so nothing can be found out from it, and a fast hash will do. */
static uint64_t
hash_of_client(const struct reach *r, const struct reach_event *e)
{
	return hash64_seed(e->address, e->family == 4 ? 4 : 8, r->seed);
}

/* It is of use: somebody is signed in; of another server: it talks TLS. */
static bool
is_session(const struct reach_event *e)
{
	return e->stages & REACH_SIGNED_IN ||
	       (e->service == SERVICE_MX && e->stages & REACH_TLS);
}

static enum reach_rank
rank_of(
    struct reach *r, const struct reach_key *key, const struct reach_event *e)
{
	if (reach_series_find(r, key) != NULL)
		return REACH_RANK_PROFILE;
	return e->stages & REACH_SIGNED_IN ? REACH_RANK_SIGNS_IN
	                                   : REACH_RANK_ANY;
}

void
reach_count(
    struct reach *r, const struct reach_event *e, const struct reach_net *net)
{
	struct reach_key key = { .net = *net,
		.port = e->port,
		.service = e->service,
		.family = e->family };
	struct reach_who who = { .account = hash_of(r, e->account),
		.organisation = hash_of(r, e->organisation),
		.client = hash_of_client(r, e),
		.epoch = r->epoch,
		.may_sign_in = reach_has_accounts(e->service),
		.is_session = is_session(e) };
	struct reach_cell *c = reach_table_find(&r->open, &key);

	if (c == NULL || e->stages & REACH_SIGNED_IN)
		c = reach_table_cell(&r->open, &key, rank_of(r, &key, e));
	metric_add(M_REACH_EVENTS, 1);
	if (c == NULL)
		return;
	reach_cell_add(c, e, &who);
	r->is_dirty = true;
}

static bool
take_events(struct reach *r, struct str body)
{
	struct msg_reach_events m;
	struct reach_event e;
	struct wire w;

	if (!msg_reach_events_get(body, &m))
		return false;
	for (w = wire_read(m.events); reach_event_read(&w, &e);)
		reach_nets_take(r->nets, &e);
	return !w.failed;
}

/* --- time ------------------------------------------------------------------------ */

static void
write_open(struct reach *r)
{
	int e;

	r->written_ms = server_now_ms();
	e = reach_file_write(r->file, &r->open, ++r->generation);
	if (e < 0)
		log_event(EV_REACH_FILE, LC("error", strerror(-e)));
	else
		r->is_dirty = false;
}

static void
begin(struct reach *r, uint64_t interval)
{
	reach_table_init(&r->open, interval, r->seed);
	r->generation = 0;
	r->is_dirty = true;
}

/* The open stretch is over. */
static void
close_open(struct reach *r, uint64_t next)
{
	write_open(r);
	reach_series_close(r, &r->open, r->is_whole);
	reach_table_done(&r->last[REACH_LAST - 1]);
	memmove(
	    &r->last[1], &r->last[0], (REACH_LAST - 1) * sizeof(r->last[0]));
	r->last[0] = r->open;
	begin(r, next);
	r->is_whole = true;
}

/* Stretches in which we slept. */
static void
skip(struct reach *r, uint64_t from, uint64_t to)
{
	struct reach_table none;

	from = MAX(from, to - MIN(to, (uint64_t)REACH_RECENT));
	for (; from < to; from++) {
		reach_table_init(&none, from, r->seed);
		reach_series_close(r, &none, false);
		reach_table_done(&none);
	}
}

void
reach_tick(struct reach *r)
{
	reach_tick_at(r, loop_time(r->sv->loop));
	if (r->now >= r->looked + LOOK_S) {
		reach_told_look(r);
		r->looked = r->now;
	}
}

void
reach_tick_at(struct reach *r, uint64_t now)
{
	uint64_t interval = now / REACH_INTERVAL_S, was = r->open.interval;

	r->now = now;
	sent_tick(r->sent, now);
	if (interval > was) {
		close_open(r, interval);
		skip(r, was + 1, interval);
		r->is_whole =
		    interval == was + 1 || now % REACH_INTERVAL_S < LATE_S;
		reach_series_learn(r, now);
		reach_told_over(r);
	} else if (r->is_dirty && server_now_ms() > r->written_ms + WRITE_MS) {
		write_open(r);
	}
}

struct reach_table *
reach_interval(struct reach *r, uint64_t interval, struct reach_table *room)
{
	uint32_t generation;

	if (interval == r->open.interval)
		return &r->open;
	for (size_t i = 0; i < REACH_LAST; i++)
		if (interval != 0 && r->last[i].interval == interval)
			return &r->last[i];
	reach_table_init(room, interval, r->seed);
	if (!reach_file_read(r->file, room, &generation)) {
		reach_table_done(room);
		return NULL;
	}
	return room;
}

/* --- life -------------------------------------------------------------------------- */

struct reach *
reach_new(struct server *sv)
{
	struct reach *r = X_NEW(struct reach);

	r->sv = sv;
	secret_random(r->key, sizeof(r->key));
	secret_random(&r->seed, sizeof(r->seed));
	while (r->epoch == 0)
		secret_random(&r->epoch, sizeof(r->epoch));
	r->nets = reach_nets_new(r);
	r->sent = sent_new(sv, reach_told_is_refused, r);
	return r;
}

void
reach_configure(struct reach *r)
{
	reach_nets_configure(r->nets);
}

/* What was seen in the last hours, through the judge once more. */
static void
replay(struct reach *r, uint64_t interval)
{
	struct reach_table t;
	uint32_t generation;

	r->is_replaying = true;
	for (uint64_t i = interval - MIN(interval, (uint64_t)REPLAY);
	     i < interval; i++) {
		bool is_known;

		reach_table_init(&t, i, r->seed);
		is_known = reach_file_read(r->file, &t, &generation);
		reach_series_close(r, &t, is_known);
		if (interval - i > REACH_LAST)
			reach_table_done(&t);
		else
			r->last[interval - i - 1] = t;
	}
	r->is_replaying = false;
}

static void
read_profiles(struct reach *r)
{
	struct reach_profile p;

	r->series = x_zalloc(REACH_SERIES_MAX * sizeof(struct series *));
	while (r->n_series < REACH_SERIES_MAX &&
	       reach_file_profile(r->file, r->n_series, &p)) {
		struct series *s = X_NEW(struct series);

		s->profile = p;
		r->series[r->n_series++] = s;
	}
}

void
reach_start(struct reach *r)
{
	reach_told_start(r);
	reach_start_at(r, loop_time(r->sv->loop));
}

void
reach_start_at(struct reach *r, uint64_t now)
{
	r->now = now;
	r->file = reach_file_open(r->sv->dir);
	read_profiles(r);
	begin(r, now / REACH_INTERVAL_S);
	replay(r, r->open.interval);
	r->is_whole = reach_file_read(r->file, &r->open, &r->generation) ||
	              now % REACH_INTERVAL_S < LATE_S;
	reach_series_learn(r, now);
	write_open(r);
	sent_start(r->sent, now);
}

void
reach_stop(struct reach *r)
{
	reach_told_stop(r);
	if (r->file == NULL)
		return;
	write_open(r);
	sent_stop(r->sent);
	reach_file_close(TAKE_PTR(r->file));
}

void
reach_free(struct reach *r)
{
	for (size_t i = 0; i < r->n_series; i++)
		free(r->series[i]);
	free(r->series);
	reach_table_done(&r->open);
	for (size_t i = 0; i < REACH_LAST; i++)
		reach_table_done(&r->last[i]);
	reach_nets_free(r->nets);
	sent_free(r->sent);
	reach_told_free(r);
	free(r);
}

bool
reach_is_message(enum msg_type type)
{
	return type == MSG_REACH_EVENTS || type == MSG_REACH_LIST ||
	       type == MSG_REACH_SIGNALS || type == MSG_REACH_ASK ||
	       type == MSG_REACH_TLS || type == MSG_SENT_COUNTS ||
	       type == MSG_SENT_STUCK || type == MSG_SENT_TIMES;
}

bool
reach_message(struct reach *r, struct ipc_peer *p, struct ipc_msg *m)
{
	if (r->file == NULL)
		return true;
	if (m->type == MSG_REACH_EVENTS)
		return take_events(r, m->body);
	if (m->type == MSG_SENT_COUNTS)
		return sent_take(r->sent, m->body);
	if (m->type == MSG_SENT_STUCK)
		return sent_take_stuck(r->sent, m->body);
	if (m->type == MSG_SENT_TIMES)
		return sent_request(r->sent, p, m);
	return reach_list_request(r, p, m);
}
