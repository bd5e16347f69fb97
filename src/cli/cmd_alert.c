/* SPDX-License-Identifier: ISC */
/*
 * cmd_alert.c - mailstead alert add|change|list|remove|test|log: who of the
 * operators is told when something fails, and what came of it.
 */
#include "base/base64.h"
#include "base/secret.h"
#include "cli/outbox_rows.h"
#include "cli/watch_rows.h"
#include "cli/webhook.h"
#include "proto/status/status_contact.h"

#include <time.h>

#define USAGE_ADD \
	"alert add NAME mail=ADDRESS|webhook=URL [system=SYSTEM...] " \
	"[min=down|degraded] [--secret-stdin] [--json]"
#define USAGE_CHANGE \
	"alert change NAME [mail=ADDRESS|webhook=URL] [system=SYSTEM...] " \
	"[min=down|degraded] [--secret-stdin] [--json]"
#define USAGE_LIST   "alert list [--json]"
#define USAGE_REMOVE "alert remove NAME [--json]"
#define USAGE_TEST   "alert test NAME [--json]"
#define USAGE_LOG    "alert log [--json]"

#define SECRET_BYTES  24
#define TEST_EXPIRY_S 3600
#define WAIT_TIMES    150 /* for what comes of a test */
#define WAIT_NS       200000000L

struct command {
	struct admin *a;
	struct args args;
	bool from_stdin;
};

static int
contact_key(struct admin *a, const char *name, struct buf *ret)
{
	if (!status_is_id(str_c(name))) {
		(void)admin_error(a, ADMIN_USAGE, "\"%s\": expected %s", name,
		    STATUS_ID_EXPECTED);
		return ADMIN_USAGE;
	}
	status_put_key(ret, str_c(name));
	return ADMIN_OK;
}

/* The one of that name; it points into row. */
static int
get(struct admin *a, struct str key, struct buf *row,
    struct status_contact *ret)
{
	CLEANUP(freep) char *what = x_asprintf("contact %.*s", STR_ARG(key));
	int r = ledger_rows_get(a, LEDGER_ALERT, key, what, row);

	if (r == ADMIN_OK && !status_contact_decode(buf_str(row), ret))
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: what is stored of it is not understood; remove it "
		    "and add it anew",
		    what);
	return r;
}

/* --- adding ---------------------------------------------------------------------- */

static bool
make_secret(struct command *c, struct buf *to)
{
	unsigned char random[SECRET_BYTES];

	if (c->from_stdin)
		return admin_password(c->a, true, to);
	secret_random(random, sizeof(random));
	buf_put_c(to, "whsec_");
	base64_encode(to, str_make(random, sizeof(random)));
	explicit_bzero(random, sizeof(random));
	return true;
}

/* The secret of a webhook is shown this once, when it was made now. */
static void
say_stored(
    struct command *c, const char *said, struct str id, struct str secret)
{
	const struct output_field said_fields[] = {
		{ said, "CONTACT", OUTPUT_TEXT },
		{ "secret", "SECRET", OUTPUT_WORD },
	};
	struct output *o;

	if (!c->a->is_json) {
		printf("%s contact %.*s\n", said, STR_ARG(id));
		if (secret.n > 0)
			printf("\nsecret %.*s\n\nKeep it now: it is not shown "
			       "again.\n",
			    STR_ARG(secret));
		return;
	}
	o = output_new("contact", said_fields, ARRAY_LEN(said_fields));
	output_put_text(o, id);
	output_put_text(o, secret);
	output_print_one(o, true);
	output_free(o);
}

/* Words from the second on, into contact. A word without a value takes away:
 * that was done before. */
static int
put_words(struct command *c, struct status_contact *contact)
{
	struct status_fault fault;

	for (size_t i = 1; i < c->args.n_words; i++) {
		struct str word = str_c(c->args.words[i]), name;
		struct str value = str_split(word, '=', &name);

		if (value.n == 0 && name.n < word.n &&
		    str_eq_case(name, STR("system")))
			continue;
		if (!status_contact_put(contact, word, &fault))
			return watch_fault(c->a, &fault);
	}
	return ADMIN_OK;
}

/* Does the whole fit, and does it fit what else there is? */
static int
fit(struct command *c, struct status_contact *contact)
{
	const struct status_systems *all;
	struct status_fault fault;
	int r;

	if (!status_contact_finish(contact, &fault))
		return watch_fault(c->a, &fault);
	r = watch_systems_read(c->a, &all);
	if (r == ADMIN_OK && !status_systems_have_all(all, contact->systems,
				 contact->n_systems, &fault))
		r = watch_misfit(c->a, &fault);
	if (r == ADMIN_OK && contact->channel == STATUS_BY_WEBHOOK)
		r = webhook_refuse_local(c->a, contact->to);
	return r;
}

