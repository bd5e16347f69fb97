/* SPDX-License-Identifier: ISC */
/*
 * sent.c - counts of role send become counts of five minutes; their time, and what is
 * suspected of them. See sent.h.
 *
 * As in reach.c, the stretch that is open is written every five seconds when it changed,
 * and after a start the last hours are judged once more, so that what was suspected before
 * is suspected still.
 */
#include "base/log.h"
#include "base/metrics.h"
#include "watch/reach/sent_internal.h"

#define WRITE_MS      5000
#define LATE_S        60 /* later than that is not from the beginning */
#define REPLAY        36 /* stretches: what signals stand on, and more */
#define CELLS_AN_HOUR 12
#define CELLS_MIN     6  /* of an hour, to learn from it */
#define LEARN_HOURS   24 /* back, after a start */

static const enum reach_signal_kind kinds[SENT_SIGNALS] = {
	[SENT_SIGNAL_SLOW] = REACH_SLOW,
	[SENT_SIGNAL_REFUSALS] = REACH_REFUSALS,
};

struct sent_series *
sent_find(const struct sent *s, struct str name)
{
	for (size_t i = 0; i < s->n_series; i++)
		if (str_eq(str_c(s->series[i]->profile.name), name))
			return s->series[i];
	return NULL;
}

void
sent_cell_of(const struct sent_table *t, struct str name, struct sent_cell *ret)
{
	const struct sent_cell *c = sent_table_find(t, name);

	*ret = (struct sent_cell){ 0 };
	if (c != NULL)
		*ret = *c;
	for (size_t i = 0; name.n == 0 && i < t->n; i++)
		sent_cell_merge(ret, &t->cells[i]);
}

/* --- counting -------------------------------------------------------------------- */

static bool
take_one(struct sent *s, const struct msg_sent_count *m)
{
	struct sent_cell now = { .refused = m->refused };
	struct sent_series *series;

	if (!sent_hist_get(m->wait, &now.stages[SENT_WAIT]) ||
	    !sent_hist_get(m->talk, &now.stages[SENT_TALK]) ||
	    !sent_hist_get(m->whole, &now.stages[SENT_WHOLE]) ||
	    !sent_senders_get(m->refused_by, &now.refused_by) ||
	    !sent_senders_get(m->slow_by, &now.slow_by))
		return false;
	sent_cell_merge(sent_table_cell(&s->open, m->name), &now);
	s->is_dirty = true;
	series = sent_find(s, m->name);
	if (series != NULL && m->reply.n > 0)
		snprintf(series->reply, sizeof(series->reply), "%.*s",
		    STR_ARG(m->reply));
	return true;
}

bool
sent_take(struct sent *s, struct str body)
{
	struct wire w = wire_read(body);
	struct msg_sent_count m;

	if (s->file == NULL)
		return true;
	while (w.in.n > 0)
		if (!msg_sent_count_read(&w, &m) || !take_one(s, &m))
			return false;
	return true;
}

/* --- receivers --------------------------------------------------------------------- */

static void
put_profile(struct sent *s, size_t i)
{
	int e = sent_file_put_profile(s->file, i, &s->series[i]->profile);

	if (e < 0)
		log_event(EV_REACH_FILE, LC("error", strerror(-e)));
}

/* Who was heard of longest ago makes room. */
static size_t
find_place(struct sent *s)
{
	size_t oldest = 1; /* the first one is all of them */

	if (s->n_series < SENT_SERIES_MAX) {
		s->series[s->n_series] = X_NEW(struct sent_series);
		return s->n_series++;
	}
	for (size_t i = 2; i < s->n_series; i++)
		if (s->series[i]->profile.hour <
		    s->series[oldest]->profile.hour)
			oldest = i;
	return oldest;
}

static void
make(struct sent *s, struct str name, uint64_t interval)
{
	size_t i;

	if (sent_find(s, name) != NULL)
		return;
	i = find_place(s);
	*s->series[i] = (struct sent_series){ 0 };
	sent_profile_init(&s->series[i]->profile, name);
	/* The present hour is not whole. */
	s->series[i]->profile.hour = interval / CELLS_AN_HOUR;
	put_profile(s, i);
}

