/* SPDX-License-Identifier: ISC */
/*
 * LINK: dsn
 *
 * Properties: any bytes are read as a report of either kind within the limits
 * and the arena; a report that is written from what was read, or from any
 * bytes, is read back with the same fields (blanks and what may not be sent
 * aside), has lines that can be sent, and no more boundaries than parts.
 */
#include "proto/dsn/dsn_field.h"
#include "proto/dsn/dsn_parse.h"
#include "proto/dsn/dsn_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of a value however it was folded and cleaned. */
static void
put_solid(struct buf *to, struct str s)
{
	bool is_ascii = str_is_ascii(s);

	s = str_first(s, DSN_VALUE_MAX - KIB(1));
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c < ' ' || c == 0x7F || (!is_ascii && c >= 0x80))
			c = '?';
		buf_put_char(to, (char)c);
	}
}

static void
check_same(struct str got, struct str want)
{
	struct buf a = BUF_INIT(MIB(1)), b = BUF_INIT(MIB(1));

	put_solid(&a, got);
	put_solid(&b, want);
	ASSERT(str_eq(buf_str(&a), buf_str(&b)));
	buf_done(&a);
	buf_done(&b);
}

static void
check_rcpt(const struct dsn_rcpt *got, const struct dsn_rcpt *want)
{
	check_same(got->final, want->final);
	check_same(got->original, want->original);
	check_same(got->remote_mta, want->remote_mta);
	check_same(got->diagnostic, want->diagnostic);
	check_same(got->last_attempt, want->last_attempt);
	if (want->action == DSN_DELAYED)
		check_same(got->will_retry_until, want->will_retry_until);
	if (want->diagnostic.n > 0 && got->diagnostic.n > 0)
		ASSERT(got->has_smtp_code == want->has_smtp_code);
	ASSERT(got->action == want->action);
	ASSERT(got->status.class >= 2);
	if (want->status.class)
		ASSERT(got->status.subject == want->status.subject &&
		       got->status.detail == want->status.detail);
}

static void
check_fields(const struct dsn_fields *want)
{
	struct buf text = BUF_INIT(MIB(8));
	struct dsn_fields got;
	struct arena a;

	arena_init(&a, MIB(16));
	dsn_write_fields(want, false, &text);
	ASSERT(!text.failed && str_is_ascii(buf_str(&text)));
	ASSERT(dsn_parse(&a, buf_str(&text), &got));
	ASSERT(got.n_rcpts == want->n_rcpts);
	check_same(got.envid, want->envid);
	check_same(got.reporting_mta, want->reporting_mta);
	check_same(got.received_from_mta, want->received_from_mta);
	check_same(got.arrival_date, want->arrival_date);
	for (size_t i = 0; i < got.n_rcpts; i++)
		check_rcpt(&got.rcpts[i], &want->rcpts[i]);
	buf_done(&text);
	arena_done(&a);
}

/* Lines end with CRLF and are short enough; the parts are three. */
static void
check_message(struct str text)
{
	/* Who it is to may have such a word in the address. */
	struct str head = str_from(text,
	    (size_t)str_search(text, STR("\r\nContent-Type: multipart/")));
	struct str boundary =
	    str_from(head, (size_t)str_search(head, STR("boundary=\"")) + 10);
	struct buf delimiter = BUF_INIT(100);
	size_t column = 0, parts = 0;

	str_split(boundary, '"', &boundary);
	buf_put_c(&delimiter, "\r\n--");
	buf_put_str(&delimiter, boundary);
	for (size_t i = 0; i < text.n; i++) {
		column = text.p[i] == '\n' ? 0 : column + 1;
		ASSERT(column <= 999 && text.p[i] != '\0');
		ASSERT((text.p[i] == '\n') == (i > 0 && text.p[i - 1] == '\r'));
		parts += str_starts(str_from(text, i), buf_str(&delimiter));
	}
	ASSERT(parts == 4 && column == 0);
	buf_done(&delimiter);
}

static void
check_report(struct dsn_fields *fields, struct str in, uint8_t flags)
{
	struct dsn_report report = {
		.fields = *fields,
		.language = flags & 1 ? STR("fr") : str_first(in, 2),
		.from = STR("MAILER-DAEMON@mx.example.net"),
		.to = str_sub(in, 2, 40),
		.date = STR("Mon, 23 Nov 2026 10:00:05 +0000"),
		.message_id = STR("1@mx.example.net"),
		.boundary = str_first(in, 60),
		.original = in,
		.header_length = in.n / 2,
		.is_complete = true,
		.return_full = flags & 2,
		.is_smtputf8 = flags & 4,
	};
	struct buf out = BUF_INIT(MIB(64));
	bool is_8bit = false;

	ASSERT(dsn_write(&report, &out, &is_8bit));
	ASSERT(is_8bit == !str_is_ascii(buf_str(&out)));
	check_message(buf_str(&out));
	buf_done(&out);
}

/* The next piece of the input; without what a parser must take off. */
static struct str
piece(struct str *in)
{
	struct str s;

	*in = str_split(*in, '\0', &s);
	s = str_trim(s);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '<' || s.p[i] == '>' || s.p[i] == '\\' ||
		    (unsigned char)s.p[i] >= 0x80 || s.p[i] == ';')
			return str_first(s, i);
	return s;
}

static bool
is_solid(struct str s)
{
	struct buf solid = BUF_INIT(KIB(64));
	bool is_any;

	put_solid(&solid, s);
	is_any = solid.n > 0;
	buf_done(&solid);
	return is_any;
}

static void
check_made(struct str in, uint8_t flags)
{
	struct str whole = in;
	struct dsn_rcpt rcpts[2] = { 0 };
	struct dsn_fields fields = { .rcpts = rcpts, .n_rcpts = 2 };

	fields.envid = piece(&in);
	fields.reporting_mta = piece(&in);
	fields.received_from_mta = piece(&in);
	fields.arrival_date = piece(&in);
	for (size_t i = 0; i < 2; i++) {
		struct dsn_rcpt *r = &rcpts[i];

		r->action = (enum dsn_action)((flags >> 3) % DSN_NO_ACTION);
		r->status = (struct dsn_status){ 4, flags, 7 };
		r->final = piece(&in);
		if (!is_solid(r->final))
			r->final = STR("b@x.org");
		r->original = piece(&in);
		r->remote_mta = piece(&in);
		r->diagnostic = piece(&in);
		r->has_smtp_code = flags & 8;
		r->last_attempt = piece(&in);
		r->will_retry_until = piece(&in);
	}
	check_fields(&fields);
	check_report(&fields, whole, flags);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from(str_make(data, size), 1);
	struct dsn_fields fields;
	struct arf_report arf;
	struct arena a;

	in = str_first(in, KIB(64));
	arena_init(&a, DSN_ARENA_MAX);
	if (dsn_parse(&a, in, &fields)) {
		ASSERT(fields.n_rcpts > 0 && fields.n_rcpts <= DSN_RCPTS_MAX);
		for (size_t i = 0; i < fields.n_rcpts; i++)
			ASSERT(fields.rcpts[i].final.n > 0);
	}
	if (arf_parse(&a, in, &arf))
		ASSERT(arf.rcpt_to.n <= ARF_LIST_MAX);
	ASSERT(a.used < a.max);
	arena_done(&a);
	if (size > 0)
		check_made(in, data[0]);
	return 0;
}
