/* SPDX-License-Identifier: ISC */
/*
 * status_news.h - what subscribers are written. In their language where it is one
 * of the table's; the text of a post is in the language that it was written in.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_post.h"

struct status_news {
	struct str language; /* of the reader: "fr", "pt-BR" */
	struct str site;     /* "Example Mail" */
	struct str url;      /* of the site, without a slash at its end */
	uint32_t number;
	const struct status_post *post;
	const struct status_update *update; /* NULL: the post itself is new */
	struct str leave;                   /* the URL to unsubscribe */
};

/* One line; lines with LF. to->failed: it does not fit. */
void status_news_subject(const struct status_news *n, struct buf *to);
void status_news_body(const struct status_news *n, struct buf *to);
/* The same for a webhook. */
void status_news_json(const struct status_news *n, struct buf *to);

/* The language of the table that fits best: "pt" for "pt-BR"; else "en". */
struct str status_news_language(struct str language);
/* Is there one that fits? False: *ret says which there are. */
bool status_news_has_language(
    struct str language, struct status_fault *ret) WARN_UNUSED;
