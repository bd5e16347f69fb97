/* SPDX-License-Identifier: ISC */
/*
 * probe_roundtrip.c - a mail goes out by submission and is looked for by IMAP.
 *
 * The stages: submit (until the server took it over), arrive (until a search
 * finds it), and what its Received fields say of the way in between: a hop for each
 * host, and the mailbox. Then it is removed. A mail that comes too late stays in the
 * mailbox, which had better be one of its own.
 */
#include "watch/probe/probe_internal.h"
#include "proto/http/http_text.h"
#include "proto/smtp/smtp_client.h"
#include "proto/talk/talk.h"

#define LOOK_MS 500
#define SUBJECT "Mailstead round trip"
#define FIELD   "X-Mailstead-Probe"

enum step { SELECT, SEARCH, FETCH, STORE, EXPUNGE };

struct state {
	struct smtp_client *client;
	struct talk talk;
	bool has_talk, is_reading;
	enum step step;
	char id[40];
	char helo[DNS_NAME_MAX + 1]; /* the configuration may change */
	struct buf message;
	char from[STATUS_VALUE_MAX + 3], to[STATUS_VALUE_MAX + 3];
	struct smtp_client_rcpt rcpt;
	struct smtp_client_mail mail;
	struct loop_timer *look;
	char uid[16];
	uint64_t sent_s, found_s; /* by our clock */
	struct probe_hop slowest;
};

static enum status_tls
tls_of_port(uint16_t port)
{
	return port == 465 || port == 993 ? STATUS_TLS_IMPLICIT
	                                  : STATUS_TLS_START;
}

/* --- reading ------------------------------------------------------------------- */

static void
command(struct probe *p, enum step step, const char *line)
{
	struct state *s = p->state;

	s->step = step;
	talk_command(&s->talk, str_c(line));
	probe_send(p, buf_str(talk_out(&s->talk)));
	buf_reset(talk_out(&s->talk), KIB(4));
}

static void
look(void *arg)
{
	struct probe *p = arg;
	struct state *s = p->state;

	char line[120];

	(void)snprintf(
	    line, sizeof(line), "UID SEARCH HEADER " FIELD " %s", s->id);
	command(p, SEARCH, line);
}

/* "SEARCH 4 5": the first number. */
static bool
find_uid(struct state *s)
{
	struct str rest = talk_untagged(&s->talk), line, word;
	uint32_t uid;

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &line);
		if (!str_starts_case(line, STR("SEARCH ")))
			continue;
		(void)str_split(str_from(line, 7), ' ', &word);
		if (!str_to_u32(word, UINT32_MAX, &uid) || uid == 0)
			continue;
		(void)snprintf(s->uid, sizeof(s->uid), "%u", uid);
		return true;
	}
	return false;
}

static void
arrived(struct probe *p)
{
	struct state *s = p->state;
	char line[120];

	probe_mark(p, "arrive");
	s->found_s = loop_time(p->sv->loop);
	p->us = (uint32_t)MIN(server_now_us() - p->began_us, UINT32_MAX);
	(void)snprintf(line, sizeof(line),
	    "UID FETCH %s (BODY.PEEK[HEADER.FIELDS (RECEIVED)])", s->uid);
	command(p, FETCH, line);
}

static void
remove_it(struct probe *p)
{
	struct state *s = p->state;
	char line[80];

	(void)snprintf(line, sizeof(line),
	    "UID STORE %s +FLAGS.SILENT (\\Deleted)", s->uid);
	command(p, STORE, line);
}

static void
went_round(struct probe *p)
{
	struct state *s = p->state;

	if (s->slowest.took_s > 0)
		probe_ok(p, "a mail arrived after %u ms, %lld s of it up to %s",
		    p->us / 1000, (long long)s->slowest.took_s,
		    s->slowest.host);
	else
		probe_ok(p, "a mail arrived after %u ms", p->us / 1000);
}

static void
answered(struct probe *p)
{
	struct state *s = p->state;
	char line[80];

	switch (s->step) {
	case SELECT:
		look(p);
		return;
	case SEARCH:
		if (find_uid(s))
			arrived(p);
		else
			loop_timer_set(s->look, LOOK_MS);
		return;
	case FETCH:
		probe_tell_way(p, talk_literals(&s->talk), s->sent_s,
		    s->found_s, &s->slowest);
		remove_it(p);
		return;
	case STORE:
		(void)snprintf(line, sizeof(line), "UID EXPUNGE %s", s->uid);
		command(p, EXPUNGE, line);
		return;
	case EXPUNGE:
		break;
	}
	talk_end(&s->talk);
	probe_send(p, buf_str(talk_out(&s->talk)));
	went_round(p);
}

