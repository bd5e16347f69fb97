/* SPDX-License-Identifier: ISC */
/* feed_internal.h - the three formats, for feed.c. */
#pragma once

#include "proto/feed/feed.h"
#include "proto/feed/feed_text.h"

#define FEED_GENERATOR "Mailstead"

void feed_rss_begin(struct feed *f);
void feed_rss_put(struct feed *f, const struct feed_entry *e);
void feed_rss_end(struct feed *f);

void feed_atom_begin(struct feed *f);
void feed_atom_put(struct feed *f, const struct feed_entry *e);
void feed_atom_end(struct feed *f);

void feed_json_begin(struct feed *f);
void feed_json_put(struct feed *f, const struct feed_entry *e);
void feed_json_end(struct feed *f);

/* <name>text</name> with the indentation; text is escaped. */
void feed_put_element(
    struct buf *to, const char *indent, const char *name, struct str text);
