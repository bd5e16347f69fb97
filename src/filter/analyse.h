/* SPDX-License-Identifier: ISC */
/*
 * analyse.h - look at one message: MIME structure, hops, missing fields,
 * authors.
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

/* Room for the authors, as msg_text. */
#define ANALYSE_AUTHORS_MAX KIB(512)

struct analysis {
	struct buf structure; /* mime_structure.h */
	uint32_t hops;        /* Received fields */
	uint32_t missing;     /* MIME_LACKS_* */
	bool is_limited;      /* something was beyond a limit */
	/* only when they were asked for; mime_author.h */
	struct buf authors; /* msg_text */
	uint32_t author_faults;
};

void analysis_done(struct analysis *a);

/* The bytes of a message that is in memory already. The result is ended by
 * the caller. */
void analyse_bytes(
    struct str message, bool wants_authors, struct analysis *ret);
/*
 * The first size bytes of fd, which stays the caller's. 0, or -errno when
 * they cannot be read (too big, shorter than size, not a regular file).
 */
int analyse_fd(int fd, uint64_t size, bool wants_authors,
    struct analysis *ret) WARN_UNUSED;
