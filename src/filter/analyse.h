/* SPDX-License-Identifier: ISC */
/*
 * analyse.h - look at one message: MIME structure, hops, missing fields,
 * authors, fields that claim to be ours.
 *
 * The message comes in a memory file. A sealed one is mapped; one that its
 * sender could still change is copied first, so that what was checked is
 * what was seen. Any bytes are some message: what goes beyond a limit of the
 * structure is left out of it, and the message goes on.
 */
#pragma once

#include "base/buf.h"

#define ANALYSE_SIZE_MAX MIB(256) /* the largest blob of the store */
/* Room for a structure: mime_structure.h promises that it is enough. */
#define ANALYSE_STRUCTURE_MAX MIB(2)

/* Places where forged fields stand; more of them are in no honest message. */
#define ANALYSE_CUTS_N   10000
#define ANALYSE_CUTS_MAX KIB(128)

/* Room for the authors, as msg_text. */
#define ANALYSE_AUTHORS_MAX KIB(512)

struct analysis {
	struct buf structure; /* mime_structure.h */
	uint32_t hops;        /* Received fields */
	uint32_t missing;     /* MIME_LACKS_* */
	bool is_limited;      /* something was beyond a limit */
	/* msg_cut: Authentication-Results that claim to be ours (RFC 8601
	 * section 5). */
	struct buf cuts;
	bool is_stuffed; /* with more of them than are found */
	/* only when they were asked for; mime_author.h */
	struct buf authors; /* msg_text */
	uint32_t author_faults;
};

void analysis_done(struct analysis *a);

/* The bytes of a message that is in memory; id: our authserv-id. The result
 * is ended by the caller. */
void analyse_bytes(struct str message, bool wants_authors, struct str id,
    struct analysis *ret);

/* The bytes of a message: all of data, or the first size bytes of fd, which
 * stays the caller's. */
struct analyse_source {
	struct str message; /* until analyse_close() */
	void *map;
	char *copy;
};
/*
 * fd is -1 for data. 0, or -errno when the bytes cannot be read (too big,
 * shorter than size, not a regular file); then there is nothing to close.
 */
int analyse_open(struct analyse_source *ret, int fd, struct str data,
    uint64_t size) WARN_UNUSED;
void analyse_close(struct analyse_source *s);
