/* SPDX-License-Identifier: ISC */
/*
 * session.c - one connection to a destination. See session.h.
 *
 * Three machines work together: the resolver and connect.h find a server,
 * conn.h moves bytes, smtp_client.h knows the dialogue. This file carries
 * events between them, and remembers what was the trouble last.
 */
#include "send/session.h"

#include "base/log.h"
#include "base/metrics.h"
#include "proto/smtp/smtp_client.h"
#include "proto/smtp/smtp_path.h"

#include <arpa/inet.h>
#include <unistd.h>

#define IN_MAX   KIB(64)
#define OUT_HIGH KIB(256)
#define OUT_LOW  KIB(64)
#define CHUNK    KIB(64)
#define TEXT_MAX (VERDICT_TEXT_MAX + 1)

enum state {
	ADDRESS, /* addresses of a host are being looked up */
	CONNECT,
	OPENING, /* connected: up to READY of the dialogue */
	READY,   /* idle, kept for the next mail */
	READ,    /* the mail's bytes are asked for */
	SEND,
	QUIT,
	GONE, /* told the destination; freed after this round */
};

struct session {
	struct session *next; /* of the destination */
	struct server *sv;
	struct dest *dest;
	enum state state;
	size_t host; /* the present one */
	/* look-up */
	struct resolver_query *query4, *query6;
	struct sockaddr_storage addrs[CONNECT_ADDRS_MAX];
	size_t n_addrs;
	bool has_dns_trouble, has_local;
	bool has_any_address; /* of any host, or one may have some */
	/* connection */
	struct connect *connect;
	struct conn *conn;
	struct smtp_client *client;
	struct sockaddr_storage addr;
	uint64_t put_bytes;
	bool is_without_tls; /* TLS was tried, and failed */
	bool is_in_tls_handshake;
	bool was_ready;
	bool wants_tls; /* STARTTLS was granted */
	struct loop_timer *idle;
	/* the mail under way */
	struct mail *mail;
	struct mail *rest; /* its recipients that were too many */
	uint32_t read_id;  /* the request, while it is under way */
	struct ipc_peer *read_peer;
	struct buf data; /* its bytes, or their beginning */
	int fd;          /* the rest; -1: none */
	uint64_t size, sent;
	struct buf texts; /* addresses as they are written */
	struct smtp_client_rcpt *rcpts;
	size_t *index; /* of rcpts: of the mail's entries */
	struct smtp_client_mail env;
	uint32_t mails;
	/* what went wrong last, for all that wait */
	struct judgement verdict;
	bool has_verdict;
	char text[TEXT_MAX];
	/* for results */
	char ip[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN], tls[160];
};

static void try_host(struct session *s);
static void pump(struct session *s);
static void step(struct session *s, struct str in);
static void next_mail(struct session *s);

struct session **
session_next(struct session *s)
{
	return &s->next;
}

bool
session_is_idle(const struct session *s)
{
	return s->state == READY;
}

bool
session_is_opening(const struct session *s)
{
	return !s->was_ready;
}

static const char *
host_name(const struct session *s)
{
	size_t last = dest_hosts(s->dest) - 1;

	return dest_host(s->dest, MIN(s->host, last))->name;
}

static struct trip
trip(const struct session *s)
{
	return (struct trip){ .mx = str_c(host_name(s)),
		.mx_ip = str_c(s->ip),
		.source_ip = str_c(s->source),
		.tls = str_c(s->tls) };
}

/* --- the end ------------------------------------------------------------------------------ */

static void
free_now(void *arg)
{
	struct session *s = arg;

	smtp_client_free(s->client);
	buf_done(&s->data);
	buf_done(&s->texts);
	closep(&s->fd);
	free(s->rcpts);
	free(s->index);
	loop_timer_free(s->idle);
	free(s);
}

static void
drop_mail_data(struct session *s)
{
	buf_done(&s->data);
	buf_done(&s->texts);
	closep(&s->fd);
	s->fd = -1;
	free(s->rcpts);
	free(s->index);
	s->rcpts = NULL;
	s->index = NULL;
}

