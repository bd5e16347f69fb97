/* SPDX-License-Identifier: ISC */
/*
 * server.h - the state of role watch, and who of its files does what:
 *
 *   mirror.c   rows of the ledger about systems, checks and windows
 *   watched.c  makes of them what is watched, and keeps what is known of it
 *   schedule.c when to probe; what a result means for state and history
 *   history.c  the files of history
 *   uplink.c   whether this machine has a way out at all
 *   list.c     answers to the command line
 *   probe*.c   one probe of each kind (probe.h)
 *
 * Times with _ms are of a clock that runs while the machine sleeps
 * (server_now_ms); wall clock times are named wall.
 */
#pragma once

#include "conf/conf.h"
#include "net/conn.h"
#include "net/resolver.h"
#include "proc/ledger.h"
#include "proto/status/status_check.h"
#include "proto/status/status_system.h"
#include "proto/watch/watch_alert.h"
#include "watch/history.h"
#include "watch/probe.h"

/* Probes under way at the same time; more wait for a moment. */
#define SERVER_PROBES_MAX 500

struct mirror;
struct uplink;
struct ping;

/* One check that is watched. */
struct watched {
	struct server *sv;
	char *key;                 /* SYSTEM/CHECK, in lower case */
	struct str row;            /* owned; check points into it */
	struct status_check check; /* as text and options */
	size_t index;              /* of its state in the set */
	struct loop_timer *due;
	struct probe *probe; /* under way */
	struct history *history;
	uint64_t spent_ms; /* history is written up to here */
	uint64_t born_ms;  /* watched since */
	/* A failure that waits for what the uplink's test says. */
	struct watch_result held;
	bool is_held;
	/* The last result. */
	uint64_t at_wall_ms; /* 0: none yet */
	enum watch_outcome outcome;
	enum watch_cause cause;
	uint32_t us;
	uint16_t days;
	char text[PROBE_TEXT_MAX];
};

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	char *dir; /* of the files of history */
	struct resolver *resolver;
	struct tls_context *tls; /* as a client */
	struct ping *ping;
	struct mirror *mirror;
	struct uplink *uplink;
	struct watch_set set;
	struct watched **watched; /* in the order of their keys */
	size_t n_watched;
	size_t n_probes; /* under way */
	struct loop_timer *tick;
	uint64_t ticked_ms;
	bool is_stopping;
};

uint64_t server_now_ms(void);
/* Microseconds of a clock for short times. */
uint64_t server_now_us(void);
/* The wall clock at a time of server_now_ms(). */
uint64_t server_wall_ms(const struct server *sv, uint64_t at_ms);
uint32_t server_random(uint32_t below);

/* --- mirror.c ---------------------------------------------------------------- */

struct mirror *mirror_new(struct server *sv);
/* The store is there (again): read everything. */
void mirror_load(struct mirror *m);
/* MSG_LEDGER_CHANGED. False: it is malformed. */
bool mirror_changed(struct mirror *m, struct str body) WARN_UNUSED;

struct mirror_row {
	struct str key, value; /* the mirror's, until the next change */
};
/* The rows of one of its tables, in the order of their keys. */
size_t mirror_count(const struct mirror *m, enum ledger_table table);
struct mirror_row mirror_row(
    const struct mirror *m, enum ledger_table table, size_t i);
/* False: there is none. */
bool mirror_find(const struct mirror *m, enum ledger_table table,
    struct str key, struct str *ret_value) WARN_UNUSED;

/* --- watched.c --------------------------------------------------------------- */

/* The rows changed: watch what they say now. What stays the same goes on. */
void watched_update(struct server *sv);
struct watched *watched_find(struct server *sv, struct str key);
struct watch_check *watched_state(const struct watched *w);

/* --- schedule.c -------------------------------------------------------------- */

/* Set the timer of the next probe. */
void schedule_arm(struct watched *w);
/* It ran: probe now, or when there is room. */
void schedule_due(struct watched *w);
/* Each second. */
void schedule_tick(struct server *sv);
/* Before its state is lost: write the history that can be written. */
void schedule_spend(struct watched *w, uint64_t to_ms);
/* What the uplink's test said about failures that wait for it. */
void schedule_release(struct server *sv, bool has_uplink);

/* --- uplink.c ---------------------------------------------------------------- */

struct uplink *uplink_new(struct server *sv);
/* Is there a test at all? */
bool uplink_is_wanted(const struct uplink *u);
/* Test; schedule_release() comes when it is known. */
void uplink_test(struct uplink *u);

/* --- list.c -------------------------------------------------------------------- */

/* A request of the command line. False: it is malformed. */
bool list_request(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
