/* SPDX-License-Identifier: ISC */
/*
 * prepare.c - each message made ready once. See prepare.h.
 *
 *   look up the stamp (what is known of the message)
 *     | READY               -> its fields on top, done
 *     | somebody makes it   -> wait, then look again
 *     | nothing is known    -> whose name? -> keys (store) -> pool -> READY
 *
 * A message that was made fit for a server without 8BITMIME has other bytes,
 * and with them another signature: a stamp has room for both.
 */
#include "send/message/prepare.h"

#include "base/metrics.h"
#include "net/idn.h"
#include "net/loop_pool.h"
#include "send/server.h"

#include <sched.h>

/* Messages whose signatures are remembered, and for how long. */
#define STAMPS_MAX  8192
#define STAMP_MS    600000
#define THREADS_MAX 8
/* Bytes of converted messages that are on their way out. */
#define CONVERTED_MAX MIB(512)
/* Keys that change while they sign, and again. */
#define TRIES_MAX 5
/* What is not signed, and no longer than this, is looked at at once: that
 * takes less than to wake a helper. */
#define QUICK_MAX KIB(64)

TAILQ_HEAD(waiting, preparing);

struct stamp_key {
	uint64_t message;
	uint32_t prefix, zero;
};

/* What is known of one message. */
struct stamp {
	struct table_item item;
	struct stamp_key key;
	TAILQ_ENTRY(stamp) link; /* the oldest first */
	uint64_t until_ms;       /* then it is as good as forgotten */
	unsigned users;          /* of struct preparing */
	bool is_making;
	bool is_gone;  /* out of the table: it ends with its last user */
	bool is_stale; /* the keys changed */
	struct waiting waiting;
	bool has_content;
	struct content content;
	bool is_signed[2]; /* as it is; converted */
	struct buf top[2];
	char *domain; /* whose keys signed it; NULL: nobody's */
};

struct preparing {
	struct pool_job job;
	struct keyring_wait wait;
	TAILQ_ENTRY(preparing) link; /* of those that wait for the stamp */
	struct preparer *p;
	struct stamp *stamp;
	prepare_fn fn; /* NULL: nobody waits for it any more */
	void *arg;
	struct prepare_work work;
	struct keyset *keys;
	bool is_inside; /* of prepare_start() */
	bool is_over;
	unsigned tries;
	/* whose name; strings are in arena */
	struct arena arena;
	bool has_id;
	struct identity id;
	size_t next_domain;
	struct str mail_from, via;
	uint64_t account;
};

struct preparer {
	struct server *sv;
	struct loop_pool *pool;
	struct keyring *ring;
	struct table stamps;
	TAILQ_HEAD(, stamp) all;
	uint64_t converted; /* bytes */
};

static void look_up(struct preparing *w);

/* --- stamps ------------------------------------------------------------------------- */

static void
stamp_free(struct stamp *s)
{
	buf_done(&s->top[0]);
	buf_done(&s->top[1]);
	free(s->domain);
	free(s);
}

static void
stamp_drop(struct preparer *p, struct stamp *s)
{
	TAILQ_REMOVE(&p->all, s, link);
	table_remove(&p->stamps, &s->item);
	s->is_gone = true;
	if (s->users == 0)
		stamp_free(s);
}

static void
stamp_unuse(struct stamp *s)
{
	if (--s->users == 0 && s->is_gone)
		stamp_free(s);
}

static void
make_room(struct preparer *p)
{
	uint64_t now = loop_now_ms(p->sv->loop);
	struct stamp *s;

	while ((s = TAILQ_FIRST(&p->all)) != NULL &&
	       (s->until_ms <= now || p->stamps.n >= STAMPS_MAX))
		stamp_drop(p, s);
}

static struct stamp *
stamp_get(struct preparer *p, const struct msg_queue_item *item)
{
	struct stamp_key key = { item->message, item->prefix, 0 };
	struct table_item *found;
	struct stamp *s;

	make_room(p);
	found = table_find(&p->stamps, str_make(&key, sizeof(key)));
	if (found != NULL)
		return CONTAINER_OF(found, struct stamp, item);
	s = X_NEW(struct stamp);
	s->key = key;
	s->until_ms = loop_now_ms(p->sv->loop) + STAMP_MS;
	TAILQ_INIT(&s->waiting);
	table_add(&p->stamps, &s->item, str_make(&s->key, sizeof(s->key)));
	TAILQ_INSERT_TAIL(&p->all, s, link);
	return s;
}

/* --- the end ------------------------------------------------------------------------- */

