/* SPDX-License-Identifier: ISC */
/*
 * reply.h - what another server means by refusing.
 *
 * Code and enhanced code say little: 550 5.7.1 may mean a banned address, a
 * message that looks like spam, a missing signature or an unknown user. The
 * text tells, and a table of rules reads it: the first rule that fits decides.
 * The built-in table is reply.def; an operator's file has the same form and
 * may take the built-in rules in at the place of his choice.
 *
 *   # name            class    code  status       stage  text...        link
 *   [microsoft microsoft-consumer]
 *   ms-banned-ip      blocked  5xx   5.7.606-649  *      "banned sending ip" \
 *                              https://sender.office.com/     (one line)
 *   [*]
 *   default
 *
 *   [...]   the rules below count at hosts of these provider groups only
 *           (proto/provider): nobody else speaks for a provider. "[*]": at all
 *           hosts, as at the beginning; the built-in rules have their own
 *   class   see enum reply_class
 *   code    "*", "4xx", "5xx", or some, as "421,450"
 *   status  "*", or three numbers with dots, each of which may be "*", the
 *           last also a range; without one in the reply only "*" fits
 *   stage   "*", or some, as "greeting,mail": see enum reply_stage
 *   text    quoted, as many as REPLY_TEXTS_MAX; all have to occur, whatever
 *           their case, blanks and line ends; "*" inside stands for anything
 *   link    where the operator can ask to be let in again; may be missing
 *
 * The class is not the outcome: a rate limit may come with 4xx or 5xx.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "base/buf.h"

#define REPLY_TABLE_MAX KIB(256) /* bytes of a table's text */
#define REPLY_LINE_MAX  1000     /* bytes of one rule */
#define REPLY_RULES_MAX 2000     /* the built-in ones included */
#define REPLY_TEXTS_MAX 4        /* of one rule */
#define REPLY_CODES_MAX 4
/* Bytes of a reply's text that are looked at. */
#define REPLY_TEXT_MAX KIB(4)

enum reply_class {
	REPLY_BLOCKED,      /* "blocked": our address, or how it is set up */
	REPLY_CONTENT,      /* "content": message or domain taken for spam */
	REPLY_RATE,         /* "rate": too much, too fast, too many */
	REPLY_AUTH,         /* "auth": sign-in wanted or failed */
	REPLY_GREYLISTED,   /* "greylisted": come again soon */
	REPLY_FULL,         /* "full": mailbox */
	REPLY_UNKNOWN_USER, /* "unknown-user" */
	REPLY_DISABLED,     /* "disabled": mailbox */
	REPLY_POLICY,       /* "policy": SPF, DKIM, DMARC, rules */
	REPLY_TLS,          /* "tls": required */
	REPLY_TOO_BIG,      /* "too-big": message */
	REPLY_BAD_SENDER,   /* "bad-sender": its address or domain */
	REPLY_RELAY_DENIED, /* "relay-denied": not a recipient of theirs */
	REPLY_CONNECTION,   /* "connection": no reply at all, or no sense */
	REPLY_TEMPORARY,    /* "temporary": anything else with 4xx */
	REPLY_PERMANENT,    /* "permanent": anything else with 5xx */
};

/* In the order of the dialogue. */
enum reply_stage {
	REPLY_AT_GREETING = 1 << 0, /* "greeting" */
	REPLY_AT_EHLO = 1 << 1,     /* "ehlo": HELO and LHLO, too */
	REPLY_AT_STARTTLS = 1 << 2, /* "starttls" */
	REPLY_AT_AUTH = 1 << 3,     /* "auth" */
	REPLY_AT_MAIL = 1 << 4,     /* "mail" */
	REPLY_AT_RCPT = 1 << 5,     /* "rcpt" */
	REPLY_AT_DATA = 1 << 6,     /* "data": before the message */
	REPLY_AT_END = 1 << 7,      /* "end": behind the message */
};

struct reply_input {
	struct str group; /* of the host that says it; empty: none */
	enum reply_stage stage;
	int code;        /* 0: there was no reply */
	struct str text; /* lines without codes, separated by '\n' */
};

struct reply_verdict {
	enum reply_class class;
	struct str rule; /* its name; empty: none fits. Lives as the table */
	struct str link; /* empty: none */
};

struct reply_table;

/* Why a table is not one; line counts from 1. */
struct reply_error {
	size_t line;
	const char *text; /* a literal */
};

/* The built-in table. */
struct reply_table *reply_table_new(void);
/*
 * Read a table. NULL when it has an error, which *ret_error then tells;
 * nothing of it is used then.
 */
struct reply_table *reply_table_parse(
    struct str text, struct reply_error *ret_error);
/* NULL is allowed. Returns NULL. */
struct reply_table *reply_table_free(struct reply_table *t);

size_t reply_table_count(const struct reply_table *t);
/* Name of the rule at position i, in the order of the table. */
struct str reply_table_name(const struct reply_table *t, size_t i);
/* The groups at whose hosts it counts, as written; empty: at all hosts. */
struct str reply_table_groups(const struct reply_table *t, size_t i);

/* Always an answer: 0 is REPLY_CONNECTION, what no rule knows goes by its
 * first digit. The same reply gives the same answer. */
struct reply_verdict reply_classify(
    const struct reply_table *t, const struct reply_input *in);

/*
 * Take out of text what the server only repeats of what it was told: each
 * occurrence of the address local@domain, quoted or not, whatever its case, and
 * of a local part that is no plain word. Whoever chooses an address could else
 * put the words of a rule into the mouth of a server that quotes it.
 */
void reply_forget(struct buf *text, struct str address);

/* The text of the built-in table, for operators to start from. */
const char *reply_default_text(void);

/* "blocked" */
const char *reply_class_str(enum reply_class class);
