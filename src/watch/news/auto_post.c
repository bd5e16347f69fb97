/* SPDX-License-Identifier: ISC */
/*
 * auto_post.c - which posts there are, and when the program writes one. See
 * auto_post.h.
 *
 *	posts, states -> status_auto_judge() -> rows -> store -> (changed) -> posts
 */
#include "watch/news/auto_post_internal.h"

#include "base/log.h"
#include "proto/status/status_audit.h"
#include "proto/status/status_post_edit.h"

/* Posts that are over count for so long: nobody is told again of what somebody
 * has called resolved. */
#define RECENT_S  (7ULL * 86400)
#define POSTS_MAX 500
/* More posts of its own than that in an hour are a fault of this program's. */
#define AN_HOUR_MAX 4
/* A put that failed is tried again. */
#define AGAIN_MS      2000
#define FULL_AGAIN_MS 60000

struct kept {
	uint32_t number;
	struct str row; /* owned; post points into it */
	struct status_post post;
};

struct auto_post {
	struct server *sv;
	struct kept *v;
	size_t n, cap;
	struct buf
	    counter; /* the row that counts posts; empty: there is none */
	bool is_loaded, is_reading, is_putting;
	bool is_full; /* not all are known: nothing is written */
	uint64_t not_before_ms;
	uint64_t judged_s;
};

struct auto_post *
auto_post_new(struct server *sv)
{
	struct auto_post *ap = X_NEW(struct auto_post);

	ap->sv = sv;
	ap->counter = BUF_INIT(KIB(1));
	return ap;
}

/* --- the posts that there are ---------------------------------------------------- */

static void
drop(struct auto_post *ap, size_t i)
{
	str_free(&ap->v[i].row);
	ap->v[i] = ap->v[--ap->n];
}

static void
drop_number(struct auto_post *ap, uint32_t number)
{
	for (size_t i = 0; i < ap->n; i++)
		if (ap->v[i].number == number) {
			drop(ap, i);
			return;
		}
}

/* Its own, and those about systems, as long as they are open or recent. */
static bool
counts(const struct status_post *p, uint64_t now_s)
{
	uint64_t last = MAX(p->resolved_s, p->created_s);

	if (p->affects.n == 0 && !p->is_auto)
		return false;
	return status_post_is_open(p) || last + RECENT_S > now_s;
}

static void
note_full(struct auto_post *ap)
{
	if (!ap->is_full)
		log_event(EV_WATCH_AUTO_POST, LC("what", "too many posts"));
	ap->is_full = true;
}

static void
take_row(struct auto_post *ap, const struct msg_ledger_row *row)
{
	uint64_t now = loop_time(ap->sv->loop);
	struct status_post p;
	struct kept *k;
	uint32_t number, update;

	if (str_eq(row->key, STR(STATUS_COUNTER_KEY))) {
		buf_reset(&ap->counter, KIB(1));
		buf_put_str(&ap->counter, row->value);
		return;
	}
	if (!status_post_key_parse(row->key, &number, &update) || update != 0)
		return;
	drop_number(ap, number);
	if (row->is_gone || !status_post_decode(row->value, &p) ||
	    !counts(&p, now))
		return;
	if (ap->n >= POSTS_MAX) {
		note_full(ap);
		return;
	}
	ap->v = x_grow(ap->v, &ap->cap, ap->n + 1, sizeof(*ap->v));
	k = &ap->v[ap->n++];
	k->number = number;
	k->row = str_copy(row->value);
	if (!status_post_decode(k->row, &k->post))
		die("a post that was read cannot be read");
}

void
auto_post_changed(struct auto_post *ap, const struct msg_ledger_changed *c)
{
	struct wire w = wire_read(c->rows);
	struct msg_ledger_row row;

	while (w.in.n > 0 && msg_ledger_row_read(&w, &row))
		take_row(ap, &row);
}

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	take_row(arg, row);
	return true;
}

static void
on_rows(void *arg, enum outcome outcome)
{
	struct auto_post *ap = arg;

	ap->is_reading = false;
	ap->is_loaded = outcome == DONE;
}

