/* SPDX-License-Identifier: ISC */
/*
 * cmd_tls.c - mailstead tls-rule add|list|remove|test: what TLS has to be on
 * the way to a destination (conf/tls_rule.h).
 */
#include "cli/cli.h"
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "cli/tls_probe.h"
#include "conf/tls_rule.h"
#include "net/idn.h"
#include "proto/mtasts/mtasts_row.h"
#include "send/tls/sts.h"
#include "send/tls/tls_policy.h"

#include <time.h>

#define USAGE_ADD \
	"tls-rule add DOMAIN|.DOMAIN|mx:HOST|mx:.DOMAIN " \
	"auto|may|must|verify|dane|never [--json]"
#define USAGE_LIST   "tls-rule list [--json]"
#define USAGE_REMOVE "tls-rule remove PATTERN [--json]"
#define USAGE_TEST   "tls-rule test DOMAIN [--json]"

/* A domain in ASCII and lower case. */
static bool
to_ascii(struct str s, char ret[DNS_NAME_MAX + 1])
{
	if (str_ends(s, STR(".")))
		s = str_first(s, s.n - 1);
	if (s.n == 0 || !idn_to_ascii(s, ret, DNS_NAME_MAX + 1))
		return false;
	for (char *c = ret; *c != '\0'; c++)
		*c = ascii_lower(*c);
	return true;
}

/* The pattern in its one form, behind the prefix of the key. */
static bool
pattern_key(struct admin *a, const char *word, struct buf *key)
{
	struct str s = str_c(word), prefix = STR_NONE;
	char ascii[DNS_NAME_MAX + 1];
	bool is_mx = str_starts_case(s, STR("mx:"));

	if (is_mx)
		s = str_from(s, 3);
	if (str_starts(s, STR(".")))
		prefix = STR(".");
	s = str_from(s, prefix.n);
	buf_put_c(key, TLS_RULE_PREFIX);
	if (to_ascii(s, ascii))
		buf_printf(key, "%s%.*s%s", is_mx ? "mx:" : "", STR_ARG(prefix),
		    ascii);
	if (!key->failed && tls_rule_is_pattern(str_from(
				buf_str(key), strlen(TLS_RULE_PREFIX))))
		return true;
	admin_error(a, ADMIN_USAGE,
	    "\"%s\" is not a pattern; write a domain (example.org), all below "
	    "one (.example.org), or a mail server (mx:mx1.example.org, "
	    "mx:.example.org)",
	    word);
	return false;
}

/* --- add and remove ----------------------------------------------------------------- */

static int
put(struct admin *a, struct buf *key, const struct tls_rule_row *rule)
{
	struct str pattern = str_from(buf_str(key), strlen(TLS_RULE_PREFIX));
	struct buf value = BUF_INIT(KIB(1));
	struct msg_ledger_row row = { .key = buf_str(key) };
	int r;

	if (rule != NULL)
		tls_rule_row_encode(rule, &value);
	row.is_gone = rule == NULL;
	row.value = buf_str(&value);
	r = ledger_rows_change(a,
	    &(struct ledger_change){ .table = LEDGER_POLICY,
		.rows = &row,
		.n = 1,
		.what = rule != NULL ? "tls-rule.put" : "tls-rule.remove",
		.object = pattern,
		.detail =
		    rule != NULL ? str_c(tls_rule_str(rule->rule)) : STR_NONE },
	    "the rule", NULL);
	if (r == ADMIN_OK)
		r = admin_say(a, rule ? "added" : "removed", pattern,
		    rule ? "added rule" : "removed rule");
	buf_done(&value);
	return r;
}

static int
add(struct admin *a, struct args *args)
{
	struct tls_rule_row rule = { .made = (uint64_t)time(NULL) };
	struct buf key = BUF_INIT(LEDGER_KEY_MAX);
	int r = ADMIN_USAGE;

	if (args->n_words != 2 ||
	    !tls_rule_parse(str_c(args->words[1]), &rule.rule))
		return admin_usage(a, NULL);
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
			    "there is no rule \"%s\"; see 'mailstead tls-rule "
			    "list'",
			    args->words[0]);
		if (r == ADMIN_OK)
			r = put(a, &key, NULL);
	}
	buf_done(&key);
	buf_done(&value);
	return r;
}

/* --- list ------------------------------------------------------------------------------ */

static void
put_row(void *arg, const struct msg_ledger_row *row)
{
	struct output *o = arg;
	struct tls_rule_row rule;

	if (!tls_rule_row_decode(row->value, &rule))
		return;
	output_put_text(o, str_from(row->key, strlen(TLS_RULE_PREFIX)));
	output_put_text(o, str_c(tls_rule_str(rule.rule)));
	output_put_number(o, rule.made);
}

static int
list(struct admin *a, struct args *args)
{
	static const struct output_field fields[] = {
		{ "pattern", "PATTERN", OUTPUT_TEXT },
		{ "rule", "RULE", OUTPUT_TEXT },
		{ "made", "MADE", OUTPUT_TIME },
	};
	struct output *o;
	int r;

	if (args->n_words != 0)
		return admin_usage(a, NULL);
	o = output_new("rules", fields, ARRAY_LEN(fields));
	r = ledger_rows_each(a,
	    &(struct ledger_rows){
		LEDGER_POLICY, STR(TLS_RULE_PREFIX), "rules" },
	    put_row, o);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	return r;
}

/* --- test ------------------------------------------------------------------------------ */

static void
take_rule(void *arg, const struct msg_ledger_row *row)
{
	struct str pattern = str_from(row->key, strlen(TLS_RULE_PREFIX));
	struct tls_rules *rules = arg;
	struct tls_rule_row rule;

	if (tls_rule_is_pattern(pattern) &&
	    tls_rule_row_decode(row->value, &rule))
		(void)!tls_rules_add(rules, pattern, rule.rule);
}