/* The one way out. is_fault: verdict is the server's or the network's. */
static void
leave(struct session *s, bool is_fault)
{
	struct trip t = trip(s);

	ASSERT(s->state != GONE && s->read_id == 0);
	ASSERT(s->conn == NULL && s->connect == NULL);
	if (s->query4 != NULL)
		resolver_cancel(s->query4);
	if (s->query6 != NULL)
		resolver_cancel(s->query6);
	if (s->mail != NULL && s->sv->is_stopping)
		settle_release(s->sv, TAKE_PTR(s->mail));
	else if (s->mail != NULL)
		dest_give_back(s->dest, TAKE_PTR(s->mail));
	s->state = GONE;
	loop_timer_clear(s->idle);
	dest_closed(s->dest, s, is_fault ? &s->verdict : NULL, &t);
	loop_defer(s->sv->loop, free_now, s);
}

/* Keep what went wrong; the text is copied. */
static void
blame(struct session *s, struct judgement j)
{
	struct str text = str_first(j.text, sizeof(s->text) - 1);

	memmove(s->text, text.p ? text.p : "", text.n);
	j.text = str_make(s->text, text.n);
	/* Whoever refuses us refuses this attempt, not the message. */
	j.outcome = TEMPFAIL;
	s->verdict = j;
	s->has_verdict = true;
}

static void
blame_locally(struct session *s, struct smtp_status status, const char *text)
{
	blame(s, (struct judgement){
		     .is_local = true, .status = status, .text = str_c(text) });
}

static void
log_trouble(const struct session *s, enum event_id event)
{
	log_event(event, LC("mx", host_name(s)), LC("ip", s->ip),
	    LU("reply", (uint64_t)s->verdict.code),
	    LS("reason", s->verdict.text));
}

static void
next_host(struct session *s)
{
	log_trouble(s, EV_SEND_CONNECT_FAIL);
	if (s->sv->is_stopping || ++s->host >= dest_hosts(s->dest)) {
		/* No host of the domain exists: nor will it tomorrow. */
		if (!s->has_any_address && !dest_is_relay(s->dest)) {
			s->verdict.outcome = PERMFAIL;
			s->verdict.status.class = 5;
		}
		leave(s, !s->sv->is_stopping);
		return;
	}
	s->is_without_tls = false;
	try_host(s);
}

/* --- addresses of a host --------------------------------------------------------------------- */

static void
add_address(struct session *s, const struct sockaddr_storage *a)
{
	bool may_be_local =
	    dest_is_relay(s->dest) || s->sv->conf->send_allow_loopback;

	if (s->n_addrs < CONNECT_ADDRS_MAX &&
	    (may_be_local || !connect_is_local(a)))
		s->addrs[s->n_addrs++] = *a;
	else
		s->has_local = true;
}

static void on_connected(void *arg, const struct connect_result *r);

static void
connect_now(struct session *s)
{
	struct connect_config config = {
		.loop = s->sv->loop,
		.addrs = s->addrs,
		.n = s->n_addrs,
		.source4 = s->sv->source4,
		.source6 = s->sv->source6,
		.limit_ms = s->sv->conf->send_connect_s * 1000ULL,
	};

	s->state = CONNECT;
	connect_interleave(s->addrs, s->n_addrs);
	s->connect = connect_new(&config, on_connected, s);
}

static void
addresses_known(struct session *s)
{
	if (s->n_addrs > 0) {
		connect_now(s);
		return;
	}
	if (s->has_dns_trouble)
		blame_locally(s, (struct smtp_status){ 4, 4, 3 },
		    "the address of the mail server could not be looked up");
	else if (s->has_local)
		blame_locally(s, (struct smtp_status){ 4, 4, 4 },
		    "the mail server's name leads to an address of this "
		    "machine");
	else
		blame_locally(s, (struct smtp_status){ 4, 4, 4 },
		    "the mail server's name has no address");
	next_host(s);
}

static void
take_addresses(
    struct session *s, enum dns_type type, const struct dns_answer *a)
{
	uint16_t port = dest_host(s->dest, s->host)->port;
	struct sockaddr_storage addr;

