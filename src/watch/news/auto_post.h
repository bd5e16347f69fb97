/* SPDX-License-Identifier: ISC */
/*
 * auto_post.h - the post about what is down, when nobody has written one
 * (proto/status/status_auto.h; site.post_after).
 *
 * What is open is read from table POST, and heard of afterwards; a post and its
 * line in the table AUDIT are put in one step, on the condition that nobody was
 * quicker. So a restart at any moment leaves one post, which is gone on with.
 */
#pragma once

#include "watch/server.h"

struct auto_post;

struct auto_post *auto_post_new(struct server *sv);
/* The store is there (again); nothing is read while site.post_after is 0. */
void auto_post_load(struct auto_post *ap);
/* MSG_LEDGER_CHANGED of table POST. */
void auto_post_changed(
    struct auto_post *ap, const struct msg_ledger_changed *c);
/* Each second. */
void auto_post_tick(struct auto_post *ap);
