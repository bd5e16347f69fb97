/* SPDX-License-Identifier: ISC */
/* cmd_subscriber.c - mailstead subscriber list|add|remove|confirm|resume. */
#include "base/secret.h"
#include "cli/watch_rows.h"
#include "cli/webhook.h"
#include "proto/status/status_bounce.h"
#include "proto/status/status_news.h"

#include <time.h>

#define USAGE_LIST "subscriber list [--pending] [--json]"
#define USAGE_ADD \
	"subscriber add ADDRESS|URL [--systems LIST | --tags LIST] " \
	"[--language CODE] [--json]"
#define USAGE_REMOVE  "subscriber remove ADDRESS|URL [--json]"
#define USAGE_CONFIRM "subscriber confirm ADDRESS|URL [--json]"
#define USAGE_RESUME  "subscriber resume ADDRESS|URL [--json]"

struct words {
	struct args args;
	const char *systems, *tags, *language;
	bool is_pending;
};

static int
fault(struct admin *a, const struct status_fault *f)
{
	return admin_error(a, ADMIN_USAGE, "\"%.*s\": expected %s",
	    STR_ARG(f->part), f->expected);
}

static int
read_key(struct admin *a, const struct words *w, struct buf *ret)
{
	struct status_fault f;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!status_subscriber_put_key(ret, str_c(w->args.words[0]), &f))
		return fault(a, &f);
	return ADMIN_OK;
}

static int
put(struct admin *a, struct str key, const struct status_subscriber *s,
    enum ledger_if only_if, const char *what)
{
	struct buf value = BUF_INIT(KIB(2));
	CLEANUP(freep) char *name = x_asprintf("subscriber %.*s", STR_ARG(key));
	struct msg_ledger_row row;
	struct status_fault f;
	int r;

	if (!status_subscriber_is_sane(key, s, &f))
		return fault(a, &f);
	status_subscriber_encode(s, &value);
	row = (struct msg_ledger_row){ .key = key, .value = buf_str(&value) };
	r = ledger_rows_change(a,
	    &(struct ledger_change){ .table = LEDGER_SUBSCRIBER,
		.rows = &row,
		.n = 1,
		.only_if = only_if,
		.what = what,
		.detail = str_c(status_scope_name(s->scope)) },
	    name, NULL);
	buf_done(&value);
	return r;
}

static void
tell(struct admin *a, struct str key, struct str secret)
{
	static const struct output_field fields[] = {
		{ "added", "added", OUTPUT_TEXT },
		{ "secret", "secret", OUTPUT_WORD },
	};
	struct output *o;

	if (!a->is_json) {
		printf("added subscriber %.*s\n", STR_ARG(key));
		if (secret.n > 0)
			printf("What is sent there is signed with this secret, "
			       "which is not shown again:\n%.*s\n",
			    STR_ARG(secret));
		return;
	}
	o = output_new("", fields, ARRAY_LEN(fields));
	output_put_text(o, key);
	output_put_text(o, secret);
	output_print_one(o, true);
	output_free(o);
}

/* A mistyped name would be told of nothing. */
static int
have_systems(struct admin *a, struct status_subscriber *s)
{
	const struct status_systems *all;
	struct status_fault f;
	int r;

	if (s->scope != STATUS_SCOPE_SYSTEMS)
		return ADMIN_OK;
	r = watch_systems_read(a, &all);
	if (r == ADMIN_OK &&
	    !status_systems_have_all(all, s->names, s->n_names, &f))
		r = watch_misfit(a, &f);
	return r;
}

/* By the operator, who has asked whom it concerns: it is confirmed. */
static int
add(struct admin *a, const struct words *w)
{
	unsigned char raw[STATUS_SECRET_RAW], hash[STATUS_SECRET_HASH];
	struct buf key = BUF_INIT(KIB(1)), secret = BUF_INIT(100);
	uint64_t now = (uint64_t)time(NULL);
	struct status_subscriber s = { .is_confirmed = true,
		.language = w->language ? str_c(w->language) : STR("en"),
		.created_s = now,
		.confirmed_s = now };
	const char *names = w->systems ? w->systems : w->tags;
	struct status_fault f;
	int r = read_key(a, w, &key);

	if (w->systems && w->tags)
		return admin_usage(a, "systems or tags, not both of them");
	secret_random(hash, sizeof(hash));
	s.token_hash = str_make(hash, sizeof(hash));
	if (w->systems)
		s.scope = STATUS_SCOPE_SYSTEMS;
	else if (w->tags)
		s.scope = STATUS_SCOPE_TAGS;
	if (r == ADMIN_OK && names != NULL &&
	    !status_subscriber_set_names(&s, str_c(names), &f))
		r = fault(a, &f);
	if (r == ADMIN_OK && !status_news_has_language(s.language, &f))
		r = fault(a, &f);
	if (r == ADMIN_OK)
		r = have_systems(a, &s);
	if (r == ADMIN_OK && status_subscriber_is_webhook(buf_str(&key)))
		r = webhook_refuse_local(a, buf_str(&key));
	if (status_subscriber_is_webhook(buf_str(&key))) {
		secret_random(raw, sizeof(raw));
		status_secret_put(&secret, raw);
		s.secret = buf_str(&secret);
	}
	if (r == ADMIN_OK)
		r = put(a, buf_str(&key), &s, LEDGER_IF_NEW, "subscriber.add");
	if (r == ADMIN_OK)
		tell(a, buf_str(&key), s.secret);
	buf_done(&key);
	buf_done_secret(&secret);
	return r;
}

