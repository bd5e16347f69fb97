/* SPDX-License-Identifier: ISC */
/*
 * cmd_watch_agent.c - mailstead watch agent add|list|show|remove: vantage points
 * elsewhere, on the side of their master.
 */
#include "base/crypt.h"
#include "base/secret.h"
#include "cli/cli.h"
#include "cli/watch_rows.h"
#include "conf/conf.h"
#include "proto/status/status_agent.h"

#include <time.h>

#define TOKEN_S   3600
#define REVOKED_S (90U * 86400) /* the row of one that was revoked stays */

struct words {
	struct args args;
	const char *length;
};

/* --- rows -------------------------------------------------------------------- */

static int
put_agent(struct admin *a, const struct status_agent *agent, uint64_t until_s)
{
	struct buf key = BUF_INIT(KIB(1)), value = BUF_INIT(KIB(4));
	CLEANUP(freep)
	char *what = x_asprintf("agent %.*s", STR_ARG(agent->id));
	int r;

	status_put_key(&key, agent->id);
	status_agent_encode(agent, &value);
	r = ledger_rows_put(a, LEDGER_AGENT,
	    &(struct msg_ledger_row){ .key = buf_str(&key),
		.until = until_s,
		.value = buf_str(&value) },
	    what);
	buf_done(&key);
	buf_done(&value);
	return r;
}

/* Its row, which agent's texts point into. */
static int
get_agent(struct admin *a, const char *name, struct buf *row,
    struct status_agent *ret)
{
	CLEANUP(freep) char *what = x_asprintf("agent %s", name);
	struct buf key = BUF_INIT(KIB(1));
	int r;

	if (!status_is_id(str_c(name))) {
		struct status_fault f = { str_c(name), STATUS_ID_EXPECTED };

		return watch_fault(a, &f);
	}
	status_put_key(&key, str_c(name));
	r = ledger_rows_get(a, LEDGER_AGENT, buf_str(&key), what, row);
	buf_done(&key);
	if (r == ADMIN_OK && !status_agent_decode(buf_str(row), ret))
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: what is stored of it is not understood", what);
	return r;
}

/* --- add ------------------------------------------------------------------------ */

struct count {
	struct str key;
	size_t active; /* others that take a place */
	bool is_taken;
};

static void
count_row(void *arg, const struct msg_ledger_row *row)
{
	struct count *c = arg;
	struct status_agent agent;
	bool is_revoked;

	if (!status_agent_decode(row->value, &agent))
		return;
	is_revoked = agent.revoked_s > 0;
	if (str_eq(row->key, c->key))
		c->is_taken = !is_revoked;
	else
		c->active += !is_revoked;
}

static int
is_room(struct admin *a, const char *name)
{
	struct ledger_rows rows = { LEDGER_AGENT, STR_NONE, "agents" };
	struct buf key = BUF_INIT(KIB(1));
	struct count c = { 0 };
	int r;

	status_put_key(&key, str_c(name));
	c.key = buf_str(&key);
	r = ledger_rows_each(a, &rows, count_row, &c);
	if (r == ADMIN_OK && c.is_taken)
		r = admin_error(a, ADMIN_REFUSED,
		    "agent %s: it exists already; for a new token, remove it "
		    "('mailstead watch agent remove %s') and add it again",
		    name, name);
	else if (r == ADMIN_OK && c.active >= STATUS_AGENTS_MAX)
		r = admin_error(a, ADMIN_REFUSED,
		    "there are %u agents already, which is as many as a check "
		    "can have",
		    STATUS_AGENTS_MAX);
	buf_done(&key);
	return r;
}

/* "network=AS64500", "place=Lusaka, Zambia" */
static bool
take_word(struct status_agent *agent, const char *word)
{
	struct str name, value = str_split(str_c(word), '=', &name);

	if (str_eq(name, STR("network")))
		agent->network = value;
	else if (str_eq(name, STR("place")))
		agent->place = value;
	else
		return false;
	return true;
}

/* The digest of the token is what is kept. */
static void
make_token(struct str id, struct buf *token, struct crypt_sum *ret)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	uint8_t secret[STATUS_AGENT_SECRET_BYTES];

	secret_random(secret, sizeof(secret));
	status_agent_token_format(token, id, secret);
	secret_wipe(secret, sizeof(secret));
	crypt_digest_put(d, buf_str(token));
	crypt_digest_finish(d, ret);
	crypt_digest_free(d);
}

