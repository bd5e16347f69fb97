/* SPDX-License-Identifier: ISC */
/*
 * mime_structure.h - the structure record: what IMAP and JMAP ask about a
 * message, made once when it enters the store and kept beside it, so that a
 * FETCH of ENVELOPE is a copy of bytes and BODY[1.2] needs no parser.
 *
 * The record is opaque to the store. It is made by a process that reads
 * hostile mail, so a reader trusts nothing in it: mime_structure_view()
 * checks every offset against the size of the message and that the
 * pre-rendered texts are one balanced IMAP list each, which cannot break out
 * of a response.
 *
 * Stored messages are shared by their recipients. What differs between them
 * (Return-Path, Delivered-To, Received) is a prefix of whole header lines
 * put in front of the shared bytes when they are read. Offsets in a record
 * are those of the shared bytes; ranges that are handed out are those of
 * prefix and shared bytes together.
 *
 * Layout (wire.h; varints unless said otherwise): u8 version, u8 flags,
 * message size, header length, [epoch (zigzag), zone (zigzag)], message-id
 * vstr, in-reply-to vstr, count and vstrs of references, envelope vstr,
 * bodystructure vstr, count of parts, then each part in order of the
 * message: children * 4 + kind, header offset less the one before it, header
 * length, content length.
 *
 * Layer: proto.
 */
#pragma once

#include "base/wire.h"
#include "proto/mime/mime_date.h"
#include "proto/mime/mime_section.h"

#define MIME_STRUCTURE_VERSION 1

/* Limits of what goes into a record. */
#define MIME_STRUCTURE_MAX   MIB(2) /* a record is never longer */
#define MIME_STRUCTURE_VALUE 2000   /* bytes of one string of an envelope */
#define MIME_STRUCTURE_ADDRS 1000   /* addresses in one field */
#define MIME_STRUCTURE_REFS  64     /* references kept: the first, the last */
#define MIME_STRUCTURE_ID    250    /* longer message-ids are cut */

enum {
	MIME_HAS_DATE = 1 << 0,       /* date is set */
	MIME_HAS_ATTACHMENT = 1 << 1, /* see mime_structure_build() */
	MIME_IS_TRUNCATED = 1 << 2,   /* a limit was met */
};

/* All of it points into the record and lives as long as that does. */
struct mime_structure {
	unsigned flags;
	uint64_t size;            /* of the shared bytes */
	uint64_t header_length;   /* the empty line included */
	struct mime_date date;    /* of the Date field */
	struct str envelope;      /* "(...)", ready to send */
	struct str bodystructure; /* "(...)", with extension data */
	struct str message_id;    /* without <>; empty when there is none */
	struct str in_reply_to;   /* the first one */
	uint32_t n_references;
	struct wire references; /* read each with wire_get_vstr() */
	uint32_t n_parts;
	struct wire parts; /* for mime_structure_next_part() */
};

/*
 * Append the record of message to out. The same message gives the same
 * record. False (with nothing of use in out) only when out's max is reached;
 * a max of MIME_STRUCTURE_MAX is always enough.
 *
 * A message has an attachment when a leaf has the disposition attachment, or
 * is not text, has a file name and no Content-ID, or is a nested message.
 */
bool mime_structure_build(struct str message, const struct mime_limits *limits,
    struct buf *out) WARN_UNUSED;
/* The same from a tree that was parsed already. */
bool mime_structure_build_from(const struct mime_tree *tree, struct str message,
    struct buf *out) WARN_UNUSED;

/*
 * Read a record that belongs to a message of size bytes. False when it is of
 * another version, does not belong, or was tampered with: make a new one.
 */
bool mime_structure_view(
    struct str record, uint64_t size, struct mime_structure *ret) WARN_UNUSED;

/*
 * The bytes of a section, with prefix bytes of header lines in front of the
 * shared ones. BODY[] and BODY[HEADER] begin with the prefix; TEXT and all
 * parts are shifted by it. False as in mime_section_find().
 */
bool mime_structure_find(const struct mime_structure *s,
    const struct mime_section *section, uint64_t prefix,
    struct mime_range *ret) WARN_UNUSED;

/*
 * Append the text of FETCH BODY (BODYSTRUCTURE without extension data),
 * which is made from bodystructure by leaving things out.
 */
void mime_structure_put_body(const struct mime_structure *s, struct buf *out);

/* RFC822.SIZE. */
static inline uint64_t
mime_structure_size(const struct mime_structure *s, uint64_t prefix)
{
	return prefix + s->size;
}

struct mime_structure_part {
	enum mime_kind kind;
	uint32_t n_children;
	uint64_t header, body, end; /* as in struct mime_part */
};

/*
 * Walk the parts in order of the message: copy s->parts and call n_parts
 * times. The next part after one with children is its first child.
 */
struct mime_structure_part mime_structure_next_part(
    struct wire *parts, uint64_t *offset);

/*
 * Append an IMAP string: NIL when s.p is NULL, quoted when all of it is
 * printable 7-bit text of reasonable length, else a literal (RFC 9051
 * section 4.3). NUL, which no string may hold, becomes "?".
 */
void mime_structure_put_string(struct str s, struct buf *out);
/* Append the ENVELOPE list of a header (RFC 9051 section 7.5.2). */
void mime_structure_put_envelope(
    struct str header, struct arena *a, struct buf *out);
