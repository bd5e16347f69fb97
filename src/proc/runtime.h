/* SPDX-License-Identifier: ISC */
/*
 * runtime.h - the part of a role's process that is the same for all roles.
 *
 * Start-up, the visible checklist of every role: connect to the supervisor
 * (descriptor 3), receive the configuration snapshot and the metrics page,
 * open what the role needs (prepare), drop uid, gid and capabilities,
 * no_new_privs, Landlock, seccomp, report what the sandbox really is, start,
 * loop. Afterwards the supervisor sends connections to other processes,
 * listening sockets, new configurations, and at the end CTL_STOP; when it is
 * gone, the process stops as if it had sent that. SIGINT and SIGHUP are
 * ignored: they are the supervisor's.
 */
#pragma once

#include "proc/ipc.h"
#include "proc/sandbox.h"

struct runtime;

/* The largest configuration, with all its certificates. */
#define RUNTIME_SNAPSHOT_MAX MIB(256)

struct runtime_role {
	enum role role;
	bool has_keep; /* it waits for CTL_KEEP, too */
	/* 1 to 19: its priority is so much lower (nice) than the supervisor's. */
	int nice;
	/* Before privileges are dropped: open folders and the like, from the
	 * first snapshot. 0 or -errno with a message already printed. */
	int (*prepare)(void *arg, struct runtime *rt, struct str snapshot);
	/* What the process may do from then on (sandbox.h): data, filled by
	 * the role, may use what prepare found out. */
	void (*sandbox)(void *arg, struct sandbox *sb);
	/* In the sandbox, before the loop: create timers, threads. */
	int (*start)(void *arg, struct runtime *rt);
	/* A new configuration (not the first). */
	void (*config)(void *arg, struct str snapshot);
	/* A connection to another process is there (also again, after that one
	 * was restarted). Its messages go to ipc. */
	void (*peer)(void *arg, struct ipc_peer *p);
	/* A listening socket (non-blocking); taken. When a new configuration
	 * no longer has it, accept4() on it gives EINVAL: close it then. */
	void (*listener)(void *arg, enum service service, int fd);
	/* Stop: finish quickly (under 2 s), then runtime_quit(). */
	void (*stop)(void *arg);
	const struct ipc_handlers *ipc; /* for all peers but the supervisor */
};

/* Runs a role to its end; the answer is the exit status. */
int runtime_main(const struct runtime_role *role, void *arg);

struct loop *runtime_loop(struct runtime *rt);
/* The present connection to the one process of that role (store, auth) or to
 * one of its workers (filter: round robin); NULL while there is none. */
struct ipc_peer *runtime_peer(struct runtime *rt, enum role role);
/* Like ipc_request() to runtime_peer(); without a connection fn runs from the
 * loop with TEMPFAIL, REASON_GONE, and the answer is 0. */
struct ipc_peer_request {
	enum role to;
	enum msg_type type;
	uint32_t session;
	struct str body;
	int fd; /* taken */
};
uint32_t runtime_request(struct runtime *rt, const struct ipc_peer_request *req,
    ipc_reply_fn fn, void *arg);
/* A request to the supervisor itself. */
void runtime_ask_supervisor(struct runtime *rt, enum msg_type type,
    struct str body, ipc_reply_fn fn, void *arg);
/* This process's own number, as others see it. */
uint32_t runtime_worker(const struct runtime *rt);
/* Numbers of processes are unique together with this one: it changes with the
 * supervisor. */
uint64_t runtime_life(const struct runtime *rt);
/* CTL_KEEP_BYTES of memory that outlives the process, of a role with has_keep. The
 * process that wrote it before has ended; what it says is not to be trusted. */
void *runtime_keep(struct runtime *rt);
void runtime_quit(struct runtime *rt);
