/* SPDX-License-Identifier: ISC */
/*
 * watched.c - from rows to what is watched.
 *
 * A check whose row stays the same goes on with all that is known of it; a
 * changed one begins anew, with its history. What a check depends on follows
 * from the systems: the first check of a system (a ping, else a TCP connection, else
 * the first by name) speaks for it; the other checks of the system depend on it, and
 * it depends on those of the parents.
 */
#include "base/log.h"
#include "base/metrics.h"
#include "watch/server.h"

/* A first probe comes within this time. */
#define FIRST_MS 15000

struct watch_check *
watched_state(const struct watched *w)
{
	return &w->sv->set.checks[w->index];
}

struct watched *
watched_find(struct server *sv, struct str key)
{
	size_t low = 0, high = sv->n_watched;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (str_cmp(str_c(sv->watched[mid]->key), key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < sv->n_watched && str_eq(str_c(sv->watched[low]->key), key))
		return sv->watched[low];
	return NULL;
}

/* --- one --------------------------------------------------------------------- */

static void
on_due(void *arg)
{
	schedule_due(arg);
}

static struct watch_config
config_of(const struct status_check *c)
{
	struct watch_config w = watch_config_default();
	uint32_t every = (uint32_t)status_check_ms(c, STATUS_OPT_EVERY);
	uint32_t timeout = (uint32_t)status_check_ms(c, STATUS_OPT_TIMEOUT);

	w.interval_ms = every;
	w.timeout_ms = timeout;
	w.stale_ms = MAX(w.stale_ms, every * 2 + timeout + 40000);
	/* Three probes that take as long as they may, and the pauses. */
	w.confirm_ms = MAX(w.confirm_ms, 60000 + 4 * timeout);
	return w;
}

static struct watched *
new_watched(struct server *sv, struct mirror_row row, struct watch_check *state)
{
	struct watched *w = X_NEW(struct watched);
	struct watch_config config;
	const uint8_t network = 0;
	uint64_t now = server_now_ms();
	int r;

	w->sv = sv;
	w->key = str_dup(row.key);
	w->row = str_copy(row.value);
	w->days = PROBE_NO_DAYS;
	if (!status_check_decode(w->row, &w->check))
		die("a row that was good is not any more");
	config = config_of(&w->check);
	watch_state_init(&state->state, &config, &network, 1,
	    now + 1 + server_random(MIN(FIRST_MS, config.interval_ms)));
	w->spent_ms = w->born_ms = now;
	w->due = loop_timer_new(sv->loop, on_due, w);
	r = history_open(sv->dir, w->key, &w->history);
	if (r < 0)
		log_event(EV_WATCH_HISTORY, LC("check", w->key),
		    LC("error", strerror(-r)));
	return w;
}

static void
free_watched(struct watched *w, bool is_gone)
{
	if (w->probe != NULL)
		probe_cancel(w->probe);
	loop_timer_free(w->due);
	history_close(w->history);
	if (is_gone)
		history_remove(w->sv->dir, w->key);
	free(w->key);
	if (w->row.n > 0)
		explicit_bzero((void *)(uintptr_t)w->row.p, w->row.n);
	str_free(&w->row);
	free(w);
}

/* --- what depends on what ------------------------------------------------------ */

static struct str
system_of(const struct watched *w)
{
	struct str system;

	(void)str_split(str_c(w->key), '/', &system);
	return system;
}

/* The one that speaks for its system; NULL: it has no checks. */
static struct watched *
speaker(struct server *sv, struct str system)
{
	struct watched *best = NULL;

	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];

		if (!str_eq(system_of(w), system))
			continue;
		if (best == NULL ||
		    (w->check.kind == STATUS_PING &&
			best->check.kind != STATUS_PING) ||
		    (w->check.kind == STATUS_TCP &&
			best->check.kind > STATUS_PING))
			best = w;
	}
	return best;
}

static void
set_parents(struct server *sv, struct watched *w, const struct watched *head,
    const struct status_system *s)
{
	uint16_t parents[WATCH_PARENTS_MAX];
	size_t n = 0;

	if (head != w)
		parents[n++] = (uint16_t)head->index;
	for (size_t i = 0; head == w && i < s->n_parents; i++) {
		struct buf key = BUF_INIT(STATUS_ID_MAX);
		struct watched *parent;

		status_put_key(&key, s->parents[i]);
		parent = speaker(sv, buf_str(&key));
		if (parent != NULL && n < WATCH_PARENTS_MAX)
			parents[n++] = (uint16_t)parent->index;
		buf_done(&key);
	}
	if (!watch_set_parents(&sv->set, w->index, parents, n))
		log_event(EV_WATCH_BAD_ROW, LC("check", w->key),
		    LC("why", "its parents depend on it"));
}

/* All checks of a system, which stand together. */
static size_t
join_system(struct server *sv, size_t from)
{
	struct str system = system_of(sv->watched[from]), value;
	struct watched *head = speaker(sv, system);
	struct status_system s = { 0 };
	size_t i = from;

	if (!mirror_find(sv->mirror, LEDGER_SYSTEM, system, &value) ||
	    !status_system_decode(value, &s))
		s = (struct status_system){ 0 };
	for (; i < sv->n_watched; i++) {
		if (!str_eq(system_of(sv->watched[i]), system))
			break;
		set_parents(sv, sv->watched[i], head, &s);
	}
	return i;
}

