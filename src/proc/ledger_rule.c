/* SPDX-License-Identifier: ISC */
/* ledger_rule.c - the list of tables of the ledger. See ledger.h. */
#include "proc/ledger.h"

#define FILTER ROLE_BIT(ROLE_FILTER)
#define SEND   ROLE_BIT(ROLE_SEND)
#define WATCH  ROLE_BIT(ROLE_WATCH)
#define WEB    ROLE_BIT(ROLE_WEB)
#define CLI    ROLE_BIT(ROLE_CLI)

static const struct ledger_rule rules[] = {
#define TABLE(id, name, writers, readers, tell, value_max, rows_max) \
	{ name, writers, readers, tell, value_max, rows_max },
#include "proc/ledger_tables.def"
#undef TABLE
};

const struct ledger_rule *
ledger_rule(unsigned table)
{
	return table < ARRAY_LEN(rules) ? &rules[table] : NULL;
}

bool
ledger_is_log(unsigned table)
{
	return table == LEDGER_AUDIT;
}

bool
ledger_wants_log(unsigned table, enum role role)
{
	return (role == ROLE_WEB || role == ROLE_WATCH) &&
	       (table == LEDGER_SYSTEM || table == LEDGER_CHECK ||
		   table == LEDGER_MAINTENANCE || table == LEDGER_POST);
}
