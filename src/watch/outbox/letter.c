/* SPDX-License-Identifier: ISC */
/* letter.c - messages as mails and webhooks. See letter.h. */
#include "watch/outbox/letter.h"

#include "base/base64.h"
#include "base/crypt.h"
#include "proto/mime/mime_date.h"
#include "proto/mime/mime_downgrade.h"
#include "proto/mime/mime_word.h"

void
letter_id(struct str table, struct str key, char ret[LETTER_ID_LEN + 1])
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	crypt_digest_put(d, table);
	crypt_digest_put(d, STR("/"));
	crypt_digest_put(d, key);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	for (size_t i = 0; i < LETTER_ID_LEN / 2; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", sum.v[i]);
}

/* --- mail -------------------------------------------------------------------------- */

static void
put_text_field(struct buf *to, const char *name, struct str value)
{
	buf_printf(to, "%s: ", name);
	mime_word_encode(value, to);
	buf_put_c(to, "\r\n");
}

/* As a phrase (RFC 5322 section 3.2.5). */
static void
put_name(struct buf *to, struct str name)
{
	if (name.n == 0)
		return;
	if (!str_is_ascii(name)) {
		mime_word_encode(name, to);
		buf_put_char(to, ' ');
		return;
	}
	buf_put_char(to, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_put_char(to, '\\');
		buf_put_char(to, name.p[i]);
	}
	buf_put_c(to, "\" ");
}

/* What is about one thing stands together: they all refer to the same mail,
 * which need not exist. A mail about several things refers to one of each. */
static void
put_thread(struct buf *to, struct str threads, struct str host)
{
	const char *before = "References:";
	char id[LETTER_ID_LEN + 1];
	struct str one;

	while (threads.n > 0) {
		threads = str_split(threads, ',', &one);
		letter_id(STR("thread"), one, id);
		buf_printf(to, "%s <%s@%.*s>\r\n", before, id, STR_ARG(host));
		before = "";
	}
}

static void
put_header(const struct status_message *m, const struct letter_stamp *stamp,
    struct buf *to)
{
	struct mime_date date = { .epoch = (int64_t)(m->made_ms / 1000) };

	buf_put_c(to, "From: ");
	put_name(to, stamp->name);
	buf_printf(to, "<%.*s>\r\nTo: <%.*s>\r\n", STR_ARG(stamp->from),
	    STR_ARG(m->to));
	if (stamp->reply_to.n > 0)
		buf_printf(
		    to, "Reply-To: <%.*s>\r\n", STR_ARG(stamp->reply_to));
	put_text_field(to, "Subject", m->subject);
	buf_put_c(to, "Date: ");
	mime_date_format(date, to);
	buf_printf(to, "\r\nMessage-ID: <%s@%.*s>\r\n", stamp->id,
	    STR_ARG(stamp->host));
	put_thread(to, m->thread, stamp->host);
	/* RFC 3834: nothing is to answer by itself. */
	buf_put_c(to, "Auto-Submitted: auto-generated\r\n");
	if (stamp->list.n > 0)
		buf_printf(to, "List-Id: <%.*s>\r\n", STR_ARG(stamp->list));
	if (m->unsubscribe.n > 0)
		buf_printf(to, "List-Unsubscribe: <%.*s>\r\n",
		    STR_ARG(m->unsubscribe));
	/* RFC 8058: one click, over HTTPS only. */
	if (str_starts_case(m->unsubscribe, STR("https://")))
		buf_put_c(to,
		    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
	buf_printf(to, "Content-Language: %.*s\r\nMIME-Version: 1.0\r\n",
	    STR_ARG(m->language));
}

void
letter_write(const struct status_message *m, const struct letter_stamp *stamp,
    struct buf *to)
{
	struct buf lines = BUF_INIT(STATUS_LETTER_MAX * 2);
	struct str line, rest = m->body;
	bool is_plain = str_is_ascii(m->body);

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &line);
		/* RFC 5322 section 2.1.1 has 998 as the end; long before that
		 * quoted-printable is safer. */
		is_plain &= line.n <= 200;
		buf_put_str(&lines, line);
		buf_put_c(&lines, "\r\n");
	}
	put_header(m, stamp, to);
	buf_printf(to,
	    "Content-Type: text/plain; charset=%s\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n",
	    is_plain ? "us-ascii" : "utf-8",
	    is_plain ? "7bit" : "quoted-printable");
	if (is_plain)
		buf_put_str(to, buf_str(&lines));
	else
		mime_downgrade_qp(buf_str(&lines), to);
	buf_done(&lines);
}

/* --- webhooks ------------------------------------------------------------------------ */

void
letter_sign(const struct status_message *m, const char *id, uint64_t now_s,
    struct buf *to)
{
	struct buf key = BUF_INIT(STATUS_SECRET_MAX);
	struct buf text = BUF_INIT(STATUS_LETTER_MAX + KIB(1));
	struct str prefix = STR("whsec_");
	struct crypt_sum sum;

	if (!str_starts(m->secret, prefix) ||
	    !base64_decode(&key, str_from(m->secret, prefix.n))) {
		buf_reset(&key, STATUS_SECRET_MAX);
		buf_put_str(&key, m->secret);
	}
	buf_printf(&text, "%s.%llu.", id, (unsigned long long)now_s);
	buf_put_str(&text, m->body);
	crypt_hmac(buf_str(&key), buf_str(&text), &sum);
	buf_put_c(to, "v1,");
	base64_encode(to, crypt_sum_str(&sum));
	buf_done_secret(&key);
	buf_done(&text);
}
