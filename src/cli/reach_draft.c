/* SPDX-License-Identifier: ISC */
/*
 * reach_draft.c - drafts about one signal. See reach_draft.h.
 *
 * The post is for everybody: no network, address, domain or reply is in it. The
 * request is for the receiver, and has its reply word for word.
 */
#include "cli/reach_draft.h"

#include "cli/draft.h"
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "cli/reach_rows.h"
#include "cli/route_words.h"
#include "proto/provider/provider.h"

struct draft {
	struct admin *a;
	enum draft_language language;
	const char *id;
	bool is_found, is_refused;
	struct buf title, body, removal, link;
};

static const struct output_field fields[] = {
	{ "id", "id", OUTPUT_TEXT },
	{ "title", "title", OUTPUT_TEXT },
	{ "body", "body", OUTPUT_TEXT },
	{ "link", "link", OUTPUT_WORD },
	{ "removal", "removal", OUTPUT_WORD },
};

/* --- the post --------------------------------------------------------------------- */

/* As customers know it. */
static const char *
service_text(uint8_t service)
{
	switch (service < SERVICE_COUNT ? (enum service)service : SERVICE_MX) {
	case SERVICE_IMAP:
	case SERVICE_IMAPS:
		return "IMAP";
	case SERVICE_POP3:
	case SERVICE_POP3S:
		return "POP3";
	case SERVICE_HTTP:
	case SERVICE_HTTPS:
		return "HTTPS";
	case SERVICE_MX:
	case SERVICE_LMTP:
	case SERVICE_SUBMISSION:
	case SERVICE_SUBMISSIONS:
		break;
	}
	return "SMTP";
}

static void
put_post(struct draft *d, enum draft_word title, enum draft_word body,
    struct str what, uint64_t since)
{
	struct buf when = BUF_INIT(64);
	struct str parts[] = { what, STR_NONE };

	draft_put_time(&when, since);
	parts[1] = buf_str(&when);
	draft_put(&d->title, d->language, title, parts, ARRAY_LEN(parts));
	draft_put(&d->body, d->language, body, parts, ARRAY_LEN(parts));
	buf_done(&when);
}

static void
put_network(struct draft *d, const struct msg_reach_signal *s)
{
	struct str what = str_c(service_text(s->service));

	switch ((enum reach_signal_kind)s->kind) {
	case REACH_QUIET:
	case REACH_STUCK:
		if (s->service == SERVICE_MX)
			put_post(
			    d, DRAFT_MX_TITLE, DRAFT_MX_BODY, what, s->since);
		else
			put_post(d, DRAFT_REACH_TITLE, DRAFT_REACH_BODY, what,
			    s->since);
		break;
	case REACH_ALERTS:
	case REACH_TLS_FAILS:
		put_post(d, DRAFT_TLS_TITLE, DRAFT_TLS_BODY, what, s->since);
		break;
	case REACH_SIGN_IN:
		put_post(
		    d, DRAFT_SIGN_IN_TITLE, DRAFT_SIGN_IN_BODY, what, s->since);
		break;
	case REACH_CUT_OFF:
		if (s->service == SERVICE_MX)
			put_post(d, DRAFT_MX_TITLE, DRAFT_MX_CUT_BODY, what,
			    s->since);
		else
			put_post(
			    d, DRAFT_CUT_TITLE, DRAFT_CUT_BODY, what, s->since);
		break;
	case REACH_FEW:
		put_post(d, DRAFT_REACH_TITLE, DRAFT_FEW_BODY, what, s->since);
		break;
	case REACH_REFUSED:
	case REACH_SLOW:
	case REACH_REFUSALS:
	case REACH_BACKLOG:
	case REACH_KINDS:
		break;
	}
}

/* Who is known by the operator's table or the built-in one by title; else "other
 * servers". */
static void
put_receiver(struct draft *d, const struct msg_reach_signal *s)
{
	struct str parts = str_from(s->id,
	    strlen(reach_signal_name((enum reach_signal_kind)s->kind)) + 1);
	struct provider_table *t = route_providers();
	struct str title = t != NULL ? provider_title(t, parts) : STR_NONE;
	struct buf name = BUF_INIT(KIB(1));

	if (title.n > 0)
		buf_put_str(&name, title);
	else
		draft_put(&name, d->language, DRAFT_OTHER_SERVERS, NULL, 0);
	if (s->kind == REACH_SLOW)
		put_post(d, DRAFT_REFUSED_TITLE, DRAFT_SLOW_BODY,
		    buf_str(&name), s->since);
	else if (s->kind == REACH_BACKLOG)
		put_post(d, DRAFT_REFUSED_TITLE, DRAFT_BACKLOG_BODY,
		    buf_str(&name), s->since);
	else
		put_post(d, DRAFT_REFUSALS_TITLE, DRAFT_REFUSALS_BODY,
		    buf_str(&name), s->since);
	buf_done(&name);
	provider_table_free(t);
}

