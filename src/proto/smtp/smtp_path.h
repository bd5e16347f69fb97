/* SPDX-License-Identifier: ISC */
/*
 * smtp_path.h - the addresses of an SMTP envelope.
 *
 * The grammar is that of RFC 5321 section 4.1.2, widened by RFC 6531 where
 * the caller allows UTF-8. What comes out is canonical: one mailbox has one
 * struct smtp_path, whatever quoting it was written with, so that comparing
 * and storing need no second parser. Comments, folding white space and the
 * obsolete forms of message headers do not exist here.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/*
 * RFC 5321 section 4.5.3.1, in octets. They are applied to characters, which
 * is the same for an ASCII address and leaves the extra octets that UTF-8
 * needs: at most four for each character.
 */
#define SMTP_LOCAL_MAX  64
#define SMTP_DOMAIN_MAX 255
#define SMTP_LABEL_MAX  63
#define SMTP_PATH_MAX   256 /* with its angle brackets */

enum smtp_path_error {
	SMTP_PATH_OK,
	SMTP_PATH_SYNTAX,
	SMTP_PATH_NO_DOMAIN,       /* a local part alone */
	SMTP_PATH_LOCAL_TOO_LONG,  /* RFC 5321 section 4.5.3.1.1 */
	SMTP_PATH_DOMAIN_TOO_LONG, /* the domain or one of its labels */
	SMTP_PATH_TOO_LONG,        /* RFC 5321 section 4.5.3.1.3 */
	SMTP_PATH_NEEDS_UTF8,      /* not ASCII, and UTF-8 was not allowed */
	SMTP_PATH_NO_MEMORY,       /* the arena is full */
};

enum smtp_path_flags {
	SMTP_PATH_ALLOW_NULL = 1 << 0,       /* <> */
	SMTP_PATH_ALLOW_POSTMASTER = 1 << 1, /* <Postmaster> */
	SMTP_PATH_ALLOW_UTF8 = 1 << 2,       /* RFC 6531 */
	/* Not in the grammar, but in the names of real hosts. */
	SMTP_PATH_ALLOW_UNDERSCORE = 1 << 3,
};

struct smtp_path {
	/*
	 * The bytes of the local part, without quoting; its case is kept. May
	 * be empty (""@example.net). "postmaster" for <Postmaster>.
	 */
	struct str local;
	/*
	 * ASCII letters in lower case. A literal keeps its brackets and has
	 * its one normal form. Empty for <> and <Postmaster>.
	 */
	struct str domain;
	bool is_null;       /* <>: a bounce, which must not be bounced */
	bool is_postmaster; /* <Postmaster>, without a domain */
	bool is_literal;    /* [192.0.2.1] or [IPv6:2001:db8::1] */
	bool is_utf8;       /* not all ASCII: the next hop needs SMTPUTF8 */
	bool has_route;     /* a source route was written, and ignored */
};

/*
 * Parse the path at the start of in, from "<" to ">". A source route is
 * checked and ignored (RFC 5321 appendix C). *ret is allocated from a; on
 * success *ret_rest is what follows ">". Neither is touched on failure.
 */
enum smtp_path_error smtp_path_parse(struct arena *a, struct str in,
    unsigned flags, struct smtp_path *ret, struct str *ret_rest) WARN_UNUSED;

/*
 * Parse a mailbox without brackets, the whole of in: local@domain. For the
 * addresses of administrators' commands, AUTH= and comparing with headers.
 * Only the flags ALLOW_UTF8 and ALLOW_UNDERSCORE mean something here.
 */
enum smtp_path_error smtp_mailbox_parse(struct arena *a, struct str in,
    unsigned flags, struct smtp_path *ret) WARN_UNUSED;

/* Parse a domain or an address literal, the whole of in (EHLO). */
enum smtp_path_error smtp_domain_parse(struct arena *a, struct str in,
    unsigned flags, struct smtp_path *ret) WARN_UNUSED;

/* Append <local@domain>, quoted where needed; "<>" for the null path. */
void smtp_path_format(struct buf *to, const struct smtp_path *path);
/* The same without brackets; nothing for the null path. */
void smtp_mailbox_format(struct buf *to, const struct smtp_path *path);

/*
 * Same mailbox: domains compare without case (that is in the canonical form
 * already), local parts byte for byte (RFC 5321 section 2.4).
 */
bool smtp_path_eq(const struct smtp_path *a, const struct smtp_path *b);

const char *smtp_path_error_str(enum smtp_path_error e);
