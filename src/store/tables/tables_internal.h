/* SPDX-License-Identifier: ISC */
/* tables_internal.h - what the files of store/tables share. */
#pragma once

#include "store/tables/table_record.h"
#include "store/tables/tables.h"

#define TABLES_MAX 32
_Static_assert(LEDGER_TABLES <= TABLES_MAX, "each table has its count");

/* What encoding adds to a value: version, time, length. */
#define TABLES_RECORD_EXTRA 32

struct tables {
	struct tables_config config;
	struct engine *engine;
	uint64_t rows[TABLES_MAX];
	/* They could not be counted: nothing is put. */
	bool is_damaged;
	/* Of this process: what is between a value and its tag. */
	unsigned char tag_key[32];
};

/* The record of a row that is there for others: 1 with *ret, which is borrowed from
 * the engine; 0: none; or an error. */
int tables_get(
    struct tables *t, uint8_t table, struct str key, struct table_record *ret);
/* Is tag the one of value? */
bool tables_is_tag(const struct tables *t, struct str value, struct str tag);

static inline uint64_t
tables_now(const struct tables *t)
{
	return t->config.now(t->config.arg);
}
