/* SPDX-License-Identifier: ISC */
/*
 * mime_parse.h - a message as a tree of parts (RFC 2045, RFC 2046), and the
 * sections IMAP names in it (RFC 9051 section 6.4.5.1).
 *
 * One pass over the message, in time linear in its length, with memory
 * bounded by the limits; nothing is decoded or copied but short values. Any
 * bytes are some message. What goes beyond a limit is not looked into: it is
 * one opaque leaf, application/octet-stream, that reaches to the end of what
 * holds it (for the number of parts: to the end of the message).
 *
 * What is malformed is read like this:
 *  - a Content-Type that is none, or a multipart without a boundary or in
 *    which no delimiter line comes, is text/plain without parameters;
 *  - delimiter lines match by prefix (RFC 2046 section 5.1.1), the longest
 *    boundary of the open multiparts wins; an outer one ends the inner ones;
 *  - without a close delimiter the last part ends with what holds it;
 *  - message/rfc822 is parsed whatever its transfer encoding says.
 *
 * Layer: proto.
 */
#pragma once

#include "proto/mime/mime_cte.h"
#include "proto/mime/mime_header.h"
#include "proto/mime/mime_param.h"

struct mime_limits {
	uint32_t parts;    /* all parts, the message itself counted */
	uint32_t depth;    /* multiparts and messages inside each other */
	uint32_t fields;   /* of one header that are looked at for Content-* */
	uint32_t boundary; /* longest one used, in bytes */
	size_t memory;     /* bytes of the tree; at least MIME_MEMORY_MIN */
};

#define MIME_MEMORY_MIN KIB(64)
#define MIME_DEPTH_MAX  1000 /* whatever the limits say */
#define MIME_LIMITS_DEFAULT \
	((struct mime_limits){ .parts = 1000, \
	    .depth = 100, \
	    .fields = 10000, \
	    .boundary = 1000, \
	    .memory = MIB(4) })

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* has at least one child */
	MIME_MESSAGE,   /* message/rfc822 or message/global: one child, whose
	                   header is the nested message's */
};

struct mime_part {
	enum mime_kind kind;
	bool is_text;   /* type is text */
	bool is_opaque; /* a limit was met here */
	struct mime_part *parent, *child, *next;
	uint32_t n_children;

	/*
	 * Offsets in the message: the header is [header, body), the empty line
	 * included; the content is [body, end), without the line end that
	 * belongs to the delimiter behind it.
	 */
	uint64_t header, body, end;
	uint64_t lines; /* line ends in the content, and a last piece */

	/*
	 * Values as they came, unfolded where a fold was in it; p is NULL
	 * when the field is absent. A MIME header (RFC 2045) is looked at
	 * with or without a MIME-Version field.
	 */
	struct str type, subtype;
	struct mime_params params;
	struct str id, description, encoding;
	struct str md5, disposition, language, location;
	struct mime_params disposition_params;
	enum mime_cte cte;
};

struct mime_tree {
	struct arena arena;
	struct mime_part *root; /* the message; its header is at offset 0 */
	uint32_t n_parts;
	bool is_truncated; /* some limit was met */
	uint64_t size;     /* of the message */
	uint64_t work; /* line and compare steps taken: tests of linearity */
};

/*
 * Parse a message, which must outlive the tree: values point into it. NULL
 * limits are the default ones. The caller ends it with mime_tree_done().
 */
void mime_parse(struct mime_tree *tree, struct str message,
    const struct mime_limits *limits);
void mime_tree_done(struct mime_tree *tree);

/* The part that follows in the order of the message, or NULL. */
const struct mime_part *mime_part_next(const struct mime_part *part);
struct str mime_part_header(const struct mime_part *part, struct str message);
struct str mime_part_body(const struct mime_part *part, struct str message);
