/* SPDX-License-Identifier: ISC */
/*
 * LINK: reply
 *
 * The first two bytes of the input say which reply; up to a NUL its text follows,
 * then a table. Properties: any table is read or refused within the limits;
 * the answer is always one of the classes, the same each time, and the same
 * when the table is read again; what is behind the first kilobytes of a text
 * does not matter; the rule that is named exists in the table.
 */
#include "base/buf.h"
#include "proto/reply/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
has_rule(const struct reply_table *t, struct str name)
{
	for (size_t i = 0; i < reply_table_count(t); i++)
		if (str_eq(reply_table_name(t, i), name))
			return true;
	return false;
}

static void
check_same(const struct reply_verdict *a, const struct reply_verdict *b)
{
	ASSERT(a->class == b->class);
	ASSERT(str_eq(a->rule, b->rule) && str_eq(a->link, b->link));
}

static struct reply_verdict
check(const struct reply_table *t, const struct reply_input *in)
{
	struct reply_verdict v = reply_classify(t, in);
	struct reply_verdict again = reply_classify(t, in);

	check_same(&v, &again);
	ASSERT((unsigned)v.class <= REPLY_PERMANENT);
	ASSERT(v.rule.n == 0 || has_rule(t, v.rule));
	if (in->code < 400)
		ASSERT(v.class == REPLY_CONNECTION && v.rule.n == 0);
	if (v.rule.n == 0)
		ASSERT(v.link.n == 0 &&
		       v.class == (in->code >= 500      ? REPLY_PERMANENT
				      : in->code >= 400 ? REPLY_TEMPORARY
							: REPLY_CONNECTION));
	return v;
}

/* A reply that is longer than what is looked at means what its start means. */
static void
check_tail(const struct reply_table *t, const struct reply_input *in)
{
	struct reply_input cut = *in, whole = *in;
	struct buf text = BUF_INIT(REPLY_TEXT_MAX * 3);
	struct reply_verdict a, b;

	while (text.n < REPLY_TEXT_MAX && in->text.n > 0)
		buf_put_str(&text, str_first(in->text, REPLY_TEXT_MAX));
	buf_put_c(&text, " and more");
	whole.text = buf_str(&text);
	cut.text = str_first(whole.text, REPLY_TEXT_MAX);
	a = check(t, &whole);
	b = check(t, &cut);
	if (in->text.n > 0)
		check_same(&a, &b);
	buf_done(&text);
}

static void
check_table(struct str text, const struct reply_input *in)
{
	struct reply_error error = { 0 };
	struct reply_table *t = reply_table_parse(text, &error), *again;
	struct reply_verdict a, b;

	if (!t) {
		ASSERT(error.line > 0 || text.n > REPLY_TABLE_MAX);
		ASSERT(error.text && *error.text);
		return;
	}
	ASSERT(reply_table_count(t) <= REPLY_RULES_MAX);
	again = reply_table_parse(text, &error);
	ASSERT(again && reply_table_count(again) == reply_table_count(t));
	a = check(t, in);
	b = check(again, in);
	check_same(&a, &b);
	check_tail(t, in);
	reply_table_free(again);
	reply_table_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reply_table *builtin;
	struct str in = str_make(data, size), text, table;
	struct reply_input reply = { 0 };

	if (size < 2)
		return 0;
	if (!builtin)
		builtin = reply_table_new();
	reply.stage = (enum reply_stage)(1u << (data[0] & 7));
	/* Half of them are refusals. */
	if (data[0] & 16)
		reply.group = STR("microsoft");
	reply.code = (data[0] & 8) ? 400 + data[1] % 200 : data[1] * 3;
	table = str_split(str_from(in, 2), '\0', &text);
	reply.text = text;
	check(builtin, &reply);
	check_tail(builtin, &reply);
	check_table(str_first(table, REPLY_TABLE_MAX + 10), &reply);
	return 0;
}
