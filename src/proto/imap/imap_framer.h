/* SPDX-License-Identifier: ISC */
/*
 * imap_framer.h - cut the byte stream of an IMAP client into commands.
 *
 * A command is lines joined by literals (RFC 3501 4.3, RFC 7888, RFC 3516).
 * The framer joins them into one contiguous text in which each literal
 * stands behind its header "{n}" CRLF, so that the grammar runs on complete
 * input. A message of APPEND need not be collected: it can be streamed, and
 * then its header reads "{n!}", a form that no client can produce.
 *
 * Only CRLF ends a line. After an error the rest of the command is skipped
 * with bounded memory, non-synchronising literals included, so that no byte
 * of a literal is ever taken for a command.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

struct imap_framer_limits {
	size_t line;       /* one line without literals and CRLF */
	size_t literal;    /* one collected literal */
	size_t literals;   /* literals of a command, streamed ones too */
	size_t command;    /* all collected bytes of a command */
	uint64_t skip;     /* bytes skipped after an error, per command */
	uint64_t non_sync; /* largest {n+}; LITERAL- means 4096 */
};

#define IMAP_FRAMER_LIMITS \
	((struct imap_framer_limits){ .line = KIB(64), \
	    .literal = KIB(64), \
	    .literals = 64, \
	    .command = KIB(256), \
	    .skip = MIB(64), \
	    .non_sync = UINT64_MAX })

enum imap_frame {
	/* Everything given was used; read more. */
	IMAP_FRAME_MORE,
	/* event.text is a whole command, without its last CRLF. */
	IMAP_FRAME_COMMAND,
	/*
	 * event.literal is announced. Answer with imap_framer_accept(),
	 * _stream() (if can_stream) or _reject() before the next call. When
	 * it is synchronising, send "+ OK" after accept or stream, or a
	 * tagged NO after reject.
	 */
	IMAP_FRAME_LITERAL,
	/*
	 * event.slice is the next part of the streamed literal, event.left
	 * what is still to come. left 0: this was the last part, which may
	 * be empty only for an empty literal.
	 */
	IMAP_FRAME_SLICE,
	/*
	 * Errors of one command. Answer BAD (NO [TOOBIG] or such) at once;
	 * event.text holds what was read, for its tag. The rest is skipped.
	 */
	IMAP_FRAME_BARE_EOL,     /* CR or LF alone */
	IMAP_FRAME_BAD_CHAR,     /* NUL in a line */
	IMAP_FRAME_LINE_LONG,    /* limits.line */
	IMAP_FRAME_LITERAL_BIG,  /* limits.literal or .non_sync */
	IMAP_FRAME_TOO_MANY,     /* limits.literals */
	IMAP_FRAME_COMMAND_LONG, /* limits.command */
	/* Final: say BYE and close. limits.skip is used up. */
	IMAP_FRAME_FATAL,
};

struct imap_literal {
	uint64_t size;
	bool is_sync;     /* {n}: the client waits for "+" */
	bool is_binary;   /* ~{n} (RFC 3516) */
	bool can_collect; /* imap_framer_accept() is allowed */
	bool can_stream;  /* a message of APPEND */
};

struct imap_frame_event {
	/* COMMAND, LITERAL, errors: the text so far. That of LITERAL ends with
	 * the literal's header, without CRLF. */
	struct str text;
	struct str slice;            /* SLICE: points into the input */
	uint64_t left;               /* SLICE */
	struct imap_literal literal; /* LITERAL, LITERAL_BIG */
};

struct imap_framer {
	struct imap_framer_limits limits; /* may change between commands */
	/* The rest is the framer's own. */
	struct buf text;
	size_t line_start; /* of the current line in text */
	unsigned literals;
	int state;
	uint64_t left;    /* of the literal being read or skipped */
	uint64_t skipped; /* bytes of this command thrown away */
	struct imap_literal literal;
};

void imap_framer_init(
    struct imap_framer *f, const struct imap_framer_limits *limits);
/* Frees the text; it may hold a password, so it is overwritten first. */
void imap_framer_done(struct imap_framer *f);

/*
 * Read on. in is what was received and not yet used; the caller drops
 * *ret_used bytes of it after every call (also after MORE, where that is all
 * of in). Events do not depend on how the input was split, except that
 * slices are as long as the input allows. *ret_event and event.text are
 * valid until the next call. Call again after every answer but MORE and
 * FATAL.
 *
 * The same framer reads SASL responses and DONE: they are lines.
 * After STARTTLS drop the rest of the input and do not feed it.
 */
enum imap_frame imap_framer_next(struct imap_framer *f, struct str in,
    size_t *ret_used, struct imap_frame_event *ret_event);

/*
 * After LITERAL: collect it. Only with can_collect, which is always so unless
 * the literal is a message that limits.literal or .command has no room for.
 */
void imap_framer_accept(struct imap_framer *f);
/* After LITERAL with can_stream: deliver it in slices. */
void imap_framer_stream(struct imap_framer *f);
/*
 * After LITERAL, or at any time until COMMAND comes: the rest of this command
 * is skipped without a further event. A client that waits for "+" reads the
 * caller's tagged NO instead and starts a new command. The connection ends with
 * FATAL when the rest is longer than limits.skip; for a literal that was
 * already being streamed the limit does not count.
 */
void imap_framer_reject(struct imap_framer *f);

/* Nothing of a next command has been seen yet. */
bool imap_framer_is_idle(const struct imap_framer *f);
/* Give back the memory between commands; event.text dies. */
void imap_framer_shrink(struct imap_framer *f);
