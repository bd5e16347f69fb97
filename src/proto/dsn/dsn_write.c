/* SPDX-License-Identifier: ISC */
/*
 * dsn_write.c - the message of a report. See dsn_write.h.
 *
 * Everything in it that came from outside (addresses, replies, the returned
 * message) passes through a function that knows what may stand there.
 */
#include "proto/dsn/dsn_write.h"

#include "proto/dsn/dsn_field.h"
#include "proto/dsn/dsn_text.h"

/* Longest line that may be returned as it is (RFC 5322 section 2.1.1). */
#define LINE_MAX_BYTES 998
#define HUMAN_MAX      MIB(64)

/* --- fields ------------------------------------------------------------------- */

static void
put_status(struct buf *to, const struct dsn_rcpt *rcpt)
{
	struct dsn_status s = rcpt->status;
	unsigned class = rcpt->action == DSN_FAILED    ? 5
	                 : rcpt->action == DSN_DELAYED ? 4
	                                               : 2;

	/* The class has to fit the action (RFC 3464 section 2.3.4). */
	if (s.class == 0)
		s = (struct dsn_status){ 0 };
	buf_printf(to, "Status: %u.%u.%u\r\n", class, s.subject, s.detail);
}

/* Non-ASCII characters as \x{HEX}: utf-8-addr-xtext of RFC 6533. */
static void
put_addr_xtext(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		unsigned more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0;
		uint32_t v = more ? c & (0x3Fu >> more) : c;

		for (i++; more > 0; more--)
			v = v << 6 | ((unsigned char)s.p[i++] & 0x3F);
		if (v >= 0x80 || v == '\\')
			buf_printf(to, "\\x{%X}", v);
		else
			buf_put_char(to, (char)v);
	}
}

static void
put_final(struct buf *to, struct str address, bool is_smtputf8)
{
	struct buf text = BUF_INIT(DSN_VALUE_MAX * 4);

	if (str_is_ascii(address) || !str_is_utf8(address)) {
		dsn_field_put(to, "Final-Recipient", "rfc822", address, false);
	} else if (is_smtputf8) {
		dsn_field_put(to, "Final-Recipient", "utf-8", address, true);
	} else {
		put_addr_xtext(&text, str_first(address, DSN_VALUE_MAX / 4));
		dsn_field_put(
		    to, "Final-Recipient", "utf-8", buf_str(&text), false);
	}
	buf_done(&text);
}

static void
put_rcpt(struct buf *to, const struct dsn_rcpt *rcpt, bool is_smtputf8)
{
	buf_put_c(to, "\r\n");
	dsn_field_put(
	    to, "Original-Recipient", NULL, rcpt->original, is_smtputf8);
	put_final(to, rcpt->final, is_smtputf8);
	if (rcpt->action != DSN_NO_ACTION)
		buf_printf(to, "Action: %s\r\n", dsn_action_str(rcpt->action));
	put_status(to, rcpt);
	dsn_field_put(to, "Remote-MTA", "dns", rcpt->remote_mta, false);
	dsn_field_put(to, "Diagnostic-Code",
	    rcpt->has_smtp_code ? "smtp" : "x-mailstead", rcpt->diagnostic,
	    is_smtputf8);
	dsn_field_put(to, "Last-Attempt-Date", NULL, rcpt->last_attempt, false);
	if (rcpt->action == DSN_DELAYED)
		dsn_field_put(to, "Will-Retry-Until", NULL,
		    rcpt->will_retry_until, false);
}

void
dsn_write_fields(
    const struct dsn_fields *fields, bool is_smtputf8, struct buf *to)
{
	dsn_field_put(to, "Original-Envelope-Id", NULL, fields->envid, false);
	dsn_field_put(to, "Reporting-MTA", "dns", fields->reporting_mta, false);
	dsn_field_put(
	    to, "Received-From-MTA", "dns", fields->received_from_mta, false);
	dsn_field_put(to, "Arrival-Date", NULL, fields->arrival_date, false);
	for (size_t i = 0; i < fields->n_rcpts; i++)
		put_rcpt(to, &fields->rcpts[i], is_smtputf8);
}

/* --- words -------------------------------------------------------------------- */

