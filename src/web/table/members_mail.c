/* SPDX-License-Identifier: ISC */
/* members_mail.c - see members_mail.h. */
#include "web/table/members_mail.h"

#include "proto/http/http_text.h"
#include "proto/status/status_message.h"

#define DAY_MS UINT64_C(86400000)

static void
put_link(
    const struct server *sv, struct str key, struct str token, struct buf *to)
{
	server_put_url(sv, to);
	buf_put_c(to, "/subscribe/confirm?to=");
	http_encode(to, key);
	buf_put_c(to, "&token=");
	http_encode(to, token);
}

void
members_put_mail(const struct server *sv, struct str key,
    enum language language, struct str token, struct buf *to)
{
	const struct conf *c = sv->conf;
	struct str name = str_c(c->site_title[0] ? c->site_title : c->hostname);
	struct buf subject = BUF_INIT(STATUS_SUBJECT_MAX);
	struct buf body = BUF_INIT(KIB(8)), link = BUF_INIT(KIB(2));
	uint64_t now = loop_time_ms(sv->loop);
	struct status_message m = { .channel = STATUS_BY_MAIL,
		.purpose = STATUS_FOR_CONFIRM,
		.to = key,
		.language = str_c(language_code(language)),
		.made_ms = now,
		.next_ms = now,
		.expires_ms = now + DAY_MS };

	put_link(sv, key, token, &link);
	word_put_plain(&subject, language, T_J_MAIL_SUBJECT, &name, 1);
	word_put_plain(&body, language, T_J_MAIL_BODY,
	    (const struct str[]){ name, buf_str(&link) }, 2);
	m.subject = buf_str(&subject);
	m.body = buf_str(&body);
	status_message_encode(&m, to);
	buf_done(&subject);
	buf_done_secret(&body);
	buf_done_secret(&link);
}
