/* SPDX-License-Identifier: ISC */
/*
 * session_test.c - whole dialogues of the SMTP server against a made-up store,
 * filter and auth process.
 *
 * Each script is played twice: as fast as a pipelining client sends it, and
 * one byte a write. The replies must be the same: what a client is told does
 * not depend on how its bytes were cut.
 */
#include "../test.h"
#include "../net/net_testlib.h"

#include "base/metrics.h"
#include "proto/mime/mime_author.h"
#include "proto/mime/mime_hop.h"
#include "smtp/front.h"
#include "smtp/session.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the other processes --------------------------------------------------------- */

struct runtime {
	struct loop *loop;
	struct server sv;
	unsigned deliver_gone; /* so many times the store goes away */
	bool is_retry;
	enum outcome deliver_outcome;
	enum reason deliver_reason;
	bool filter_is_away;
	unsigned unasked;     /* messages that nobody wanted to know more of */
	struct buf delivered; /* prefix and bytes of the last message */
	struct buf sender;
	uint32_t delivered_rcpts;
	struct buf wishes; /* what DELIVER carries for the queue */
	int deliveries;
};

struct answer {
	struct runtime *rt;
	ipc_reply_fn fn;
	void *arg;
	struct ipc_msg msg;
	struct buf body;
};

static void
give_answer(void *arg)
{
	struct answer *a = arg;

	a->msg.body = buf_str(&a->body);
	a->fn(a->arg, &a->msg);
	buf_done(&a->body);
	free(a);
}

static void
put_error(struct answer *a, enum outcome o, enum reason r)
{
	struct msg_error e = { .reason = (uint16_t)r };

	a->msg.outcome = o;
	msg_error_put(&a->body, &e);
}

static void
answer_rcpt(struct answer *a, struct str body)
{
	struct msg_rcpt_check_reply reply = { 0 };
	struct msg_rcpt_check m;

	CHECK(msg_rcpt_check_get(body, &m), "well-formed");
	if (!str_ends(m.address, STR("@demo.example")))
		put_error(a, PERMFAIL, REASON_NOT_LOCAL);
	else if (str_starts(m.address, STR("nobody@")))
		put_error(a, NOT_FOUND, REASON_NO_USER);
	else if (str_starts(m.address, STR("later@")))
		put_error(a, TEMPFAIL, REASON_IO);
	else if (str_starts(m.address, STR("full@")))
		put_error(a, TEMPFAIL, REASON_OVERQUOTA);
	else {
		if (str_starts(m.address, STR("small@")))
			reply.max_size = 10;
		msg_rcpt_check_reply_put(&a->body, &reply);
	}
}

static void
answer_sender(struct answer *a, struct str body)
{
	struct msg_sender_check m;

	CHECK(msg_sender_check_get(body, &m), "well-formed");
	if (str_eq(m.address, STR("later@demo.example")))
		put_error(a, TEMPFAIL, REASON_GONE);
	else if (!str_eq(m.address, STR("alice@demo.example")) &&
		 !str_eq(m.address, STR("info@demo.example")))
		put_error(a, PERMFAIL, REASON_FORBIDDEN);
}

static void
answer_auth(struct answer *a, struct str body)
{
	struct msg_auth_step_reply reply = { .state = 1,
		.login = STR("alice@demo.example") };
	struct msg_auth_step m;

	CHECK(msg_auth_step_get(body, &m), "well-formed");
	if (str_eq(m.mechanism, STR("LOGIN")) && !m.has_data)
		reply =
		    (struct msg_auth_step_reply){ .data = STR("Username:") };
	else if (str_eq(m.mechanism, STR("SCRAM-SHA-256")))
		reply.data = STR("v=proof");
	else if (str_eq(m.mechanism, STR("CRAM-MD5")))
		return put_error(a, PERMFAIL, REASON_AUTH_MECHANISM);
	else if (str_search(m.data, STR("secret")) < 0)
		return put_error(a, PERMFAIL, REASON_AUTH);
	msg_auth_step_reply_put(&a->body, &reply);
}

/* A message that came in memory, or in a file that nobody can change. */
static void
read_message(int fd, struct str data, struct buf *ret)
{
	char chunk[4096];
	ssize_t n;
	off_t off = 0;

	buf_put_str(ret, data);
	if (fd < 0)
		return;
	CHECK(data.n == 0, "one or the other");
	CHECK((fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE) != 0, "sealed");
	while ((n = pread(fd, chunk, sizeof(chunk), off)) > 0) {
		buf_put(ret, chunk, (size_t)n);
		off += n;
	}
}

static void
put_authors(struct str bytes, struct buf *b, struct msg_analyse_reply *reply)
{
	struct mime_authors authors;
	struct arena a;

	arena_init(&a, MIME_AUTHORS_ARENA);
	mime_authors_read(bytes, &a, &authors);
	for (size_t i = 0; i < authors.n; i++)
		msg_text_put(b, &(struct msg_text){ authors.v[i] });
	reply->authors = buf_str(b);
	reply->author_faults = authors.faults;
	arena_done(&a);
}

static void
answer_analyse(struct answer *a, struct str body, int fd)
{
	struct msg_analyse m;
	struct buf bytes = BUF_INIT(MIB(4));
	struct msg_analyse_reply reply = { .structure = STR("structure") };
	struct buf authors = BUF_INIT(KIB(64)), cuts = BUF_INIT(64);
	struct mime_hop hop;

	if (a->rt->filter_is_away)
		return put_error(a, TEMPFAIL, REASON_GONE);
	CHECK(msg_analyse_get(body, &m), "well-formed");
	read_message(fd, m.data, &bytes);
	CHECK(bytes.n == m.size, "all of it");
	if (m.is_submission)
		put_authors(buf_str(&bytes), &authors, &reply);
	mime_hop_scan(buf_str(&bytes), &hop);
	reply.hops = hop.received;
	reply.missing = mime_hop_lacks(&hop);
	if (!m.is_stranger)
		a->rt->unasked++;
	if (str_search(buf_str(&bytes), STR("X-Forged: ")) >= 0) {
		struct msg_cut cut = { .offset = (uint32_t)str_search(
					   buf_str(&bytes), STR("X-Forged: ")),
			.n = 13 };

		reply.headers = STR("X-Results: ours\r\n");
		msg_cut_put(&cuts, &cut);
		reply.cuts = buf_str(&cuts);
	}
	if (str_search(buf_str(&bytes), STR("X-Later: yes")) >= 0) {
		reply.verdict = ANALYSE_LATER;
		reply.reply = STR("Come again");
	}
	if (str_search(buf_str(&bytes), STR("X-Bad: yes")) >= 0) {
		reply.verdict = 1;
		reply.reply = STR("We do not like this");
	}
	msg_analyse_reply_put(&a->body, &reply);
	buf_done(&cuts);
	buf_done(&authors);
	buf_done(&bytes);
}

