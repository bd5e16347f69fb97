/* SPDX-License-Identifier: ISC */
/* reach_internal.h - what the reach*.c files share. See reach.h. */
#pragma once

#include "proto/reach/reach_judge.h"
#include "proto/reach/reach_origin.h"
#include "proto/reach/reach_public.h"
#include "proto/reach/reach_table.h"
#include "watch/reach/reach.h"
#include "watch/reach/sent.h"

/* Networks and ports whose usual traffic is known; 10 KiB each. */
#define REACH_SERIES_MAX 1024
/* Eight days, and some to spare. */
#define REACH_INTERVALS (8 * 288 + 24)
#define REACH_LAST      3 /* closed stretches that stay in memory */
#define REACH_KEY_SIZE  32

/* What is known of a network on a port over time. */
struct series {
	struct reach_profile profile;
	struct reach_recent recent;
	struct reach_signal signals[REACH_SIGNALS];
};

struct reach {
	struct server *sv;
	struct reach_file *file;
	struct reach_nets *nets;
	struct sent *sent;
	struct reach_told *told; /* NULL: nobody can decide anything */
	uint64_t looked;         /* Unix time of the last look at that */
	/* Account numbers are hashed with it; it never leaves this process. */
	char key[REACH_KEY_SIZE];
	uint64_t epoch, seed;
	struct reach_table open;
	struct reach_table last[REACH_LAST]; /* newest first */
	uint32_t generation;                 /* of what is on disk of open */
	bool is_dirty;                       /* open is newer than the disk */
	bool is_whole; /* we were there from its beginning, about */
	uint64_t written_ms;
	struct series **series;
	size_t n_series;
	uint64_t now;      /* Unix time of the last tick */
	bool is_replaying; /* signals are not told, they were */
};

/* --- reach.c ------------------------------------------------------------------ */

/* reach_start() and reach_tick() at a time of their own. */
void reach_start_at(struct reach *r, uint64_t now);
void reach_tick_at(struct reach *r, uint64_t now);
/* Count an event whose network is known. */
void reach_count(
    struct reach *r, const struct reach_event *e, const struct reach_net *net);
/* The table of an interval: open, kept, or read into *room (done by the
 * caller); NULL when there is none. */
struct reach_table *reach_interval(
    struct reach *r, uint64_t interval, struct reach_table *room);
/* Do people sign in there? */
bool reach_has_accounts(unsigned service);

/* --- reach_series.c ------------------------------------------------------------- */

struct series *reach_series_find(struct reach *r, const struct reach_key *key);
/* A stretch is over: judge. is_known: its zeros mean something. */
void reach_series_close(struct reach *r, struct reach_table *t, bool is_known);
/* The i-th profile goes to disk. */
void reach_series_put_profile(struct reach *r, size_t i);
/* Hours that are over and not learned yet (reach_learn.c). */
void reach_series_learn(struct reach *r, uint64_t now);
/* "fewer connections than usual from AS37146 on imaps (port 993)" */
void reach_series_text(struct reach *r, const struct series *s,
    enum reach_signal_kind kind, struct buf *to);

/* --- reach_step.c ------------------------------------------------------------------ */

/* What was seen of a network and port, or (REACH_NET_ALL) of all on that port; all
 * zeros at first. What is usual is the caller's. */
void reach_step_count(struct reach *r, struct reach_table *t,
    const struct reach_key *key, struct reach_step *step);
/* Its handshakes alone, of all networks. */
void reach_step_tls(struct reach *r, const struct reach_table *t,
    const struct reach_key *key, struct reach_step *step);
/* Its sessions alone, of all networks: REACH_LOTS_CUT by network. */
void reach_step_cut(struct reach *r, const struct reach_table *t,
    const struct reach_key *key, struct reach_step *step);
/* Every network on this port, but this machine. */
void reach_step_sum(const struct reach_table *t, const struct reach_key *key,
    struct reach_cell *ret);

/* --- reach_file.c ---------------------------------------------------------------- */

struct reach_file *reach_file_open(const char *dir);
void reach_file_close(struct reach_file *f);
/* Into an empty table. False: nothing is there. */
bool reach_file_read(struct reach_file *f, struct reach_table *t,
    uint32_t *ret_generation) WARN_UNUSED;
/* 0 or -errno. */
int reach_file_write(struct reach_file *f, const struct reach_table *t,
    uint32_t generation) WARN_UNUSED;
