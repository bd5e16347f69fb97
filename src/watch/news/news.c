/* SPDX-License-Identifier: ISC */
/*
 * news.c - what is to be told, and to whom. See news.h.
 *
 *	marker? -> post, update -> (messages that are there) -> subscribers -> SAVE
 *	                                                             ^          |
 *	                                                             +- marker -+
 */
#include "base/log.h"
#include "watch/news/news_internal.h"
#include "watch/outbox/outbox.h"

#define RECENT_S    (2ULL * 86400)
#define MARKER_S    (7ULL * 86400)
#define BATCH       500
#define BACKLOG_MAX 5000 /* messages that wait; then the rest waits, too */
#define WAITING_MAX 1000 /* posts and updates */
#define DONE_VALUE  "d"
#define UP_TO_VALUE 'c' /* and the key of a subscriber */

struct coming {
	char key[STATUS_POST_KEY_LEN + 1];
	uint64_t at_s; /* not before */
};

struct news {
	struct server *sv;
	struct coming v[WAITING_MAX];
	size_t n;
	bool is_busy, is_reading;
	/* of what is being told */
	struct news_item item;
	bool is_done;
	struct buf cursor; /* the subscriber that was the last; empty: none */
	struct buf last;   /* of the batch */
	size_t n_batch;
	bool is_last_batch, is_saving, is_marking;
	struct news_known known;
};

static void go_on(struct news *n);

struct news *
news_new(struct server *sv)
{
	struct news *n = X_NEW(struct news);

	n->sv = sv;
	return n;
}

/* --- what there is to tell ---------------------------------------------------------- */

static void
note(struct news *n, struct str key, uint64_t at_s)
{
	struct coming *c;

	for (size_t i = 0; i < n->n; i++)
		if (str_eq(str_c(n->v[i].key), key)) {
			n->v[i].at_s = at_s;
			return;
		}
	if (n->n == WAITING_MAX || key.n != STATUS_POST_KEY_LEN)
		return;
	c = &n->v[n->n++];
	memcpy(c->key, key.p, key.n);
	c->key[key.n] = '\0';
	c->at_s = at_s;
}

enum news_time
news_judge(const struct status_post *p, const struct status_update *update,
    uint64_t now_s)
{
	uint64_t at = update != NULL ? update->created_s : p->published_s;

	if (p->is_imported || p->is_quiet || p->published_s == 0 ||
	    (update != NULL && update->is_quiet))
		return NEWS_NEVER;
	/* What was there when the post became public is told with it. */
	if (update != NULL && update->created_s < p->published_s)
		return NEWS_NEVER;
	if (at + RECENT_S < now_s)
		return NEWS_NEVER;
	return status_post_is_public(p, now_s) ? NEWS_NOW : NEWS_LATER;
}

bool
news_is_for(const struct status_subscriber *s, const struct status_post *p,
    const struct status_update *update)
{
	/* One that says that it was published earlier is there since it was
	 * written. */
	uint64_t since = update != NULL ? update->created_s
	                                : MAX(p->published_s, p->created_s);

	return status_subscriber_wants(s, p) && s->confirmed_s <= since;
}

/* A row that may be news; what is wrong with it shows when it is its turn. */
static void
consider(struct news *n, const struct msg_ledger_row *row)
{
	uint64_t now = loop_time(n->sv->loop);
	uint32_t number, update;
	struct status_update u;
	struct status_post p;

	if (row->is_gone || !status_post_key_parse(row->key, &number, &update))
		return;
	if (update != 0) {
		if (status_update_decode(row->value, &u) &&
		    u.created_s + RECENT_S >= now)
			note(n, row->key, 0);
		return;
	}
	if (!status_post_decode(row->value, &p))
		return;
	switch (news_judge(&p, NULL, now)) {
	case NEWS_NOW:
		note(n, row->key, 0);
		break;
	case NEWS_LATER:
		note(n, row->key, p.published_s);
		break;
	case NEWS_NEVER:
		break;
	}
}

bool
news_changed(struct news *n, const struct msg_ledger_changed *c)
{
	struct wire w = wire_read(c->rows);
	struct msg_ledger_row row;

	while (msg_ledger_row_read(&w, &row))
		consider(n, &row);
	go_on(n);
	return !w.failed;
}

static bool
on_post(void *arg, const struct msg_ledger_row *row)
{
	consider(arg, row);
	return true;
}

static void
on_posts(void *arg, UNUSED enum outcome outcome)
{
	struct news *n = arg;

	/* A store that went away comes again. */
	n->is_reading = false;
	go_on(n);
}

