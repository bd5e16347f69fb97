/* SPDX-License-Identifier: ISC */
/* cmd_key.c - mailstead key add|list|revoke. */
#include "base/secret.h"
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "proto/status/status_key.h"

#include <time.h>

#define USAGE_ADD    "key add NAME --scopes LIST [--expires TIME] [--json]"
#define USAGE_LIST   "key list [--json]"
#define USAGE_REVOKE "key revoke ID [--json]"

struct words {
	struct args args;
	const char *scopes, *expires;
};

static int
fault(struct admin *a, const struct status_fault *f)
{
	return admin_error(a, ADMIN_USAGE, "\"%.*s\": expected %s",
	    STR_ARG(f->part), f->expected);
}

static int
put(struct admin *a, const char *id, const struct status_key *k,
    enum ledger_if only_if, const char *what)
{
	struct buf value = BUF_INIT(KIB(1)), scopes = BUF_INIT(100);
	struct msg_ledger_row row;
	int r;

	status_key_encode(k, &value);
	status_key_put_scopes(&scopes, k->scopes);
	row = (struct msg_ledger_row){ .key = str_c(id),
		.value = buf_str(&value) };
	r = ledger_rows_change(a,
	    &(struct ledger_change){ .table = LEDGER_APIKEY,
		.rows = &row,
		.n = 1,
		.only_if = only_if,
		.what = what,
		.detail =
		    only_if == LEDGER_IF_NEW ? buf_str(&scopes) : k->name },
	    "key", NULL);
	buf_done(&value);
	buf_done(&scopes);
	return r;
}

static void
tell(struct admin *a, const char *id, struct str token)
{
	static const struct output_field fields[] = {
		{ "id", "id", OUTPUT_TEXT },
		{ "token", "token", OUTPUT_TEXT },
	};
	struct output *o;

	if (!a->is_json) {
		printf("added key %s\n\n%.*s\n\nKeep it now: it is not shown "
		       "again. It goes into the field\n"
		       "Authorization: Bearer ...\n",
		    id, STR_ARG(token));
		return;
	}
	o = output_new("", fields, ARRAY_LEN(fields));
	output_put_text(o, str_c(id));
	output_put_text(o, token);
	output_print_one(o, true);
	output_free(o);
}

static int
make(struct admin *a, struct status_key *k)
{
	unsigned char raw[STATUS_SECRET_RAW], hash[STATUS_SECRET_HASH];
	struct buf secret = BUF_INIT(100), token = BUF_INIT(200);
	char id[STATUS_KEY_ID_LEN + 1];
	struct status_fault f;
	uint32_t random;
	int r = ADMIN_OK;

	secret_random(raw, sizeof(raw));
	secret_random(&random, sizeof(random));
	snprintf(id, sizeof(id), "%08x", random);
	status_secret_put(&secret, raw);
	status_secret_hash(buf_str(&secret), hash);
	status_key_put_token(&token, str_c(id), buf_str(&secret));
	k->hash = str_make(hash, sizeof(hash));
	if (!status_key_is_sane(k, &f))
		r = fault(a, &f);
	if (r == ADMIN_OK)
		r = put(a, id, k, LEDGER_IF_NEW, "key.add");
	if (r == ADMIN_OK)
		tell(a, id, buf_str(&token));
	secret_wipe(raw, sizeof(raw));
	buf_done_secret(&secret);
	buf_done_secret(&token);
	return r;
}

static int
add(struct admin *a, const struct words *w)
{
	struct status_key k = { .created_s = (uint64_t)time(NULL) };
	struct status_fault f;
	uint64_t ahead;

	if (w->args.n_words != 1 || w->scopes == NULL)
		return admin_usage(
		    a, w->scopes == NULL
			   ? "--scopes says what the key may: read, posts, "
			     "systems, subscribers, or all"
			   : NULL);
	k.name = str_c(w->args.words[0]);
	if (!status_key_scopes_parse(str_c(w->scopes), &k.scopes, &f))
		return fault(a, &f);
	if (w->expires != NULL) {
		if (!args_duration(str_c(w->expires), &ahead) || ahead == 0)
			return admin_usage(
			    a, "--expires needs a time such as 90d");
		k.expires_s = k.created_s + ahead;
	}
	return make(a, &k);
}

static void
take_key(void *arg, const struct msg_ledger_row *row)
{
	struct buf scopes = BUF_INIT(100);
	struct output *o = arg;
	struct status_key k;
	uint64_t now = (uint64_t)time(NULL);

	if (!status_key_decode(row->value, &k))
		return;
	status_key_put_scopes(&scopes, k.scopes);
	output_put_text(o, row->key);
	output_put_text(o, k.name);
	output_put_text(o, buf_str(&scopes));
	output_put_text(o, k.revoked_s > 0               ? STR("revoked")
			   : status_key_is_good(&k, now) ? STR("good")
							 : STR("expired"));
	output_put_number(o, k.created_s);
	output_put_number(o, k.expires_s);
	output_put_number(o, k.revoked_s);
	buf_done(&scopes);
}

static int
list(struct admin *a)
{
	static const struct output_field fields[] = {
		{ "id", "ID", OUTPUT_TEXT },
		{ "name", "NAME", OUTPUT_TEXT },
		{ "scopes", "SCOPES", OUTPUT_TEXT },
		{ "state", "STATE", OUTPUT_TEXT },
		{ "created", "CREATED", OUTPUT_TIME },
		{ "expires", "EXPIRES", OUTPUT_TIME },
		{ "revoked", "REVOKED", OUTPUT_TIME },
	};
	const struct ledger_rows rows = { LEDGER_APIKEY, STR_NONE, "keys" };
	struct output *o = output_new("keys", fields, ARRAY_LEN(fields));
	int r = ledger_rows_each(a, &rows, take_key, o);

	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	return r;
}

/* The row stays: lines of the log name its id. */
static int
revoke(struct admin *a, const struct words *w)
{
	const char *id = w->args.n_words == 1 ? w->args.words[0] : "";
	CLEANUP(freep) char *what = x_asprintf("key %s", id);
	struct buf row = BUF_INIT(KIB(4));
	struct status_key k;
	int r;

	if (!status_key_is_id(str_c(id)))
		return admin_usage(a,
		    "the id of a key is eight digits; 'mailstead key list' "
		    "shows them");
	r = ledger_rows_get(a, LEDGER_APIKEY, str_c(id), what, &row);
	if (r == ADMIN_OK && !status_key_decode(buf_str(&row), &k))
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: what is stored of it is not understood", what);
	if (r == ADMIN_OK && k.revoked_s > 0)
		r = admin_error(
		    a, ADMIN_REFUSED, "%s: it is revoked already", what);
	if (r == ADMIN_OK) {
		k.revoked_s = (uint64_t)time(NULL);
		r = put(a, id, &k, LEDGER_ANYHOW, "key.revoke");
	}
	buf_done(&row);
	return r == ADMIN_OK ? admin_say(a, "revoked", str_c(id), "revoked key")
	                     : r;
}

const char *const key_usage[] = { USAGE_ADD, USAGE_LIST, USAGE_REVOKE, NULL };

int
admin_key(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		{ "--scopes", &w.scopes, NULL },
		{ "--expires", &w.expires, NULL },
		ADMIN_OPTIONS(a),
	};
	const char *verb = argc > 0 ? argv[0] : "";

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc > 0 && !admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return add(a, &w);
	if (strcmp(verb, "revoke") == 0)
		return revoke(a, &w);
	if (strcmp(verb, "list") == 0 && w.args.n_words == 0)
		return list(a);
	return admin_usage(a, NULL);
}
