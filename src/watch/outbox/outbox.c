/* SPDX-License-Identifier: ISC */
/* outbox.c - which messages wait, and whose turn it is. See outbox.h. */
#include "base/log.h"
#include "base/metrics.h"
#include "watch/outbox/outbox_internal.h"

#define AGAIN_MS 1000
#define NEW_MS   2000
#define HURRY_MS 5000 /* all within so long */

/* --- by key ---------------------------------------------------------------------- */

static int
compare(const struct parcel *p, enum ledger_table table, struct str key)
{
	if (p->table != table)
		return p->table < table ? -1 : 1;
	return str_cmp(p->key, key);
}

static size_t
place(const struct outbox *o, enum ledger_table table, struct str key,
    bool *ret_is_there)
{
	size_t low = 0, high = o->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (compare(o->v[mid], table, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_is_there = low < o->n && compare(o->v[low], table, key) == 0;
	return low;
}

static struct parcel *
insert(struct outbox *o, size_t at, enum ledger_table table, struct str key)
{
	struct parcel *p = X_NEW(struct parcel);

	p->table = table;
	p->key = str_copy(key);
	o->n_asked += table == LEDGER_OUTBOX;
	o->v = x_grow(o->v, &o->cap, o->n + 1, sizeof(*o->v));
	memmove(
	    &o->v[at + 1], &o->v[at], (o->n++ - at) * sizeof(struct parcel *));
	o->v[at] = p;
	return p;
}

static void
free_value(struct parcel *p)
{
	/* It may hold the secret of a webhook. */
	if (p->value.n > 0)
		explicit_bzero((void *)(uintptr_t)p->value.p, p->value.n);
	str_free(&p->value);
}

void
outbox_forget(struct outbox *o, struct parcel *p)
{
	bool is_there;
	size_t at = place(o, p->table, p->key, &is_there);

	ASSERT(is_there && !p->is_busy && !p->is_saving);
	outbox_let_go(o, p);
	o->n_dirty -= p->is_dirty;
	o->n_asked -= p->table == LEDGER_OUTBOX;
	memmove(
	    &o->v[at], &o->v[at + 1], (--o->n - at) * sizeof(struct parcel *));
	free_value(p);
	str_free(&p->key);
	free(p);
	o->n_ready = 0; /* it may be among them */
	metric_set(M_WATCH_OUTBOX, o->n);
}

void
outbox_update(
    struct outbox *o, struct parcel *p, const struct status_message *m)
{
	struct buf value = BUF_INIT(KIB(64));

	status_message_encode(m, &value);
	ASSERT(!value.failed);
	free_value(p);
	p->value = str_copy(buf_str(&value));
	buf_done_secret(&value);
	p->purpose = m->purpose;
	p->next_ms = m->next_ms;
	p->version++;
	o->n_dirty += !p->is_dirty;
	p->is_dirty = true;
	/* All that this round brings goes together. */
	outbox_save_soon(o);
}

/* --- whose turn it is ------------------------------------------------------------------ */

/* What is saved first is told once also by who dies here; but nothing waits for
 * a store that may be what is down. */
static bool
is_due(const struct outbox *o, const struct parcel *p, uint64_t now)
{
	if (p->is_new && now < p->next_ms + NEW_MS &&
	    runtime_peer(o->sv->rt, ROLE_STORE) != NULL)
		return false;
	return !p->is_busy && !p->is_over && p->next_ms <= now;
}

/* Alerts before others, then who waits longest. */
static bool
is_before(const struct parcel *a, const struct parcel *b)
{
	if (a->purpose != b->purpose)
		return a->purpose < b->purpose;
	return a->next_ms < b->next_ms;
}

static void
offer(struct outbox *o, struct parcel *p)
{
	size_t at = o->n_ready;

	/* The first is last: it is taken from there. */
	while (at > 0 && is_before(o->ready[at - 1], p))
		at--;
	if (o->n_ready == OUTBOX_READY) {
		if (at == 0)
			return;
		memmove(&o->ready[0], &o->ready[1],
		    (at - 1) * sizeof(struct parcel *));
		o->ready[at - 1] = p;
		return;
	}
	memmove(&o->ready[at + 1], &o->ready[at],
	    (o->n_ready++ - at) * sizeof(struct parcel *));
	o->ready[at] = p;
}

static void
scan(struct outbox *o)
{
	uint64_t now = loop_time_ms(o->sv->loop);

	o->n_ready = 0;
	for (size_t i = 0; i < o->n; i++)
		/* Who may not begin keeps nobody out of the list. */
		if (is_due(o, o->v[i], now) && outbox_has_room(o, o->v[i]))
			offer(o, o->v[i]);
}

/* Did one of those that are ready begin? */
static bool
begin_ready(struct outbox *o)
{
	uint64_t now = loop_time_ms(o->sv->loop);
	bool has_begun = false;

	while (o->n_ready > 0 && o->n_busy < OUTBOX_BUSY_MAX) {
		struct parcel *p = o->ready[--o->n_ready];

		if (!is_due(o, p, now) || !outbox_has_room(o, p))
			continue;
		outbox_send(o, p);
		has_begun = true;
	}
	return has_begun;
}

static void
fill(void *arg)
{
	struct outbox *o = arg;

	o->is_filling = false;
	if (o->sv->is_stopping)
		return;
	/* The list may have been full of those that now have no room. */
	do {
		if (o->n_ready == 0)
			scan(o);
	} while (begin_ready(o) && o->n_busy < OUTBOX_BUSY_MAX);
}

void
outbox_fill(struct outbox *o)
{
	if (o->is_filling)
		return;
	o->is_filling = true;
	loop_defer(o->sv->loop, fill, o);
}

void
outbox_tick(struct outbox *o)
{
	for (size_t i = o->n; i-- > 0;)
		if (o->v[i]->is_over && !o->v[i]->is_busy && !o->v[i]->is_dirty)
			outbox_forget(o, o->v[i]);
	outbox_save(o);
	if (outbox_wants_rows(o))
		outbox_load(o);
	o->n_ready = 0;
	outbox_fill(o);
}

void
outbox_hurry(struct outbox *o)
{
	uint64_t now = loop_time_ms(o->sv->loop);

	for (size_t i = 0; i < o->n; i++)
		if (o->v[i]->next_ms != UINT64_MAX)
			o->v[i]->next_ms = MIN(
			    o->v[i]->next_ms, now + server_random(HURRY_MS));
}

/* --- rows ---------------------------------------------------------------------------------- */

/* For a purpose that its table has not: who may write there, must not. */
static bool
is_allowed(enum ledger_table table, const struct status_message *m)
{
	bool is_own =
	    m->purpose == STATUS_FOR_ALERT || m->purpose == STATUS_FOR_NEWS;

	return is_own == (table == LEDGER_TOLD);
}

/* NULL: there is no room. */
static struct parcel *
take_new(struct outbox *o, size_t at, enum ledger_table table,
    const struct msg_ledger_row *row, const struct status_message *m)
{
	struct parcel *p;

	if (!outbox_can_hold(o, table)) {
		outbox_leave_row(o, table);
		return NULL;
	}
	p = insert(o, at, table, row->key);
	p->purpose = m->purpose;
	p->next_ms = m->next_ms;
	p->domain = outbox_limit_domain(o->limit, m);
	if (m->purpose == STATUS_FOR_ALERT)
		p->value = str_copy(row->value);
	metric_set(M_WATCH_OUTBOX, o->n);
	outbox_fill(o);
	return p;
}

/* Who was here before us began it, whatever came of it. */
static bool
count_old(struct outbox *o, const struct status_message *m)
{
	uint64_t now = loop_time(o->sv->loop);

	if (m->n_attempts == 0 ||
	    outbox_limit_ask(o->limit, m, now) != OUTBOX_LIMIT_OK)
		return false;
	return outbox_limit_count(
	    o->limit, m, m->attempts[0].at_ms / 1000, now);
}

static void
take_row(
    struct outbox *o, enum ledger_table table, const struct msg_ledger_row *row)
{
	struct status_message m;
	bool is_there;
	size_t at = place(o, table, row->key, &is_there);
	struct parcel *p = is_there ? o->v[at] : NULL;
	bool is_counted = false;

	/* What we know is newer. */
	if (p != NULL && (p->is_busy || p->is_dirty || p->is_saving))
		return;
	if (row->is_gone) {
		if (p != NULL)
			outbox_forget(o, p);
		return;
	}
	if (!status_message_decode(row->value, &m) || !is_allowed(table, &m)) {
		log_event(EV_WATCH_OUTBOX_BAD, LS("key", row->key));
		return;
	}
	if (table == LEDGER_OUTBOX && p == NULL && !o->is_loaded)
		is_counted = count_old(o, &m);
	if (m.progress != STATUS_WAITING)
		return;
	if (p != NULL)
		p->next_ms = m.next_ms;
	else if ((p = take_new(o, at, table, row, &m)) != NULL)
		p->is_counted = is_counted;
}

bool
outbox_changed(struct outbox *o, const struct msg_ledger_changed *c)
{
	struct wire w = wire_read(c->rows);
	struct msg_ledger_row row;

	while (msg_ledger_row_read(&w, &row))
		take_row(o, LEDGER_OUTBOX, &row);
	return !w.failed;
}

/* --- reading -------------------------------------------------------------------------------- */

static bool
on_told(void *arg, const struct msg_ledger_row *row)
{
	take_row(arg, LEDGER_TOLD, row);
	return true;
}

static bool
on_outbox(void *arg, const struct msg_ledger_row *row)
{
	take_row(arg, LEDGER_OUTBOX, row);
	return true;
}

static void
on_again(void *arg)
{
	struct outbox *o = arg;

	if (runtime_peer(o->sv->rt, ROLE_STORE) != NULL)
		outbox_load(o);
}

static void
on_read(void *arg, enum outcome outcome)
{
	struct outbox *o = arg;

	o->has_failed |= outcome != DONE;
	if (--o->loading > 0)
		return;
	if (!o->has_failed)
		o->is_loaded = true;
	else if (!o->sv->is_stopping)
		loop_timer_set(o->again, AGAIN_MS);
}

void
outbox_load(struct outbox *o)
{
	const struct ledger_read reads[] = {
		{ .table = LEDGER_TOLD,
		    .prefix = STR(STATUS_TOLD_MESSAGE),
		    .row = on_told,
		    .done = on_read,
		    .arg = o },
		{ .table = LEDGER_OUTBOX,
		    .row = on_outbox,
		    .done = on_read,
		    .arg = o },
	};

	if (o->loading > 0)
		return;
	o->has_failed = o->has_more = o->has_more_asked = false;
	o->loading = ARRAY_LEN(reads);
	for (size_t i = 0; i < ARRAY_LEN(reads); i++)
		ledger_read(o->sv->rt, &reads[i]);
}

/* --- from inside ------------------------------------------------------------------------------- */

struct outbox *
outbox_new(struct server *sv)
{
	struct outbox *o = X_NEW(struct outbox);

	o->sv = sv;
	o->limit = outbox_limit_new(sv->suffixes);
	o->again = loop_timer_new(sv->loop, on_again, o);
	return o;
}

void
outbox_add(struct outbox *o, struct str key, const struct status_message *m)
{
	struct buf whole = BUF_INIT(LEDGER_KEY_MAX);
	bool is_there;
	size_t at;

	buf_put_c(&whole, STATUS_TOLD_MESSAGE);
	buf_put_str(&whole, key);
	ASSERT(!whole.failed);
	at = place(o, LEDGER_TOLD, buf_str(&whole), &is_there);
	if (!is_there) {
		struct parcel *p = insert(o, at, LEDGER_TOLD, buf_str(&whole));

		p->is_new = true;
		outbox_update(o, p, m);
	}
	buf_done(&whole);
	metric_set(M_WATCH_OUTBOX, o->n);
	o->n_ready = 0;
	outbox_fill(o);
}

bool
outbox_is_saved(const struct outbox *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->v[i]->is_dirty && o->v[i]->table == LEDGER_TOLD)
			return false;
	return true;
}

bool
outbox_is_idle(const struct outbox *o)
{
	return o->n_busy == 0 && o->n_dirty == 0;
}

bool
outbox_is_loaded(const struct outbox *o)
{
	return o->is_loaded;
}

size_t
outbox_waiting(const struct outbox *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += o->v[i]->table == LEDGER_TOLD && !o->v[i]->is_over;
	return n;
}