/* clang-format off */
static const enum dsn_text hint_texts[] = {
	[DSN_HINT_NONE]         = DSN_TEXT_OTHER,
	[DSN_HINT_UNKNOWN_USER] = DSN_TEXT_UNKNOWN_USER,
	[DSN_HINT_DISABLED]     = DSN_TEXT_DISABLED,
	[DSN_HINT_FULL]         = DSN_TEXT_FULL,
	[DSN_HINT_TOO_BIG]      = DSN_TEXT_TOO_BIG,
	[DSN_HINT_NO_DOMAIN]    = DSN_TEXT_NO_DOMAIN,
	[DSN_HINT_BLOCKED]      = DSN_TEXT_BLOCKED,
	[DSN_HINT_CONTENT]      = DSN_TEXT_CONTENT,
	[DSN_HINT_POLICY]       = DSN_TEXT_POLICY,
	[DSN_HINT_SENDER]       = DSN_TEXT_SENDER,
	[DSN_HINT_TLS]          = DSN_TEXT_TLS,
	[DSN_HINT_FEATURE]      = DSN_TEXT_FEATURE,
	[DSN_HINT_UNREACHABLE]  = DSN_TEXT_UNREACHABLE,
	[DSN_HINT_EXPIRED]      = DSN_TEXT_EXPIRED,
	[DSN_HINT_OTHER]        = DSN_TEXT_OTHER,
};

static const enum dsn_text action_texts[] = {
	[DSN_FAILED]    = DSN_TEXT_FAILED,
	[DSN_DELAYED]   = DSN_TEXT_DELAYED,
	[DSN_DELIVERED] = DSN_TEXT_DELIVERED,
	[DSN_RELAYED]   = DSN_TEXT_RELAYED,
	[DSN_EXPANDED]  = DSN_TEXT_EXPANDED,
	[DSN_NO_ACTION] = DSN_TEXT_DELAYED,
};

/* The first line that fits; 0 for the detail: any. */
static const struct {
	uint16_t subject, detail;
	enum dsn_hint hint;
} status_hints[] = {
	{ 1, 1,  DSN_HINT_UNKNOWN_USER }, { 1, 6,  DSN_HINT_UNKNOWN_USER },
	{ 1, 3,  DSN_HINT_UNKNOWN_USER }, { 1, 2,  DSN_HINT_NO_DOMAIN },
	{ 1, 10, DSN_HINT_NO_DOMAIN },    { 1, 7,  DSN_HINT_SENDER },
	{ 1, 8,  DSN_HINT_SENDER },       { 2, 1,  DSN_HINT_DISABLED },
	{ 2, 2,  DSN_HINT_FULL },         { 2, 3,  DSN_HINT_TOO_BIG },
	{ 3, 4,  DSN_HINT_TOO_BIG },      { 4, 4,  DSN_HINT_NO_DOMAIN },
	{ 4, 7,  DSN_HINT_EXPIRED },      { 4, 0,  DSN_HINT_UNREACHABLE },
	{ 6, 0,  DSN_HINT_FEATURE },      { 7, 10, DSN_HINT_TLS },
	{ 7, 30, DSN_HINT_TLS },          { 7, 4,  DSN_HINT_TLS },
	{ 7, 5,  DSN_HINT_TLS },          { 7, 0,  DSN_HINT_POLICY },
};
/* clang-format on */

enum dsn_hint
dsn_hint_of(struct dsn_status status)
{
	for (size_t i = 0; i < ARRAY_LEN(status_hints); i++)
		if (status_hints[i].subject == status.subject &&
		    (status_hints[i].detail == status.detail ||
			status_hints[i].detail == 0))
			return status_hints[i].hint;
	return DSN_HINT_OTHER;
}

static enum dsn_hint
hint_of(const struct dsn_report *report, size_t i)
{
	if (report->hints && report->hints[i] != DSN_HINT_NONE)
		return report->hints[i];
	return dsn_hint_of(report->fields.rcpts[i].status);
}

static bool
is_trouble(const struct dsn_rcpt *rcpt)
{
	return rcpt->action == DSN_FAILED || rcpt->action == DSN_DELAYED;
}

static void
put_original(struct buf *to, int language, const struct dsn_rcpt *rcpt)
{
	struct str type, address = dsn_typed_value(rcpt->original, &type);

	if (address.n > 0 && !str_eq_case(address, rcpt->final))
		dsn_text_put(
		    to, dsn_text(language, DSN_TEXT_ORIGINAL), address, 4);
}

