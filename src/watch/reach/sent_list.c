/* SPDX-License-Identifier: ISC */
/* sent_list.c - how mail to others went, for the command line. See sent.h. */
#include "watch/reach/reach_internal.h"
#include "watch/reach/sent_internal.h"

#define REPLY_MAX     KIB(800)
#define RANGE_MAX     (UINT64_C(9) * 86400)
#define CELLS_AN_HOUR 12

static void
put_usual(const struct sent_series *e, uint64_t hour, struct buf *to)
{
	struct sent_usual u;

	for (unsigned i = 0; i < SENT_STAGES; i++) {
		if (!sent_profile_usual(
			&e->profile, hour, (enum sent_stage)i, &u))
			return;
		wire_put_u64(to, u.p50_ms);
		wire_put_u64(to, u.p95_ms);
	}
}

static void
put_row(
    struct sent *s, const struct sent_cell *c, uint64_t hour, struct buf *to)
{
	const struct sent_series *e = sent_find(s, str_c(c->name));
	struct buf hists[SENT_STAGES], usual = BUF_INIT(KIB(1));
	struct msg_sent_time row = { .name = str_c(c->name),
		.title = reach_told_title(s->sv->reach, str_c(c->name)),
		.refused = c->refused };

	for (size_t i = 0; i < SENT_STAGES; i++) {
		hists[i] = BUF_INIT(KIB(1));
		sent_hist_put(&hists[i], &c->stages[i]);
	}
	row.wait = buf_str(&hists[SENT_WAIT]);
	row.talk = buf_str(&hists[SENT_TALK]);
	row.whole = buf_str(&hists[SENT_WHOLE]);
	if (e != NULL) {
		put_usual(e, hour, &usual);
		row.usual = buf_str(&usual);
		row.refusing = e->profile.refusing;
		for (size_t k = 0; k < SENT_SIGNALS; k++)
			if (e->signals[k].is_raised) {
				row.raised |= 1u << (k == SENT_SIGNAL_SLOW
							 ? REACH_SLOW
							 : REACH_REFUSALS);
				row.since = e->signals[k].since;
			}
	}
	msg_sent_time_put(to, &row);
	for (size_t i = 0; i < SENT_STAGES; i++)
		buf_done(&hists[i]);
	buf_done(&usual);
}

static void
sum_up(struct sent *s, uint64_t from, uint64_t to, struct sent_table *ret)
{
	struct sent_table *room = x_zalloc(sizeof(*room));

	for (; from < to; from++) {
		const struct sent_table *t = sent_interval(s, from, room);

		for (size_t i = 0; t != NULL && i < t->n; i++)
			sent_cell_merge(
			    sent_table_cell(ret, str_c(t->cells[i].name)),
			    &t->cells[i]);
	}
	free(room);
}

bool
sent_request(struct sent *s, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(REPLY_MAX);
	struct msg_sent_times q;
	struct sent_table *sum;
	struct sent_cell all;

	if (!msg_sent_times_get(m->body, &q) || q.to < q.from ||
	    q.to - q.from > RANGE_MAX)
		return false;
	sum = x_zalloc(sizeof(*sum));
	if (s->file != NULL)
		sum_up(s, q.from / SENT_INTERVAL_S, q.to / SENT_INTERVAL_S + 1,
		    sum);
	sent_cell_of(sum, STR(""), &all);
	if (sum->n > 0)
		put_row(s, &all, q.to / 3600, &items);
	for (size_t i = 0; i < sum->n; i++)
		put_row(s, &sum->cells[i], q.to / 3600, &items);
	free(sum);
	reach_answer_items(p, m, &items);
	return true;
}