static int
find(struct admin *a, struct str key, struct buf *row,
    struct status_subscriber *ret)
{
	CLEANUP(freep) char *what = x_asprintf("subscriber %.*s", STR_ARG(key));
	int r = ledger_rows_get(a, LEDGER_SUBSCRIBER, key, what, row);

	if (r == ADMIN_OK && !status_subscriber_decode(key, buf_str(row), ret))
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: what is stored of it is not understood", what);
	return r;
}

static int
confirm(struct admin *a, const struct words *w)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(4));
	struct status_subscriber s;
	int r = read_key(a, w, &key);

	if (r == ADMIN_OK)
		r = find(a, buf_str(&key), &row, &s);
	if (r == ADMIN_OK && !s.is_confirmed) {
		s.is_confirmed = true;
		s.confirmed_s = (uint64_t)time(NULL);
		r = put(
		    a, buf_str(&key), &s, LEDGER_ANYHOW, "subscriber.confirm");
	}
	if (r == ADMIN_OK)
		r = admin_say(
		    a, "confirmed", buf_str(&key), "confirmed subscriber");
	buf_done(&key);
	buf_done(&row);
	return r;
}

/* It is paused since mail came back, and that is mended. */
static int
resume(struct admin *a, const struct words *w)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(4));
	struct status_subscriber s;
	int r = read_key(a, w, &key);

	if (r == ADMIN_OK)
		r = find(a, buf_str(&key), &row, &s);
	if (r == ADMIN_OK && status_bounce_forgive(&s))
		r = put(
		    a, buf_str(&key), &s, LEDGER_ANYHOW, "subscriber.resume");
	if (r == ADMIN_OK)
		r = admin_say(
		    a, "resumed", buf_str(&key), "resumed subscriber");
	buf_done(&key);
	buf_done(&row);
	return r;
}

static int
remove_subscriber(struct admin *a, const struct words *w)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(4));
	int r = read_key(a, w, &key);

	if (r == ADMIN_OK)
		r = ledger_rows_get(a, LEDGER_SUBSCRIBER, buf_str(&key),
		    w->args.words[0], &row);
	if (r == ADMIN_OK)
		r = ledger_rows_change(a,
		    &(struct ledger_change){ .table = LEDGER_SUBSCRIBER,
			.rows = &(struct msg_ledger_row){ .key = buf_str(&key),
			    .is_gone = 1 },
			.n = 1,
			.what = "subscriber.remove" },
		    w->args.words[0], NULL);
	if (r == ADMIN_OK)
		r = admin_say(
		    a, "removed", buf_str(&key), "removed subscriber");
	buf_done(&key);
	buf_done(&row);
	return r;
}

/* --- list ------------------------------------------------------------------------- */

struct list {
	struct output *o;
	bool is_pending;
};

static void
take(void *arg, const struct msg_ledger_row *row)
{
	struct list *l = arg;
	struct buf names = BUF_INIT(KIB(2));
	struct status_subscriber s;

	if (!status_subscriber_decode(row->key, row->value, &s) ||
	    (l->is_pending && s.is_confirmed))
		return;
	for (size_t i = 0; i < s.n_names; i++)
		buf_printf(
		    &names, "%s%.*s", i > 0 ? "\n" : "", STR_ARG(s.names[i]));
	output_put_text(l->o, row->key);
	output_put_text(l->o, str_c(status_subscriber_state(&s)));
	output_put_text(l->o, str_c(status_scope_name(s.scope)));
	output_put_text(l->o, buf_str(&names));
	output_put_text(l->o, s.language);
	output_put_number(l->o, s.created_s);
	output_put_number(l->o, s.confirmed_s);
	output_put_number(l->o, s.bounces);
	output_put_text(l->o, s.why);
	buf_done(&names);
}

static int
list(struct admin *a, const struct words *w)
{
	static const struct output_field fields[] = {
		{ "to", "TO", OUTPUT_TEXT },
		{ "state", "STATE", OUTPUT_TEXT },
		{ "scope", "SCOPE", OUTPUT_TEXT },
		{ "names", "NAMES", OUTPUT_LIST },
		{ "language", "LANGUAGE", OUTPUT_TEXT },
		{ "created", "CREATED", OUTPUT_TIME },
		{ "confirmed", "CONFIRMED", OUTPUT_TIME },
		{ "bounces", "BOUNCES", OUTPUT_COUNT },
		{ "why", "WHY", OUTPUT_WORD },
	};
	const struct ledger_rows rows = { LEDGER_SUBSCRIBER, STR_NONE,
		"subscribers" };
	struct list l = {
		output_new("subscribers", fields, ARRAY_LEN(fields)),
		w->is_pending,
	};
	int r = ledger_rows_each(a, &rows, take, &l);

	if (r == ADMIN_OK)
		output_print(l.o, a->is_json);
	output_free(l.o);
	return r;
}

const char *const subscriber_usage[] = { USAGE_LIST, USAGE_ADD, USAGE_REMOVE,
	USAGE_CONFIRM, USAGE_RESUME, NULL };

int
admin_subscriber(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		{ "--systems", &w.systems, NULL },
		{ "--tags", &w.tags, NULL },
		{ "--language", &w.language, NULL },
		{ "--pending", NULL, &w.is_pending },
		ADMIN_OPTIONS(a),
	};
	const char *verb = argc > 0 ? argv[0] : "";

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc > 0 && !admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return add(a, &w);
	if (strcmp(verb, "remove") == 0)
		return remove_subscriber(a, &w);
	if (strcmp(verb, "confirm") == 0)
		return confirm(a, &w);
	if (strcmp(verb, "resume") == 0)
		return resume(a, &w);
	if (strcmp(verb, "list") == 0 && w.args.n_words == 0)
		return list(a, &w);
	return admin_usage(a, NULL);
}
