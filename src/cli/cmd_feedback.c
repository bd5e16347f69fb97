/* SPDX-License-Identifier: ISC */
/*
 * cmd_feedback.c - mailstead feedback list|show: what others report about our
 * mail: DMARC, TLS, complaints.
 *
 * The filter keeps it in the ledger (proto/feedback/feedback.h). It is what
 * strangers claim; so it is shown, and nothing is done by it.
 */
#include "cli/feedback_sum.h"
#include "cli/ledger_rows.h"
#include "cli/output/output.h"

#include <time.h>

#define SELECTORS  "[--domain D] [--kind dmarc|tls|abuse] [--since TIME]"
#define USAGE_LIST "feedback list " SELECTORS " [--json]"
#define USAGE_SHOW \
	"feedback show dmarc|tls|abuse [--domain D] [--since TIME] [--json]"

#define SINCE_S (30 * 86400U) /* by default */

struct feedback_command {
	struct admin *a;
	struct args args;
	const char *domain, *kind, *since;
	struct buf name; /* of the domain, clean */
	uint64_t since_s;
	bool has_kind;
	enum feedback_kind only;
	struct output *o;
	struct feedback_sum *sum;
	uint64_t damaged;
};

/* --- which reports ---------------------------------------------------------------- */

static bool
read_options(struct feedback_command *c)
{
	uint64_t now = (uint64_t)time(NULL);

	c->since_s = now - SINCE_S;
	if (c->since && !args_time(c->since, now, &c->since_s)) {
		admin_error(c->a, ADMIN_USAGE,
		    "\"%s\" is no time; write it like 7d or 2026-11-20",
		    c->since);
		return false;
	}
	if (c->kind) {
		c->has_kind = true;
		if (!feedback_kind_parse(str_c(c->kind), &c->only)) {
			admin_error(c->a, ADMIN_USAGE,
			    "\"%s\" is no kind: dmarc, tls or abuse", c->kind);
			return false;
		}
	}
	return !c->domain || admin_domain_name(c->a, c->domain, &c->name);
}

static bool
is_wanted(const struct feedback_command *c, const struct feedback_head *h)
{
	return h->end >= c->since_s &&
	       (c->name.n == 0 || str_eq(buf_str(&c->name), h->domain));
}

static int
each(struct feedback_command *c, ledger_rows_fn fn)
{
	struct buf prefix = BUF_INIT(FEEDBACK_KEY_MAX);
	struct ledger_rows rows = { LEDGER_FEEDBACK, STR_NONE, "feedback" };
	int r;

	if (c->has_kind)
		buf_printf(&prefix, "%s/", feedback_kind_str(c->only));
	rows.prefix = buf_str(&prefix);
	r = ledger_rows_each(c->a, &rows, fn, c);
	buf_done(&prefix);
	if (r == ADMIN_OK && c->damaged)
		fprintf(stderr, "mailstead: %llu row%s cannot be read\n",
		    (unsigned long long)c->damaged, str_s(c->damaged));
	return r;
}

/* The head of a row that is asked for. */
static bool
read_row(struct feedback_command *c, const struct msg_ledger_row *row,
    struct feedback_head *head, struct wire *items)
{
	if (!feedback_read_head(row->value, head, items)) {
		c->damaged++;
		return false;
	}
	return is_wanted(c, head);
}

/* --- list -------------------------------------------------------------------------- */

static const struct output_field list_fields[] = {
	{ "kind", "KIND", OUTPUT_TEXT },
	{ "domain", "DOMAIN", OUTPUT_TEXT },
	{ "end", "UNTIL", OUTPUT_TIME },
	{ "count", "COUNT", OUTPUT_COUNT },
	{ "failed", "FAILED", OUTPUT_COUNT },
	{ "reporter", "REPORTER", OUTPUT_TEXT },
	{ "report_id", "ID", OUTPUT_TEXT },
};

/* What all items of a row count, and how many of it are bad news. */
static void
count_items(enum feedback_kind kind, struct wire *items, uint64_t *ret_count,
    uint64_t *ret_failed)
{
	struct feedback_item i;

	*ret_count = *ret_failed = 0;
	while (feedback_read_item(items, kind, &i))
		switch (kind) {
		case FEEDBACK_DMARC:
			*ret_count += i.u.dmarc.count;
			if (!i.u.dmarc.is_dkim_aligned &&
			    !i.u.dmarc.is_spf_aligned)
				*ret_failed += i.u.dmarc.count;
			break;
		case FEEDBACK_TLS:
			if (i.u.tls.result.n)
				break;
			*ret_count += i.u.tls.successful + i.u.tls.failed;
			*ret_failed += i.u.tls.failed;
			break;
		case FEEDBACK_ABUSE:
			*ret_count += i.u.abuse.incidents;
			*ret_failed += i.u.abuse.incidents;
			break;
		}
}

