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
#include "watch/alert/alert.h"
#include "watch/place/places.h"

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
config_of(const struct server *sv, const struct status_check *c)
{
	struct watch_config w = watch_config_default();

	w.interval_ms = (uint32_t)status_check_ms(c, STATUS_OPT_EVERY);
	w.timeout_ms = (uint32_t)status_check_ms(c, STATUS_OPT_TIMEOUT);
	w.down_after =
	    (uint8_t)status_check_number(c, STATUS_OPT_CONFIRM, w.down_after);
	w.up_after =
	    (uint8_t)status_check_number(c, STATUS_OPT_RECOVER, w.up_after);
	if (status_check_count(c, STATUS_OPT_LOSS) > 0)
		watch_config_loss(
		    &w, status_check_number(c, STATUS_OPT_LOSS, 0));
	watch_config_confirm(&w, sv->conf->watch_confirm_s * 1000);
	return w;
}

static uint64_t boot_ms(struct server *sv, uint64_t wall_s);

/* What was told before this process began, or before the check changed. */
static void
take_told(struct watched *w, struct watch_check *state)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX);
	struct str value;

	buf_printf(&key, STATUS_TOLD_CHECK "%s", w->key);
	if (ledger_mirror_find(
		w->sv->mirror, LEDGER_TOLD, buf_str(&key), &value) &&
	    status_told_decode(value, &w->told) && w->told.told < WATCH_TOLDS) {
		state->told = (enum watch_told)w->told.told;
		state->incident = w->told.incident;
		state->fine_since_ms =
		    boot_ms(w->sv, w->told.fine_since_ms / 1000);
	}
	buf_done(&key);
}

static void
take_places(struct watched *w, const struct place_list *places)
{
	struct seen *fresh = x_calloc(places->n, sizeof(*fresh));

	for (size_t i = 0; i < places->n; i++) {
		for (size_t k = 0; k < w->n_seen; k++)
			if (w->seen[k].place == places->v[i])
				fresh[i] = w->seen[k];
		fresh[i].place = places->v[i];
	}
	free(w->seen);
	w->seen = fresh;
	w->n_seen = places->n;
}

/* Agents came, went, or moved to another network. */
static void
arrange_places(struct watched *w)
{
	const struct watch_state *s = &watched_state(w)->state;
	uint8_t from[WATCH_VANTAGES_MAX];
	struct place_list now;
	bool is_same;

	places_of(w->sv, &w->check, &now);
	is_same = now.n == w->n_seen;
	for (size_t i = 0; i < now.n; i++) {
		from[i] = WATCH_VANTAGE_NEW;
		for (size_t k = 0; k < w->n_seen; k++)
			if (w->seen[k].place == now.v[i])
				from[i] = (uint8_t)k;
		is_same = is_same && from[i] == i &&
		          s->vantages[i].network == now.networks[i];
	}
	if (is_same)
		return;
	take_places(w, &now);
	schedule_arrange(w, now.networks, from, now.n);
}

static struct watched *
new_watched(
    struct server *sv, struct ledger_mirror_row row, struct watch_check *state)
{
	struct watched *w = X_NEW(struct watched);
	struct watch_config config;
	struct place_list places;
	uint64_t now = server_now_ms();
	int r = 0;

	w->sv = sv;
	w->key = str_dup(row.key);
	w->row = str_copy(row.value);
	w->days = PROBE_NO_DAYS;
	if (!status_check_decode(w->row, &w->check))
		die("a row that was good is not any more");
	config = config_of(sv, &w->check);
	places_of(sv, &w->check, &places);
	w->is_here = !places.is_nobody && places.v[0] == NULL;
	take_places(w, &places);
	watch_state_init(&state->state, &config, places.networks, places.n,
	    now + 1 + server_random(MIN(FIRST_MS, config.interval_ms)));
	w->spent_ms = w->born_ms = now;
	take_told(w, state);
	w->due = loop_timer_new(sv->loop, on_due, w);
	if (sv->dir != NULL)
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
	if (is_gone && w->sv->agent == NULL && w->sv->dir != NULL)
		history_remove(w->sv->dir, w->key);
	free(w->seen);
	free(w->stages);
	lates_drop(w);
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

void
watched_configure(struct server *sv)
{
	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];

		watched_state(w)->state.config = config_of(sv, &w->check);
	}
}

