/* SPDX-License-Identifier: ISC */
/*
 * dmarc_row.h - what was found of messages, kept until it is reported: the
 * keys and values of a table, which role filter writes and role send reads.
 *
 *   'r' PERIOD DOMAIN PART      messages of one kind, counted by one process
 *   's' PERIOD DOMAIN RECEIVER  a report: what became of it
 *
 * PERIOD is the Unix time of its beginning, big-endian; DOMAIN the beginning
 * of the digest of the domain whose policy it was, since names are longer
 * than keys may be. PART is whatever makes the key unique.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/dmarc/dmarc_report.h"

#define DMARC_ROW_DOMAIN_N 16
#define DMARC_ROW_PART_MAX 64
#define DMARC_ROW_KEY_MAX  (1 + 8 + DMARC_ROW_DOMAIN_N + DMARC_ROW_PART_MAX)
/* Bytes of a value. */
#define DMARC_ROW_MAX KIB(12)
/* DKIM results in a row; texts are cut at DMARC_ROW_TEXT_MAX. */
#define DMARC_ROW_DKIM_MAX 8
#define DMARC_ROW_TEXT_MAX 512

enum dmarc_row_kind {
	DMARC_ROW_COUNT = 'r',
	DMARC_ROW_SENT = 's',
};

struct dmarc_row_key {
	enum dmarc_row_kind kind;
	uint64_t begin;
	struct str domain; /* the digest, of a key that was read */
	struct str part;
};
/* domain: the name, whose digest is put. */
void dmarc_row_key_put(const struct dmarc_row_key *key, struct buf *to);
bool dmarc_row_key_get(struct str in, struct dmarc_row_key *ret) WARN_UNUSED;
/* Append the beginning of all keys of a kind, period and domain. */
void dmarc_row_key_group(const struct dmarc_row_key *key, struct buf *to);

/* The policy that was found. */
struct dmarc_published {
	struct str domain;
	enum dmarc_alignment adkim, aspf;
	enum dmarc_policy p, sp;
	uint32_t percent;
	unsigned failure; /* fo */
};

/*
 * A row without its count, which comes behind it: so two rows of the same
 * kind begin with the same bytes.
 */
void dmarc_row_put(const struct dmarc_published *published,
    const struct dmarc_report_row *row, struct buf *to);
void dmarc_row_put_count(uint64_t count, struct buf *to);
/* The part of a value in front of the count. */
struct str dmarc_row_identity(struct str value);
/* Texts point into value; lists are in the arena. */
bool dmarc_row_get(struct str value, struct arena *arena,
    struct dmarc_published *ret_published,
    struct dmarc_report_row *ret_row) WARN_UNUSED;

enum dmarc_sent_state {
	DMARC_SENT,     /* it is in the queue */
	DMARC_UNWANTED, /* nobody asks for it (any more), or may get it */
	DMARC_TOO_BIG,  /* for its receiver */
	DMARC_LOST,     /* it could not be handed in */
};
const char *dmarc_sent_state_str(enum dmarc_sent_state s);

/* A report. */
struct dmarc_sent {
	struct str domain, receiver; /* receiver: empty when there is none */
	struct str trace_id;
	uint64_t end;  /* of the period */
	uint64_t time; /* when it was sent */
	uint64_t messages, rows, size;
	enum dmarc_sent_state state;
};
void dmarc_sent_put(const struct dmarc_sent *s, struct buf *to);
bool dmarc_sent_get(struct str in, struct dmarc_sent *ret) WARN_UNUSED;