	if (a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS)
		s->has_dns_trouble = true;
	for (size_t i = 0; i < a->n; i++)
		if (dns_read_address(type, a->data[i], port, &addr))
			add_address(s, &addr);
	s->has_any_address |= s->has_dns_trouble || a->n > 0;
	if (s->query4 == NULL && s->query6 == NULL)
		addresses_known(s);
}

static void
on_a(void *arg, const struct dns_answer *a)
{
	struct session *s = arg;

	s->query4 = NULL;
	take_addresses(s, DNS_A, a);
}

static void
on_aaaa(void *arg, const struct dns_answer *a)
{
	struct session *s = arg;

	s->query6 = NULL;
	take_addresses(s, DNS_AAAA, a);
}

/* Routes may name addresses. */
static bool
take_literal(struct session *s, const struct dest_host *h)
{
	struct in6_addr a6;
	struct in_addr a4;
	struct sockaddr_storage addr;

	if (inet_pton(AF_INET, h->name, &a4) == 1)
		(void)!dns_read_address(
		    DNS_A, str_make(&a4, sizeof(a4)), h->port, &addr);
	else if (inet_pton(AF_INET6, h->name, &a6) == 1)
		(void)!dns_read_address(
		    DNS_AAAA, str_make(&a6, sizeof(a6)), h->port, &addr);
	else
		return false;
	add_address(s, &addr);
	return true;
}

static void
try_host(struct session *s)
{
	const struct dest_host *h = dest_host(s->dest, s->host);

	s->state = ADDRESS;
	s->n_addrs = 0;
	s->has_dns_trouble = s->has_local = false;
	s->ip[0] = s->source[0] = s->tls[0] = '\0';
	if (take_literal(s, h)) {
		s->has_any_address = true;
		addresses_known(s);
		return;
	}
	s->query6 =
	    resolver_ask(s->sv->resolver, h->name, DNS_AAAA, on_aaaa, s);
	s->query4 = resolver_ask(s->sv->resolver, h->name, DNS_A, on_a, s);
}

/* --- connecting ----------------------------------------------------------------------------------- */

static const struct conn_handlers handlers;

static enum smtp_client_tls
tls_rule(const struct session *s)
{
	switch (dest_tls(s->dest)) {
	case ROUTE_TLS_MAY:
		break;
	case ROUTE_TLS_MUST:
		return SMTP_CLIENT_TLS_MUST;
	case ROUTE_TLS_NEVER:
	case ROUTE_TLS_IMPLICIT:
		return SMTP_CLIENT_TLS_NEVER;
	}
	return s->is_without_tls ? SMTP_CLIENT_TLS_NEVER : SMTP_CLIENT_TLS_MAY;
}

static void
make_client(struct session *s, bool has_tls)
{
	struct smtp_client_config config = {
		.helo = str_c(s->sv->conf->hostname),
		.has_tls = has_tls,
		.tls = tls_rule(s),
	};

	smtp_client_free(s->client);
	s->client = smtp_client_new(&config);
}

static void
set_timeout(struct session *s)
{
	uint64_t seconds = smtp_client_timeout(smtp_client_stage(s->client));

	conn_set_timeout(
	    s->conn, MIN(seconds, s->sv->conf->send_timeout_s) * 1000);
}

static void
note_source(struct session *s, int fd)
{
	struct sockaddr_storage own = { 0 };
	socklen_t n = sizeof(own);

	if (getsockname(fd, (struct sockaddr *)&own, &n) == 0)
		connect_ip(&own, s->source);
}

static void
open_conn(struct session *s, int fd)
{
	bool is_implicit = dest_tls(s->dest) == ROUTE_TLS_IMPLICIT;
	struct conn_config config = {
		.loop = s->sv->loop,
		.fd = fd,
		.peer = &s->addr,
		.tls = is_implicit ? s->sv->tls : NULL,
		.is_client = true,
		.server_name = host_name(s),
		.in_max = IN_MAX,
		.out_high = OUT_HIGH,
		.out_low = OUT_LOW,
		.handlers = &handlers,
		.arg = s,
	};

	s->state = OPENING;
	s->put_bytes = 0;
	s->is_in_tls_handshake = is_implicit;
	note_source(s, fd);
	make_client(s, is_implicit);
	s->conn = conn_new(&config);
	set_timeout(s);
}

