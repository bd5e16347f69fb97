/* SPDX-License-Identifier: ISC */
/*
 * sent_count.c - how mail goes, by provider group. See sent_count.h.
 *
 * What is counted since the last message is in a table of 65 cells, whatever the
 * traffic is. Without a watcher, or with one that is behind, it is dropped.
 */
#include "send/result/sent_count.h"

#include "base/hash.h"
#include "base/metrics.h"
#include "proto/provider/provider.h"

#define BACKLOG_BYTES KIB(256)
#define REPLY_KEPT    300 /* bytes of the last refusal */
#define BODY_MAX      KIB(120)

struct sent_counts {
	struct sent_table since; /* the last message */
	char replies[SENT_CELLS_MAX][REPLY_KEPT];
	struct handover waits, talks;
};

struct sent_counts *
sent_counts_new(UNUSED struct server *sv)
{
	return X_NEW(struct sent_counts);
}

static struct sent_cell *
cell_of(struct server *sv, const struct trip *trip)
{
	struct str group = provider_of(sv->providers, trip->mx);

	return sent_table_cell(
	    &sv->sent_counts->since, group.n > 0 ? group : STR(SENT_OTHERS));
}

/* Who sent it: an account, or who had it forwarded. */
static uint64_t
sender_of(const struct msg_queue_item *item)
{
	return item->account != 0
	           ? item->account
	           : hash64(item->mail_from.p, item->mail_from.n);
}

/* Whether the mail counts for this now; it does once. */
static bool
is_first(struct mail *m, uint8_t what)
{
	bool was_counted = m->counted & what;

	m->counted |= what;
	return !was_counted;
}

static void
count_delivered(struct server *sv, struct mail *m, struct sent_cell *c,
    const struct msg_queue_item *item, uint64_t waited)
{
	uint64_t now = loop_time_ms(sv->loop);
	uint64_t talk = now - MIN(m->attempt_ms, now);

	sent_hist_add(&c->stages[SENT_WHOLE], waited);
	if (waited > SENT_SLOW_MS)
		sent_senders_add(&c->slow_by, sender_of(item));
	if (m->attempt_ms == 0)
		return;
	sent_hist_add(&c->stages[SENT_TALK], talk);
	handover_add(&sv->sent_counts->talks, talk, now);
}

static void
count_refused(struct server *sv, struct sent_cell *c,
    const struct msg_queue_item *item, const struct judgement *j)
{
	struct sent_counts *s = sv->sent_counts;

	c->refused++;
	sent_senders_add(&c->refused_by, sender_of(item));
	snprintf(s->replies[c - s->since.cells], REPLY_KEPT, "%d %.*s", j->code,
	    STR_ARG(str_first(j->text, REPLY_KEPT - 8)));
}

void
sent_count(struct server *sv, struct mail *m, const struct msg_queue_item *item,
    const struct judgement *j, const struct decision *d,
    const struct trip *trip)
{
	uint64_t now = loop_time_ms(sv->loop);
	uint64_t from = MIN(entry_free_ms(item), now);
	struct sent_cell *c;

	if (item->is_local || !d->counts)
		return;
	c = cell_of(sv, trip);
	if (item->attempts == 0 && is_first(m, MAIL_COUNTED_WAIT)) {
		uint64_t at = m->attempt_ms != 0 ? m->attempt_ms : now;

		sent_hist_add(&c->stages[SENT_WAIT], at - MIN(from, at));
		handover_add(&sv->sent_counts->waits, at - MIN(from, at), now);
	}
	if (d->state == QUEUE_DELIVERED) {
		if (is_first(m, MAIL_COUNTED_DONE))
			count_delivered(sv, m, c, item, now - from);
	} else if (j->is_policy && m->attempt_ms != 0 &&
		   is_first(m, MAIL_COUNTED_REFUSED)) {
		count_refused(sv, c, item, j);
	}
}

/* --- telling ------------------------------------------------------------------------ */

static void
put_cell(struct buf *to, const struct sent_cell *c, const char *reply)
{
	struct buf hists[SENT_STAGES], refused_by = BUF_INIT(64);
	struct buf slow_by = BUF_INIT(64);
	struct str stages[SENT_STAGES];

	for (size_t i = 0; i < SENT_STAGES; i++) {
		hists[i] = BUF_INIT(KIB(1));
		sent_hist_put(&hists[i], &c->stages[i]);
		stages[i] = buf_str(&hists[i]);
	}
	sent_senders_put(&refused_by, &c->refused_by);
	sent_senders_put(&slow_by, &c->slow_by);
	msg_sent_count_put(to, &(struct msg_sent_count){ .name = str_c(c->name),
				   .wait = stages[SENT_WAIT],
				   .talk = stages[SENT_TALK],
				   .whole = stages[SENT_WHOLE],
				   .refused = c->refused,
				   .refused_by = buf_str(&refused_by),
				   .slow_by = buf_str(&slow_by),
				   .reply = str_c(reply) });
	for (size_t i = 0; i < SENT_STAGES; i++)
		buf_done(&hists[i]);
	buf_done(&refused_by);
	buf_done(&slow_by);
}

static void
tell(struct server *sv)
{
	struct ipc_peer *watch = runtime_peer(sv->rt, ROLE_WATCH);
	struct sent_counts *s = sv->sent_counts;
	struct buf body = BUF_INIT(BODY_MAX);

	if (watch != NULL && ipc_peer_backlog(watch) <= BACKLOG_BYTES) {
		for (size_t i = 0; i < s->since.n; i++)
			put_cell(&body, &s->since.cells[i], s->replies[i]);
		ipc_notify(watch, MSG_SENT_COUNTS, 0, buf_str(&body), -1);
	}
	buf_done(&body);
	s->since = (struct sent_table){ 0 };
	memset(s->replies, 0, sizeof(s->replies));
}

void
sent_counts_flush(struct server *sv)
{
	struct sent_counts *s = sv->sent_counts;
	uint64_t now = loop_time_ms(sv->loop);

	metric_set(M_SEND_QUEUED_P50, handover_ms(&s->waits, 500, now));
	metric_set(M_SEND_QUEUED_P95, handover_ms(&s->waits, 950, now));
	metric_set(M_SEND_DIALOGUE_P50, handover_ms(&s->talks, 500, now));
	metric_set(M_SEND_DIALOGUE_P95, handover_ms(&s->talks, 950, now));
	if (s->since.n > 0)
		tell(sv);
}
