/* SPDX-License-Identifier: ISC */
/*
 * cmd_route_status.c - mailstead route status|groups: who refuses mail from
 * which of our addresses, what that costs, and what to write to them.
 */
#include "cli/draft.h"
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "cli/route_words.h"
#include "conf/breaker_row.h"
#include "proto/provider/provider.h"

#include <time.h>

/* --- status ---------------------------------------------------------------------------- */

static const struct output_field fields[] = {
	{ "scope", "SCOPE", OUTPUT_TEXT },
	{ "provider", "PROVIDER", OUTPUT_TEXT },
	{ "source", "SOURCE", OUTPUT_TEXT },
	{ "ip", "ADDRESS", OUTPUT_TEXT },
	{ "ptr", "PTR", OUTPUT_TEXT },
	{ "since", "SINCE", OUTPUT_TIME },
	{ "messages", "MESSAGES", OUTPUT_COUNT },
	{ "accounts", "ACCOUNTS", OUTPUT_COUNT },
	{ "more_accounts", "MORE", OUTPUT_YES },
	{ "instead", "INSTEAD", OUTPUT_TEXT },
	{ "waits_for", "WAITS FOR", OUTPUT_TEXT },
	{ "mx", "MX", OUTPUT_TEXT },
	{ "mx_ip", "MX ADDRESS", OUTPUT_TEXT },
	{ "domain", "DOMAIN", OUTPUT_TEXT },
	{ "code", "CODE", OUTPUT_COUNT },
	{ "reply", "REPLY", OUTPUT_TEXT },
	{ "rule", "RULE", OUTPUT_TEXT },
	{ "link", "LINK", OUTPUT_TEXT },
	{ "letter", "LETTER", OUTPUT_TEXT },
	{ "forced", "FORCED", OUTPUT_YES },
	{ "next", "NEXT TRY", OUTPUT_TIME },
};

struct listing {
	struct admin *a;
	struct output *o;
	struct provider_table *providers;
	size_t n;
	/* The address that was looked up last: rows are often about one. */
	char *ip, ptr[NI_MAXHOST];
};

static void
put_row(struct listing *l, const struct breaker_row *row, const char *ptr,
    struct str letter)
{
	struct output *o = l->o;

	output_put_text(o, row->scope);
	output_put_text(o, provider_title(l->providers, row->scope));
	output_put_text(o, row->source);
	output_put_text(o, row->own_ip);
	output_put_text(o, str_c(ptr));
	output_put_number(o, row->since_ms / 1000);
	output_put_number(o, row->messages);
	output_put_number(o, row->n_accounts);
	output_put_number(o, row->has_more_accounts);
	output_put_text(o, row->instead);
	output_put_text(o, row->why);
	output_put_text(o, row->mx);
	output_put_text(o, row->mx_ip);
	output_put_text(o, row->domain);
	output_put_number(o, row->code);
	output_put_text(o, row->reply);
	output_put_text(o, row->rule);
	output_put_text(o, row->link);
	output_put_text(o, letter);
	output_put_number(o, row->is_forced);
	output_put_number(o, row->is_forced ? 0 : row->next_ms / 1000);
}

/* Nothing that another server says may steer the terminal. */
static void
print_text(const char *before, struct str s)
{
	do {
		struct str line;
		char *text;

		s = str_split(s, '\n', &line);
		text = str_dup(line);
		output_tame(text, line.n);
		fputs(before, stdout);
		fputs(text, stdout);
		free(text);
		before = "\n      ";
	} while (s.p != NULL);
}

static void
print_time(const char *before, uint64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s%s", before, text);
}

static void
print_head(struct listing *l, const struct breaker_row *row, const char *ptr)
{
	struct str title = provider_title(l->providers, row->scope);

	if (l->n > 0)
		putchar('\n');
	if (row->code == 0 && row->is_forced)
		fputs("avoided by the operator: ", stdout);
	print_text("", title.n > 0 ? title : row->scope);
	print_text(row->code == 0 && row->is_forced ? " for mail from "
						    : " refuses mail from ",
	    row->own_ip.n > 0 ? row->own_ip : row->source);
	if (ptr[0])
		printf(" (%s)", ptr);
	if (title.n > 0)
		print_text("  [", row->scope), putchar(']');
	putchar('\n');
}