static void
read_on(struct probe *p, struct str *in)
{
	struct state *s = p->state;

	while (!p->is_over) {
		enum talk_stage stage = talk_stage(&s->talk);
		enum talk_event e = talk_next(&s->talk, in);
		struct buf *out = talk_out(&s->talk);

		if (out->n > 0 && s->talk.is_secret)
			probe_send_secret(p, buf_str(out), "(not shown)");
		else if (out->n > 0)
			probe_send(p, buf_str(out));
		buf_reset(out, KIB(4));
		if (e == TALK_MORE)
			return;
		if (e == TALK_START_TLS) {
			probe_begin_tls(p);
			return;
		}
		if (e == TALK_READY) {
			probe_mark(p, "login");
			command(p, SELECT, "SELECT INBOX");
		} else if (e == TALK_ANSWER)
			answered(p);
		else if (e == TALK_REFUSED && s->step == FETCH)
			/* Then its way stays unknown, and it arrived all the same. */
			remove_it(p);
		else
			probe_fail(p,
			    stage == TALK_LOGIN ? WATCH_LOGIN : WATCH_PROTOCOL,
			    "IMAP: %s", talk_text(&s->talk));
	}
}

static void
begin_talk(struct probe *p)
{
	struct state *s = p->state;
	struct talk_config config = { .kind = TALK_IMAP,
		.starts_tls = !p->is_implicit_tls,
		.has_tls = p->is_implicit_tls,
		.login = status_check_text(p->check, STATUS_OPT_LOGIN, 0),
		.password =
		    status_check_text(p->check, STATUS_OPT_PASSWORD, 0) };

	talk_init(&s->talk, &config);
	s->has_talk = true;
}

static void
begin_reading(struct probe *p)
{
	struct state *s = p->state;
	struct str host;
	uint16_t port;

	if (p->is_over || !status_host_port(status_check_text(p->check,
						STATUS_OPT_IMAPHOST, 0),
			      &host, &port))
		return;
	s->is_reading = true;
	port = port != 0 ? port : 993;
	probe_connect_to(
	    p, host, port, tls_of_port(port) == STATUS_TLS_IMPLICIT);
}

/* --- submitting ------------------------------------------------------------------ */

static void
make_message(struct probe *p)
{
	struct state *s = p->state;
	struct str from = status_check_text(p->check, STATUS_OPT_FROM, 0);

	if (from.n == 0)
		from = status_check_text(p->check, STATUS_OPT_LOGIN, 0);
	(void)snprintf(s->from, sizeof(s->from), "%.*s", STR_ARG(from));
	(void)snprintf(s->to, sizeof(s->to), "%.*s", STR_ARG(p->check->target));
	(void)snprintf(s->id, sizeof(s->id), "%08x%08x%08x",
	    server_random(UINT32_MAX), server_random(UINT32_MAX),
	    server_random(UINT32_MAX));
	buf_init(&s->message, KIB(8));
	buf_printf(&s->message,
	    "From: <%s>\r\nTo: <%s>\r\nSubject: " SUBJECT "\r\nDate: ", s->from,
	    s->to);
	http_date_format(&s->message, loop_time(p->sv->loop));
	/* That ends in GMT, which mail calls obsolete. */
	s->message.n -= 3;
	buf_printf(&s->message,
	    "+0000\r\nMessage-ID: <%s@%s>\r\n" FIELD ": %s\r\n"
	    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
	    "This mail shows that mail works. It is removed by itself.\r\n",
	    s->id, p->sv->conf->hostname, s->id);
	s->rcpt = (struct smtp_client_rcpt){ .to = str_c(s->to) };
	s->mail = (struct smtp_client_mail){ .from = str_c(s->from),
		.rcpts = &s->rcpt,
		.n_rcpts = 1,
		.size = s->message.n };
}

static void
send_out(struct probe *p, struct state *s)
{
	struct buf *out = smtp_client_out(s->client);

	if (out->n == 0)
		return;
	if (smtp_client_stage(s->client) == SMTP_CLIENT_AUTH)
		probe_send_secret(p, buf_str(out), "AUTH (not shown)");
	else
		probe_send(p, buf_str(out));
	buf_done_secret(out);
	buf_init(out, out->max);
}

static void
refused(struct probe *p, const struct smtp_client_event *e)
{
	probe_fail(p,
	    e->stage == SMTP_CLIENT_AUTH       ? WATCH_LOGIN
	    : e->stage == SMTP_CLIENT_STARTTLS ? WATCH_TLS
					       : WATCH_PROTOCOL,
	    "submission, %s: %s", smtp_client_stage_str(e->stage),
	    probe_cut(e->text));
}

