/* SPDX-License-Identifier: ISC */
/*
 * decide.c - delivered, once more, given up, held; and which report.
 *
 * A report never goes to the null sender: it would be a report about a report
 * (RFC 5321 section 4.5.5). NOTIFY is the sender's wish (RFC 3461 section 4.1);
 * without one, failures and delays are told.
 */
#include "send/result/decide.h"

#include "proto/smtp/smtp_command.h"

/* What was never tried comes back after so long. */
#define RELEASE_MS 1000

static bool
wants(const struct msg_queue_item *item, unsigned what)
{
	unsigned notify = item->notify;

	if (item->mail_from.n == 0)
		return false;
	if (notify == 0)
		notify = SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY;
	return (notify & what) != 0;
}

/* RFC 2852 section 4: by-trace wants to hear of each relay. */
static bool
is_traced(const struct msg_queue_item *item)
{
	return (item->deliver_by_mode & SMTP_BY_TRACE) &&
	       item->mail_from.n > 0 && !(item->notify & SMTP_NOTIFY_NEVER);
}

static struct decision
fail(struct decision d, const struct msg_queue_item *item)
{
	d.state = QUEUE_FAILED;
	if (wants(item, SMTP_NOTIFY_FAILURE))
		d.report = REPORT_FAILED;
	return d;
}

static struct decision
defer(struct decision d, const struct schedule *s,
    const struct msg_queue_item *item, const struct judgement *j,
    struct moment at)
{
	struct schedule_entry e = {
		/* What was held begins to wait when it is released. */
		.arrival_ms = MAX(item->arrival_ms, item->hold_until * 1000),
		.attempts = item->attempts + 1,
		.deliver_by = item->deliver_by,
		.is_returned =
		    (item->deliver_by_mode & SMTP_BY_MODE) == SMTP_BY_RETURN,
		.is_delay_told = item->is_delay_told,
	};

	d.end_ms = schedule_end(s, &e);
	if (schedule_is_over(s, &e, at.now_ms)) {
		d.is_expired = true;
		return fail(d, item);
	}
	d.state = QUEUE_DEFERRED;
	d.due_ms = schedule_next(s, &e, at.now_ms, at.random);
	if (j->not_before_ms > d.due_ms)
		d.due_ms = MIN(j->not_before_ms, MAX(d.end_ms, d.due_ms));
	if (schedule_is_late(s, &e, at.now_ms)) {
		d.is_delay_told = true;
		if (wants(item, SMTP_NOTIFY_DELAY))
			d.report = REPORT_DELAYED;
	}
	return d;
}

struct decision
decide(const struct schedule *s, const struct msg_queue_item *item,
    const struct judgement *j, struct moment at)
{
	struct decision d = { .state = QUEUE_RELEASED,
		.counts = true,
		.is_delay_told = item->is_delay_told };

	if (j->is_untried) {
		d.counts = false;
		d.due_ms = at.now_ms + RELEASE_MS;
		return d;
	}
	if (j->is_held) {
		d.state = QUEUE_HELD;
		d.counts = false;
		return d;
	}
	switch (j->outcome) {
	case DONE:
		d.state = QUEUE_DELIVERED;
		if ((!j->has_dsn && wants(item, SMTP_NOTIFY_SUCCESS)) ||
		    is_traced(item))
			d.report = REPORT_RELAYED;
		return d;
	case PERMFAIL:
	case NOT_FOUND:
		return fail(d, item);
	case TEMPFAIL:
		return defer(d, s, item, j, at);
	}
	return d;
}
