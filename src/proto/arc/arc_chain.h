/* SPDX-License-Identifier: ISC */
/*
 * arc_chain.h - find the ARC sets of a header and put them in order (RFC
 * 8617 sections 4.2 and 5.2, steps 1 to 3).
 *
 * A set is one field of each kind with the same instance number; a chain has
 * the instances 1 to n without a gap. Anything else is a fault of the whole
 * chain. Nothing is verified here.
 *
 * Layer: proto, on proto/dkim. No I/O, no clock.
 */
#pragma once

#include "proto/dkim/dkim_signature.h"

#define ARC_SETS_MAX DKIM_ARC_INSTANCE_MAX

enum arc_cv {
	ARC_NONE, /* no chain */
	ARC_PASS,
	ARC_FAIL,
};
const char *arc_cv_str(enum arc_cv cv);

struct arc_set {
	/* The fields, NULL where one is missing (then the chain has a fault). */
	const struct dkim_field *results;
	const struct dkim_field *message;
	const struct dkim_field *seal;
	size_t message_index; /* of the field in the header */
	struct dkim_signature message_sig;
	struct dkim_signature seal_sig;
	struct str results_value; /* behind "i=1;": an RFC 8601 payload */
};

struct arc_chain {
	struct dkim_header header;
	struct arc_set *sets; /* sets[i] is instance i + 1; NULL when none */
	size_t n;             /* highest instance */
	const char *fault;    /* static text: the chain is malformed; or NULL */
	bool has_fields;      /* there is any ARC field */
	bool is_too_large;    /* the header cannot be read */
};

/* Borrows header. The caller ends it with arc_chain_done() in any case. */
void arc_chain_parse(struct str header, struct arc_chain *ret);
void arc_chain_done(struct arc_chain *c);

/* Does the newest seal say that the chain had failed before? It stays so. */
bool arc_chain_has_ended(const struct arc_chain *c);

/*
 * Put set i as it is under the seals of later sets: its three fields in
 * canonical form, each with CRLF (RFC 8617 section 5.1.1).
 */
void arc_put_set(const struct arc_set *set, const struct dkim_sink *to);
