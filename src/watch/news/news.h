/* SPDX-License-Identifier: ISC */
/*
 * news.h - each post, and each update of one, once to each subscriber who wants it.
 *
 * What is new (rows of table POST) is sought among the posts of the last two days when
 * the store comes, and heard of afterwards. For each there is a row in TOLD, "n/" and
 * the key of the update: up to which subscriber its messages are in the outbox, or that
 * all are. Messages are durable before that row moves on, and those behind it are
 * looked for before going on after a restart: nobody is left out, nobody gets it twice.
 */
#pragma once

#include "watch/server.h"

struct news;

struct news *news_new(struct server *sv);
/* The store is there (again). */
void news_load(struct news *n);
/* MSG_LEDGER_CHANGED of table POST. False: it is malformed. */
bool news_changed(
    struct news *n, const struct msg_ledger_changed *c) WARN_UNUSED;
/* Each second. */
void news_tick(struct news *n);
/* Messages of the outbox are durable. */
void news_saved(struct news *n);

/*
 * A message waited: are the post and the update that it is about (key,
 * NNNNNNNN/SSSS) still there and public? DONE: yes; NOT_FOUND: no; TEMPFAIL: the
 * store does not say. fn runs once. False: it is no such key, and fn does not run.
 */
typedef void (*news_still_fn)(void *arg, enum outcome outcome);
bool news_still_ask(
    struct server *sv, struct str key, news_still_fn fn, void *arg) WARN_UNUSED;

/* --- for its test ------------------------------------------------------------------ */

/* Is it to be told now? update NULL: the post itself. */
enum news_time { NEWS_NEVER, NEWS_NOW, NEWS_LATER };
struct status_post;
struct status_update;
enum news_time news_judge(const struct status_post *p,
    const struct status_update *update, uint64_t now_s);

/*
 * Does this subscriber want it, and did he before it was there? Telling may be behind:
 * who came in the meantime has read it on the site, where he subscribed.
 */
struct status_subscriber;
bool news_is_for(const struct status_subscriber *s, const struct status_post *p,
    const struct status_update *update);

/* news_still_ask() by hand: the key, the rows of its post, the answer. */
struct news_still {
	uint64_t now_s;
	uint32_t number, update;
	bool is_public, is_there;
};
bool news_still_begin(
    struct news_still *s, struct str key, uint64_t now_s) WARN_UNUSED;
void news_still_row(struct news_still *s, struct str key, struct str value);
bool news_still_is(const struct news_still *s);
