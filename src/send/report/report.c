/* SPDX-License-Identifier: ISC */
/*
 * report.c - from failed entries to a message in the sender's mailbox.
 *
 *   READ the original -> write -> ANALYSE -> DELIVER -> results
 *                                   ^           |
 *                                   +- TEMPFAIL-+ later, some times
 *
 * When the report cannot be delivered for a while, the entries are released
 * and tried again as a whole; when it never can (the sender does not exist),
 * they get their results without it: there is nobody left to tell.
 */
#include "send/report/report.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "proto/dsn/dsn_write.h"
#include "proto/mime/mime_date.h"
#include "proto/smtp/smtp_command.h"
#include "proc/sealed.h"
#include "send/report/report_language.h"

#include <unistd.h>

#define FULL_DEFAULT_MAX KIB(64) /* without RET a larger one is cut */
#define TRIES_MAX        20
#define AGAIN_MS         1000
#define GIVEN_UP_MS      900000U

static void ask_filter(struct report *r);
static void begin_waiting(void *arg);

struct report *
report_new(struct server *sv, struct domain *d, enum report_kind kind)
{
	struct report *r = X_NEW(struct report);

	r->sv = sv;
	r->domain = d;
	r->kind = kind;
	return r;
}

void
report_add(struct report *r, const struct report_rcpt *rcpt)
{
	r->rcpts = x_grow(r->rcpts, &r->cap, r->n + 1, sizeof(*r->rcpts));
	r->rcpts[r->n++] = *rcpt;
}

static const struct msg_queue_item *
first_item(const struct report *r)
{
	return &r->rcpts[0].entry->item;
}

/* --- the end ------------------------------------------------------------------------- */

static void
finish(struct report *r)
{
	struct server *sv = r->sv;

	for (size_t i = 0; i < r->n; i++) {
		struct report_rcpt *rcpt = &r->rcpts[i];

		settle_finish(sv, r->domain, rcpt->entry, &rcpt->result);
		free(rcpt->texts);
	}
	sv->reports--;
	report_line_end(&sv->report_line, r->weight);
	if (sv->report_line.first != NULL)
		loop_defer(sv->loop, begin_waiting, sv);
	loop_timer_free(r->again);
	buf_done(&r->original);
	buf_done(&r->text);
	buf_done(&r->structure);
	free(r->rcpts);
	free(r);
}

/* The entries stay in the queue as they are. */
static void
give_up(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct msg_queue_result *q = &r->rcpts[i].result;

		q->state = QUEUE_RELEASED;
		q->due_ms = loop_time_ms(r->sv->loop) + GIVEN_UP_MS;
		q->is_delay_told = r->rcpts[i].entry->item.is_delay_told;
		q->counts = false;
	}
	log_event(EV_SEND_REPORT_LATER, LC("id", r->trace),
	    LS("to", first_item(r)->mail_from));
	finish(r);
}

static void
try_again(struct report *r)
{
	if (++r->tries == TRIES_MAX || r->sv->is_stopping)
		give_up(r);
	else
		loop_timer_set(r->again, AGAIN_MS);
}

static void
on_again(void *arg)
{
	ask_filter(arg);
}

/* --- writing it ------------------------------------------------------------------------ */

static void
put_date(struct buf *b, uint64_t ms)
{
	struct mime_date date = { .epoch = (int64_t)(ms / 1000) };

	mime_date_format(date, b);
}

static struct str
date_str(struct arena *a, uint64_t ms)
{
	struct buf b = BUF_INIT(64);
	struct str s = STR_NONE;

	put_date(&b, ms);
	(void)!arena_str(a, buf_str(&b), &s);
	buf_done(&b);
	return s;
}

static enum dsn_action
action_of(enum report_kind kind)
{
	switch (kind) {
	case REPORT_DELAYED:
		return DSN_DELAYED;
	case REPORT_RELAYED:
		return DSN_RELAYED;
	case REPORT_FAILED:
	case REPORT_NONE:
		break;
	}
	return DSN_FAILED;
}