static void
on_connected(void *arg, const struct connect_result *r)
{
	struct session *s = arg;
	char text[100];

	s->connect = NULL;
	s->addr = r->addr;
	connect_ip(&r->addr, s->ip);
	if (r->fd >= 0) {
		open_conn(s, r->fd);
		return;
	}
	snprintf(
	    text, sizeof(text), "connecting failed: %s", strerror(r->error));
	blame_locally(s, (struct smtp_status){ 4, 4, 1 }, text);
	next_host(s);
}

/* The same address once more, without TLS. */
static void
connect_plain(struct session *s)
{
	s->is_without_tls = true;
	s->addrs[0] = s->addr;
	s->n_addrs = 1;
	connect_now(s);
}

/* --- events of the dialogue --------------------------------------------------------------------------- */

static struct judgement
judge(const struct session *s, const struct smtp_client_event *ev)
{
	return (struct judgement){
		.outcome = ev->outcome,
		.is_local = ev->flags & SMTP_CLIENT_IS_LOCAL,
		.may_duplicate = ev->flags & SMTP_CLIENT_MAY_DUPLICATE,
		.has_dsn = smtp_client_caps(s->client)->has & SMTP_CAP_DSN,
		.code = ev->code,
		.status = ev->status,
		.text = ev->text,
	};
}

/* RFC 5321 section 4.5.3.1.10: the rest goes in the next transaction. */
static void
put_off(struct session *s, size_t i)
{
	if (s->rest == NULL)
		s->rest = mail_new(s->mail->domain, s->mail->until_ms);
	mail_add(s->rest, mail_take(s->mail, i));
}

static void
on_result(struct session *s, const struct smtp_client_event *ev)
{
	struct judgement j = judge(s, ev);
	struct trip t = trip(s);
	size_t i = s->index[ev->rcpt];

	/* It was us who broke it off. */
	if (s->sv->is_stopping && (ev->flags & SMTP_CLIENT_IS_LOST))
		j.is_untried = true;
	if (ev->flags & SMTP_CLIENT_IS_TOO_MANY)
		put_off(s, i);
	else
		settle(s->sv, s->mail, i, &j, &t);
}

static void
mail_done(struct session *s)
{
	struct mail *m = TAKE_PTR(s->mail);

	drop_mail_data(s);
	settle_end(s->sv, m);
	if (s->rest != NULL)
		dest_give_back(s->dest, TAKE_PTR(s->rest));
}

static void
on_ready(struct session *s)
{
	if (!s->was_ready) {
		s->was_ready = true;
		s->has_verdict = false;
		dest_opened(s->dest, s);
	}
	next_mail(s);
}

static void
on_mail_done(struct session *s, const struct smtp_client_event *ev)
{
	mail_done(s);
	dest_delivered(s->dest);
	s->mails++;
	if (!ev->is_reusable || s->sv->is_stopping ||
	    s->mails >= s->sv->conf->send_connection_messages) {
		s->state = QUIT;
		smtp_client_quit(s->client);
		return;
	}
	next_mail(s);
}

static void
on_closed_event(struct session *s, const struct smtp_client_event *ev)
{
	if (s->state != QUIT)
		blame(s, judge(s, ev));
	if (s->mail != NULL && s->rcpts != NULL) {
		log_trouble(s, EV_SEND_LOST);
		mail_done(s);
	}
}

static void
handle(struct session *s, const struct smtp_client_event *ev)
{
	switch (ev->type) {
	case SMTP_CLIENT_EVENT_NONE:
		break;
	case SMTP_CLIENT_EVENT_START_TLS:
		s->is_in_tls_handshake = true;
		s->wants_tls = true;
		break;
	case SMTP_CLIENT_EVENT_READY:
		on_ready(s);
		break;
	case SMTP_CLIENT_EVENT_RESULT:
		on_result(s, ev);
		break;
	case SMTP_CLIENT_EVENT_BODY:
		pump(s);
		break;
	case SMTP_CLIENT_EVENT_MAIL_DONE:
		on_mail_done(s, ev);
		break;
	case SMTP_CLIENT_EVENT_CLOSED:
		on_closed_event(s, ev);
		break;
	}
}

