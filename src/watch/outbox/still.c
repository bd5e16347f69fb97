/* SPDX-License-Identifier: ISC */
/* still.c - is what waits in the outbox still wanted? See still.h. */
#include "watch/outbox/still.h"

#include "proto/status/status_subscriber.h"
#include "watch/news/news.h"

#define WHY_CONTACT "no contact has this address any more"
#define WHY_POST    "its post is deleted or not public any more"
#define WHY_LEFT    "the subscription ended, or is paused"
#define WHY_PENDING "the subscription is confirmed, or ended"

struct question {
	struct server *sv;
	const struct status_message *m;
	struct str row; /* of the subscriber; owned */
	still_fn fn;
	void *arg;
};

static void
answer(struct question *q, enum outcome outcome, const char *why)
{
	still_fn fn = q->fn;
	void *arg = q->arg;

	str_free(&q->row);
	free(q);
	fn(arg, outcome, why);
}

/* --- contacts -------------------------------------------------------------------- */

static bool
has_contact(const struct server *sv, const struct status_message *m)
{
	size_t n = ledger_mirror_count(sv->mirror, LEDGER_ALERT);
	struct status_contact c;

	for (size_t i = 0; i < n; i++)
		if (status_contact_decode(
			ledger_mirror_row(sv->mirror, LEDGER_ALERT, i).value,
			&c) &&
		    c.channel == m->channel && str_eq(c.to, m->to))
			return true;
	return false;
}

static void
ask_contacts(struct question *q)
{
	if (!ledger_mirror_is_ready(q->sv->mirror) || has_contact(q->sv, q->m))
		answer(q, DONE, "");
	else
		answer(q, NOT_FOUND, WHY_CONTACT);
}

/* --- subscribers ------------------------------------------------------------------- */

const char *
still_judge(const struct status_message *m, struct str row)
{
	struct status_subscriber s;

	if (row.n == 0 || !status_subscriber_decode(m->to, row, &s))
		return m->purpose == STATUS_FOR_NEWS ? WHY_LEFT : WHY_PENDING;
	if (m->purpose == STATUS_FOR_NEWS)
		return status_subscriber_is_active(&s) ? NULL : WHY_LEFT;
	return s.is_confirmed ? WHY_PENDING : NULL;
}

static void
on_post(void *arg, enum outcome outcome)
{
	answer(arg, outcome, WHY_POST);
}

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct question *q = arg;

	if (str_eq(row->key, q->m->to) && q->row.n == 0)
		q->row = str_copy(row->value);
	return true;
}

static void
on_read(void *arg, enum outcome outcome)
{
	struct question *q = arg;
	const char *why = outcome == DONE ? still_judge(q->m, q->row) : NULL;

	if (outcome != DONE)
		answer(q, TEMPFAIL, "");
	else if (why != NULL)
		answer(q, NOT_FOUND, why);
	else if (q->m->purpose != STATUS_FOR_NEWS ||
		 !news_still_ask(q->sv, q->m->about, on_post, q))
		answer(q, DONE, "");
}

void
still_ask(
    struct server *sv, const struct status_message *m, still_fn fn, void *arg)
{
	struct question *q = X_NEW(struct question);

	*q = (struct question){ .sv = sv, .m = m, .fn = fn, .arg = arg };
	if (m->purpose != STATUS_FOR_NEWS && m->purpose != STATUS_FOR_CONFIRM)
		ask_contacts(q);
	else
		ledger_read(
		    sv->rt, &(struct ledger_read){ .table = LEDGER_SUBSCRIBER,
				.prefix = m->to,
				.row = on_row,
				.done = on_read,
				.arg = q });
}