static void
on_signal(void *arg, const struct msg_reach_signal *s)
{
	struct draft *d = arg;

	if (!str_eq(s->id, str_c(d->id)) || d->is_found)
		return;
	d->is_found = true;
	d->is_refused = s->kind == REACH_REFUSED;
	if (s->kind > REACH_REFUSED)
		put_receiver(d, s);
	else
		put_network(d, s);
}

/* --- who refuses ------------------------------------------------------------------ */

static void
put_refused(struct draft *d, const struct breaker_row *row)
{
	struct provider_table *t = route_providers();
	struct str title = STR_NONE;
	struct buf name = BUF_INIT(KIB(1));
	struct str parts[1];

	if (t != NULL)
		title = provider_title(t, row->scope);
	if (title.n > 0)
		buf_put_str(&name, title);
	else /* a host or a domain: its name is a customer's business */
		draft_put(&name, d->language, DRAFT_ONE_PROVIDER, NULL, 0);
	parts[0] = buf_str(&name);
	put_post(d, DRAFT_REFUSED_TITLE,
	    row->instead.n > 0 ? DRAFT_REFUSED_DETOUR : DRAFT_REFUSED_WAITS,
	    parts[0], row->since_ms / 1000);
	buf_put_char(&d->body, ' ');
	draft_put(&d->body, d->language, DRAFT_REFUSED_ASKED, parts, 1);
	buf_done(&name);
	provider_table_free(t);
}

/* The key of a row as the signal's name has it. */
static bool
is_of_row(const char *id, struct str key)
{
	const char *kind = reach_signal_name(REACH_REFUSED);
	struct str s = str_from(str_c(id), strlen(kind) + 1);

	if (s.n != key.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != (key.p[i] == ' ' ? '/' : key.p[i]))
			return false;
	return true;
}

static void
on_row(void *arg, const struct msg_ledger_row *m)
{
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	char ptr[NI_MAXHOST];
	struct draft *d = arg;
	struct breaker_row row;

	if (!is_of_row(d->id, m->key) || d->title.n > 0 ||
	    !breaker_row_get(m->value, accounts, &row))
		return;
	put_refused(d, &row);
	draft_find_ptr(row.own_ip, ptr);
	draft_put_removal(&d->removal, d->language, &row, ptr);
	buf_put_str(&d->link, row.link);
}

/* --- the command --------------------------------------------------------------------- */

/* Nothing that another server says may steer the terminal. */
static void
print_part(const struct buf *b)
{
	struct str rest = buf_str(b), line;

	while (rest.n > 0) {
		char *text;

		rest = str_split(rest, '\n', &line);
		text = str_dup(line);
		output_tame(text, line.n);
		puts(text);
		free(text);
	}
}

static void
print(const struct draft *d)
{
	print_part(&d->title);
	putchar('\n');
	print_part(&d->body);
	if (d->removal.n == 0)
		return;
	puts("\n----");
	if (d->link.n > 0)
		print_part(&d->link);
	putchar('\n');
	print_part(&d->removal);
}

static void
print_json(const struct draft *d)
{
	struct output *o = output_new("draft", fields, ARRAY_LEN(fields));

	output_put_text(o, str_c(d->id));
	output_put_text(o, buf_str(&d->title));
	output_put_text(o, buf_str(&d->body));
	output_put_text(o, buf_str(&d->link));
	output_put_text(o, buf_str(&d->removal));
	output_print_one(o, true);
	output_free(o);
}

static int
make(struct draft *d)
{
	const struct ledger_rows rows = { .table = LEDGER_BREAKER,
		.what = "reach draft" };
	int r = reach_signals_each(d->a, on_signal, d);

	if (r == ADMIN_OK && d->is_refused)
		r = ledger_rows_each(d->a, &rows, on_row, d);
	if (r == ADMIN_OK && d->title.n == 0)
		r = admin_error(d->a, ADMIN_REFUSED,
		    "there is no signal %s now; see 'mailstead reach signals'",
		    d->id);
	return r;
}

int
reach_draft(struct admin *a, const char *id, const char *language)
{
	struct draft d = { .a = a,
		.id = id,
		.title = BUF_INIT(KIB(1)),
		.body = BUF_INIT(KIB(8)),
		.removal = BUF_INIT(KIB(8)),
		.link = BUF_INIT(KIB(1)) };
	int r;

	if (language != NULL && !draft_language_parse(language, &d.language))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no language of drafts: there are en, fr and pt",
		    language);
	r = make(&d);
	if (r == ADMIN_OK && a->is_json)
		print_json(&d);
	else if (r == ADMIN_OK)
		print(&d);
	buf_done(&d.title);
	buf_done(&d.body);
	buf_done(&d.removal);
	buf_done(&d.link);
	return r;
}
