/* SPDX-License-Identifier: ISC */
/* dest.c - destinations: who waits, who is connected. See dest.h. */
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "send/route/breakers.h"
#include "send/queue/dest.h"
#include "send/session/session.h"

/* Destinations without mail that are remembered. */
#define DESTS_KEPT 20000
#define SWEEP_MS   60000
/* So many more that wait are worth another connection. */
#define MAILS_A_CONNECTION 4

struct dest {
	struct table_item item;
	struct server *sv;
	struct buf key;
	unsigned refs; /* of look-ups; those without live on for a while */
	bool is_relay, is_secure, is_starved;
	enum route_tls tls;
	struct way way;
	struct pace pace;
	struct mails waiting;
	size_t n_waiting;
	struct session *sessions;
	size_t n_opening;
	struct dest *starved_next; /* waits for a connection slot */
	uint64_t used_ms;
	/* Why it is closed. */
	struct judgement verdict;
	char text[VERDICT_TEXT_MAX + 1];
	char mx[MX_NAME_MAX + 1], mx_ip[INET6_ADDRSTRLEN];
	size_t n;
	struct dest_host hosts[];
};

struct dests {
	struct server *sv;
	struct table table;
	struct dest *starved, **starved_end;
	struct loop_timer *sweep;
	bool is_queued;
};

static void run(struct dest *d);

/* --- finding --------------------------------------------------------------------------- */

