/* SPDX-License-Identifier: ISC */
/*
 * probe_smtp.c - SMTP and submission: greeting, EHLO, STARTTLS, sign in.
 *
 * Its dialogue is the one of the role send (proto/smtp/smtp_client.h), up to
 * where a message would begin.
 */
#include "watch/probe/probe_internal.h"
#include "proto/smtp/smtp_client.h"

struct state {
	struct smtp_client *client;
	bool is_secure;
	char helo[DNS_NAME_MAX + 1]; /* the configuration may change */
};

static enum status_tls
tls_of(const struct probe *p)
{
	return p->check->kind == STATUS_TLS ? STATUS_TLS_START
	                                    : status_check_tls(p->check);
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
ready(struct probe *p, struct state *s)
{
	const struct smtp_caps *caps = smtp_client_caps(s->client);
	bool has_login = status_check_count(p->check, STATUS_OPT_LOGIN) > 0;

	probe_mark(p, has_login ? "login" : "ehlo");
	smtp_client_quit(s->client);
	send_out(p, s);
	if (p->check->kind == STATUS_TLS)
		probe_ok(p, "certificate good for %u day%s", p->days,
		    str_s(p->days));
	else
		probe_ok(p, "%s%s", has_login ? "signed in" : "ready for mail",
		    !s->is_secure && caps->has & SMTP_CAP_STARTTLS
			? ", offers STARTTLS"
			: "");
}

static void
closed(struct probe *p, const struct smtp_client_event *e)
{
	const struct state *s = p->state;
	/* It speaks SMTP, and we do not want to go on without TLS. */
	bool wants_tls = e->stage == SMTP_CLIENT_EHLO && !s->is_secure &&
	                 e->flags & SMTP_CLIENT_IS_LOCAL &&
	                 !(e->flags & SMTP_CLIENT_IS_PROTOCOL) &&
	                 tls_of(p) == STATUS_TLS_START;
	enum watch_cause cause = WATCH_PROTOCOL;

	if (e->stage == SMTP_CLIENT_AUTH)
		cause = WATCH_LOGIN;
	else if (e->stage == SMTP_CLIENT_STARTTLS || wants_tls)
		cause = WATCH_TLS;
	if (wants_tls && p->check->kind != STATUS_TLS) {
		probe_fail(p, cause,
		    "offers no STARTTLS (tls=never if that is meant)");
		return;
	}
	probe_fail(p, cause, "%s: %s%s%s", smtp_client_stage_str(e->stage),
	    e->code ? "" : "(ours) ", e->code ? "the server says: " : "",
	    probe_cut(e->text));
}

static void
pump(struct probe *p, struct str *in)
{
	struct state *s = p->state;
	struct smtp_client_event e;

	while (!p->is_over) {
		switch (smtp_client_next(s->client, in, &e)) {
		case SMTP_CLIENT_EVENT_NONE:
			send_out(p, s);
			return;
		case SMTP_CLIENT_EVENT_START_TLS:
			send_out(p, s);
			probe_begin_tls(p);
			return;
		case SMTP_CLIENT_EVENT_READY:
			ready(p, s);
			return;
		case SMTP_CLIENT_EVENT_CLOSED:
			closed(p, &e);
			return;
		case SMTP_CLIENT_EVENT_RESULT:
		case SMTP_CLIENT_EVENT_BODY:
		case SMTP_CLIENT_EVENT_MAIL_DONE:
			break;
		}
	}
}

static void
begin(struct probe *p)
{
	enum status_tls tls = tls_of(p);
	struct state *s = p->state;
	struct smtp_client_config config = {
		.has_tls = tls == STATUS_TLS_IMPLICIT,
		.tls = tls == STATUS_TLS_START ? SMTP_CLIENT_TLS_MUST
		                               : SMTP_CLIENT_TLS_NEVER,
		.login = status_check_text(p->check, STATUS_OPT_LOGIN, 0),
		.password = status_check_text(p->check, STATUS_OPT_PASSWORD, 0),
	};
	struct str none = STR_NONE;

	(void)snprintf(s->helo, sizeof(s->helo), "%s", p->sv->conf->hostname);
	config.helo = str_c(s->helo);
	s->client = smtp_client_new(&config);
	pump(p, &none);
}

static void
start(struct probe *p)
{
	probe_connect(p, tls_of(p) == STATUS_TLS_IMPLICIT);
}

static void
secured(struct probe *p)
{
	struct state *s = p->state;
	struct str none = STR_NONE;

	s->is_secure = true;
	if (!probe_judge_certificate(p))
		return;
	if (s->client == NULL) {
		begin(p);
		return;
	}
	smtp_client_tls_started(s->client);
	pump(p, &none);
}

static void
data(struct probe *p)
{
	struct str in = probe_in(p), all = in;

	probe_tell(p, '<', in);
	pump(p, &in);
	probe_took(p, all.n - in.n);
}

static void
stop(struct probe *p)
{
	struct state *s = p->state;

	s->client = smtp_client_free(s->client);
}

const struct probe_kind probe_smtp = {
	.state_size = sizeof(struct state),
	.start = start,
	.opened = begin,
	.secured = secured,
	.data = data,
	.stop = stop,
};