/* The log of changes says what the contact is then. */
static int
put_row(struct command *c, const struct ledger_change *change,
    const struct status_contact *contact, const char *name,
    enum reason *ret_reason)
{
	struct buf detail = BUF_INIT(KIB(4));
	struct ledger_change with = *change;
	int r;

	status_contact_put_words(contact, &detail);
	with.table = LEDGER_ALERT;
	with.detail = buf_str(&detail);
	r = ledger_rows_change(c->a, &with, name, ret_reason);
	buf_done(&detail);
	return r;
}

static int
store(struct command *c, struct str key, const struct status_contact *contact)
{
	struct buf value = BUF_INIT(KIB(4)), old = BUF_INIT(KIB(8));
	struct msg_ledger_row row = { .key = key };
	bool is_there;
	int r = ledger_rows_find(c->a, LEDGER_ALERT, key, &is_there, &old);

	if (r == ADMIN_OK && is_there)
		r = admin_error(c->a, ADMIN_REFUSED,
		    "contact %.*s: it exists already; see 'mailstead alert "
		    "change'",
		    STR_ARG(key));
	if (r == ADMIN_OK) {
		status_contact_encode(contact, &value);
		row.value = buf_str(&value);
		r = put_row(c, &(struct ledger_change){ .rows = &row, .n = 1 },
		    contact, "the contact", NULL);
	}
	buf_done_secret(&value);
	buf_done_secret(&old);
	return r;
}

static int
add(struct command *c)
{
	struct status_contact contact = { .added_s = (uint64_t)time(NULL) };
	struct buf key = BUF_INIT(KIB(1)), secret = BUF_INIT(KIB(1));
	int r;

	if (c->args.n_words < 2)
		return admin_usage(c->a, NULL);
	r = contact_key(c->a, c->args.words[0], &key);
	if (r != ADMIN_OK)
		return r;
	contact.id = str_c(c->args.words[0]);
	r = put_words(c, &contact);
	if (r == ADMIN_OK && contact.channel == STATUS_BY_WEBHOOK) {
		if (!make_secret(c, &secret))
			r = ADMIN_USAGE;
		contact.secret = buf_str(&secret);
	}
	if (r == ADMIN_OK)
		r = fit(c, &contact);
	if (r == ADMIN_OK)
		r = store(c, buf_str(&key), &contact);
	if (r == ADMIN_OK)
		say_stored(c, "added", contact.id, contact.secret);
	buf_done_secret(&secret);
	buf_done(&key);
	return r;
}

/* --- changing --------------------------------------------------------------------- */

/* What was read is still so, or somebody else's change would be lost. */
static int
store_changed(struct command *c, struct str key, struct str was,
    const struct status_contact *contact)
{
	CLEANUP(freep) char *what = x_asprintf("contact %.*s", STR_ARG(key));
	struct buf value = BUF_INIT(KIB(4));
	struct msg_ledger_row row;
	enum reason reason;
	int r;

	status_contact_encode(contact, &value);
	row = (struct msg_ledger_row){ .key = key, .value = buf_str(&value) };
	r = put_row(c,
	    &(struct ledger_change){
		.rows = &row, .n = 1, .only_if = LEDGER_IF_SAME, .was = was },
	    contact, what, &reason);
	if (reason != REASON_NONE)
		r = admin_error(c->a, ADMIN_REFUSED,
		    "%s: somebody else changed it at the same time", what);
	buf_done_secret(&value);
	return r;
}

/* A new secret where one is wanted and there is none: a webhook in place of an
 * address, or --secret-stdin. */
static int
renew_secret(
    struct command *c, struct status_contact *contact, struct buf *secret)
{
	if (contact->channel != STATUS_BY_WEBHOOK ||
	    (contact->secret.n > 0 && !c->from_stdin))
		return ADMIN_OK;
	if (!make_secret(c, secret))
		return ADMIN_USAGE;
	contact->secret = buf_str(secret);
	return ADMIN_OK;
}

