/* SPDX-License-Identifier: ISC */
/*
 * cmd_retry.c - mailstead retry set|list|remove: other times for some mail
 * (conf/retry_rule.h).
 */
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "conf/retry_rule.h"

#define USAGE_SET \
	"retry set PATTERN [retry=TIME] [retry_max=TIME] [expire=TIME] " \
	"[delay_notice=TIME|0] [--json]"
#define USAGE_LIST   "retry list [--json]"
#define USAGE_REMOVE "retry remove PATTERN [--json]"

/* The key of a pattern; false after an error was printed. */
static bool
pattern_key(struct admin *a, const char *word, struct buf *key)
{
	buf_put_c(key, RETRY_RULE_PREFIX);
	for (const char *c = word; *c; c++)
		buf_put_char(key, ascii_lower(*c));
	if (!key->failed && retry_rule_is_pattern(str_from(
				buf_str(key), strlen(RETRY_RULE_PREFIX))))
		return true;
	admin_error(a, ADMIN_USAGE,
	    "\"%s\" is not a pattern; write a domain of recipients "
	    "(example.org), all below one (.example.org), a domain or address "
	    "of senders (from:example.com, from:alice@example.com), "
	    "priority:high or priority:low",
	    word);
	return false;
}

/* "retry=3m" into the rule. */
static bool
read_time(struct admin *a, const char *word, struct retry_rule *rule)
{
	struct str name, value = str_split(str_c(word), '=', &name);
	uint64_t seconds;

	for (unsigned i = 0; i < RETRY_TIMES; i++) {
		if (!str_eq(name, str_c(retry_time_str((enum retry_time)i))))
			continue;
		if (!value.p || !args_duration(value, &seconds) ||
		    seconds > RETRY_RULE_TIME_MAX)
			break;
		rule->set |= 1U << i;
		rule->v[i] = (uint32_t)seconds;
		return true;
	}
	admin_error(a, ADMIN_USAGE,
	    "\"%s\" is no time; write retry=3m, retry_max=2h, expire=5d or "
	    "delay_notice=4h, up to 30d",
	    word);
	return false;
}

static int
put(struct admin *a, struct buf *key, const struct retry_rule *rule)
{
	struct str pattern = str_from(buf_str(key), strlen(RETRY_RULE_PREFIX));
	struct buf value = BUF_INIT(KIB(1));
	struct msg_ledger_row row = { .key = buf_str(key),
		.is_gone = rule == NULL };
	int r;

	if (rule)
		retry_rule_encode(rule, &value);
	row.value = buf_str(&value);
	r = ledger_rows_change(a,
	    &(struct ledger_change){ .table = LEDGER_POLICY,
		.rows = &row,
		.n = 1,
		.what = rule != NULL ? "retry.put" : "retry.remove",
		.object = pattern },
	    "the rule", NULL);
	if (r == ADMIN_OK)
		r = admin_say(a, rule ? "set" : "removed", pattern,
		    rule ? "set rule" : "removed rule");
	buf_done(&value);
	return r;
}

static int
set(struct admin *a, struct args *args)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX);
	struct retry_rule rule = { 0 };
	const char *fault;
	int r = ADMIN_USAGE;

	if (args->n_words < 2)
		return admin_usage(a, NULL);
	for (size_t i = 1; i < args->n_words; i++)
		if (!read_time(a, args->words[i], &rule))
			return ADMIN_USAGE;
	fault = retry_rule_fault(&rule);
	if (fault)
		return admin_error(a, ADMIN_USAGE, "%s", fault);
	if (pattern_key(a, args->words[0], &key))
		r = put(a, &key, &rule);
	buf_done(&key);
	return r;
}

static int
remove_rule(struct admin *a, struct args *args)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX), value = BUF_INIT(KIB(4));
	bool is_there = false;
	int r = ADMIN_USAGE;

	if (args->n_words != 1)
		return admin_usage(a, NULL);
	if (pattern_key(a, args->words[0], &key)) {
		r = ledger_rows_find(
		    a, LEDGER_POLICY, buf_str(&key), &is_there, &value);
		if (r == ADMIN_OK && !is_there)
			r = admin_error(a, ADMIN_REFUSED,
			    "there is no rule \"%s\"; see 'mailstead retry "
			    "list'",
			    args->words[0]);
		if (r == ADMIN_OK)
			r = put(a, &key, NULL);
	}
	buf_done(&key);
	buf_done(&value);
	return r;
}

static const struct output_field fields[] = {
	{ "pattern", "PATTERN", OUTPUT_TEXT },
	{ "retry", "RETRY", OUTPUT_WORD },
	{ "retry_max", "RETRY_MAX", OUTPUT_WORD },
	{ "expire", "EXPIRE", OUTPUT_WORD },
	{ "delay_notice", "DELAY_NOTICE", OUTPUT_WORD },
};

/* As it can be set: "90s", "3m", "2h", "5d". */
static void
put_time(struct output *o, const struct retry_rule *r, unsigned i)
{
	static const struct {
		uint32_t s;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	char text[20] = "";
	size_t k = 0;

	while (r->v[i] % units[k].s || (r->v[i] == 0 && units[k].s > 1))
		k++;
	if (r->set & 1U << i)
		snprintf(text, sizeof(text), "%u%c", r->v[i] / units[k].s,
		    units[k].unit);
	output_put_text(o, str_c(text));
}

static void
list_row(void *arg, const struct msg_ledger_row *row)
{
	struct output *o = arg;
	struct retry_rule rule;

	if (!retry_rule_decode(row->value, &rule))
		return;
	output_put_text(o, str_from(row->key, strlen(RETRY_RULE_PREFIX)));
	for (unsigned i = 0; i < RETRY_TIMES; i++)
		put_time(o, &rule, i);
}

static int
list(struct admin *a, struct args *args)
{
	struct output *o;
	int r;

	if (args->n_words != 0)
		return admin_usage(a, NULL);
	o = output_new("rules", fields, ARRAY_LEN(fields));
	r = ledger_rows_each(a,
	    &(struct ledger_rows){
		LEDGER_POLICY, STR(RETRY_RULE_PREFIX), "rules" },
	    list_row, o);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	return r;
}

const char *const retry_usage[] = { USAGE_SET, USAGE_LIST, USAGE_REMOVE, NULL };

int
admin_retry(struct admin *a, int argc, char **argv)
{
	const struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };

	if (argc == 0)
		return admin_usage(a, NULL);
	if (!admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(argv[0], "set") == 0)
		return set(a, &args);
	if (strcmp(argv[0], "remove") == 0)
		return remove_rule(a, &args);
	return list(a, &args);
}