void
auto_post_load(struct auto_post *ap)
{
	ap->is_loaded = false;
	if (ap->is_reading || ap->sv->conf->site_post_after_s == 0)
		return;
	while (ap->n > 0)
		drop(ap, ap->n - 1);
	buf_reset(&ap->counter, KIB(1));
	ap->is_reading = true;
	ap->is_full = false;
	ledger_read(ap->sv->rt, &(struct ledger_read){ .table = LEDGER_POST,
				    .row = on_row,
				    .done = on_rows,
				    .arg = ap });
}

static const struct kept *
our_own(const struct auto_post *ap)
{
	for (size_t i = 0; i < ap->n; i++)
		if (status_auto_owns(&ap->v[i].post))
			return &ap->v[i];
	return NULL;
}

bool
auto_post_is_spoken_for(
    const struct auto_post *ap, struct str id, uint64_t since_s)
{
	enum status_impact impact;

	for (size_t i = 0; i < ap->n; i++) {
		const struct status_post *p = &ap->v[i].post;

		if (status_auto_owns(p) ||
		    !status_affects_find(&p->affects, id, &impact))
			continue;
		/* What began in the second of that word is news. */
		if (status_post_is_open(p) || p->resolved_s > since_s)
			return true;
	}
	return false;
}

/* --- writing ----------------------------------------------------------------------- */

static void
on_put(void *arg, struct ipc_msg *m)
{
	struct auto_post *ap = arg;

	/* Somebody was quicker, or the store is away: what there is then is
	 * judged anew. */
	ap->is_putting = false;
	if (m->outcome != DONE)
		ap->not_before_ms = server_now_ms() + AGAIN_MS;
}

static void
put_audit(
    struct auto_post *ap, const char *what, uint32_t number, struct buf *to)
{
	uint64_t now_s = loop_time(ap->sv->loop),
		 now_ms = loop_time_ms(ap->sv->loop);
	struct buf key = BUF_INIT(100), value = BUF_INIT(STATUS_AUDIT_ROW_MAX);
	char object[16];

	snprintf(object, sizeof(object), "%u", number);
	status_audit_put_key(&key, now_ms, server_random(UINT32_MAX));
	status_audit_encode(&(struct status_audit){ .who = STR("monitoring"),
				.what = str_c(what),
				.object = str_c(object),
				.from = STR("role watch"),
				.detail = STR("site.post_after") },
	    &value);
	msg_ledger_row_put(to, &(struct msg_ledger_row){ .key = buf_str(&key),
				   .until = now_s + STATUS_AUDIT_KEEP_S,
				   .value = buf_str(&value) });
	buf_done(&key);
	buf_done(&value);
}

static void
put(struct auto_post *ap, struct msg_ledger_put *m, const char *what,
    uint32_t number)
{
	struct buf also = BUF_INIT(KIB(4));

	put_audit(ap, what, number, &also);
	m->table = LEDGER_POST;
	m->also = LEDGER_AUDIT;
	m->also_rows = buf_str(&also);
	ap->is_putting = true;
	ledger_put_if(ap->sv->rt, m, on_put, ap);
	log_event(EV_WATCH_AUTO_POST, LC("what", what), LU("post", number));
	buf_done(&also);
}

/* Something is wrong here when it would write this many. */
static bool
writes_too_much(const struct auto_post *ap, uint64_t now_s)
{
	size_t n = 0;

	for (size_t i = 0; i < ap->n; i++)
		n += ap->v[i].post.is_auto &&
		     ap->v[i].post.created_s + 3600 > now_s;
	return n >= AN_HOUR_MAX;
}

static bool
has_slug(const struct auto_post *ap, struct str slug)
{
	for (size_t i = 0; i < ap->n; i++)
		if (str_eq(ap->v[i].post.slug, slug))
			return true;
	return false;
}

static void
put_row(struct buf *rows, uint32_t number, uint32_t update, struct str value)
{
	struct buf key = BUF_INIT(100);

	if (number == 0)
		buf_put_c(&key, STATUS_COUNTER_KEY);
	else
		status_post_put_key(&key, number, update);
	msg_ledger_row_put(rows,
	    &(struct msg_ledger_row){ .key = buf_str(&key), .value = value });
	buf_done(&key);
}

