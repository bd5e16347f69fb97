/* SPDX-License-Identifier: ISC */
/*
 * hosts.c - the lines of acme.hosts: which certificate is due, what came of it,
 * when it is tried again.
 *
 * Due is what has no certificate, or one for other names, or one with less than
 * a third of its life left (acme_renew_at). What fails is tried again after a
 * pause that grows; a certificate that is there stays there.
 */
#include "acme/server.h"

#include "base/certificate.h"
#include "conf/conf_acme.h"

#define TICK_MS    30000
#define FIRST_MS   3000 /* role web is there by then */
#define SHORTEST_S 300  /* between two renewals */
#define ERROR_MAX  FAILURE_TEXT_MAX
#define DAY_S      86400ULL

struct host {
	char *host, *names; /* lines */
	struct hosts *all;
	char step[400], error[ERROR_MAX];
	uint64_t begins, ends; /* of the certificate; 0: there is none */
	uint64_t due, error_at, runs;
	unsigned failures; /* in a row */
	bool has_new_key;  /* asked for */
};

struct hosts {
	struct server *sv;
	struct host *v;
	size_t n;
	struct order *order; /* of running */
	size_t running;
	struct loop_timer *timer;
	const char *blocked; /* what the configuration lacks; NULL: nothing */
};

/* --- what is there ------------------------------------------------------------------ */

/* Is every wanted name among those of the certificate? */
static bool
covers(const char *has, const char *wanted)
{
	struct str rest = str_c(wanted), one, all, have;

	while (rest.n > 0) {
		bool is_there = false;

		rest = str_split(rest, '\n', &one);
		for (all = str_c(has); all.n > 0 && !is_there;) {
			all = str_split(all, '\n', &have);
			is_there = str_eq(have, one);
		}
		if (!is_there)
			return false;
	}
	return true;
}

/* The certificate's dates, and when it is due: at once when an order was begun. */
static void
look(struct host *h)
{
	struct server *sv = h->all->sv;
	struct certificate_facts f = { 0 };

	h->begins = h->ends = 0;
	h->due = loop_time(sv->loop);
	if (!files_certificate(sv, h->host, &f, NULL))
		return;
	h->begins = f.begins;
	h->ends = f.ends;
	if (covers(f.names, h->names) && !files_order_is_there(sv, h->host))
		h->due = acme_renew_at(f.begins, f.ends, secret_random_u32());
	certificate_facts_done(&f);
}

/* --- the configuration ---------------------------------------------------------------- */

static void
find_block(struct hosts *h)
{
	h->blocked = conf_acme_lack(h->sv->conf);
	if (h->blocked != NULL)
		log_event(EV_ACME_BLOCKED, LC("error", h->blocked));
}

/* What was known of a line that is still there. */
static void
keep_state(struct host *to, const struct hosts *old)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct host *o = &old->v[i];

		if (strcmp(o->host, to->host) != 0 ||
		    strcmp(o->names, to->names) != 0)
			continue;
		memcpy(to->step, o->step, sizeof(to->step));
		memcpy(to->error, o->error, sizeof(to->error));
		to->error_at = o->error_at;
		to->runs = o->runs;
		to->failures = o->failures;
		if (o->failures > 0)
			to->due = o->due;
		return;
	}
}

/* Orders of hosts that are not wanted any more. */
static void
drop_orders(struct hosts *h, const struct hosts *old)
{
	for (size_t i = 0; i < old->n; i++) {
		bool is_there = false;

		for (size_t j = 0; j < h->n && !is_there; j++)
			is_there = strcmp(h->v[j].host, old->v[i].host) == 0;
		if (!is_there)
			files_order_drop(h->sv, old->v[i].host);
	}
}

static void
free_list(struct hosts *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].host);
		free(h->v[i].names);
	}
	free(h->v);
}

static size_t
count_lines(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == '\n';
	return n;
}

static void
read_list(struct hosts *h, struct hosts *old)
{
	struct str all = str_c(h->sv->conf->acme_hosts), line, host;

	h->n = 0;
	h->v = x_calloc(MAX(count_lines(h->sv->conf->acme_hosts), (size_t)1),
	    sizeof(h->v[0]));
	while (all.n > 0) {
		struct host *to = &h->v[h->n++];

		all = str_split(all, '\n', &line);
		(void)str_split(line, ' ', &host);
		to->all = h;
		to->host = str_dup(host);
		to->names = x_asprintf("%.*s\n", STR_ARG(line));
		for (char *p = to->names; *p != '\0'; p++)
			if (*p == ' ')
				*p = '\n';
		look(to);
		keep_state(to, old);
	}
}

void
hosts_configure(struct hosts *h)
{
	struct hosts old = *h;

	/* It goes on where it was: its order is on disk. */
	if (h->order != NULL)
		order_cancel(TAKE_PTR(h->order));
	read_list(h, &old);
	drop_orders(h, &old);
	free_list(&old);
	find_block(h);
	hosts_wake(h);
}

