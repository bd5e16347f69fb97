/* SPDX-License-Identifier: ISC */
/* outbox_rows.c - messages to people, as lists. See outbox_rows.h. */
#include "cli/outbox_rows.h"

static void
take(void *arg, const struct msg_ledger_row *row)
{
	struct outbox_rows *rows = arg;
	struct outbox_row *r;

	rows->v = x_grow(rows->v, &rows->cap, rows->n + 1, sizeof(*rows->v));
	r = &rows->v[rows->n];
	*r = (struct outbox_row){ .table = rows->table,
		.value = BUF_INIT(KIB(64)) };
	buf_put_str(&r->value, row->value);
	if (!status_message_decode(buf_str(&r->value), &r->m)) {
		buf_done(&r->value);
		return;
	}
	r->key = str_copy(row->key);
	rows->n++;
}

static int
by_time(const void *a, const void *b)
{
	const struct outbox_row *x = a, *y = b;

	return (x->m.made_ms > y->m.made_ms) - (x->m.made_ms < y->m.made_ms);
}

int
outbox_rows_read(struct admin *a, struct outbox_rows *ret)
{
	const struct ledger_rows told = { LEDGER_TOLD, STR(STATUS_TOLD_MESSAGE),
		"messages" };
	const struct ledger_rows outbox = { LEDGER_OUTBOX, STR_NONE,
		"messages" };
	int r;

	*ret = (struct outbox_rows){ .table = LEDGER_TOLD };
	r = ledger_rows_each(a, &told, take, ret);
	ret->table = LEDGER_OUTBOX;
	if (r == ADMIN_OK)
		r = ledger_rows_each(a, &outbox, take, ret);
	if (ret->n > 0)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_time);
	return r;
}

void
outbox_rows_done(struct outbox_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		buf_done_secret(&rows->v[i].value);
		str_free(&rows->v[i].key);
	}
	free(rows->v);
	*rows = (struct outbox_rows){ 0 };
}

void
outbox_row_put_to(struct output *o, const struct status_message *m)
{
	struct buf to = BUF_INIT(KIB(2));
	struct status_url u;

	if (m->channel == STATUS_BY_MAIL) {
		output_put_text(o, m->to);
		return;
	}
	u = status_url_parts(m->to);
	buf_printf(
	    &to, "%s://%.*s", u.is_https ? "https" : "http", STR_ARG(u.host));
	output_put_text(o, buf_str(&to));
	buf_done(&to);
}

/* --- lists ----------------------------------------------------------------------- */

static const char *
result_name(enum outcome o)
{
	if (o == DONE)
		return "taken";
	return o == PERMFAIL || o == NOT_FOUND ? "refused" : "later";
}

static const struct output_field attempt_fields[] = {
	{ "time", "TIME", OUTPUT_TIME },
	{ "kind", "KIND", OUTPUT_TEXT },
	{ "about", "ABOUT", OUTPUT_WORD },
	{ "to", "TO", OUTPUT_TEXT },
	{ "by", "BY", OUTPUT_WORD },
	{ "result", "RESULT", OUTPUT_TEXT },
	{ "reply", "REPLY", OUTPUT_TEXT },
};

struct line {
	const struct status_message *m;
	const struct status_attempt *a;
};

static int
by_attempt(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->a->at_ms > y->a->at_ms) - (x->a->at_ms < y->a->at_ms);
}

static void
put_attempt(struct output *o, const struct line *l)
{
	output_put_number(o, l->a->at_ms / 1000);
	output_put_text(o, str_c(status_purpose_name(l->m->purpose)));
	output_put_text(o, l->m->about);
	outbox_row_put_to(o, l->m);
	output_put_text(o, l->a->by);
	output_put_text(o, str_c(result_name(l->a->outcome)));
	output_put_text(o, l->a->said);
}