/* "ret body utf8 tls hold by mode priority envid|notify orcpt|..." */
static void
put_wishes(struct buf *b, const struct msg_deliver *m)
{
	buf_reset(b, 0);
	buf_printf(b, "%u %u %u %u %llu %llu %u %u %.*s", m->ret, m->body,
	    m->is_smtputf8, m->has_requiretls,
	    (unsigned long long)m->hold_until,
	    (unsigned long long)m->deliver_by, m->deliver_by_mode, m->priority,
	    STR_ARG(m->envid));
}

static void
answer_deliver(struct answer *a, struct str body, int fd)
{
	struct runtime *rt = a->rt;
	struct buf results = BUF_INIT(KIB(64));
	struct msg_deliver_rcpt rcpt;
	struct msg_deliver m;
	struct wire w;

	CHECK(msg_deliver_get(body, &m), "well-formed");
	CHECK(str_eq(m.structure, STR("structure")), "structure goes along");
	if (rt->deliver_gone > 0) {
		rt->deliver_gone--;
		return put_error(a, TEMPFAIL, REASON_GONE);
	}
	rt->is_retry = m.is_retry;
	if (rt->deliver_outcome != DONE && !m.is_per_rcpt)
		return put_error(a, rt->deliver_outcome, rt->deliver_reason);
	rt->deliveries++;
	rt->delivered_rcpts = 0;
	buf_reset(&rt->delivered, 0);
	buf_reset(&rt->sender, 0);
	buf_put_str(&rt->sender, m.mail_from);
	put_wishes(&rt->wishes, &m);
	w = wire_read(m.rcpts);
	while (w.in.n > 0 && !w.failed) {
		struct msg_deliver_result result = { .outcome = DONE };

		CHECK(msg_deliver_rcpt_read(&w, &rcpt), "recipient");
		buf_printf(
		    &rt->wishes, "|%u %.*s", rcpt.notify, STR_ARG(rcpt.orcpt));
		if (str_starts(rcpt.address, STR("gone@")))
			result.outcome = NOT_FOUND;
		if (m.is_per_rcpt && rt->deliver_outcome != DONE)
			result = (struct msg_deliver_result){
				(uint8_t)rt->deliver_outcome,
				(uint16_t)rt->deliver_reason
			};
		msg_deliver_result_put(&results, &result);
		if (rt->delivered_rcpts++ == 0)
			buf_put_str(&rt->delivered, rcpt.prefix);
	}
	read_message(fd, m.data, &rt->delivered);
	msg_deliver_reply_put(&a->body,
	    &(struct msg_deliver_reply){ .results = buf_str(&results) });
	buf_done(&results);
}

uint32_t
runtime_request(struct runtime *rt, const struct ipc_peer_request *req,
    ipc_reply_fn fn, void *arg)
{
	struct answer *a = X_NEW(struct answer);

	a->rt = rt;
	a->fn = fn;
	a->arg = arg;
	a->body = BUF_INIT(MIB(8));
	a->msg = (struct ipc_msg){
		.type = req->type, .is_reply = true, .outcome = DONE, .fd = -1
	};
	if (req->type == MSG_RCPT_CHECK)
		answer_rcpt(a, req->body);
	else if (req->type == MSG_SENDER_CHECK)
		answer_sender(a, req->body);
	else if (req->type == MSG_AUTH_STEP)
		answer_auth(a, req->body);
	else if (req->type == MSG_ANALYSE)
		answer_analyse(a, req->body, req->fd);
	else if (req->type == MSG_DELIVER)
		answer_deliver(a, req->body, req->fd);
	else
		fail_msg("unexpected message %d", (int)req->type);
	if (req->fd >= 0)
		close(req->fd);
	loop_defer(rt->loop, give_answer, a);
	return 1;
}

struct ipc_peer *
runtime_peer(UNUSED struct runtime *rt, UNUSED enum role role)
{
	return NULL;
}

struct loop *
runtime_loop(struct runtime *rt)
{
	return rt->loop;
}

uint32_t
runtime_worker(UNUSED const struct runtime *rt)
{
	return 7;
}

/* --- playing a script ---------------------------------------------------------------- */

struct play {
	struct runtime rt;
	struct conf conf;
	int fd; /* the client's end */
	struct str in;
	size_t step;
	struct buf got;
	struct loop_timer *timer;
};

static void *
client(void *arg)
{
	struct play *p = arg;
	struct str rest = p->in;
	char chunk[4096];
	ssize_t n;

	while (rest.n > 0) {
		n = send(p->fd, rest.p, MIN(rest.n, p->step), MSG_NOSIGNAL);
		if (n <= 0)
			break;
		rest = str_from(rest, (size_t)n);
	}
	shutdown(p->fd, SHUT_WR);
	while ((n = read(p->fd, chunk, sizeof(chunk))) > 0)
		buf_put(&p->got, chunk, (size_t)n);
	return NULL;
}

static void
stop_when_over(void *arg)
{
	struct play *p = arg;

	if (LIST_EMPTY(&p->rt.sv.sessions))
		loop_stop(p->rt.loop);
}

static void
default_conf(struct conf *c)
{
	static char host[] = "mx.demo.example", level[] = "error";

	c->hostname = host;
	c->log_level = level;
	c->message_size_max = 4000;
	c->recipients_max = 3;
	c->smtp_errors_max = 6;
	c->smtp_messages_max = 2;
	c->smtp_idle_s = 5;
	c->smtp_data_idle_s = 5;
	c->hops_max = 3;
	c->connections_max = 10;
	c->auth_allow_plaintext = true;
	c->smtp_check_from = true;
}