struct watched *
watched_speaker(struct server *sv, struct str system)
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
		parent = watched_speaker(sv, buf_str(&key));
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
	struct watched *head = watched_speaker(sv, system);
	struct status_system s = { 0 };
	size_t i = from;

	if (!ledger_mirror_find(sv->mirror, LEDGER_SYSTEM, system, &value) ||
	    !status_system_decode(value, &s))
		s = (struct status_system){ 0 };
	for (; i < sv->n_watched; i++) {
		if (!str_eq(system_of(sv->watched[i]), system))
			break;
		set_parents(sv, sv->watched[i], head, &s);
		watched_state(sv->watched[i])->group = (uint16_t)(from + 1);
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
	size_t n = ledger_mirror_count(sv->mirror, LEDGER_MAINTENANCE);

	for (size_t i = 0; i < sv->n_watched; i++)
		watched_state(sv->watched[i])->n_windows = 0;
	for (size_t k = 0; k < n; k++) {
		struct ledger_mirror_row row =
		    ledger_mirror_row(sv->mirror, LEDGER_MAINTENANCE, k);
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
is_good(struct server *sv, struct ledger_mirror_row row)
{
	struct status_check c;
	struct str system, check, value;

	if (status_split_key(row.key, &system, &check) &&
	    status_check_decode(row.value, &c)) {
		/* Its system is removed before it is. */
		return ledger_mirror_find(
		    sv->mirror, LEDGER_SYSTEM, system, &value);
	}
	log_event(EV_WATCH_BAD_ROW, LS("check", row.key));
	return false;
}

/* The old one that goes on; else NULL. */
static struct watched *
take_old(struct server *sv, struct ledger_mirror_row row, size_t *at)
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

static bool
has_row(const struct watched *w)
{
	struct str value;

	return ledger_mirror_find(
	    w->sv->mirror, LEDGER_CHECK, str_c(w->key), &value);
}

/* Those that changed, which begin anew, and those that were removed. */
static void
drop_old(struct server *sv, struct watched **old, size_t n)
{
	struct watched **removed = x_calloc(n, sizeof(struct watched *));
	uint64_t now = server_now_ms();
	size_t n_removed = 0;

	for (size_t i = 0; i < n; i++) {
		if (old[i] == NULL)
			continue;
		schedule_spend(old[i], now);
		if (!has_row(old[i]))
			removed[n_removed++] = old[i];
	}
	if (sv->agent == NULL)
		alert_removed(sv, removed, n_removed);
	free(removed);
	for (size_t i = 0; i < n; i++)
		if (old[i] != NULL)
			free_watched(old[i], !has_row(old[i]));
}

void
watched_update(struct server *sv)
{
	size_t rows = ledger_mirror_count(sv->mirror, LEDGER_CHECK), n = 0,
	       at = 0;
	struct watched **fresh = x_calloc(rows + 1, sizeof(*fresh));
	struct watched **old = sv->watched;
	struct watch_check *checks = x_calloc(rows + 1, sizeof(*checks));
	struct watch_check *old_checks = sv->set.checks;
	size_t n_old = sv->n_watched, n_new = 0;
	bool is_moved = sv->agent == NULL && places_update(sv);

	if (is_moved)
		lates_flush(sv);
	/* Those that change give up their files first. */
	for (size_t i = 0; i < rows && n < WATCH_CHECKS_MAX; i++) {
		struct ledger_mirror_row row =
		    ledger_mirror_row(sv->mirror, LEDGER_CHECK, i);

		if (!is_good(sv, row))
			continue;
		fresh[n] = take_old(sv, row, &at);
		if (fresh[n] != NULL)
			checks[n] = old_checks[fresh[n]->index];
		n++;
	}
	drop_old(sv, old, n_old);
	for (size_t i = 0, k = 0; i < rows && k < n; i++) {
		struct ledger_mirror_row row =
		    ledger_mirror_row(sv->mirror, LEDGER_CHECK, i);

		if (!is_good(sv, row))
			continue;
		n_new += fresh[k] == NULL;
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
		arrange_places(fresh[i]);
	if (sv->agent == NULL) {
		places_sweep(sv);
		alert_sweep(sv);
	}
	if (sv->agent == NULL && (is_moved || n_new > 0 || n != n_old))
		calls_changed(sv);
	for (size_t i = 0; i < n; i++)
		schedule_arm(fresh[i]);
	free(old);
	free(old_checks);
	metric_set(M_WATCH_CHECKS, n);
	if (n != n_old)
		log_event(EV_WATCH_LOADED, LU("checks", n));
	if (sv->site != NULL)
		site_renew(sv->site);
}
