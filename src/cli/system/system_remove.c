/* SPDX-License-Identifier: ISC */
/*
 * system_remove.c - mailstead system remove: a system with all that is about it
 * alone. See system_command.h.
 */
#include "cli/system/system_command.h"
#include "cli/watch_rows.h"
#include "proto/status/status_contact.h"
#include "proto/status/status_subscriber.h"

#define NAMED_MAX 8 /* checks in a message */

/* What is about a system alone: checks, or planned work. */
struct keys {
	struct buf list; /* ended by line feeds */
	uint64_t n;
};

static void
take_key(void *arg, const struct msg_ledger_row *row)
{
	struct keys *k = arg;

	buf_put_str(&k->list, row->key);
	buf_put_char(&k->list, '\n');
	k->n++;
}

/* All rows of a table that begin with prefix. */
static int
read_keys(
    struct admin *a, enum ledger_table table, struct str prefix, struct keys *k)
{
	const struct ledger_rows rows = { table, prefix, "rows" };

	return ledger_rows_each(a, &rows, take_key, k);
}

static int
remove_rows(struct admin *a, enum ledger_table table, const struct keys *k)
{
	struct str rest = buf_str(&k->list), key;
	int r = ADMIN_OK;

	while (r == ADMIN_OK && rest.n > 0) {
		rest = str_split(rest, '\n', &key);
		r = ledger_rows_put(a, table,
		    &(struct msg_ledger_row){ .key = key, .is_gone = 1 },
		    table == LEDGER_CHECK ? "check" : "maintenance");
	}
	return r;
}

struct removed {
	struct keys checks, windows;
};

/* Five years of history go with a check: nobody means that by one word. */
static int
refuse_checks(struct admin *a, struct str id, const struct keys *checks)
{
	struct str rest = buf_str(&checks->list), key;
	struct buf text = BUF_INIT(KIB(4));
	int r;

	for (size_t i = 0; i < NAMED_MAX && rest.n > 0; i++) {
		rest = str_split(rest, '\n', &key);
		buf_printf(&text, "%s%.*s", i > 0 ? ", " : "",
		    STR_ARG(str_from(key, id.n + 1)));
	}
	r = admin_error(a, ADMIN_REFUSED,
	    "system %.*s has checks (%s%s): --with-checks removes them, too, "
	    "and their history",
	    STR_ARG(id), buf_c(&text), rest.n > 0 ? ", ..." : "");
	buf_done(&text);
	return r;
}

/* Those who asked for it: they stay, and hear of it no more. */
struct interest {
	struct str system;
	uint64_t subscribers, contacts;
	uint64_t silent; /* contacts that have no other system */
};

static void
count_subscriber(void *arg, const struct msg_ledger_row *row)
{
	struct interest *in = arg;
	struct status_subscriber s;

	if (!status_subscriber_decode(row->key, row->value, &s) ||
	    s.scope != STATUS_SCOPE_SYSTEMS)
		return;
	for (size_t i = 0; i < s.n_names; i++)
		in->subscribers += str_eq_case(s.names[i], in->system);
}

static void
count_contact(void *arg, const struct msg_ledger_row *row)
{
	struct interest *in = arg;
	struct status_contact c;

	if (!status_contact_decode(row->value, &c) || c.n_systems == 0 ||
	    !status_contact_wants(&c, in->system))
		return;
	in->contacts++;
	in->silent += c.n_systems == 1;
}

static int
count(struct admin *a, struct interest *in)
{
	const struct ledger_rows subscribers = { LEDGER_SUBSCRIBER, STR_NONE,
		"subscribers" };
	const struct ledger_rows contacts = { LEDGER_ALERT, STR_NONE,
		"alerts" };
	int r = ledger_rows_each(a, &subscribers, count_subscriber, in);

	return r == ADMIN_OK ? ledger_rows_each(a, &contacts, count_contact, in)
	                     : r;
}

