/* SPDX-License-Identifier: ISC */
/*
 * message.h - the bytes of one message on their way into a sealed memory file.
 *
 * Small writes are gathered. Over the size limit nothing more is kept, and the
 * caller reads on to the end to give its answer there. What all sessions of
 * a worker hold together is bounded too (SERVER_SPOOL_MAX).
 */
#pragma once

#include "base/buf.h"

struct message {
	uint64_t *spool_bytes; /* of all messages; ours are in it */
	uint64_t spool_max;
	uint64_t size, size_max;
	struct buf tail; /* not written yet */
	int fd;
	bool is_too_big;
	bool is_failed; /* no memory file, or all of them are full: try later */
	bool has_nul;
	bool has_bare_eol; /* message_check_eol() */
	bool is_after_cr;
};

struct message_config {
	uint64_t *spool_bytes;
	uint64_t spool_max, size_max;
};

struct message *message_new(const struct message_config *config);
void message_free(struct message *m);
void message_put(struct message *m, struct str s);
/* Remember whether a CR or LF stands alone; ends with s STR_NONE. */
void message_check_eol(struct message *m, struct str s);
/* All is there: seal it. 0 or -errno. m->fd is then readable by others, who
 * get copies of the descriptor. */
int message_seal(struct message *m) WARN_UNUSED;
/*
 * Put header lines in front of a sealed message: into a new memory file, which
 * is sealed as well. 0, or -errno (and the message is as it was).
 */
int message_prepend(struct message *m, struct str lines) WARN_UNUSED;
