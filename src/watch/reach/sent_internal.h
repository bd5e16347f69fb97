/* SPDX-License-Identifier: ISC */
/* sent_internal.h - what the sent*.c files share. See sent.h. */
#pragma once

#include "watch/reach/sent.h"

#define SENT_SERIES_MAX 256
/* Eight days, and some to spare. */
#define SENT_INTERVALS  (8 * 288 + 24)
#define SENT_REPLY_KEPT 300

/* One receiver over time. */
struct sent_series {
	struct sent_profile profile;
	struct sent_recent recent;
	struct reach_signal signals[SENT_SIGNALS];
	uint64_t p95_ms; /* of SENT_SIGNAL_SLOW, when it was found last */
	char reply[SENT_REPLY_KEPT + 1];
};

/* A destination whose mail only grows. */
#define SENT_STUCK_MAX 32
struct sent_stuck {
	char name[256]; /* "": all together */
	char cause[24], reply[SENT_REPLY_KEPT + 1];
	uint64_t waiting;
	struct reach_signal signal; /* last: so many left of those that came */
};

struct sent {
	struct server *sv;
	sent_is_refused_fn is_refused;
	void *arg;
	struct sent_file *file;
	struct sent_table open;
	bool is_dirty, is_whole;
	bool is_replaying; /* signals are not told, they were */
	uint64_t written_ms, now;
	struct sent_series *series[SENT_SERIES_MAX];
	size_t n_series;
	struct sent_stuck stuck[SENT_STUCK_MAX];
	size_t n_stuck;
	uint64_t stuck_at; /* when send told of them */
};

struct sent_series *sent_find(const struct sent *s, struct str name);
/* The table of an interval, which is read into room unless it is open. NULL: there is
 * none. */
const struct sent_table *sent_interval(
    struct sent *s, uint64_t interval, struct sent_table *room);
/* One receiver's part of it; name "": all of it, added up. */
void sent_cell_of(
    const struct sent_table *t, struct str name, struct sent_cell *ret);

/* --- sent_stuck.c --------------------------------------------------------------- */

/* Those that are not told any more are over. */
void sent_stuck_tick(struct sent *s);
struct sent_on sent_on_stuck(const struct sent_stuck *e);

/* --- sent_file.c ---------------------------------------------------------------- */

struct sent_file *sent_file_open(const char *dir);
void sent_file_close(struct sent_file *f);
/* Into an empty table. False: nothing is there. */
bool sent_file_read(struct sent_file *f, struct sent_table *t) WARN_UNUSED;
/* 0 or -errno. */
int sent_file_write(
    struct sent_file *f, const struct sent_table *t) WARN_UNUSED;
/* The n-th profile. */
bool sent_file_profile(
    struct sent_file *f, size_t n, struct sent_profile *ret) WARN_UNUSED;
int sent_file_put_profile(
    struct sent_file *f, size_t n, const struct sent_profile *p) WARN_UNUSED;
