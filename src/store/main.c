/* SPDX-License-Identifier: ISC */
/*
 * main.c - the store process: start-up, sandbox, the loop's hooks.
 *
 * The one writer of the data folder. It speaks with other processes only,
 * and parses no mail: structure comes from the filter, as opaque bytes.
 */
#include "store/store.h"

#include "base/log.h"
#include "base/metrics.h"
#include "store/server.h"

#include <malloc.h>
#include <sys/stat.h>

#define TICK_MS   50   /* at most so often, */
#define IDLE_MS   1000 /* and at least: purging, metrics, the disk */
#define MAX_FILES 65536
/* Garbage of so many segments is left alone. */
#define GC_PILE_SEGMENTS 8

/* --- configuration ----------------------------------------------------------------- */

static int
read_config(struct server *s, struct str snapshot)
{
	struct conf *c;
	int r = conf_decode(snapshot, &c);

	if (r < 0)
		return r;
	if (!s->data_dir) {
		s->data_dir = x_strdup(c->data_dir);
		s->engine_dir = x_asprintf("%s/store", c->data_dir);
		s->user = x_strdup(c->user ? c->user : "");
	}
	s->segment_bytes = c->store_segment_bytes;
	s->reserve_bytes = c->store_reserve_bytes;
	s->undelete_days = c->store_undelete_days;
	s->threads = c->store_threads;
	s->quota = (struct mail_quota){ c->quota_bytes, c->quota_messages };
	s->queue_limits = (struct queue_limits){ c->queue_entries,
		c->queue_account_entries, c->queue_history_days };
	s->usage_limits = (struct usage_limits){ c->account_recipients,
		c->account_first_time, c->account_surge };
	s->dkim = (struct dir_dkim_times){ c->dkim_wait_s, c->dkim_keep_s,
		c->dkim_rotate_s, c->dkim_check };
	conf_free(c);
	return 0;
}

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *s = arg;
	int r;

	s->rt = rt;
	r = read_config(s, snapshot);
	if (r < 0)
		return r;
	if (mkdir(s->engine_dir, 0700) < 0 && errno != EEXIST) {
		r = -errno;
		fprintf(stderr, "mailstead: %s: %s\n", s->engine_dir,
		    strerror(errno));
		return r;
	}
	return 0;
}

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct server *s = arg;

	sb->needs =
	    SANDBOX_BASE | SANDBOX_FILES | SANDBOX_THREADS | SANDBOX_MEMFD;
	sb->paths[sb->path_count++] =
	    (struct sandbox_path){ s->engine_dir, true };
	sb->user = s->user[0] ? s->user : NULL;
	sb->max_files = MAX_FILES;
}

/* --- the loop ------------------------------------------------------------------------- */

static uint64_t
now(void *arg)
{
	const struct server *s = arg;

	return loop_time(s->loop);
}

static uint64_t
now_ms(void *arg)
{
	const struct server *s = arg;

	return loop_time_ms(s->loop);
}

static void
on_engine(void *arg)
{
	struct server *s = arg;

	engine_dispatch(s->engine);
}

static void
update_metrics(struct server *s)
{
	struct queue_stats qs;
	struct engine_stats st;

	queue_stats(s->queue, &qs);
	engine_stats(s->engine, &st);
	metric_add(M_STORE_FLUSHES, st.flushes - s->stats.flushes);
	metric_add(M_STORE_BATCHES, st.batches - s->stats.batches);
	metric_add(M_STORE_GC, st.gc_segments - s->stats.gc_segments);
	metric_set(M_STORE_LOG_BYTES, st.log_bytes);
	metric_set(M_STORE_LIVE_BYTES, st.live_bytes);
	metric_set(M_STORE_FREE_BYTES, st.free_bytes);
	metric_set(M_STORE_IS_FULL, st.is_full);
	metric_set(M_QUEUE_ENTRIES, qs.entries);
	metric_set(M_QUEUE_DOMAINS, qs.domains);
	metric_set(M_QUEUE_LEASED, qs.leased);
	metric_set(M_DKIM_OLD, dir_dkim_old(s->dir));
	metric_set(M_DKIM_UNPUBLISHED, dir_dkim_unpublished(s->dir));
	metric_set(M_ACCOUNTS_HELD, limiter_held(s->limiter));
	if (st.gc_segments != s->stats.gc_segments)
		log_event(EV_STORE_GC,
		    LU("segments", st.gc_segments - s->stats.gc_segments));
	if (st.is_full && !s->was_full)
		log_event(EV_STORE_FULL, LU("free", st.free_bytes));
	if (!st.is_full && s->was_full)
		log_event(EV_STORE_FULL_END, LU("free", st.free_bytes));
	s->was_full = st.is_full;
	s->stats = st;
}

