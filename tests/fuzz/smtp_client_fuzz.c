/* SPDX-License-Identifier: ISC */
/*
 * LINK: smtp
 *
 * The input is what a server says, and where the connection ends. Properties:
 * the client sends and reports the same however that is split; each recipient
 * has exactly one result before MAIL_DONE or CLOSED; nothing is delivered
 * that was not answered with 2xx behind its end; no command line is ended by
 * what a server or an address says; CLOSED is the last event.
 */
#include "proto/smtp/smtp_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RCPTS 4

static const struct smtp_client_rcpt rcpts[RCPTS] = {
	{ .to = { "b@x.org", 7 }, .notify = 6 },
	{ .to = { "not valid", 9 } },
	{ .to = { "\"c d\"@x.org", 11 }, .orcpt = { "rfc822;c d", 10 } },
	{ .to = { "d\xC3\xBC@x.org", 9 } },
};

struct run {
	struct smtp_client *c;
	struct smtp_client_mail mail;
	struct buf trace;
	unsigned results[RCPTS];
	unsigned mails;
	bool is_in_mail, is_body, is_ended, is_closed;
};

static void
trace_output(struct run *r)
{
	struct buf *out = smtp_client_out(r->c);

	buf_put_str(&r->trace, buf_str(out));
	buf_reset(out, 0);
}

static void
begin(struct run *r)
{
	if (++r->mails > 3) {
		smtp_client_quit(r->c);
		return;
	}
	memset(r->results, 0, sizeof(r->results));
	r->is_in_mail = true;
	r->is_ended = false;
	smtp_client_mail(r->c, &r->mail);
}

static void
finish(struct run *r)
{
	for (size_t i = 0; i < RCPTS && r->is_in_mail; i++)
		ASSERT(r->results[i] == 1);
	r->is_in_mail = false;
}

static void
check_result(struct run *r, const struct smtp_client_event *e)
{
	ASSERT(r->is_in_mail && e->rcpt < RCPTS);
	r->results[e->rcpt]++;
	ASSERT(r->results[e->rcpt] == 1);
	ASSERT(e->outcome != NOT_FOUND);
	ASSERT(e->status.class == 2 || e->outcome != DONE);
	if (e->outcome == DONE)
		ASSERT(r->is_ended && e->code / 100 == 2);
	if (e->flags & SMTP_CLIENT_MAY_DUPLICATE)
		ASSERT(r->is_ended && e->outcome == TEMPFAIL);
	if (!(e->flags & SMTP_CLIENT_IS_LOCAL))
		ASSERT(e->code >= 200 && e->code <= 599);
	/* The second address is none, whatever the server said. */
	ASSERT(e->rcpt != 1 || e->outcome != DONE);
}

static void
handle(struct run *r, const struct smtp_client_event *e)
{
	ASSERT(!r->is_closed);
	buf_printf(&r->trace, "<%d %d %u %zu %d %d %d.%d.%d ", (int)e->type,
	    (int)e->outcome, e->flags, e->rcpt, (int)e->stage, e->code,
	    e->status.class, e->status.subject, e->status.detail);
	buf_put_str(&r->trace, e->text);
	buf_put_c(&r->trace, ">");
	switch (e->type) {
	case SMTP_CLIENT_EVENT_READY:
		begin(r);
		break;
	case SMTP_CLIENT_EVENT_MAIL_DONE:
		finish(r);
		if (e->is_reusable)
			begin(r);
		else
			smtp_client_quit(r->c);
		break;
	case SMTP_CLIENT_EVENT_RESULT:
		check_result(r, e);
		break;
	case SMTP_CLIENT_EVENT_START_TLS:
		ASSERT(smtp_client_stage(r->c) == SMTP_CLIENT_HANDSHAKE);
		break;
	case SMTP_CLIENT_EVENT_BODY:
		r->is_body = true;
		break;
	case SMTP_CLIENT_EVENT_CLOSED:
		finish(r);
		r->is_closed = true;
		break;
	case SMTP_CLIENT_EVENT_NONE:
		break;
	}
}

static void
feed(struct run *r, struct str in)
{
	struct smtp_client_event e;

	for (;;) {
		if (smtp_client_next(r->c, &in, &e) == SMTP_CLIENT_EVENT_NONE)
			break;
		trace_output(r);
		handle(r, &e);
		trace_output(r);
	}
	ASSERT(in.n == 0);
	trace_output(r);
}

/* What comes between two portions: the caller's own turn. */
static void
take_turn(struct run *r)
{
	if (r->is_body) {
		r->is_body = false;
		r->is_ended = true;
		smtp_client_body(r->c, STR("Hi\r\n.\r\n"));
		smtp_client_end(r->c, true);
		feed(r, STR_NONE);
	}
	if (smtp_client_stage(r->c) == SMTP_CLIENT_HANDSHAKE) {
		smtp_client_tls_started(r->c);
		feed(r, STR_NONE);
	}
}

/* Portions end at NUL: there the caller acts, in each run. */
static void
run_all(struct run *r, const struct smtp_client_config *config, struct str in,
    size_t step)
{
	r->c = smtp_client_new(config);
	r->trace = BUF_INIT(MIB(4));
	while (in.p) {
		struct str part;

		in = str_split(in, '\0', &part);
		for (size_t i = 0; i < part.n; i += step)
			feed(r, str_sub(part, i, step));
		take_turn(r);
	}
	smtp_client_lost(r->c, SMTP_CLIENT_LOSS_CLOSED, 0);
	feed(r, STR_NONE);
	ASSERT(r->is_closed && !r->is_in_mail);
	ASSERT(smtp_client_stage(r->c) == SMTP_CLIENT_CLOSED);
	smtp_client_free(r->c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t flags = size ? data[0] : 0;
	struct smtp_client_config config = {
		.helo = STR("me.example"),
		.is_lmtp = flags & 1,
		.tls = (enum smtp_client_tls)((flags >> 1) % 3),
		.has_tls = flags & 8,
		.ignore = flags & 16 ? SMTP_CAP_CHUNKING : 0,
		.login = flags & 32 ? STR("user") : STR_NONE,
		.password = STR("secret"),
	};
	struct smtp_client_mail mail = {
		.from = flags & 64 ? STR_NONE : STR("a@example.net"),
		.rcpts = rcpts,
		.n_rcpts = RCPTS,
		.size = 7,
		.body = flags & 128 ? SMTP_BODY_8BITMIME : SMTP_BODY_7BIT,
	};
	struct str in = str_from(str_make(data, size), 1);
	struct run whole = { .mail = mail }, bytes = whole, sevens = whole;

	in = str_first(in, KIB(64));
	run_all(&whole, &config, in, SIZE_MAX / 2);
	run_all(&bytes, &config, in, 1);
	run_all(&sevens, &config, in, 7);
	ASSERT(str_eq(buf_str(&whole.trace), buf_str(&bytes.trace)));
	ASSERT(str_eq(buf_str(&whole.trace), buf_str(&sevens.trace)));
	buf_done(&whole.trace);
	buf_done(&bytes.trace);
	buf_done(&sevens.trace);
	return 0;
}
