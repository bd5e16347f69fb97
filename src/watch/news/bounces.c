/* SPDX-License-Identifier: ISC */
/*
 * bounces.c - what comes back of news. See bounces.h.
 *
 *	row, or refusal -> WAITING -> (all subscribers) -> put, and the row ends
 */
#include "watch/news/bounces.h"

#include "base/log.h"
#include "base/secret.h"
#include "proc/ledger.h"
#include "proto/reply/reply.h"
#include "proto/status/status_bounce.h"
#include "watch/outbox/author.h"

#define WAITING_MAX 500
#define KEY_ROW     "k/bounce" /* of table TOLD */
#define ASK_MS      60000

struct bounce {
	struct str
	    row_key; /* of table BOUNCE; owned; empty: it was refused at once */
	struct str said; /* owned */
	unsigned char id[STATUS_BOUNCE_ID];
	bool is_confirm;
	/* Of the subscriber, when it was found; owned. */
	struct str to, row;
};

struct bounces {
	struct server *sv;
	struct reply_table *replies;
	unsigned char key[STATUS_BOUNCE_KEY];
	bool has_key, has_more, is_reading;
	struct bounce v[WAITING_MAX];
	size_t n;
	size_t n_read; /* those that the subscribers are read for */
	char *domain;  /* of what we asked for last */
	bool is_ours, is_asking;
	uint64_t ask_ms; /* server_now_ms() */
};

struct bounces *
bounces_new(struct server *sv)
{
	struct bounces *b = X_NEW(struct bounces);

	b->sv = sv;
	b->replies = reply_table_new();
	b->domain = x_strdup("");
	return b;
}

/* --- what it means ------------------------------------------------------------------ */

bool
bounces_is_dead(const struct bounces *b, struct str said)
{
	struct reply_input in = { .stage = REPLY_AT_RCPT };
	struct str code, text = str_split(said, ' ', &code);
	enum reply_class class;
	uint32_t n;

	if (code.n != 3 || !str_to_u32(code, 599, &n) || n < 500)
		return false;
	in.code = (int)n;
	in.text = text;
	class = reply_classify(b->replies, &in).class;
	return class == REPLY_UNKNOWN_USER || class == REPLY_DISABLED;
}

static struct str
str_key(const struct bounces *b)
{
	return str_make(b->key, sizeof(b->key));
}

/* --- what waits ---------------------------------------------------------------------- */

static void
drop(struct bounce *e)
{
	str_free(&e->row_key);
	str_free(&e->said);
	str_free(&e->to);
	str_free(&e->row);
}

/* NULL: no room, later. */
static struct bounce *
add(struct bounces *b, const unsigned char *id, bool is_confirm,
    struct str said)
{
	struct bounce *e = &b->v[b->n];

	if (b->n == WAITING_MAX)
		return NULL;
	b->n++;
	*e = (struct bounce){ .said = str_copy(str_first(said, STATUS_WHY_MAX)),
		.is_confirm = is_confirm };
	memcpy(e->id, id, sizeof(e->id));
	return e;
}

void
bounces_refused(
    struct bounces *b, const struct status_message *m, struct str said)
{
	unsigned char id[STATUS_BOUNCE_ID];

	if (!author_is_for_readers(m->purpose) || !b->has_key)
		return;
	status_bounce_id(str_key(b), m->to, id);
	(void)add(b, id, m->purpose == STATUS_FOR_CONFIRM, said);
}

static void
end_row(struct bounces *b, struct str key)
{
	struct buf rows = BUF_INIT(KIB(1));

	msg_ledger_row_put(
	    &rows, &(struct msg_ledger_row){ .key = key, .is_gone = 1 });
	ledger_put(b->sv->rt, LEDGER_BOUNCE, buf_str(&rows), NULL, NULL);
	buf_done(&rows);
}

/* False: there is no room. */
static bool
take_row(struct bounces *b, const struct msg_ledger_row *row)
{
	struct status_bounce_tag tag;
	struct bounce *e;
	struct str said;

	if (row->is_gone)
		return true;
	for (size_t i = 0; i < b->n; i++)
		if (str_eq(b->v[i].row_key, row->key))
			return true;
	/* What we did not make, and what may be well tomorrow, is not counted. */
	if (!status_bounce_read_tag(str_key(b), row->key, &tag) ||
	    !status_bounce_read_row(row->value, &said) ||
	    !bounces_is_dead(b, said)) {
		end_row(b, row->key);
		return true;
	}
	e = add(b, tag.id, tag.post == 0, said);
	if (e != NULL)
		e->row_key = str_copy(row->key);
	return e != NULL;
}