static void
put_output(struct session *s)
{
	struct buf *out = smtp_client_out(s->client);

	if (s->conn == NULL || out->n == 0)
		return;
	s->put_bytes += out->n;
	conn_put(s->conn, buf_str(out));
	buf_reset(out, KIB(4));
}

/* Feed the dialogue, act on what it says, send what it wants sent. */
static void
step(struct session *s, struct str in)
{
	bool is_over = false;
	struct smtp_client_event ev;

	while (
	    smtp_client_next(s->client, &in, &ev) != SMTP_CLIENT_EVENT_NONE) {
		handle(s, &ev);
		put_output(s);
		if (ev.type == SMTP_CLIENT_EVENT_CLOSED) {
			is_over = true;
			break;
		}
	}
	put_output(s);
	if (s->conn == NULL)
		return;
	if (is_over)
		conn_close(s->conn);
	else if (s->state != READY)
		set_timeout(s);
}

/* --- the mail --------------------------------------------------------------------------------------------- */

static struct str
put_text(struct buf *b, size_t *at)
{
	struct str s = str_from(buf_str(b), *at);

	*at = b->n;
	return s;
}

/* local@domain, with quotes where they are needed. */
static void
put_mailbox(struct buf *b, struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');
	struct smtp_path path = { 0 };

	if (at >= 0) {
		path.local = str_first(address, (size_t)at);
		path.domain = str_from(address, (size_t)at + 1);
		smtp_mailbox_format(b, &path);
	}
}

static void
put_rcpts(struct session *s)
{
	struct mail *m = s->mail;
	size_t n = 0, at = 0;

	s->rcpts = x_calloc(m->open, sizeof(*s->rcpts));
	s->index = x_calloc(m->open, sizeof(*s->index));
	s->texts = BUF_INIT(m->open * KIB(4));
	/* Not to be moved while strings point into it. */
	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i] != NULL)
			at += m->entries[i]->item.address.n * 2 + 8;
	(void)buf_reserve(&s->texts, at);
	at = 0;
	for (size_t i = 0; i < m->n; i++) {
		const struct msg_queue_item *item;

		if (m->entries[i] == NULL)
			continue;
		item = &m->entries[i]->item;
		put_mailbox(&s->texts, item->address);
		s->rcpts[n] = (struct smtp_client_rcpt){
			.to = put_text(&s->texts, &at),
			.notify = item->notify,
			.orcpt = item->orcpt,
		};
		s->index[n++] = i;
	}
	s->env.rcpts = s->rcpts;
	s->env.n_rcpts = n;
}

static void
begin_mail(struct session *s)
{
	const struct msg_queue_item *item = mail_item(s->mail);
	uint64_t now = loop_time(s->sv->loop);

	s->env = (struct smtp_client_mail){
		.from = item->mail_from,
		.size = s->size,
		.body = (enum smtp_body)item->body,
		.is_smtputf8 = item->is_smtputf8,
		.has_requiretls = item->has_requiretls,
		.has_priority = item->priority != DELIVER_PRIORITY_NORMAL,
		.priority = item->priority - DELIVER_PRIORITY_NORMAL,
		.ret = (enum smtp_ret)item->ret,
		.envid = item->envid,
	};
	if (item->deliver_by > 0) {
		unsigned mode = item->deliver_by_mode;

		s->env.by_mode =
		    (mode & SMTP_BY_MODE) == SMTP_BY_RETURN ? 'R' : 'N';
		s->env.by_trace = mode & SMTP_BY_TRACE;
		s->env.by_seconds = (int64_t)(item->deliver_by - now);
	}
	put_rcpts(s);
	s->state = SEND;
	s->sent = 0;
	smtp_client_mail(s->client, &s->env);
	step(s, STR_NONE);
}

/* The entry is gone (cancelled), or cannot be read. */
static void
cannot_read(struct session *s, const struct ipc_msg *m)
{
	struct judgement j = { .outcome = TEMPFAIL, .is_untried = true };
	struct trip none = { 0 };

	if (m->outcome != NOT_FOUND && ipc_reason(m) == REASON_CORRUPT)
		j = (struct judgement){ .outcome = TEMPFAIL,
			.is_held = true,
			.is_local = true,
			.status = { 4, 3, 0 },
			.text = STR("the message is damaged on disk") };
	settle_all(s->sv, TAKE_PTR(s->mail), &j, &none);
	s->state = READY;
	next_mail(s);
	if (s->conn != NULL)
		step(s, STR_NONE);
}

