/* SPDX-License-Identifier: ISC */
/*
 * server.h - the state of role watch, and who of its files does what:
 *
 *   mirror.c   rows of the ledger about systems, checks and windows
 *   watched.c  makes of them what is watched, and keeps what is known of it
 *   schedule.c when to probe; what a result means for state and history
 *   history.c  the files of history
 *   uplink.c   whether this machine has a way out at all
 *   absence.c  whether there was a watcher at all before this process
 *   list.c     answers to the command line
 *   site.c     answers to role web
 *   chart.c    likewise: what was over a time
 *   config.c   likewise: what a check is made of
 *   reach*.c   who reaches this server, by network (reach.h)
 *   places*.c  agents elsewhere, as their master knows them (places.h); late.c:
 *              what they saw while nobody heard them
 *   agent*.c   this process as such an agent, without a server (agent.h)
 *   probe*.c   one probe of each kind (probe.h)
 *   alert*.c   whom to tell what (alert.h); alert_late.c: whether that is still so
 *   news*.c    posts and updates, to subscribers (news.h); auto_post*.c: the post
 *              that nobody else has written (auto_post.h); bounces.c: what comes
 *              back
 *   outbox.c   what is to be sent to people, until it is (outbox.h); still.c: whether
 *              that is still wanted
 *   dispatch*.c one round of attempts (dispatch.h); smtp_try.c, smtp_line.c,
 *              letter.c, author.c, way.c, relays.c: its parts
 *
 * Times with _ms are of a clock that runs while the machine sleeps
 * (server_now_ms); wall clock times are named wall.
 */
#pragma once

#include "base/suffixes.h"
#include "conf/conf.h"
#include "net/conn.h"
#include "net/resolver.h"
#include "proc/ledger_mirror.h"
#include "proto/agent/agent_message.h"
#include "proto/agent/agent_pace.h"
#include "proto/status/status_check.h"
#include "proto/status/status_contact.h"
#include "proto/status/status_system.h"
#include "proto/watch/watch_gather.h"
#include "watch/history.h"
#include "watch/probe/probe.h"

/* Probes under way at the same time; more wait for a moment. */
#define SERVER_PROBES_MAX 500
/* Nobody watched for so long: that is told. Less is a restart. */
#define SERVER_ABSENCE_MS 60000

struct site;
struct absence;
struct reach;
struct uplink;
struct ping;
struct relays;
struct outbox;
struct smtp_lines;
struct news;
struct auto_post;
struct bounces;
struct http_client;
struct agent;
struct place;
struct places;
struct calls;
struct late;
struct lates;

/* What one place found of a check last. */
struct seen {
	struct place *place; /* NULL: this process itself */
	/* Of others; what this process found is in struct watched. */
	uint64_t at_wall_ms;
	enum watch_outcome outcome;
	enum watch_cause cause;
	uint32_t us;
	char text[AGENT_TEXT_MAX + 1];
	struct agent_pace pace;
};

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
	struct status_told told;
	bool is_told_new; /* and not in the ledger yet */
	bool is_told_saving;
	bool is_here; /* probed by this process, as place number 0 */
	size_t n_seen;
	struct seen *seen; /* in the order of the state's vantage points */
	struct late *late; /* for history (late.c) */
	size_t n_late, late_cap;
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
	struct probe_stage *stages; /* owned */
	size_t n_stages;
};

/* Keys of rows TOLD of checks that were removed, until the ledger knows. */
struct told_gone {
	char **keys;
	size_t n, cap, n_saving; /* the first ones */
};

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	char *dir; /* of the files of history; NULL: there is none */
	struct resolver *resolver;
	bool validates;          /* the resolver checks signatures */
	struct tls_context *tls; /* as a client */
	struct http_client *http;
	struct relays *relays;
	struct suffixes *suffixes; /* may be NULL */
	struct outbox *outbox;
	struct smtp_lines *lines;
	struct news *news;
	struct auto_post *auto_post;
	struct bounces *bounces;
	struct ping *ping;
	struct ledger_mirror *mirror;
	struct uplink *uplink;
	struct absence *absence;
	struct site *site; /* these and those above: not of an agent */
	struct reach *reach;
	struct places *places;
	struct calls *calls;
	struct lates *lates;
	struct agent *agent; /* NULL: this is a server's role */
	struct watch_set set;
	struct watch_gather gather;
	struct told_gone told_gone;
	struct watched **watched; /* in the order of their keys */
	size_t n_watched;
	size_t n_probes; /* under way */
	struct loop_timer *tick;
	uint64_t ticked_ms;
	bool is_stopping;
	struct loop_timer *leave;
	uint64_t stopped_ms;
};