void
news_load(struct news *n)
{
	if (n->is_reading)
		return;
	n->is_reading = true;
	ledger_read(n->sv->rt, &(struct ledger_read){ .table = LEDGER_POST,
				   .row = on_post,
				   .done = on_posts,
				   .arg = n });
}

/* --- one of them ---------------------------------------------------------------------- */

static void
leave(struct news *n)
{
	n->is_busy = n->is_saving = n->is_marking = false;
	buf_done(&n->item.key);
	buf_done(&n->item.post_row);
	buf_done(&n->item.update_row);
	buf_done(&n->cursor);
	buf_done(&n->last);
	free(n->known.hashes);
	n->known = (struct news_known){ 0 };
}

/* The store is away, or so: all of it again, later. */
static void
fail(struct news *n)
{
	note(n, buf_str(&n->item.key), loop_time(n->sv->loop) + 2);
	leave(n);
}

static void
finish(struct news *n)
{
	leave(n);
	go_on(n);
}

/* --- subscribers --------------------------------------------------------------------------- */

static void
batch_is_full(void *arg)
{
	struct news *n = arg;

	n->is_saving = true;
	/* news_saved() hears when they are saved. */
}

static bool
on_subscriber(void *arg, const struct msg_ledger_row *row)
{
	struct news *n = arg;
	struct status_subscriber s;

	if (str_cmp(row->key, buf_str(&n->cursor)) <= 0)
		return true;
	buf_reset(&n->last, LEDGER_KEY_MAX);
	buf_put_str(&n->last, row->key);
	if (!status_subscriber_decode(row->key, row->value, &s) ||
	    !news_is_for(&s, &n->item.post,
		n->item.update_number != 0 ? &n->item.update : NULL))
		return true;
	news_write(n->sv, &n->item, row->key, &s, &n->known);
	if (++n->n_batch < BATCH)
		return true;
	loop_defer(n->sv->loop, batch_is_full, n);
	return false;
}

static void
on_subscribers(void *arg, enum outcome outcome)
{
	struct news *n = arg;

	if (outcome != DONE) {
		fail(n);
		return;
	}
	n->is_last_batch = true;
	n->is_saving = true;
	/* Nobody wants it, maybe: then nothing is to be waited for. */
	news_saved(n);
}

static void
next_batch(struct news *n)
{
	n->n_batch = 0;
	n->is_last_batch = false;
	n->last = BUF_INIT(LEDGER_KEY_MAX);
	ledger_read(
	    n->sv->rt, &(struct ledger_read){ .table = LEDGER_SUBSCRIBER,
			   .row = on_subscriber,
			   .done = on_subscribers,
			   .arg = n });
}

static void
on_marked(void *arg, struct ipc_msg *m)
{
	struct news *n = arg;

	n->is_marking = false;
	if (m->outcome != DONE) {
		fail(n);
	} else if (n->is_last_batch) {
		log_event(EV_WATCH_NEWS, LS("post", buf_str(&n->item.key)));
		finish(n);
	} else {
		buf_done(&n->cursor);
		n->cursor = n->last;
		next_batch(n);
	}
}

/* Those of the batch are durable: note how far it is. */
static void
mark(struct news *n)
{
	struct buf key = BUF_INIT(KIB(1)), value = BUF_INIT(KIB(1));
	struct buf rows = BUF_INIT(KIB(4));

	n->is_saving = false;
	n->is_marking = true;
	buf_printf(&key, "n/%s", n->item.key.p);
	if (n->is_last_batch) {
		buf_put_c(&value, DONE_VALUE);
	} else {
		buf_put_char(&value, UP_TO_VALUE);
		buf_put_str(&value, buf_str(&n->last));
	}
	msg_ledger_row_put(
	    &rows, &(struct msg_ledger_row){ .key = buf_str(&key),
		       .value = buf_str(&value),
		       .until = loop_time(n->sv->loop) + MARKER_S });
	ledger_put(n->sv->rt, LEDGER_TOLD, buf_str(&rows), on_marked, n);
	buf_done(&key);
	buf_done(&value);
	buf_done(&rows);
}

void
news_saved(struct news *n)
{
	if (n->is_saving && outbox_is_saved(n->sv->outbox) &&
	    outbox_waiting(n->sv->outbox) < BACKLOG_MAX)
		mark(n);
}

void
news_tick(struct news *n)
{
	news_saved(n);
	go_on(n);
}

/* --- what is there already ---------------------------------------------------------------------- */

