/* SPDX-License-Identifier: ISC */
/*
 * copy_html.h - a page of the status site as it stands in a static copy: every
 * link to another page leads to a file, from where the page is.
 *
 * So a copy works below any path of any web server, and from a folder. What needs the
 * server (search, subscribing, Check my connection, queries) leads to the
 * site itself.
 *
 * Only pages of ours are read here: their links are href="/..." and
 * action="/...", and no text of an outsider has a quote of its own.
 *
 * Pure.
 */
#pragma once

#include "base/buf.h"

/*
 * The next link of ours: *ret_before is what stands in front of it, with the
 * quote; *ret_value the link; *rest goes on with the closing quote. False:
 * there is none, and *rest is as it was. Scripts and style sheets are passed over.
 */
bool copy_link_next(struct str *rest, struct str *ret_before,
    struct str *ret_value) WARN_UNUSED;

struct copy_link {
	struct buf path;     /* decoded: "/tag/AC/DC" */
	struct str language; /* of ?lang=; empty: none */
	struct str fragment; /* with its '#' */
};
/* False: it leads to what a copy does not have. Fields point into value; the
 * buffer is the caller's, in any case. */
bool copy_link_parse(struct str value, struct copy_link *ret) WARN_UNUSED;

/* False: one is enough for all languages, at the top. */
bool copy_has_language(struct str path);
/* Where a path is in the copy: "posts/2026/11/x/index.html", "feed.rss". */
void copy_put_file(struct buf *to, struct str path);

struct copy_place {
	struct str usual; /* the language whose files are at the top */
	struct str language;
	struct str path; /* of the page */
	struct str site; /* "https://status.example.org" */
};
/* The page's file with its language: "fr/index.html". */
void copy_put_place(struct buf *to, const struct copy_place *p);
/* Append the page with its links made so. */
void copy_put_html(struct buf *to, const struct copy_place *p, struct str html);
/* A page that leads to another path of the copy. */
void copy_put_redirect(
    struct buf *to, const struct copy_place *p, struct str path);
