/* SPDX-License-Identifier: ISC */
/*
 * importer.h - messages on their way into an account, in batches.
 *
 * Each message has a key made of its mailbox, its bytes and what tells equal
 * ones apart; the store leaves out what it has under that key already, so
 * that an import may be run again after it was interrupted. One batch is one
 * durable commit of the store.
 */
#pragma once

#include "cli/mailbox/mailstore.h"
#include "cli/output/progress.h"

#define IMPORT_BATCH_BYTES    MIB(8)
#define IMPORT_BATCH_MESSAGES 500
#define IMPORT_MESSAGE_MAX    MIB(256)
#define IMPORT_KEYWORDS_MAX   64

struct importer {
	struct admin *a;
	struct progress progress;
	uint64_t done;         /* of the progress bar's total */
	struct buf mailbox;    /* of the batch */
	struct buf bytes;      /* of its messages */
	struct buf items;      /* msg_append_item */
	struct buf structures; /* of one message */
	size_t n;              /* messages in the batch */
	uint64_t added, known, failed, added_bytes;
	uint64_t mailboxes;
	uint64_t *seen; /* fingerprints, to number equal messages */
	uint32_t *seen_times;
	size_t n_seen, cap_seen;
	int error; /* exit code; sticky */
};

struct import_message {
	struct str mailbox;
	struct str bytes;  /* with CRLF */
	struct str unique; /* of the source; empty: number equal messages */
	unsigned flags;
	struct str keywords; /* list of msg_text */
	uint64_t date;       /* 0: now */
	const char *source;  /* for error messages */
};

void importer_init(struct importer *im, struct admin *a);
void importer_done(struct importer *im);
/* Errors stick in im->error. */
void importer_add(struct importer *im, const struct import_message *m);
void importer_flush(struct importer *im);
/* Count one that could not be read, and say so. */
void importer_skip(struct importer *im, const char *source, const char *why);

/* Walk a source; the result is in im. */
struct import_source {
	const char *path;
	struct str mailbox; /* empty: INBOX, or by the name of the source */
	bool is_o;          /* mbox: only ">From " is quoted */
};
void import_maildir(struct importer *im, const struct import_source *s);
void import_mbox(struct importer *im, const struct import_source *s);
/* A folder of mbox files, each one mailbox. */
void import_mbox_folder(struct importer *im, const struct import_source *s);
bool import_is_maildir(const char *path);
