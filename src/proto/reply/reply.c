/* SPDX-License-Identifier: ISC */
/*
 * reply.c - find the rule that fits. See reply.h.
 *
 * The text is brought into one form first: lines joined by a blank, the
 * enhanced code in front of each taken off, blanks squeezed, ASCII letters in
 * lower case. So a rule need not know where a server breaks its lines.
 */
#include "proto/reply/reply_internal.h"

struct seen {
	int code;
	bool has_status;
	uint16_t status[3];
	unsigned stage;
	struct str group;
	struct str text;
};

/* --- the reply's text ---------------------------------------------------------- */

/* Up to three digits at the start of *in, which is moved behind them. */
static bool
take_number(struct str *in, uint16_t *ret)
{
	size_t n = 0;
	uint32_t v;

	while (n < in->n && n < 3 && ascii_is_digit(in->p[n]))
		n++;
	if (!str_to_u32(str_first(*in, n), 999, &v))
		return false;
	*ret = (uint16_t)v;
	*in = str_from(*in, n);
	return true;
}

/* "5.7.1" at the start of in: how long it is, 0 when it is none. */
static size_t
read_status(struct str in, uint16_t status[3])
{
	struct str rest = in;

	for (int i = 0; i < 3; i++) {
		if (i > 0 && (rest.n == 0 || rest.p[0] != '.'))
			return 0;
		rest = str_from(rest, i > 0);
		if (!take_number(&rest, &status[i]))
			return 0;
	}
	if (rest.n > 0 && (ascii_is_digit(rest.p[0]) || rest.p[0] == '.'))
		return 0;
	if (status[0] != 2 && status[0] != 4 && status[0] != 5)
		return 0;
	return in.n - rest.n;
}

/* The code that some put behind the text: "sorry (#5.7.1)". */
static void
find_late_status(struct str text, struct seen *s)
{
	ptrdiff_t at = str_search(text, STR("#"));
	uint16_t status[3];

	if (s->has_status || at < 0)
		return;
	if (read_status(str_from(text, (size_t)at + 1), status) == 0)
		return;
	memcpy(s->status, status, sizeof(status));
	s->has_status = true;
}

static void
put_squeezed(struct buf *to, struct str line)
{
	for (size_t i = 0; i < line.n; i++) {
		char c = ascii_lower(line.p[i]);

		if (c == '\t' || c == '\r' || c == ' ') {
			if (to->n > 0 && to->p[to->n - 1] != ' ')
				buf_put_char(to, ' ');
			continue;
		}
		buf_put_char(to, c);
	}
	if (to->n > 0 && to->p[to->n - 1] != ' ')
		buf_put_char(to, ' ');
}

/* text goes into to, in its one form; the first code found into s. */
static void
normalize(struct str text, struct buf *to, struct seen *s)
{
	text = str_first(text, REPLY_TEXT_MAX);
	while (text.p) {
		uint16_t status[3];
		struct str line;
		size_t n;

		text = str_split(text, '\n', &line);
		line = str_trim(line);
		n = read_status(line, status);
		if (n > 0 && !s->has_status) {
			memcpy(s->status, status, sizeof(status));
			s->has_status = true;
		}
		put_squeezed(to, str_from(line, n));
	}
	s->text = str_trim(buf_str(to));
	find_late_status(s->text, s);
}

/* --- matching ------------------------------------------------------------------- */

static bool
code_fits(const struct reply_rule *r, int code)
{
	for (size_t i = 0; i < r->n_codes; i++)
		if (r->codes[i] == code || r->codes[i] == code / 100)
			return true;
	return r->n_codes == 0;
}

static bool
status_fits(const struct reply_status *want, const struct seen *s)
{
	if (want->is_any)
		return true;
	return s->has_status &&
	       (want->class == REPLY_ANY || want->class == s->status[0]) &&
	       (want->subject == REPLY_ANY || want->subject == s->status[1]) &&
	       s->status[2] >= want->first && s->status[2] <= want->last;
}

/* The pieces between the stars occur, one behind the other. */
static bool
text_fits(struct str pattern, struct str text)
{
	while (pattern.p) {
		struct str piece;
		ptrdiff_t at;

		pattern = str_split(pattern, '*', &piece);
		at = piece.n > 0 ? str_search(text, piece) : 0;
		if (at < 0)
			return false;
		text = str_from(text, (size_t)at + piece.n);
	}
	return true;
}

static bool
group_fits(struct str groups, struct str group)
{
	struct str word;

	if (groups.n == 0)
		return true;
	while (groups.p) {
		groups = str_split(groups, ' ', &word);
		if (group.n > 0 && str_eq(word, group))
			return true;
	}
	return false;
}

static bool
rule_fits(const struct reply_rule *r, const struct seen *s)
{
	if (!group_fits(r->groups, s->group) || !(r->stages & s->stage) ||
	    !code_fits(r, s->code) || !status_fits(&r->status, s))
		return false;
	for (size_t i = 0; i < r->n_texts; i++)
		if (!text_fits(r->texts[i], s->text))
			return false;
	return true;
}

static enum reply_class
class_of_code(int code)
{
	if (code >= 500)
		return REPLY_PERMANENT;
	return code >= 400 ? REPLY_TEMPORARY : REPLY_CONNECTION;
}

struct reply_verdict
reply_classify(const struct reply_table *t, const struct reply_input *in)
{
	struct reply_verdict v = { .class = class_of_code(in->code) };
	struct seen s = {
		.code = in->code, .stage = in->stage, .group = in->group
	};
	/* A line gets one blank more at most, and has a line end less. */
	struct buf text = BUF_INIT(REPLY_TEXT_MAX + 2);

	/* Success and silence are nobody's refusal. */
	if (in->code < 400)
		return v;
	normalize(in->text, &text, &s);
	for (size_t i = 0; i < t->n; i++)
		if (rule_fits(&t->rules[i], &s)) {
			v.class = t->rules[i].class;
			v.rule = t->rules[i].name;
			v.link = t->rules[i].link;
			break;
		}
	buf_done(&text);
	return v;
}

/* --- names ----------------------------------------------------------------------- */

/* clang-format off */
static const char *const classes[] = {
	[REPLY_BLOCKED]      = "blocked",
	[REPLY_CONTENT]      = "content",
	[REPLY_RATE]         = "rate",
	[REPLY_AUTH]         = "auth",
	[REPLY_GREYLISTED]   = "greylisted",
	[REPLY_FULL]         = "full",
	[REPLY_UNKNOWN_USER] = "unknown-user",
	[REPLY_DISABLED]     = "disabled",
	[REPLY_POLICY]       = "policy",
	[REPLY_TLS]          = "tls",
	[REPLY_TOO_BIG]      = "too-big",
	[REPLY_BAD_SENDER]   = "bad-sender",
	[REPLY_RELAY_DENIED] = "relay-denied",
	[REPLY_CONNECTION]   = "connection",
	[REPLY_TEMPORARY]    = "temporary",
	[REPLY_PERMANENT]    = "permanent",
};

static const char *const stages[] = {
	"greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end",
};
/* clang-format on */

const char *reply_class_str(enum reply_class class)
{
	return classes[class];
}

bool
reply_class_parse(struct str s, enum reply_class *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (str_eq(s, str_c(classes[i]))) {
			*ret = (enum reply_class)i;
			return true;
		}
	return false;
}

bool
reply_stage_parse(struct str s, unsigned *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(stages); i++)
		if (str_eq(s, str_c(stages[i]))) {
			*ret = 1u << i;
			return true;
		}
	return false;
}
