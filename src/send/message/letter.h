/* SPDX-License-Identifier: ISC */
/*
 * letter.h - the bytes of one message as they go out: fields that we put on
 * top, then what the store gave, in memory and behind it in a file.
 *
 * Pure but for reading the file, which is in memory too: it never waits.
 */
#pragma once

#include "base/buf.h"

/* The part of a message that is looked at for its header. */
#define LETTER_HEADER_MAX MIB(1)

struct letter {
	struct buf top;  /* fields of ours; each ends with CRLF */
	struct buf data; /* the message, or its beginning */
	int fd;          /* the rest; -1: none */
	uint64_t size;   /* of data and file */
	size_t prefix;   /* so many bytes at its start our servers wrote */
	uint64_t *counter, counted; /* of who bounds memory; NULL: nobody */
};

#define LETTER_NONE ((struct letter){ .fd = -1 })

/* Frees what it has; it is LETTER_NONE then. */
void letter_done(struct letter *l);
/* Count its bytes there until it is done. Once. */
void letter_count(struct letter *l, uint64_t *counter);
/* Take over all that from has; from is LETTER_NONE then. */
struct letter letter_take(struct letter *from);

/* Bytes that go out. */
static inline uint64_t
letter_size(const struct letter *l)
{
	return l->top.n + l->size;
}

/*
 * The next piece at offset at of the message, without top: it lies in the
 * letter or was read into scratch, of n bytes. Empty: the end, or it cannot be
 * read.
 */
struct str letter_piece(
    const struct letter *l, uint64_t at, char *scratch, size_t n);
/* The same with top in front of it. */
struct str letter_piece_out(
    const struct letter *l, uint64_t at, char *scratch, size_t n);

/*
 * The header, up to and with the empty line, or all of the message when there
 * is none. It lies in the letter or in to. False: it is longer than
 * LETTER_HEADER_MAX, or cannot be read.
 */
bool letter_header(
    const struct letter *l, struct buf *to, struct str *ret) WARN_UNUSED;
/* All of the message, without top, appended to to. False: it cannot be read,
 * or does not fit. */
bool letter_read(const struct letter *l, struct buf *to) WARN_UNUSED;