/* The remote reply, word for word, or our own reason. */
static void
put_diagnostic(struct buf *to, int language, const struct dsn_rcpt *rcpt)
{
	bool is_remote = rcpt->has_smtp_code && rcpt->remote_mta.n > 0;
	struct str rest = str_first(rcpt->diagnostic, KIB(16)), line;

	if (rest.n == 0)
		return;
	dsn_text_put(to,
	    dsn_text(language, is_remote ? DSN_TEXT_ANSWERED : DSN_TEXT_REASON),
	    rcpt->remote_mta, 4);
	while (rest.p) {
		rest = str_split(rest, '\n', &line);
		dsn_text_put_line(to, line, 8);
	}
}

static void
put_rcpt_words(
    struct buf *to, int language, const struct dsn_report *report, size_t i)
{
	const struct dsn_rcpt *rcpt = &report->fields.rcpts[i];

	buf_put_c(to, "\r\n");
	dsn_text_put_line(to, rcpt->final, 2);
	put_original(to, language, rcpt);
	if (is_trouble(rcpt)) {
		dsn_text_put(to,
		    dsn_text(language, hint_texts[hint_of(report, i)]),
		    STR_NONE, 4);
		put_diagnostic(to, language, rcpt);
	}
	if (rcpt->action == DSN_DELAYED && rcpt->will_retry_until.n > 0)
		dsn_text_put(to, dsn_text(language, DSN_TEXT_UNTIL),
		    rcpt->will_retry_until, 4);
}

/* Recipients with the same fate stand together. */
static void
put_action_words(struct buf *to, int language, const struct dsn_report *report,
    enum dsn_action action)
{
	bool has_any = false;

	for (size_t i = 0; i < report->fields.n_rcpts; i++) {
		if (report->fields.rcpts[i].action != action)
			continue;
		if (!has_any) {
			buf_put_c(to, "\r\n");
			dsn_text_put(to,
			    dsn_text(language, action_texts[action]), STR_NONE,
			    0);
		}
		has_any = true;
		put_rcpt_words(to, language, report, i);
	}
}

static void
put_words(struct buf *to, const struct dsn_report *report, bool is_full)
{
	struct buf human = BUF_INIT(HUMAN_MAX);
	int language = dsn_language(report->language);

	dsn_text_put(&human, dsn_text(language, DSN_TEXT_INTRO),
	    report->fields.reporting_mta, 0);
	for (int i = DSN_FAILED; i <= DSN_NO_ACTION; i++)
		put_action_words(&human, language, report, (enum dsn_action)i);
	buf_put_c(&human, "\r\n");
	dsn_text_put(&human,
	    dsn_text(
		language, is_full ? DSN_TEXT_HAS_MESSAGE : DSN_TEXT_HAS_HEADER),
	    STR_NONE, 0);
	if (human.failed)
		to->failed = true;
	dsn_text_put_part(to, language, buf_str(&human));
	buf_done(&human);
}

/* --- the returned message -------------------------------------------------------- */

static bool
has_action(const struct dsn_report *report, enum dsn_action action)
{
	for (size_t i = 0; i < report->fields.n_rcpts; i++)
		if (report->fields.rcpts[i].action == action)
			return true;
	return false;
}

/* A message that can stand in a part of type message/rfc822 as it is. */
static bool
is_clean(struct str message)
{
	size_t column = 0;

	for (size_t i = 0; i < message.n; i++) {
		bool after_cr = i > 0 && message.p[i - 1] == '\r';

		if (message.p[i] == '\0' || after_cr != (message.p[i] == '\n'))
			return false;
		column = message.p[i] == '\n' ? 0 : column + 1;
		if (column > LINE_MAX_BYTES + 1)
			return false;
	}
	return message.n == 0 || message.p[message.n - 1] != '\r';
}

/* Only failures return more than the header (RFC 3461 section 4.3). */
static bool
returns_full(const struct dsn_report *report)
{
	return report->return_full && report->is_complete &&
	       report->original.n <= DSN_FULL_MAX &&
	       has_action(report, DSN_FAILED) && is_clean(report->original);
}

/* Line by line, each made fit to be sent. */
static void
put_header(struct buf *to, struct str header)
{
	while (header.n > 0) {
		struct str line;

		header = str_split(header, '\n', &line);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		line = str_first(line, LINE_MAX_BYTES);
		for (size_t i = 0; i < line.n; i++) {
			bool is_bad = line.p[i] == '\0' || line.p[i] == '\r';

			buf_put_char(to, is_bad ? '?' : line.p[i]);
		}
		buf_put_c(to, "\r\n");
	}
}