static void
on_read(void *arg, struct ipc_msg *m)
{
	struct session *s = arg;
	struct msg_queue_read_reply reply;

	s->read_id = 0;
	s->read_peer = ipc_peer_unref(s->read_peer);
	if (m->outcome != DONE || !msg_queue_read_reply_get(m->body, &reply)) {
		cannot_read(s, m);
		return;
	}
	s->size = reply.size;
	s->data = BUF_INIT(MAX(reply.data.n, 1));
	buf_put_str(&s->data, reply.data);
	s->fd = m->fd;
	m->fd = -1;
	begin_mail(s);
}

static void
ask_bytes(struct session *s, struct ipc_peer *store)
{
	const struct msg_queue_item *item = mail_item(s->mail);
	struct msg_queue_read m = { item->message, item->rcpt };
	struct buf body = BUF_INIT(KIB(1));

	s->state = READ;
	msg_queue_read_put(&body, &m);
	s->read_peer = ipc_peer_ref(store);
	s->read_id = ipc_request(
	    store, MSG_QUEUE_READ, 0, buf_str(&body), -1, on_read, s);
	buf_done(&body);
}

static void
next_mail(struct session *s)
{
	struct ipc_peer *store = runtime_peer(s->sv->rt, ROLE_STORE);

	s->mail = dest_take(s->dest, s);
	if (s->mail != NULL && store != NULL) {
		loop_timer_clear(s->idle);
		ask_bytes(s, store);
		return;
	}
	/* Without a store: once more when it is back. */
	if (s->mail != NULL)
		settle_release(s->sv, TAKE_PTR(s->mail));
	s->state = READY;
	conn_set_timeout(s->conn, 0);
	loop_timer_set(s->idle, s->sv->conf->send_idle_s * 1000ULL);
}

void
session_wake(struct session *s)
{
	if (s->state == READY)
		next_mail(s);
}

static void
on_idle(void *arg)
{
	struct session *s = arg;

	if (s->state != READY || s->conn == NULL)
		return;
	s->state = QUIT;
	smtp_client_quit(s->client);
	step(s, STR_NONE);
}

/* --- the message's bytes ------------------------------------------------------------------------------------ */

/* The next piece; empty: it cannot be read. */
static struct str
next_piece(struct session *s, char *scratch)
{
	ssize_t n;

	if (s->sent < s->data.n)
		return str_sub(buf_str(&s->data), (size_t)s->sent, CHUNK);
	if (s->fd < 0)
		return STR_NONE;
	do
		n = pread(s->fd, scratch, CHUNK, (off_t)(s->sent - s->data.n));
	while (n < 0 && errno == EINTR);
	return str_make(scratch, n > 0 ? (size_t)n : 0);
}

/* As much as the connection takes now. */
static void
pump(struct session *s)
{
	char scratch[CHUNK];

	while (s->conn != NULL &&
	       smtp_client_stage(s->client) == SMTP_CLIENT_BODY &&
	       !conn_is_full(s->conn)) {
		struct str piece = STR_NONE;

		if (s->sent < s->size)
			piece = next_piece(s, scratch);
		if (piece.n == 0) {
			smtp_client_end(s->client, s->sent == s->size);
			put_output(s);
			return;
		}
		s->sent += piece.n;
		smtp_client_body(s->client, piece);
		put_output(s);
	}
}

/* --- the connection -------------------------------------------------------------------------------------------- */

static void
on_data(void *arg)
{
	struct session *s = arg;
	struct str in = conn_in(s->conn);

	step(s, in);
	conn_consume(s->conn, in.n);
	if (s->wants_tls)
		conn_start_tls(s->conn, s->sv->tls);
	s->wants_tls = false;
}

static void
on_drained(void *arg)
{
	struct session *s = arg;

	pump(s);
	step(s, STR_NONE);
}