static void
list_row(void *arg, const struct msg_ledger_row *row)
{
	struct feedback_command *c = arg;
	struct feedback_head h;
	struct wire items;
	uint64_t count, failed;

	if (!read_row(c, row, &h, &items))
		return;
	count_items(h.kind, &items, &count, &failed);
	output_put_text(c->o, str_c(feedback_kind_str(h.kind)));
	output_put_text(c->o, h.domain);
	output_put_number(c->o, h.end);
	output_put_number(c->o, count);
	output_put_number(c->o, failed);
	output_put_text(c->o, h.reporter);
	output_put_text(c->o, h.report_id);
}

static int
list(struct feedback_command *c)
{
	int r;

	c->o = output_new("reports", list_fields, ARRAY_LEN(list_fields));
	r = each(c, list_row);
	if (r == ADMIN_OK && c->domain != NULL && output_is_empty(c->o))
		r = admin_served(c->a, c->domain);
	if (r == ADMIN_OK)
		output_print(c->o, c->a->is_json);
	output_free(c->o);
	return r;
}

/* --- show: added up over all reports ------------------------------------------------ */

static const struct output_field dmarc_fields[] = {
	{ "domain", "DOMAIN", OUTPUT_TEXT },
	{ "source", "SOURCE", OUTPUT_TEXT },
	{ "count", "COUNT", OUTPUT_COUNT },
	{ "dkim_aligned", "DKIM", OUTPUT_COUNT },
	{ "spf_aligned", "SPF", OUTPUT_COUNT },
	{ "none_aligned", "NEITHER", OUTPUT_COUNT },
	{ "quarantined", "QUARANTINED", OUTPUT_COUNT },
	{ "rejected", "REJECTED", OUTPUT_COUNT },
	{ "dkim_domain", "SIGNED BY", OUTPUT_TEXT },
	{ "envelope_from", "ENVELOPE", OUTPUT_TEXT },
};

static const struct output_field tls_fields[] = {
	{ "domain", "DOMAIN", OUTPUT_TEXT },
	{ "policy", "POLICY", OUTPUT_TEXT },
	{ "result", "RESULT", OUTPUT_TEXT },
	{ "successful", "GOOD", OUTPUT_COUNT },
	{ "failed", "FAILED", OUTPUT_COUNT },
	{ "mx", "MX", OUTPUT_TEXT },
	{ "sending_ip", "FROM", OUTPUT_TEXT },
	{ "reporter", "REPORTER", OUTPUT_TEXT },
	{ "detail", "DETAIL", OUTPUT_TEXT },
};

static const struct output_field abuse_fields[] = {
	{ "account", "ACCOUNT", OUTPUT_TEXT },
	{ "received", "RECEIVED", OUTPUT_TIME },
	{ "type", "TYPE", OUTPUT_TEXT },
	{ "incidents", "COUNT", OUTPUT_COUNT },
	{ "id", "MESSAGE", OUTPUT_TEXT },
	{ "recipient", "RECIPIENT", OUTPUT_TEXT },
	{ "subject", "SUBJECT", OUTPUT_TEXT },
	{ "reporter", "REPORTER", OUTPUT_TEXT },
	{ "source", "SOURCE", OUTPUT_TEXT },
};

static void
put_abuse(struct output *o, const struct feedback_head *h,
    const struct feedback_abuse *a)
{
	output_put_text(o, a->login);
	output_put_number(o, h->received);
	output_put_text(o, a->type);
	output_put_number(o, a->incidents);
	output_put_text(o, a->trace);
	output_put_text(o, a->rcpt);
	output_put_text(o, a->subject);
	output_put_text(o, h->reporter);
	output_put_text(o, a->source);
}

static void
put_tls(struct output *o, const struct feedback_tls_sum *t)
{
	output_put_text(o, str_c(t->domain));
	output_put_text(o, str_c(t->policy));
	output_put_text(o, str_c(t->result));
	output_put_number(o, t->successful);
	output_put_number(o, t->failed);
	output_put_text(o, str_c(t->mx));
	output_put_text(o, str_c(t->sending_ip));
	output_put_text(o, str_c(t->reporter));
	output_put_text(o, str_c(t->detail));
}