/* --- what is suspected --------------------------------------------------------------- */

static void
push(struct sent_series *e, const struct sent_table *t, bool is_known)
{
	struct sent_step step = { .is_known = is_known };
	struct sent_usual usual;
	struct sent_cell c;

	sent_cell_of(t, str_c(e->profile.name), &c);
	step.whole = c.stages[SENT_WHOLE];
	step.refused = c.refused;
	step.refused_by = c.refused_by;
	step.slow_by = c.slow_by;
	if (sent_profile_usual(
		&e->profile, t->interval / CELLS_AN_HOUR, SENT_WHOLE, &usual))
		step.usual_p95_ms = usual.p95_ms;
	sent_recent_push(&e->recent, &step);
}

static struct reach_finding
judge(struct sent *s, struct sent_series *e, unsigned kind)
{
	struct str name = str_c(e->profile.name);
	uint64_t p95_ms = 0;
	struct reach_finding f;

	if (kind == SENT_SIGNAL_SLOW) {
		f = sent_judge_slow(&e->recent, &p95_ms);
		if (f.verdict == REACH_ODD)
			e->p95_ms = p95_ms;
		return f;
	}
	/* Refusals of one receiver are about it, not about all. */
	if (name.n == 0)
		return (struct reach_finding){ 0 };
	f = sent_judge_refusals(&e->recent, sent_profile_refusing(&e->profile));
	if (f.verdict == REACH_ODD && s->is_refused(s->arg, name))
		f.verdict = REACH_FINE;
	return f;
}

static struct sent_on
on_of(const struct sent_series *e, unsigned kind)
{
	return (struct sent_on){ .kind = kinds[kind],
		.name = e->profile.name,
		.signal = &e->signals[kind],
		.p95_ms = e->p95_ms,
		.reply = e->reply };
}

static void
tell(const struct sent_series *e, unsigned kind)
{
	const struct reach_signal *sig = &e->signals[kind];
	struct sent_on on = on_of(e, kind);
	struct buf text = BUF_INIT(KIB(1));

	sent_put_text(&on, STR_NONE, &text);
	if (sig->is_raised)
		log_event(EV_REACH_SUSPECTED,
		    LC("signal", reach_signal_name(kinds[kind])),
		    LS("what", buf_str(&text)), LU("seen", sig->last.seen),
		    LU("of", sig->last.of), LU("minutes", sig->last.minutes));
	else
		log_event(EV_REACH_OVER,
		    LC("signal", reach_signal_name(kinds[kind])),
		    LS("what", buf_str(&text)));
	buf_done(&text);
}

static void
step(struct sent *s, struct sent_series *e, unsigned kind, uint64_t now)
{
	struct reach_finding f = judge(s, e, kind);
	struct reach_signal before = e->signals[kind];

	if (!reach_signal_step(&e->signals[kind], &f, now))
		return;
	if (!e->signals[kind].is_raised)
		e->signals[kind].last = before.last;
	if (!s->is_replaying)
		tell(e, kind);
}

static void
close_table(struct sent *s, const struct sent_table *t, bool is_known)
{
	unsigned raised = 0;

	make(s, STR(""), t->interval);
	for (size_t i = 0; i < t->n; i++)
		make(s, str_c(t->cells[i].name), t->interval);
	for (size_t i = 0; i < s->n_series; i++) {
		push(s->series[i], t, is_known);
		for (unsigned k = 0; k < SENT_SIGNALS; k++) {
			step(s, s->series[i], k,
			    (t->interval + 1) * SENT_INTERVAL_S);
			raised += s->series[i]->signals[k].is_raised;
		}
	}
	metric_set(M_SENT_SUSPECTED, raised);
}

