/* SPDX-License-Identifier: ISC */
/*
 * kept.h - large messages that clients read piece by piece.
 *
 * A body over FETCH_FD_BYTES comes from the store in a descriptor and is
 * mapped. Many clients then ask for it in hundreds of partial FETCHes: the
 * last ones read that way stay mapped, within SERVER_KEPT_MAX for all
 * sessions of the worker, so that each piece is not a read of the whole.
 */
#pragma once

#include "imap/session.h"

/* A mapped body, which the connection may still be sending later on. */
struct body_map {
	LIST_ENTRY(body_map) link; /* of all of the server */
	char *login;               /* the account's; owned */
	struct str bytes;
	unsigned refs;
};

/*
 * Map all of a file; fd stays the caller's. NULL: it cannot be mapped, or
 * with *ret_is_limit too much is mapped already, by this account or at all.
 */
struct body_map *body_map_new(struct session *s, int fd, bool *ret_is_limit);
struct body_map *body_map_ref(struct body_map *map);
void body_map_unref(void *map); /* a loop_fn */

/* Keep a message of the selected mailbox, with its map. item's body lies in
 * map. Evicts others; too large ones are not kept. */
void kept_put(
    struct session *s, const struct msg_fetch_item *item, struct body_map *map);
/* A kept message of this session's mailbox, or NULL; *ret_item points into it,
 * and is valid until the next kept_put() or kept_drop(). */
struct body_map *kept_find(
    struct session *s, uint32_t uid, struct msg_fetch_item *ret_item);
/* Forget all of this session. */
void kept_drop(struct session *s);
