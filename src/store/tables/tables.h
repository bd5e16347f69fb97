/* SPDX-License-Identifier: ISC */
/*
 * tables.h - the ledger: small tables of rows that other roles keep here.
 *
 * proc/ledger_tables.def says which tables there are, who may write and read
 * them, and how large they may become. What a value means is its writer's
 * affair. A row may have an end: from then on nobody is shown it, and it is
 * removed within some seconds.
 *
 * All of it lies in one shard, 'l'; record.h of this folder is the reference of
 * keys. Called from the store's main thread only; as in mail.h, what a call
 * answers may not be durable yet.
 */
#pragma once

#include "proc/ledger.h"
#include "store/engine.h"
#include "store/verdict.h"

/* Bytes of one portion of a list. */
#define TABLES_REPLY_MAX KIB(512)

struct tables;

struct tables_config {
	struct engine *engine;
	uint64_t (*now)(void *arg); /* seconds */
	/* Rows of a table (list of msg_ledger_row) were put: called before they
	 * are durable. May be NULL. */
	void (*changed)(void *arg, enum ledger_table table, struct str rows);
	void *arg;
};

/*
 * Counts the rows. An error of the engine; but where bytes are damaged it is
 * open, and answers TEMPFAIL REASON_CORRUPT to what it cannot do.
 */
int tables_open(
    const struct tables_config *config, struct tables **ret) WARN_UNUSED;
void tables_free(struct tables *t); /* NULL is fine */
/* Rows of a table, also those whose time is over and that are still here. */
uint64_t tables_rows(const struct tables *t, enum ledger_table table);

/* LEDGER_PUT of a role: see ipc_structs.def. Of rows with the same key the last
 * one counts. */
struct verdict tables_put(struct tables *t, enum role role,
    const struct msg_ledger_put *m) WARN_UNUSED;
/* LEDGER_LIST. */
struct verdict tables_list(struct tables *t, enum role role,
    const struct msg_ledger_list *m, struct buf *out) WARN_UNUSED;

/* LEDGER_TAG. */
struct verdict tables_tag(struct tables *t, enum role role,
    const struct msg_ledger_tag *m, struct buf *out) WARN_UNUSED;

/* A small step of removing rows whose time is over. */
struct verdict tables_purge_step(struct tables *t) WARN_UNUSED;

/*
 * One step of checking every row and every end against each other: from that
 * key on (empty: the first). next (a buf of ENGINE_KEY_MAX) becomes where to
 * go on; empty: that was all.
 */
struct tables_check {
	void (*problem)(void *arg, const char *text);
	void *arg;
	uint64_t rows, problems; /* added to */
};
struct verdict tables_check_step(struct tables *t, struct str from,
    struct tables_check *check, struct buf *next) WARN_UNUSED;