bool
bounces_changed(struct bounces *b, const struct msg_ledger_changed *c)
{
	struct wire w = wire_read(c->rows);
	struct msg_ledger_row row;

	while (msg_ledger_row_read(&w, &row))
		b->has_more |= !b->has_key || !take_row(b, &row);
	return !w.failed;
}

/* --- the key, and the rows that are there --------------------------------------------- */

static bool
on_bounce_row(void *arg, const struct msg_ledger_row *row)
{
	struct bounces *b = arg;

	b->has_more |= !take_row(b, row);
	return true;
}

static void
on_bounce_rows(void *arg, enum outcome outcome)
{
	struct bounces *b = arg;

	b->is_reading = false;
	b->has_more |= outcome != DONE;
}

static void
read_rows(struct bounces *b)
{
	b->is_reading = true;
	b->has_more = false;
	ledger_read(b->sv->rt, &(struct ledger_read){ .table = LEDGER_BOUNCE,
				   .row = on_bounce_row,
				   .done = on_bounce_rows,
				   .arg = b });
}

static bool
on_key_row(void *arg, const struct msg_ledger_row *row)
{
	struct bounces *b = arg;

	if (str_eq(row->key, STR(KEY_ROW)) && row->value.n == sizeof(b->key)) {
		memcpy(b->key, row->value.p, sizeof(b->key));
		b->has_key = true;
	}
	return true;
}

static void
on_key_put(void *arg, struct ipc_msg *m)
{
	struct bounces *b = arg;

	b->has_key = m->outcome == DONE;
	b->is_reading = false;
	b->has_more = true;
}

static void
on_key_rows(void *arg, enum outcome outcome)
{
	struct bounces *b = arg;
	struct buf rows = BUF_INIT(KIB(1));

	b->is_reading = false;
	if (outcome != DONE || b->has_key) {
		b->has_more = true;
		return;
	}
	b->is_reading = true;
	secret_random(b->key, sizeof(b->key));
	msg_ledger_row_put(&rows, &(struct msg_ledger_row){ .key = STR(KEY_ROW),
				      .value = str_key(b) });
	ledger_put(b->sv->rt, LEDGER_TOLD, buf_str(&rows), on_key_put, b);
	buf_done_secret(&rows);
}

void
bounces_load(struct bounces *b)
{
	b->has_more = true;
}

static void
read_what_is_there(struct bounces *b)
{
	if (b->has_key) {
		read_rows(b);
		return;
	}
	b->is_reading = true;
	b->has_more = false;
	ledger_read(b->sv->rt, &(struct ledger_read){ .table = LEDGER_TOLD,
				   .prefix = STR(KEY_ROW),
				   .row = on_key_row,
				   .done = on_key_rows,
				   .arg = b });
}

/* --- counting --------------------------------------------------------------------------- */

static void
log_it(const struct bounce *e, const char *state, uint32_t bounces)
{
	log_event(EV_WATCH_BOUNCE, LS("to", e->to), LC("subscriber", state),
	    LU("bounces", bounces), LS("said", e->said));
}

/* What the row is now: the new value, or gone. False: as it was. */
static bool
judge(struct bounces *b, const struct bounce *e, struct msg_ledger_row *row,
    struct buf *value)
{
	struct status_subscriber s;

	if (e->row.n == 0 || !status_subscriber_decode(e->to, e->row, &s))
		return false;
	if (e->is_confirm) {
		row->is_gone = !s.is_confirmed;
		if (row->is_gone)
			log_it(e, "dropped", 0);
		return row->is_gone;
	}
	if (!status_bounce_count(&s, e->said, loop_time(b->sv->loop)))
		return false;
	log_it(e, status_subscriber_state(&s), s.bounces);
	status_subscriber_encode(&s, value);
	row->value = buf_str(value);
	return true;
}

/* Whoever changed the row meanwhile has the last word, and the bounce is not counted. */
static void
settle(struct bounces *b, struct bounce *e)
{
	struct buf value = BUF_INIT(KIB(4)), rows = BUF_INIT(KIB(8));
	struct msg_ledger_row row = { .key = e->to };

	if (judge(b, e, &row, &value)) {
		msg_ledger_row_put(&rows, &row);
		ledger_put_if(b->sv->rt,
		    &(struct msg_ledger_put){ .table = LEDGER_SUBSCRIBER,
			.rows = buf_str(&rows),
			.only_if = LEDGER_IF_SAME,
			.was = e->row },
		    NULL, NULL);
	}
	if (e->row_key.n > 0)
		end_row(b, e->row_key);
	buf_done(&value);
	buf_done(&rows);
	drop(e);
}

