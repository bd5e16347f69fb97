/* SPDX-License-Identifier: ISC */
/*
 * flows.c - what waits for whom, and why. See flows.h.
 *
 * What the store told of a domain that has no place here is part of "others"; when it gets
 * one, that part moves with it, so the sums are right whatever comes and goes. Each
 * minute flows are looked at, those with nothing in them are forgotten, and the watcher is
 * told which are stuck.
 */
#include "send/queue/flows.h"

#include "base/metrics.h"
#include "proto/reply/reply.h"
#include "send/queue/dest.h"
#include "send/queue/flow.h"
#include "send/server.h"

#define LOOK_MS     60000
#define FORGET_MS   600000 /* a domain of which nothing waits */
#define REPLY_KEPT  200
#define LIST_MAX    KIB(512)
#define STUCK_MAX   32 /* that the watcher is told of */
#define STUCK_BYTES KIB(30)
#define OTHERS      "others"
#define KEY_MAX     300

/* A destination. */
struct place {
	struct table_item item;
	struct flow flow;
	uint32_t domains;      /* that are placed here */
	uint64_t oldest, held; /* scratch of a listing */
	bool is_domain;
	uint64_t caused_ms; /* 0: never */
	int code;
	char cause[24], reply[REPLY_KEPT + 1];
	char name[];
};

struct known {
	struct table_item item;
	struct place *place;
	uint32_t waiting, held;
	uint64_t oldest;  /* seconds; 0: none waits */
	uint64_t used_ms; /* the last time */
	char name[];
};

struct flows {
	struct server *sv;
	struct table places, domains;
	struct place *others;
	struct flow all;
	uint64_t held; /* of all */
	struct loop_timer *timer;
	uint64_t now_ms; /* wall clock, of the call that is under way */
};

/* --- places -------------------------------------------------------------------------- */

static struct place *
make_place(struct flows *fs, struct str name, bool is_domain)
{
	struct place *p = x_zalloc(sizeof(*p) + name.n + 1);

	memcpy(p->name, name.p, name.n);
	p->is_domain = is_domain;
	table_add(&fs->places, &p->item, str_make(p->name, name.n));
	return p;
}

static struct place *
get_place(struct flows *fs, struct str name, bool is_domain)
{
	struct table_item *item = table_find(&fs->places, name);

	if (item != NULL)
		return CONTAINER_OF(item, struct place, item);
	if (fs->places.n >= FLOWS_MAX)
		return fs->others;
	return make_place(fs, name, is_domain);
}

static void
change(
    struct place *p, uint32_t began, uint32_t left, int64_t more, uint64_t now)
{
	uint64_t waiting = p->flow.waiting + (uint64_t)more;

	/* A store that was damaged may have told less than it takes back. */
	if (more < 0 && (uint64_t)-more > p->flow.waiting)
		waiting = 0;
	flow_change(&p->flow, began, left, waiting, now);
}

static void
put_into(struct flows *fs, struct known *k, struct place *to)
{
	if (k->place == to)
		return;
	if (k->place != NULL) {
		change(k->place, 0, 0, -(int64_t)k->waiting, fs->now_ms);
		k->place->domains--;
	}
	change(to, 0, 0, k->waiting, fs->now_ms);
	to->domains++;
	k->place = to;
}

/* NULL: there is no room, or (is_new false) it is not known. */
static struct known *
get_domain(struct flows *fs, struct str name, bool is_new)
{
	struct table_item *item = table_find(&fs->domains, name);
	struct known *k;

	if (item != NULL)
		return CONTAINER_OF(item, struct known, item);
	if (!is_new || fs->domains.n >= FLOWS_DOMAINS_MAX)
		return NULL;
	k = x_zalloc(sizeof(*k) + name.n + 1);
	memcpy(k->name, name.p, name.n);
	table_add(&fs->domains, &k->item, str_make(k->name, name.n));
	return k;
}