/* RFC 3464 section 2.3.4: the class is that of the action. */
static struct dsn_status
status_of(const struct report_rcpt *rcpt)
{
	struct smtp_status s = rcpt->judgement.status;
	struct dsn_status d = { s.class, s.subject, s.detail };

	if (rcpt->decision.is_expired &&
	    (s.class != 4 || (s.subject == 0 && s.detail == 0)))
		return (struct dsn_status){ 4, 4, 7 };
	if (rcpt->judgement.outcome == PERMFAIL && d.class != 5)
		d.class = 5;
	return d;
}

static void
fill_rcpt(struct arena *a, const struct report *r,
    const struct report_rcpt *rcpt, struct dsn_rcpt *to)
{
	const struct msg_queue_item *item = &rcpt->entry->item;

	*to = (struct dsn_rcpt){
		.original = item->orcpt,
		.final = item->address,
		.action = action_of(r->kind),
		.status = status_of(rcpt),
		.remote_mta = rcpt->result.mx,
		.diagnostic = rcpt->result.reply,
		.has_smtp_code = rcpt->judgement.code > 0,
		.last_attempt = date_str(a, r->now_ms),
	};
	if (r->kind == REPORT_DELAYED)
		to->will_retry_until = date_str(a, rcpt->decision.end_ms);
}

static size_t
header_length(struct str message)
{
	ptrdiff_t at = str_search(message, STR("\r\n\r\n"));

	return at < 0 ? message.n : (size_t)at + 4;
}

static bool
wants_full(const struct report *r)
{
	const struct msg_queue_item *item = first_item(r);

	/* RFC 3461 section 4.3: of no other reports. */
	if (r->kind != REPORT_FAILED)
		return false;
	if (item->ret == SMTP_RET_UNSET)
		return item->size <= FULL_DEFAULT_MAX;
	return item->ret == SMTP_RET_FULL && item->size <= DSN_FULL_MAX;
}

static bool
write_text(struct report *r)
{
	const struct msg_queue_item *item = first_item(r);
	const char *host = r->sv->conf->hostname;
	struct dsn_rcpt *rcpts = x_calloc(r->n, sizeof(*rcpts));
	enum dsn_hint *hints = x_calloc(r->n, sizeof(*hints));
	CLEANUP(freep) char *from = x_asprintf("MAILER-DAEMON@%s", host);
	CLEANUP(freep) char *id = x_asprintf("%s@%s", r->trace, host);
	CLEANUP(freep)
	char *boundary = x_asprintf(
	    "r%016llx", (unsigned long long)hash64(r->trace, strlen(r->trace)));
	struct arena a;
	struct dsn_report report = {
		.fields = { .envid = item->envid,
		    .reporting_mta = str_c(host),
		    .rcpts = rcpts,
		    .n_rcpts = r->n },
		.hints = hints,
		.language = str_c(report_language(
		    buf_str(&r->original), r->sv->conf->send_report_language)),
		.from = str_c(from),
		.to = item->mail_from,
		.message_id = str_c(id),
		.boundary = str_c(boundary),
		.original = buf_str(&r->original),
		.header_length = header_length(buf_str(&r->original)),
		.is_complete = r->original.n == r->size,
		.return_full = wants_full(r),
		.is_smtputf8 = item->is_smtputf8,
	};
	bool is_ok;

	arena_init(&a, MIB(2));
	for (size_t i = 0; i < r->n; i++) {
		fill_rcpt(&a, r, &r->rcpts[i], &rcpts[i]);
		if (r->rcpts[i].decision.is_expired)
			hints[i] = DSN_HINT_EXPIRED;
	}
	report.date = date_str(&a, r->now_ms);
	report.fields.arrival_date = date_str(&a, item->arrival_ms);
	r->text = BUF_INIT(r->n * DSN_RCPT_BYTES + DSN_FULL_MAX + MIB(1));
	is_ok = dsn_write(&report, &r->text, &r->is_8bit);
	arena_done(&a);
	free(rcpts);
	free(hints);
	return is_ok;
}

