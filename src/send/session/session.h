/* SPDX-License-Identifier: ISC */
/*
 * session.h - one connection to a destination, from look-up to QUIT.
 *
 *   ADDRESS -> CONNECT -> OPENING -> READY -> MAIL (READ, SEND) -> READY ...
 *      ^          |          |                                    -> END
 *      +-next host, next address, the same one without TLS-+
 *
 * It tries the hosts of its destination in order until one is ready for mail,
 * then takes mail after mail. Any end is told to the destination once.
 */
#pragma once

#include "send/queue/dest.h"

struct session *session_new(struct dest *d, struct server *sv);
/* An idle session: the destination has mail again. */
void session_wake(struct session *s);
/*
 * Stop: at once, unless the end of a message was sent already and only its
 * reply is missing.
 */
void session_stop(struct session *s);
bool session_is_idle(const struct session *s);
/* End the connection that is idle the longest, of all destinations: another
 * one needs its place. */
void session_evict(struct server *sv);
/* Connecting or greeting: it has not been ready yet. */
bool session_is_opening(const struct session *s);
/*
 * Who answers has proved to be the host that was meant, as RFC 8689 section
 * 4.2.1 asks: by DANE, or by a certificate of an authority with a name that
 * came by DNSSEC or from an MTA-STS policy.
 */
bool session_is_verified(const struct session *s);
/* For the destination's list. */
struct session **session_next(struct session *s);