/* What TLS has to be with each host, the same for every order of them. */
static void
put_tls(struct buf *b, const struct dest_spec *spec)
{
	size_t order[MX_HOSTS_MAX];

	for (size_t i = 0; i < spec->n; i++) {
		size_t j = i;

		for (; j > 0 && strcmp(spec->hosts[i].name,
				    spec->hosts[order[j - 1]].name) < 0;
		     j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	buf_put_char(b, ' ');
	for (size_t i = 0; i < spec->n; i++) {
		const struct dest_host *h = &spec->hosts[order[i]];

		buf_put_char(b, (char)('a' + (int)h->rule));
		buf_put_char(b, (char)('a' + (int)h->sts));
	}
}

static void
put_key(const struct server *sv, struct buf *b, const struct dest_spec *spec)
{
	const struct route_way *w = spec->way;

	buf_printf(b, "%c%c%d %u ", spec->is_relay ? 'r' : 'd',
	    spec->is_secure ? 's' : '-', (int)spec->tls,
	    spec->n > 0 ? spec->hosts[0].port : 0);
	way_source_put(sv->conf, w, b);
	buf_printf(b, " %.*s %.*s", STR_ARG(way_helo(sv->conf, w, AF_INET)),
	    STR_ARG(way_helo(sv->conf, w, AF_INET6)));
	if (w != NULL && w->login.n > 0)
		buf_printf(b, " %.*s", STR_ARG(w->login));
	if (w != NULL && w->login.n > 0)
		buf_printf(b, " %u %d", spec->generation, w->allows_cleartext);
	buf_put_char(b, ' ');
	buf_put_str(b, spec->key);
	put_tls(b, spec);
}

static struct dest *
make(struct server *sv, const struct dest_spec *spec, struct buf *key)
{
	struct dest *d =
	    x_zalloc(sizeof(*d) + spec->n * sizeof(struct dest_host));

	d->sv = sv;
	d->key = *key;
	d->tls = spec->tls;
	d->is_relay = spec->is_relay;
	d->is_secure = spec->is_secure;
	way_init(&d->way, sv->conf, spec->way, spec->password);
	d->n = spec->n;
	TAILQ_INIT(&d->waiting);
	for (size_t i = 0; i < spec->n; i++) {
		d->hosts[i] = spec->hosts[i];
		d->hosts[i].name = x_strdup(spec->hosts[i].name);
	}
	table_add(&sv->dests->table, &d->item, buf_str(&d->key));
	return d;
}

struct dest *
dest_get(struct server *sv, const struct dest_spec *spec)
{
	struct buf key = BUF_INIT(KIB(64));
	struct table_item *item;

	put_key(sv, &key, spec);
	item = table_find(&sv->dests->table, buf_str(&key));
	if (item == NULL)
		return dest_ref(make(sv, spec, &key));
	buf_done(&key);
	return dest_ref(CONTAINER_OF(item, struct dest, item));
}

struct dest *
dest_ref(struct dest *d)
{
	d->refs++;
	d->used_ms = loop_now_ms(d->sv->loop);
	return d;
}

void
dest_unref(struct dest *d)
{
	ASSERT(d->refs > 0);
	d->refs--;
}

static void
free_dest(struct dest *d)
{
	table_remove(&d->sv->dests->table, &d->item);
	for (size_t i = 0; i < d->n; i++)
		free((void *)(uintptr_t)d->hosts[i].name);
	buf_done(&d->key);
	way_done(&d->way);
	free(d);
}

static bool
is_forgettable(const struct dest *d, uint64_t now)
{
	return d->refs == 0 && d->sessions == NULL && d->n_waiting == 0 &&
	       !d->is_starved && !pace_is_closed(&d->pace, now) &&
	       now > d->used_ms + SWEEP_MS;
}

/* What was learned about those that nobody asks for is given up. */
static void
sweep(void *arg)
{
	struct dests *ds = arg;
	uint64_t now = loop_now_ms(ds->sv->loop);

	for (size_t i = 0; i < ds->table.cap; i++)
		for (struct table_item *t = ds->table.slots[i]; t != NULL;) {
			struct dest *d = CONTAINER_OF(t, struct dest, item);

			t = t->next;
			if (is_forgettable(d, now))
				free_dest(d);
		}
	loop_timer_set(ds->sweep, SWEEP_MS);
}

size_t
dest_hosts(const struct dest *d)
{
	return d->n;
}

const struct dest_host *
dest_host(const struct dest *d, size_t i)
{
	return &d->hosts[i];
}

enum route_tls
dest_tls(const struct dest *d)
{
	return d->tls;
}

bool
dest_is_relay(const struct dest *d)
{
	return d->is_relay;
}

bool
dest_is_secure(const struct dest *d)
{
	return d->is_secure;
}

const struct way *
dest_way(const struct dest *d)
{
	return &d->way;
}

/* --- connection slots --------------------------------------------------------------------- */

static bool
has_slot(const struct dest *d)
{
	const struct server *sv = d->sv;
	uint32_t max = sv->conf->send_connections;

	return sv->connections < max &&
	       (pace_is_proven(&d->pace) || sv->probing < MAX(max / 2, 1));
}

static void
starve(struct dest *d)
{
	struct dests *ds = d->sv->dests;

	if (d->is_starved)
		return;
	session_evict(d->sv);
	d->is_starved = true;
	d->starved_next = NULL;
	*ds->starved_end = d;
	ds->starved_end = &d->starved_next;
}

/* A connection ended: those that wait for one come in turn. */
static void
feed(void *arg)
{
	struct dests *ds = arg;
	struct dest *d = ds->starved;

	ds->is_queued = false;
	ds->starved = NULL;
	ds->starved_end = &ds->starved;
	while (d != NULL) {
		struct dest *next = d->starved_next;

		d->is_starved = false;
		run(d); /* may starve again, at the end of the line */
		d = next;
	}
}

static void
feed_later(struct dests *ds)
{
	if (ds->starved == NULL || ds->is_queued)
		return;
	ds->is_queued = true;
	loop_defer(ds->sv->loop, feed, ds);
}

/* --- mails ---------------------------------------------------------------------------------- */

static void
queue_mail(struct dest *d, struct mail *m, bool is_first)
{
	if (is_first)
		TAILQ_INSERT_HEAD(&d->waiting, m, link);
	else
		TAILQ_INSERT_TAIL(&d->waiting, m, link);
	d->n_waiting++;
}

static struct mail *
pop_mail(struct dest *d)
{
	struct mail *m = TAILQ_FIRST(&d->waiting);

	if (m == NULL)
		return NULL;
	TAILQ_REMOVE(&d->waiting, m, link);
	d->n_waiting--;
	return m;
}

static void
settle_waiting(struct dest *d)
{
	struct trip trip = { .mx = str_c(d->mx), .mx_ip = str_c(d->mx_ip) };
	struct mail *m;

	while ((m = pop_mail(d)) != NULL) {
		/* A canary loses nothing: it has another way. */
		if (m->is_canary) {
			m->is_canary = false;
			breakers_unsure(
			    d->sv->breakers, d, domain_name(m->domain));
			lookup_mail(d->sv, m);
			continue;
		}
		trip.route = str_c(m->via != NULL ? m->via : d->way.label);
		domain_set_state(m->domain, false, d->pace.closed_until_ms);
		settle_all(d->sv, m, &d->verdict, &trip);
	}
}

bool
dest_end_canary(struct dest *d)
{
	bool was_there = false;
	struct mail *m;

	TAILQ_FOREACH(m, &d->waiting, link)
	{
		was_there |= m->is_canary;
		m->is_canary = false;
	}
	return was_there;
}

bool
dest_waits_for(const struct dest *d, struct str domain)
{
	const struct mail *m;

	TAILQ_FOREACH(m, &d->waiting, link)
	{
		if (str_eq(domain_name(m->domain), domain))
			return true;
	}
	return false;
}

static void
take_waiting(struct dest *d, struct mails *to)
{
	(void)dest_end_canary(d);
	TAILQ_CONCAT(to, &d->waiting, link);
	d->n_waiting = 0;
}

/* The way is shut: those that waited for it take another one. */
static void
choose_again(struct server *sv, struct mails *mails)
{
	struct mail *m;

	while ((m = TAILQ_FIRST(mails)) != NULL) {
		TAILQ_REMOVE(mails, m, link);
		lookup_mail(sv, m);
	}
}

static void
move_waiting(struct dest *d)
{
	struct mails mails = TAILQ_HEAD_INITIALIZER(mails);

	take_waiting(d, &mails);
	choose_again(d->sv, &mails);
}

void
dests_move(struct dests *ds, bool (*is_shut)(void *arg, const struct dest *d),
    void *arg)
{
	struct mails mails = TAILQ_HEAD_INITIALIZER(mails);

	/* Choosing makes destinations: not while the table is walked. */
	for (size_t i = 0; i < ds->table.cap; i++)
		for (struct table_item *t = ds->table.slots[i]; t != NULL;
		     t = t->next) {
			struct dest *d = CONTAINER_OF(t, struct dest, item);

			if (d->n_waiting > 0 && is_shut(arg, d))
				take_waiting(d, &mails);
		}
	choose_again(ds->sv, &mails);
}

void
dest_add(struct dest *d, struct mail *m)
{
	d->used_ms = loop_now_ms(d->sv->loop);
	m->there_ms = loop_time_ms(d->sv->loop);
	m->attempt_ms = 0;
	queue_mail(d, m, false);
	if (pace_is_closed(&d->pace, d->used_ms)) {
		settle_waiting(d);
		return;
	}
	domain_set_state(m->domain, pace_is_proven(&d->pace), 0);
	run(d);
}

static struct session *
idle_session(struct dest *d)
{
	struct session *s = d->sessions;

	while (s != NULL && !session_is_idle(s))
		s = *session_next(s);
	return s;
}

static void
open_session(struct dest *d)
{
	struct session *s;

	pace_begin(&d->pace);
	d->n_opening++;
	d->sv->connections++;
	if (!pace_is_proven(&d->pace))
		d->sv->probing++;
	metric_set(M_SEND_CONNECTIONS, d->sv->connections);
	s = session_new(d, d->sv);
	*session_next(s) = d->sessions;
	d->sessions = s;
}

/* Connections for what waits. */
static void
run(struct dest *d)
{
	uint64_t now = loop_now_ms(d->sv->loop);
	struct session *s;

	if (d->sv->is_stopping || d->n_waiting == 0)
		return;
	s = idle_session(d);
	if (s != NULL) {
		session_wake(s);
		return;
	}
	/* Each one should have some mails to carry. */
	while (d->n_opening <= (d->n_waiting - 1) / MAILS_A_CONNECTION &&
	       pace_may_open(&d->pace, &d->sv->pace, now)) {
		if (!has_slot(d)) {
			starve(d);
			return;
		}
		open_session(d);
	}
}

struct domain *
dest_first_domain(const struct dest *d)
{
	const struct mail *m = TAILQ_FIRST(&d->waiting);

	return m != NULL ? m->domain : NULL;
}

struct mail *
dest_take(struct dest *d, UNUSED struct session *s)
{
	uint64_t now = loop_now_ms(d->sv->loop);
	struct mail *m;

	/* Too near to the end of their lease: somebody else may have them. */
	while ((m = pop_mail(d)) != NULL && m->until_ms <= now)
		settle_release(d->sv, m);
	if (m != NULL)
		domain_set_state(m->domain, true, 0);
	d->used_ms = now;
	run(d);
	return m;
}

void
dest_give_back(struct dest *d, struct mail *m)
{
	queue_mail(d, m, true);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void
not_probing(struct dest *d)
{
	if (!pace_is_proven(&d->pace))
		d->sv->probing--;
}

void
dest_opened(struct dest *d, UNUSED struct session *s)
{
	/* All of its sessions cease to be probes with the first answer. */
	if (!pace_is_proven(&d->pace))
		d->sv->probing -= d->pace.open;
	pace_opened(&d->pace, &d->sv->pace, loop_now_ms(d->sv->loop));
	d->n_opening--;
}

void
dest_delivered(struct dest *d)
{
	pace_delivered(&d->pace, &d->sv->pace);
}

static void
unlink_session(struct dest *d, struct session *s)
{
	struct session **at = &d->sessions;

	while (*at != s)
		at = session_next(*at);
	*at = *session_next(s);
}

static void
keep_verdict(struct dest *d, const struct judgement *j, const struct trip *trip)
{
	d->verdict = *j;
	d->verdict.text = str_first(j->text, VERDICT_TEXT_MAX);
	memcpy(d->text, d->verdict.text.p ? d->verdict.text.p : "",
	    d->verdict.text.n);
	d->verdict.text.p = d->text;
	snprintf(d->mx, sizeof(d->mx), "%.*s", STR_ARG(trip->mx));
	snprintf(d->mx_ip, sizeof(d->mx_ip), "%.*s", STR_ARG(trip->mx_ip));
}

void
dest_closed(struct dest *d, struct session *s, const struct judgement *j,
    const struct trip *trip)
{
	uint64_t now = loop_now_ms(d->sv->loop);

	unlink_session(d, s);
	d->sv->connections--;
	metric_set(M_SEND_CONNECTIONS, d->sv->connections);
	not_probing(d);
	if (session_is_opening(s))
		d->n_opening--;
	if (j != NULL && j->is_blocked) {
		/* It is alive, and will not have us. */
		pace_end(&d->pace);
		move_waiting(d);
	} else if (j == NULL) {
		pace_end(&d->pace);
	} else {
		keep_verdict(d, j, trip);
		if (pace_failed(
			&d->pace, &d->sv->pace, now, secret_random_u32())) {
			log_event(EV_SEND_DEST_DOWN, LC("mx", d->mx),
			    LC("ip", d->mx_ip), LC("reason", d->text),
			    LU("pause_ms", d->pace.closed_until_ms - now),
			    LU("waiting", d->n_waiting));
			settle_waiting(d);
		}
	}
	run(d);
	feed_later(d->sv->dests);
}

void
dests_stop(struct dests *ds)
{
	for (size_t i = 0; i < ds->table.cap; i++)
		for (struct table_item *t = ds->table.slots[i]; t != NULL;
		     t = t->next) {
			struct dest *d = CONTAINER_OF(t, struct dest, item);
			struct mail *m;

			while ((m = pop_mail(d)) != NULL)
				settle_release(ds->sv, m);
			for (struct session *s = d->sessions, *next; s != NULL;
			     s = next) {
				next = *session_next(s);
				session_stop(s);
			}
		}
}

struct dests *
dests_new(struct server *sv)
{
	struct dests *ds = X_NEW(struct dests);

	ds->sv = sv;
	ds->starved_end = &ds->starved;
	table_init(&ds->table);
	ds->sweep = loop_timer_new(sv->loop, sweep, ds);
	loop_timer_set(ds->sweep, SWEEP_MS);
	return ds;
}