static int
change(struct command *c)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(8));
	struct buf secret = BUF_INIT(KIB(1));
	struct status_contact contact;
	int r;

	if (c->args.n_words < 1 || (c->args.n_words < 2 && !c->from_stdin))
		return admin_usage(c->a, NULL);
	r = contact_key(c->a, c->args.words[0], &key);
	if (r == ADMIN_OK)
		r = get(c->a, buf_str(&key), &row, &contact);
	for (size_t i = 1; r == ADMIN_OK && i < c->args.n_words; i++)
		status_contact_forget(&contact, str_c(c->args.words[i]));
	if (r == ADMIN_OK)
		r = put_words(c, &contact);
	if (r == ADMIN_OK)
		r = renew_secret(c, &contact, &secret);
	if (r == ADMIN_OK)
		r = fit(c, &contact);
	if (r == ADMIN_OK)
		r = store_changed(c, buf_str(&key), buf_str(&row), &contact);
	if (r == ADMIN_OK)
		say_stored(c, "changed", contact.id, buf_str(&secret));
	buf_done(&key);
	buf_done_secret(&row);
	buf_done_secret(&secret);
	return r;
}

/* --- the others ------------------------------------------------------------------- */

static const struct output_field fields[] = {
	{ "contact", "CONTACT", OUTPUT_TEXT },
	{ "channel", "CHANNEL", OUTPUT_TEXT },
	{ "to", "TO", OUTPUT_TEXT },
	{ "min", "FROM", OUTPUT_TEXT },
	{ "systems", "SYSTEMS", OUTPUT_LIST },
};

static void
put_contact(void *arg, const struct msg_ledger_row *row)
{
	struct output *o = arg;
	struct buf systems = BUF_INIT(KIB(2));
	struct status_contact c;

	if (!status_contact_decode(row->value, &c))
		return;
	for (size_t i = 0; i < c.n_systems; i++)
		buf_printf(&systems, "%s%.*s", i > 0 ? "\n" : "",
		    STR_ARG(c.systems[i]));
	output_put_text(o, c.id);
	output_put_text(o, str_c(status_channel_name(c.channel)));
	output_put_text(o, c.to);
	output_put_text(
	    o, c.least == STATUS_FROM_DOWN ? STR("down") : STR("degraded"));
	output_put_text(o, buf_str(&systems));
	buf_done(&systems);
}

static int
list(struct command *c)
{
	const struct ledger_rows rows = { LEDGER_ALERT, STR_NONE, "contacts" };
	struct output *o = output_new("contacts", fields, ARRAY_LEN(fields));
	int r = ledger_rows_each(c->a, &rows, put_contact, o);

	if (r == ADMIN_OK)
		output_print(o, c->a->is_json);
	output_free(o);
	return r;
}

static int
remove_contact(struct command *c)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(8));
	struct buf detail = BUF_INIT(KIB(4));
	struct msg_ledger_row gone = { .is_gone = 1 };
	CLEANUP(freep) char *what = NULL;
	struct status_contact contact;
	int r;

	if (c->args.n_words != 1)
		return admin_usage(c->a, NULL);
	r = contact_key(c->a, c->args.words[0], &key);
	if (r != ADMIN_OK)
		return r;
	gone.key = buf_str(&key);
	what = x_asprintf("contact %s", buf_c(&key));
	r = ledger_rows_get(c->a, LEDGER_ALERT, gone.key, what, &row);
	/* One that is not understood can be removed all the same. */
	if (r == ADMIN_OK && status_contact_decode(buf_str(&row), &contact))
		status_contact_put_words(&contact, &detail);
	if (r == ADMIN_OK)
		r = ledger_rows_change(c->a,
		    &(struct ledger_change){ .table = LEDGER_ALERT,
			.rows = &gone,
			.n = 1,
			.detail = buf_str(&detail) },
		    what, NULL);
	if (r == ADMIN_OK)
		r = admin_say(
		    c->a, "removed", buf_str(&key), "removed contact");
	buf_done(&key);
	buf_done(&detail);
	buf_done_secret(&row);
	return r;
}

/* --- a test -------------------------------------------------------------------------- */

static int
put_test(struct command *c, struct str key, const struct status_contact *to)
{
	uint64_t now = (uint64_t)time(NULL);
	struct buf value = BUF_INIT(KIB(8));
	struct status_message m = { .channel = to->channel,
		.purpose = STATUS_FOR_TEST,
		.to = to->to,
		.secret = to->secret,
		.subject = STR("[TEST] Alerts reach you"),
		.language = STR("en"),
		.about = to->id,
		.made_ms = now * 1000,
		.next_ms = now * 1000,
		.expires_ms = (now + TEST_EXPIRY_S) * 1000 };
	int r;

	m.body = to->channel == STATUS_BY_MAIL
	             ? STR("Somebody wanted to see whether alerts reach you: "
			   "mailstead alert test.\nThey do. Nothing has "
			   "happened.\n")
	             : STR("{\"type\":\"test\",\"text\":\"Alerts reach "
			   "you\"}");
	status_message_encode(&m, &value);
	r = ledger_rows_put(c->a, LEDGER_OUTBOX,
	    &(struct msg_ledger_row){ .key = key,
		.value = buf_str(&value),
		.until = now + 2 * TEST_EXPIRY_S },
	    "the test");
	buf_done_secret(&value);
	return r;
}