uint64_t server_now_ms(void);
/* Microseconds of a clock for short times. */
uint64_t server_now_us(void);
/* The wall clock at a time of server_now_ms(). */
uint64_t server_wall_ms(const struct server *sv, uint64_t at_ms);
uint32_t server_random(uint32_t below);
/* The public address of the status site, without a slash at its end. */
void server_put_site(const struct server *sv, struct buf *to);
bool server_has_site(const struct server *sv);

/* --- mirror.c ---------------------------------------------------------------- */

struct ledger_mirror *mirror_new(struct server *sv);

/* --- watched.c --------------------------------------------------------------- */

/* The rows changed: watch what they say now. What stays the same goes on. */
void watched_update(struct server *sv);
/* The configuration is another one. */
void watched_configure(struct server *sv);
struct watched *watched_find(struct server *sv, struct str key);
struct watch_check *watched_state(const struct watched *w);
/* The check that speaks for a system; NULL: it has none. */
struct watched *watched_speaker(struct server *sv, struct str system);

/* --- schedule.c -------------------------------------------------------------- */

/* Set the timer of the next probe. */
void schedule_arm(struct watched *w);
/* It ran: probe now, or when there is room. */
void schedule_due(struct watched *w);
/* Each second. */
void schedule_tick(struct server *sv);
/* What a place found, at a time of server_now_ms(). */
void schedule_result(struct watched *w, size_t vantage,
    const struct watch_result *r, uint32_t us);
/* A place cannot see it any more: what it saw is unknown at once. */
void schedule_blind(struct watched *w, size_t vantage);
/* Other places from now on; as watch_state_arrange(). */
void schedule_arrange(
    struct watched *w, const uint8_t *networks, const uint8_t *from, size_t n);
/* As what a second of that state counts at a time of the wall clock; -1: not. */
int schedule_class(
    const struct watched *w, enum watch_status status, uint64_t at_wall_ms);
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

/* --- absence.c ----------------------------------------------------------------- */

/* Of the time before now; to be made before it is noted that there is a watcher. */
struct absence *absence_new(struct server *sv);
/* Each second: note that there is one, and tell once that there was none. */
void absence_tick(struct absence *a);
/* There is one just now, and perhaps no longer. */
void absence_note(struct absence *a);
struct absence *absence_free(struct absence *a);

/* --- list.c -------------------------------------------------------------------- */

/* A request of the command line. False: it is malformed. */
bool list_request(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;

/* --- config.c ------------------------------------------------------------------- */

/* MSG_WATCH_CONFIG. False: it is malformed. */
bool config_request(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;

/* --- site.c -------------------------------------------------------------------- */

struct site *site_new(struct server *sv);
/* A web worker, which is told of changes. */
void site_add_web(struct site *s, struct ipc_peer *p);
/* A state changed. */
void site_changed(struct site *s);
/* Systems or checks changed. */
void site_renew(struct site *s);
/* MSG_WATCH_SITE, MSG_WATCH_STATE. False: it is malformed. */
bool site_message(
    struct site *s, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;

/* The checks of one system, which stand together, and their histories. */
struct system_part {
	size_t first, n;
	struct watched *head; /* speaks for it; NULL: there are none */
	const struct watch_ring **rings;
	size_t n_rings;
};
/* What can be written of their histories is. To be ended. */
void site_find_part(
    struct server *sv, struct str system, struct system_part *ret);
void site_end_part(struct server *sv, struct system_part *p);

/* --- chart.c ------------------------------------------------------------------- */

/* MSG_WATCH_CHART. False: it is malformed. */
bool chart_request(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
