/* SPDX-License-Identifier: ISC */
/*
 * queue_latency.c - mailstead queue latency: how long mail to others took, by receiver and
 * stage, and what is usual at this hour (docs/reach.md, "Mail that leaves").
 */
#include "cli/output/output.h"
#include "cli/queue/queue_command.h"
#include "cli/reach_rows.h"
#include "proto/reach/sent_profile.h"

static const struct output_field all_fields[] = {
	{ "receiver", "RECEIVER", OUTPUT_TEXT },
	{ "title", "TITLE", OUTPUT_WORD },
	{ "stage", "STAGE", OUTPUT_TEXT },
	{ "messages", "MESSAGES", OUTPUT_COUNT },
	{ "p50_ms", "P50", OUTPUT_LIMIT_COUNT },
	{ "p95_ms", "P95", OUTPUT_LIMIT_COUNT },
	{ "p99_ms", "P99", OUTPUT_LIMIT_COUNT },
	{ "usual_p50_ms", "USUAL P50", OUTPUT_LIMIT_COUNT },
	{ "usual_p95_ms", "USUAL P95", OUTPUT_LIMIT_COUNT },
	{ "refused", "REFUSED", OUTPUT_COUNT },
	{ "usually_refused_ppm", "USUALLY", OUTPUT_PPM },
	{ "verdict", "VERDICT", OUTPUT_TEXT },
	{ "since", "SINCE", OUTPUT_TIME },
};

/* What people read of it. */
static const struct output_field few_fields[] = {
	{ "receiver", "RECEIVER", OUTPUT_TEXT },
	{ "stage", "STAGE", OUTPUT_TEXT },
	{ "messages", "MESSAGES", OUTPUT_COUNT },
	{ "p50", "P50", OUTPUT_TEXT },
	{ "p95", "P95", OUTPUT_TEXT },
	{ "p99", "P99", OUTPUT_TEXT },
	{ "usual", "USUAL 50/95", OUTPUT_TEXT },
	{ "refused", "REFUSED", OUTPUT_COUNT },
	{ "verdict", "VERDICT", OUTPUT_TEXT },
};

struct stage_row {
	const struct msg_sent_time *row;
	enum sent_stage stage;
	struct sent_hist times;
	struct sent_usual usual; /* zeros: too little is known */
};

static const char *
verdict_of(const struct msg_sent_time *row, bool has_usual)
{
	bool is_slow = row->raised & 1u << REACH_SLOW;
	bool is_refused = row->raised & 1u << REACH_REFUSALS;

	if (is_slow && is_refused)
		return "slow, refusals";
	if (is_slow)
		return "slow";
	if (is_refused)
		return "refusals";
	return has_usual ? "as usual" : "too little known";
}

static struct str
receiver_of(const struct msg_sent_time *row)
{
	if (row->name.n == 0)
		return STR("all");
	return str_eq(row->name, STR(SENT_OTHERS)) ? STR("others") : row->name;
}

static void
put_all(struct output *o, const struct stage_row *s)
{
	const struct msg_sent_time *row = s->row;

	output_put_text(o, receiver_of(row));
	output_put_text(o, row->title);
	output_put_text(o, str_c(sent_stage_name(s->stage)));
	output_put_number(o, sent_hist_total(&s->times));
	output_put_number(o, sent_hist_ms(&s->times, 500));
	output_put_number(o, sent_hist_ms(&s->times, 950));
	output_put_number(o, sent_hist_ms(&s->times, 990));
	output_put_number(o, s->usual.p50_ms);
	output_put_number(o, s->usual.p95_ms);
	output_put_number(o, row->refused);
	output_put_number(o, row->refusing * UINT64_C(1000000) / 65536);
	output_put_text(o, str_c(verdict_of(row, s->usual.p95_ms > 0)));
	output_put_number(o, row->since);
}