static void
open_post(struct auto_post *ap, const struct status_auto *a,
    const struct status_affects *affects)
{
	struct buf text = BUF_INIT(KIB(16)), slug = BUF_INIT(KIB(1));
	struct buf counter = BUF_INIT(KIB(1)), rows = BUF_INIT(LEDGER_PUT_MAX);
	struct buf value = BUF_INIT(STATUS_POST_ROW_MAX);
	struct status_post p;
	uint32_t last;

	if (!status_counter_decode(buf_str(&ap->counter), &last) ||
	    last == STATUS_POST_MAX)
		return;
	status_auto_post(a, affects, &text, &p);
	for (unsigned n = 1; n == 1 || has_slug(ap, buf_str(&slug)); n++) {
		buf_reset(&slug, KIB(1));
		status_post_make_slug(&p, n, &slug);
	}
	p.slug = buf_str(&slug);
	status_counter_encode(last + 1, &counter);
	status_post_encode(&p, &value);
	put_row(&rows, 0, 0, buf_str(&counter));
	put_row(&rows, last + 1, 0, buf_str(&value));
	put(ap,
	    &(struct msg_ledger_put){ .rows = buf_str(&rows),
		.only_if = ap->counter.n > 0 ? LEDGER_IF_SAME : LEDGER_IF_NEW,
		.was = buf_str(&ap->counter) },
	    "post.new", last + 1);
	buf_done(&value);
	buf_done(&rows);
	buf_done(&counter);
	buf_done(&slug);
	buf_done(&text);
}

static void
update_post(struct auto_post *ap, const struct kept *k,
    const struct status_auto *a, enum status_auto_step step,
    const struct status_affects *affects)
{
	struct buf text = BUF_INIT(KIB(16)), rows = BUF_INIT(LEDGER_PUT_MAX);
	struct buf value = BUF_INIT(STATUS_POST_ROW_MAX);
	struct buf update = BUF_INIT(STATUS_POST_ROW_MAX);
	struct status_post p = k->post;
	struct status_fault fault;
	struct status_update u;

	status_auto_update(a, step, affects, &text, &u);
	if (status_post_apply(&p, &u, &fault)) {
		status_post_encode(&p, &value);
		status_update_encode(&u, &update);
		put_row(&rows, k->number, 0, buf_str(&value));
		put_row(&rows, k->number, p.last_update, buf_str(&update));
		put(ap,
		    &(struct msg_ledger_put){ .rows = buf_str(&rows),
			.only_if = LEDGER_IF_SAME,
			.was = k->row },
		    step == STATUS_AUTO_RESOLVE ? "post.resolve"
						: "post.update",
		    k->number);
	}
	buf_done(&update);
	buf_done(&value);
	buf_done(&rows);
	buf_done(&text);
}

/* --- judging ------------------------------------------------------------------------ */

static void
judge(struct auto_post *ap)
{
	const struct kept *own = our_own(ap);
	struct auto_post_states states = { 0 };
	struct status_affects affects;
	struct status_auto a = { .post = own != NULL ? &own->post : NULL,
		.now_s = loop_time(ap->sv->loop),
		.after_s = ap->sv->conf->site_post_after_s,
		.language = str_c(ap->sv->conf->site_language) };
	enum status_auto_step step;

	auto_post_states(ap->sv, ap, &states);
	a.v = states.v;
	a.n = states.n;
	step = status_auto_judge(&a, &affects);
	if (step == STATUS_AUTO_OPEN && !writes_too_much(ap, a.now_s))
		open_post(ap, &a, &affects);
	else if (step == STATUS_AUTO_OPEN)
		ap->not_before_ms = server_now_ms() + FULL_AGAIN_MS;
	else if (step != STATUS_AUTO_NOTHING)
		update_post(ap, own, &a, step, &affects);
	free(states.v);
}

void
auto_post_tick(struct auto_post *ap)
{
	uint64_t now = loop_time(ap->sv->loop);
	uint64_t after = ap->sv->conf->site_post_after_s;

	if (after == 0 || ap->is_full || ap->is_putting ||
	    server_now_ms() < ap->not_before_ms ||
	    now < ap->judged_s + after / 60)
		return;
	ap->judged_s = now;
	/* It was switched on just now, or could not be read. */
	if (!ap->is_loaded)
		auto_post_load(ap);
	else
		judge(ap);
}
