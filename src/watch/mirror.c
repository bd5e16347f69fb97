/* SPDX-License-Identifier: ISC */
/*
 * mirror.c - what watch keeps of the ledger: systems, checks, windows, agents, who
 * is told of what, and what was told.
 */
#include "watch/server.h"

static void
on_changed(void *arg)
{
	struct server *sv = arg;

	/* Checks that were not read yet are not removed. */
	if (sv->agent != NULL || ledger_mirror_is_ready(sv->mirror))
		watched_update(sv);
}

struct ledger_mirror *
mirror_new(struct server *sv)
{
	static const enum ledger_table tables[] = { LEDGER_SYSTEM, LEDGER_CHECK,
		LEDGER_MAINTENANCE, LEDGER_AGENT, LEDGER_ALERT, LEDGER_TOLD };
	struct ledger_mirror *m;

	if (sv->agent != NULL)
		return ledger_mirror_new_alone(
		    sv->loop, tables, ARRAY_LEN(tables), on_changed, sv);
	m = ledger_mirror_new(
	    sv->rt, tables, ARRAY_LEN(tables), on_changed, sv);

	ledger_mirror_below(m, LEDGER_TOLD, STR(STATUS_TOLD_CHECK));
	return m;
}
