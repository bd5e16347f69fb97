/* SPDX-License-Identifier: ISC */
/*
 * tls_keeper.c - read the rules from the ledger. See tls_keeper.h.
 *
 * There are few, and they change seldom: a change reads them all again.
 */
#include "send/tls/tls_keeper.h"

#include "base/log.h"
#include "base/wire.h"

#define AGAIN_MS 1000

struct tls_keeper {
	struct runtime *rt;
	struct tls_rules *rules;   /* that count */
	struct tls_rules *reading; /* NULL: nothing is being read */
	bool is_stale;             /* read again behind that */
	struct loop_timer *again;
	loop_fn fn;
	void *arg;
	uint32_t generation;
};

static void read_all(void *arg);

struct tls_keeper *
tls_keeper_new(struct runtime *rt)
{
	struct tls_keeper *k = X_NEW(struct tls_keeper);

	k->rt = rt;
	k->rules = tls_rules_new();
	k->again = loop_timer_new(runtime_loop(rt), read_all, k);
	return k;
}

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct str pattern = str_from(row->key, strlen(TLS_RULE_PREFIX));
	struct tls_keeper *k = arg;
	struct tls_rule_row rule;

	if (!tls_rule_is_pattern(pattern) ||
	    !tls_rule_row_decode(row->value, &rule) ||
	    !tls_rules_add(k->reading, pattern, rule.rule))
		log_event(EV_SEND_TLS_RULE_BAD, LS("pattern", pattern));
	return true;
}

static void
on_done(void *arg, enum outcome outcome)
{
	struct tls_keeper *k = arg;
	struct tls_rules *read = TAKE_PTR(k->reading);

	if (outcome == DONE) {
		tls_rules_free(k->rules);
		k->rules = read;
		k->generation++;
	} else {
		tls_rules_free(read);
		loop_timer_set(k->again, AGAIN_MS);
	}
	if (k->is_stale) {
		read_all(k);
	} else if (outcome == DONE && k->fn != NULL) {
		loop_fn fn = k->fn;

		k->fn = NULL;
		fn(k->arg);
	}
}

static void
read_all(void *arg)
{
	struct tls_keeper *k = arg;
	const struct ledger_read read = {
		.table = LEDGER_POLICY,
		.prefix = STR(TLS_RULE_PREFIX),
		.row = on_row,
		.done = on_done,
		.arg = k,
	};

	k->is_stale = k->reading != NULL;
	if (k->is_stale)
		return;
	k->reading = tls_rules_new();
	ledger_read(k->rt, &read);
}

void
tls_keeper_load(struct tls_keeper *k, loop_fn fn, void *arg)
{
	k->fn = fn;
	k->arg = arg;
	read_all(k);
}

void
tls_keeper_changed(struct tls_keeper *k, struct str rows)
{
	struct wire w = wire_read(rows);

	while (w.in.n > 0) {
		struct msg_ledger_row row;

		if (!msg_ledger_row_read(&w, &row))
			return;
		if (str_starts(row.key, STR(TLS_RULE_PREFIX))) {
			read_all(k);
			return;
		}
	}
}

enum tls_rule
tls_keeper_find(const struct tls_keeper *k, struct str domain, struct str host)
{
	return tls_rules_find(k->rules, domain, host);
}

uint32_t
tls_keeper_generation(const struct tls_keeper *k)
{
	return k->generation;
}
