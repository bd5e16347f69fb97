/* SPDX-License-Identifier: ISC */
/*
 * header.c - the lines in front of a recipient's copy of a message.
 *
 * Values from the client were checked when their command was parsed: host
 * names and paths hold no control characters, so they cannot end a line.
 */
#include "smtp/header.h"

#include "proto/mime/mime_date.h"
#include "proto/mime/mime_hop.h"

/* RFC 3848 and RFC 6531 section 4.3: ESMTPSA, UTF8SMTPS, LMTPS, ... */
static void
put_protocol(struct buf *b, struct session *s)
{
	if (s->env.is_utf8)
		buf_put_c(b, session_is_lmtp(s) ? "UTF8LMTP" : "UTF8SMTP");
	else if (session_is_lmtp(s))
		buf_put_c(b, "LMTP");
	else
		buf_put_c(b, s->is_esmtp ? "ESMTP" : "SMTP");
	if (conn_has_tls(s->conn))
		buf_put_char(b, 'S');
	if (s->login != NULL)
		buf_put_char(b, 'A');
}

static void
put_date(struct buf *b, struct session *s)
{
	struct mime_date date = { .epoch = (int64_t)s->received };

	mime_date_format(date, b);
}

/* Who said HELO from where; no look-up was made, so no name of ours. */
static void
put_from(struct buf *b, struct session *s)
{
	const char *ip = conn_peer_ip(s->conn);

	buf_printf(b, "from %s (", s->helo != NULL ? s->helo : "unknown");
	if (s->peer.ss_family == AF_UNIX || s->peer.ss_family == AF_UNSPEC)
		buf_put_c(b, "local");
	else if (strchr(ip, ':') != NULL)
		buf_printf(b, "[IPv6:%s]", ip);
	else
		buf_printf(b, "[%s]", ip);
	buf_put_char(b, ')');
}

/* RFC 5321 section 4.4. A single recipient only: others are nobody's affair. */
static void
put_received(struct buf *b, struct session *s)
{
	buf_put_c(b, "Received: ");
	put_from(b, s);
	buf_printf(b, "\r\n\tby %s with ", s->sv->conf->hostname);
	put_protocol(b, s);
	buf_printf(b, " id %s", s->trace);
	if (conn_has_tls(s->conn))
		buf_printf(b, "\r\n\t(%s %s)", conn_tls_version(s->conn),
		    conn_tls_cipher(s->conn));
	/* In UTF-8 it would bind the message to servers with SMTPUTF8. */
	if (s->env.count == 1 && str_is_ascii(s->env.first->mailbox)) {
		buf_put_c(b, "\r\n\tfor <");
		buf_put_str(b, s->env.first->mailbox);
		buf_put_c(b, ">");
	}
	buf_put_c(b, ";\r\n\t");
	put_date(b, s);
	buf_put_c(b, "\r\n");
}

/*
 * RFC 6409 section 8: what a mail program may leave to us. From is none of
 * these, but programs that print their mail into sendmail(1) leave it out.
 */
void
header_missing(struct buf *b, struct session *s, unsigned missing)
{
	if (missing & MIME_LACKS_FROM) {
		buf_put_c(b, "From: ");
		buf_put_str(b, s->env.from);
		buf_put_c(b, "\r\n");
	}
	if (missing & MIME_LACKS_DATE) {
		buf_put_c(b, "Date: ");
		put_date(b, s);
		buf_put_c(b, "\r\n");
	}
	if (missing & MIME_LACKS_MESSAGE_ID)
		buf_printf(b, "Message-ID: <%s@%s>\r\n", s->trace,
		    s->sv->conf->hostname);
}

void
header_prefix(struct buf *b, struct session *s, const struct rcpt *r)
{
	buf_put_c(b, "Return-Path: <");
	buf_put_str(b, s->env.from);
	buf_put_c(b, ">\r\nDelivered-To: ");
	buf_put_str(b, r->mailbox);
	buf_put_c(b, "\r\n");
	put_received(b, s);
	buf_put_str(b, buf_str(&s->headers));
}