static void
put_dmarc(struct output *o, const struct feedback_dmarc_sum *d)
{
	output_put_text(o, str_c(d->domain));
	output_put_text(o, str_c(d->source));
	output_put_number(o, d->count);
	output_put_number(o, d->dkim_aligned);
	output_put_number(o, d->spf_aligned);
	output_put_number(o, d->none_aligned);
	output_put_number(o, d->quarantined);
	output_put_number(o, d->rejected);
	output_put_text(o, str_c(d->dkim_domain));
	output_put_text(o, str_c(d->envelope_from));
}

static void
show_row(void *arg, const struct msg_ledger_row *row)
{
	struct feedback_command *c = arg;
	struct feedback_head h;
	struct feedback_item i;
	struct wire items;

	if (!read_row(c, row, &h, &items))
		return;
	while (feedback_read_item(&items, h.kind, &i))
		switch (h.kind) {
		case FEEDBACK_DMARC:
			feedback_sum_dmarc(c->sum, &h, &i.u.dmarc);
			break;
		case FEEDBACK_TLS:
			feedback_sum_tls(c->sum, &h, &i.u.tls);
			break;
		case FEEDBACK_ABUSE:
			put_abuse(c->o, &h, &i.u.abuse);
			break;
		}
}

static void
begin_show(struct feedback_command *c)
{
	switch (c->only) {
	case FEEDBACK_DMARC:
		c->o = output_new(
		    "sources", dmarc_fields, ARRAY_LEN(dmarc_fields));
		break;
	case FEEDBACK_TLS:
		c->o =
		    output_new("sessions", tls_fields, ARRAY_LEN(tls_fields));
		break;
	case FEEDBACK_ABUSE:
		c->o = output_new(
		    "complaints", abuse_fields, ARRAY_LEN(abuse_fields));
		break;
	}
}

static int
show(struct feedback_command *c)
{
	const struct feedback_dmarc_sum *d;
	const struct feedback_tls_sum *t;
	int r;

	c->sum = feedback_sum_new();
	begin_show(c);
	r = each(c, show_row);
	for (size_t i = 0; (d = feedback_sum_dmarc_at(c->sum, i)); i++)
		put_dmarc(c->o, d);
	for (size_t i = 0; (t = feedback_sum_tls_at(c->sum, i)); i++)
		put_tls(c->o, t);
	if (r == ADMIN_OK)
		output_print(c->o, c->a->is_json);
	output_free(c->o);
	feedback_sum_free(c->sum);
	return r;
}

/* --- complaints about one account ------------------------------------------------------ */

struct counting {
	uint64_t n;
};

static void
count_row(void *arg, UNUSED const struct msg_ledger_row *row)
{
	((struct counting *)arg)->n++;
}

int
feedback_count_complaints(struct admin *a, struct str login, uint64_t *ret)
{
	struct buf prefix = BUF_INIT(FEEDBACK_KEY_MAX);
	struct ledger_rows rows = { LEDGER_FEEDBACK, STR_NONE, "complaints" };
	struct counting c = { 0 };
	int r;

	feedback_put_prefix(&prefix, FEEDBACK_ABUSE, login);
	rows.prefix = buf_str(&prefix);
	r = ledger_rows_each(a, &rows, count_row, &c);
	buf_done(&prefix);
	*ret = c.n;
	return r;
}

/* --- the command ------------------------------------------------------------------------- */

const char *const feedback_usage[] = { USAGE_LIST, USAGE_SHOW, NULL };

int
admin_feedback(struct admin *a, int argc, char **argv)
{
	struct feedback_command c = { .a = a, .name = BUF_INIT(KIB(1)) };
	const struct arg_option options[] = {
		ADMIN_OPTIONS(a),
		{ "--domain", &c.domain, NULL },
		{ "--kind", &c.kind, NULL },
		{ "--since", &c.since, NULL },
	};
	bool is_show = argc > 0 && strcmp(argv[0], "show") == 0;
	int r = ADMIN_USAGE;

	c.args.options = options;
	c.args.n_options = ARRAY_LEN(options);
	if (argc == 0)
		return admin_usage(a, NULL);
	if (!admin_args(a, &c.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (is_show && c.args.n_words == 1)
		c.kind = c.args.words[0];
	if (c.args.n_words != (is_show ? 1 : 0))
		r = admin_usage(a, NULL);
	else if (read_options(&c))
		r = is_show ? show(&c) : list(&c);
	buf_done(&c.name);
	return r;
}