/* --- delivering it ----------------------------------------------------------------------- */

static void
log_report(const struct report *r, enum event_id event, const char *reason)
{
	const struct msg_queue_item *item = first_item(r);

	log_event(event, LC("id", r->trace), LS("about", item->trace_id),
	    LS("to", item->mail_from),
	    LC("kind", dsn_action_str(action_of(r->kind))), LU("rcpts", r->n),
	    LC("reason", reason));
}

static void
on_delivered(void *arg, struct ipc_msg *m)
{
	struct report *r = arg;
	struct msg_deliver_reply reply;
	struct msg_deliver_result result;
	struct wire w;

	if (m->outcome == TEMPFAIL) {
		try_again(r);
		return;
	}
	if (m->outcome != DONE || !msg_deliver_reply_get(m->body, &reply)) {
		log_report(r, EV_SEND_REPORT_LOST,
		    m->outcome != DONE ? reason_str(ipc_reason(m)) : "");
		finish(r);
		return;
	}
	w = wire_read(reply.results);
	if (!msg_deliver_result_read(&w, &result) ||
	    result.outcome == TEMPFAIL) {
		try_again(r);
		return;
	}
	if (result.outcome == DONE)
		log_report(r, EV_SEND_REPORT, "");
	else
		log_report(r, EV_SEND_REPORT_LOST,
		    reason_str((enum reason)result.reason));
	metric_add(M_SEND_REPORTS, 1);
	finish(r);
}

static void
ask_store(struct report *r)
{
	const struct msg_queue_item *item = first_item(r);
	struct buf rcpts = BUF_INIT(KIB(16)), body = BUF_INIT(MIB(4));
	struct msg_deliver_rcpt rcpt = {
		.address = item->mail_from,
		.prefix = STR("Return-Path: <>\r\n"),
		.notify = SMTP_NOTIFY_NEVER,
	};
	struct msg_deliver m = {
		.trace_id = str_c(r->trace),
		.size = r->text.n,
		.is_per_rcpt = 1,
		.received = loop_time(r->sv->loop),
		.structure = buf_str(&r->structure),
		.is_retry = 1, /* an earlier life of ours may have done it */
		.body = r->is_8bit ? SMTP_BODY_8BITMIME : SMTP_BODY_7BIT,
		.is_smtputf8 = item->is_smtputf8,
		.priority = DELIVER_PRIORITY_NORMAL,
	};
	struct ipc_peer_request req = { .to = ROLE_STORE, .type = MSG_DELIVER };

	msg_deliver_rcpt_put(&rcpts, &rcpt);
	m.rcpts = buf_str(&rcpts);
	if (sealed_lend(buf_str(&r->text), &m.data, &req.fd)) {
		msg_deliver_put(&body, &m);
		req.body = buf_str(&body);
		runtime_request(r->sv->rt, &req, on_delivered, r);
	} else {
		try_again(r);
	}
	buf_done(&rcpts);
	buf_done(&body);
}

static void
on_analysed(void *arg, struct ipc_msg *m)
{
	struct report *r = arg;
	struct msg_analyse_reply reply;

	if (m->outcome != DONE || !msg_analyse_reply_get(m->body, &reply)) {
		try_again(r);
		return;
	}
	buf_done(&r->structure);
	r->structure = BUF_INIT(MIB(2));
	buf_put_str(&r->structure, reply.structure);
	ask_store(r);
}

