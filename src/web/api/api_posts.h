/* SPDX-License-Identifier: ISC */
/* api_posts.h - what the files about posts of the API share. */
#pragma once

#include "web/api/api.h"

/*
 * Read a post with its updates: it is in c->post and c->row_now, as JSON in
 * c->out, its tag in c->hash, and the keys of its rows, of STATUS_POST_KEY_LEN
 * each, in c->keys; the row of its update number c->numbers[1] in c->other. Then
 * then runs; 404 without it.
 */
void api_posts_read(
    struct api_call *c, uint32_t number, void (*then)(struct api_call *c));
/*
 * Read all systems when the body names some that a post affects; then then runs,
 * and asks api_posts_fit(): may a post name these, which named was before (NULL:
 * nothing)? False: 422 was answered.
 */
void api_posts_with_systems(
    struct api_call *c, void (*then)(struct api_call *c));
bool api_posts_fit(struct api_call *c, struct status_affects *affects,
    const struct status_affects *was);
void api_posts_note_key(struct api_call *c, struct str key);
/* Read it again, and answer with it. */
void api_posts_reply(struct api_call *c, uint32_t number, bool is_new);