void
flows_place(struct flows *fs, struct str domain, const struct dest *d)
{
	const struct dest_host *h = dest_host(d, 0);
	struct known *k = get_domain(fs, domain, true);
	struct str group = provider_of(fs->sv->providers, str_c(h->name));
	char key[KEY_MAX];

	if (k == NULL)
		return;
	fs->now_ms = loop_time_ms(fs->sv->loop);
	k->used_ms = fs->now_ms;
	if (dest_is_relay(d)) {
		snprintf(key, sizeof(key), "relay:%s:%u", h->name,
		    h->port ? h->port : 25);
		put_into(fs, k, get_place(fs, str_c(key), false));
	} else if (group.n > 0) {
		put_into(fs, k, get_place(fs, group, false));
	} else {
		put_into(fs, k, get_place(fs, domain, true));
	}
}

/* --- what the store tells -------------------------------------------------------------- */

static void
forget_domain(struct flows *fs, struct known *k)
{
	if (k->place != NULL) {
		change(k->place, 0, 0, -(int64_t)k->waiting, fs->now_ms);
		k->place->domains--;
	}
	table_remove(&fs->domains, &k->item);
	free(k);
}

static void
each_domain(struct flows *fs, void (*fn)(struct flows *fs, struct known *k))
{
	for (size_t i = 0; i < fs->domains.cap; i++)
		for (struct table_item *t = fs->domains.slots[i]; t != NULL;) {
			struct known *k = CONTAINER_OF(t, struct known, item);

			t = t->next;
			fn(fs, k);
		}
}

/* What was told before counts no more; paces do. */
static void
begin_anew(struct flows *fs)
{
	each_domain(fs, forget_domain);
	for (size_t i = 0; i < fs->places.cap; i++)
		for (struct table_item *t = fs->places.slots[i]; t != NULL;
		     t = t->next)
			CONTAINER_OF(t, struct place, item)->flow.waiting = 0;
	fs->all.waiting = 0;
	fs->held = 0;
}

static void
take(struct flows *fs, const struct msg_queue_count *m)
{
	/* What came and went at once needs no place. */
	struct known *k =
	    get_domain(fs, m->domain, m->waiting + m->was + m->held > 0);
	uint64_t all = fs->all.waiting + m->waiting;
	uint64_t now = fs->now_ms;
	int64_t elsewhere = m->was;

	flow_change(&fs->all, m->began, m->left, all - MIN(all, m->was), now);
	fs->held += m->held;
	fs->held -= MIN(fs->held, m->held_was);
	if (k == NULL) {
		change(fs->others, m->began, m->left,
		    (int64_t)m->waiting - m->was, now);
		return;
	}
	elsewhere -= k->waiting;
	if (k->place == NULL)
		put_into(fs, k, get_place(fs, m->domain, true));
	if (elsewhere != 0)
		change(fs->others, 0, 0, -elsewhere, now);
	change(
	    k->place, m->began, m->left, (int64_t)m->waiting - k->waiting, now);
	k->waiting = m->waiting;
	k->held = m->held;
	k->oldest = m->oldest;
	k->used_ms = now;
}

bool
flows_counts(struct flows *fs, struct str body, uint64_t now_ms)
{
	struct msg_queue_counts m;
	struct msg_queue_count c;
	struct wire w;

	if (!msg_queue_counts_get(body, &m))
		return false;
	fs->now_ms = now_ms;
	if (m.is_anew)
		begin_anew(fs);
	w = wire_read(m.counts);
	while (w.in.n > 0) {
		if (!msg_queue_count_read(&w, &c))
			return false;
		take(fs, &c);
	}
	return true;
}

/* --- why ------------------------------------------------------------------------------- */

/* In one word; the reply has the rest. */
static const char *
cause_of(const struct judgement *j)
{
	if (j->has_class)
		return reply_class_str((enum reply_class)j->class);
	switch (j->status.subject) {
	case 3:
		return "local";
	case 4:
		return j->status.detail == 3 || j->status.detail == 4
		           ? "dns"
		           : "connection";
	case 7:
		return j->status.detail == 1 ? "blocked" : "tls";
	default:
		return "connection";
	}
}

