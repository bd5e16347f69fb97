/* SPDX-License-Identifier: ISC */
/* probe_talk.c - IMAP, POP3 and ManageSieve: greeting, TLS, sign in. */
#include "watch/probe/probe_internal.h"
#include "proto/talk/talk.h"

struct state {
	struct talk talk;
	bool has_begun;
};

static enum status_tls
tls_of(const struct probe *p)
{
	return p->check->kind == STATUS_TLS ? STATUS_TLS_START
	                                    : status_check_tls(p->check);
}

static enum talk_kind
talk_kind_of(const struct probe *p)
{
	unsigned protocol = status_check_word(p->check, STATUS_OPT_PROTOCOL, 0);

	if (p->check->kind == STATUS_IMAP || protocol == STATUS_PROTOCOL_IMAP)
		return TALK_IMAP;
	if (p->check->kind == STATUS_POP3 || protocol == STATUS_PROTOCOL_POP3)
		return TALK_POP3;
	return TALK_SIEVE;
}

static void
send_out(struct probe *p, struct state *s)
{
	struct buf *out = talk_out(&s->talk);

	if (out->n == 0)
		return;
	if (s->talk.is_secret)
		probe_send_secret(p, buf_str(out), "(not shown)");
	else
		probe_send(p, buf_str(out));
	explicit_bzero(out->p, out->n);
	buf_reset(out, out->cap);
}

static void
ready(struct probe *p, struct state *s)
{
	bool has_login = status_check_count(p->check, STATUS_OPT_LOGIN) > 0;

	probe_mark(p, has_login ? "login" : "greeting");
	talk_end(&s->talk);
	send_out(p, s);
	if (p->check->kind == STATUS_TLS)
		probe_ok(p, "certificate good for %u day%s", p->days,
		    str_s(p->days));
	else
		probe_ok(p, "%s", has_login ? "signed in" : "ready");
}

static enum watch_cause
cause_of(const struct probe *p, enum talk_event e, enum talk_stage stage)
{
	if (e == TALK_NONSENSE)
		return WATCH_PROTOCOL;
	if (stage == TALK_STARTTLS)
		return WATCH_TLS;
	if (stage == TALK_USER || stage == TALK_LOGIN)
		return WATCH_LOGIN;
	return p->conn != NULL ? WATCH_PROTOCOL : WATCH_UNREACHABLE;
}

static void
pump(struct probe *p, struct str *in)
{
	struct state *s = p->state;

	while (!p->is_over) {
		enum talk_stage stage = talk_stage(&s->talk);
		enum talk_event e = talk_next(&s->talk, in);

		send_out(p, s);
		if (e == TALK_MORE)
			return;
		if (e == TALK_START_TLS) {
			probe_begin_tls(p);
			return;
		}
		if (e == TALK_READY || e == TALK_ANSWER)
			ready(p, s);
		else
			probe_fail(p, cause_of(p, e, stage), "%s: %s",
			    stage == TALK_STARTTLS && e == TALK_REFUSED
				? "offers no STARTTLS (tls=never if that is "
				  "meant)"
				: "the server says",
			    talk_text(&s->talk));
	}
}

static void
begin(struct probe *p)
{
	struct state *s = p->state;
	enum status_tls tls = tls_of(p);
	const struct talk_config config = { .kind = talk_kind_of(p),
		.starts_tls = tls == STATUS_TLS_START,
		.has_tls = tls == STATUS_TLS_IMPLICIT,
		.login = status_check_text(p->check, STATUS_OPT_LOGIN, 0),
		.password =
		    status_check_text(p->check, STATUS_OPT_PASSWORD, 0) };

	talk_init(&s->talk, &config);
	s->has_begun = true;
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

	if (!probe_judge_certificate(p))
		return;
	if (!s->has_begun) {
		begin(p);
		return;
	}
	talk_secured(&s->talk);
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

	if (s->has_begun)
		talk_done(&s->talk);
}

const struct probe_kind probe_talk = {
	.state_size = sizeof(struct state),
	.start = start,
	.opened = begin,
	.secured = secured,
	.data = data,
	.stop = stop,
};
