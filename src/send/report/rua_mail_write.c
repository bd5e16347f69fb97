/* SPDX-License-Identifier: ISC */
/*
 * rua_mail_write.c - a report about mail as a message (RFC 7489 section
 * 7.2.1.1, RFC 8460 section 5.3). Pure: the same arguments, the same bytes.
 */
#include "base/base64.h"
#include "proto/mime/mime_date.h"
#include "send/report/rua_mail.h"

#define COLUMN_MAX 76
#define LINE_BYTES 57 /* of the attachment in one line: 76 letters */

/* Base64 has no "=" within a line, and the text is ours. */
#define BOUNDARY "=_report"

static void
put_field(struct buf *to, const char *name, struct str value)
{
	buf_printf(to, "%s: ", name);
	buf_put_str(to, value);
	buf_put_c(to, "\r\n");
}

/* Unstructured, so a blank may become a fold (RFC 5322 section 2.2.3). */
static void
put_folded(struct buf *to, const char *name, struct str value)
{
	size_t column = strlen(name) + 1;
	struct str word;

	buf_printf(to, "%s:", name);
	while (value.n > 0) {
		value = str_split(value, ' ', &word);
		if (word.n == 0)
			continue;
		if (column + 1 + word.n > COLUMN_MAX) {
			buf_put_c(to, "\r\n");
			column = 0;
		}
		buf_put_char(to, ' ');
		buf_put_str(to, word);
		column += 1 + word.n;
	}
	buf_put_c(to, "\r\n");
}

static void
put_date(struct buf *to, uint64_t now)
{
	struct mime_date date = { .epoch = (int64_t)now };

	buf_put_c(to, "Date: ");
	mime_date_format(date, to);
	buf_put_c(to, "\r\n");
}

static void
put_address(struct buf *to, const char *name, struct str address)
{
	buf_printf(to, "%s: <%.*s>\r\n", name, STR_ARG(address));
}

static void
put_header(const struct rua_mail *m, const struct rua_mail_stamp *stamp,
    struct buf *to)
{
	put_address(to, "From", stamp->from);
	put_address(to, "To", m->to);
	put_folded(to, "Subject", m->subject);
	put_date(to, stamp->now);
	put_address(to, "Message-ID", stamp->message_id);
	/* RFC 3834: nothing is to answer by itself. */
	put_field(to, "Auto-Submitted", STR("auto-generated"));
	buf_put_str(to, m->fields);
	put_field(to, "MIME-Version", STR("1.0"));
	if (m->report_type != NULL)
		buf_printf(to,
		    "Content-Type: multipart/report; report-type=\"%s\";\r\n"
		    "\tboundary=\"" BOUNDARY "\"\r\n",
		    m->report_type);
	else
		buf_put_c(to, "Content-Type: multipart/mixed;\r\n"
			      "\tboundary=\"" BOUNDARY "\"\r\n");
	buf_put_c(to, "\r\n");
}

static void
put_base64(struct buf *to, struct str data)
{
	while (data.n > 0) {
		base64_encode(to, str_first(data, LINE_BYTES));
		buf_put_c(to, "\r\n");
		data = str_from(data, LINE_BYTES);
	}
}

void
rua_mail_compose(const struct rua_mail *m, const struct rua_mail_stamp *stamp,
    struct buf *to)
{
	put_header(m, stamp, to);
	buf_put_c(to, "--" BOUNDARY "\r\n"
		      "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
	buf_put_str(to, m->text);
	buf_printf(to,
	    "\r\n--" BOUNDARY "\r\nContent-Type: %s;\r\n\tname=\"%.*s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n\tfilename=\"%.*s\"\r\n\r\n",
	    m->type, STR_ARG(m->file_name), STR_ARG(m->file_name));
	put_base64(to, m->data);
	buf_put_c(to, "\r\n--" BOUNDARY "--\r\n");
}
