/* SPDX-License-Identifier: ISC */
/* probe_tcp.c - does a port accept connections? */
#include "watch/probe/probe_internal.h"

static void
start(struct probe *p)
{
	probe_connect(p, false);
}

static void
opened(struct probe *p)
{
	probe_ok(p, "accepts connections");
}

const struct probe_kind probe_tcp = { .start = start, .opened = opened };
