/* SPDX-License-Identifier: ISC */
/*
 * permit.h - may a fall-back carry the mail of this sender? Receivers look at
 * the sender's SPF record and at DKIM signatures: through a host that fits
 * neither, mail would only be refused for another reason.
 *
 * Yes, when we sign the domain's mail with a key of its own, or when its SPF
 * record (RFC 7208) does not speak against the host's addresses: "fail" and
 * "softfail" do, having no record or one that is broken for everybody does not.
 * The null sender belongs to whoever sends.
 */
#pragma once

#include "conf/route_text.h"
#include "send/server.h"

enum permit {
	PERMIT_YES,
	PERMIT_NO,      /* by SPF; *ret_why says more */
	PERMIT_UNKNOWN, /* DNS or the store could not tell: later */
	PERMIT_PENDING, /* the mail waits here, and comes to lookup_mail() */
};

struct permits;

struct permits *permits_new(struct server *sv);
struct permit_question {
	const struct route_way *way;
	struct str sender; /* address; empty: null sender */
};

/*
 * May the way carry mail of this sender? Answers are kept for some
 * minutes. m: waits when PENDING; NULL: nobody waits (ask again).
 * *ret_why is set for NO and UNKNOWN, and lives until the loop's next round.
 */
enum permit permits_ask(struct permits *ps, const struct permit_question *q,
    struct mail *m, const char **ret_why) WARN_UNUSED;
/* All that wait are released. */
void permits_stop(struct permits *ps);
