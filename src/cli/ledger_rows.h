/* SPDX-License-Identifier: ISC */
/*
 * ledger_rows.h - rows of the store's ledger (proc/ledger.h), for commands.
 */
#pragma once

#include "cli/admin.h"
#include "proc/ledger.h"

typedef void (*ledger_rows_fn)(void *arg, const struct msg_ledger_row *row);
/* All rows whose key begins with prefix; what names them ("rules"). */
struct ledger_rows {
	enum ledger_table table;
	struct str prefix;
	const char *what;
};
/* An exit code; an error was printed. */
int ledger_rows_each(struct admin *a, const struct ledger_rows *rows,
    ledger_rows_fn fn, void *arg) WARN_UNUSED;
/*
 * A change of rows, all or none. What people administer gets a line in the
 * table AUDIT together with it: what ("post.new"), object, detail.
 */
struct ledger_change {
	enum ledger_table table;
	const struct msg_ledger_row *rows;
	size_t n;
	enum ledger_if only_if;
	struct str was;    /* of LEDGER_IF_SAME */
	const char *what;  /* NULL: "TABLE.put" or "TABLE.remove" */
	struct str object; /* empty: the key of the first row */
	struct str detail;
};
/*
 * An exit code. With ret_reason: when the condition is not met, the answer is
 * ADMIN_REFUSED, *ret_reason says why, and nothing was printed.
 */
int ledger_rows_change(struct admin *a, const struct ledger_change *c,
    const char *name, enum reason *ret_reason) WARN_UNUSED;
/* Put one row, or end it (is_gone). An exit code likewise. */
int ledger_rows_put(struct admin *a, enum ledger_table table,
    const struct msg_ledger_row *row, const char *what) WARN_UNUSED;
/* Is there a row with this key? Its value is appended to ret. Likewise. */
int ledger_rows_find(struct admin *a, enum ledger_table table, struct str key,
    bool *ret_is_there, struct buf *ret) WARN_UNUSED;
/* The same, and none is an error; what names it. */
int ledger_rows_get(struct admin *a, enum ledger_table table, struct str key,
    const char *what, struct buf *ret) WARN_UNUSED;
