/* SPDX-License-Identifier: ISC */
/*
 * deliver.c - a complete message: filter, then store, then the reply.
 *
 * 250 is said when the store has said DONE, which means that the message is
 * on disk, and never before. When a process is away or cannot tell, the
 * client keeps the message: 4xx.
 */
#include "smtp/deliver.h"

#include "base/log.h"
#include "base/metrics.h"
#include "proto/mime/mime_hop.h"
#include "smtp/arrival.h"
#include "smtp/author.h"
#include "smtp/header.h"

#define DELIVER_BODY_MAX (MIB(8) - KIB(4))
#define RCPTS_MAX        (MIB(6))
/* A store that died is back in less than a second. */
#define RETRIES_MAX 10

static void
log_refused(struct session *s, enum reply_id id)
{
	struct smtp_reply r = reply_get(id);

	log_event(r.code < 500 ? EV_SMTP_DATA_DEFER : EV_SMTP_DATA_REJECT,
	    LC("sid", s->sid), LC("id", s->trace),
	    LC("ip", conn_peer_ip(s->conn)), LS("from", s->env.from),
	    LU("rcpts", s->env.count), LU("reply", (uint64_t)r.code),
	    LC("reason", r.text));
}

void
deliver_refuse(struct session *s, enum reply_id id)
{
	uint32_t n = session_is_lmtp(s) ? s->env.count : 1;

	log_refused(s, id);
	session_reset(s);
	for (uint32_t i = 0; i < n; i++)
		session_reply(s, id);
}

static void
log_accepted(struct session *s, struct str rcpt)
{
	log_event(EV_SMTP_ACCEPT, LC("sid", s->sid), LC("id", s->trace),
	    LC("ip", conn_peer_ip(s->conn)), LS("from", s->env.from),
	    LS("rcpt", rcpt), LU("rcpts", s->env.count),
	    LU("size", s->message->size));
}

static void
reply_accepted(struct session *s)
{
	char text[TRACE_ID_LEN + 16];

	snprintf(text, sizeof(text), "Ok: id %s", s->trace);
	session_reply_text(s, REPLY_ACCEPTED, text);
}

/* --- the store's answer ------------------------------------------------------------ */

/* One reply for each recipient, in order (RFC 2033 section 4.2). */
static void
finish_each(struct session *s, struct str results)
{
	struct wire w = wire_read(results);
	struct msg_deliver_result result;
	uint32_t accepted = 0;

	for (struct rcpt *r = s->env.first; r != NULL; r = r->next) {
		enum reply_id id = REPLY_MESSAGE_LATER;

		if (msg_deliver_result_read(&w, &result))
			id = reply_of_delivery((enum outcome)result.outcome,
			    (enum reason)result.reason);
		if (id == REPLY_ACCEPTED) {
			log_accepted(s, r->address);
			reply_accepted(s);
			accepted++;
		} else {
			log_refused(s, id);
			session_reply(s, id);
		}
	}
	s->accepted += accepted > 0;
	metric_add(M_MESSAGES_IN, accepted > 0);
	session_reset(s);
}

/* DONE for everybody, or the first thing that went wrong. */
static enum reply_id
reply_of_results(struct session *s, struct str results)
{
	struct wire w = wire_read(results);
	struct msg_deliver_result result;

	for (uint32_t i = 0; i < s->env.count; i++) {
		enum reply_id id;

		if (!msg_deliver_result_read(&w, &result))
			return REPLY_MESSAGE_LATER;
		id = reply_of_delivery(
		    (enum outcome)result.outcome, (enum reason)result.reason);
		if (id != REPLY_ACCEPTED)
			return id;
	}
	return REPLY_ACCEPTED;
}

static void ask_store(struct session *s);

static void
on_retry_time(void *arg)
{
	struct session *s = arg;

	s->is_retrying = false;
	ask_store(s);
	if (!session_is_asking(s) && s->state != STATE_ENDED)
		conn_resume(s->conn);
}

/*
 * The store went away while it had the message; it may have become durable
 * there. Ask the new one: it knows by the trace id.
 */
static bool
try_again(struct session *s, const struct ipc_msg *m)
{
	if (m->outcome != TEMPFAIL || ipc_reason(m) != REASON_GONE ||
	    s->retries == RETRIES_MAX)
		return false;
	s->retries++;
	s->is_retrying = true;
	if (s->retry == NULL)
		s->retry = loop_timer_new(s->sv->loop, on_retry_time, s);
	conn_pause(s->conn);
	loop_timer_set(s->retry, s->sv->retry_ms);
	return true;
}