static void
finish(struct preparing *w, enum prepare_result r)
{
	struct letter letter = letter_take(&w->work.letter);
	struct content content = w->stamp->content;

	w->is_over = true;
	if (w->work.is_converted)
		content.has_8bit = content.has_binary = content.has_long_line =
		    false;
	if (w->fn != NULL)
		w->fn(w->arg, r, &letter, &content);
	letter_done(&letter);
	stamp_unuse(w->stamp);
	keyset_unref(TAKE_PTR(w->keys));
	arena_done(&w->arena);
	if (!w->is_inside)
		free(w);
}

/* The stamp was made, or could not be: those who wait look again. */
static void
release_stamp(struct preparing *w, enum prepare_result r)
{
	struct stamp *s = w->stamp;
	struct waiting waiting = TAILQ_HEAD_INITIALIZER(waiting);
	struct preparing *other;

	s->is_making = false;
	TAILQ_CONCAT(&waiting, &s->waiting, link);
	while ((other = TAILQ_FIRST(&waiting)) != NULL) {
		TAILQ_REMOVE(&waiting, other, link);
		if (r == PREPARE_OK)
			look_up(other);
		else
			finish(other, r);
	}
}

static void
take_result(struct preparing *w)
{
	struct stamp *s = w->stamp;
	unsigned i = w->work.is_converted;

	s->content = w->work.content;
	s->has_content = true;
	if (!w->work.signs)
		return;
	s->is_signed[i] = true;
	s->top[i] = BUF_INIT(w->work.letter.top.n + 1);
	buf_put_str(&s->top[i], buf_str(&w->work.letter.top));
	free(s->domain);
	s->domain = w->keys != NULL && w->keys->n > 0
	                ? x_strdup(w->keys->domain)
	                : NULL;
	if (w->work.letter.top.n > 0)
		metric_add(M_SEND_SIGNED, 1);
}

/* --- the work ------------------------------------------------------------------------- */

static void begin(struct preparing *w);

static void
work(struct pool_job *job, UNUSED void *own)
{
	prepare_work(&CONTAINER_OF(job, struct preparing, job)->work);
}

/* Its keys were taken back in this moment: nobody is to see that. */
static bool
is_stale(const struct preparing *w)
{
	if (w->work.signs && w->keys != NULL)
		return w->keys->is_stale;
	return w->stamp->is_stale;
}

static void
on_worked(struct pool_job *job)
{
	struct preparing *w = CONTAINER_OF(job, struct preparing, job);
	struct prepare_work *done = &w->work;
	enum prepare_result r = done->result;

	if (done->is_converted)
		letter_count(&done->letter, &w->p->converted);
	if (r == PREPARE_OK && w->p->converted > CONVERTED_MAX)
		r = PREPARE_LATER;
	if (r == PREPARE_OK && is_stale(w)) {
		if (done->signs && !done->is_converted &&
		    ++w->tries < TRIES_MAX) {
			buf_done(&done->letter.top);
			begin(w);
			return;
		}
		r = PREPARE_LATER;
	}
	if (r == PREPARE_OK)
		take_result(w);
	if (done->signs)
		release_stamp(w, r);
	finish(w, r);
}

static bool
is_quick(const struct preparing *w)
{
	const struct letter *l = &w->work.letter;

	return (w->keys == NULL || w->keys->n == 0) && l->fd < 0 &&
	       l->size <= QUICK_MAX;
}

static void
submit(struct preparing *w)
{
	struct server *sv = w->p->sv;

	w->work.keys = w->keys;
	w->work.hostname = str_c(sv->conf->hostname);
	w->work.now = loop_time(sv->loop);
	w->job.work = work;
	w->job.done = on_worked;
	if (!is_quick(w)) {
		pool_add(loop_pool(w->p->pool), &w->job);
		return;
	}
	work(&w->job, NULL);
	on_worked(&w->job);
}

static void
fail(struct preparing *w, enum prepare_result r)
{
	release_stamp(w, r);
	finish(w, r);
}

/* --- whose name ----------------------------------------------------------------------- */

static void on_keys(
    struct keyring_wait *wait, enum outcome outcome, struct keyset *set);

static void
ask_keys(struct preparing *w)
{
	if (w->next_domain == w->id.n) {
		submit(w);
		return;
	}
	w->wait.fn = on_keys;
	keyring_ask(w->p->ring, w->id.domains[w->next_domain++], &w->wait);
}

