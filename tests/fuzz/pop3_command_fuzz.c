/* SPDX-License-Identifier: ISC */
/*
 * LINK: pop3
 *
 * Properties: numbers are within their limits, arguments lie in the line, and
 * a command that was accepted is accepted again when it is written out.
 */
#include "base/buf.h"
#include "proto/pop3/pop3_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_within(struct str part, struct str whole)
{
	ASSERT(part.n == 0 ||
	       (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void
format(struct buf *to, const struct pop3_command *c)
{
	buf_put_c(to, pop3_verb_str(c->verb));
	if (c->text.n)
		buf_printf(to, " %.*s", STR_ARG(c->text));
	if (c->has_initial)
		buf_printf(to, " %.*s", STR_ARG(c->initial));
	if (c->has_message)
		buf_printf(to, " %u", c->message);
	if (c->verb == POP3_VERB_TOP)
		buf_printf(to, " %u", c->lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str line = str_first(str_make(data, size), POP3_LINE_MAX);
	struct buf text = BUF_INIT(KIB(4));
	struct pop3_command c, again;

	if (pop3_command_parse(line, &c) == POP3_COMMAND_OK) {
		check_within(c.text, line);
		check_within(c.initial, line);
		ASSERT(c.verb != POP3_VERB_UNKNOWN);
		ASSERT(!c.has_message || c.message > 0);
		ASSERT(c.verb != POP3_VERB_RETR || c.has_message);
		format(&text, &c);
		ASSERT(pop3_command_parse(buf_str(&text), &again) ==
		       POP3_COMMAND_OK);
		ASSERT(again.verb == c.verb && again.message == c.message);
		ASSERT(again.lines == c.lines && str_eq(again.text, c.text));
		ASSERT(str_eq(again.initial, c.initial));
	}
	buf_done(&text);
	return 0;
}
