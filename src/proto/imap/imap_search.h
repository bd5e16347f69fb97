/* SPDX-License-Identifier: ISC */
/*
 * imap_search.h - a SEARCH program as a tree (RFC 3501 6.4.4, RFC 4731,
 * RFC 5032, RFC 5182, RFC 7162).
 *
 * The parser already simplifies, so that the evaluator has few cases: NEW,
 * OLD and the UN- keys become flags, FROM and the like become HEADER, nested
 * lists are flattened, double negation is gone, and the children of AND and
 * OR stand in the order of what they cost to look up.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/imap/imap_set.h"

#define IMAP_MAX_SEARCH_DEPTH 32   /* nesting of ( ), NOT and OR */
#define IMAP_MAX_SEARCH_KEYS  512  /* nodes of a program */
#define IMAP_MAX_SEARCH_BYTES 4096 /* one string to look for */

/* In the order of cost: the index answers all before HEADER. */
enum imap_search_op {
	IMAP_SEARCH_ALL,     /* true */
	IMAP_SEARCH_SEQ,     /* set of message numbers */
	IMAP_SEARCH_UID,     /* set of UIDs */
	IMAP_SEARCH_SAVED,   /* "$": the saved result */
	IMAP_SEARCH_FLAG,    /* flag.bit is set, or not, as flag.want says */
	IMAP_SEARCH_KEYWORD, /* text: has this keyword (without case) */
	IMAP_SEARCH_MODSEQ,  /* number: mod-sequence >= */
	IMAP_SEARCH_LARGER,  /* number: size > */
	IMAP_SEARCH_SMALLER, /* number: size < */
	IMAP_SEARCH_BEFORE,  /* day: INTERNALDATE day < */
	IMAP_SEARCH_ON,      /* day: INTERNALDATE day == */
	IMAP_SEARCH_SINCE,   /* day: INTERNALDATE day >= */
	IMAP_SEARCH_OLDER,   /* number: INTERNALDATE <= now - seconds */
	IMAP_SEARCH_YOUNGER, /* number: INTERNALDATE >= now - seconds */
	IMAP_SEARCH_SENT_BEFORE, /* day: the same with the Date header */
	IMAP_SEARCH_SENT_ON,
	IMAP_SEARCH_SENT_SINCE,
	IMAP_SEARCH_HEADER, /* header.name contains header.value */
	IMAP_SEARCH_BODY,   /* text */
	IMAP_SEARCH_TEXT,   /* text */
	IMAP_SEARCH_NOT,    /* child: exactly one */
	IMAP_SEARCH_AND,    /* child: list, two or more */
	IMAP_SEARCH_OR,     /* child: list, two or more */
};

/* What an evaluator must have at hand: imap_search.needs. */
enum imap_search_need {
	IMAP_NEED_FLAGS = 1 << 0,
	IMAP_NEED_MODSEQ = 1 << 1,
	IMAP_NEED_SIZE = 1 << 2,
	IMAP_NEED_DATE = 1 << 3,
	IMAP_NEED_SENT_DATE = 1 << 4,
	IMAP_NEED_HEADER = 1 << 5,
	IMAP_NEED_BODY = 1 << 6,
};

struct imap_search_key {
	enum imap_search_op op;
	struct imap_search_key *next;  /* sibling below AND and OR */
	struct imap_search_key *child; /* NOT, AND, OR */
	union {
		struct imap_set set;
		struct {
			unsigned bit; /* one of enum imap_flag */
			bool want;
		} flag;
		struct {
			struct str name;  /* without ":" */
			struct str value; /* empty: the field exists */
		} header;
		struct str text; /* UTF-8 */
		uint64_t number;
		int32_t day; /* see imap_date.h */
	} u;
};

/* RETURN options (RFC 4731, RFC 5182). */
enum imap_search_return {
	IMAP_RETURN_MIN = 1 << 0,
	IMAP_RETURN_MAX = 1 << 1,
	IMAP_RETURN_ALL = 1 << 2,
	IMAP_RETURN_COUNT = 1 << 3,
	IMAP_RETURN_SAVE = 1 << 4,
};

struct imap_search {
	bool is_esearch;  /* RETURN was given: answer with ESEARCH */
	unsigned returns; /* of enum imap_search_return; "()" means ALL */
	bool has_modseq;  /* a MODSEQ key: the answer carries MODSEQ */
	unsigned needs;   /* of enum imap_search_need */
	unsigned n_keys;  /* nodes of the tree */
	const struct imap_search_key *root; /* never NULL */
};

/* What the node itself needs, children not counted. */
unsigned imap_search_key_needs(const struct imap_search_key *key);

/*
 * Write the program as a SEARCH argument that parses to the same tree: for
 * logs of slow searches and for tests.
 */
void imap_search_format(struct buf *b, const struct imap_search_key *key);
