/* SPDX-License-Identifier: ISC */
/*
 * cmd_route_avoid.c - mailstead route avoid|resume: ways that no mail takes
 * because the operator says so, and the end of that.
 */
#include "cli/cli.h"
#include "cli/config_files.h"
#include "cli/ledger_rows.h"
#include "cli/route_words.h"
#include "conf/breaker_row.h"
#include "conf/conf.h"
#include "proto/provider/provider.h"

#include <time.h>

/* --- what is meant ------------------------------------------------------------------ */

/* "google", "mx.example.com", "relay.example.com:25", or as status shows it
 * ("domain:example.com"). */
static void
put_scope(struct buf *to, const char *word)
{
	struct str s = str_c(word);
	bool is_scope = str_starts(s, STR("mx:")) ||
	                str_starts(s, STR("relay:")) ||
	                str_starts(s, STR("domain:"));

	if (!is_scope && str_find(s, ':') >= 0)
		buf_put_c(to, "relay:");
	else if (!is_scope && str_find(s, '.') >= 0)
		buf_put_c(to, "mx:");
	for (size_t i = 0; i < s.n; i++)
		buf_put_char(to, ascii_lower(s.p[i]));
}

/* The source that mail without a route comes from. */
static void
put_source(struct buf *to, const char *word)
{
	struct conf *c;
	char *error = NULL;

	if (word) {
		buf_put_c(to, word);
		return;
	}
	if (conf_load(cli_config_path(), &c, &error) < 0) {
		free(error);
		buf_put_c(to, "default");
		return;
	}
	buf_put_c(to, c->send_source4);
	if (c->send_source4[0] && c->send_source6[0])
		buf_put_char(to, ',');
	buf_put_c(to, c->send_source6);
	if (to->n == 0)
		buf_put_c(to, "default");
	conf_free(c);
}

static int
put_breaker(struct admin *a, struct str scope, struct str source, bool is_gone)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX), value = BUF_INIT(KIB(16));
	const struct breaker_row row = { .writer = BREAKER_BY_OPERATOR,
		.scope = scope,
		.source = source,
		.is_forced = true,
		.since_ms = (uint64_t)time(NULL) * 1000 };
	int r;

	breaker_key_put(&key, scope, source);
	if (!is_gone)
		breaker_row_put(&value, &row);
	r = ledger_rows_put(a, LEDGER_BREAKER,
	    &(struct msg_ledger_row){ .key = buf_str(&key),
		.is_gone = is_gone,
		.value = buf_str(&value) },
	    "route");
	buf_done(&key);
	buf_done(&value);
	return r;
}

struct provider_table *
route_providers(void)
{
	struct buf text = BUF_INIT(PROVIDER_TABLE_MAX);
	struct provider_table *t = NULL;
	struct provider_error e;
	struct conf *c = NULL;
	char *error = NULL;

	if (conf_load(cli_config_path(), &c, &error) < 0)
		free(error);
	else if (c->send_providers[0] == '\0')
		t = provider_table_new();
	else if (config_file_read(c->send_providers, &text))
		t = provider_table_parse(buf_str(&text), &e);
	conf_free(c);
	buf_done(&text);
	return t;
}

bool
route_is_group(struct str name)
{
	struct provider_table *t = route_providers();
	bool is_group = t == NULL || provider_title(t, name).n > 0;

	provider_table_free(t);
	return is_group;
}

/* A group that is none would be avoided for ever, and nobody would see it. */
static bool
is_known(struct str scope)
{
	return str_find(scope, ':') >= 0 || route_is_group(scope);
}

int
route_avoid(struct admin *a, struct route_words *w)
{
	struct buf scope = BUF_INIT(KIB(1)), source = BUF_INIT(KIB(1));
	int r;

	if (w->args.n_words != 1 || w->is_all)
		return admin_usage(a, NULL);
	put_scope(&scope, w->args.words[0]);
	put_source(&source, w->source);
	if (scope.failed || source.failed || scope.n > BREAKER_SCOPE_MAX ||
	    source.n > BREAKER_SOURCE_MAX)
		r = admin_error(a, ADMIN_USAGE, "that name is too long");
	else if (!is_known(buf_str(&scope)))
		r = admin_error(a, ADMIN_USAGE,
		    "%s is no provider group ('mailstead route groups' lists "
		    "them), host or host:port",
		    w->args.words[0]);
	else
		r = put_breaker(a, buf_str(&scope), buf_str(&source), false);
	if (r == ADMIN_OK)
		r = admin_say(a, "avoided", buf_str(&scope),
		    "until 'mailstead route resume' no mail goes this way:");
	buf_done(&scope);
	buf_done(&source);
	return r;
}

struct resuming {
	struct admin *a;
	struct str scope, source; /* empty: any */
	struct buf rows;          /* msg_ledger_row of those that fit */
	size_t n;
};

static void
on_resume(void *arg, const struct msg_ledger_row *m)
{
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	struct resuming *c = arg;
	struct breaker_row row;

	if (!breaker_row_get(m->value, accounts, &row) ||
	    (c->scope.n > 0 && !str_eq(row.scope, c->scope)) ||
	    (c->source.n > 0 && !str_eq(row.source, c->source)))
		return;
	msg_ledger_row_put(&c->rows,
	    &(struct msg_ledger_row){ .key = m->key, .is_gone = true });
	c->n++;
}

static int
resume_all(struct resuming *c)
{
	const struct ledger_rows rows = { .table = LEDGER_BREAKER,
		.what = "route status" };
	int r = ledger_rows_each(c->a, &rows, on_resume, c);
	struct wire w = wire_read(buf_str(&c->rows));
	struct msg_ledger_row row;

	if (r == ADMIN_OK && c->n == 0)
		return admin_error(c->a, ADMIN_REFUSED,
		    "no such way is avoided or refused; see 'mailstead route "
		    "status'");
	while (r == ADMIN_OK && msg_ledger_row_read(&w, &row))
		r = ledger_rows_put(c->a, LEDGER_BREAKER, &row, "route");
	return r;
}

int
route_resume(struct admin *a, struct route_words *w)
{
	struct buf scope = BUF_INIT(KIB(1));
	struct resuming c = {
		.a = a, .source = str_c(w->source), .rows = BUF_INIT(MIB(16))
	};
	int r;

	if (w->args.n_words != (w->is_all ? 0 : 1))
		return admin_usage(a, NULL);
	if (!w->is_all)
		put_scope(&scope, w->args.words[0]);
	c.scope = buf_str(&scope);
	r = resume_all(&c);
	if (r == ADMIN_OK)
		r = admin_say_number(
		    a, "resumed", c.n, "mail goes the usual way again; ways:");
	buf_done(&scope);
	buf_done(&c.rows);
	return r;
}