static void
print_interest(const struct interest *in)
{
	if (in->subscribers > 0)
		printf("%llu %s asked for news of it, and %s no more of them: "
		       "see 'mailstead subscriber list'\n",
		    (unsigned long long)in->subscribers,
		    in->subscribers == 1 ? "subscriber" : "subscribers",
		    in->subscribers == 1 ? "gets" : "get");
	if (in->contacts > 0)
		printf("%llu %s told of it by 'mailstead alert', %llu of them "
		       "of nothing else: see 'mailstead alert list'\n",
		    (unsigned long long)in->contacts,
		    in->contacts == 1 ? "contact was" : "contacts were",
		    (unsigned long long)in->silent);
}

static void
print_removed(const struct removed *gone)
{
	if (gone->checks.n > 0)
		printf("removed %llu %s, with the history\n",
		    (unsigned long long)gone->checks.n,
		    gone->checks.n == 1 ? "check" : "checks");
	if (gone->windows.n > 0)
		printf("removed %llu %s of planned work\n",
		    (unsigned long long)gone->windows.n,
		    gone->windows.n == 1 ? "time" : "times");
}

static int
tell_removed(struct admin *a, struct str id, const struct removed *gone)
{
	static const struct output_field removed_fields[] = {
		{ "removed", "removed", OUTPUT_TEXT },
		{ "checks", "checks", OUTPUT_COUNT },
		{ "maintenance", "maintenance", OUTPUT_COUNT },
		{ "subscribers", "subscribers", OUTPUT_COUNT },
		{ "contacts", "contacts", OUTPUT_COUNT },
	};
	struct interest in = { .system = id };
	struct output *o;
	int r = count(a, &in);

	if (r != ADMIN_OK)
		return r;
	if (!a->is_json) {
		r = admin_say(a, "removed", id, "removed system");
		print_removed(gone);
		print_interest(&in);
		return r;
	}
	o = output_new("", removed_fields, ARRAY_LEN(removed_fields));
	output_put_text(o, id);
	output_put_number(o, gone->checks.n);
	output_put_number(o, gone->windows.n);
	output_put_number(o, in.subscribers);
	output_put_number(o, in.contacts);
	output_print_one(o, true);
	output_free(o);
	return ADMIN_OK;
}

/* Checks first: one without a system would be watched by nobody. */
static int
remove_all(struct admin *a, struct str id, struct str prefix, bool with_checks)
{
	struct removed gone = { { BUF_INIT(MIB(4)), 0 },
		{ BUF_INIT(MIB(4)), 0 } };
	int r = read_keys(a, LEDGER_CHECK, prefix, &gone.checks);

	if (r == ADMIN_OK && gone.checks.n > 0 && !with_checks)
		r = refuse_checks(a, id, &gone.checks);
	if (r == ADMIN_OK)
		r = read_keys(a, LEDGER_MAINTENANCE, prefix, &gone.windows);
	if (r == ADMIN_OK)
		r = remove_rows(a, LEDGER_CHECK, &gone.checks);
	if (r == ADMIN_OK)
		r = remove_rows(a, LEDGER_MAINTENANCE, &gone.windows);
	if (r == ADMIN_OK)
		r = ledger_rows_put(a, LEDGER_SYSTEM,
		    &(struct msg_ledger_row){
			.key = str_first(prefix, prefix.n - 1), .is_gone = 1 },
		    "system");
	if (r == ADMIN_OK)
		r = tell_removed(a, id, &gone);
	buf_done(&gone.checks.list);
	buf_done(&gone.windows.list);
	return r;
}

int
system_remove(struct admin *a, const char *id, bool with_checks)
{
	struct buf key = BUF_INIT(KIB(1));
	struct watch_system sys;
	int r = watch_system_get(a, id, &sys);

	if (r == ADMIN_OK) {
		status_put_key(&key, sys.s.id);
		buf_put_char(&key, '/');
		r = remove_all(a, sys.s.id, buf_str(&key), with_checks);
	}
	buf_done(&key);
	watch_system_done(&sys);
	return r;
}