static void
purge(struct server *s)
{
	struct verdict v = mail_purge_step(s->mail);

	if (verdict_is_done(v))
		v = dir_purge_step(s->dir);
	if (verdict_is_done(v))
		v = dir_dkim_step(s->dir);
	if (verdict_is_done(v))
		v = dir_dkim_age_step(s->dir);
	if (verdict_is_done(v))
		v = queue_purge_step(s->queue);
	if (verdict_is_done(v))
		v = tables_purge_step(s->tables);
	if (verdict_is_done(v))
		v = limiter_purge_step(s->limiter);
	if (v.reason == REASON_CORRUPT)
		log_event(EV_STORE_CORRUPT, LC("during", "purge"));
}

/* Once a day, and after a start. */
static void
tell_keys(
    struct server *s, uint64_t domains, enum event_id event, uint64_t *told)
{
	uint64_t now = loop_time(s->loop);

	if (domains == 0 || (*told > 0 && now < *told + 86400))
		return;
	*told = now;
	log_event(event, LU("domains", domains));
}

static void
set_tick(struct server *s, uint64_t at_ms)
{
	uint64_t now = loop_now_ms(s->loop);

	s->tick_at_ms = at_ms;
	loop_timer_set(s->tick, at_ms > now ? at_ms - now : 0);
}

static void
on_tick(void *arg)
{
	struct server *s = arg;
	uint64_t now = loop_now_ms(s->loop);

	engine_tick(s->engine);
	if (now >= s->idle_at_ms) {
		s->idle_at_ms = now + IDLE_MS;
		purge(s);
		look_for_keys(s);
		tell_keys(
		    s, dir_dkim_old(s->dir), EV_STORE_DKIM_OLD, &s->old_told);
		tell_keys(s, dir_dkim_unpublished(s->dir),
		    EV_STORE_DKIM_UNPUBLISHED, &s->unpublished_told);
		limit_tell(s);
		queue_tell_counts(s);
		update_metrics(s);
	}
	s->ticked_ms = now;
	set_tick(s, s->idle_at_ms);
}

/* What the round has left for the engine may want a tick earlier. */
static void
hasten_tick(struct server *s)
{
	unsigned wait = engine_tick_ms(s->engine);
	uint64_t at;

	if (wait >= IDLE_MS)
		return;
	at = MAX(loop_now_ms(s->loop) + wait, s->ticked_ms + TICK_MS);
	if (at < s->tick_at_ms)
		set_tick(s, at);
}

/* Last in each round: what was committed in it shares one flush. */
static void
on_round(void *arg)
{
	struct server *s = arg;

	request_resume(s);
	notify_flush(s);
	queue_flush(s);
	engine_kick(s->engine);
	hasten_tick(s);
}

/* --- start and stop ---------------------------------------------------------------------- */

static void
log_open(const struct engine_open_report *report)
{
	log_event(EV_STORE_OPEN, LU("replayed", report->replayed_batches),
	    LU("rebuilt", report->was_rebuilt));
	if (report->torn_bytes)
		log_event(EV_STORE_TORN, LU("bytes", report->torn_bytes));
	if (report->bad_records)
		log_event(
		    EV_STORE_BAD_RECORD, LU("records", report->bad_records));
}

static int
open_engine(struct server *s)
{
	struct engine_config config = {
		.dir = s->engine_dir,
		.segment_bytes = s->segment_bytes,
		.reserve_bytes = s->reserve_bytes,
		.helper_threads = s->threads,
		.gc_pile_bytes = GC_PILE_SEGMENTS * s->segment_bytes,
	};
	struct engine_open_report report = { 0 };
	int r = engine_open(&config, &report, &s->engine);

	if (r < 0) {
		fprintf(stderr, "mailstead: cannot open the store in %s: %s\n",
		    s->engine_dir,
		    r == -EBUSY ? "another process has it"
		    : r > -1000 ? strerror(-r)
				: "damaged");
		return r;
	}
	log_open(&report);
	return 0;
}

