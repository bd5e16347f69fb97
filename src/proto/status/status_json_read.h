/* SPDX-License-Identifier: ISC */
/*
 * status_json_read.h - what a client of the HTTP API says of posts and the like,
 * as JSON. A member that is not known is a fault, so that a misspelt one is
 * not passed over in silence. null takes a value away (RFC 7396).
 *
 * Layer: proto. No I/O, no clock. Texts are borrowed from the document.
 */
#pragma once

#include "base/jsondoc.h"
#include "proto/status/status_check.h"
#include "proto/status/status_post_edit.h"
#include "proto/status/status_subscriber.h"
#include "proto/status/status_system.h"

/* What a post is begun with; of a change, its parts that may be changed. */
enum status_json_use { STATUS_JSON_NEW, STATUS_JSON_CHANGE };

/*
 * Put the members of an object into *p; a change has at least one. Of a new post its kind
 * has been read before by status_json_read_kind(). False: *ret says which, and why; whether the whole
 * is sane is not looked at.
 */
bool status_json_read_kind(const struct jsonnode *object,
    enum status_post_kind *ret_kind, struct status_fault *ret) WARN_UNUSED;
bool status_json_read_post(const struct jsonnode *object,
    enum status_json_use use, struct status_post *p,
    struct status_fault *ret) WARN_UNUSED;
bool status_json_read_update(const struct jsonnode *object,
    enum status_json_use use, struct status_update *u,
    struct status_fault *ret) WARN_UNUSED;
/* Without its id, which is in the URL. */
bool status_json_read_system(const struct jsonnode *object,
    struct status_system *s, struct status_fault *ret) WARN_UNUSED;
/* "from" and "to" become from_s and length_s. */
bool status_json_read_window(const struct jsonnode *object,
    struct status_window *w, struct status_fault *ret) WARN_UNUSED;
/* *ret_to is where it goes, as it was written. */
bool status_json_read_subscriber(const struct jsonnode *object,
    struct status_subscriber *s, struct str *ret_to,
    struct status_fault *ret) WARN_UNUSED;
/*
 * {"kind": ..., "target": ..., "options": {"NAME": "VALUE" or ["VALUE", ...]}}
 * Words are built in scratch, which the check borrows from.
 */
bool status_json_read_check(const struct jsonnode *object,
    struct status_check *c, struct buf *scratch,
    struct status_fault *ret) WARN_UNUSED;
