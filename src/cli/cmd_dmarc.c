/* SPDX-License-Identifier: ISC */
/*
 * cmd_dmarc.c - mailstead dmarc: what was found of mail from others and waits
 * for its report, and which reports went out.
 */
#include "cli/admin.h"
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "proto/dmarc/dmarc_row.h"

#define USAGE_COLLECTED "dmarc collected [DOMAIN] [--json]"
#define USAGE_REPORTS   "dmarc reports [DOMAIN] [--json]"

/* --- collected ---------------------------------------------------------------------- */

/* The rows of one period and domain, added up: they come together. */
struct sums {
	struct output *output;
	struct str domain; /* only this one; empty: all */
	char group[1 + 8 + DMARC_ROW_DOMAIN_N];
	bool has_group;
	struct buf name;
	uint64_t begin, messages, passed, junk, rejected;
};

static void
end_group(struct sums *s)
{
	struct output *o = s->output;

	if (s->has_group) {
		output_put_number(o, s->begin);
		output_put_text(o, buf_str(&s->name));
		output_put_number(o, s->messages);
		output_put_number(o, s->passed);
		output_put_number(o, s->junk);
		output_put_number(o, s->rejected);
	}
	s->has_group = false;
	s->messages = s->passed = s->junk = s->rejected = 0;
}

static void
add_row(struct sums *s, const struct dmarc_report_row *row)
{
	s->messages += row->count;
	if (row->is_dkim_pass || row->is_spf_pass)
		s->passed += row->count;
	if (row->disposition == DMARC_POLICY_QUARANTINE)
		s->junk += row->count;
	if (row->disposition == DMARC_POLICY_REJECT)
		s->rejected += row->count;
}

static void
on_count(void *arg, const struct msg_ledger_row *r)
{
	struct sums *s = arg;
	struct dmarc_published published;
	struct dmarc_report_row row;
	struct dmarc_row_key key;
	struct arena arena;

	arena_init(&arena, KIB(64));
	if (dmarc_row_key_get(r->key, &key) &&
	    dmarc_row_get(r->value, &arena, &published, &row) &&
	    (s->domain.n == 0 || str_eq_case(s->domain, published.domain))) {
		if (!s->has_group ||
		    memcmp(s->group, r->key.p, sizeof(s->group)) != 0) {
			end_group(s);
			memcpy(s->group, r->key.p, sizeof(s->group));
			s->has_group = true;
			s->begin = key.begin;
			buf_reset(&s->name, KIB(1));
			buf_put_str(&s->name, published.domain);
		}
		add_row(s, &row);
	}
	arena_done(&arena);
}

static int
collected(struct admin *a, struct str domain)
{
	static const struct output_field fields[] = {
		{ "begin", "PERIOD", OUTPUT_TIME },
		{ "domain", "DOMAIN", OUTPUT_TEXT },
		{ "messages", "MESSAGES", OUTPUT_COUNT },
		{ "passed", "PASSED", OUTPUT_COUNT },
		{ "quarantined", "JUNK", OUTPUT_COUNT },
		{ "rejected", "REFUSED", OUTPUT_COUNT },
	};
	static const char prefix[] = { DMARC_ROW_COUNT };
	const struct ledger_rows rows = { LEDGER_DMARC,
		str_make(prefix, sizeof(prefix)), "what DMARC found" };
	struct sums s = { .domain = domain, .name = BUF_INIT(KIB(1)) };
	int r;

	s.output = output_new("collected", fields, ARRAY_LEN(fields));
	r = ledger_rows_each(a, &rows, on_count, &s);
	end_group(&s);
	if (r == ADMIN_OK)
		output_print(s.output, a->is_json);
	output_free(s.output);
	buf_done(&s.name);
	return r;
}

/* --- reports ------------------------------------------------------------------------ */

struct list {
	struct output *output;
	struct str domain;
};

static void
on_sent(void *arg, const struct msg_ledger_row *r)
{
	struct list *l = arg;
	struct output *o = l->output;
	struct dmarc_row_key key;
	struct dmarc_sent sent;

	if (!dmarc_row_key_get(r->key, &key) ||
	    !dmarc_sent_get(r->value, &sent) ||
	    (l->domain.n > 0 && !str_eq_case(l->domain, sent.domain)))
		return;
	output_put_number(o, key.begin);
	output_put_text(o, sent.domain);
	output_put_text(o, sent.receiver);
	output_put_text(o, str_c(dmarc_sent_state_str(sent.state)));
	output_put_number(o, sent.time);
	output_put_number(o, sent.messages);
	output_put_number(o, sent.rows);
	output_put_number(o, sent.size);
	output_put_text(o, sent.trace_id);
}

static int
reports(struct admin *a, struct str domain)
{
	static const struct output_field fields[] = {
		{ "begin", "PERIOD", OUTPUT_TIME },
		{ "domain", "DOMAIN", OUTPUT_TEXT },
		{ "receiver", "RECEIVER", OUTPUT_TEXT },
		{ "state", "STATE", OUTPUT_TEXT },
		{ "time", "SENT", OUTPUT_TIME },
		{ "messages", "MESSAGES", OUTPUT_COUNT },
		{ "rows", "ROWS", OUTPUT_COUNT },
		{ "size", "SIZE", OUTPUT_BYTES },
		{ "id", "ID", OUTPUT_TEXT },
	};
	static const char prefix[] = { DMARC_ROW_SENT };
	const struct ledger_rows rows = { LEDGER_DMARC,
		str_make(prefix, sizeof(prefix)), "what DMARC found" };
	struct list l = { .domain = domain };
	int r;

	l.output = output_new("reports", fields, ARRAY_LEN(fields));
	r = ledger_rows_each(a, &rows, on_sent, &l);
	if (r == ADMIN_OK)
		output_print(l.output, a->is_json);
	output_free(l.output);
	return r;
}

const char *const dmarc_usage[] = { USAGE_COLLECTED, USAGE_REPORTS, NULL };

int
admin_dmarc(struct admin *a, int argc, char **argv)
{
	const struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";
	struct str domain;

	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	domain = str_c(args.n_words ? args.words[0] : NULL);
	if (strcmp(verb, "collected") == 0 && args.n_words <= 1)
		return collected(a, domain);
	if (strcmp(verb, "reports") == 0 && args.n_words <= 1)
		return reports(a, domain);
	return admin_usage(a, NULL);
}
