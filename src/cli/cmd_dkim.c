/* SPDX-License-Identifier: ISC */
/*
 * cmd_dkim.c - mailstead dkim list|add|activate|rotate|remove.
 *
 * No command prints a private key.
 */
#include "cli/dkim_change.h"
#include "cli/dkim_keys.h"
#include "cli/dkim_list.h"
#include "cli/dkim_rotate_all.h"
#include "cli/output/output.h"

#define USAGE_LIST "dkim list [DOMAIN] [--json]"
#define USAGE_ADD \
	"dkim add DOMAIN [--algorithm rsa|ed25519] [--selector NAME " \
	"--key-stdin] [--json]"
#define USAGE_ROTATE     "dkim rotate DOMAIN [--json]"
#define USAGE_ROTATE_ALL "dkim rotate --all [--older-than TIME] [--json]"
#define USAGE_ACTIVATE   "dkim activate DOMAIN SELECTOR [--force] [--json]"
#define USAGE_REMOVE     "dkim remove DOMAIN SELECTOR [--force] [--json]"

#define KEYS_MAX KIB(60)

/* --- add and rotate ------------------------------------------------------------------ */

struct adding {
	const char *algorithm, *selector;
	bool reads_key, is_rotation;
	struct buf domain;
	struct buf selectors; /* those that are there, then the new ones */
	size_t old_n;         /* bytes of the former */
	struct buf keys;      /* list of dkim_new */
};

/* The key from standard input, under its selector. */
static int
read_key(struct admin *a, struct adding *w)
{
	CLEANUP(crypt_key_freep) struct crypt_key *key = NULL;
	struct buf pem = BUF_INIT(CRYPT_PEM_MAX);
	int c;

	while ((c = getchar()) != EOF && !pem.failed)
		buf_put_char(&pem, (char)c);
	if (!pem.failed)
		key = crypt_key_from_pem(buf_str(&pem));
	buf_done_secret(&pem);
	if (!key || !dkim_keys_put(key, str_c(w->selector), &w->keys))
		return admin_error(a, ADMIN_USAGE,
		    "no private key that can sign on standard input: PEM of "
		    "an RSA or Ed25519 key without a passphrase is expected");
	buf_printf(&w->selectors, "%s\n", w->selector);
	return ADMIN_OK;
}

static int
make_keys(struct admin *a, struct adding *w)
{
	bool ok;

	if (w->reads_key)
		return read_key(a, w);
	if (!w->algorithm)
		ok = dkim_keys_make_pair(&w->selectors, &w->keys);
	else
		ok = dkim_keys_make(strcmp(w->algorithm, "ed25519") == 0
					? CRYPT_ED25519
					: CRYPT_RSA,
		    &w->selectors, &w->keys);
	return ok ? ADMIN_OK
	          : admin_error(a, ADMIN_TEMPFAIL, "a key could not be made");
}

static int
say_added(struct admin *a, struct adding *w)
{
	static const struct output_field field = { "added", "added",
		OUTPUT_LIST };
	struct str all = str_from(buf_str(&w->selectors), w->old_n), one;
	struct output *o;

	if (a->is_json) {
		o = output_new("", &field, 1);
		output_put_text(o, str_first(all, all.n - 1));
		output_print_one(o, true);
		output_free(o);
		return ADMIN_OK;
	}
	while (all.n) {
		all = str_split(all, '\n', &one);
		printf("added key %.*s\n", STR_ARG(one));
	}
	printf("publish what is new of: mailstead dns %s\n", buf_c(&w->domain));
	puts("a key that is to sign does so some time after it was seen in "
	     "DNS: mailstead dkim list");
	return ADMIN_OK;
}

static int
send_keys(struct admin *a, struct adding *w)
{
	struct buf body = BUF_INIT(KIB(64)), what = BUF_INIT(KIB(4));
	struct msg_dkim_add q = { buf_str(&w->domain), buf_str(&w->keys),
		w->is_rotation };
	int r;

	msg_dkim_add_put(&body, &q);
	buf_printf(&what, "DKIM keys of %s", buf_c(&w->domain));
	r = admin_do(a, MSG_DKIM_ADD, buf_str(&body), buf_c(&what), NULL);
	buf_done_secret(&body);
	buf_done(&what);
	return r;
}

static bool
is_usable(const struct adding *w)
{
	if (w->algorithm && strcmp(w->algorithm, "rsa") != 0 &&
	    strcmp(w->algorithm, "rsa-2048") != 0 &&
	    strcmp(w->algorithm, "ed25519") != 0)
		return false;
	/* A key that comes from elsewhere has its name in DNS already. */
	if (w->reads_key != (w->selector != NULL))
		return false;
	return !w->reads_key || !w->algorithm;
}

static int
add(struct admin *a, struct args *args, struct adding *w)
{
	int r = ADMIN_USAGE;

	if (args->n_words != 1 || !is_usable(w))
		return admin_usage(a, NULL);
	w->domain = BUF_INIT(KIB(2));
	w->selectors = BUF_INIT(KIB(8));
	w->keys = BUF_INIT(KEYS_MAX);
	if (admin_domain_name(a, args->words[0], &w->domain))
		r = dkim_keys_selectors(a, buf_str(&w->domain), &w->selectors);
	w->old_n = w->selectors.n;
	if (r == ADMIN_OK)
		r = make_keys(a, w);
	if (r == ADMIN_OK)
		r = send_keys(a, w);
	if (r == ADMIN_OK)
		r = say_added(a, w);
	buf_done(&w->domain);
	buf_done(&w->selectors);
	buf_done_secret(&w->keys);
	return r;
}

/* --- the command ------------------------------------------------------------------- */

const char *const dkim_usage[] = { USAGE_LIST, USAGE_ADD, USAGE_ACTIVATE,
	USAGE_ROTATE, USAGE_ROTATE_ALL, USAGE_REMOVE, NULL };

static int
rotate_all(struct admin *a, const struct args *args, const char *older_than)
{
	uint64_t age_s = 0;

	if (args->n_words > 0)
		return admin_usage(a, NULL);
	if (older_than != NULL &&
	    (!args_duration(str_c(older_than), &age_s) || age_s == 0))
		return admin_usage(a, "--older-than takes a time such as 180d");
	return dkim_rotate_all(a, age_s);
}

int
admin_dkim(struct admin *a, int argc, char **argv)
{
	struct adding w = { 0 };
	bool is_forced = false, is_all = false;
	const char *older_than = NULL;
	const struct arg_option options[] = {
		ADMIN_OPTIONS(a),
		{ "--algorithm", &w.algorithm, NULL },
		{ "--selector", &w.selector, NULL },
		{ "--key-stdin", NULL, &w.reads_key },
		{ "--force", NULL, &is_forced },
		{ "--all", NULL, &is_all },
		{ "--older-than", &older_than, NULL },
	};
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";

	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "list") == 0)
		return dkim_list(a, &args);
	w.is_rotation = strcmp(verb, "rotate") == 0;
	if (older_than != NULL && !is_all)
		return admin_usage(a, "--older-than belongs to --all");
	if (is_all)
		return w.is_rotation ? rotate_all(a, &args, older_than)
		                     : admin_usage(a, NULL);
	if (w.is_rotation || strcmp(verb, "add") == 0)
		return add(a, &args, &w);
	if (strcmp(verb, "activate") == 0)
		return dkim_change(a, &args, DKIM_ACTIVATE, is_forced);
	if (strcmp(verb, "remove") == 0)
		return dkim_change(a, &args, DKIM_REMOVE, is_forced);
	return admin_usage(a, NULL);
}
