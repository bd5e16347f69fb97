/* SPDX-License-Identifier: ISC */
/* windows.c - rows of MAINTENANCE. See windows.h. */
#include "web/table/windows.h"

#include "proc/ledger_mirror.h"

struct windows {
	struct server *sv;
	struct ledger_mirror *mirror;
};

static void
on_changed(void *arg)
{
	struct windows *w = arg;

	server_changed(w->sv);
}

struct windows *
windows_new(struct server *sv)
{
	static const enum ledger_table tables[] = { LEDGER_MAINTENANCE };
	struct windows *w = X_NEW(struct windows);

	w->sv = sv;
	w->mirror =
	    ledger_mirror_new(sv->rt, tables, ARRAY_LEN(tables), on_changed, w);
	return w;
}

void
windows_free(struct windows *w)
{
	if (w == NULL)
		return;
	ledger_mirror_stop(w->mirror);
	free(w);
}

void
windows_load(struct windows *w)
{
	ledger_mirror_load(w->mirror);
}

bool
windows_changed(struct windows *w, struct str body)
{
	return ledger_mirror_changed(w->mirror, body);
}

size_t
windows_count(const struct windows *w)
{
	return ledger_mirror_count(w->mirror, LEDGER_MAINTENANCE);
}

bool
windows_at(const struct windows *w, size_t i, struct str *ret_key,
    struct status_window *ret)
{
	struct ledger_mirror_row row =
	    ledger_mirror_row(w->mirror, LEDGER_MAINTENANCE, i);

	*ret_key = row.key;
	return status_window_decode(row.key, row.value, ret);
}