/* --- an order ---------------------------------------------------------------------------- */

static void
on_step(void *arg, const char *text)
{
	struct host *h = arg;

	snprintf(h->step, sizeof(h->step), "%s", text);
}

static uint64_t
days_left(const struct host *h)
{
	uint64_t now = loop_time(h->all->sv->loop);

	return h->ends > now ? (h->ends - now) / DAY_S : 0;
}

static void
take_failure(struct host *h, const struct failure *f)
{
	uint64_t now = loop_time(h->all->sv->loop);
	uint32_t pause;

	h->failures++;
	pause = acme_pause(
	    h->failures, f->is_limited, f->retry_after_s, secret_random_u32());
	h->due = now + pause;
	h->error_at = now;
	snprintf(h->error, sizeof(h->error), "%s", f->text);
	snprintf(h->step, sizeof(h->step), "failed");
	log_event(EV_ACME_FAIL, LC("host", h->host), LC("error", h->error),
	    LU("failures", h->failures), LU("again_s", pause),
	    LU("days_left", days_left(h)));
}

static void
on_done(void *arg, const struct failure *f)
{
	struct host *h = arg;
	uint64_t now = loop_time(h->all->sv->loop);

	h->all->order = NULL;
	h->runs++;
	h->has_new_key = false;
	if (f != NULL) {
		take_failure(h, f);
	} else {
		look(h);
		h->due = MAX(h->due, now + SHORTEST_S);
		h->failures = 0;
		h->error[0] = '\0';
		snprintf(h->step, sizeof(h->step), "done");
		log_event(EV_ACME_DONE, LC("host", h->host),
		    LU("ends", h->ends), LU("next", h->due));
	}
	hosts_wake(h->all);
}

static void
begin(struct hosts *h, size_t i)
{
	struct host *x = &h->v[i];
	struct conf_acme_kinds kinds = conf_acme_kinds(h->sv->conf);
	struct order_config config = { .host = x->host,
		.names = x->names,
		.has_new_key = x->has_new_key || h->sv->conf->acme_new_keys,
		.step = on_step,
		.done = on_done,
		.arg = x };

	/* After a failure the other one, if there is a choice. */
	config.kinds[ACME_HTTP_01] = kinds.http_01;
	config.kinds[ACME_TLS_ALPN_01] = kinds.tls_alpn_01;
	config.first = (enum acme_kind)(x->failures % ACME_KINDS);
	h->running = i;
	h->order = order_start(h->sv, &config);
}

/* --- what is due --------------------------------------------------------------------------- */

static void
tick(void *arg)
{
	struct hosts *h = arg;
	uint64_t now = loop_time(h->sv->loop);
	size_t best = h->n;

	loop_timer_set(h->timer, TICK_MS);
	if (h->order != NULL || h->blocked != NULL)
		return;
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].due <= now &&
		    (best == h->n || h->v[i].due < h->v[best].due))
			best = i;
	if (best < h->n)
		begin(h, best);
}

void
hosts_wake(struct hosts *h)
{
	if (h != NULL)
		loop_timer_set(h->timer, 1);
}

struct hosts *
hosts_new(struct server *sv)
{
	struct hosts *h = X_NEW(struct hosts);

	h->sv = sv;
	h->timer = loop_timer_new(sv->loop, tick, h);
	hosts_configure(h);
	loop_timer_set(h->timer, FIRST_MS);
	return h;
}

void
hosts_stop(struct hosts *h)
{
	loop_timer_clear(h->timer);
	if (h->order != NULL)
		order_cancel(TAKE_PTR(h->order));
}

/* --- the command line ------------------------------------------------------------------------ */

size_t
hosts_count(const struct hosts *h)
{
	return h->n;
}

void
hosts_row(const struct hosts *h, size_t i, struct msg_acme_row *ret)
{
	const struct host *x = &h->v[i];
	bool is_due = x->due <= loop_time(h->sv->loop);
	enum acme_state state = h->blocked != NULL ? ACME_STATE_BLOCKED
	                        : h->order != NULL && h->running == i
	                            ? ACME_STATE_RUNNING
	                        : is_due ? ACME_STATE_QUEUED
	                                 : ACME_STATE_WAITING;

	*ret = (struct msg_acme_row){ .host = str_c(x->host),
		.names = str_c(x->names),
		.state = (uint8_t)state,
		.step = str_c(x->step),
		.ends = x->ends,
		.next = x->due,
		.runs = x->runs,
		.error = str_c(h->blocked ? h->blocked : x->error),
		.error_at = x->error_at };
}

bool
hosts_renew(struct hosts *h, struct str host, bool has_new_key)
{
	bool is_there = false;

	for (size_t i = 0; i < h->n; i++) {
		struct host *x = &h->v[i];

		if (host.n > 0 && !str_eq(host, str_c(x->host)))
			continue;
		is_there = true;
		x->has_new_key |= has_new_key;
		x->due = 0;
	}
	hosts_wake(h);
	return is_there;
}
