/* SPDX-License-Identifier: ISC */
/*
 * dsn_parse.c - the fields of delivery-status parts. See dsn_parse.h.
 */
#include "proto/dsn/dsn_parse.h"

#include "proto/dsn/dsn_field.h"

/* clang-format off */
static const char *const actions[] = {
	[DSN_FAILED]    = "failed",
	[DSN_DELAYED]   = "delayed",
	[DSN_DELIVERED] = "delivered",
	[DSN_RELAYED]   = "relayed",
	[DSN_EXPANDED]  = "expanded",
	[DSN_NO_ACTION] = "",
};
/* clang-format on */

const char *
dsn_action_str(enum dsn_action action)
{
	return actions[action];
}

/* The first word: some write "failed (user unknown)". */
static struct str
first_word(struct str value)
{
	size_t n = 0;

	while (n < value.n && value.p[n] != ' ' && value.p[n] != '\t' &&
	       value.p[n] != '(')
		n++;
	return str_first(value, n);
}

static enum dsn_action
read_action(struct str value)
{
	struct str word = first_word(value);

	for (int i = DSN_FAILED; i < DSN_NO_ACTION; i++)
		if (str_eq_case(word, str_c(actions[i])))
			return (enum dsn_action)i;
	return DSN_NO_ACTION;
}

static struct dsn_status
read_status(struct str value)
{
	struct dsn_status none = { 0 };
	struct str class, subject, detail;
	uint32_t c, s, d;

	detail =
	    str_split(str_split(first_word(value), '.', &class), '.', &subject);
	if (!str_to_u32(class, 5, &c) || (c != 2 && c != 4 && c != 5) ||
	    !str_to_u32(subject, 999, &s) || !str_to_u32(detail, 999, &d))
		return none;
	return (struct dsn_status){ (uint8_t)c, (uint16_t)s, (uint16_t)d };
}

static void
put_utf8(struct buf *to, uint32_t v)
{
	if (v < 0x80) {
		buf_put_char(to, (char)v);
	} else if (v < 0x800) {
		buf_put_char(to, (char)(0xC0 | v >> 6));
		buf_put_char(to, (char)(0x80 | (v & 0x3F)));
	} else if (v < 0x10000) {
		buf_put_char(to, (char)(0xE0 | v >> 12));
		buf_put_char(to, (char)(0x80 | (v >> 6 & 0x3F)));
		buf_put_char(to, (char)(0x80 | (v & 0x3F)));
	} else {
		buf_put_char(to, (char)(0xF0 | v >> 18));
		buf_put_char(to, (char)(0x80 | (v >> 12 & 0x3F)));
		buf_put_char(to, (char)(0x80 | (v >> 6 & 0x3F)));
		buf_put_char(to, (char)(0x80 | (v & 0x3F)));
	}
}

/* "{FC}" behind "\x": bytes of in that were used, 0 when it is none. */
static size_t
read_point(struct str in, uint32_t *ret)
{
	uint32_t v = 0;
	size_t i = 1;

	for (; i < in.n && i <= 6 && in.p[i] != '}'; i++) {
		char c = ascii_upper(in.p[i]);

		if (ascii_is_digit(c))
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'A' && c <= 'F')
			v = v << 4 | (uint32_t)(c - 'A' + 10);
		else
			return 0;
	}
	if (in.n < 3 || in.p[0] != '{' || i >= in.n || in.p[i] != '}')
		return 0;
	*ret = v;
	return i + 1;
}

/* RFC 6533 section 3: an address of type utf-8 in ASCII surroundings. */
static bool
decode_utf8(struct arena *a, struct str in, struct str *ret)
{
	struct buf text = BUF_INIT(DSN_VALUE_MAX);
	bool is_ok;

	while (in.n > 0) {
		uint32_t v;
		size_t n = 0;

		if (str_starts_case(in, STR("\\x")))
			n = read_point(str_from(in, 2), &v);
		if (n > 0)
			put_utf8(&text, v);
		else
			buf_put_char(&text, in.p[0]);
		in = str_from(in, n > 0 ? n + 2 : 1);
	}
	/* Surrogates, controls, what is no address: as it was written. */
	is_ok = !str_is_utf8(buf_str(&text)) ||
	        memchr(text.p ? text.p : "", '\0', text.n) ||
	        arena_str(a, buf_str(&text), ret);
	buf_done(&text);
	return is_ok;
}

/* Some put the address into angle brackets. False when the arena is full. */
static bool
read_address(struct arena *a, struct str value, struct str *ret)
{
	struct str type, address = dsn_typed_value(value, &type);

	if (address.n >= 2 && address.p[0] == '<' &&
	    address.p[address.n - 1] == '>')
		address = str_trim(str_sub(address, 1, address.n - 2));
	*ret = address;
	return !str_eq_case(type, STR("utf-8")) ||
	       str_find(address, '\\') < 0 || decode_utf8(a, address, ret);
}

