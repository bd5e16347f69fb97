/* SPDX-License-Identifier: ISC */
/* rows.c - counts for DMARC reports, on their way to the ledger. See rows.h. */
#include "filter/rows.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "base/wire.h"
#include "proc/ledger.h"

#include <sys/queue.h>

#define BUCKETS 4096
/* Room for what is around the rows of one LEDGER_PUT. */
#define PUT_BYTES (LEDGER_PUT_MAX - DMARC_ROW_MAX - KIB(1))

struct row {
	LIST_ENTRY(row) link;
	uint64_t begin;      /* of its period */
	uint64_t count, put; /* messages; those that are in the ledger */
	uint64_t asked;      /* and those that are on their way there */
	uint32_t part;       /* makes its key unique */
	struct str identity; /* owned */
};

struct rows {
	struct server *sv;
	LIST_HEAD(bucket, row) buckets[BUCKETS];
	size_t n;
	uint32_t next_part;
	uint64_t seed; /* of the hash: outsiders choose what is in a row */
	struct loop_timer *timer;
	bool is_timed, is_putting, is_full;
	struct buf out; /* rows of the put that is made */
	unsigned n_out;
	void (*stopped)(void *arg);
	void *stopped_arg;
};

static void on_time(void *arg);

struct rows *
rows_new(struct server *sv)
{
	struct rows *rs = X_NEW(struct rows);

	rs->sv = sv;
	rs->timer = loop_timer_new(sv->loop, on_time, rs);
	rs->out = BUF_INIT(LEDGER_PUT_MAX);
	secret_random(&rs->seed, sizeof(rs->seed));
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&rs->buckets[i]);
	return rs;
}

static void
row_free(struct rows *rs, struct row *r)
{
	LIST_REMOVE(r, link);
	rs->n--;
	str_free(&r->identity);
	free(r);
}

/* Those that are in the ledger as they are need not be known here: should
 * there be more of the kind, they get a row of their own. */
static void
forget_clean(struct rows *rs)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct row *r = LIST_FIRST(&rs->buckets[i]), *next;

		for (; r != NULL; r = next) {
			next = LIST_NEXT(r, link);
			if (r->put == r->count)
				row_free(rs, r);
		}
	}
}

static void
forget_all(struct rows *rs)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (!LIST_EMPTY(&rs->buckets[i]))
			row_free(rs, LIST_FIRST(&rs->buckets[i]));
}

/* --- counting ------------------------------------------------------------------------ */

static void
want_flush(struct rows *rs)
{
	if (rs->is_timed || rs->is_putting)
		return;
	rs->is_timed = true;
	loop_timer_set(rs->timer, ROWS_FLUSH_MS);
}

static struct row *
find(struct rows *rs, uint64_t begin, struct str identity)
{
	uint64_t h = hash64_seed(identity.p, identity.n, rs->seed ^ begin);
	struct bucket *b = &rs->buckets[h % BUCKETS];
	struct row *r;

	LIST_FOREACH(r, b, link)
	if (r->begin == begin && str_eq(r->identity, identity))
		return r;
	if (rs->n == ROWS_MAX)
		forget_clean(rs);
	if (rs->n == ROWS_MAX)
		return NULL;
	r = X_NEW(struct row);
	r->begin = begin;
	r->part = rs->next_part++;
	r->identity = str_copy(identity);
	LIST_INSERT_HEAD(b, r, link);
	rs->n++;
	return r;
}

void
rows_add(struct rows *rs, const struct dmarc_published *published,
    const struct dmarc_report_row *row)
{
	uint64_t now = loop_time(rs->sv->loop);
	uint64_t begin = now - now % rs->sv->conf->report_interval_s;
	struct buf identity = BUF_INIT(DMARC_ROW_MAX);
	struct row *r;

	dmarc_row_put(published, row, &identity);
	r = identity.failed ? NULL : find(rs, begin, buf_str(&identity));
	buf_done(&identity);
	if (r != NULL) {
		r->count++;
		want_flush(rs);
	} else {
		if (!rs->is_full)
			log_event(EV_FILTER_ROWS_FULL, LU("rows", rs->n));
		metric_add(M_FILTER_ROWS_LOST, 1);
	}
	rs->is_full = r == NULL;
}