static const struct output_field test_fields[] = {
	{ "contact", "CONTACT", OUTPUT_TEXT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "by", "BY", OUTPUT_WORD },
	{ "reply", "REPLY", OUTPUT_WORD },
};

static void
print_test(struct command *c, const struct status_message *m)
{
	struct output *o =
	    output_new("test", test_fields, ARRAY_LEN(test_fields));
	const struct status_attempt *last =
	    m->n_attempts > 0 ? &m->attempts[m->n_attempts - 1] : NULL;

	output_put_text(o, m->about);
	output_put_text(o, str_c(status_progress_name(m->progress)));
	output_put_text(o, last != NULL ? last->by : STR_NONE);
	output_put_text(o, last != NULL ? last->said : STR_NONE);
	output_print_one(o, c->a->is_json);
	output_free(o);
}

/* Until it was taken, or failed for the first time. */
static int
await(struct command *c, struct str key)
{
	const struct timespec pause = { .tv_nsec = WAIT_NS };
	struct status_message m = { 0 };
	bool is_there = true;
	int r = ADMIN_OK;

	for (unsigned i = 0; i < WAIT_TIMES; i++) {
		struct buf row = BUF_INIT(KIB(64));
		bool is_over;

		r = ledger_rows_find(c->a, LEDGER_OUTBOX, key, &is_there, &row);
		is_over = r != ADMIN_OK || !is_there ||
		          !status_message_decode(buf_str(&row), &m) ||
		          m.progress != STATUS_WAITING || m.rounds > 0;
		if (is_over && r == ADMIN_OK && is_there)
			print_test(c, &m);
		buf_done_secret(&row);
		if (is_over)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (r != ADMIN_OK)
		return r;
	if (m.progress == STATUS_SENT)
		return ADMIN_OK;
	return admin_error(c->a,
	    m.progress == STATUS_WAITING ? ADMIN_TEMPFAIL : ADMIN_REFUSED,
	    "it was not taken%s; see 'mailstead alert log'",
	    m.progress == STATUS_WAITING ? " yet, and is tried again" : "");
}

static int
test(struct command *c)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(8));
	struct buf name = BUF_INIT(LEDGER_KEY_MAX);
	struct status_contact contact;
	struct timespec now;
	int r;

	if (c->args.n_words != 1)
		return admin_usage(c->a, NULL);
	r = contact_key(c->a, c->args.words[0], &key);
	if (r == ADMIN_OK)
		r = get(c->a, buf_str(&key), &row, &contact);
	if (r == ADMIN_OK) {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		buf_printf(&name, "c/test/%s/%lld.%ld", buf_c(&key),
		    (long long)now.tv_sec, now.tv_nsec);
		r = put_test(c, buf_str(&name), &contact);
	}
	if (r == ADMIN_OK)
		r = await(c, buf_str(&name));
	buf_done(&key);
	buf_done(&name);
	buf_done_secret(&row);
	return r;
}

const char *const alert_usage[] = { USAGE_ADD, USAGE_CHANGE, USAGE_LIST,
	USAGE_REMOVE, USAGE_TEST, USAGE_LOG, NULL };

int
admin_alert(struct admin *a, int argc, char **argv)
{
	struct command c = { .a = a };
	const struct arg_option options[] = {
		{ "--secret-stdin", NULL, &c.from_stdin },
		ADMIN_OPTIONS(a),
	};
	const char *verb = argc > 0 ? argv[0] : "";

	c.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc > 0 && !admin_args(a, &c.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return add(&c);
	if (strcmp(verb, "change") == 0)
		return change(&c);
	if (strcmp(verb, "remove") == 0)
		return remove_contact(&c);
	if (strcmp(verb, "test") == 0)
		return test(&c);
	if (strcmp(verb, "list") == 0 && c.args.n_words == 0)
		return list(&c);
	if (strcmp(verb, "log") == 0 && c.args.n_words == 0)
		return outbox_print_attempts(a);
	return admin_usage(a, NULL);
}