static void
put_returned(struct buf *to, const struct dsn_report *report, bool is_full)
{
	struct str header = str_first(
	    report->original, MIN(report->header_length, DSN_HEADER_MAX));
	struct str part = is_full ? report->original : header;
	bool is_global = report->is_smtputf8 && !str_is_ascii(header);
	const char *type = is_full
	                       ? is_global ? "message/global" : "message/rfc822"
	                   : is_global ? "message/global-headers"
	                               : "text/rfc822-headers";

	buf_printf(to,
	    "Content-Type: %s\r\n"
	    "Content-Transfer-Encoding: %s\r\n"
	    "\r\n",
	    type, str_is_ascii(part) ? "7bit" : "8bit");
	if (is_full)
		buf_put_str(to, part);
	else
		put_header(to, part);
	if (part.n > 0 && part.p[part.n - 1] != '\n' && is_full)
		buf_put_c(to, "\r\n");
}

/* --- the message ------------------------------------------------------------------ */

static enum dsn_text
subject_of(const struct dsn_report *report)
{
	if (has_action(report, DSN_FAILED))
		return DSN_TEXT_SUBJECT_FAILED;
	if (has_action(report, DSN_DELAYED))
		return DSN_TEXT_SUBJECT_DELAYED;
	return DSN_TEXT_SUBJECT_DONE;
}

static void
put_angle(struct buf *to, const char *name, const char *before, struct str s,
    bool is_utf8)
{
	struct buf text = BUF_INIT(KIB(4));

	buf_printf(&text, "%s<", before);
	buf_put_str(&text, str_first(s, KIB(2)));
	buf_put_char(&text, '>');
	dsn_field_put(to, name, NULL, buf_str(&text), is_utf8);
	buf_done(&text);
}

static void
put_headers(
    struct buf *to, const struct dsn_report *report, const char *boundary)
{
	int language = dsn_language(report->language);

	put_angle(to, "From", "Mail Delivery System ", report->from,
	    report->is_smtputf8);
	put_angle(to, "To", "", report->to, report->is_smtputf8);
	buf_put_c(to, "Subject: ");
	dsn_text_put_word(to, dsn_text(language, subject_of(report)));
	buf_put_c(to, "\r\n");
	dsn_field_put(to, "Date", NULL, report->date, false);
	put_angle(to, "Message-ID", "", report->message_id, false);
	buf_printf(to,
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"%s\"\r\n"
	    "\r\n",
	    boundary);
}

/* A boundary that does not occur in what is sent between its lines. */
static void
choose_boundary(const struct dsn_report *report, char *to, size_t size)
{
	char base[51];
	size_t n = 0;

	for (size_t i = 0; i < report->boundary.n && n < 50; i++) {
		char c = report->boundary.p[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c))
			base[n++] = c;
	}
	base[n] = '\0';
	for (unsigned turn = 0;; turn++) {
		snprintf(to, size, "=_%s.%u", base, turn);
		if (str_search(report->original, str_c(to)) < 0)
			return;
	}
}

static void
put_status_part(struct buf *to, const struct dsn_report *report)
{
	struct buf fields = BUF_INIT(to->max);

	dsn_write_fields(&report->fields, report->is_smtputf8, &fields);
	buf_printf(to,
	    "Content-Type: message/%sdelivery-status\r\n"
	    "Content-Transfer-Encoding: %s\r\n"
	    "\r\n",
	    str_is_ascii(buf_str(&fields)) ? "" : "global-",
	    str_is_ascii(buf_str(&fields)) ? "7bit" : "8bit");
	buf_put_str(to, buf_str(&fields));
	to->failed |= fields.failed;
	buf_done(&fields);
}

bool
dsn_write(const struct dsn_report *report, struct buf *to, bool *ret_is_8bit)
{
	bool is_full = returns_full(report);
	size_t begin = to->n;
	char boundary[80];

	choose_boundary(report, boundary, sizeof(boundary));
	put_headers(to, report, boundary);
	buf_printf(to, "--%s\r\n", boundary);
	put_words(to, report, is_full);
	buf_printf(to, "\r\n--%s\r\n", boundary);
	put_status_part(to, report);
	buf_printf(to, "\r\n--%s\r\n", boundary);
	put_returned(to, report, is_full);
	buf_printf(to, "\r\n--%s--\r\n", boundary);
	if (to->failed)
		return false;
	*ret_is_8bit = !str_is_ascii(str_from(buf_str(to), begin));
	return true;
}
