/* SPDX-License-Identifier: ISC */
/*
 * status_import.h - posts out of the text of a status page, as a reader copies it
 * from a browser: over each post its title and, behind an empty line, its date
 * ("7 June 2018 09:12:19 +0000"); behind the last one the foot of the page, with
 * a cloud of tags in alphabetical order on one line.
 *
 * Layer: proto. No I/O, no clock. Time is linear in the text.
 */
#pragma once

#include "proto/status/status_post.h"

#define STATUS_IMPORT_MAX      MIB(8) /* bytes of a text */
#define STATUS_IMPORT_TAGS_MAX 500

struct status_import {
	struct str rest;
	struct str title; /* of the next post; empty: not found yet */
	uint64_t at_s;
};

/* A post as it stands there; strings point into the text. */
struct status_import_post {
	struct str title;
	uint64_t at_s;
	struct str body; /* plain text */
};

struct status_import status_import_begin(struct str text);
/* In the order of the text; false: there are no more. */
bool status_import_next(
    struct status_import *im, struct status_import_post *ret) WARN_UNUSED;

/*
 * Append a plain text as Markdown that shows the same: what would mean
 * something is escaped, lines with bullets are lists, blocks with
 * lines that are indented are kept as they are.
 */
void status_import_markdown(struct str body, struct buf *to);

/* The i-th system that a title names in front of its first colon: capital
 * letters and two digits or more, "NC036". Empty: there are no more. */
struct str status_import_system(struct str title, size_t i);

/*
 * The tags of the page's cloud, if it has one; their number, at most max. Where
 * one ends is not said: it follows from their order, which ignores case and
 * spaces; of several ways the one with the most tags is taken, then the one
 * whose tags are most alike in length.
 */
size_t status_import_tags(struct str text, struct str *ret, size_t max);
/* Does text have these words, ignoring case, with no letter or digit next to
 * them? */
bool status_import_has_words(struct str text, struct str words);

/*
 * Begin a post, without a slug: the title, time and body of one of the text, the systems
 * that its title names, and those of tags that it has the words of. body, which is empty,
 * gets the text as Markdown; it and from's text have to outlive the post. False: *ret says
 * what is too long or malformed. Whether the post is sane is not looked at.
 */
bool status_import_make(const struct status_import_post *from,
    const struct str *tags, size_t n_tags, struct buf *body,
    struct status_post *p, struct status_fault *ret) WARN_UNUSED;
/* Is p what an earlier import made of it? By its time and title. */
bool status_import_is(
    const struct status_import_post *from, const struct status_post *p);
