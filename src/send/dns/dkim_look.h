/* SPDX-License-Identifier: ISC */
/*
 * dkim_look.h - tell the store, and the operator's command, what DNS has of the records that
 * DKIM signatures are verified with. A name server that does not answer, or not within
 * DKIM_LOOK_MS, and an answer that DNSSEC calls false, say nothing about a record.
 */
#pragma once

#include "send/server.h"

/* DKIM_LOOK. False: it is malformed. The answer comes by and by. */
bool dkim_look(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
