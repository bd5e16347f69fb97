/* SPDX-License-Identifier: ISC */
/*
 * outbox_rows.h - messages that role watch sends to people, for commands: rows of
 * the ledger's tables OUTBOX and TOLD.
 */
#pragma once

#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "proto/status/status_message.h"

struct outbox_row {
	enum ledger_table table;
	struct str key;   /* owned */
	struct buf value; /* what m points into */
	struct status_message m;
};

struct outbox_rows {
	struct outbox_row *v; /* the oldest first */
	size_t n, cap;
	enum ledger_table table; /* that is being read */
};

/* An exit code; an error was printed. */
int outbox_rows_read(struct admin *a, struct outbox_rows *ret) WARN_UNUSED;
void outbox_rows_done(struct outbox_rows *rows);
/* A URL may be a secret: who it goes to, fit for a list. */
void outbox_row_put_to(struct output *o, const struct status_message *m);

/* mailstead alert log, mailstead watch outbox. Exit codes. */
int outbox_print_attempts(struct admin *a) WARN_UNUSED;
int outbox_print_messages(struct admin *a, bool is_waiting) WARN_UNUSED;