/* "rfc822; a@x" as "rfc822;a@x", without the blanks. */
static bool
read_original(struct arena *a, struct str value, struct str *ret)
{
	struct str type, address = dsn_typed_value(value, &type);
	struct buf text = BUF_INIT(DSN_VALUE_MAX + 1);
	bool is_ok;

	if (type.n > 0) {
		buf_put_str(&text, type);
		buf_put_char(&text, ';');
	}
	buf_put_str(&text, address);
	is_ok = arena_str(a, buf_str(&text), ret);
	buf_done(&text);
	return is_ok;
}

static struct str
untyped(struct str value)
{
	struct str type;

	return dsn_typed_value(value, &type);
}

static bool
is(const struct dsn_field *f, const char *name)
{
	return str_eq_case(f->name, str_c(name));
}

static void
message_field(const struct dsn_field *f, struct dsn_fields *ret)
{
	if (is(f, "Original-Envelope-Id"))
		ret->envid = f->value;
	else if (is(f, "Reporting-MTA"))
		ret->reporting_mta = untyped(f->value);
	else if (is(f, "Received-From-MTA"))
		ret->received_from_mta = untyped(f->value);
	else if (is(f, "Arrival-Date"))
		ret->arrival_date = f->value;
}

/* False when the arena is full. */
static bool
rcpt_field(struct arena *a, const struct dsn_field *f, struct dsn_rcpt *rcpt)
{
	struct str type;

	if (is(f, "Original-Recipient"))
		return read_original(a, f->value, &rcpt->original);
	if (is(f, "Final-Recipient"))
		return read_address(a, f->value, &rcpt->final);
	if (is(f, "Action"))
		rcpt->action = read_action(f->value);
	else if (is(f, "Status"))
		rcpt->status = read_status(f->value);
	else if (is(f, "Remote-MTA"))
		rcpt->remote_mta = untyped(f->value);
	else if (is(f, "Last-Attempt-Date"))
		rcpt->last_attempt = f->value;
	else if (is(f, "Will-Retry-Until"))
		rcpt->will_retry_until = f->value;
	else if (is(f, "Diagnostic-Code")) {
		rcpt->diagnostic = dsn_typed_value(f->value, &type);
		rcpt->has_smtp_code = str_eq_case(type, STR("smtp"));
	}
	return true;
}

static bool
is_rcpt_field(const struct dsn_field *f)
{
	return is(f, "Final-Recipient") || is(f, "Original-Recipient") ||
	       is(f, "Action") || is(f, "Status");
}

/*
 * How many recipients there may be. The first group is about the message,
 * but some servers leave it out or run it together with the first recipient.
 */
static size_t
count_groups(struct str in)
{
	size_t n = 1;

	for (size_t i = 1; i < in.n && n < DSN_RCPTS_MAX; i++)
		if (in.p[i] == '\n' &&
		    (in.p[i - 1] == '\n' || in.p[i - 1] == '\r'))
			n++;
	return n;
}

/* Drop recipients without an address. */
static void
compact(struct arena *a, struct dsn_fields *fields)
{
	size_t n = 0;

	for (size_t i = 0; i < fields->n_rcpts; i++) {
		struct dsn_rcpt *rcpt = &fields->rcpts[i];

		if (rcpt->final.n == 0 &&
		    !read_address(a, rcpt->original, &rcpt->final))
			break;
		if (rcpt->final.n > 0)
			fields->rcpts[n++] = *rcpt;
	}
	fields->n_rcpts = n;
}

bool
dsn_parse(struct arena *a, struct str in, struct dsn_fields *ret)
{
	struct dsn_field_iter it = { .rest = str_first(in, DSN_INPUT_MAX) };
	size_t max = count_groups(it.rest), group = SIZE_MAX;
	struct dsn_field f;

	*ret = (struct dsn_fields){ 0 };
	ret->rcpts = arena_calloc(a, max, sizeof(*ret->rcpts));
	if (!ret->rcpts)
		return false;
	while (dsn_field_next(&it, a, &f)) {
		if (f.group != group && is_rcpt_field(&f)) {
			if (ret->n_rcpts == max)
				break;
			group = f.group;
			ret->rcpts[ret->n_rcpts++].action = DSN_NO_ACTION;
		}
		if (f.group != group)
			message_field(&f, ret);
		else if (!rcpt_field(a, &f, &ret->rcpts[ret->n_rcpts - 1]))
			break;
	}
	compact(a, ret);
	return ret->n_rcpts > 0;
}
