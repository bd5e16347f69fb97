/* SPDX-License-Identifier: ISC */
/*
 * dmarc_collect.h - the rows of one DMARC report: those of all processes, of
 * one period and domain, with equal ones added up.
 *
 * Pure: no I/O, no clock.
 */
#pragma once

#include "proto/dmarc/dmarc_row.h"

/* Rows of the ledger that one report is made of; bytes of its XML. What goes
 * beyond is left out of it. */
#define DMARC_COLLECT_ROWS_MAX 10000
#define DMARC_COLLECT_XML_MAX  MIB(16)

struct dmarc_collection;

struct dmarc_collection *dmarc_collection_new(void);
/* NULL is fine. */
void dmarc_collection_free(struct dmarc_collection *c);

/* Copies. False: it is full. A value that cannot be read counts as none; its
 * key is kept all the same, to be removed. */
bool dmarc_collection_add(
    struct dmarc_collection *c, struct str key, struct str value) WARN_UNUSED;
/* Before what follows: adds up, and orders by address. */
void dmarc_collection_finish(struct dmarc_collection *c);

/* The policy of the first row; NULL when no row could be read. */
const struct dmarc_published *dmarc_collection_policy(
    const struct dmarc_collection *c);
uint64_t dmarc_collection_messages(const struct dmarc_collection *c);
size_t dmarc_collection_rows(const struct dmarc_collection *c);
/* Keys that were added; i counts from 0. */
size_t dmarc_collection_keys(const struct dmarc_collection *c);
struct str dmarc_collection_key(const struct dmarc_collection *c, size_t i);

/* Append the report; meta has everything but policy and rows. The answer is
 * the number of rows that are in it. */
size_t dmarc_collection_write(const struct dmarc_collection *c,
    const struct dmarc_report *meta, struct buf *to);
