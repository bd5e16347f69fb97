/* SPDX-License-Identifier: ISC */
/*
 * arc_seal.h - add a set to the ARC chain of one message (RFC 8617 section
 * 5.1), before it is handed on.
 *
 * Tags are in alphabetical order, which is as good as any, and what the
 * public test suite compares with.
 *
 * Layer: proto, on proto/dkim and proto/authres. No I/O.
 */
#pragma once

#include "proto/arc/arc_chain.h"
#include "proto/dkim/dkim_sign.h"

struct arc_seal_options {
	struct str domain;
	struct str selector;
	const struct crypt_key *key;
	struct str authserv_id;
	struct str results; /* RFC 8601 results without id: "spf=pass; ..." */
	enum arc_cv cv;     /* what arc_verifier_finish() said on arrival */
	const struct dkim_sign_name *names; /* NULL: the usual ones */
	size_t names_n;
	uint64_t now; /* t=, in Unix time */
};

struct arc_sealer;

/*
 * Start with the bytes of the header; they and the options' key and texts are
 * borrowed until arc_sealer_free(). NULL when nothing may be added: the chain
 * has failed before and says so, it has as many sets as there may be, or the
 * header is too large to be signed.
 */
struct arc_sealer *arc_sealer_new(
    struct str header, const struct arc_seal_options *options);
/* NULL is fine; returns NULL. */
struct arc_sealer *arc_sealer_free(struct arc_sealer *s);

/* The next part of the body; lines end with CRLF. */
void arc_sealer_body(struct arc_sealer *s, struct str part);
/*
 * Append the three fields, each ending with CRLF, to be put on top of the
 * header. Once. False, with nothing appended, when the key cannot sign or
 * they do not fit.
 */
bool arc_sealer_finish(struct arc_sealer *s, struct buf *to) WARN_UNUSED;

/*
 * Append the results of all Authentication-Results fields of header that are
 * from id, in their order, as arc_seal_options wants them. Fields that cannot
 * be read are left out. True when there was any. These are believed: forged
 * ones have to be gone on arrival (authres_strip()).
 */
bool arc_collect_results(struct str header, struct str id, struct buf *to);
