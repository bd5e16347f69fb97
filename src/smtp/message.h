/* SPDX-License-Identifier: ISC */
/*
 * message.h - the bytes of one message: in memory while it is small, beyond
 * that in a sealed memory file.
 *
 * Over the size limit nothing more is kept, and the
 * caller reads on to the end to give its answer there. What all sessions of
 * a worker hold together is bounded too (SERVER_SPOOL_MAX), with a reserve
 * that only small ones may use.
 */
#pragma once

#include "base/buf.h"

struct message {
	uint64_t *spool_bytes; /* of all messages; ours are in it */
	uint64_t spool_max;
	uint64_t size, size_max;
	struct buf tail; /* not written yet; all of a small message */
	int fd;          /* -1: none is needed so far */
	bool is_too_big;
	bool is_failed; /* no memory file, or all of them are full: try later */
	bool has_nul;
	bool has_bare_eol; /* message_check_eol() */
	bool is_after_cr;
	bool has_end; /* the last line has its line end */
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
 * What goes to the other processes of a sealed message: either *ret_data, or a
 * descriptor of its own in *ret_fd (else -1). False: no descriptor is left.
 */
bool message_lend(
    const struct message *m, struct str *ret_data, int *ret_fd) WARN_UNUSED;
/*
 * Put header lines in front of a sealed message: a new memory file, sealed as
 * well, or more bytes in memory. 0, or -errno (and the message is as it was).
 */
int message_prepend(struct message *m, struct str lines) WARN_UNUSED;
/*
 * Take parts out of a sealed message, as message_prepend: cuts are msg_cut in
 * ascending order. -EINVAL when they are not, or go beyond its end.
 */
int message_cut(struct message *m, struct str cuts) WARN_UNUSED;