static void
print_row(struct listing *l, const struct breaker_row *row, const char *ptr,
    struct str letter)
{
	print_head(l, row, ptr);
	print_time("  since     ", row->since_ms);
	printf("\n  affected  %llu message%s of %u%s account%s\n",
	    (unsigned long long)row->messages, str_s(row->messages),
	    row->n_accounts, row->has_more_accounts ? " or more" : "",
	    str_s(row->n_accounts));
	if (row->instead.n > 0)
		print_text("  now by    ", row->instead);
	else
		print_text("  waits     ",
		    row->why.n > 0 ? row->why : STR("nothing yet"));
	if (row->code > 0) {
		print_text("\n  said by   ", row->mx);
		print_text(" [", row->mx_ip);
		printf("]: %u ", row->code);
		print_text("", row->reply);
	}
	if (row->is_forced)
		fputs("\n  try again when 'mailstead route resume' is said",
		    stdout);
	else
		print_time("\n  try again ", row->next_ms);
	if (row->link.n > 0)
		print_text("\n  removal   ", row->link);
	if (row->code > 0) {
		fputs("\n  write there:\n      ", stdout);
		print_text("", letter);
	}
	putchar('\n');
}

static const char *
ptr_of(struct listing *l, struct str ip)
{
	if (l->ip == NULL || !str_eq(ip, str_c(l->ip))) {
		free(l->ip);
		l->ip = str_dup(ip);
		draft_find_ptr(ip, l->ptr);
	}
	return l->ptr;
}

static void
on_row(void *arg, const struct msg_ledger_row *m)
{
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	struct listing *l = arg;
	struct buf letter = BUF_INIT(KIB(8));
	struct breaker_row row;
	const char *ptr;

	if (!breaker_row_get(m->value, accounts, &row))
		return;
	ptr = ptr_of(l, row.own_ip);
	if (row.code > 0)
		draft_put_removal(&letter, DRAFT_ENGLISH, &row, ptr);
	if (l->a->is_json)
		put_row(l, &row, ptr, buf_str(&letter));
	else
		print_row(l, &row, ptr, buf_str(&letter));
	l->n++;
	buf_done(&letter);
}

int
route_status(struct admin *a, struct route_words *w)
{
	const struct ledger_rows rows = { .table = LEDGER_BREAKER,
		.what = "route status" };
	struct listing l = { .a = a };
	int r;

	if (w->args.n_words > 0)
		return admin_usage(a, NULL);
	l.providers = route_providers();
	if (l.providers == NULL)
		l.providers = provider_table_new();
	l.o = output_new("refused", fields, ARRAY_LEN(fields));
	r = ledger_rows_each(a, &rows, on_row, &l);
	if (r == ADMIN_OK && a->is_json)
		output_print(l.o, true);
	else if (r == ADMIN_OK && l.n == 0)
		puts("nobody refuses mail because of our addresses");
	output_free(l.o);
	provider_table_free(l.providers);
	free(l.ip);
	return r;
}

/* --- tables ---------------------------------------------------------------------------------- */

int
route_groups(struct admin *a, struct route_words *w)
{
	static const struct output_field group_fields[] = {
		{ "group", "GROUP", OUTPUT_TEXT },
		{ "title", "PROVIDER", OUTPUT_TEXT },
	};
	struct provider_table *t;
	struct output *o;

	if (w->is_text) {
		fputs(provider_default_text(), stdout);
		return ADMIN_OK;
	}
	t = provider_table_new();
	o = output_new("groups", group_fields, ARRAY_LEN(group_fields));
	for (size_t i = 0; i < provider_count(t); i++) {
		output_put_text(o, provider_name(t, i));
		output_put_text(o, provider_title(t, provider_name(t, i)));
	}
	output_print(o, a->is_json);
	output_free(o);
	provider_table_free(t);
	return ADMIN_OK;
}
