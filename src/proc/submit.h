/* SPDX-License-Identifier: ISC */
/*
 * submit.h - hand in a mail that was made here: it is analysed and delivered
 * like any other, into the queue or into a mailbox of ours.
 *
 * It comes from the null sender, so that what cannot be delivered ends there
 * and answers nobody. Who died after asking, and asks again with the same trace id,
 * does not send it twice.
 */
#pragma once

#include "proc/runtime.h"

struct submit {
	struct str trace; /* of this mail alone; at most 64 letters */
	struct str to;    /* local@domain */
	struct buf text;  /* taken; lines with CRLF */
	uint8_t priority; /* DELIVER_PRIORITY_NORMAL: as mail of people */
};

/*
 * DONE: it is durable, in the queue or in a mailbox, now or since an earlier
 * call. TEMPFAIL: not now, after some attempts. PERMFAIL or NOT_FOUND: there is no
 * such mailbox here, or it is too large. why is for people; "" when DONE.
 */
typedef void (*submit_fn)(void *arg, enum outcome outcome, const char *why);
/* fn runs once, from the loop. */
void submit_mail(
    struct runtime *rt, struct submit *mail, submit_fn fn, void *arg);
