/* SPDX-License-Identifier: ISC */
/*
 * signed.h - DNSSEC in probes of dns and soa.
 *
 * Whether an answer is genuine the resolver says, which has the keys from a trust
 * anchor on (dnssec=yes). Of a server that is asked itself there is its answer
 * alone: whether it has a signature, and for how long that holds (days=N).
 */
#pragma once

#include "watch/probe/ask.h"

/* Can the resolver of this process judge what dnssec=yes wants? False: the probe
 * was ended as one that says nothing. */
bool signed_can_judge(struct probe *p);
/* Of the resolver. False: the probe was failed. */
bool signed_judge_answer(struct probe *p, const struct dns_answer *a);
/* What to ask a server for, beside the records: of DNSMSG_SIGNED. */
unsigned signed_flags(const struct probe *p);
/* Of a server with such records. False: the probe was failed. */
bool signed_judge_server(struct probe *p, struct str server, struct str raw,
    const struct dnsmsg *m, unsigned type);