/* For routes by account. */
static void
login_of(void *arg, uint64_t account, struct buf *out)
{
	const struct server *s = arg;

	if (!verdict_is_done(dir_login(s->dir, account, out)))
		buf_reset(out, out->cap);
}

static int
open_levels(struct server *s)
{
	struct mail_config mail = {
		.engine = s->engine,
		.now = now,
		.changed = notify_changed,
		.arg = s,
		.undelete_days = s->undelete_days,
	};
	struct dir_config dir = {
		.engine = s->engine,
		.now = now,
		.arg = s,
		.quota = s->quota,
		.undelete_days = s->undelete_days,
		.dkim = s->dkim,
		.keys_changed = notify_keys,
		.key_turned = log_key,
	};
	struct queue_config queue = {
		.engine = s->engine,
		.now_ms = now_ms,
		.arg = s,
		.limits = s->queue_limits,
		.login = login_of,
	};
	struct tables_config tables = {
		.engine = s->engine,
		.now = now,
		.changed = tables_changed,
		.arg = s,
	};
	struct limit_config limit = {
		.engine = s->engine,
		.now = now,
		.arg = s,
		.limits = s->usage_limits,
	};
	int r;

	s->mail = mail_new(&mail);
	dir.mail = s->mail;
	s->dir = dir_new(&dir);
	limit.dir = s->dir;
	r = queue_open(&queue, &s->queue);
	if (r == 0)
		r = limiter_open(&limit, &s->limiter);
	if (r < 0)
		fputs("mailstead: the queue cannot be read: see mailstead "
		      "check\n",
		    stderr);
	if (r == 0)
		r = tables_open(&tables, &s->tables);
	return r;
}

static int
on_start(void *arg, struct runtime *rt)
{
	struct server *s = arg;
	int r;

	s->loop = runtime_loop(rt);
	s->life = runtime_life(rt);
	r = open_engine(s);
	if (r < 0)
		return r;
	r = open_levels(s);
	if (r < 0)
		return r;
	s->engine_watch =
	    loop_fd_new(s->loop, engine_fd(s->engine), on_engine, NULL, s);
	loop_fd_want(s->engine_watch, true, false);
	s->tick = loop_timer_new(s->loop, on_tick, s);
	set_tick(s, loop_now_ms(s->loop) + TICK_MS);
	loop_each_round(s->loop, on_round, s);
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	struct server *s = arg;

	if (read_config(s, snapshot) < 0)
		return;
	mail_set_undelete_days(s->mail, s->undelete_days);
	dir_set_limits(s->dir, s->quota, s->undelete_days);
	dir_set_dkim(s->dir, s->dkim);
	queue_set_limits(s->queue, &s->queue_limits);
	limiter_set_limits(s->limiter, &s->usage_limits);
}

static void
on_stop(void *arg)
{
	struct server *s = arg;

	runtime_quit(s->rt);
}

/* Answers under way are given: the engine waits for what is in flight. */
static void
close_all(struct server *s)
{
	struct engine *e = s->engine;

	if (!e)
		return;
	engine_close(TAKE_PTR(s->engine));
	tables_free(s->tables);
	limiter_free(s->limiter);
	queue_free(s->queue);
	dir_free(s->dir);
	mail_free(s->mail);
}

/* --- other processes ------------------------------------------------------------------------ */

static void
on_peer(void *arg, struct ipc_peer *p)
{
	peer_add(arg, p);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	request_message(arg, p, m);
}

static void
on_closed(void *arg, struct ipc_peer *p)
{
	peer_remove(arg, p);
}

int
store_main(void)
{
	static const struct ipc_handlers ipc = { on_message, on_closed };
	static const struct runtime_role role = {
		.role = ROLE_STORE,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.peer = on_peer,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct server s = { 0 };
	int status;

	/*
	 * Replies are up to a megabyte, many a second. Memory that goes back to
	 * the system after each of them costs more in page faults than the
	 * reply itself.
	 */
	mallopt(M_MMAP_THRESHOLD, (int)MIB(32));
	mallopt(M_TRIM_THRESHOLD, (int)MIB(64));
	status = runtime_main(&role, &s);
	close_all(&s);
	return status;
}