void
flows_deferred(struct flows *fs, struct str domain, const struct judgement *j)
{
	struct known *k = get_domain(fs, domain, false);
	struct place *p = k != NULL && k->place != NULL ? k->place : fs->others;

	p->caused_ms = loop_time_ms(fs->sv->loop);
	p->code = j->code;
	snprintf(p->cause, sizeof(p->cause), "%s", cause_of(j));
	snprintf(p->reply, sizeof(p->reply), "%.*s",
	    STR_ARG(str_first(j->text, REPLY_KEPT)));
}

uint64_t
flows_waiting(const struct flows *fs, struct str name)
{
	struct table_item *item = table_find(&fs->places, name);

	if (name.n == 0)
		return fs->all.waiting;
	return item != NULL
	           ? CONTAINER_OF(item, struct place, item)->flow.waiting
	           : 0;
}

/* --- each minute ------------------------------------------------------------------------- */

static void
forget_if_old(struct flows *fs, struct known *k)
{
	if (k->waiting + k->held == 0 && fs->now_ms > k->used_ms + FORGET_MS)
		forget_domain(fs, k);
}

static void
put_stuck(struct buf *to, const struct place *p, struct flow *f, uint64_t now)
{
	/* The same that it was judged by. */
	struct flow_step sum = flow_sum(f, FLOW_STUCK_STEPS + 1, now);

	msg_sent_stuck_put(
	    to, &(struct msg_sent_stuck){ .name = p ? str_c(p->name) : STR(""),
		    .waiting = f->waiting,
		    .began = sum.began,
		    .left = sum.left,
		    .since = f->stuck_ms / 1000,
		    .cause = p ? str_c(p->cause) : STR(""),
		    .code = p ? (uint16_t)p->code : 0,
		    .reply = p ? str_c(p->reply) : STR("") });
}

static int
by_waiting(const void *pa, const void *pb)
{
	const struct place *const *a = pa, *const *b = pb;

	return ((*a)->flow.waiting < (*b)->flow.waiting) -
	       ((*a)->flow.waiting > (*b)->flow.waiting);
}

/* All places, those with most first; on the heap. */
static struct place **
sorted(struct flows *fs)
{
	struct place **v = x_calloc(fs->places.n, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < fs->places.cap; i++)
		for (struct table_item *t = fs->places.slots[i]; t != NULL;
		     t = t->next)
			v[n++] = CONTAINER_OF(t, struct place, item);
	qsort(v, n, sizeof(v[0]), by_waiting);
	return v;
}

/* When all of it is stuck, that is about us and not about each of them. */
static void
put_all_stuck(
    struct flows *fs, struct place **v, size_t n, uint64_t now, struct buf *to)
{
	size_t told = 0;

	if (fs->all.stuck_ms != 0) {
		put_stuck(to, NULL, &fs->all, now);
		return;
	}
	for (size_t i = 0; i < n && told < STUCK_MAX; i++)
		if (v[i]->flow.stuck_ms != 0 && to->n < STUCK_BYTES) {
			put_stuck(to, v[i], &v[i]->flow, now);
			told++;
		}
}

void
flows_look(struct flows *fs, uint64_t now_ms, struct buf *ret_stuck)
{
	size_t n = fs->places.n, stuck = 0;
	struct place **v = sorted(fs);

	fs->now_ms = now_ms;
	(void)flow_look(&fs->all, now_ms);
	for (size_t i = 0; i < n; i++) {
		(void)flow_look(&v[i]->flow, now_ms);
		stuck += v[i]->flow.stuck_ms != 0;
	}
	metric_set(M_SEND_STUCK, stuck);
	put_all_stuck(fs, v, n, now_ms, ret_stuck);
	each_domain(fs, forget_if_old);
	for (size_t i = 0; i < n; i++)
		if (v[i] != fs->others && v[i]->domains == 0 &&
		    flow_is_idle(&v[i]->flow, now_ms)) {
			table_remove(&fs->places, &v[i]->item);
			free(v[i]);
		}
	free(v);
}

