/* SPDX-License-Identifier: ISC */
/* list.c - what operators ask: the states of checks, one probe now. */
#include "watch/outbox/outbox.h"
#include "watch/place/places.h"

#define REPLY_MAX  KIB(800)
#define REPLY_FULL KIB(700)
#define REPLY_ROWS 200
#define RUNS_MAX   16
#define RANGE_MAX  (366ULL * 86400 * 5)

static uint8_t
flags_of(struct server *sv, const struct watched *w)
{
	const struct watch_check *c = watched_state(w);
	uint8_t flags = 0;

	if (watch_check_is_maintained(c, server_now_ms()))
		flags |= WATCH_ROW_MAINTAINED;
	if (watch_check_is_masked(&sv->set, w->index))
		flags |= WATCH_ROW_MASKED;
	if (c->state.is_unstable)
		flags |= WATCH_ROW_UNSTABLE;
	if (watch_state_is_suspected(&c->state))
		flags |= WATCH_ROW_SUSPECTED;
	if (w->history == NULL)
		flags |= WATCH_ROW_NO_HISTORY;
	return flags;
}

/* A range that begins and ends with a minute; the present one is in it. */
static void
put_uptime(struct server *sv, struct watched *w, uint32_t range_s,
    struct msg_watch_row *row)
{
	uint64_t to = (loop_time(sv->loop) / 60 + 1) * 60;
	uint64_t from = to - MIN(range_s, to) / 60 * 60;
	struct watch_sum sum;

	if (w->history == NULL || range_s == 0)
		return;
	watch_ring_sum(history_ring(w->history), from, to, &sum);
	if (watch_sum_uptime_ppm(&sum, &row->uptime_ppm))
		row->flags |= WATCH_ROW_UPTIME;
	row->coverage_ppm = watch_sum_coverage_ppm(&sum);
	history_relax(w->history);
}

static void
put_row(struct server *sv, struct watched *w, uint32_t range_s, struct buf *to)
{
	const struct watch_check *c = watched_state(w);
	struct buf places = BUF_INIT(KIB(16)), stages = BUF_INIT(KIB(4));
	struct msg_watch_row row = { .key = str_c(w->key),
		.kind = (uint8_t)w->check.kind,
		.status = (uint8_t)c->state.status,
		.flags = flags_of(sv, w),
		.since_ms =
		    server_wall_ms(sv, MAX(c->state.since_ms, w->born_ms)),
		.reason = str_c(c->reason),
		.at_ms = w->at_wall_ms,
		.outcome = (uint8_t)w->outcome,
		.cause = (uint8_t)w->cause,
		.us = w->us,
		.text = str_c(w->text),
		.days = w->days };

	schedule_spend(w, watch_state_settled_ms(&c->state, server_now_ms()));
	put_uptime(sv, w, range_s, &row);
	places_put(w, &places);
	row.places = buf_str(&places);
	probe_put_stages(w->stages, w->n_stages, &stages);
	row.stages = buf_str(&stages);
	msg_watch_row_put(to, &row);
	buf_done(&places);
	buf_done(&stages);
}

static bool
req_list(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(REPLY_MAX), body = BUF_INIT(MIB(1));
	struct msg_list_reply reply = { 0 };
	struct ipc_return ret;
	struct msg_watch_list q;
	size_t rows = 0;

	if (!msg_watch_list_get(m->body, &q) || q.range_s > RANGE_MAX)
		return false;
	for (size_t i = 0; i < sv->n_watched; i++) {
		struct str key = str_c(sv->watched[i]->key);

		if (!str_starts(key, q.prefix) || str_cmp(key, q.after) <= 0)
			continue;
		if (rows == REPLY_ROWS || items.n > REPLY_FULL) {
			reply.has_more = 1;
			break;
		}
		put_row(sv, sv->watched[i], q.range_s, &items);
		rows++;
	}
	reply.items = buf_str(&items);
	msg_list_reply_put(&body, &reply);
	ret = ipc_return_new(p, m);
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&items);
	buf_done(&body);
	return true;
}

/* --- one probe now ---------------------------------------------------------------- */

struct run {
	struct ipc_return ret;
	struct str row; /* its own: the check may change meanwhile */
	struct status_check check;
	struct buf dialogue;
};

static void
run_free(struct run *run)
{
	buf_done(&run->dialogue);
	explicit_bzero((void *)(uintptr_t)run->row.p, run->row.n);
	str_free(&run->row);
	free(run);
}

/*
 * With its own copy of the check. Who has a key of the API need not be who may look
 * into networks of ours: then it goes where checks of the API go. NULL: there is no
 * room to say that.
 */
static struct run *
run_new(const struct watched *w, bool is_public)
{
	struct run *run = X_NEW(struct run);
	struct status_fault f;

	run->row = str_copy(w->row);
	if (!status_check_decode(run->row, &run->check))
		die("a row that was good is not any more");
	buf_init(&run->dialogue, PROBE_DIALOGUE_MAX + KIB(1));
	if (!is_public || status_check_put(&run->check, STR("public=yes"), &f))
		return run;
	run_free(run);
	return NULL;
}

static void
on_report(void *arg, const struct probe_report *r)
{
	struct run *run = arg;
	struct buf stages = BUF_INIT(KIB(4)), body = BUF_INIT(KIB(64));
	struct msg_watch_run_reply reply = { .outcome = (uint8_t)r->outcome,
		.cause = (uint8_t)r->cause,
		.us = r->us,
		.text = str_c(r->text),
		.days = r->days,
		.dialogue = buf_str(&run->dialogue) };

	probe_put_stages(r->stages, r->n_stages, &stages);
	reply.stages = buf_str(&stages);
	msg_watch_run_reply_put(&body, &reply);
	ipc_reply(&run->ret, buf_str(&body), -1);
	buf_done(&stages);
	buf_done(&body);
	run_free(run);
}

static bool
req_run(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct ipc_return ret;
	struct msg_watch_run q;
	struct watched *w;
	struct run *run = NULL;

	if (!msg_watch_run_get(m->body, &q))
		return false;
	w = watched_find(sv, q.key);
	ret = ipc_return_new(p, m);
	if (w == NULL) {
		ipc_reply_error(
		    &ret, NOT_FOUND, REASON_NONE, "there is no such check");
		return true;
	}
	if (sv->n_probes < SERVER_PROBES_MAX + RUNS_MAX)
		run = run_new(w, ipc_peer_role(p) != ROLE_CLI);
	if (run == NULL) {
		ipc_reply_error(&ret, TEMPFAIL, REASON_LIMIT, NULL);
		return true;
	}
	run->ret = ret;
	(void)probe_start(sv, &run->check, &run->dialogue, on_report, run);
	return true;
}

bool
list_request(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	if (m->type == MSG_WATCH_LIST)
		return req_list(sv, p, m);
	if (m->type == MSG_WATCH_RUN)
		return req_run(sv, p, m);
	if (m->type == MSG_WATCH_OUTBOX) {
		outbox_list(sv->outbox, p, m);
		return true;
	}
	if (m->type == MSG_WATCH_CONFIG)
		return config_request(sv, p, m);
	if (m->type == MSG_AGENT_LIST)
		return places_list(sv, p, m);
	return false;
}
