/* SPDX-License-Identifier: ISC */
/* routes_keep.c - routes from the ledger. See routes_keep.h. */
#include "send/route/routes_keep.h"

#include "base/log.h"
#include "proc/ledger.h"

#define AGAIN_MS 500

struct routes_keep {
	struct server *sv;
	struct routes read; /* so far */
	loop_fn done;
	void *done_arg;
	struct loop_timer *again;
};

static void
complain(const char *what)
{
	log_event(EV_SEND_STORE, LC("what", "route"), LC("reason", what));
}

static void
take(struct routes *to, const struct msg_ledger_row *m)
{
	struct route_row row;
	uint32_t number;

	if (!route_key_get(m->key, &number))
		complain("a row has no number");
	else if (m->is_gone)
		routes_unmake(to, number);
	else if (!route_row_get(m->value, &row) ||
		 !routes_make(to, number, &row))
		complain("a row is damaged");
}

static bool
on_row(void *arg, const struct msg_ledger_row *m)
{
	struct routes_keep *k = arg;

	take(&k->read, m);
	return true;
}

static void
on_read(void *arg, enum outcome outcome)
{
	struct routes_keep *k = arg;
	struct routes *r = &k->sv->routes;
	struct route_list old = r->made;

	if (outcome != DONE) {
		routes_done(&k->read);
		loop_timer_set(k->again, AGAIN_MS);
		return;
	}
	r->made = k->read.made;
	r->generation++;
	k->read.made = old;
	routes_done(&k->read);
	k->done(k->done_arg);
}

static void
ask(void *arg)
{
	struct routes_keep *k = arg;

	routes_done(&k->read);
	ledger_read(k->sv->rt, &(struct ledger_read){ .table = LEDGER_ROUTE,
				   .row = on_row,
				   .done = on_read,
				   .arg = k });
}

void
routes_keep_load(struct routes_keep *k, loop_fn done, void *arg)
{
	k->done = done;
	k->done_arg = arg;
	ask(k);
}

bool
routes_keep_changed(struct routes_keep *k, struct str rows)
{
	struct wire w = wire_read(rows);
	struct msg_ledger_row row;

	while (w.in.n > 0) {
		if (!msg_ledger_row_read(&w, &row))
			return false;
		take(&k->sv->routes, &row);
	}
	return true;
}

struct routes_keep *
routes_keep_new(struct server *sv)
{
	struct routes_keep *k = X_NEW(struct routes_keep);

	k->sv = sv;
	k->again = loop_timer_new(sv->loop, ask, k);
	return k;
}