static void
on_minute(void *arg)
{
	struct flows *fs = arg;
	struct ipc_peer *watch = runtime_peer(fs->sv->rt, ROLE_WATCH);
	struct buf stuck = BUF_INIT(STUCK_BYTES + KIB(2));

	flows_look(fs, loop_time_ms(fs->sv->loop), &stuck);
	if (watch != NULL)
		ipc_notify(watch, MSG_SENT_STUCK, 0, buf_str(&stuck), -1);
	buf_done(&stuck);
	loop_timer_set(fs->timer, LOOK_MS);
}

/* --- for the command line ------------------------------------------------------------------ */

static void
add_domain(UNUSED struct flows *fs, struct known *k)
{
	struct place *p = k->place;

	if (p != NULL)
		p->held += k->held;
	if (p != NULL && k->oldest != 0 &&
	    (p->oldest == 0 || k->oldest < p->oldest))
		p->oldest = k->oldest;
}

static void
put_row(struct flows *fs, struct place *p, struct buf *to)
{
	uint64_t now = loop_time_ms(fs->sv->loop);
	struct flow_forecast f = flow_forecast(&p->flow, now);

	msg_queue_destination_put(
	    to, &(struct msg_queue_destination){ .name = str_c(p->name),
		    .title = provider_title(fs->sv->providers, str_c(p->name)),
		    .waiting = p->flow.waiting,
		    .domains = p->domains,
		    .oldest = p->oldest,
		    .began = f.began,
		    .left = f.left,
		    .trend = (uint8_t)f.trend,
		    .empty = f.empty_ms / 1000,
		    .stuck = p->flow.stuck_ms / 1000,
		    .cause = str_c(p->cause),
		    .code = (uint16_t)p->code,
		    .reply = str_c(p->reply),
		    .caused = p->caused_ms / 1000,
		    .held = p->held });
}

void
flows_put(struct flows *fs, struct buf *to)
{
	size_t n = fs->places.n;
	struct place **v = sorted(fs);
	uint64_t held = 0;

	for (size_t i = 0; i < n; i++)
		v[i]->oldest = v[i]->held = 0;
	each_domain(fs, add_domain);
	for (size_t i = 0; i < n; i++)
		held += v[i]->held;
	/* Of domains that there was no room for. */
	fs->others->held += fs->held - MIN(held, fs->held);
	for (size_t i = 0; i < n && to->n < LIST_MAX; i++)
		if (v[i]->flow.waiting + v[i]->held > 0)
			put_row(fs, v[i], to);
	free(v);
}

bool
flows_request(struct flows *fs, struct ipc_peer *p, struct ipc_msg *m)
{
	struct ipc_return ret = ipc_return_new(p, m);
	struct buf items = BUF_INIT(LIST_MAX + KIB(4));
	struct buf body = BUF_INIT(LIST_MAX + KIB(8));

	flows_put(fs, &items);
	msg_list_reply_put(
	    &body, &(struct msg_list_reply){ .items = buf_str(&items) });
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&items);
	buf_done(&body);
	return true;
}

struct flows *
flows_new(struct server *sv)
{
	struct flows *fs = X_NEW(struct flows);

	fs->sv = sv;
	table_init(&fs->places);
	table_init(&fs->domains);
	fs->others = make_place(fs, STR(OTHERS), false);
	fs->timer = loop_timer_new(sv->loop, on_minute, fs);
	loop_timer_set(fs->timer, LOOK_MS);
	return fs;
}

void
flows_free(struct flows *fs)
{
	if (fs == NULL)
		return;
	each_domain(fs, forget_domain);
	for (size_t i = 0; i < fs->places.cap; i++)
		for (struct table_item *t = fs->places.slots[i]; t != NULL;) {
			struct place *p = CONTAINER_OF(t, struct place, item);

			t = t->next;
			free(p);
		}
	table_done(&fs->places);
	table_done(&fs->domains);
	loop_timer_free(fs->timer);
	free(fs);
}
