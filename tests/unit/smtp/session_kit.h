/* SPDX-License-Identifier: ISC */
/*
 * session_kit.h - the SMTP server with a made-up store, filter and auth process,
 * and a client that plays a script.
 */
#pragma once

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
	unsigned deliver_asked;
	bool is_answer_short; /* it says nothing of the last recipient */
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

static UNUSED void
give_answer(void *arg)
{
	struct answer *a = arg;

	a->msg.body = buf_str(&a->body);
	a->fn(a->arg, &a->msg);
	buf_done(&a->body);
	free(a);
}

static UNUSED void
put_error(struct answer *a, enum outcome o, enum reason r)
{
	struct msg_error e = { .reason = (uint16_t)r };

	a->msg.outcome = o;
	msg_error_put(&a->body, &e);
}

static UNUSED void
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

static UNUSED void
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

static UNUSED void
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
static UNUSED void
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

static UNUSED void
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

static UNUSED void
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
static UNUSED void
put_wishes(struct buf *b, const struct msg_deliver *m)
{
	buf_reset(b, 0);
	buf_printf(b, "%u %u %u %u %llu %llu %u %u %.*s", m->ret, m->body,
	    m->is_smtputf8, m->has_requiretls,
	    (unsigned long long)m->hold_until,
	    (unsigned long long)m->deliver_by, m->deliver_by_mode, m->priority,
	    STR_ARG(m->envid));
}

static UNUSED void
answer_deliver(struct answer *a, struct str body, int fd)
{
	struct runtime *rt = a->rt;
	struct buf results = BUF_INIT(KIB(64));
	struct msg_deliver_rcpt rcpt;
	struct msg_deliver m;
	struct wire w;

	CHECK(msg_deliver_get(body, &m), "well-formed");
	CHECK(str_eq(m.structure, STR("structure")), "structure goes along");
	rt->deliver_asked++;
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
		if (w.in.n > 0 || !rt->is_answer_short)
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

static UNUSED void *
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

static UNUSED void
stop_when_over(void *arg)
{
	struct play *p = arg;

	if (LIST_EMPTY(&p->rt.sv.sessions))
		loop_stop(p->rt.loop);
}

static UNUSED void
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

static UNUSED void
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

static UNUSED void
stop_now(void *arg)
{
	loop_stop(arg);
}

/* Of a socket pair. */
static const struct sockaddr_storage no_address = { .ss_family = AF_UNIX };

static UNUSED void
play_run(struct play *p, enum service service, struct str in, size_t step)
{
	pthread_t thread;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		die("socketpair");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	p->fd = fds[1];
	p->in = in;
	p->step = step;
	buf_reset(&p->got, 0);
	ports_take(p->rt.sv.ports, service, 25, fds[0], &no_address);
	if (pthread_create(&thread, NULL, client, p) != 0)
		die("pthread_create");
	loop_run(p->rt.loop);
	loop_defer(p->rt.loop, stop_now, p->rt.loop);
	loop_run(p->rt.loop);
	pthread_join(thread, NULL);
	close(p->fd);
	CHECK(p->rt.sv.spool_bytes == 0, "every message was given back");
	CHECK(ports_clients(p->rt.sv.ports) == 0, "every session ended");
}

static UNUSED void
play_done(struct play *p)
{
	ports_free(p->rt.sv.ports);
	arena_done(&p->rt.sv.arena);
	buf_done(&p->got);
	buf_done(&p->rt.delivered);
	buf_done(&p->rt.sender);
	buf_done(&p->rt.wishes);
	loop_free(p->rt.loop);
}

/* "250 2.1.0|550 5.1.1|...": code and enhanced code of each reply. */
static UNUSED void
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

static UNUSED void
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