static void
play_init(struct play *p)
{
	default_conf(&p->conf);
	p->rt.loop = loop_new();
	p->rt.delivered = BUF_INIT(MIB(4));
	p->rt.sender = BUF_INIT(KIB(4));
	p->rt.wishes = BUF_INIT(KIB(4));
	p->rt.sv.rt = &p->rt;
	p->rt.sv.loop = p->rt.loop;
	p->rt.sv.conf = &p->conf;
	p->rt.sv.retry_ms = 1;
	arena_init(&p->rt.sv.arena, SMTP_COMMAND_ARENA);
	front_configure(&p->rt.sv);
	loop_each_round(p->rt.loop, stop_when_over, p);
	p->got = BUF_INIT(MIB(1));
}

static void
stop_now(void *arg)
{
	loop_stop(arg);
}

static void
play_run(struct play *p, enum service service, struct str in, size_t step)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	pthread_t thread;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		die("socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	p->fd = fds[1];
	p->in = in;
	p->step = step;
	buf_reset(&p->got, 0);
	session_new(&p->rt.sv, service, fds[0], &peer);
	if (pthread_create(&thread, NULL, client, p) != 0)
		die("pthread_create");
	loop_run(p->rt.loop);
	loop_defer(p->rt.loop, stop_now, p->rt.loop);
	loop_run(p->rt.loop);
	pthread_join(thread, NULL);
	close(p->fd);
	CHECK(p->rt.sv.spool_bytes == 0, "every message was given back");
	CHECK(p->rt.sv.session_count == 0, "every session ended");
}

static void
play_done(struct play *p)
{
	front_free(&p->rt.sv);
	arena_done(&p->rt.sv.arena);
	buf_done(&p->got);
	buf_done(&p->rt.delivered);
	buf_done(&p->rt.sender);
	buf_done(&p->rt.wishes);
	loop_free(p->rt.loop);
}

/* "250 2.1.0|550 5.1.1|...": code and enhanced code of each reply. */
static void
summary(struct str got, struct buf *ret)
{
	while (got.n > 0) {
		struct str line;

		got = str_split(got, '\n', &line);
		if (line.n < 4 || line.p[3] == '-')
			continue;
		if (ret->n > 0)
			buf_put_char(ret, '|');
		buf_put_str(ret, str_first(line, 3));
		if (line.n > 8 && ascii_is_digit(line.p[4]) &&
		    line.p[5] == '.') {
			struct str esc;

			str_split(str_from(line, 4), ' ', &esc);
			buf_put_char(ret, ' ');
			buf_put_str(ret, esc);
		}
	}
}

static void
check_replies(struct play *p, const char *name, const char *want)
{
	struct buf got = BUF_INIT(KIB(64));

	summary(buf_str(&p->got), &got);
	if (!str_eq(buf_str(&got), str_c(want)))
		fail_msg("%s:\n want %s\n got  %s", name, want, buf_c(&got));
	buf_done(&got);
}

#define HELLO   "EHLO client.example\r\n"
#define MAIL    "MAIL FROM:<bob@else.example>\r\n"
#define RCPT    "RCPT TO:<alice@demo.example>\r\n"
#define MESSAGE "Subject: x\r\n\r\nHello\r\n"
#define SIGN_IN "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"
#define OWN     "MAIL FROM:<alice@demo.example>\r\n"
#define QUIT    "QUIT\r\n"
#define BYE     "221 2.0.0"
#define OK      "220|250|250 2.1.0|250 2.1.5|354|"

