/* SPDX-License-Identifier: ISC */
/* members.c - who wants to be told. See members.h. */
#include "web/table/members.h"

#include "base/secret.h"
#include "proto/status/status_subscriber.h"
#include "web/table/members_mail.h"

#include <inttypes.h>

#define JOINS_MAX  64 /* under way at a time */
#define ASKED_MAX  3  /* mails for one row */
#define DAY_S      86400
#define ROW_MAX    KIB(4)
#define OUTBOX_MAX KIB(60)

enum want { JOIN, CONFIRM, LEAVE };

/* What is under way: the row is read, and then changed if it still is the same. */
struct work {
	struct server *sv;
	enum want want;
	struct buf key, token, system;
	enum language language;
	struct str row; /* owned; empty: there is none */
	members_fn fn;
	void *arg;
};

static void
finish(struct work *w, enum members_answer answer)
{
	if (w->want == JOIN)
		w->sv->n_joining--;
	else
		w->fn(w->arg, answer);
	buf_done(&w->key);
	buf_done_secret(&w->token);
	buf_done(&w->system);
	str_free(&w->row);
	free(w);
}

static void
on_put(void *arg, struct ipc_msg *m)
{
	/* Somebody was faster: as if it had been this one. */
	finish(arg, m->outcome == TEMPFAIL ? MEMBERS_LATER : MEMBERS_DONE);
}

/* value NULL: the row goes. message: a row of the outbox with it, or NULL. */
static void
put_row(struct work *w, const struct status_subscriber *s, uint64_t until,
    const struct msg_ledger_row *message)
{
	struct buf value = BUF_INIT(ROW_MAX), rows = BUF_INIT(KIB(8));
	struct buf also = BUF_INIT(OUTBOX_MAX + KIB(1));
	struct msg_ledger_row row = {
		.key = buf_str(&w->key), .until = until, .is_gone = s == NULL
	};

	if (s != NULL)
		status_subscriber_encode(s, &value);
	row.value = buf_str(&value);
	msg_ledger_row_put(&rows, &row);
	if (message != NULL)
		msg_ledger_row_put(&also, message);
	ledger_put_if(w->sv->rt,
	    &(struct msg_ledger_put){ .table = LEDGER_SUBSCRIBER,
		.rows = buf_str(&rows),
		.only_if = w->row.n > 0 ? LEDGER_IF_SAME : LEDGER_IF_NEW,
		.was = w->row,
		.also = LEDGER_OUTBOX,
		.also_rows = buf_str(&also) },
	    on_put, w);
	buf_done(&value);
	buf_done(&rows);
	buf_done(&also);
}

/* --- the three wishes ----------------------------------------------------------------- */

/* A new token, and the mail with it. */
static void
ask(struct work *w, struct status_subscriber *s)
{
	unsigned char raw[STATUS_SECRET_RAW], hash[STATUS_SECRET_HASH];
	struct buf token = BUF_INIT(100), message = BUF_INIT(OUTBOX_MAX);
	uint64_t now = loop_time(w->sv->loop), number;
	char key[32];

	secret_random(raw, sizeof(raw));
	secret_random(&number, sizeof(number));
	status_secret_put(&token, raw);
	status_secret_hash(buf_str(&token), hash);
	s->token_hash = str_make(hash, sizeof(hash));
	s->asked_s = now;
	s->asked++;
	members_put_mail(
	    w->sv, buf_str(&w->key), w->language, buf_str(&token), &message);
	snprintf(key, sizeof(key), "w/%016" PRIx64, number);
	put_row(w, s, now + STATUS_PENDING_S,
	    &(struct msg_ledger_row){ .key = str_c(key),
		.until = now + 2 * DAY_S,
		.value = buf_str(&message) });
	secret_wipe(raw, sizeof(raw));
	buf_done_secret(&token);
	buf_done_secret(&message);
}

