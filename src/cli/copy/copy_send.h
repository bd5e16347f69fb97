/* SPDX-License-Identifier: ISC */
/*
 * copy_send.h - a static copy's files to other hosts, by rsync over ssh.
 *
 * rsync is told the names of what changed, and what is not here any more is removed there;
 * nothing else over there is looked at. All targets at once, each with as long as
 * there is until the next minute. A target that failed gets the names again
 * next time.
 */
#pragma once

#include "cli/copy/copy_write.h"

struct copy_remote {
	char *target; /* "www@mirror.example.org:/srv/status" */
	/* Names that it does not have as they are here, sorted, each once. */
	struct copy_names due;
	bool is_failing;
	int pid; /* of its rsync; 0: none */
};

struct copy_send {
	struct admin *a;
	const char *folder; /* what is sent */
	const char *user;   /* who rsync runs as; NULL: as this process */
	struct copy_remote *remotes;
	size_t n;
};

/* What changed is due everywhere. */
void copy_send_note(struct copy_send *s, const struct copy_names *names);
/* Send what is due. The number of targets that failed; why was printed, once
 * for as long as they fail. */
size_t copy_send_all(struct copy_send *s, uint32_t within_s);
void copy_send_done(struct copy_send *s);
