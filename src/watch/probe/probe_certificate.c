/* SPDX-License-Identifier: ISC */
/* probe_certificate.c - the certificate of a server of TLS from the first byte. */
#include "watch/probe/probe_internal.h"

static void
start(struct probe *p)
{
	probe_connect(p, true);
}

static void
secured(struct probe *p)
{
	if (probe_judge_certificate(p))
		probe_ok(p, "certificate good for %u day%s", p->days,
		    str_s(p->days));
}

const struct probe_kind probe_certificate = {
	.start = start,
	.secured = secured,
};