static void
on_delivered(struct session *s, struct ipc_msg *m)
{
	struct msg_deliver_reply reply;
	enum reply_id id = REPLY_MESSAGE_LATER;

	if (try_again(s, m))
		return;
	if (m->outcome != DONE) {
		deliver_refuse(s, reply_of_delivery(m->outcome, ipc_reason(m)));
		return;
	}
	if (!msg_deliver_reply_get(m->body, &reply)) {
		deliver_refuse(s, id);
		return;
	}
	if (session_is_lmtp(s)) {
		finish_each(s, reply.results);
		return;
	}
	id = reply_of_results(s, reply.results);
	if (id != REPLY_ACCEPTED) {
		deliver_refuse(s, id);
		return;
	}
	log_accepted(s, s->env.first->address);
	s->accepted++;
	metric_add(M_MESSAGES_IN, 1);
	session_reset(s);
	reply_accepted(s);
}

/* --- to the store -------------------------------------------------------------------- */

static void
put_rcpts(struct session *s, struct buf *list)
{
	struct buf prefix = BUF_INIT(HEADER_PREFIX_MAX);

	for (struct rcpt *r = s->env.first; r != NULL; r = r->next) {
		struct msg_deliver_rcpt m = {
			.address = r->address,
			.notify = (uint8_t)r->notify,
			.orcpt = r->orcpt,
		};

		buf_reset(&prefix, HEADER_PREFIX_MAX);
		header_prefix(&prefix, s, r);
		m.prefix = buf_str(&prefix);
		msg_deliver_rcpt_put(list, &m);
		list->failed |= prefix.failed;
	}
	buf_done(&prefix);
}

static void
ask_store(struct session *s)
{
	struct buf rcpts = BUF_INIT(RCPTS_MAX);
	struct buf arrival = BUF_INIT(KIB(4));
	struct buf body = BUF_INIT(DELIVER_BODY_MAX);
	struct msg_deliver m = {
		.trace_id = str_c(s->trace),
		.size = s->message->size,
		.mail_from = s->env.from.n > 0 ? s->env.from_address : STR_NONE,
		.is_per_rcpt = session_is_lmtp(s),
		.received = s->received,
		.structure = buf_str(&s->structure),
		.is_retry = s->retries > 0,
		.is_junk = s->is_junk,
		/* Other line ends than CRLF were refused. */
		.crlf_extra =
		    s->message->size > 0 && !s->message->has_end ? 2 : 0,
	};
	struct question q = {
		.to = ROLE_STORE,
		.type = MSG_DELIVER,
		.fd = -1,
		.fn = on_delivered,
	};
	bool is_ok;

	envelope_put_wishes(&s->env, &m);
	put_rcpts(s, &rcpts);
	m.rcpts = buf_str(&rcpts);
	arrival_put(&arrival, s);
	m.arrival = buf_str(&arrival);
	/* Ours stays: the store may go away and be asked again. */
	is_ok = message_lend(s->message, &m.data, &q.fd);
	msg_deliver_put(&body, &m);
	q.body = buf_str(&body);
	if (rcpts.failed || arrival.failed || body.failed || !is_ok) {
		closep(&q.fd);
		deliver_refuse(s, REPLY_MESSAGE_LATER);
	} else {
		session_ask(s, &q);
	}
	buf_done(&rcpts);
	buf_done(&arrival);
	buf_done(&body);
}

/* --- the filter ------------------------------------------------------------------------ */

static void
refuse_with_text(struct session *s, enum reply_id id, struct str text)
{
	struct buf b = BUF_INIT(512);

	buf_put_str(&b, str_first(text, 400));
	log_refused(s, id);
	session_reset(s);
	session_reply_text(s, id, text.n > 0 ? buf_c(&b) : NULL);
	buf_done(&b);
}

static void ask_filter(struct session *s);

/*
 * RFC 6409 section 8: a Date, a Message-ID or a From that a submitted message
 * lacks become part of its bytes, so that the structure record knows them. True: it
 * is on its way to the filter once more, or refused.
 */
static bool
add_missing(struct session *s, unsigned missing)
{
	struct buf lines = BUF_INIT(KIB(4));
	int r = 0;

	if (!session_is_submission(s) || s->has_added)
		return false;
	header_missing(&lines, s, missing);
	s->has_added = lines.n > 0;
	if (s->has_added)
		r = message_prepend(s->message, buf_str(&lines));
	buf_done(&lines);
	if (r < 0)
		deliver_refuse(s, REPLY_DISK_FULL);
	else if (s->has_added)
		ask_filter(s);
	return r < 0 || s->has_added;
}

/*
 * Fields that forge our own results are taken out of the bytes, and the
 * structure record is made anew. What was found out is of the bytes as they
 * came. True: it is on its way to the filter once more, or refused.
 */
static bool
cut_forged(struct session *s, struct str cuts)
{
	int r;

	if (cuts.n == 0 || s->has_cut)
		return false;
	s->has_cut = true;
	r = message_cut(s->message, cuts);
	if (r < 0)
		deliver_refuse(
		    s, r == -EINVAL ? REPLY_MESSAGE_LATER : REPLY_DISK_FULL);
	else
		ask_filter(s);
	return true;
}

