/* SPDX-License-Identifier: ISC */
/*
 * route_ask.h - answer the operator: which routes are there, and which way
 * would mail from here to there take now?
 *
 * It asks what deliveries ask (DNS, breakers, SPF), and changes nothing.
 */
#pragma once

#include "send/server.h"

/* ROUTE_ASK. False: it is malformed. The answer comes by and by. */
bool route_ask(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