static void
join(struct work *w)
{
	uint64_t now = loop_time(w->sv->loop);
	struct status_subscriber s = { .created_s = now };
	struct status_fault fault;

	if (w->row.n > 0 &&
	    (!status_subscriber_decode(buf_str(&w->key), w->row, &s) ||
		status_subscriber_is_active(&s) || s.asked >= ASKED_MAX)) {
		finish(w, MEMBERS_DONE);
		return;
	}
	/* Nothing reached that address: does this? */
	if (s.paused_s > 0)
		s = (struct status_subscriber){ .created_s = now };
	s.language = str_c(language_code(w->language));
	s.scope = w->system.n > 0 ? STATUS_SCOPE_SYSTEMS : STATUS_SCOPE_ALL;
	s.n_names = 0;
	if (w->system.n > 0 &&
	    !status_subscriber_set_names(&s, buf_str(&w->system), &fault)) {
		finish(w, MEMBERS_DONE);
		return;
	}
	ask(w, &s);
}

static void
confirm(struct work *w)
{
	struct status_subscriber s;

	if (!status_subscriber_decode(buf_str(&w->key), w->row, &s) ||
	    !status_secret_matches(buf_str(&w->token), s.token_hash)) {
		finish(w, MEMBERS_WRONG);
		return;
	}
	if (s.is_confirmed) {
		finish(w, MEMBERS_DONE);
		return;
	}
	s.is_confirmed = true;
	s.confirmed_s = loop_time(w->sv->loop);
	put_row(w, &s, 0, NULL);
}

static void
leave(struct work *w)
{
	struct status_subscriber s;

	if (!status_subscriber_decode(buf_str(&w->key), w->row, &s) ||
	    !status_subscriber_leave_matches(
		buf_str(&w->key), &s, buf_str(&w->token)))
		finish(w, MEMBERS_WRONG);
	else
		put_row(w, NULL, 0, NULL);
}

/* --- reading -------------------------------------------------------------------------- */

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct work *w = arg;

	if (str_eq(row->key, buf_str(&w->key)) && w->row.n == 0)
		w->row = str_copy(row->value);
	return true;
}

static void
on_read(void *arg, enum outcome outcome)
{
	struct work *w = arg;

	if (outcome != DONE)
		finish(w, MEMBERS_LATER);
	else if (w->want == JOIN)
		join(w);
	else if (w->row.n == 0)
		finish(w, MEMBERS_WRONG);
	else if (w->want == CONFIRM)
		confirm(w);
	else
		leave(w);
}

static struct work *
begin(struct server *sv, enum want want, struct str key)
{
	struct work *w = X_NEW(struct work);

	w->sv = sv;
	w->want = want;
	buf_init(&w->key, STATUS_SUBSCRIBER_MAX);
	buf_init(&w->token, KIB(1));
	buf_init(&w->system, STATUS_ID_MAX);
	buf_put_str(&w->key, key);
	return w;
}

static void
read_row(struct work *w)
{
	ledger_read(
	    w->sv->rt, &(struct ledger_read){ .table = LEDGER_SUBSCRIBER,
			   .prefix = buf_str(&w->key),
			   .row = on_row,
			   .done = on_read,
			   .arg = w });
}

bool
members_join(struct server *sv, struct str key, enum language language,
    struct str system)
{
	struct work *w;

	if (sv->n_joining >= JOINS_MAX ||
	    !status_joins_take(&sv->all_joins, loop_now_ms(sv->loop)))
		return false;
	sv->n_joining++;
	w = begin(sv, JOIN, key);
	w->language = language;
	buf_put_str(&w->system, system);
	read_row(w);
	return true;
}

static void
change(struct server *sv, enum want want, const struct str words[2],
    members_fn fn, void *arg)
{
	struct work *w = begin(sv, want, words[0]);

	buf_put_str(&w->token, words[1]);
	w->fn = fn;
	w->arg = arg;
	read_row(w);
}

void
members_confirm(struct server *sv, struct str key, struct str token,
    members_fn fn, void *arg)
{
	change(sv, CONFIRM, (const struct str[2]){ key, token }, fn, arg);
}

void
members_leave(struct server *sv, struct str key, struct str token,
    members_fn fn, void *arg)
{
	change(sv, LEAVE, (const struct str[2]){ key, token }, fn, arg);
}