void
sent_each_signal(const struct sent *s, sent_on_fn fn, void *arg)
{
	for (size_t i = 0; i < s->n_series; i++)
		for (unsigned k = 0; k < SENT_SIGNALS; k++) {
			struct sent_on on = on_of(s->series[i], k);

			if (s->series[i]->signals[k].is_raised)
				fn(arg, &on);
		}
	for (size_t i = 0; i < s->n_stuck; i++) {
		struct sent_on on = sent_on_stuck(&s->stuck[i]);

		/* That is told already, and says more. */
		if (!s->is_refused(s->arg, str_c(on.name)))
			fn(arg, &on);
	}
}

/* "35 min", "2.5 s" */
static void
put_time(struct buf *to, uint64_t ms)
{
	if (ms >= 2 * 3600000)
		buf_printf(to, "%llu h", (unsigned long long)(ms / 3600000));
	else if (ms >= 2 * 60000)
		buf_printf(to, "%llu min", (unsigned long long)(ms / 60000));
	else
		buf_printf(to, "%llu.%llu s", (unsigned long long)(ms / 1000),
		    (unsigned long long)(ms % 1000 / 100));
}

/* "530 recipients wait for Microsoft 365 and become more: 120 came and 2 left ..." */
static void
put_backlog(const struct sent_on *on, struct str name, struct buf *to)
{
	const struct reach_finding *f = &on->signal->last;

	buf_printf(to, "%llu recipients wait for %.*s and become more: ",
	    (unsigned long long)on->waiting,
	    STR_ARG(name.n > 0 ? name : STR("other servers")));
	buf_printf(to, "%u came and %u left in %u minutes", f->of, f->seen,
	    f->minutes);
	if (on->cause[0] != '\0')
		buf_printf(to, " (%s)", on->cause);
}

void
sent_put_text(const struct sent_on *on, struct str title, struct buf *to)
{
	const struct reach_finding *f = &on->signal->last;
	bool is_others = strcmp(on->name, SENT_OTHERS) == 0;
	struct str name =
	    is_others ? STR("servers of no known provider") : str_c(on->name);

	if (title.n > 0)
		name = title;
	if (on->kind == REACH_BACKLOG) {
		put_backlog(on, name, to);
		return;
	}
	if (on->kind == REACH_REFUSALS) {
		buf_printf(
		    to, "%.*s refuses more mail than usual", STR_ARG(name));
		buf_printf(to, ": %u of %u in %u minutes, usually %.0f %%",
		    f->seen, f->of, f->minutes, f->usual * 100);
		return;
	}
	buf_put_c(to, "mail");
	if (name.n > 0)
		buf_printf(to, " to %.*s", STR_ARG(name));
	buf_put_c(to, " takes longer than usual: 95 in 100 up to ");
	put_time(to, on->p95_ms);
	buf_put_c(to, ", usually ");
	put_time(to, (uint64_t)f->usual);
}

/* --- learning -------------------------------------------------------------------------- */

const struct sent_table *
sent_interval(struct sent *s, uint64_t interval, struct sent_table *room)
{
	if (interval == s->open.interval)
		return &s->open;
	*room = (struct sent_table){ .interval = interval };
	return sent_file_read(s->file, room) ? room : NULL;
}

static bool
is_odd(const struct sent_series *e)
{
	for (size_t k = 0; k < SENT_SIGNALS; k++)
		if (e->signals[k].is_raised)
			return true;
	return false;
}

static void
learn_hour(struct sent *s, uint64_t hour)
{
	struct sent_cell *sums = x_calloc(MAX(s->n_series, 1), sizeof(*sums));
	struct sent_table *room = x_zalloc(sizeof(*room));
	unsigned cells = 0;

	for (uint64_t i = 0; i < CELLS_AN_HOUR; i++) {
		const struct sent_table *t =
		    sent_interval(s, hour * CELLS_AN_HOUR + i, room);
		struct sent_cell c;

		cells += t != NULL;
		for (size_t k = 0; t != NULL && k < s->n_series; k++) {
			sent_cell_of(t, str_c(s->series[k]->profile.name), &c);
			sent_cell_merge(&sums[k], &c);
		}
	}
	for (size_t k = 0; k < s->n_series && cells >= CELLS_MIN; k++) {
		struct sent_series *e = s->series[k];

		if (e->profile.hour >= hour)
			continue;
		sent_profile_learn(&e->profile, hour, &sums[k], is_odd(e));
		put_profile(s, k);
	}
	free(room);
	free(sums);
}

