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

/* msg_ledger_put.only_if: looked at and put in one step of the store's. A row
 * whose time is over is not there. */
enum ledger_if {
	LEDGER_ANYHOW,
	/* There is no row with a key of these, or REASON_EXISTS. Rows that
	 * are gone are not asked about. */
	LEDGER_IF_NEW,
	/* The first of them is there, and its value is msg_ledger_put.was; or
	 * REASON_CONFLICT. */
	LEDGER_IF_SAME,
	/* Its tag is msg_ledger_put.was: see LEDGER_TAG. For who may write a
	 * table and not read it. */
	LEDGER_IF_TAG,
};

#define LEDGER_TAG_LEN 8 /* bytes */

/* One line of ledger_tables.def. */
struct ledger_rule {
	const char *name;
	unsigned writers, readers, tell; /* ROLE_BIT()s */
	size_t value_max;
	uint64_t rows_max;
};
/* NULL when table is none. */
const struct ledger_rule *ledger_rule(unsigned table);
/* A table that is added to only: no row is changed or ended, by anybody, before
 * its time is over. */
bool ledger_is_log(unsigned table);
/* Does that role put rows of it only together with a line of the log? */
bool ledger_wants_log(unsigned table, enum role role);

/*
 * Put rows: the encodings of msg_ledger_row, back to back. fn runs from the
 * loop with the store's answer (a message without body), or, while there is no
 * store, with TEMPFAIL REASON_GONE; nobody repeats it. fn may be NULL.
 */
void ledger_put(struct runtime *rt, enum ledger_table table, struct str rows,
    ipc_reply_fn fn, void *arg);
/* The same on a condition, or with rows of a second table. What put carries is
 * LEDGER_PUT_MAX bytes at most. */
void ledger_put_if(struct runtime *rt, const struct msg_ledger_put *put,
    ipc_reply_fn fn, void *arg);

/* A row; false: enough, the rest is not read and done does not run. */
typedef bool (*ledger_row_fn)(void *arg, const struct msg_ledger_row *row);
/* DONE: every row was shown. Else what kept it from that. */
typedef void (*ledger_done_fn)(void *arg, enum outcome outcome);

/*
 * Read all rows whose key begins with prefix (empty: all), in the order of
 * their keys or the other way round, in portions. Neither function runs inside
 * this call.
 */
struct ledger_read {
	enum ledger_table table;
	struct str prefix; /* at most LEDGER_KEY_MAX bytes; copied */
	/* Only keys above it, or in reverse below it (empty: all); likewise. */
	struct str after;
	bool is_reverse;
	ledger_row_fn row;
	ledger_done_fn done; /* may be NULL */
	void *arg;
};
void ledger_read(struct runtime *rt, const struct ledger_read *read);
