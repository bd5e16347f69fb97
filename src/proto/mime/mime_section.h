/* SPDX-License-Identifier: ISC */
/*
 * mime_section.h - which bytes IMAP's BODY[section] means: part numbers,
 * HEADER, TEXT and MIME (RFC 3501 and RFC 9051, section 6.4.5).
 *
 * Layer: proto.
 */
#pragma once

#include "proto/mime/mime_parse.h"

/* Longer paths name no part. */
#define MIME_SECTION_DEPTH 128

enum mime_section_what {
	MIME_SECTION_PART,   /* BODY[] or BODY[1.2] */
	MIME_SECTION_HEADER, /* HEADER, and the base of HEADER.FIELDS */
	MIME_SECTION_TEXT,
	MIME_SECTION_MIME, /* only behind a part number */
};

struct mime_section {
	enum mime_section_what what;
	uint32_t n; /* numbers in path; none is the message itself */
	uint32_t path[MIME_SECTION_DEPTH];
};

struct mime_range {
	uint64_t off;
	uint64_t len;
};

/*
 * Parse "", "1.2", "1.HEADER", "TEXT", "2.MIME" (no HEADER.FIELDS: its list
 * of names is the IMAP parser's; hand over what stands before it as HEADER).
 * False for anything else; *ret is untouched.
 */
bool mime_section_parse(struct str spec, struct mime_section *ret) WARN_UNUSED;

/*
 * The bytes of a section. False when the message has no such part, or when
 * HEADER or TEXT is asked of a part that is no message: IMAP answers NIL.
 * "1" of a message that is no multipart is its text.
 */
bool mime_section_find(const struct mime_tree *tree,
    const struct mime_section *section, struct mime_range *ret) WARN_UNUSED;
/* The part a path names, or NULL; the root for an empty path. */
const struct mime_part *mime_section_part(
    const struct mime_tree *tree, const struct mime_section *section);