static void
learn(struct sent *s, uint64_t now)
{
	uint64_t hour = now / 3600, first = hour;

	for (size_t i = 0; i < s->n_series; i++)
		first = MIN(first, s->series[i]->profile.hour + 1);
	first = MAX(first, hour - MIN(hour, (uint64_t)LEARN_HOURS));
	for (; first < hour; first++)
		learn_hour(s, first);
}

/* --- time ------------------------------------------------------------------------------ */

static void
write_open(struct sent *s)
{
	int e = sent_file_write(s->file, &s->open);

	s->written_ms = server_now_ms();
	if (e < 0)
		log_event(EV_REACH_FILE, LC("error", strerror(-e)));
	else
		s->is_dirty = false;
}

/* Stretches in which we slept. */
static void
skip(struct sent *s, uint64_t from, uint64_t to)
{
	struct sent_table *none = x_zalloc(sizeof(*none));

	from = MAX(from, to - MIN(to, (uint64_t)REACH_RECENT));
	for (none->interval = from; none->interval < to; none->interval++)
		close_table(s, none, false);
	free(none);
}

void
sent_tick(struct sent *s, uint64_t now)
{
	uint64_t interval = now / SENT_INTERVAL_S, was = s->open.interval;

	s->now = now;
	sent_stuck_tick(s);
	if (interval > was) {
		write_open(s);
		/* Who slept from it on has not seen all of it. */
		close_table(s, &s->open, s->is_whole && interval == was + 1);
		skip(s, was + 1, interval);
		s->open = (struct sent_table){ .interval = interval };
		s->is_dirty = true;
		s->is_whole =
		    interval == was + 1 || now % SENT_INTERVAL_S < LATE_S;
		learn(s, now);
	} else if (s->is_dirty && server_now_ms() > s->written_ms + WRITE_MS) {
		write_open(s);
	}
}

/* --- life --------------------------------------------------------------------------------- */

static void
read_profiles(struct sent *s)
{
	struct sent_profile p;

	while (s->n_series < SENT_SERIES_MAX &&
	       sent_file_profile(s->file, s->n_series, &p)) {
		struct sent_series *e = X_NEW(struct sent_series);

		e->profile = p;
		s->series[s->n_series++] = e;
	}
}

/* What was seen in the last hours, through the judge once more. */
static void
replay(struct sent *s, uint64_t interval)
{
	struct sent_table *t = x_zalloc(sizeof(*t));

	s->is_replaying = true;
	for (uint64_t i = interval - MIN(interval, (uint64_t)REPLAY);
	     i < interval; i++) {
		bool is_known;

		*t = (struct sent_table){ .interval = i };
		is_known = sent_file_read(s->file, t);
		close_table(s, t, is_known);
	}
	s->is_replaying = false;
	free(t);
}

struct sent *
sent_new(struct server *sv, sent_is_refused_fn is_refused, void *arg)
{
	struct sent *s = X_NEW(struct sent);

	s->sv = sv;
	s->is_refused = is_refused;
	s->arg = arg;
	return s;
}

void
sent_start(struct sent *s, uint64_t now)
{
	s->now = now;
	s->file = sent_file_open(s->sv->dir);
	read_profiles(s);
	replay(s, now / SENT_INTERVAL_S);
	s->open.interval = now / SENT_INTERVAL_S;
	s->is_whole =
	    sent_file_read(s->file, &s->open) || now % SENT_INTERVAL_S < LATE_S;
	learn(s, now);
	write_open(s);
}

void
sent_stop(struct sent *s)
{
	if (s->file == NULL)
		return;
	write_open(s);
	sent_file_close(TAKE_PTR(s->file));
}

void
sent_free(struct sent *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_series; i++)
		free(s->series[i]);
	free(s);
}
