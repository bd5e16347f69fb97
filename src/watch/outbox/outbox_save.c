/* SPDX-License-Identifier: ISC */
/*
 * outbox_save.c - what became of messages, into the ledger.
 *
 * What was told about checks goes with the messages about it, in the same put: so
 * there is never one without the others.
 */
#include "base/log.h"
#include "watch/alert/alert.h"
#include "watch/news/news.h"
#include "watch/outbox/outbox_internal.h"

#define BATCH_MAX   64
#define BATCH_BYTES KIB(400) /* what was told comes behind it */

struct batch {
	struct outbox *o;
	bool has_told;
	size_t n;
	struct {
		struct parcel *p;
		uint32_t version;
	} v[BATCH_MAX];
};

static void
on_saved(void *arg, struct ipc_msg *m)
{
	struct batch *b = arg;
	struct outbox *o = b->o;

	o->is_saving = false;
	if (b->has_told)
		alert_saved(o->sv, m->outcome == DONE);
	for (size_t i = 0; i < b->n; i++) {
		struct parcel *p = b->v[i].p;

		p->is_saving = false;
		if (m->outcome != DONE || p->version != b->v[i].version)
			continue;
		p->is_dirty = p->is_new = false;
		o->n_dirty--;
		outbox_let_go(o, p);
		if (p->is_over)
			outbox_forget(o, p);
		else if (p->purpose != STATUS_FOR_ALERT && !p->is_busy)
			str_free(&p->value);
	}
	if (m->outcome != DONE && runtime_peer(o->sv->rt, ROLE_STORE) != NULL)
		log_event(EV_WATCH_OUTBOX_STORE,
		    LC("why", reason_str(ipc_reason(m))));
	/* A failure waits for the next tick. */
	if (m->outcome == DONE) {
		outbox_save(o);
		outbox_fill(o);
		news_saved(o->sv->news);
	}
	free(b);
}

static void
put_row(struct outbox *o, const struct parcel *p, struct buf *rows)
{
	uint64_t now = loop_time(o->sv->loop);
	const struct msg_ledger_row row = { .key = p->key,
		.value = p->value,
		.until = p->is_over ? now + OUTBOX_LOG_S : 0 };

	msg_ledger_row_put(rows, &row);
}

/* False: some are left for the next put. */
static bool
gather(struct outbox *o, enum ledger_table table, struct batch *b,
    struct buf *rows)
{
	for (size_t i = 0; i < o->n; i++) {
		struct parcel *p = o->v[i];

		if (!p->is_dirty || p->table != table)
			continue;
		if (b->n == BATCH_MAX || rows->n + p->value.n > BATCH_BYTES)
			return false;
		put_row(o, p, rows);
		p->is_saving = true;
		b->v[b->n].p = p;
		b->v[b->n++].version = p->version;
	}
	return true;
}

void
outbox_save(struct outbox *o)
{
	static const enum ledger_table tables[] = { LEDGER_TOLD,
		LEDGER_OUTBOX };
	struct buf rows = BUF_INIT(LEDGER_PUT_MAX);
	struct batch *b;

	if (o->is_saving || runtime_peer(o->sv->rt, ROLE_STORE) == NULL)
		return;
	b = X_NEW(struct batch);
	b->o = o;
	for (size_t i = 0; i < ARRAY_LEN(tables) && rows.n == 0; i++) {
		bool is_all = gather(o, tables[i], b, &rows);

		if (is_all && tables[i] == LEDGER_TOLD)
			b->has_told = alert_put_rows(o->sv, &rows);
		if (rows.n == 0)
			continue;
		o->is_saving = true;
		ledger_put(o->sv->rt, tables[i], buf_str(&rows), on_saved, b);
	}
	if (rows.n == 0)
		free(b);
	buf_done(&rows);
}

static void
save(void *arg)
{
	struct outbox *o = arg;

	o->will_save = false;
	outbox_save(o);
}

void
outbox_save_soon(struct outbox *o)
{
	if (o->will_save)
		return;
	o->will_save = true;
	loop_defer(o->sv->loop, save, o);
}