/* --- to the ledger -------------------------------------------------------------------- */

/* Unique: the life of the supervisor, the process, the row. */
static void
put_key(const struct rows *rs, const struct row *r, struct buf *to)
{
	struct wire w = wire_read(r->identity);
	char part[16];
	struct dmarc_row_key key = { .kind = DMARC_ROW_COUNT,
		.begin = r->begin,
		.part = str_make(part, sizeof(part)) };

	be64_put(part, runtime_life(rs->sv->rt));
	be32_put(part + 8, runtime_worker(rs->sv->rt));
	be32_put(part + 12, r->part);
	(void)wire_get_u8(&w); /* the version; behind it stands the domain */
	key.domain = wire_get_vstr(&w);
	dmarc_row_key_put(&key, to);
}

static void
put_row(struct rows *rs, struct row *r)
{
	struct buf key = BUF_INIT(DMARC_ROW_KEY_MAX);
	struct buf value = BUF_INIT(DMARC_ROW_MAX + 8);
	struct msg_ledger_row m = {
		.until =
		    r->begin + rs->sv->conf->report_interval_s + ROWS_KEEP_S,
	};

	put_key(rs, r, &key);
	buf_put_str(&value, r->identity);
	dmarc_row_put_count(r->count, &value);
	m.key = buf_str(&key);
	m.value = buf_str(&value);
	msg_ledger_row_put(&rs->out, &m);
	r->asked = r->count;
	rs->n_out++;
	buf_done(&key);
	buf_done(&value);
}

/* What was asked for has been put, or not. */
static bool
settle(struct rows *rs, bool is_put)
{
	bool is_dirty = false;
	struct row *r;

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH(r, &rs->buckets[i], link)
		{
			if (r->asked > 0 && is_put)
				r->put = r->asked;
			r->asked = 0;
			is_dirty |= r->put != r->count;
		}
	return is_dirty;
}

static void
on_put(void *arg, struct ipc_msg *m)
{
	struct rows *rs = arg;
	bool is_dirty;

	rs->is_putting = false;
	is_dirty = settle(rs, m->outcome == DONE);
	if (m->outcome == PERMFAIL)
		log_event(EV_FILTER_ROWS_REFUSED,
		    LC("reason", reason_str(ipc_reason(m))));
	/* Nothing is kept longer than it takes to be written. */
	if (m->outcome == PERMFAIL)
		forget_all(rs);
	else if (is_dirty && rs->stopped == NULL)
		want_flush(rs);
	if (rs->stopped != NULL)
		rs->stopped(rs->stopped_arg);
}

/* As many as fit into one request; the rest follows the next time. */
static void
flush(struct rows *rs)
{
	struct row *r;

	buf_reset(&rs->out, 0);
	rs->n_out = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH(r, &rs->buckets[i], link)
	if (r->put != r->count && rs->out.n < PUT_BYTES &&
	    rs->n_out < LEDGER_ROWS_MAX)
		put_row(rs, r);
	if (rs->n_out == 0)
		return;
	rs->is_putting = true;
	ledger_put(rs->sv->rt, LEDGER_DMARC, buf_str(&rs->out), on_put, rs);
	buf_done(&rs->out);
}

static void
on_time(void *arg)
{
	struct rows *rs = arg;

	rs->is_timed = false;
	if (!rs->is_putting)
		flush(rs);
}

void
rows_stop(struct rows *rs, void (*fn)(void *arg), void *arg)
{
	rs->stopped = fn;
	rs->stopped_arg = arg;
	loop_timer_clear(rs->timer);
	if (rs->is_putting)
		return;
	flush(rs);
	if (!rs->is_putting)
		fn(arg);
}
