/* SPDX-License-Identifier: ISC */
/*
 * internal.h - what the files of the supervisor share.
 *
 *   DOWN -> STARTING (spawned; has configuration and metrics page)
 *        -> SERVING (CTL_READY came: it gets its peers and listeners)
 *        -> DOWN (it ended; spawned again, at once the first time)
 *   STOPPING: CTL_STOP was sent, it is not started again
 *
 * Parses nothing from the network. What it reads: its configuration file,
 * the few messages of its children, and those of the command line.
 */
#pragma once

#include "base/log.h"
#include "base/metrics.h"
#include "conf/conf.h"
#include "proc/ipc.h"
#include "supervisor/backoff.h"
#include "supervisor/metrics_http.h"
#include "supervisor/supervisor.h"

#include <sys/queue.h>
#include <sys/types.h>

struct supervisor;

struct child {
	struct supervisor *sup;
	LIST_ENTRY(child) link;
	enum role role;
	uint32_t slot;   /* 0.. among the workers of its role */
	uint32_t worker; /* of this incarnation; never used twice */
	pid_t pid;       /* 0: none */
	enum process_state state;
	struct ipc_peer *peer; /* a reference; NULL while down */
	int metrics_fd;
	struct metrics_page *metrics; /* outlives the process */
	int keep_fd;                  /* -1: its role has none */
	uint32_t restarts;
	struct backoff backoff;
	uint64_t started, ready_ms; /* ready_ms 0: not this time */
	bool is_removed;            /* not wanted any more: ends for good */
	uint64_t asked_ms;          /* by pulse.c, and not answered yet; or 0 */
	bool is_silent;             /* and that for too long */
	struct loop_timer *restart;
	struct msg_ctl_ready sandbox; /* note points into note */
	char note[128];
	char last_exit[64];
};

struct listen_socket {
	struct conf_listener l; /* address is our copy */
	int fd;
};

struct supervisor {
	struct loop *loop;
	const char *conf_path;
	struct conf *conf;
	char *conf_error; /* of the last reload; NULL: none */
	char *conf_later; /* what of it counts from the next start; NULL */
	uint64_t generation, started;
	uint64_t life; /* told to all: a restarted supervisor has another */
	enum log_level log_level;
	uint32_t next_worker;
	LIST_HEAD(, child) children;
	struct listen_socket sockets[CONF_LISTENERS_MAX];
	size_t socket_count;
	int lock_fd;
	int control_fd;
	struct loop_fd *control_watch;
	char *control_path;
	bool is_stopping, is_telling_ready, has_told_ready;
	unsigned stop_stage;
	struct loop_timer *stop_timer;
	struct metrics_http *metrics_http;
	struct loop_timer *certs_timer;
	struct loop_timer *pulse_timer;
};

/* child.c */
struct child *child_new(struct supervisor *sup, enum role role, uint32_t slot);
void child_free(struct child *c);
void child_spawn(struct child *c);
/* CTL_STOP, or nothing when it is down. */
void child_stop(struct child *c);
/* waitpid() gave this. */
void child_ended(struct child *c, int wait_status);
/* Send the present configuration. */
void child_configure(struct child *c);

/* keep.c */
/* Memory of that size under that name: a file, or without one (a full disk, with
 * an event) such that lives only as long as we do. */
int keep_open(const struct supervisor *sup, const char *name, uint32_t size);
/* CTL_KEEP; keep stays open. */
void keep_send(int keep, struct ipc_peer *to, uint32_t size);

/* connect.c */
/* A child became READY: give it its peers and listeners. */
void connect_child(struct child *c);
/* One end of a new connection to the child; -errno when there is none. */
int connect_cli(struct child *c);
void connect_listener(struct child *c, const struct listen_socket *s);

/* sync.c */
/* is_complete: nobody ended meanwhile. */
typedef void (*sync_fn)(void *arg, bool is_complete);
/* fn is run once, when all that serve have done what they were told until now;
 * from the loop, or at once when nobody serves. */
void sync_all(struct supervisor *sup, sync_fn fn, void *arg);

/* pulse.c: who serves and does not answer. */
void pulse_start(struct supervisor *sup);
/* For how many seconds it has owed an answer; 0: it owes none. */
uint64_t pulse_silent_s(const struct child *c);

/* listen.c */
/* Bind and listen: a descriptor, or -errno with a text that says what to do. */
int listen_open(
    const struct conf_listener *l, const char *what, char **ret_error);
/*
 * Open what conf names and is not open yet; close what it no longer names.
 * All or nothing: 0, or -errno with *ret_error (heap).
 */
int listen_update(
    struct supervisor *sup, const struct conf *conf, char **ret_error);
void listen_close(struct supervisor *sup);

/* certs.c: the certificates of the configuration in force. */
/* Log what is wrong with them, now and each day. */
void certs_tell(struct supervisor *sup);
void certs_answer_list(
    struct supervisor *sup, struct ipc_return *r, struct str body);
/* Role acme has written one: read all anew, and hand them out. */
void certs_take_new(
    struct supervisor *sup, struct ipc_return *r, struct str body);
/* Text for /metrics: when each ends. */
void certs_metrics(const struct supervisor *sup, struct buf *b);

/* control.c: the socket of the command line. */
int control_open(struct supervisor *sup);
void control_close(struct supervisor *sup);

/* reload.c */
/* Answer GET /metrics where the configuration says so. 0 or -1 with
 * *ret_error (heap). */
int reload_metrics_http(struct supervisor *sup, char **ret_error);
void reload_log_level(struct supervisor *sup);
/* Load the file and take it over; false and sup->conf_error when it is bad. */
bool reload(struct supervisor *sup);
/* Start and stop workers until there are as many as conf says. */
void reload_workers(struct supervisor *sup);
/* Text for /metrics of all processes. */
void supervisor_metrics(void *arg, struct buf *b);