static void
ask_filter(struct report *r)
{
	struct buf body = BUF_INIT(KIB(32) + INLINE_MESSAGE_MAX * 2);
	struct msg_analyse m = { .size = r->text.n };
	struct ipc_peer_request req = { .to = ROLE_FILTER,
		.type = MSG_ANALYSE };

	if (sealed_lend(buf_str(&r->text), &m.data, &req.fd)) {
		msg_analyse_put(&body, &m);
		req.body = buf_str(&body);
		runtime_request(r->sv->rt, &req, on_analysed, r);
	} else {
		try_again(r);
	}
	buf_done(&body);
}

/* --- the original ------------------------------------------------------------------------ */

/* What is behind the bytes that came in the message itself. */
static void
read_file(struct report *r, int fd, size_t want)
{
	size_t skip = r->original.n;

	while (fd >= 0 && r->original.n < want) {
		size_t step = MIN(want - r->original.n, KIB(64));
		char *to = buf_reserve(&r->original, step);
		ssize_t n = to == NULL ? -1
		                       : pread(fd, to, step,
					     (off_t)(r->original.n - skip));

		if (n <= 0)
			return;
		r->original.n += (size_t)n;
	}
}

static void
on_read(void *arg, struct ipc_msg *m)
{
	struct report *r = arg;
	struct msg_queue_read_reply reply;
	size_t want;

	/* Without it the report still says what has to be said. */
	if (m->outcome == DONE && msg_queue_read_reply_get(m->body, &reply)) {
		r->size = reply.size;
		want = wants_full(r) ? (size_t)MIN(reply.size, DSN_FULL_MAX)
		                     : (size_t)MIN(reply.size, DSN_HEADER_MAX);
		buf_put_str(&r->original, str_first(reply.data, want));
		read_file(r, m->fd, want);
	}
	if (write_text(r))
		ask_filter(r);
	else
		give_up(r);
}

/* The same entries give the same id, now and after a crash. */
static void
make_trace(struct report *r)
{
	static const char letters[] = { [REPORT_NONE] = '-',
		[REPORT_FAILED] = 'f',
		[REPORT_DELAYED] = 'd',
		[REPORT_RELAYED] = 'r' };
	uint64_t hash = 0;

	for (size_t i = 0; i < r->n; i++) {
		uint32_t rcpt = r->rcpts[i].entry->item.rcpt;

		hash = hash64_seed(&rcpt, sizeof(rcpt), hash);
	}
	snprintf(r->trace, sizeof(r->trace), "%llx.%x%c%08x",
	    (unsigned long long)first_item(r)->message, first_item(r)->rcpt,
	    letters[r->kind], (unsigned)hash);
}

/* Its bytes: of the original, in the report, and in the file that is lent. */
static uint64_t
weight_of(const struct report *r)
{
	uint64_t size = first_item(r)->size;
	uint64_t max = wants_full(r) ? DSN_FULL_MAX : DSN_HEADER_MAX;

	return MIN(size, max) * 3 + r->n * DSN_RCPT_BYTES + KIB(4);
}

static void
begin(struct report *r)
{
	struct msg_queue_read m = { first_item(r)->message,
		first_item(r)->rcpt };
	struct buf body = BUF_INIT(KIB(1));
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_QUEUE_READ, .fd = -1
	};

	r->now_ms = loop_time_ms(r->sv->loop);
	r->original = BUF_INIT(DSN_FULL_MAX + KIB(64));
	r->again = loop_timer_new(r->sv->loop, on_again, r);
	msg_queue_read_put(&body, &m);
	req.body = buf_str(&body);
	runtime_request(r->sv->rt, &req, on_read, r);
	buf_done(&body);
}

static void
begin_waiting(void *arg)
{
	struct server *sv = arg;
	struct report *r;

	while ((r = report_line_next(&sv->report_line)) != NULL)
		begin(r);
}

void
report_send(struct report *r)
{
	make_trace(r);
	r->weight = weight_of(r);
	r->sv->reports++;
	report_line_add(&r->sv->report_line, r);
	begin_waiting(r->sv);
}
