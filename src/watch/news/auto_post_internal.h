/* SPDX-License-Identifier: ISC */
/* auto_post_internal.h - auto_post.c writes; auto_post_state.c knows how systems
 * are. */
#pragma once

#include "proto/status/status_auto.h"
#include "watch/news/auto_post.h"

/* Is somebody writing about it, or has since then? id: as in posts. */
bool auto_post_is_spoken_for(
    const struct auto_post *ap, struct str id, uint64_t since_s);

/* Ids point into the mirror's rows. */
struct auto_post_states {
	struct status_auto_system *v; /* free() */
	size_t n, cap;
};
/* All public systems that are watched. */
void auto_post_states(const struct server *sv, const struct auto_post *ap,
    struct auto_post_states *ret);
