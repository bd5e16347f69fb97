/* SPDX-License-Identifier: ISC */
/*
 * cmd_tls_rpt.c - mailstead tls-rpt: what came of TLS with the servers of
 * domains that want reports, since the last reports.
 */
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "proto/tlsrpt/tlsrpt_tally.h"

#define ARENA_MAX MIB(4)

/* Rows of one domain and period come one behind the other. */
struct showing {
	struct output *output;
	struct str only; /* this domain; empty: all */
	uint64_t begin;
	char domain[TLSRPT_KEY_DOMAIN_MAX + 1];
	struct tlsrpt_tally *tally; /* NULL: none yet */
};

static void
put_failures(struct output *o, const struct tlsrpt_policy *p)
{
	struct buf text = BUF_INIT(KIB(64));

	for (const struct tlsrpt_failure *f = p->failures; f; f = f->next)
		buf_printf(&text, "%s%llu %s %.*s%s%.*s",
		    f == p->failures ? "" : "\n",
		    (unsigned long long)f->sessions,
		    tlsrpt_result_str(f->result),
		    STR_ARG(f->receiving_mx_hostname),
		    f->additional_information.n > 0 ? ": " : "",
		    STR_ARG(f->additional_information));
	output_put_text(o, buf_str(&text));
	buf_done(&text);
}

static void
put_domain(struct showing *s)
{
	struct arena arena;

	if (s->tally == NULL)
		return;
	arena_init(&arena, ARENA_MAX);
	for (const struct tlsrpt_policy *p =
		 tlsrpt_tally_policies(s->tally, &arena);
	     p != NULL; p = p->next) {
		output_put_number(s->output, s->begin);
		output_put_text(s->output, str_c(s->domain));
		output_put_text(
		    s->output, str_c(tlsrpt_policy_type_str(p->type)));
		output_put_text(s->output, p->domain);
		output_put_number(s->output, p->successful);
		output_put_number(s->output, p->failed);
		put_failures(s->output, p);
	}
	arena_done(&arena);
	s->tally = tlsrpt_tally_free(s->tally);
}

static void
take_row(void *arg, const struct msg_ledger_row *row)
{
	struct showing *s = arg;
	struct tlsrpt_key key;

	if (!tlsrpt_key_parse(row->key, &key) ||
	    (s->only.n > 0 && !str_eq(s->only, key.domain)))
		return;
	if (s->begin != key.begin || !str_eq(str_c(s->domain), key.domain))
		put_domain(s);
	s->begin = key.begin;
	snprintf(s->domain, sizeof(s->domain), "%.*s", STR_ARG(key.domain));
	if (s->tally == NULL)
		s->tally = tlsrpt_tally_new();
	(void)!tlsrpt_tally_decode(row->value, s->tally);
}

static int
show(struct admin *a, struct str domain)
{
	static const struct output_field fields[] = {
		{ "since", "SINCE", OUTPUT_TIME },
		{ "domain", "DOMAIN", OUTPUT_TEXT },
		{ "policy", "POLICY", OUTPUT_TEXT },
		{ "policy_domain", "OF", OUTPUT_TEXT },
		{ "good", "GOOD", OUTPUT_COUNT },
		{ "failed", "FAILED", OUTPUT_COUNT },
		{ "failures", "HOW", OUTPUT_LIST },
	};
	struct showing s = { .only = domain };
	int r;

	s.output = output_new("sessions", fields, ARRAY_LEN(fields));
	r = ledger_rows_each(a,
	    &(struct ledger_rows){ LEDGER_TLSRPT, STR_NONE, "reports" },
	    take_row, &s);
	put_domain(&s);
	if (r == ADMIN_OK)
		output_print(s.output, a->is_json);
	output_free(s.output);
	return r;
}

int
admin_tls_rpt(struct admin *a, int argc, char **argv)
{
	const struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	struct buf domain = BUF_INIT(KIB(2));
	int r = ADMIN_USAGE;

	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	if (args.n_words > 1)
		return admin_usage(a, NULL);
	if (args.n_words == 0 || admin_domain_name(a, args.words[0], &domain))
		r = show(a, buf_str(&domain));
	buf_done(&domain);
	return r;
}