/* The n-th profile. */
bool reach_file_profile(
    struct reach_file *f, size_t n, struct reach_profile *ret) WARN_UNUSED;
int reach_file_put_profile(
    struct reach_file *f, size_t n, const struct reach_profile *p) WARN_UNUSED;

/* --- reach_nets.c ---------------------------------------------------------------- */

struct reach_nets *reach_nets_new(struct reach *r);
void reach_nets_free(struct reach_nets *n);
void reach_nets_configure(struct reach_nets *n);
/* reach_count() follows, now or when the DNS has answered. */
void reach_nets_take(struct reach_nets *n, const struct reach_event *e);
/* What is known now, without asking anybody. */
struct reach_net reach_nets_now(
    struct reach_nets *n, unsigned family, const uint8_t address[16]);
/* The name of an AS; "" when it is not known. */
const char *reach_nets_name(struct reach_nets *n, const struct reach_net *net);

/* --- reach_asdb.c ----------------------------------------------------------------- */

struct asdb;
/* A file in MaxMind's format with autonomous_system_number. 0, or -errno with
 * *ret_error (heap). */
int asdb_open(
    const char *path, struct asdb **ret, char **ret_error) WARN_UNUSED;
void asdb_close(struct asdb *db);
/* False: it does not know. name is "" when it has none. */
bool asdb_find(struct asdb *db, unsigned family, const uint8_t address[16],
    uint32_t *ret_as, char ret_name[REACH_AS_NAME_MAX + 1]) WARN_UNUSED;

/* --- reach_sum.c ------------------------------------------------------------------- */

#define REACH_ANY_SERVICE 255
#define REACH_SUM_HOURS   (9 * 24 + 2)

struct reach_filter {
	bool has_net;
	struct reach_net net;
	uint8_t service; /* REACH_ANY_SERVICE */
};
bool reach_filter_fits(const struct reach_filter *f, const struct reach_key *k);
/* Of MSG_REACH_LIST and MSG_REACH_TLS. False: it is malformed. */
bool reach_query_read(struct str body, struct msg_reach_list *ret,
    struct reach_filter *ret_filter) WARN_UNUSED;

struct reach_sum {
	struct reach_table table; /* done by the caller */
	/* Stretches of each hour that we were there. */
	uint64_t first_hour;
	unsigned known[REACH_SUM_HOURS];
};
/* *ret: all zeros. From an interval up to before another. */
void reach_sum_up(struct reach *r, const struct reach_filter *f, uint64_t from,
    uint64_t to, struct reach_sum *ret);

/* --- reach_told.c ------------------------------------------------------------------ */

/* One signal that is on, for the gate; accounts are the caller's. */
struct reach_public reach_told_of(
    struct reach *r, const struct series *s, enum reach_signal_kind kind);
/* msg_reach_signal of all that is on, for operators. */
void reach_told_rows(struct reach *r, struct buf *to);
/* MSG_REACH_SIGNALS. */
bool reach_told_request(
    struct reach *r, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
/* The title of a provider group; empty: it has none, or is not built in. */
struct str reach_told_title(const struct reach *r, struct str name);
/* Is there a breaker that says so? arg: struct reach. */
bool reach_told_is_refused(void *arg, struct str name);
/* Tell the site when strangers may hear something else than before. */
void reach_told_look(struct reach *r);
/* Decisions about what is over go. */
void reach_told_over(struct reach *r);
void reach_told_start(struct reach *r);
/* Without a ledger: what is in *ret is set by the caller (tests). */
void reach_told_start_alone(struct reach *r, struct ledger_mirror **ret);
void reach_told_stop(struct reach *r);
void reach_told_free(struct reach *r);

/* --- reach_listed.c ---------------------------------------------------------------- */

/* Append what our checks of block lists say of the lists that a reply quotes: of this
 * address of ours, or (empty) of any. Nothing when it quotes none that we check. */
void reach_listed_put(const struct server *sv, struct str address,
    struct str reply, struct buf *to);

/* --- reach_tls.c ------------------------------------------------------------------- */

bool reach_tls_request(
    struct reach *r, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;

/* --- reach_list.c ------------------------------------------------------------------ */

/* A list_reply; items are done. */
void reach_answer_items(
    struct ipc_peer *p, struct ipc_msg *m, struct buf *items);
bool reach_list_request(
    struct reach *r, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