static void
on_keys(struct keyring_wait *wait, enum outcome outcome, struct keyset *set)
{
	struct preparing *w = CONTAINER_OF(wait, struct preparing, wait);

	switch (outcome) {
	case DONE:
		break;
	case TEMPFAIL:
		fail(w, PREPARE_LATER);
		return;
	case PERMFAIL:
	case NOT_FOUND:
		fail(w, PREPARE_KEYS);
		return;
	}
	if (set->n == 0) {
		keyset_unref(set);
		ask_keys(w);
		return;
	}
	w->keys = set;
	submit(w);
}

static void
find_identity(struct preparing *w)
{
	struct server *sv = w->p->sv;
	struct buf bytes = BUF_INIT(LETTER_HEADER_MAX + KIB(64));
	struct identity_input in = { .mail_from = w->mail_from,
		.via = w->via,
		.account = w->account,
		.hostname = str_c(sv->conf->hostname),
		.is_from_checked = sv->conf->smtp_check_from };
	struct identity found;

	w->has_id = true;
	if (letter_header(&w->work.letter, &bytes, &in.header)) {
		identity_find(&in, &w->arena, &found);
		w->work.kind = found.kind;
		/* They may lie in bytes, or in a letter that moves. */
		for (size_t i = 0; i < found.n; i++)
			w->id.n += arena_str(&w->arena, found.domains[i],
			    &w->id.domains[w->id.n]);
	}
	buf_done(&bytes);
}

/* Nothing is known of it yet: make its stamp. */
static void
begin(struct preparing *w)
{
	w->stamp->is_making = true;
	w->stamp->is_stale = false;
	w->work.signs = true;
	keyset_unref(TAKE_PTR(w->keys));
	if (!w->has_id)
		find_identity(w);
	w->next_domain = 0;
	ask_keys(w);
}

static void
look_up(struct preparing *w)
{
	struct stamp *s = w->stamp;
	bool is_unfit;

	if (s->is_making) {
		TAILQ_INSERT_TAIL(&s->waiting, w, link);
		return;
	}
	is_unfit = s->has_content &&
	           prepare_is_unfit(&s->content, w->work.can, w->work.is_kept);
	if (!s->has_content || !s->is_signed[is_unfit]) {
		begin(w);
		return;
	}
	w->work.letter.top = BUF_INIT(s->top[is_unfit].n + 1);
	buf_put_str(&w->work.letter.top, buf_str(&s->top[is_unfit]));
	if (is_unfit)
		submit(w);
	else
		finish(w, PREPARE_OK);
}

/* --- for others ----------------------------------------------------------------------- */

struct preparing *
prepare_start(struct preparer *p, const struct prepare_request *req,
    prepare_fn fn, void *arg)
{
	const struct msg_queue_item *item = req->item;
	struct preparing *w = X_NEW(struct preparing);
	bool is_copied;

	w->p = p;
	w->fn = fn;
	w->arg = arg;
	w->work.letter = req->letter;
	w->work.can = req->can;
	w->work.is_kept = item->via.n > 0;
	w->account = item->account;
	arena_init(&w->arena, IDENTITY_ARENA + KIB(16));
	is_copied = arena_str(&w->arena, item->mail_from, &w->mail_from) &&
	            arena_str(&w->arena, item->via, &w->via);
	ASSERT(is_copied);
	w->stamp = stamp_get(p, item);
	w->stamp->users++;
	w->is_inside = true;
	look_up(w);
	w->is_inside = false;
	if (!w->is_over)
		return w;
	free(w);
	return NULL;
}

void
prepare_cancel(struct preparing *w)
{
	/* It goes its way, for those who wait for it too. */
	w->fn = NULL;
}

void
preparer_forget(struct preparer *p, struct str domain)
{
	char name[IDN_NAME_MAX + 1];
	bool is_all =
	    domain.n == 0 || !idn_to_ascii(domain, name, sizeof(name));
	struct stamp *s, *next;

	keyring_forget(p->ring, domain);
	/* What nobody signed may have a signer now. */
	for (s = TAILQ_FIRST(&p->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, link);
		if (!is_all && s->domain != NULL &&
		    strcmp(s->domain, name) != 0)
			continue;
		s->is_stale = true;
		if (!s->is_making)
			stamp_drop(p, s);
	}
}

/* The loop needs little of a processor: signing is all the work. */
static unsigned
threads(void)
{
	cpu_set_t set;
	int n =
	    sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return (unsigned)MIN(MAX(n, 1), THREADS_MAX);
}

struct preparer *
preparer_new(struct server *sv)
{
	struct preparer *p = X_NEW(struct preparer);

	p->sv = sv;
	p->pool = loop_pool_new(sv->loop, threads());
	p->ring = keyring_new(sv);
	table_init(&p->stamps);
	TAILQ_INIT(&p->all);
	return p;
}
