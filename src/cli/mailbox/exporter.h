/* SPDX-License-Identifier: ISC */
/*
 * exporter.h - an account's mail as Maildir or mbox files.
 *
 * Maildir: a file that is there already is left as it is, so that a second
 * run goes on. mbox: written anew beside its place, then renamed. Lines end
 * with LF, as other programs expect them in these files.
 */
#pragma once

#include "cli/mailbox/mailstore.h"

struct export_target {
	const char *path;
	struct str mailbox; /* empty: all of them */
	bool is_mbox;
};

/* Export what the session was granted to. An exit code. */
int export_mail(struct admin *a, const struct export_target *t) WARN_UNUSED;

/* --- for exporter.c and its two writers ----------------------------------------- */

struct export_message {
	uint32_t uid, uidvalidity;
	unsigned flags;
	uint64_t internaldate;
	const struct str *keywords; /* of this message */
	size_t n_keywords;
	struct str bytes; /* prefix and all, CRLF */
};

/* One mailbox that is being written; errors are -errno. */
struct export_writer {
	const struct export_target *target;
	struct str mailbox; /* name */
	struct buf path;    /* of the folder or file */
	int fd;
	struct buf out;
	struct str keywords[26]; /* Maildir: letters in use */
	size_t n_keywords;
	uint64_t lost_keywords;
	void *names; /* Maildir: what is there, sorted */
	size_t n_names;
};

int export_maildir_open(struct export_writer *w) WARN_UNUSED;
/* Is the message there already? */
bool export_maildir_has(
    const struct export_writer *w, const struct export_message *m);
int export_maildir_put(
    struct export_writer *w, const struct export_message *m) WARN_UNUSED;
int export_maildir_close(struct export_writer *w) WARN_UNUSED;
int export_mbox_open(struct export_writer *w) WARN_UNUSED;
int export_mbox_put(
    struct export_writer *w, const struct export_message *m) WARN_UNUSED;
int export_mbox_close(struct export_writer *w, bool is_whole) WARN_UNUSED;
