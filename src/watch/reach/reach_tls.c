/* SPDX-License-Identifier: ISC */
/*
 * reach_tls.c - handshakes by port, version, outcome and alert, of all networks
 * or of one: an answer to the command line.
 */
#include "watch/reach/reach_internal.h"

#define REPLY_MAX KIB(800)
#define ROWS_MAX  1000

struct rows {
	struct msg_reach_tls_row *v;
	size_t n, cap;
};

static bool
is_same(const struct msg_reach_tls_row *a, const struct msg_reach_tls_row *b)
{
	return a->service == b->service && a->port == b->port &&
	       a->family == b->family && a->tls == b->tls && a->how == b->how &&
	       a->alert == b->alert;
}

/* One network more of this kind, with n handshakes. */
static void
add(struct rows *rows, struct msg_reach_tls_row row, uint64_t n)
{
	size_t i = 0;

	if (n == 0)
		return;
	while (i < rows->n && !is_same(&rows->v[i], &row))
		i++;
	if (i == ROWS_MAX)
		return;
	if (i == rows->n) {
		rows->v = x_grow(rows->v, &rows->cap, i + 1, sizeof(*rows->v));
		rows->v[rows->n++] = row;
	}
	rows->v[i].n += n;
	rows->v[i].networks++;
}

static uint8_t
how_of(const struct reach_alert *a)
{
	if (a->alert == 0)
		return REACH_TLS_BROKE_OFF;
	return a->is_ours ? REACH_TLS_BY_US : REACH_TLS_BY_CLIENT;
}

static void
add_cell(struct rows *rows, const struct reach_cell *c)
{
	struct msg_reach_tls_row row = { .service = c->key.service,
		.port = c->key.port,
		.family = c->key.family,
		.how = REACH_TLS_DONE };
	uint32_t done = c->counts[REACH_N_TLS];
	uint32_t new = MIN(c->counts[REACH_N_TLS_13], done);

	row.tls = REACH_TLS_13;
	add(rows, row, new);
	row.tls = REACH_TLS_12;
	add(rows, row, done - new);
	for (size_t i = 0; i < REACH_ALERT_KINDS; i++) {
		const struct reach_alert *a = &c->alerts[i];

		row.tls = a->tls;
		row.how = how_of(a);
		row.alert = a->alert;
		add(rows, row, a->n);
	}
}

bool
reach_tls_request(struct reach *r, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(REPLY_MAX);
	struct rows rows = { 0 };
	struct reach_filter f;
	struct msg_reach_list q;
	struct reach_sum *sum;

	if (!reach_query_read(m->body, &q, &f))
		return false;
	sum = X_NEW(struct reach_sum);
	reach_sum_up(r, &f, q.from / REACH_INTERVAL_S,
	    (q.to + REACH_INTERVAL_S - 1) / REACH_INTERVAL_S, sum);
	for (size_t i = 0; i < sum->table.n; i++)
		add_cell(&rows, &sum->table.entries[i].cell);
	for (size_t i = 0; i < rows.n; i++)
		msg_reach_tls_row_put(&items, &rows.v[i]);
	reach_answer_items(p, m, &items);
	reach_table_done(&sum->table);
	free(sum);
	free(rows.v);
	return true;
}
