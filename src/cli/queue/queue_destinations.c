/* SPDX-License-Identifier: ISC */
/*
 * queue_destinations.c - mailstead queue destinations: what waits for whom, why, and when it
 * will be gone (docs/sending.md, "What waits for whom").
 */
#include "cli/output/output.h"
#include "cli/queue/queue_command.h"

#include <time.h>

/* As role send has them (send/queue/flow.h). */
static const char *const trends[] = { "empty", "shrinks", "still", "steady",
	"grows" };

static const struct output_field all_fields[] = {
	{ "destination", "DESTINATION", OUTPUT_TEXT },
	{ "title", "TITLE", OUTPUT_WORD },
	{ "waiting", "WAITING", OUTPUT_COUNT },
	{ "domains", "DOMAINS", OUTPUT_COUNT },
	{ "oldest", "OLDEST", OUTPUT_TIME },
	{ "in_per_hour", "IN/H", OUTPUT_COUNT },
	{ "out_per_hour", "OUT/H", OUTPUT_COUNT },
	{ "trend", "TREND", OUTPUT_TEXT },
	{ "empty_at", "EMPTY AT", OUTPUT_TIME },
	{ "stuck_since", "STUCK SINCE", OUTPUT_TIME },
	{ "cause", "CAUSE", OUTPUT_WORD },
	{ "code", "CODE", OUTPUT_LIMIT_COUNT },
	{ "reply", "LAST REPLY", OUTPUT_WORD },
	{ "replied", "REPLIED", OUTPUT_TIME },
	{ "held", "HELD", OUTPUT_COUNT },
};

/* What people read of it. */
static const struct output_field few_fields[] = {
	{ "destination", "DESTINATION", OUTPUT_TEXT },
	{ "waiting", "WAITING", OUTPUT_COUNT },
	{ "held", "HELD", OUTPUT_COUNT },
	{ "oldest", "OLDEST", OUTPUT_TEXT },
	{ "in", "IN/H", OUTPUT_COUNT },
	{ "out", "OUT/H", OUTPUT_COUNT },
	{ "forecast", "AT THIS PACE", OUTPUT_TEXT },
	{ "cause", "CAUSE", OUTPUT_WORD },
	{ "reply", "LAST REPLY", OUTPUT_WORD },
};

static const char *
trend_of(const struct msg_queue_destination *d)
{
	return d->trend < ARRAY_LEN(trends) ? trends[d->trend] : "unknown";
}

static void
put_all(struct output *o, const struct msg_queue_destination *d)
{
	output_put_text(o, d->name);
	output_put_text(o, d->title);
	output_put_number(o, d->waiting);
	output_put_number(o, d->domains);
	output_put_number(o, d->oldest);
	output_put_number(o, d->began);
	output_put_number(o, d->left);
	output_put_text(o, str_c(trend_of(d)));
	output_put_number(o, d->empty);
	output_put_number(o, d->stuck);
	output_put_text(o, d->cause);
	output_put_number(o, d->code);
	output_put_text(o, d->reply);
	output_put_number(o, d->caused);
	output_put_number(o, d->held);
}

/* "14:40" today, else the date as well. */
static void
put_clock(struct buf *to, uint64_t at, uint64_t now)
{
	time_t t = (time_t)at, n = (time_t)now;
	struct tm tm, today;
	char text[32];

	localtime_r(&t, &tm);
	localtime_r(&n, &today);
	strftime(text, sizeof(text),
	    tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year
		? "%H:%M"
		: "%Y-%m-%d %H:%M",
	    &tm);
	buf_put_c(to, text);
}

static void
put_forecast(struct buf *to, const struct msg_queue_destination *d)
{
	uint64_t now = (uint64_t)time(NULL);

	if (d->stuck != 0) {
		buf_put_c(to, "only grows since ");
		put_clock(to, d->stuck, now);
	} else if (d->empty != 0) {
		buf_put_c(to, "empty by ");
		put_clock(to, d->empty, now);
	} else {
		buf_put_c(to, trend_of(d));
	}
}

/* "12 min" */
static void
put_age(struct buf *to, uint64_t since)
{
	uint64_t now = (uint64_t)time(NULL), age = now - MIN(since, now);

	if (since == 0)
		buf_put_c(to, "-");
	else if (age < 120)
		buf_printf(to, "%llu s", (unsigned long long)age);
	else if (age < 7200)
		buf_printf(to, "%llu min", (unsigned long long)(age / 60));
	else
		buf_printf(to, "%llu h", (unsigned long long)(age / 3600));
}

static void
put_few(struct output *o, const struct msg_queue_destination *d)
{
	struct buf age = BUF_INIT(64), forecast = BUF_INIT(KIB(1));
	struct buf reply = BUF_INIT(KIB(1));

	put_age(&age, d->oldest);
	put_forecast(&forecast, d);
	if (d->code != 0)
		buf_printf(&reply, "%u ", d->code);
	buf_put_str(&reply, d->reply);
	output_put_text(o, d->name);
	output_put_number(o, d->waiting);
	output_put_number(o, d->held);
	output_put_text(o, buf_str(&age));
	output_put_number(o, d->began);
	output_put_number(o, d->left);
	output_put_text(o, buf_str(&forecast));
	output_put_text(o, d->cause);
	output_put_text(o, buf_str(&reply));
	buf_done(&age);
	buf_done(&forecast);
	buf_done(&reply);
}

int
queue_destinations(struct admin *a, struct queue_words *w)
{
	struct buf reply = BUF_INIT(MIB(1));
	struct output *o =
	    a->is_json
		? output_new("destinations", all_fields, ARRAY_LEN(all_fields))
		: output_new("destinations", few_fields, ARRAY_LEN(few_fields));
	struct msg_queue_destination d;
	struct msg_list_reply l;
	int r = ADMIN_USAGE;

	if (w->args.n_words > 0)
		r = admin_usage(a, NULL);
	else
		r = admin_do_role(a, ROLE_SEND,
		    &(struct admin_call){
			.type = MSG_QUEUE_DESTINATIONS, .fd = -1 },
		    "destinations", &reply);
	if (r == ADMIN_OK && !msg_list_reply_get(buf_str(&reply), &l))
		r = admin_error(a, ADMIN_TEMPFAIL, "send: malformed answer");
	if (r == ADMIN_OK) {
		for (struct wire in = wire_read(l.items);
		     msg_queue_destination_read(&in, &d);)
			(a->is_json ? put_all : put_few)(o, &d);
		if (!a->is_json && output_is_empty(o))
			puts("Nothing waits for other servers.");
		else
			output_print(o, a->is_json);
	}
	output_free(o);
	buf_done(&reply);
	return r;
}