/* Nothing speaks against it: to the store, with all fields it needs. */
static void
complete(struct session *s)
{
	if (!add_missing(s, s->missing))
		ask_store(s);
}

/* Who it is from is asked once, about the bytes as they came. */
static void
take_answer(struct session *s, const struct msg_analyse_reply *reply)
{
	s->missing = reply->missing;
	/* RFC 8689 section 4.1: REQUIRETLS goes before it. */
	s->env.is_tls_optional =
	    (reply->missing & MIME_TLS_OPTIONAL) && !s->env.has_requiretls;
	buf_done(&s->structure);
	s->structure = BUF_INIT(MIB(1));
	buf_put_str(&s->structure, reply->structure);
	if (s->has_cut || s->has_added)
		return;
	s->is_junk = reply->is_junk;
	buf_done(&s->headers);
	s->headers = BUF_INIT(HEADER_PREFIX_MAX / 2);
	buf_put_str(&s->headers, reply->headers);
}

static void
on_analysed(struct session *s, struct ipc_msg *m)
{
	struct msg_analyse_reply reply;

	if (m->outcome != DONE || !msg_analyse_reply_get(m->body, &reply)) {
		deliver_refuse(
		    s, m->outcome != DONE && ipc_reason(m) == REASON_TOO_BIG
			   ? REPLY_TOO_BIG
			   : REPLY_MESSAGE_LATER);
		return;
	}
	if (reply.hops > s->sv->conf->hops_max) {
		deliver_refuse(s, REPLY_TOO_MANY_HOPS);
		return;
	}
	if (reply.verdict == ANALYSE_NO_REPORT) {
		deliver_refuse(s, REPLY_NO_REPORT);
		return;
	}
	if (reply.verdict != ANALYSE_ACCEPT && !session_is_lmtp(s)) {
		refuse_with_text(s,
		    reply.verdict == ANALYSE_LATER ? REPLY_UNCHECKED
						   : REPLY_REJECTED,
		    reply.reply);
		return;
	}
	take_answer(s, &reply);
	if (cut_forged(s, reply.cuts))
		return;
	if (session_is_submission(s) && s->sv->conf->smtp_check_from &&
	    !s->has_added)
		author_check(s, &reply, complete);
	else
		complete(s);
}

static void
ask_filter(struct session *s)
{
	struct buf body = BUF_INIT(KIB(32) + INLINE_MESSAGE_MAX * 2);
	struct msg_analyse m = {
		.size = s->message->size,
		.mail_from = s->env.from,
		.helo = str_c(s->helo),
		.client_ip = str_c(conn_peer_ip(s->conn)),
		.is_submission = session_is_submission(s),
		.is_stranger =
		    s->service == SERVICE_MX && s->login == NULL && !s->has_cut,
		.trace_id = str_c(s->trace),
		.reports = envelope_reports_address(&s->env),
		.is_report_only = envelope_is_report_only(&s->env),
	};
	struct question q = {
		.to = ROLE_FILTER,
		.type = MSG_ANALYSE,
		.fn = on_analysed,
	};

	if (!message_lend(s->message, &m.data, &q.fd)) {
		deliver_refuse(s, REPLY_MESSAGE_LATER);
		return;
	}
	msg_analyse_put(&body, &m);
	q.body = buf_str(&body);
	session_ask(s, &q);
	buf_done(&body);
}

/* What is wrong with the bytes themselves. */
static enum reply_id
judge_bytes(struct session *s)
{
	const struct message *m = s->message;

	if (m->is_too_big)
		return REPLY_TOO_BIG;
	if (m->has_bare_eol)
		return REPLY_BARE_EOL;
	if (m->is_failed)
		return REPLY_DISK_FULL;
	/* IMAP's literals cannot carry a NUL (RFC 3501 section 9, CHAR8), and
	 * mail comes back byte for byte or not at all. */
	if (m->has_nul && s->env.body != SMTP_BODY_BINARYMIME)
		return REPLY_HAS_NUL;
	for (struct rcpt *r = s->env.first; r != NULL; r = r->next) {
		if (r->max_size > 0 && m->size > r->max_size &&
		    !session_is_lmtp(s))
			return REPLY_RCPT_FULL;
	}
	return REPLY_NONE;
}

void
deliver_message(struct session *s)
{
	enum reply_id id = judge_bytes(s);

	session_enter(s, STATE_DELIVERING);
	s->messages++;
	s->received = loop_time(s->sv->loop);
	server_trace_id(s->sv, s->trace);
	if (id == REPLY_NONE && message_seal(s->message) < 0)
		id = REPLY_DISK_FULL;
	if (id != REPLY_NONE) {
		deliver_refuse(s, id);
		return;
	}
	s->has_added = false;
	s->has_cut = false;
	s->is_junk = false;
	s->retries = 0;
	ask_filter(s);
}