static bool
on_subscriber(void *arg, const struct msg_ledger_row *row)
{
	struct bounces *b = arg;
	unsigned char id[STATUS_BOUNCE_ID];

	status_bounce_id(str_key(b), row->key, id);
	for (size_t i = 0; i < b->n_read; i++) {
		struct bounce *e = &b->v[i];

		if (memcmp(e->id, id, sizeof(id)) != 0 || e->to.n > 0)
			continue;
		e->to = str_copy(row->key);
		e->row = str_copy(row->value);
	}
	return true;
}

static void
on_subscribers(void *arg, enum outcome outcome)
{
	struct bounces *b = arg;
	size_t n = b->n_read;

	b->is_reading = false;
	if (outcome != DONE)
		return;
	for (size_t i = 0; i < n; i++)
		settle(b, &b->v[i]);
	b->n -= n;
	memmove(&b->v[0], &b->v[n], b->n * sizeof(b->v[0]));
}

static void
read_subscribers(struct bounces *b)
{
	b->is_reading = true;
	b->n_read = b->n;
	for (size_t i = 0; i < b->n; i++) {
		str_free(&b->v[i].to);
		str_free(&b->v[i].row);
	}
	ledger_read(
	    b->sv->rt, &(struct ledger_read){ .table = LEDGER_SUBSCRIBER,
			   .row = on_subscriber,
			   .done = on_subscribers,
			   .arg = b });
}

/* --- whose domain is it? --------------------------------------------------------------- */

static void
on_checked(void *arg, struct ipc_msg *m)
{
	struct bounces *b = arg;
	struct msg_rcpt_check_reply reply;

	b->is_asking = false;
	/* Who does not answer has not said no. */
	if (m->outcome == DONE && msg_rcpt_check_reply_get(m->body, &reply))
		b->is_ours = reply.is_reports;
	else if (m->outcome != TEMPFAIL)
		b->is_ours = false;
}

static void
ask_domain(struct bounces *b, uint64_t now)
{
	struct author a;
	struct str domain;
	struct buf address = BUF_INIT(KIB(1)), body = BUF_INIT(KIB(2));
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_RCPT_CHECK, .fd = -1
	};

	author_init(&a, b->sv->conf, STATUS_FOR_NEWS);
	domain = str_from(
	    str_c(a.from), (size_t)(str_rfind(str_c(a.from), '@') + 1));
	if (!str_eq(domain, str_c(b->domain))) {
		free(b->domain);
		b->domain = str_dup(domain);
		b->is_ours = false;
	}
	buf_printf(&address, STATUS_BOUNCE_LOCAL "+x@%s", b->domain);
	msg_rcpt_check_put(
	    &body, &(struct msg_rcpt_check){ .address = buf_str(&address) });
	req.body = buf_str(&body);
	b->is_asking = true;
	b->ask_ms = now + ASK_MS;
	runtime_request(b->sv->rt, &req, on_checked, b);
	buf_done(&address);
	buf_done(&body);
	author_done(&a);
}

void
bounces_tick(struct bounces *b)
{
	uint64_t now = server_now_ms();

	if (b->sv->is_stopping || runtime_peer(b->sv->rt, ROLE_STORE) == NULL)
		return;
	if (!b->is_asking && now >= b->ask_ms)
		ask_domain(b, now);
	if (b->is_reading)
		return;
	if (b->n > 0 && b->has_key)
		read_subscribers(b);
	else if (b->has_more)
		read_what_is_there(b);
}

/* --- the return path ---------------------------------------------------------------------- */

/* "NNNNNNNN/SSSS", or nothing of a confirmation. */
static bool
read_tag(const struct bounces *b, const struct status_message *m,
    struct status_bounce_tag *ret)
{
	uint32_t update = 0;

	*ret = (struct status_bounce_tag){ 0 };
	if (m->purpose == STATUS_FOR_NEWS &&
	    !status_post_key_parse(m->about, &ret->post, &update))
		return false;
	ret->update = (uint16_t)update;
	status_bounce_id(str_key(b), m->to, ret->id);
	return true;
}

void
bounces_put_path(struct bounces *b, const struct status_message *m,
    struct str from, struct buf *to)
{
	struct str domain = str_from(from, (size_t)(str_rfind(from, '@') + 1));
	struct status_bounce_tag tag;

	if (!author_is_for_readers(m->purpose) || !b->has_key || !b->is_ours ||
	    !str_eq(domain, str_c(b->domain)) || !read_tag(b, m, &tag)) {
		buf_put_str(to, from);
		return;
	}
	buf_put_c(to, STATUS_BOUNCE_LOCAL "+");
	status_bounce_put_tag(str_key(b), &tag, to);
	buf_printf(to, "@%s", b->domain);
}