/* True: go on. */
static bool
take_event(struct probe *p, const struct smtp_client_event *e)
{
	struct state *s = p->state;

	switch (e->type) {
	case SMTP_CLIENT_EVENT_NONE:
		return false;
	case SMTP_CLIENT_EVENT_START_TLS:
		send_out(p, s);
		probe_begin_tls(p);
		return false;
	case SMTP_CLIENT_EVENT_READY:
		probe_mark(p, "login");
		smtp_client_mail(s->client, &s->mail);
		return true;
	case SMTP_CLIENT_EVENT_BODY:
		s->sent_s = loop_time(p->sv->loop);
		smtp_client_body(s->client, buf_str(&s->message));
		send_out(p, s);
		smtp_client_end(s->client, true);
		return true;
	case SMTP_CLIENT_EVENT_RESULT:
		if (e->outcome != DONE)
			refused(p, e);
		return true;
	case SMTP_CLIENT_EVENT_MAIL_DONE:
		probe_mark(p, "submit");
		smtp_client_quit(s->client);
		send_out(p, s);
		probe_hang_up(p, begin_reading);
		return false;
	case SMTP_CLIENT_EVENT_CLOSED:
		refused(p, e);
		return false;
	}
	return false;
}

static void
submit(struct probe *p, struct str *in)
{
	struct state *s = p->state;
	struct smtp_client_event e;

	while (!p->is_over) {
		(void)!smtp_client_next(s->client, in, &e);
		if (!take_event(p, &e))
			break;
	}
	if (!p->is_over && p->next == NULL)
		send_out(p, s);
}

static void
begin_submission(struct probe *p)
{
	struct state *s = p->state;
	struct smtp_client_config config = {
		.has_tls = p->is_implicit_tls,
		.tls = SMTP_CLIENT_TLS_MUST,
		.login = status_check_text(p->check, STATUS_OPT_LOGIN, 0),
		.password = status_check_text(p->check, STATUS_OPT_PASSWORD, 0),
	};
	struct str none = STR_NONE;

	(void)snprintf(s->helo, sizeof(s->helo), "%s", p->sv->conf->hostname);
	config.helo = str_c(s->helo);
	s->client = smtp_client_new(&config);
	submit(p, &none);
}

/* --- the probe ---------------------------------------------------------------------- */

static void
start(struct probe *p)
{
	struct state *s = p->state;
	struct str host;
	uint16_t port;

	s->look = loop_timer_new(p->sv->loop, look, p);
	make_message(p);
	if (!status_host_port(
		status_check_text(p->check, STATUS_OPT_VIA, 0), &host, &port))
		return;
	port = port != 0 ? port : 587;
	probe_connect_to(
	    p, host, port, tls_of_port(port) == STATUS_TLS_IMPLICIT);
}

static void
opened(struct probe *p)
{
	struct state *s = p->state;

	if (s->is_reading)
		begin_talk(p);
	else
		begin_submission(p);
}

static void
secured(struct probe *p)
{
	struct state *s = p->state;
	struct str none = STR_NONE;

	if (!probe_judge_certificate(p))
		return;
	if (p->is_implicit_tls) {
		opened(p);
	} else if (s->is_reading) {
		talk_secured(&s->talk);
		read_on(p, &none);
	} else {
		smtp_client_tls_started(s->client);
		submit(p, &none);
	}
}

static void
data(struct probe *p)
{
	struct state *s = p->state;
	struct str in = probe_in(p), all = in;

	probe_tell(p, '<', in);
	if (s->is_reading)
		read_on(p, &in);
	else
		submit(p, &in);
	probe_took(p, all.n - in.n);
}

/* The stage behind the last one that ended. */
static const char *
under_way(const struct probe *p)
{
	static const struct {
		const char *done, *next;
	} order[] = { { "submit", "name" }, { "name", "connect" },
		{ "connect", "tls" }, { "tls", "login" } };
	const struct state *s = p->state;
	const char *last =
	    p->n_stages > 0 ? p->stages[p->n_stages - 1].name : "submit";

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (strcmp(order[i].done, last) == 0)
			return order[i].next;
	if (strcmp(last, "login") != 0)
		return "remove";
	return s->is_reading ? "arrive" : "submit";
}

static void
late(struct probe *p)
{
	struct state *s = p->state;

	probe_mark_open(p, under_way(p));
	if (s->is_reading && s->step == SEARCH)
		probe_fail(
		    p, WATCH_TIMEOUT, "the mail was taken and has not arrived");
}

static void
stop(struct probe *p)
{
	struct state *s = p->state;

	s->client = smtp_client_free(s->client);
	if (s->has_talk)
		talk_done(&s->talk);
	if (s->look != NULL)
		loop_timer_free(s->look);
	buf_done(&s->message);
}

const struct probe_kind probe_roundtrip = {
	.state_size = sizeof(struct state),
	.start = start,
	.opened = opened,
	.secured = secured,
	.data = data,
	.late = late,
	.stop = stop,
};