/* The public address, as far as we may read the configuration. */
static void
put_site(struct buf *to)
{
	struct conf *c;
	char *error;

	if (conf_load(cli_config_path(), &c, &error) < 0) {
		free(error);
		buf_put_c(to, "https://THIS-SERVER");
		return;
	}
	if (c->site_url[0])
		buf_put_c(to, c->site_url);
	else
		buf_printf(to, "https://%s", c->hostname);
	conf_free(c);
}

static int
say_token(struct admin *a, const struct status_agent *agent, struct str token)
{
	struct buf site = BUF_INIT(KIB(4));

	if (a->is_json)
		return admin_say(a, "token", token, NULL);
	put_site(&site);
	printf("added agent %.*s. On its machine, within %llu minutes:\n\n"
	       "  mailstead agent enrol %s %.*s --state DIR\n"
	       "  mailstead agent run --state DIR\n\n"
	       "The token is good once, and is shown this once.\n",
	    STR_ARG(agent->id),
	    (unsigned long long)(agent->until_s - agent->made_s) / 60,
	    buf_c(&site), STR_ARG(token));
	buf_done(&site);
	return ADMIN_OK;
}

static int
add(struct admin *a, const struct words *w)
{
	struct status_agent agent = { .made_s = (uint64_t)time(NULL) };
	struct buf token = BUF_INIT(KIB(1));
	uint64_t length_s = TOKEN_S;
	struct status_fault fault;
	struct crypt_sum sum;
	int r;

	if (w->args.n_words < 1)
		return admin_usage(a, NULL);
	agent.id = str_c(w->args.words[0]);
	for (size_t i = 1; i < w->args.n_words; i++)
		if (!take_word(&agent, w->args.words[i]))
			return admin_usage(
			    a, "an agent has network=LABEL and place=TEXT");
	if (w->length && (!args_duration(str_c(w->length), &length_s) ||
			     length_s < 60 || length_s > 30 * 86400))
		return admin_usage(a, "--for needs a time from 1m to 30d");
	agent.until_s = agent.made_s + length_s;
	if (!status_agent_is_sane(&agent, &fault))
		return watch_fault(a, &fault);
	r = is_room(a, w->args.words[0]);
	if (r != ADMIN_OK)
		return r;
	make_token(agent.id, &token, &sum);
	agent.token = crypt_sum_str(&sum);
	r = put_agent(a, &agent, 0);
	if (r == ADMIN_OK)
		r = say_token(a, &agent, buf_str(&token));
	buf_done_secret(&token);
	return r;
}

/* --- list, show -------------------------------------------------------------------- */

static const struct output_field fields[] = {
	{ "agent", "AGENT", OUTPUT_TEXT },
	{ "network", "NETWORK", OUTPUT_TEXT },
	{ "place", "PLACE", OUTPUT_WORD },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "seen", "HEARD", OUTPUT_TIME },
	{ "clock_ahead_ms", "CLOCK", OUTPUT_MS },
	{ "checks", "CHECKS", OUTPUT_COUNT },
	{ "waiting", "WAITING", OUTPUT_COUNT },
	{ "lost", "LOST", OUTPUT_COUNT },
	{ "enrolled", "ENROLLED", OUTPUT_TIME },
	{ "token_until", "TOKEN UNTIL", OUTPUT_TIME },
	{ "revoked", "REVOKED", OUTPUT_TIME },
	{ "software", "SOFTWARE", OUTPUT_WORD },
	{ "key", "KEY", OUTPUT_WORD },
};

static void
put_state(struct output *o, uint8_t state)
{
	static const struct {
		const char *word, *shown;
	} names[] = {
		[AGENT_WAITS] = { "waiting", "waits for its token" },
		[AGENT_OVER] = { "expired", "its token is over" },
		[AGENT_HEARD] = { "heard", "heard" },
		[AGENT_SILENT] = { "silent", "silent" },
		[AGENT_REVOKED] = { "revoked", "revoked" },
		[AGENT_TOO_MANY] = { "too-many", "one too many" },
	};
	bool is_known = state < ARRAY_LEN(names);

	output_put_text(
	    o, is_known ? str_c(names[state].word) : STR("unknown"));
	if (is_known)
		output_show(o, str_c(names[state].shown));
}

