/* SPDX-License-Identifier: ISC */
/*
 * status_json.h - posts and what belongs to them as JSON: what the HTTP API
 * sends, and "mailstead post show --json" prints. docs/openapi.json describes it.
 *
 * Times are RFC 3339 in UTC; what is not there is null.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_audit.h"
#include "proto/status/status_check.h"
#include "proto/status/status_post.h"
#include "proto/status/status_subscriber.h"
#include "proto/status/status_system.h"

/* A post as an object; its end comes separately, for its updates stand in it. */
void status_json_begin_post(
    struct buf *to, uint32_t number, const struct status_post *p);
void status_json_put_update(struct buf *to, uint32_t number,
    const struct status_update *u, bool is_first);
void status_json_end_post(struct buf *to);

void status_json_put_system(struct buf *to, const struct status_system *s);
void status_json_put_window(
    struct buf *to, struct str key, const struct status_window *w);
/* Without its token and secret. */
void status_json_put_subscriber(
    struct buf *to, struct str key, const struct status_subscriber *s);
void status_json_put_audit(struct buf *to, const struct status_audit *a);

/* Members, with a comma in front unless they are the first of their object. */
void status_json_name(struct buf *to, const char *name);
void status_json_text(struct buf *to, const char *name, struct str s);
/* null when it is empty */
void status_json_word(struct buf *to, const char *name, struct str s);
/* null when it is 0 */
void status_json_time(struct buf *to, const char *name, uint64_t s);
void status_json_number(struct buf *to, const char *name, uint64_t n);
void status_json_bool(struct buf *to, const char *name, bool is);
