/* SPDX-License-Identifier: ISC */
/*
 * breakers_keep.c - breakers in the ledger, and what the operator changes
 * there. See breakers.h.
 */
#include "send/route/breakers_internal.h"

#define FLUSH_MS 2000
#define AGAIN_MS 500
#define ROW_MAX  KIB(16)

/* --- writing ------------------------------------------------------------------------ */

struct put {
	struct breakers *bs;
	struct str key;
	bool is_gone;
};

static struct breaker_item *
find_key(struct breakers *bs, struct str key)
{
	struct table_item *t = table_find(&bs->table, key);

	return t != NULL ? CONTAINER_OF(t, struct breaker_item, item) : NULL;
}

static void
on_put(void *arg, struct ipc_msg *m)
{
	struct put *p = arg;
	struct breaker_item *b = find_key(p->bs, p->key);

	if (m->outcome != DONE) {
		if (ipc_reason(m) != REASON_GONE)
			log_event(EV_SEND_STORE, LC("what", "breaker"),
			    LC("reason", reason_str(ipc_reason(m))));
		if (b != NULL)
			b->is_dirty = true;
		if (b != NULL && p->is_gone && b->n_gone > 0)
			b->n_gone--;
	}
	str_free(&p->key);
	free(p);
}

static void
send_row(struct breaker_item *b, struct str value, bool is_gone)
{
	struct msg_ledger_row row = {
		.key = b->key, .is_gone = is_gone, .value = value
	};
	struct buf rows = BUF_INIT(ROW_MAX);
	struct put *p = X_NEW(struct put);

	*p = (struct put){ b->bs, str_copy(b->key), is_gone };
	msg_ledger_row_put(&rows, &row);
	b->is_dirty = false;
	b->n_gone += is_gone;
	ledger_put(b->bs->sv->rt, LEDGER_BREAKER, buf_str(&rows), on_put, p);
	buf_done(&rows);
}

void
breaker_item_write(struct breaker_item *b)
{
	struct breaker_row row = {
		.writer = BREAKER_BY_SEND,
		.scope = str_c(b->scope),
		.source = str_c(b->source),
		.is_forced = b->state.is_forced,
		.since_ms = b->state.since_ms,
		.next_ms = b->state.next_ms,
		.pause_ms = b->state.pause_ms,
		.messages = b->messages,
		.accounts = b->accounts,
		.n_accounts = b->n_accounts,
		.has_more_accounts = b->has_more_accounts,
		.own_ip = str_c(b->own_ip),
		.mx = str_c(b->mx),
		.mx_ip = str_c(b->mx_ip),
		.domain = str_c(b->domain),
		.reply = str_c(b->reply),
		.rule = str_c(b->rule),
		.link = str_c(b->link),
		.code = b->code,
		.instead = str_c(b->instead),
		.why = str_c(b->why),
	};
	struct buf value = BUF_INIT(ROW_MAX);

	if (!b->state.is_open)
		return;
	breaker_row_put(&value, &row);
	send_row(b, buf_str(&value), false);
	buf_done(&value);
}

void
breaker_item_gone(struct breaker_item *b)
{
	send_row(b, STR_NONE, true);
}

static void
flush(void *arg)
{
	struct breakers *bs = arg;

	for (size_t i = 0; i < bs->table.cap; i++)
		for (struct table_item *t = bs->table.slots[i]; t != NULL;
		     t = t->next) {
			struct breaker_item *b =
			    CONTAINER_OF(t, struct breaker_item, item);

			if (b->is_dirty && b->state.is_open)
				breaker_item_write(b);
			else if (b->is_dirty)
				breaker_item_gone(b);
		}
	loop_timer_set(bs->flush, FLUSH_MS);
}

/* --- reading ---------------------------------------------------------------------------- */

static void
set(char **to, struct str s)
{
	free(*to);
	*to = str_dup(s);
}

