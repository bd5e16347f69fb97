/* SPDX-License-Identifier: ISC */
/*
 * prepare.h - what our mail is when it leaves: each message made ready for the
 * kind of server that gets it, and signed (DKIM) or sealed (ARC).
 *
 * A message is signed once, however many transactions carry it: what was
 * signed is remembered for some minutes, and who asks meanwhile waits for it.
 * The work is done in helper threads (net/loop_pool.h).
 */
#pragma once

#include "send/message/prepare_job.h"

struct server;
struct preparer;
struct preparing;

struct preparer *preparer_new(struct server *sv);
/* MSG_DKIM_CHANGED, or a new store (empty): what these keys signed is not
 * used again. */
void preparer_forget(struct preparer *p, struct str domain);

struct prepare_request {
	struct letter letter; /* taken */
	const struct msg_queue_item *item;
	unsigned can; /* of enum prepare_can */
};

/* The letter is the callee's in every case; with OK it is ready to go. */
typedef void (*prepare_fn)(void *arg, enum prepare_result result,
    struct letter *letter, const struct content *content);

/*
 * fn runs from the loop, later or before this returns; NULL is returned then.
 */
struct preparing *prepare_start(struct preparer *p,
    const struct prepare_request *req, prepare_fn fn, void *arg);
/* fn will not run. */
void prepare_cancel(struct preparing *p);