static void
on_tls_ready(void *arg)
{
	struct session *s = arg;
	const char *distrust = conn_tls_distrust(s->conn);

	s->is_in_tls_handshake = false;
	snprintf(s->tls, sizeof(s->tls), "%s %s %s%s",
	    conn_tls_version(s->conn), conn_tls_cipher(s->conn),
	    distrust ? "untrusted: " : "trusted", distrust ? distrust : "");
	if (dest_tls(s->dest) == ROUTE_TLS_IMPLICIT)
		return;
	smtp_client_tls_started(s->client);
	step(s, STR_NONE);
}

static void
on_timeout(void *arg)
{
	struct session *s = arg;

	smtp_client_lost(s->client, SMTP_CLIENT_LOSS_TIMEOUT,
	    (size_t)(s->put_bytes - conn_bytes_out(s->conn)));
	step(s, STR_NONE);
	if (s->conn != NULL)
		conn_abort(s->conn);
}

/* What the dialogue has to say about the connection's end. */
static void
tell_client(struct session *s, enum conn_end how)
{
	uint64_t out = conn_bytes_out(s->conn);
	size_t unsent = s->put_bytes > out ? (size_t)(s->put_bytes - out) : 0;

	s->conn = NULL;
	if (smtp_client_stage(s->client) == SMTP_CLIENT_CLOSED)
		return;
	smtp_client_lost(s->client,
	    how == CONN_END_TLS       ? SMTP_CLIENT_LOSS_TLS
	    : how == CONN_END_LOCAL   ? SMTP_CLIENT_LOSS_LOCAL
	    : how == CONN_END_TIMEOUT ? SMTP_CLIENT_LOSS_TIMEOUT
				      : SMTP_CLIENT_LOSS_CLOSED,
	    unsent);
	step(s, STR_NONE);
}

static bool
may_go_without_tls(const struct session *s)
{
	return s->is_in_tls_handshake && !s->is_without_tls &&
	       !s->sv->is_stopping && dest_tls(s->dest) == ROUTE_TLS_MAY;
}

static void
on_conn_closed(void *arg, enum conn_end how, const char *detail)
{
	struct session *s = arg;
	bool has_failed_tls = s->is_in_tls_handshake;
	bool was_idle = s->state == READY;

	tell_client(s, how);
	if (s->read_id != 0) {
		ipc_cancel(s->read_peer, s->read_id);
		s->read_peer = ipc_peer_unref(s->read_peer);
		s->read_id = 0;
	}
	if (has_failed_tls) {
		char text[150];

		snprintf(text, sizeof(text), "TLS failed: %s", detail);
		blame_locally(s, (struct smtp_status){ 4, 7, 5 }, text);
		log_trouble(s, EV_SEND_TLS_FAIL);
	}
	if (may_go_without_tls(s)) {
		s->is_in_tls_handshake = false;
		s->has_verdict = false;
		connect_plain(s);
	} else if (s->was_ready) {
		leave(s, s->state != QUIT && !was_idle && s->has_verdict);
	} else {
		next_host(s);
	}
}

static const struct conn_handlers handlers = {
	.data = on_data,
	.drained = on_drained,
	.tls_ready = on_tls_ready,
	.timeout = on_timeout,
	.closed = on_conn_closed,
};

/* --- from outside ------------------------------------------------------------------------------------------------- */

static void
begin(void *arg)
{
	struct session *s = arg;

	if (s->state == ADDRESS)
		try_host(s);
}

struct session *
session_new(struct dest *d, struct server *sv)
{
	struct session *s = X_NEW(struct session);

	s->sv = sv;
	s->dest = d;
	s->fd = -1;
	s->idle = loop_timer_new(sv->loop, on_idle, s);
	/* The destination is not done with its own list yet. */
	loop_defer(sv->loop, begin, s);
	return s;
}

void
session_stop(struct session *s)
{
	if (s->state == SEND && smtp_client_stage(s->client) == SMTP_CLIENT_END)
		return;
	if (s->conn != NULL && s->state == READY) {
		on_idle(s);
	} else if (s->conn != NULL) {
		conn_abort(s->conn);
	} else if (s->state != GONE) {
		connect_cancel(s->connect);
		s->connect = NULL;
		leave(s, false);
	}
}
