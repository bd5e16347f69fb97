/* SPDX-License-Identifier: ISC */
/*
 * feed.h - news as RSS 2.0, Atom (RFC 4287) or JSON Feed 1.1.
 *
 * An entry is a post: its id never changes, whatever becomes of its title and
 * of the address of its page, so that no reader shows it twice; its updates
 * are part of its content, and each makes its time of change later, by which
 * readers of Atom and JSON Feed know it anew.
 *
 * Texts may hold anything: what a format cannot say is left out or replaced.
 * Content is HTML whose links are absolute.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

enum feed_format { FEED_RSS, FEED_ATOM, FEED_JSON, FEED_FORMATS };

struct feed_head {
	struct str title;
	struct str subtitle; /* may be empty */
	struct str home_url; /* the page that it is the feed of */
	struct str self_url;
	struct str language; /* "en" */
	uint64_t updated_s;  /* of the newest entry; 0: there is none */
};

struct feed_entry {
	struct str id;  /* a URL that leads to it, and stays */
	struct str url; /* its page, as it is called now */
	struct str title;
	struct str html;
	struct str author; /* may be empty: the feed's title stands for it */
	uint64_t published_s, updated_s;
	const struct str *tags;
	size_t n_tags;
};

struct feed {
	enum feed_format format;
	struct buf *to;
	size_t n; /* entries so far */
	struct feed_head head;
};

/* "rss": the end of a file's name; false: it is none. */
bool feed_format_parse(struct str word, enum feed_format *ret) WARN_UNUSED;
const char *feed_format_name(enum feed_format f);
/* As shown: "RSS", "Atom", "JSON Feed". */
const char *feed_format_title(enum feed_format f);
/* "application/rss+xml", as it stands in a link's type. */
const char *feed_format_type(enum feed_format f);

/* Append a document to to, whose failed flag says whether it fits. What head
 * points to has to live until feed_end(). */
void feed_begin(struct feed *f, enum feed_format format,
    const struct feed_head *head, struct buf *to);
void feed_put(struct feed *f, const struct feed_entry *e);
void feed_end(struct feed *f);
