/* SPDX-License-Identifier: ISC */
/*
 * dkim_write.h - write signature fields, folded.
 *
 * A field is drafted with an empty b=, hashed, and then completed; the parts
 * before and behind the signature's bytes are kept apart, so that the
 * folding of these bytes cannot change what was hashed.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/dkim/dkim_signature.h"

/* Lines are folded before this column where that is possible. */
#define DKIM_LINE_MAX 76

struct dkim_draft {
	struct buf before; /* from the field's name to "b=" */
	struct buf behind; /* from the semicolon on */
	bool has_b;
	bool folds_b;
	size_t column;
};

/* Begin with "Name: "; the first tag follows without a semicolon. */
void dkim_draft_init(struct dkim_draft *d, const char *field_name);
void dkim_draft_done(struct dkim_draft *d);

/* Add "name=value"; value must not need folding. */
void dkim_draft_tag(struct dkim_draft *d, const char *name, struct str value);
void dkim_draft_number(struct dkim_draft *d, const char *name, uint64_t v);
void dkim_draft_base64(
    struct dkim_draft *d, const char *name, struct str bytes);
/* A list with colons, folded behind these where a line gets too long. */
void dkim_draft_names(struct dkim_draft *d, const char *name, struct str list);
/*
 * The place of the signature's bytes: b=. Folding them is free for DKIM; in
 * ARC the folds are under the next seal, and the public test suite compares
 * with fields that have none (a line holds 998 characters).
 */
void dkim_draft_b(struct dkim_draft *d, bool folds_b);

/*
 * The field with its empty b=, for hashing. False when it has grown too
 * large. Lives as long as d and to.
 */
bool dkim_draft_field(const struct dkim_draft *d, struct buf *to,
    struct dkim_field *ret) WARN_UNUSED;
/* Append the complete field and its CRLF. */
void dkim_draft_finish(
    const struct dkim_draft *d, struct str signature, struct buf *to);

/* The value of a= for a key; the hash is SHA-256 always. */
const char *dkim_key_algorithm(const struct crypt_key *key);
