/* SPDX-License-Identifier: ISC */
/*
 * status_post_edit.h - make posts and change them: what the command line and
 * the HTTP API have in common.
 *
 * Layer: proto. No I/O; the caller brings the time. Texts are borrowed.
 */
#pragma once

#include "proto/status/status_post.h"

/* A new post of that kind, in its first state, published now, in English. */
struct status_post status_post_begin(
    enum status_post_kind kind, uint64_t now_s);

/* False: *ret says why. A name that is there already: its impact is replaced,
 * a tag is not doubled. */
bool status_post_add_tag(struct status_post *p, struct str tag,
    struct status_fault *ret) WARN_UNUSED;
bool status_post_add_category(struct status_post *p, struct str category,
    struct status_fault *ret) WARN_UNUSED;
bool status_affects_add(struct status_affects *a, struct str system,
    enum status_impact impact, struct status_fault *ret) WARN_UNUSED;
/* "a, b, c" instead of what was there; empty: none. */
bool status_post_set_tags(struct status_post *p, struct str list,
    struct status_fault *ret) WARN_UNUSED;
bool status_post_set_categories(struct status_post *p, struct str list,
    struct status_fault *ret) WARN_UNUSED;
/* "NC036=down, NC023" likewise; without an impact: fallback. */
bool status_affects_set(struct status_affects *a, struct str list,
    enum status_impact fallback, struct status_fault *ret) WARN_UNUSED;

/* What was affected is so no more, and stays named. */
void status_affects_end(struct status_affects *a);

/*
 * The slug of a new post, into to: its date (published, else created), and its
 * title; with n > 1 a number behind it, for one that is taken.
 */
void status_post_make_slug(
    const struct status_post *p, unsigned n, struct buf *to);
/*
 * The n with which status_post_make_slug() makes this slug of another post; 0:
 * none does. What is above all of them is free.
 */
unsigned status_post_slug_number(const struct status_post *p, struct str slug);

/* An update as it begins: everything as the post is now. */
struct status_update status_update_begin(
    const struct status_post *p, uint64_t now_s);
/* The end of an incident or of planned work: its last state, nothing affected.
 * False: posts of this kind have no end. */
bool status_update_resolve(struct status_update *u, const struct status_post *p,
    struct status_fault *ret) WARN_UNUSED;
/*
 * p becomes what it is behind the update, which gets the number
 * p->last_update. False: the update is not sane, or says nothing that the post does
 * not say already, or there are too many.
 */
bool status_post_apply(struct status_post *p, const struct status_update *u,
    struct status_fault *ret) WARN_UNUSED;
