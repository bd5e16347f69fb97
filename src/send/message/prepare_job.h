/* SPDX-License-Identifier: ISC */
/*
 * prepare_job.h - the work on one message before it goes out, for a helper
 * thread: look at its bytes, bring them down to 7 bits where the server needs
 * that, sign or seal what comes of it.
 *
 * Pure, and apart from all other state: it may run anywhere.
 */
#pragma once

#include "send/message/content.h"
#include "send/message/identity.h"
#include "send/message/keyring.h"
#include "send/message/letter.h"

/* What the server takes. */
enum prepare_can {
	PREPARE_8BIT = 1 << 0,   /* 8BITMIME */
	PREPARE_BINARY = 1 << 1, /* BINARYMIME, with CHUNKING */
};

enum prepare_result {
	PREPARE_OK,
	PREPARE_LATER, /* nothing is wrong with it: once more, soon */
	PREPARE_KEYS,  /* its domain's keys are of no use */
	PREPARE_UNFIT, /* it cannot be brought down to what the server takes */
	PREPARE_UNREADABLE,
};

struct prepare_work {
	struct letter letter;
	unsigned can;
	bool is_kept; /* forwarded: lines may be long, others signed them */
	bool signs;   /* with keys, unless there are none */
	enum identity_kind kind;
	const struct keyset *keys; /* NULL: none */
	struct str hostname;       /* the authserv-id of our results */
	uint64_t now;
	/* What came of it; the fields are in letter.top. */
	enum prepare_result result;
	struct content content; /* of the letter as it was */
	bool is_converted;
};

/* Does a message like that have to be converted for such a server? */
bool prepare_is_unfit(const struct content *c, unsigned can, bool is_kept);
void prepare_work(struct prepare_work *w);