/* --- maintenance ------------------------------------------------------------------ */

static uint64_t
boot_ms(struct server *sv, uint64_t wall_s)
{
	uint64_t wall_ms = loop_time_ms(sv->loop), now = server_now_ms();
	uint64_t at = wall_s * 1000;

	/* Before this machine was started: the clock has no such time. */
	if (at + now < wall_ms)
		return 0;
	return at + now - wall_ms;
}

static void
add_window(
    struct server *sv, struct watch_check *c, const struct status_window *w)
{
	uint64_t now = loop_time(sv->loop), from = w->from_s;
	uint64_t to = w->from_s + w->length_s;
	struct watch_window *to_fill;

	/* The turn that is running, or the next one. */
	if (w->every_s > 0 && now > to) {
		uint64_t turns = (now - from) / w->every_s;

		from += turns * w->every_s;
		to = from + w->length_s;
	}
	if ((w->every_s == 0 && now >= to) || c->n_windows == WATCH_WINDOWS_MAX)
		return;
	to_fill = &c->windows[c->n_windows++];
	to_fill->from_ms = boot_ms(sv, from);
	to_fill->length_ms = boot_ms(sv, to) - to_fill->from_ms;
	to_fill->every_ms = w->every_s * 1000;
}

static void
set_windows(struct server *sv)
{
	size_t n = mirror_count(sv->mirror, LEDGER_MAINTENANCE);

	for (size_t i = 0; i < sv->n_watched; i++)
		watched_state(sv->watched[i])->n_windows = 0;
	for (size_t k = 0; k < n; k++) {
		struct mirror_row row =
		    mirror_row(sv->mirror, LEDGER_MAINTENANCE, k);
		struct status_window w;

		if (!status_window_decode(row.key, row.value, &w)) {
			log_event(EV_WATCH_BAD_ROW, LS("window", row.key));
			continue;
		}
		for (size_t i = 0; i < sv->n_watched; i++)
			if (str_eq(system_of(sv->watched[i]), w.system))
				add_window(
				    sv, watched_state(sv->watched[i]), &w);
	}
}

/* --- all ------------------------------------------------------------------------------ */

static bool
is_good(struct server *sv, struct mirror_row row)
{
	struct status_check c;
	struct str system, check, value;

	if (status_split_key(row.key, &system, &check) &&
	    status_check_decode(row.value, &c)) {
		/* Its system is removed before it is. */
		return mirror_find(sv->mirror, LEDGER_SYSTEM, system, &value);
	}
	log_event(EV_WATCH_BAD_ROW, LS("check", row.key));
	return false;
}

/* The old one that goes on; else NULL. */
static struct watched *
take_old(struct server *sv, struct mirror_row row, size_t *at)
{
	struct watched *w;

	while (*at < sv->n_watched &&
	       str_cmp(str_c(sv->watched[*at]->key), row.key) < 0)
		(*at)++;
	w = *at < sv->n_watched ? sv->watched[*at] : NULL;
	if (w == NULL || !str_eq(str_c(w->key), row.key) ||
	    !str_eq(w->row, row.value))
		return NULL;
	sv->watched[*at] = NULL;
	(*at)++;
	return w;
}

static void
drop_old(struct server *sv, struct watched **old, size_t n)
{
	uint64_t now = server_now_ms();

	for (size_t i = 0; i < n; i++) {
		struct str value;

		if (old[i] == NULL)
			continue;
		schedule_spend(old[i], now);
		free_watched(old[i], !mirror_find(sv->mirror, LEDGER_CHECK,
					 str_c(old[i]->key), &value));
	}
}

void
watched_update(struct server *sv)
{
	size_t rows = mirror_count(sv->mirror, LEDGER_CHECK), n = 0, at = 0;
	struct watched **fresh = x_calloc(rows + 1, sizeof(*fresh));
	struct watched **old = sv->watched;
	struct watch_check *checks = x_calloc(rows + 1, sizeof(*checks));
	struct watch_check *old_checks = sv->set.checks;
	size_t n_old = sv->n_watched;

	/* Those that change give up their files first. */
	for (size_t i = 0; i < rows && n < WATCH_CHECKS_MAX; i++) {
		struct mirror_row row = mirror_row(sv->mirror, LEDGER_CHECK, i);

		if (!is_good(sv, row))
			continue;
		fresh[n] = take_old(sv, row, &at);
		if (fresh[n] != NULL)
			checks[n] = old_checks[fresh[n]->index];
		n++;
	}
	drop_old(sv, old, n_old);
	for (size_t i = 0, k = 0; i < rows && k < n; i++) {
		struct mirror_row row = mirror_row(sv->mirror, LEDGER_CHECK, i);

		if (!is_good(sv, row))
			continue;
		if (fresh[k] == NULL)
			fresh[k] = new_watched(sv, row, &checks[k]);
		fresh[k]->index = k;
		checks[k].n_parents = 0;
		k++;
	}
	sv->watched = fresh;
	sv->n_watched = n;
	watch_set_init(&sv->set, checks, n);
	for (size_t i = 0; i < n;)
		i = join_system(sv, i);
	set_windows(sv);
	for (size_t i = 0; i < n; i++)
		schedule_arm(fresh[i]);
	free(old);
	free(old_checks);
	metric_set(M_WATCH_CHECKS, n);
	if (n != n_old)
		log_event(EV_WATCH_LOADED, LU("checks", n));
}
