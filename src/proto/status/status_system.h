/* SPDX-License-Identifier: ISC */
/*
 * status_system.h - a system that is watched: a row of the ledger's table
 * SYSTEM, whose key is the id in lower case.
 *
 * And maintenance windows: rows of table MAINTENANCE, with the system's key,
 * a '/' and the start in seconds (12 digits, so that they are in order) as their key.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_text.h"

#define STATUS_PARENTS_MAX 8

enum status_role {
	STATUS_ROLE_MAIL,
	STATUS_ROLE_RELAY,
	STATUS_ROLE_WEB,
	STATUS_ROLE_PRIMARY_NS,
	STATUS_ROLE_SECONDARY_NS,
	STATUS_ROLE_PHONE,
	STATUS_ROLE_MONITORING,
	STATUS_ROLE_STATUS,
	STATUS_ROLE_OTHER,
	STATUS_ROLES
};

/* "mail", ..., as typed. */
const char *status_role_name(enum status_role r);
/* "Mail server", ..., as shown. */
const char *status_role_title(enum status_role r);
bool status_role_parse(struct str word, enum status_role *ret) WARN_UNUSED;

struct status_system {
	struct str id; /* as shown: "NC036" */
	enum status_role role;
	struct str city; /* both may be empty */
	struct str country;
	bool is_internal; /* listed, with its details withheld */
	uint32_t order;   /* the lowest first */
	/* Ids of systems that it depends on. */
	size_t n_parents;
	struct str parents[STATUS_PARENTS_MAX];
};

/* Are all its parts what they may be? */
bool status_system_is_sane(
    const struct status_system *s, struct status_fault *ret) WARN_UNUSED;
void status_system_encode(const struct status_system *s, struct buf *to);
/* Texts point into the value. False: not sane, or another version. */
bool status_system_decode(
    struct str value, struct status_system *ret) WARN_UNUSED;

struct status_window {
	struct str system; /* its key */
	uint64_t from_s, length_s;
	uint64_t every_s; /* 0: once */
	struct str note;
};

bool status_window_is_sane(
    const struct status_window *w, struct status_fault *ret) WARN_UNUSED;
/* When it begins the next time, or began when it is going on. False: it is over. */
bool status_window_turn(const struct status_window *w, uint64_t now_s,
    uint64_t *ret_from_s) WARN_UNUSED;
void status_window_put_key(struct buf *to, const struct status_window *w);
void status_window_encode(const struct status_window *w, struct buf *to);
bool status_window_decode(
    struct str key, struct str value, struct status_window *ret) WARN_UNUSED;
