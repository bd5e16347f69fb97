/* SPDX-License-Identifier: ISC */
/*
 * posts.h - the posts that anybody may read, newest first: a copy of the ledger's
 * table, with an index that is made anew after each change.
 *
 * Pointers are valid until the loop goes on.
 */
#pragma once

#include "proc/ledger_mirror.h"
#include "proto/status/status_path.h"
#include "proto/status/status_post.h"
#include "web/server.h"

struct page;
struct posts;

struct posts_entry {
	uint32_t number;
	unsigned year, month; /* of publication */
	struct status_post post;
	size_t row, n_updates; /* its row in the mirror; updates follow it */
};

/* How many posts have a word, or are of a month. */
struct posts_count {
	struct str word; /* of a tag or category, as first written */
	unsigned year, month;
	size_t n;
};

struct posts *posts_new(struct server *sv);
void posts_free(struct posts *p);
/* The store is there (again). */
void posts_load(struct posts *p);
/* MSG_LEDGER_CHANGED. False: it is malformed. */
bool posts_changed(struct posts *p, struct str body) WARN_UNUSED;
/* Time passed: a post may have become public. */
void posts_tick(struct posts *p);

/* Another number: other posts. */
uint64_t posts_version(const struct posts *p);
/* When they last became others, as far as this process knows; Unix time. */
uint64_t posts_changed_at(const struct posts *p);
/* Likewise, and the same number in each worker. */
uint64_t posts_digest(const struct posts *p);
size_t posts_count(const struct posts *p);
const struct posts_entry *posts_at(const struct posts *p, size_t i);
/* NULL: there is none that is public. */
const struct posts_entry *posts_find(const struct posts *p, uint32_t number);
const struct posts_entry *posts_find_path(
    const struct posts *p, struct str path);
/* Update i of n_updates, the oldest first. False: its row is not sane. */
bool posts_update(const struct posts *p, const struct posts_entry *e, size_t i,
    struct status_update *ret) WARN_UNUSED;

/* What the incidents say that are open, of each; valid as entries are. */
const struct status_affects *const *posts_incidents(
    const struct posts *p, size_t *ret_n);
/* Incidents, and planned work that has begun. */
size_t posts_n_open(const struct posts *p);
/* The open one whose next update is due first; NULL: none said when. */
const struct status_post *posts_next_update(const struct posts *p);

/* Tags and categories in the order of their names; months, newest first. */
const struct posts_count *posts_tags(const struct posts *p, size_t *ret_n);
const struct posts_count *posts_categories(
    const struct posts *p, size_t *ret_n);
const struct posts_count *posts_months(const struct posts *p, size_t *ret_n);

/* <a> with its title. */
void posts_put_link(
    struct page *page, struct buf *to, const struct status_post *post);
