/* SPDX-License-Identifier: ISC */
/* tables_internal.h - what the files of store/tables share. */
#pragma once

#include "store/tables/table_record.h"
#include "store/tables/tables.h"

#define TABLES_MAX 32
_Static_assert(LEDGER_TABLES <= TABLES_MAX, "each table has its count");

struct tables {
	struct tables_config config;
	struct engine *engine;
	uint64_t rows[TABLES_MAX];
	/* They could not be counted: nothing is put. */
	bool is_damaged;
};

static inline uint64_t
tables_now(const struct tables *t)
{
	return t->config.now(t->config.arg);
}
