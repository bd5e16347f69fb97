/* SPDX-License-Identifier: ISC */
/* news_still.c - is what waits in the outbox still what we say? See news.h. */
#include "proto/status/status_post.h"
#include "watch/news/news.h"

struct question {
	struct server *sv;
	struct news_still still;
	news_still_fn fn;
	void *arg;
};

bool
news_still_begin(struct news_still *s, struct str key, uint64_t now_s)
{
	*s = (struct news_still){ .now_s = now_s };
	return status_post_key_parse(key, &s->number, &s->update);
}

void
news_still_row(struct news_still *s, struct str key, struct str value)
{
	uint32_t number, update;
	struct status_update u;
	struct status_post p;

	if (!status_post_key_parse(key, &number, &update) ||
	    number != s->number)
		return;
	if (update == 0 && status_post_decode(value, &p))
		s->is_public = status_post_is_public(&p, s->now_s);
	if (update == s->update)
		s->is_there = update == 0 || status_update_decode(value, &u);
}

bool
news_still_is(const struct news_still *s)
{
	return s->is_public && s->is_there;
}

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct question *q = arg;

	news_still_row(&q->still, row->key, row->value);
	return true;
}

static void
on_read(void *arg, enum outcome outcome)
{
	struct question *q = arg;

	if (outcome == DONE)
		outcome = news_still_is(&q->still) ? DONE : NOT_FOUND;
	else
		outcome = TEMPFAIL;
	q->fn(q->arg, outcome);
	free(q);
}

bool
news_still_ask(struct server *sv, struct str key, news_still_fn fn, void *arg)
{
	struct question *q = X_NEW(struct question);

	*q = (struct question){ .sv = sv, .fn = fn, .arg = arg };
	if (!news_still_begin(&q->still, key, loop_time(sv->loop))) {
		free(q);
		return false;
	}
	ledger_read(sv->rt, &(struct ledger_read){ .table = LEDGER_POST,
				.prefix = str_first(key, 9),
				.row = on_row,
				.done = on_read,
				.arg = q });
	return true;
}