/* "640 ms", "2.5 s", "35 min", "6 h"; "-": none. */
static void
put_time(struct buf *to, uint64_t ms)
{
	if (ms == 0)
		buf_put_c(to, "-");
	else if (ms < 1000)
		buf_printf(to, "%llu ms", (unsigned long long)ms);
	else if (ms < 2 * 60000)
		buf_printf(to, "%.1f s", (double)ms / 1000);
	else if (ms < 2 * 3600000)
		buf_printf(to, "%llu min", (unsigned long long)(ms / 60000));
	else
		buf_printf(to, "%llu h", (unsigned long long)(ms / 3600000));
}

static void
put_few(struct output *o, const struct stage_row *s)
{
	static const unsigned shares[] = { 500, 950, 990 };
	const struct msg_sent_time *row = s->row;
	bool is_first = s->stage == SENT_WAIT;
	struct buf text = BUF_INIT(KIB(1));

	output_put_text(o, is_first ? receiver_of(row) : STR(""));
	output_put_text(o, str_c(sent_stage_name(s->stage)));
	output_put_number(o, sent_hist_total(&s->times));
	for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
		buf_reset(&text, KIB(1));
		put_time(&text, sent_hist_ms(&s->times, shares[i]));
		output_put_text(o, buf_str(&text));
	}
	buf_reset(&text, KIB(1));
	put_time(&text, s->usual.p50_ms);
	buf_put_c(&text, " / ");
	put_time(&text, s->usual.p95_ms);
	output_put_text(o, s->usual.p95_ms > 0 ? buf_str(&text) : STR("-"));
	output_put_number(o, s->stage == SENT_WHOLE ? row->refused : 0);
	output_put_text(o, s->stage == SENT_WHOLE
			       ? str_c(verdict_of(row, s->usual.p95_ms > 0))
			       : STR(""));
	buf_done(&text);
}

static void
put_row(struct admin *a, struct output *o, const struct msg_sent_time *row)
{
	const struct str hists[SENT_STAGES] = { [SENT_WAIT] = row->wait,
		[SENT_TALK] = row->talk,
		[SENT_WHOLE] = row->whole };
	struct wire usual = wire_read(row->usual);

	for (unsigned i = 0; i < SENT_STAGES; i++) {
		struct stage_row s = { .row = row,
			.stage = (enum sent_stage)i };

		s.usual.p50_ms = wire_get_u64(&usual);
		s.usual.p95_ms = wire_get_u64(&usual);
		if (usual.failed)
			s.usual = (struct sent_usual){ 0 };
		if (!sent_hist_get(hists[i], &s.times))
			return;
		(a->is_json ? put_all : put_few)(o, &s);
	}
}

int
queue_latency(struct admin *a, struct queue_words *w)
{
	struct buf body = BUF_INIT(64), reply = BUF_INIT(MIB(1));
	struct output *o =
	    a->is_json
		? output_new("latency", all_fields, ARRAY_LEN(all_fields))
		: output_new("latency", few_fields, ARRAY_LEN(few_fields));
	struct msg_list_reply l;
	struct msg_sent_time row;
	struct reach_query q;
	int r = ADMIN_USAGE;

	if (w->args.n_words > 0)
		r = admin_usage(a, NULL);
	else if (reach_range_arg(a, w->since, &q)) {
		msg_sent_times_put(
		    &body, &(struct msg_sent_times){ q.from, q.to });
		r = admin_do_role(a, ROLE_WATCH,
		    &(struct admin_call){ .type = MSG_SENT_TIMES,
			.body = buf_str(&body),
			.fd = -1 },
		    "latency", &reply);
	}
	if (r == ADMIN_OK && !msg_list_reply_get(buf_str(&reply), &l))
		r = admin_error(a, ADMIN_TEMPFAIL, "watch: malformed answer");
	if (r == ADMIN_OK) {
		for (struct wire in = wire_read(l.items);
		     msg_sent_time_read(&in, &row);)
			put_row(a, o, &row);
		if (!a->is_json && output_is_empty(o))
			puts("No mail went to other servers in that time.");
		else
			output_print(o, a->is_json);
	}
	output_free(o);
	buf_done(&body);
	buf_done(&reply);
	return r;
}
