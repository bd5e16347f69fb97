/* SPDX-License-Identifier: ISC */
/*
 * dmarc_job.h - one period of one domain: read its rows, find out who wants
 * the report, write and hand it in, note that in the ledger.
 *
 *   read -> policy -> each receiver: allowed? -> write -> hand in -> note
 *
 * Only when every receiver's copy is durable in the queue, or can never be,
 * do the rows go. A crash before that repeats all of it, and the store knows
 * the copies again by their trace ids. What could not be looked up or handed
 * in now leaves the rows where they are, for a later round.
 */
#pragma once

#include "send/server.h"

/* The beginning of the keys of rows. */
struct dmarc_group {
	uint64_t begin;
	char domain[16]; /* the digest: DMARC_ROW_DOMAIN_N */
};

typedef void (*dmarc_job_fn)(void *arg);
/* fn runs once, from the loop. */
void dmarc_job_start(struct server *sv, const struct dmarc_group *group,
    dmarc_job_fn fn, void *arg);