static void
take_row(struct breaker_item *b, const struct breaker_row *row)
{
	b->state = (struct breaker){ .is_open = true,
		.is_forced = row->is_forced,
		.since_ms = row->since_ms,
		.pause_ms = row->pause_ms,
		/* A canary that was under way is lost. */
		.next_ms = row->next_ms };
	b->messages = row->messages;
	b->n_accounts = row->n_accounts;
	b->has_more_accounts = row->has_more_accounts;
	memcpy(
	    b->accounts, row->accounts, row->n_accounts * sizeof(*b->accounts));
	b->code = row->code;
	set(&b->own_ip, row->own_ip);
	set(&b->mx, row->mx);
	set(&b->mx_ip, row->mx_ip);
	set(&b->domain, row->domain);
	set(&b->reply, row->reply);
	set(&b->rule, row->rule);
	set(&b->link, row->link);
	set(&b->instead, row->instead);
	set(&b->why, row->why);
}

/* The operator opens it. */
static void
force(struct breaker_item *b)
{
	breaker_force(&b->state, loop_time_ms(b->bs->sv->loop));
	breaker_item_log(b, EV_SEND_BREAKER_OPEN);
	breaker_item_write(b);
	breaker_item_move_mail(b);
}

static void
take(struct breakers *bs, const struct msg_ledger_row *m)
{
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	struct breaker_row row;
	struct breaker_item *b;

	if (!breaker_row_get(m->value, accounts, &row)) {
		log_event(EV_SEND_STORE, LC("what", "breaker"),
		    LC("reason", "a row is damaged"));
		return;
	}
	b = breakers_get(bs, row.scope, row.source);
	if (b == NULL)
		return;
	if (row.writer == BREAKER_BY_OPERATOR)
		force(b);
	else if (!bs->is_loaded)
		take_row(b, &row);
	else if (!b->state.is_open)
		b->is_dirty = true; /* it was closed meanwhile */
}

static bool
on_row(void *arg, const struct msg_ledger_row *m)
{
	take(arg, m);
	return true;
}

static void ask(void *arg);

static void
on_read(void *arg, enum outcome outcome)
{
	struct breakers *bs = arg;

	if (outcome != DONE) {
		loop_timer_set(bs->again, AGAIN_MS);
		return;
	}
	breakers_show(bs);
	bs->is_loaded = true;
	bs->done(bs->done_arg);
}

static void
ask(void *arg)
{
	struct breakers *bs = arg;

	ledger_read(bs->sv->rt, &(struct ledger_read){ .table = LEDGER_BREAKER,
				    .row = on_row,
				    .done = on_read,
				    .arg = bs });
}

void
breakers_load(struct breakers *bs, loop_fn done, void *arg)
{
	bs->done = done;
	bs->done_arg = arg;
	ask(bs);
}

/* --- changes ------------------------------------------------------------------------------ */

static void
take_gone(struct breakers *bs, struct str key)
{
	struct breaker_item *b = find_key(bs, key);

	if (b == NULL)
		return;
	if (b->n_gone > 0)
		b->n_gone--;
	else if (b->state.is_open)
		breaker_item_close(b);
}

bool
breakers_changed(struct breakers *bs, struct str rows)
{
	struct wire w = wire_read(rows);
	struct msg_ledger_row row;
	uint64_t accounts[BREAKER_ACCOUNTS_MAX];
	struct breaker_row content;

	while (w.in.n > 0) {
		if (!msg_ledger_row_read(&w, &row))
			return false;
		if (row.is_gone)
			take_gone(bs, row.key);
		else if (breaker_row_get(row.value, accounts, &content) &&
			 content.writer == BREAKER_BY_OPERATOR)
			take(bs, &row);
	}
	breakers_show(bs);
	return true;
}

void
breakers_keep(struct breakers *bs)
{
	bs->again = loop_timer_new(bs->sv->loop, ask, bs);
	bs->flush = loop_timer_new(bs->sv->loop, flush, bs);
	loop_timer_set(bs->flush, FLUSH_MS);
}
