/* SPDX-License-Identifier: ISC */
/*
 * front.h - accept clients of IMAP and POP3, within the limits.
 *
 * A client that is over a limit hears why in its own protocol and is gone.
 */
#pragma once

#include "imap/server.h"

struct fronts;

struct fronts *fronts_new(struct server *sv);
void fronts_free(struct fronts *f);
/* New limits from sv->conf. */
void fronts_configure(struct fronts *f);
/* A listening socket, taken. */
void fronts_listen(struct fronts *f, enum service service, int fd);
/* Accept no more. */
void fronts_stop(struct fronts *f);
/* A connection ended: give its place back. */
void front_released(struct fronts *f, const struct conn *c);
