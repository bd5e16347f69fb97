/* SPDX-License-Identifier: ISC */
/*
 * mx_ask.h - tell the operator's command the mail servers of domains: as for a delivery, but
 * nothing is kept here, and what DNS has not said within MX_ASK_MS is "not known".
 */
#pragma once

#include "send/server.h"

/* MX_ASK. False: it is malformed. The answer comes by and by. */
bool mx_ask(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
