/* SPDX-License-Identifier: ISC */
/*
 * reach_report.h - a front tells the watcher how its connections went.
 *
 * One event a connection (proto/reach/reach_event.h), collected and sent once a
 * second or when a batch is full. Nobody waits: without a watcher, or with one
 * that does not keep up, events are dropped and counted. The address of the
 * client is held until then, and nowhere else.
 */
#pragma once

#include "net/conn.h"
#include "proc/runtime.h"
#include "proto/reach/reach_event.h"

#define REACH_BATCH    256 /* events in a message */
#define REACH_BATCH_MS 1000
#define REACH_BACKLOG_BYTES \
	KIB(256) /* to the watcher, before events are dropped */

struct reach_report;

struct reach_report *reach_report_new(struct runtime *rt);
void reach_report_free(struct reach_report *r); /* NULL is fine */
/* is_wanted: whether there is a watcher at all. */
void reach_report_configure(struct reach_report *r, bool is_wanted);
/* What waits goes out now: the process stops. */
void reach_report_flush(struct reach_report *r);

/* What a session notes while it lives; all zeros at first. */
struct reach_attempt {
	enum service service;
	uint16_t port;
	bool is_greeted;
	uint64_t account;      /* not 0: signed in */
	uint64_t organisation; /* reach_organisation() of its login */
	bool is_signed_in;     /* for who has no account number */
	bool has_failed;       /* a sign-in was wrong */
	bool
	    has_failed_known; /* the same, from where that login was right lately */
	bool is_known;        /* signed in from where it did so before */
	bool is_banned;       /* or refused unseen */
	bool is_expired;      /* we gave up waiting */
	bool is_well;         /* it said good-bye, or had what it came for */
	bool is_underway;     /* the client is sending a message */
};

/*
 * How a connection ended. *ret_is_cut: it was broken off, rather than over: it was
 * reset, or nobody acknowledged what we sent, or it ended in the middle of a message.
 * Not when a client said good-bye, or had nothing to say for too long.
 */
enum reach_end reach_report_how(const struct reach_attempt *a,
    const struct conn_path *path, enum conn_end how, bool *ret_is_cut);

/* A number for the domain of a login, the same in each process; 0: none. The
 * watcher hashes it with a key of its own, and keeps neither. */
uint64_t reach_organisation(struct str login);

/* In closed(). Connections that are not TCP are not told. */
void reach_report_end(struct reach_report *r, const struct reach_attempt *a,
    const struct conn *c, enum conn_end how);
/* A connection that was refused at once, by a limit. */
void reach_report_refused(struct reach_report *r, enum service service,
    uint16_t port, const struct sockaddr_storage *peer);

/* The port of a listening socket; 0: it has none. */
uint16_t reach_report_port(int fd);
