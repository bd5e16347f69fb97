/* SPDX-License-Identifier: ISC */
/*
 * mbox.h - cut an mbox file into messages, and write one.
 *
 * A message begins with a line "From <sender> <date>" at the start of the
 * file or after an empty line; the date must be one, so that a sentence that
 * begins with "From " is not taken for it. The empty line before it is not
 * part of a message. Quoted lines of bodies are unquoted: mboxrd (">From ",
 * ">>From ", ... lose one ">") or mboxo (only ">From " does).
 *
 * Incremental: memory is one line of limited length, whatever the file. The
 * answer does not depend on how the input is cut.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/mailfile/mailfile.h"

/* A longer line is data, whatever it begins with. */
#define MBOX_LINE_MAX 1024

enum mbox_quoting {
	MBOX_RD,
	MBOX_O,
	MBOX_NONE, /* leave ">From " as it is */
};

struct mbox_from {
	struct str sender; /* as it stands there, may be "-" */
	uint64_t time;     /* seconds since 1970 */
};

/* "From sender Thu Nov 23 18:30:21 2026[ +0100]", no line end. */
bool mbox_from_parse(struct str line, struct mbox_from *ret) WARN_UNUSED;
/* Append such a line with LF; what is no sender is written as "-". */
void mbox_from_format(const struct mbox_from *from, struct buf *out);

struct mbox_handlers {
	/* from is valid during the call. */
	void (*begin)(void *arg, const struct mbox_from *from);
	/* Bytes of the message, with CRLF. */
	void (*data)(void *arg, struct str bytes);
	void (*end)(void *arg);
};

struct mbox_reader {
	const struct mbox_handlers *handlers;
	void *arg;
	enum mbox_quoting quoting;
	struct buf line; /* what came of the present line */
	bool is_in_message;
	bool is_long;        /* the line's begin was given out already */
	bool after_cr;       /* of a long line */
	bool has_empty_line; /* one is held back: it may be a separator */
	uint64_t junk;       /* bytes before the first message */
};

void mbox_reader_init(struct mbox_reader *r, enum mbox_quoting quoting,
    const struct mbox_handlers *handlers, void *arg);
void mbox_reader_done(struct mbox_reader *r);
void mbox_reader_feed(struct mbox_reader *r, struct str bytes);
/* The file is over: gives out the last line and ends the last message. */
void mbox_reader_finish(struct mbox_reader *r);

/*
 * Append a message to an mbox: body and header lines quoted (mboxrd), LF as
 * line ends, an empty line at the end. The From_ line comes before it.
 */
void mbox_put_message(struct buf *out, struct str message);

/* Letters of "Status" and "X-Status" as MAILFILE_* bits. */
unsigned mbox_status_flags(struct str letters);
/* The fields for flags, with LF: "Status: RO\nX-Status: AF\n". */
void mbox_put_status(struct buf *out, unsigned flags);
