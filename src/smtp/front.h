/* SPDX-License-Identifier: ISC */
/*
 * front.h - the ports of a worker: accepting, and refusing what is too much.
 */
#pragma once

#include "smtp/server.h"

/* fd is a listening socket; taken. */
void front_add(struct server *sv, enum service service, int fd);
/* After a new configuration. */
void front_configure(struct server *sv);
/* Take no new connections any more. */
void front_close(struct server *sv);
void front_free(struct server *sv);
/* A session ended: there may be room for new ones. */
void front_session_ended(
    struct server *sv, const struct sockaddr_storage *peer);
