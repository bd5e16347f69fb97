/* SPDX-License-Identifier: ISC */
/*
 * arrival.h - how messages came, and whose mailboxes here they went into: for
 * `mailstead trace`, beside what the queue did (history.c).
 *
 * It is written in the batch that delivers, so it is true when the client is
 * told 250 and nothing is there when it is not. When the queue is damaged, or
 * nothing is to be kept (queue.history 0), nothing is written: mailboxes do
 * not depend on it.
 */
#pragma once

#include "store/queue/queue.h"

/* Texts beyond the limits of arrival_record.h are cut. */
struct queue_arrival {
	struct str trace, mail_from;
	uint64_t account; /* of who had signed in; 0: nobody */
	uint64_t size, arrival_ms;
	struct str service; /* it came in at; or the role that wrote it */
	struct str client;  /* as it named itself */
	struct str ip, tls;
	struct str results; /* of what was found out about the sender */
};

/* A mailbox that it went into; or where an alias leads to on another server. */
struct queue_copy {
	struct str address; /* of the recipient */
	uint64_t account;
	bool is_junk;
	struct str
	    forwarded; /* the address there; then the others do not count */
};

/* Puts it into the batch; adding: what is queued of the same message, NULL:
 * nothing is. */
void queue_arrived(struct queue *q, struct engine_batch *b,
    const struct queue_arrival *a, const struct queue_copy *copies, size_t n,
    const struct queue_adding *adding);
