/* SPDX-License-Identifier: ISC */
/*
 * maildir_name.h - what the names of files and folders of a Maildir say.
 *
 * A message is "<time>.<unique>.<host>[,S=<size>...][:2,<flags>]"; capital
 * letters are flags, small ones keywords by number, whose names stand in a
 * file dovecot-keywords beside the folder. Sub-folders are ".A.B" (Maildir++).
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "proto/mailfile/mailfile.h"

#define MAILDIR_KEYWORDS    26
#define MAILDIR_KEYWORD_MAX 64

struct maildir_name {
	struct str unique; /* what stays the same when flags change */
	unsigned flags;    /* MAILFILE_* */
	uint32_t keywords; /* bit i: letter 'a' + i */
	bool has_time;
	uint64_t time; /* seconds since 1970 */
};

/* False: not a message (empty, or begins with a dot). */
bool maildir_name_parse(struct str name, struct maildir_name *ret) WARN_UNUSED;
/* Append unique and the info suffix; letters in ASCII order. */
void maildir_name_format(const struct maildir_name *name, struct buf *out);

/*
 * One line of dovecot-keywords: "<number> <name>". False: neither that, nor
 * a number that a letter can stand for. *ret_name points into line.
 */
bool maildir_keyword_parse(
    struct str line, unsigned *ret_number, struct str *ret_name) WARN_UNUSED;

/*
 * Folder ".A.B" as a path "A/B", and back; the parts stay encoded as they
 * are. False: not the name of a sub-folder. A "/" cannot be in a file's name,
 * a "." in a mailbox's becomes "_".
 */
bool maildir_folder_parse(struct str folder, struct buf *ret) WARN_UNUSED;
void maildir_folder_format(struct str path, struct buf *out);
