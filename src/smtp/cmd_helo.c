/* SPDX-License-Identifier: ISC */
/* cmd_helo.c - EHLO, HELO, LHLO: who is there, and what we offer. */
#include "proto/smtp/smtp_time.h"
#include "smtp/command.h"

#define KEYWORDS_MAX 24

struct keywords {
	const char *list[KEYWORDS_MAX];
	size_t n;
};

static void
add(struct keywords *k, const char *word)
{
	ASSERT(k->n < KEYWORDS_MAX);
	k->list[k->n++] = word;
}

static bool
offers_tls(const struct session *s)
{
	return s->sv->tls != NULL && !session_is_lmtp(s) &&
	       !conn_has_tls(s->conn);
}

/*
 * RFC 8689 section 2: within TLS only. Holding and priorities (RFC 4865, 6710)
 * are for those whom we know; a time to deliver by (RFC 2852) counts for
 * forwarded mail as well.
 */
static void
add_wishes(const struct session *s, struct keywords *k, struct buf *hold)
{
	char until[SMTP_TIME_MAX];

	if (session_is_lmtp(s))
		return;
	if (conn_has_tls(s->conn))
		add(k, "REQUIRETLS");
	add(k, "DELIVERBY");
	if (!session_is_submission(s))
		return;
	smtp_time_format(loop_time(s->sv->loop) + ENVELOPE_HOLD_MAX, until);
	buf_printf(hold, "FUTURERELEASE %u %s", ENVELOPE_HOLD_MAX, until);
	add(k, buf_c(hold));
	add(k, "MT-PRIORITY");
}

static void
reply_ehlo(struct session *s)
{
	const struct conf *conf = s->sv->conf;
	struct buf size = BUF_INIT(64), limits = BUF_INIT(128);
	struct buf auth = BUF_INIT(256), out = BUF_INIT(KIB(4));
	struct buf hold = BUF_INIT(128);
	struct keywords k = { 0 };

	buf_printf(
	    &size, "SIZE %llu", (unsigned long long)conf->message_size_max);
	/* RFC 9422 */
	buf_printf(&limits, "LIMITS MAILMAX=%u RCPTMAX=%u",
	    conf->smtp_messages_max, server_rcpts_max(s->sv));
	add(&k, "PIPELINING");
	add(&k, buf_c(&size));
	if (offers_tls(s))
		add(&k, "STARTTLS");
	if (auth_keyword(s, &auth))
		add(&k, buf_c(&auth));
	add(&k, "ENHANCEDSTATUSCODES");
	add(&k, "8BITMIME");
	add(&k, "DSN");
	add(&k, "SMTPUTF8");
	add(&k, "CHUNKING");
	add(&k, "BINARYMIME");
	add_wishes(s, &k, &hold);
	add(&k, buf_c(&limits));
	smtp_reply_format_ehlo(&out, conf->hostname, k.list, k.n);
	session_put(s, buf_str(&out));
	buf_done(&size);
	buf_done(&limits);
	buf_done(&auth);
	buf_done(&hold);
	buf_done(&out);
}

/* As announced. */
static unsigned
wishes(const struct session *s)
{
	unsigned p = SMTP_PARAM_BY;

	if (session_is_lmtp(s))
		return 0;
	if (conn_has_tls(s->conn))
		p |= SMTP_PARAM_REQUIRETLS;
	if (session_is_submission(s))
		p |= (unsigned)SMTP_PARAM_HOLDFOR | SMTP_PARAM_HOLDUNTIL |
		     SMTP_PARAM_MT_PRIORITY;
	return p;
}

unsigned
cmd_params(const struct session *s)
{
	if (!s->is_esmtp)
		return SMTP_PARAMS_NONE;
	return wishes(s) | SMTP_PARAMS_DSN | SMTP_PARAM_SIZE | SMTP_PARAM_BODY |
	       SMTP_PARAM_BINARYMIME | SMTP_PARAM_SMTPUTF8 |
	       (session_is_submission(s) ? SMTP_PARAM_AUTH : 0U);
}

/* A second EHLO is a RSET too (RFC 5321 section 4.1.4). */
enum reply_id
cmd_helo(struct session *s, const struct smtp_command *c)
{
	free(s->helo);
	s->helo = str_dup(c->u.helo.domain);
	s->is_esmtp = c->verb != SMTP_VERB_HELO;
	session_reset(s);
	if (s->is_esmtp) {
		reply_ehlo(s);
		return REPLY_NONE;
	}
	session_reply_text(s, REPLY_HELO, s->sv->conf->hostname);
	return REPLY_NONE;
}