static void
put_row(struct output *o, const struct msg_agent_row *row)
{
	bool is_waiting = row->state == AGENT_WAITS || row->state == AGENT_OVER;

	output_put_text(o, row->name);
	output_put_text(o, row->network);
	output_put_text(o, row->place);
	put_state(o, row->state);
	output_put_number(o, row->seen_ms / 1000);
	output_put_signed(o, (int64_t)row->skew_ms);
	output_put_number(o, row->checks);
	output_put_number(o, row->left);
	output_put_number(o, row->lost);
	output_put_number(o, row->enrolled);
	output_put_number(o, is_waiting ? row->token_until : 0);
	output_put_number(o, row->revoked);
	output_put_text(o, row->software);
	output_put_text(o, row->key);
}

/* All, or the one with that name: how many. */
static int
ask(struct admin *a, const char *name, struct output *o, size_t *ret_n)
{
	struct buf body = BUF_INIT(KIB(4)), reply = BUF_INIT(MIB(16));
	struct buf key = BUF_INIT(KIB(1));
	struct msg_list_reply l = { 0 };
	struct msg_agent_row row;
	struct wire w;
	int r;

	if (name)
		status_put_key(&key, str_c(name));
	msg_agent_list_put(
	    &body, &(struct msg_agent_list){ .prefix = buf_str(&key) });
	r = admin_do_role(a, ROLE_WATCH,
	    &(struct admin_call){
		.type = MSG_AGENT_LIST, .body = buf_str(&body) },
	    "agents", &reply);
	if (r == ADMIN_OK && msg_list_reply_get(buf_str(&reply), &l)) {
		w = wire_read(l.items);
		while (msg_agent_row_read(&w, &row)) {
			if (name && !str_eq_case(row.name, str_c(name)))
				continue;
			put_row(o, &row);
			(*ret_n)++;
		}
	}
	buf_done(&key);
	buf_done(&body);
	buf_done(&reply);
	return r;
}

static int
list(struct admin *a, const char *name)
{
	struct output *o = output_new("agents", fields, ARRAY_LEN(fields));
	size_t n = 0;
	int r = ask(a, name, o, &n);

	if (r == ADMIN_OK && name && n == 0)
		r = admin_error(
		    a, ADMIN_REFUSED, "agent %s: there is no such agent", name);
	else if (r == ADMIN_OK && name)
		output_print_one(o, a->is_json);
	else if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	return r;
}

/* --- remove ------------------------------------------------------------------------- */

static int
remove_agent(struct admin *a, const char *name)
{
	struct buf row = BUF_INIT(KIB(4)), key = BUF_INIT(KIB(1));
	CLEANUP(freep) char *what = x_asprintf("agent %s", name);
	struct status_agent agent;
	uint64_t now = (uint64_t)time(NULL);
	int r = get_agent(a, name, &row, &agent);

	status_put_key(&key, str_c(name));
	if (r == ADMIN_OK && agent.revoked_s > 0)
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: there is none, it was removed already", what);
	else if (r == ADMIN_OK && agent.key.n > 0) {
		/* People can still see which one it was. */
		agent.revoked_s = now;
		agent.token = STR_NONE;
		r = put_agent(a, &agent, now + REVOKED_S);
	} else if (r == ADMIN_OK) {
		r = ledger_rows_put(a, LEDGER_AGENT,
		    &(struct msg_ledger_row){
			.key = buf_str(&key), .is_gone = 1 },
		    what);
	}
	if (r == ADMIN_OK)
		r = admin_say(a, "removed", str_c(name), "removed agent");
	buf_done(&row);
	buf_done(&key);
	return r;
}

int
admin_watch_agent(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		{ "--for", &w.length, NULL },
		ADMIN_OPTIONS(a),
	};
	const char *verb = argc > 0 ? argv[0] : "";

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc > 0 && !admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return add(a, &w);
	if (strcmp(verb, "list") == 0 && w.args.n_words == 0)
		return list(a, NULL);
	if (strcmp(verb, "show") == 0 && w.args.n_words == 1)
		return list(a, w.args.words[0]);
	if (strcmp(verb, "remove") == 0 && w.args.n_words == 1)
		return remove_agent(a, w.args.words[0]);
	return admin_usage(a, NULL);
}