/* clang-format off */
static const struct script {
	const char *name;
	enum service service;
	const char *in;
	const char *want;
} scripts[] = {
	{ "a message", SERVICE_MX, HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  OK "250 2.0.0|" BYE },
	{ "HELO", SERVICE_MX, "HELO x\r\n" MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  OK "250 2.0.0|" BYE },
	{ "the null sender", SERVICE_MX, HELLO "MAIL FROM:<>\r\n" RCPT "DATA\r\n.\r\n" QUIT,
	  OK "250 2.0.0|" BYE },
	{ "unknown user", SERVICE_MX, HELLO MAIL "RCPT TO:<nobody@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|550 5.1.1|" BYE },
	{ "cannot tell", SERVICE_MX, HELLO MAIL "RCPT TO:<later@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|451 4.3.0|" BYE },
	{ "mailbox is full", SERVICE_MX, HELLO MAIL "RCPT TO:<full@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|452 4.2.2|" BYE },
	{ "declared too big for the mailbox", SERVICE_MX,
	  HELLO "MAIL FROM:<> SIZE=20\r\nRCPT TO:<small@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|452 4.2.2|" BYE },
	{ "is too big for the mailbox", SERVICE_MX,
	  HELLO MAIL "RCPT TO:<small@demo.example>\r\nDATA\r\n" MESSAGE ".\r\n" QUIT,
	  OK "452 4.2.2|" BYE },
	{ "no open relay", SERVICE_MX, HELLO MAIL "RCPT TO:<x@else.example>\r\n"
	  "RCPT TO:<@demo.example:x@else.example>\r\nRCPT TO:<\"x@else.example\"@demo.example>\r\n" QUIT,
	  "220|250|250 2.1.0|550 5.7.1|550 5.7.1|250 2.1.5|" BYE },
	{ "Postmaster without a domain", SERVICE_MX, HELLO MAIL "RCPT TO:<Postmaster>\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|" BYE },
	{ "some recipients are bad", SERVICE_MX,
	  HELLO MAIL "RCPT TO:<nobody@demo.example>\r\n" RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  "220|250|250 2.1.0|550 5.1.1|250 2.1.5|354|250 2.0.0|" BYE },
	{ "pipelined behind a failed MAIL", SERVICE_MX,
	  HELLO "MAIL FROM:<bad\r\n" RCPT "DATA\r\n" QUIT,
	  "220|250|501 5.1.7|503 5.5.1|503 5.5.1|" BYE },
	{ "DATA without recipients", SERVICE_MX,
	  HELLO MAIL "RCPT TO:<nobody@demo.example>\r\nDATA\r\n" QUIT,
	  "220|250|250 2.1.0|550 5.1.1|554 5.5.1|" BYE },
	{ "too many recipients", SERVICE_MX, HELLO MAIL RCPT RCPT RCPT RCPT QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.1.5|250 2.1.5|452 4.5.3|" BYE },
	{ "too many messages", SERVICE_MX,
	  HELLO MAIL RCPT "DATA\r\n.\r\n" MAIL RCPT "DATA\r\n.\r\n" MAIL,
	  OK "250 2.0.0|250 2.1.0|250 2.1.5|354|250 2.0.0|421 4.7.0" },
	{ "order", SERVICE_MX, MAIL HELLO RCPT MAIL MAIL "RSET\r\n" RCPT QUIT,
	  "220|503 5.5.1|250|503 5.5.1|250 2.1.0|503 5.5.1|250 2.0.0|503 5.5.1|" BYE },
	{ "EHLO starts over", SERVICE_MX, HELLO MAIL HELLO RCPT QUIT,
	  "220|250|250 2.1.0|250|503 5.5.1|" BYE },
	{ "small commands", SERVICE_MX, HELLO "NOOP\r\nVRFY alice\r\nEXPN list\r\nHELP\r\nFOO\r\n" QUIT,
	  "220|250|250 2.0.0|252 2.0.0|502 5.5.1|214 2.0.0|500 5.5.1|" BYE },
	{ "parameters", SERVICE_MX, HELLO "MAIL FROM:<> FOO=1\r\n"
	  "MAIL FROM:<> SIZE=5000\r\nMAIL FROM:<> SIZE=x\r\n"
	  "MAIL FROM:<> RET=HDRS ENVID=a+20b BODY=8BITMIME SMTPUTF8\r\n"
	  "RCPT TO:<alice@demo.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y.example\r\n" QUIT,
	  "220|250|555 5.5.4|552 5.3.4|501 5.5.4|250 2.1.0|250 2.1.5|" BYE },
	{ "no parameters with HELO", SERVICE_MX, "HELO x\r\nMAIL FROM:<> SIZE=1\r\n" QUIT,
	  "220|250|555 5.5.4|" BYE },
	{ "bare LF in a command", SERVICE_MX, HELLO "NOOP\nNOOP\r\n", "220|250|500 5.5.2" },
	{ "bare LF in DATA", SERVICE_MX,
	  HELLO MAIL RCPT "DATA\r\nSubject: x\n\r\nHi\r\n.\r\n" QUIT,
	  OK "550 5.6.11|" BYE },
	{ "no smuggling", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nA: b\r\n\r\nx\n.\r\n" MAIL RCPT
	  "DATA\r\nx\r\n.\n" MAIL "x\r.\r\n\r\n.\r\n" QUIT, OK "550 5.6.11|" BYE },
	{ "dots", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nA: b\r\n\r\n..\r\n...\r\n.\r\n" QUIT,
	  OK "250 2.0.0|" BYE },
	{ "a NUL in DATA", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nA: %0\r\n.\r\n" QUIT, OK "554 5.6.0|" BYE },
	{ "a loop", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nReceived: 1\r\nReceived: 2\r\n"
	  "Received: 3\r\nReceived: 4\r\n\r\n.\r\n" QUIT, OK "554 5.4.6|" BYE },
	{ "hops at the limit", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nReceived: 1\r\nReceived: 2\r\n"
	  "Received: 3\r\n\r\n.\r\n" QUIT, OK "250 2.0.0|" BYE },
	{ "the filter says no", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nX-Bad: yes\r\n\r\n.\r\n" QUIT,
	  OK "550 5.7.1|" BYE },
	{ "the filter cannot tell", SERVICE_MX, HELLO MAIL RCPT "DATA\r\nX-Later: yes\r\n\r\n.\r\n" QUIT,
	  OK "451 4.7.1|" BYE },
	{ "removed since RCPT", SERVICE_MX, HELLO MAIL "RCPT TO:<gone@demo.example>\r\nDATA\r\n.\r\n" QUIT,
	  OK "550 5.1.1|" BYE },
	{ "too many errors", SERVICE_MX, HELLO "A\r\nB\r\nC\r\nD\r\nE\r\nF\r\nG\r\nNOOP\r\n",
	  "220|250|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1|500 5.5.1|421 4.7.0" },
	{ "HTTP", SERVICE_MX, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "220|500 5.5.1" },
	{ "no AUTH on MX", SERVICE_MX, HELLO SIGN_IN QUIT, "220|250|502 5.5.1|" BYE },
	{ "no TLS without a certificate", SERVICE_MX, HELLO "STARTTLS\r\nSTARTTLS x\r\n" QUIT,
	  "220|250|454 4.7.0|501 5.5.4|" BYE },

	{ "BDAT", SERVICE_MX, HELLO MAIL RCPT "BDAT 8\r\nA: b\r\n\r\nBDAT 4 LAST\r\nHi\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.0.0|250 2.0.0|" BYE },
	{ "BDAT LAST of no bytes", SERVICE_MX, HELLO MAIL RCPT "BDAT 6\r\nA: b\r\nBDAT 0 LAST\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.0.0|250 2.0.0|" BYE },
	{ "BDAT skips its bytes", SERVICE_MX, HELLO MAIL "BDAT 6\r\nNOOP\r\nNOOP\r\n" QUIT,
	  "220|250|250 2.1.0|554 5.5.1|250 2.0.0|" BYE },
	{ "BDAT before MAIL", SERVICE_MX, HELLO "BDAT 6 LAST\r\nNOOP\r\n" QUIT,
	  "220|250|503 5.5.1|" BYE },
	{ "BDAT, then DATA", SERVICE_MX, HELLO MAIL RCPT "BDAT 2\r\nA:DATA\r\nRSET\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.0.0|503 5.5.1|250 2.0.0|" BYE },
	{ "BDAT of too much", SERVICE_MX, HELLO MAIL RCPT "BDAT 99999999999 LAST\r\n",
	  "220|250|250 2.1.0|250 2.1.5|552 5.3.4" },
	{ "BDAT without a size", SERVICE_MX, HELLO MAIL RCPT "BDAT\r\nNOOP\r\n",
	  "220|250|250 2.1.0|250 2.1.5|501 5.5.4" },
	{ "bare LF in BDAT", SERVICE_MX, HELLO MAIL RCPT "BDAT 5 LAST\r\nA: b\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|550 5.6.11|" BYE },
	{ "CR at the end of a chunk", SERVICE_MX, HELLO MAIL RCPT "BDAT 5\r\nA: b\rBDAT 1 LAST\r\n\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.0.0|250 2.0.0|" BYE },
	{ "BINARYMIME", SERVICE_MX, HELLO "MAIL FROM:<> BODY=BINARYMIME\r\n" RCPT
	  "DATA\r\nBDAT 6 LAST\r\nA: %0\n\r" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|503 5.5.1|250 2.0.0|" BYE },

	{ "submission wants AUTH", SERVICE_SUBMISSION, HELLO OWN "NOOP\r\n" QUIT,
	  "220|250|530 5.7.0|250 2.0.0|" BYE },
	{ "a submission", SERVICE_SUBMISSION, HELLO SIGN_IN OWN RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  "220|250|235 2.7.0|250 2.1.0|250 2.1.5|354|250 2.0.0|" BYE },
	{ "another's address", SERVICE_SUBMISSION, HELLO SIGN_IN MAIL RCPT "MAIL FROM:<>\r\n"
	  "MAIL FROM:<later@demo.example>\r\n" QUIT,
	  "220|250|235 2.7.0|553 5.7.1|503 5.5.1|550 5.7.1|451 4.3.0|" BYE },
	{ "who signed in writes to other servers", SERVICE_SUBMISSION, HELLO SIGN_IN OWN "RCPT TO:<x@else.example>\r\n" QUIT,
	  "220|250|235 2.7.0|250 2.1.0|250 2.1.5|" BYE },
	{ "wrong password", SERVICE_SUBMISSION, HELLO "AUTH PLAIN AGFsaWNlAHdyb25n\r\n" OWN QUIT,
	  "220|250|535 5.7.8|530 5.7.0|" BYE },
	{ "AUTH twice", SERVICE_SUBMISSION, HELLO SIGN_IN SIGN_IN QUIT,
	  "220|250|235 2.7.0|503 5.5.1|" BYE },
	{ "AUTH LOGIN, cancelled, bad", SERVICE_SUBMISSION,
	  HELLO "AUTH LOGIN\r\n*\r\nAUTH LOGIN\r\n%%%\r\nAUTH LOGIN\r\nc2VjcmV0\r\n" QUIT,
	  "220|250|334|501 5.0.0|334|501 5.5.2|334|235 2.7.0|" BYE },
	{ "AUTH SCRAM ends with the server's proof", SERVICE_SUBMISSION,
	  HELLO "AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==\r\n\r\n" OWN QUIT,
	  "220|250|334|235 2.7.0|250 2.1.0|" BYE },
	{ "AUTH unknown", SERVICE_SUBMISSION, HELLO "AUTH CRAM-MD5\r\nAUTH\r\n" QUIT,
	  "220|250|504 5.5.4|501 5.5.4|" BYE },

	{ "LMTP", SERVICE_LMTP, HELLO "HELO x\r\nLHLO x\r\n" MAIL RCPT RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  "220|500 5.5.1|500 5.5.1|250|250 2.1.0|250 2.1.5|250 2.1.5|354|250 2.0.0|250 2.0.0|" BYE },
	{ "LMTP: each on its own", SERVICE_LMTP, "LHLO x\r\n" MAIL "RCPT TO:<gone@demo.example>\r\n" RCPT
	  "DATA\r\n" MESSAGE ".\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.1.5|354|550 5.1.1|250 2.0.0|" BYE },
	{ "LMTP: bare LF for each", SERVICE_LMTP, "LHLO x\r\n" MAIL RCPT RCPT "DATA\r\nx\ny\r\n.\r\n" QUIT,
	  "220|250|250 2.1.0|250 2.1.5|250 2.1.5|354|550 5.6.11|550 5.6.11|" BYE },
	{ "LMTP: no recipients", SERVICE_LMTP, "LHLO x\r\n" MAIL "DATA\r\n" QUIT,
	  "220|250|250 2.1.0|503 5.5.1|" BYE },
};
/* clang-format on */

/* "%0" stands for a NUL, which a C string cannot hold. */
static struct str
with_nuls(const char *text, struct buf *to)
{
	for (struct str rest = str_c(text); rest.n > 0;) {
		if (str_starts(rest, STR("%0"))) {
			buf_put_char(to, '\0');
			rest = str_from(rest, 2);
		} else {
			buf_put_char(to, rest.p[0]);
			rest = str_from(rest, 1);
		}
	}
	return buf_str(to);
}

TEST(dialogues_go_by_the_book_however_bytes_are_cut)
{
	static const size_t steps[] = { 100000, 1, 7 };

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
			struct buf in = BUF_INIT(KIB(64));
			struct play p = { 0 };

			play_init(&p);
			play_run(&p, scripts[i].service,
			    with_nuls(scripts[i].in, &in), steps[k]);
			check_replies(&p, scripts[i].name, scripts[i].want);
			play_done(&p);
			buf_done(&in);
		}
	}
}

/* --- what is delivered ------------------------------------------------------------------ */

TEST(a_copy_has_its_trace_lines_and_its_bytes)
{
	struct play p = { 0 };
	struct str d;

	play_init(&p);
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE "..\r\n.\r\n" QUIT), 9999);
	d = buf_str(&p.rt.delivered);
	CHECK(str_starts(d, STR("Return-Path: <bob@else.example>\r\n"
				"Delivered-To: alice@demo.example\r\n"
				"Received: from client.example (local)\r\n"
				"\tby mx.demo.example with ESMTP id ")),
	    "begin");
	CHECK(str_search(d, STR("\r\n\tfor <alice@demo.example>;\r\n\t")) > 0,
	    "one recipient is named");
	CHECK(str_ends(d, STR("+0000\r\n" MESSAGE ".\r\n")),
	    "the bytes, without stuffing, and no more headers");
	CHECK(str_eq(buf_str(&p.rt.sender), STR("bob@else.example")), "from");
	play_done(&p);
}