static bool
on_known(void *arg, const struct msg_ledger_row *row)
{
	struct news_known *k = &((struct news *)arg)->known;

	k->hashes = x_grow(k->hashes, &k->cap, k->n + 1, sizeof(*k->hashes));
	k->hashes[k->n++] = news_hash(row->key);
	return true;
}

static void
on_all_known(void *arg, enum outcome outcome)
{
	struct news *n = arg;

	if (outcome == DONE)
		next_batch(n);
	else
		fail(n);
}

static void
ask_known(struct news *n)
{
	struct buf prefix = BUF_INIT(LEDGER_KEY_MAX);

	buf_printf(&prefix, STATUS_TOLD_MESSAGE "n/%s/", n->item.key.p);
	ledger_read(n->sv->rt, &(struct ledger_read){ .table = LEDGER_TOLD,
				   .prefix = buf_str(&prefix),
				   .row = on_known,
				   .done = on_all_known,
				   .arg = n });
	buf_done(&prefix);
}

/* --- the post ---------------------------------------------------------------------------------------- */

static bool
on_part(void *arg, const struct msg_ledger_row *row)
{
	struct news_item *i = &((struct news *)arg)->item;
	uint32_t number, update;

	if (!status_post_key_parse(row->key, &number, &update))
		return true;
	if (update == 0)
		buf_put_str(&i->post_row, row->value);
	else if (update == i->update_number)
		buf_put_str(&i->update_row, row->value);
	return true;
}

static void
on_parts(void *arg, enum outcome outcome)
{
	struct news *n = arg;
	struct news_item *i = &n->item;
	const struct status_update *update =
	    i->update_number != 0 ? &i->update : NULL;

	if (outcome != DONE) {
		fail(n);
		return;
	}
	if (!status_post_decode(buf_str(&i->post_row), &i->post) ||
	    (update != NULL &&
		!status_update_decode(buf_str(&i->update_row), &i->update))) {
		finish(n);
		return;
	}
	switch (news_judge(&i->post, update, loop_time(n->sv->loop))) {
	case NEWS_NOW:
		ask_known(n);
		break;
	case NEWS_LATER:
		note(n, buf_str(&i->key), i->post.published_s);
		finish(n);
		break;
	case NEWS_NEVER:
		finish(n);
		break;
	}
}

static bool
on_marker(void *arg, const struct msg_ledger_row *row)
{
	struct news *n = arg;

	if (str_eq(row->value, STR(DONE_VALUE)))
		n->is_done = true;
	else
		buf_put_str(&n->cursor, str_from(row->value, 1));
	return true;
}

static void
on_markers(void *arg, enum outcome outcome)
{
	struct news *n = arg;
	struct str prefix = str_first(buf_str(&n->item.key), 9);

	if (outcome != DONE) {
		fail(n);
		return;
	}
	if (n->is_done) {
		finish(n);
		return;
	}
	ledger_read(n->sv->rt, &(struct ledger_read){ .table = LEDGER_POST,
				   .prefix = prefix,
				   .row = on_part,
				   .done = on_parts,
				   .arg = n });
}

static void
begin(struct news *n, const char *key)
{
	struct news_item *i = &n->item;
	struct buf marker = BUF_INIT(LEDGER_KEY_MAX);

	*i = (struct news_item){ .key = BUF_INIT(KIB(1)),
		.post_row = BUF_INIT(KIB(64)),
		.update_row = BUF_INIT(KIB(64)) };
	buf_put_c(&i->key, key);
	(void)buf_c(&i->key);
	n->cursor = BUF_INIT(LEDGER_KEY_MAX);
	n->is_busy = true;
	n->is_done = false;
	if (!status_post_key_parse(
		buf_str(&i->key), &i->number, &i->update_number)) {
		leave(n);
		return;
	}
	buf_printf(&marker, "n/%s", key);
	ledger_read(n->sv->rt, &(struct ledger_read){ .table = LEDGER_TOLD,
				   .prefix = buf_str(&marker),
				   .row = on_marker,
				   .done = on_markers,
				   .arg = n });
	buf_done(&marker);
}

static void
go_on(struct news *n)
{
	uint64_t now = loop_time(n->sv->loop);

	if (n->is_busy || n->sv->is_stopping ||
	    !outbox_is_loaded(n->sv->outbox) ||
	    runtime_peer(n->sv->rt, ROLE_STORE) == NULL)
		return;
	for (size_t i = 0; i < n->n; i++) {
		struct coming c = n->v[i];

		if (c.at_s > now)
			continue;
		memmove(&n->v[i], &n->v[i + 1],
		    (--n->n - i) * sizeof(struct coming));
		begin(n, c.key);
		return;
	}
}
