/* SPDX-License-Identifier: ISC */
/*
 * news_internal.h - the parts of the news: news.c knows what is to be told, and goes
 * through the subscribers; news_write.c writes to one of them.
 */
#pragma once

#include "proto/status/status_news.h"
#include "proto/status/status_subscriber.h"
#include "watch/news/news.h"

/* What is being told: one post, or one update of it. */
struct news_item {
	struct buf key; /* NNNNNNNN/SSSS */
	uint32_t number, update_number;
	struct buf post_row, update_row;
	struct status_post post;
	struct status_update update; /* when its number is not 0 */
};

/* A message for this subscriber into the outbox, unless its key is among those that
 * are there (hashes, in no order). */
struct news_known {
	uint64_t *hashes;
	size_t n, cap;
};
void news_write(struct server *sv, const struct news_item *item, struct str to,
    const struct status_subscriber *s, const struct news_known *known);
uint64_t news_hash(struct str message_key);