TEST(forged_fields_are_cut_and_asked_about_once)
{
	struct play p = { 0 };
	struct str d;

	play_init(&p);
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\nX-Forged: 1\r\n" MESSAGE ".\r\n" QUIT),
	    9999);
	d = buf_str(&p.rt.delivered);
	CHECK(str_ends(d, STR("+0000\r\nX-Results: ours\r\n" MESSAGE)),
	    "the first answer's results, without what was forged");
	CHECK(p.rt.unasked == 1, "the second time for the structure only");
	play_done(&p);
}

TEST(several_recipients_do_not_see_each_other)
{
	struct play p = { 0 };

	play_init(&p);
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "RCPT TO:<bob@demo.example>\r\n"
				"DATA\r\n" MESSAGE ".\r\n" QUIT),
	    9999);
	CHECK(p.rt.delivered_rcpts == 2, "both");
	CHECK(str_search(buf_str(&p.rt.delivered), STR("bob@demo")) < 0,
	    "not in the first copy");
	play_done(&p);
}

TEST(a_submission_gets_the_fields_it_lacks)
{
	struct play p = { 0 };
	struct str d;

	play_init(&p);
	play_run(&p, SERVICE_SUBMISSION,
	    STR(HELLO SIGN_IN OWN RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	d = buf_str(&p.rt.delivered);
	CHECK(str_search(d, STR("with ESMTPA id ")) > 0, "protocol");
	CHECK(str_search(d, STR("\r\nDate: ")) > 0, "Date");
	CHECK(str_search(d, STR("\r\nMessage-ID: <")) > 0, "Message-ID");
	CHECK(str_search(d, STR("@mx.demo.example>\r\n" MESSAGE)) > 0, "last");
	play_run(&p, SERVICE_SUBMISSION,
	    STR(HELLO SIGN_IN OWN RCPT "DATA\r\nDate: x\r\n\r\n.\r\n" QUIT),
	    9999);
	d = buf_str(&p.rt.delivered);
	CHECK(str_search(d, STR("Date: ")) == str_search(d, STR("Date: x")),
	    "what is there stays alone");
	CHECK(p.rt.deliveries == 2, "both");
	play_done(&p);
}

TEST(a_submission_is_from_who_signed_in)
{
	static const struct {
		const char *header, *want;
	} cases[] = {
		{ "From: alice@demo.example\r\n", "250 2.0.0" },
		{ "From: Ceo <info@demo.example>\r\n", "250 2.0.0" },
		{ "From: \"bob@demo.example\" <alice@demo.example>\r\n",
		    "250 2.0.0" },
		{ "From: We: alice@demo.example, info@demo.example;\r\n"
		  "Sender: info@demo.example\r\n",
		    "250 2.0.0" },
		{ "Subject: no From\r\n", "250 2.0.0" },
		{ "From: bob@demo.example\r\n", "550 5.7.1" },
		{ "From: alice@demo.example <bob@demo.example>\r\n",
		    "550 5.7.1" },
		{ "From: alice@demo.example, bob@demo.example\r\n"
		  "Sender: alice@demo.example\r\n",
		    "550 5.7.1" },
		{ "From: alice@demo.example, info@demo.example\r\n",
		    "550 5.7.1" },
		{ "From: alice@demo.example\r\nSender: bob@x.example\r\n",
		    "550 5.7.1" },
		{ "From: alice@demo.example\r\n"
		  "FROM : alice@demo.example\r\n",
		    "550 5.7.1" },
		{ "From: Alice\r\n", "550 5.7.1" },
		{ "From: us:;\r\n", "550 5.7.1" },
		{ "From: later@demo.example\r\n", "451 4.3.0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		bool is_off = i >= ARRAY_LEN(cases);
		size_t k = i % ARRAY_LEN(cases);
		struct buf in = BUF_INIT(KIB(4)), want = BUF_INIT(KIB(4));
		struct play p = { 0 };

		play_init(&p);
		p.conf.smtp_check_from = !is_off;
		buf_printf(&in,
		    HELLO SIGN_IN OWN RCPT "DATA\r\n%s\r\nx\r\n.\r\n" QUIT,
		    cases[k].header);
		buf_printf(&want,
		    "220|250|235 2.7.0|250 2.1.0|250 2.1.5|354|%s|" BYE,
		    is_off ? "250 2.0.0" : cases[k].want);
		play_run(&p, SERVICE_SUBMISSION, buf_str(&in), 9999);
		check_replies(&p, cases[k].header, buf_c(&want));
		play_done(&p);
		buf_done(&in);
		buf_done(&want);
	}
}

TEST(who_is_refused_is_told_about_which_address)
{
	struct play p = { 0 };

	play_init(&p);
	play_run(&p, SERVICE_SUBMISSION,
	    STR(HELLO SIGN_IN OWN RCPT
		"DATA\r\nFrom: \"x\" <b\"o\"b@else.example>\r\n\r\n.\r\n" QUIT),
	    9999);
	CHECK(str_search(buf_str(&p.got), STR("has bob@else.example, which")) >=
		  0,
	    "named");
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT
		"DATA\r\nFrom: x@y\r\nFrom: a@b\r\n\r\n.\r\n" QUIT),
	    9999);
	check_replies(&p, "mail from elsewhere", OK "250 2.0.0|" BYE);
	play_done(&p);
}

TEST(a_message_over_the_limit_is_read_to_its_end_and_refused)
{
	struct play p = { 0 };
	struct buf in = BUF_INIT(MIB(2));

	play_init(&p);
	buf_put_c(&in, HELLO MAIL RCPT "DATA\r\n");
	for (int i = 0; i < 1000; i++)
		buf_put_c(&in, "0123456789\r\n");
	buf_put_c(&in, ".\r\n" MAIL RCPT "BDAT 5000 LAST\r\n");
	for (int i = 0; i < 500; i++)
		buf_put_c(&in, "01234567\r\n");
	buf_put_c(&in, QUIT);
	play_run(&p, SERVICE_MX, buf_str(&in), 99999);
	check_replies(
	    &p, "too big", OK "552 5.3.4|250 2.1.0|250 2.1.5|552 5.3.4|" BYE);
	CHECK(p.rt.deliveries == 0, "nothing went on");
	buf_done(&in);
	play_done(&p);
}

TEST(what_the_store_says_is_what_the_client_hears)
{
	static const struct {
		enum outcome outcome;
		enum reason reason;
		const char *want, *want_lmtp;
	} cases[] = {
		{ TEMPFAIL, REASON_GONE, "451 4.3.0", "451 4.3.0" },
		{ TEMPFAIL, REASON_DISK_FULL, "452 4.3.1", "452 4.3.1" },
		{ TEMPFAIL, REASON_OVERQUOTA, "452 4.2.2", "452 4.2.2" },
		{ PERMFAIL, REASON_TOO_BIG, "552 5.3.4", "552 5.3.4" },
		{ NOT_FOUND, REASON_NO_USER, "550 5.1.1", "550 5.1.1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct play p = { 0 };
		char want[200];

		play_init(&p);
		p.rt.deliver_outcome = cases[i].outcome;
		p.rt.deliver_reason = cases[i].reason;
		play_run(&p, SERVICE_MX,
		    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
		snprintf(want, sizeof(want), OK "%s|" BYE, cases[i].want);
		check_replies(&p, "MX", want);
		play_run(&p, SERVICE_LMTP,
		    STR("LHLO x\r\n" MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT),
		    9999);
		snprintf(want, sizeof(want), OK "%s|" BYE, cases[i].want_lmtp);
		check_replies(&p, "LMTP", want);
		play_done(&p);
	}
}

TEST(a_store_that_went_away_is_asked_again_about_the_same_message)
{
	struct play p = { 0 };

	play_init(&p);
	p.rt.deliver_gone = 2;
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	check_replies(&p, "accepted after all", OK "250 2.0.0|" BYE);
	CHECK(p.rt.deliveries == 1 && p.rt.is_retry, "once, as a repetition");
	play_done(&p);
}

TEST(what_a_client_asked_for_goes_along_to_the_queue)
{
	struct play p = { 0 };

	play_init(&p);
	play_run(&p, SERVICE_MX,
	    STR(HELLO "MAIL FROM:<bob@else.example> RET=FULL ENVID=a+2Bb "
		      "BODY=8BITMIME SMTPUTF8\r\n"
		      "RCPT TO:<alice@demo.example> NOTIFY=SUCCESS,DELAY "
		      "ORCPT=rfc822;x+2By@z\r\n"
		      "RCPT TO:<b@demo.example> NOTIFY=NEVER\r\n"
		      "DATA\r\n" MESSAGE ".\r\n" QUIT),
	    9999);
	CHECK(str_eq(buf_str(&p.rt.wishes),
		  STR("1 1 1 0 0 0 0 10 a+b|5 rfc822;x+y@z|8 ")),
	    buf_c(&p.rt.wishes));
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	CHECK(str_eq(buf_str(&p.rt.wishes), STR("0 0 0 0 0 0 0 10 |0 ")),
	    buf_c(&p.rt.wishes));
	play_done(&p);
}

TEST(without_the_filter_the_client_keeps_its_message)
{
	struct play p = { 0 };

	play_init(&p);
	p.rt.filter_is_away = true;
	play_run(&p, SERVICE_MX,
	    STR(HELLO MAIL RCPT "DATA\r\n" MESSAGE ".\r\n" QUIT), 9999);
	check_replies(&p, "filter", OK "451 4.3.0|" BYE);
	play_done(&p);
}

/* --- TLS ------------------------------------------------------------------------------ */

static void
tls_dialogue(struct play *p, SSL *ssl, const char *text)
{
	char chunk[4096];
	int n;

	buf_reset(&p->got, 0);
	SSL_write(ssl, text, (int)strlen(text));
	while ((n = SSL_read(ssl, chunk, sizeof(chunk))) > 0)
		buf_put(&p->got, chunk, (size_t)n);
	SSL_free(ssl);
}

static void *
starttls_client(void *arg)
{
	/* An attacker in the middle adds the commands behind STARTTLS. */
	static const char text[] = HELLO "STARTTLS\r\n" HELLO MAIL "RSET\r\n";
	struct play *p = arg;
	struct buf plain = BUF_INIT(KIB(64));
	char c = 0;
	SSL *ssl;

	(void)!send(p->fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
	while (str_search(buf_str(&plain), STR("ready to start TLS\r\n")) < 0 &&
	       read(p->fd, &c, 1) == 1)
		buf_put_char(&plain, c);
	CHECK(str_search(buf_str(&plain), STR("250-STARTTLS")) > 0, "offered");
	CHECK(str_search(buf_str(&plain), STR("AUTH")) < 0, "not in the clear");
	ssl = client_handshake(p->fd, TLS1_3_VERSION);
	if (ssl != NULL)
		tls_dialogue(p, ssl, OWN HELLO "STARTTLS\r\n" SIGN_IN QUIT);
	buf_done(&plain);
	return NULL;
}

static void *
submissions_client(void *arg)
{
	struct play *p = arg;
	SSL *ssl = client_handshake(p->fd, TLS1_3_VERSION);

	if (ssl != NULL)
		tls_dialogue(
		    p, ssl, HELLO SIGN_IN OWN RCPT "DATA\r\n.\r\n" QUIT);
	return NULL;
}

static void
play_tls(struct play *p, enum service service, void *(*fn)(void *))
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	pthread_t thread;
	int fds[2];

	play_init(p);
	p->conf.auth_allow_plaintext = false;
	p->rt.sv.tls = make_context();
	make_pair(fds);
	p->fd = fds[1];
	session_new(&p->rt.sv, service, fds[0], &peer);
	CHECK(pthread_create(&thread, NULL, fn, p) == 0, "run");
	loop_run(p->rt.loop);
	loop_defer(p->rt.loop, stop_now, p->rt.loop);
	loop_run(p->rt.loop);
	pthread_join(thread, NULL);
	close(p->fd);
	tls_context_unref(p->rt.sv.tls);
}

TEST(starttls_starts_over_and_drops_what_was_pipelined)
{
	struct play p = { 0 };

	play_tls(&p, SERVICE_SUBMISSION, starttls_client);
	check_replies(&p, "inside", "503 5.5.1|250|503 5.5.1|235 2.7.0|" BYE);
	CHECK(str_search(buf_str(&p.got), STR("250-STARTTLS")) < 0, "once");
	CHECK(str_search(buf_str(&p.got),
		  STR("250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN "
		      "LOGIN\r\n")) > 0,
	    "now AUTH is offered");
	play_done(&p);
}

TEST(submissions_greets_inside_of_tls)
{
	struct play p = { 0 };

	play_tls(&p, SERVICE_SUBMISSIONS, submissions_client);
	check_replies(&p, "inside",
	    "220|250|235 2.7.0|250 2.1.0|250 2.1.5|354|250 2.0.0|" BYE);
	CHECK(str_search(buf_str(&p.rt.delivered), STR("with ESMTPSA id ")) > 0,
	    "protocol");
	CHECK(str_search(buf_str(&p.rt.delivered), STR("(TLSv1.3 TLS_")) > 0,
	    "version and cipher");
	play_done(&p);
}

TEST(no_password_travels_without_tls)
{
	struct play p = { 0 };

	play_init(&p);
	p.conf.auth_allow_plaintext = false;
	play_run(&p, SERVICE_SUBMISSION, STR(HELLO SIGN_IN QUIT), 9999);
	check_replies(&p, "clear", "220|250|538 5.7.11|" BYE);
	play_done(&p);
}

/* --- time ----------------------------------------------------------------------------- */

static void *
dripping_client(void *arg)
{
	struct play *p = arg;
	char chunk[4096];
	ssize_t n;

	for (int i = 0; i < 40; i++) {
		if (send(p->fd, "N", 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(100000);
	}
	while ((n = read(p->fd, chunk, sizeof(chunk))) > 0)
		buf_put(&p->got, chunk, (size_t)n);
	return NULL;
}

TEST(a_client_that_drips_bytes_is_cut_off)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	struct play p = { 0 };
	pthread_t thread;
	int fds[2];

	play_init(&p);
	p.conf.smtp_idle_s = 1;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	p.fd = fds[1];
	session_new(&p.rt.sv, SERVICE_MX, fds[0], &peer);
	CHECK(pthread_create(&thread, NULL, dripping_client, &p) == 0, "run");
	loop_run(p.rt.loop);
	loop_defer(p.rt.loop, stop_now, p.rt.loop);
	loop_run(p.rt.loop);
	pthread_join(thread, NULL);
	close(p.fd);
	check_replies(&p, "drip", "220|421 4.4.2");
	play_done(&p);
}

/* Much at once, then as little as it can. */
static void *
holding_client(void *arg)
{
	static const char begin[] = "EHLO x.example\r\nMAIL FROM:<>\r\n"
				    "RCPT TO:<alice@demo.example>\r\nDATA\r\n";
	struct play *p = arg;
	char chunk[32768];
	ssize_t n;

	memset(chunk, 'x', sizeof(chunk));
	for (size_t i = 0; i + 1 < sizeof(chunk); i += 64)
		memcpy(chunk + i, "\r\n", 2);
	(void)!send(p->fd, begin, sizeof(begin) - 1, MSG_NOSIGNAL);
	(void)!send(p->fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
	for (p->step = 0; p->step < 90; p->step++) {
		if (send(p->fd, "x", 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(100000);
	}
	while ((n = read(p->fd, chunk, sizeof(chunk))) > 0)
		buf_put(&p->got, chunk, (size_t)n);
	return NULL;
}

/* Bytes that came long ago buy no time: they would take up the spool. */
TEST(a_message_that_stops_coming_is_cut_off)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	struct play p = { 0 };
	pthread_t thread;
	int fds[2];

	play_init(&p);
	p.conf.smtp_data_idle_s = 1;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	p.fd = fds[1];
	session_new(&p.rt.sv, SERVICE_MX, fds[0], &peer);
	CHECK(pthread_create(&thread, NULL, holding_client, &p) == 0, "run");
	loop_run(p.rt.loop);
	loop_defer(p.rt.loop, stop_now, p.rt.loop);
	loop_run(p.rt.loop);
	pthread_join(thread, NULL);
	close(p.fd);
	CHECK(p.step < 70, "long before it had its way");
	check_replies(&p, "hold", "220|250|250 2.1.0|250 2.1.5|354|421 4.4.2");
	play_done(&p);
}

TEST(a_stopping_worker_says_so)
{
	struct play p = { 0 };
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	char chunk[512];
	ssize_t n;
	int fds[2];

	play_init(&p);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	session_new(&p.rt.sv, SERVICE_MX, fds[0], &peer);
	session_shutdown(LIST_FIRST(&p.rt.sv.sessions), false);
	loop_run(p.rt.loop);
	loop_defer(p.rt.loop, stop_now, p.rt.loop);
	loop_run(p.rt.loop);
	while ((n = read(fds[1], chunk, sizeof(chunk))) > 0)
		buf_put(&p.got, chunk, (size_t)n);
	close(fds[1]);
	check_replies(&p, "shutdown", "220|421 4.3.2");
	play_done(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(dialogues_go_by_the_book_however_bytes_are_cut),
		UNIT(a_copy_has_its_trace_lines_and_its_bytes),
		UNIT(forged_fields_are_cut_and_asked_about_once),
		UNIT(several_recipients_do_not_see_each_other),
		UNIT(a_submission_gets_the_fields_it_lacks),
		UNIT(a_submission_is_from_who_signed_in),
		UNIT(who_is_refused_is_told_about_which_address),
		UNIT(a_message_over_the_limit_is_read_to_its_end_and_refused),
		UNIT(what_the_store_says_is_what_the_client_hears),
		UNIT(
		    a_store_that_went_away_is_asked_again_about_the_same_message),
		UNIT(what_a_client_asked_for_goes_along_to_the_queue),
		UNIT(without_the_filter_the_client_keeps_its_message),
		UNIT(starttls_starts_over_and_drops_what_was_pipelined),
		UNIT(submissions_greets_inside_of_tls),
		UNIT(no_password_travels_without_tls),
		UNIT(a_client_that_drips_bytes_is_cut_off),
		UNIT(a_message_that_stops_coming_is_cut_off),
		UNIT(a_stopping_worker_says_so),
	};

	log_init("smtp-test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
