/* SPDX-License-Identifier: ISC */
/*
 * feeds.h - what other documents and pages need of posts in feeds.
 */
#pragma once

#include "web/page/document.h"
#include "web/table/posts.h"

/* Of a state that a post can have; STATUS_STATE_NONE has no word: false. */
bool feeds_word_of_state(enum status_state s, enum word *ret) WARN_UNUSED;

/*
 * <link rel="alternate"> for the three formats, for a page's head. prefix: ""
 * for everything, "/systems/NC036", "/tag/relay", not yet encoded; title: of
 * what it is the feed.
 */
void feeds_put_links(struct buf *head, struct str prefix, struct str title);