int
outbox_print_attempts(struct admin *a)
{
	struct output *o =
	    output_new("attempts", attempt_fields, ARRAY_LEN(attempt_fields));
	struct line *lines = NULL;
	size_t n = 0, cap = 0;
	struct outbox_rows rows;
	int r = outbox_rows_read(a, &rows);

	for (size_t i = 0; i < rows.n; i++)
		for (size_t k = 0; k < rows.v[i].m.n_attempts; k++) {
			lines = x_grow(lines, &cap, n + 1, sizeof(*lines));
			lines[n++] = (struct line){ &rows.v[i].m,
				&rows.v[i].m.attempts[k] };
		}
	if (n > 0)
		qsort(lines, n, sizeof(*lines), by_attempt);
	for (size_t i = 0; i < n; i++)
		put_attempt(o, &lines[i]);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	free(lines);
	outbox_rows_done(&rows);
	return r;
}

static const struct output_field message_fields[] = {
	{ "made", "MADE", OUTPUT_TIME },
	{ "kind", "KIND", OUTPUT_TEXT },
	{ "about", "ABOUT", OUTPUT_WORD },
	{ "to", "TO", OUTPUT_TEXT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "trying", "WITH", OUTPUT_WORD },
	{ "trying_since", "SINCE", OUTPUT_TIME },
	{ "tries", "TRIES", OUTPUT_COUNT },
	{ "next", "NEXT", OUTPUT_TIME },
	{ "expires", "EXPIRES", OUTPUT_TIME },
	{ "subject", "SUBJECT", OUTPUT_WORD },
	{ "reply", "LAST REPLY", OUTPUT_TEXT },
};

/* What role watch says of it; false: it is not on its way now. */
static bool
find_trying(const struct outbox_row *row, struct str trying,
    struct msg_watch_trying *ret)
{
	struct wire w = wire_read(trying);

	while (msg_watch_trying_read(&w, ret))
		if (ret->table == (uint8_t)row->table &&
		    str_eq(ret->key, row->key))
			return true;
	*ret = (struct msg_watch_trying){ .by = STR_NONE };
	return false;
}

static void
put_message(struct output *o, const struct outbox_row *row, struct str trying)
{
	const struct status_message *m = &row->m;
	bool is_waiting = m->progress == STATUS_WAITING;
	struct msg_watch_trying now;
	bool is_tried = is_waiting && find_trying(row, trying, &now);

	output_put_number(o, m->made_ms / 1000);
	output_put_text(o, str_c(status_purpose_name(m->purpose)));
	output_put_text(o, m->about);
	outbox_row_put_to(o, m);
	output_put_text(o, str_c(status_progress_name(m->progress)));
	if (is_tried)
		output_show(o, STR("being tried"));
	output_put_text(o, is_tried ? now.by : STR_NONE);
	output_put_number(o, is_tried ? now.since_ms / 1000 : 0);
	output_put_number(o, m->tries);
	output_put_number(o, is_waiting ? m->next_ms / 1000 : 0);
	output_put_number(o, is_waiting ? m->expires_ms / 1000 : 0);
	output_put_text(o, m->subject);
	output_put_text(o,
	    m->n_attempts > 0 ? m->attempts[m->n_attempts - 1].said : STR_NONE);
}

int
outbox_print_messages(struct admin *a, bool is_waiting)
{
	struct output *o =
	    output_new("messages", message_fields, ARRAY_LEN(message_fields));
	struct buf reply = BUF_INIT(KIB(64));
	struct msg_list_reply now = { .items = STR_NONE };
	struct outbox_rows rows;
	int r = outbox_rows_read(a, &rows);

	/* Without an answer nothing is known to be on its way. */
	if (admin_try_role(a, ROLE_WATCH,
		&(struct admin_call){ .type = MSG_WATCH_OUTBOX, .fd = -1 },
		ADMIN_AT_ONCE_MS, &reply) &&
	    !msg_list_reply_get(buf_str(&reply), &now))
		now.items = STR_NONE;
	for (size_t i = 0; i < rows.n; i++)
		if (!is_waiting || rows.v[i].m.progress == STATUS_WAITING)
			put_message(o, &rows.v[i], now.items);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	buf_done(&reply);
	outbox_rows_done(&rows);
	return r;
}
