/* SPDX-License-Identifier: ISC */
/*
 * ledger.h - the small tables that roles keep in the store, from their side.
 *
 * What a role must remember over its own death (policies of other domains,
 * routes, counts for reports) it keeps as rows of a table. The store keeps
 * them durable and ordered, and drops them when their time is over; it does not know
 * what they mean.
 */
#pragma once

#include "proc/runtime.h"

#define LEDGER_KEY_MAX  160      /* bytes; at least 1 */
#define LEDGER_ROWS_MAX 5000     /* of one LEDGER_PUT */
#define LEDGER_PUT_MAX  KIB(900) /* bytes of the rows of one LEDGER_PUT */

enum ledger_table {
#define TABLE(id, name, writers, readers, tell, value_max, rows_max) \
	LEDGER_##id,
#include "proc/ledger_tables.def"
#undef TABLE
	LEDGER_TABLES, /* how many there are */
};

/* One line of ledger_tables.def. */
struct ledger_rule {
	const char *name;
	unsigned writers, readers, tell; /* ROLE_BIT()s */
	size_t value_max;
	uint64_t rows_max;
};
/* NULL when table is none. */
const struct ledger_rule *ledger_rule(unsigned table);

/*
 * Put rows: the encodings of msg_ledger_row, back to back. fn runs from the
 * loop with the store's answer (a message without body), or, while there is no
 * store, with TEMPFAIL REASON_GONE; nobody repeats it. fn may be NULL.
 */
void ledger_put(struct runtime *rt, enum ledger_table table, struct str rows,
    ipc_reply_fn fn, void *arg);

/* A row; false: enough, the rest is not read and done does not run. */
typedef bool (*ledger_row_fn)(void *arg, const struct msg_ledger_row *row);
/* DONE: every row was shown. Else what kept it from that. */
typedef void (*ledger_done_fn)(void *arg, enum outcome outcome);

/*
 * Read all rows whose key begins with prefix (empty: all), in the order of
 * their keys, in portions. Neither function runs inside this call.
 */
struct ledger_read {
	enum ledger_table table;
	struct str prefix; /* at most LEDGER_KEY_MAX bytes; copied */
	ledger_row_fn row;
	ledger_done_fn done; /* may be NULL */
	void *arg;
};
void ledger_read(struct runtime *rt, const struct ledger_read *read);