/* The policy that role send keeps of the domain. */
struct kept {
	struct str domain;
	struct buf value;
	struct sts_answer answer;
};

static void
take_policy(void *arg, const struct msg_ledger_row *row)
{
	struct kept *k = arg;
	struct mtasts_row policy;

	if (!str_eq(row->key, k->domain))
		return;
	buf_reset(&k->value, MTASTS_ROW_MAX);
	buf_put_str(&k->value, row->value);
	k->answer.has_policy =
	    mtasts_row_decode(buf_str(&k->value), &policy, &k->answer.policy);
}

static void
put_host(struct output *o, const struct tls_probe *p,
    const struct tls_probe_host *h, struct tls_facts *facts)
{
	struct tls_need need;
	char text[700];

	facts->dane = h->dane;
	need = tls_need_of(facts);
	if (!h->has_address)
		snprintf(text, sizeof(text), "no address%s%s",
		    h->why[0] ? ": " : "", h->why);
	else if (need.blocked != NULL)
		snprintf(text, sizeof(text), "not used: %s%s%s", need.blocked,
		    h->why[0] ? ": " : "", h->why);
	else
		snprintf(text, sizeof(text), "%s, by %s",
		    tls_level_str(need.level), tls_source_str(need.source));
	output_put_text(o, str_c(h->name));
	output_put_number(o, h->preference);
	output_put_number(o, p->is_secure && h->is_secure);
	output_put_text(o, str_c(dane_state_str(h->dane)));
	output_put_number(o, h->n_tlsa);
	output_put_text(o, str_c(sts_fit_str(facts->sts)));
	output_put_text(o, str_c(tls_rule_str(facts->rule)));
	output_put_text(o, str_c(text));
}

static void
print_probe(struct admin *a, const struct kept *k, const struct tls_probe *p,
    const struct tls_rules *rules)
{
	static const struct output_field fields[] = {
		{ "host", "HOST", OUTPUT_TEXT },
		{ "preference", "PREF", OUTPUT_COUNT },
		{ "secure", "DNSSEC", OUTPUT_YES },
		{ "tlsa", "TLSA", OUTPUT_TEXT },
		{ "records", "RECORDS", OUTPUT_COUNT },
		{ "sts", "MTA-STS", OUTPUT_TEXT },
		{ "rule", "RULE", OUTPUT_TEXT },
		{ "tls", "TLS HAS TO BE", OUTPUT_TEXT },
	};
	struct output *o = output_new("hosts", fields, ARRAY_LEN(fields));

	for (size_t i = 0; i < p->n; i++) {
		struct str host = str_c(p->hosts[i].name);
		struct tls_facts facts = {
			.rule = tls_rules_find(rules, k->domain, host),
			.sts = sts_fit_of(&k->answer, host),
		};

		put_host(o, p, &p->hosts[i], &facts);
	}
	output_print(o, a->is_json);
	output_free(o);
	if (a->is_json)
		return;
	if (!p->validates)
		puts("DNSSEC is off or has no trust anchor (section dns of the "
		     "configuration): no DANE");
	else if (!p->is_secure)
		puts("the MX records came without DNSSEC: no DANE");
	if (p->sts_id[0] != '\0' && !k->answer.has_policy)
		puts("the domain has an MTA-STS record; its policy is fetched "
		     "with the first mail, and counts then");
}

static int
test(struct admin *a, struct args *args)
{
	struct tls_rules *rules;
	struct kept k = { .value = BUF_INIT(MTASTS_ROW_MAX) };
	struct tls_probe p;
	char ascii[DNS_NAME_MAX + 1];
	char *error = NULL;
	struct conf *c;
	int r = ADMIN_OK;

	if (args->n_words != 1)
		return admin_usage(a, NULL);
	if (!to_ascii(str_c(args->words[0]), ascii))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is not a domain; write it like example.org",
		    args->words[0]);
	if (conf_load(cli_config_path(), &c, &error) < 0) {
		r = admin_error(a, ADMIN_USAGE, "%s", error);
		free(error);
		return r;
	}
	rules = tls_rules_new();
	r = ledger_rows_each(a,
	    &(struct ledger_rows){
		LEDGER_POLICY, STR(TLS_RULE_PREFIX), "rules" },
	    take_rule, rules);
	k.domain = str_first(str_c(ascii), LEDGER_KEY_MAX);
	if (r == ADMIN_OK)
		r = ledger_rows_each(a,
		    &(struct ledger_rows){
			LEDGER_MTASTS, k.domain, "policies" },
		    take_policy, &k);
	if (r == ADMIN_OK && !tls_probe(c, ascii, &p, &error))
		r = admin_error(
		    a, ADMIN_TEMPFAIL, "name resolution: %s", error);
	else if (r == ADMIN_OK && p.n == 0)
		r = admin_error(a,
		    p.is_temporary ? ADMIN_TEMPFAIL : ADMIN_REFUSED, "%s",
		    p.trouble);
	else if (r == ADMIN_OK)
		print_probe(a, &k, &p, rules);
	free(error);
	tls_rules_free(rules);
	buf_done(&k.value);
	conf_free(c);
	return r;
}

const char *const tls_rule_usage[] = { USAGE_ADD, USAGE_LIST, USAGE_REMOVE,
	USAGE_TEST, NULL };

int
admin_tls_rule(struct admin *a, int argc, char **argv)
{
	const struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";

	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return add(a, &args);
	if (strcmp(verb, "list") == 0)
		return list(a, &args);
	if (strcmp(verb, "remove") == 0)
		return remove_rule(a, &args);
	if (strcmp(verb, "test") == 0)
		return test(a, &args);
	return admin_usage(a, NULL);
}
