/* SPDX-License-Identifier: ISC */
/*
 * status_text.h - names and short texts of systems and checks.
 *
 * An id is what people type and what stands in addresses of pages and in names
 * of files: 1 to 40 letters, digits, '-', '_' and '.', and neither end is a dot.
 * Ids that differ in case only are the same one: keys are in lower case.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"
#include "base/wire.h"

#define STATUS_ID_MAX   40
#define STATUS_TEXT_MAX 200

/* What of an input is wrong: the part, and what was expected instead. */
struct status_fault {
	struct str part; /* of the input */
	const char *expected;
};
/* Fills *f; always false. */
bool status_fault_set(
    struct status_fault *f, struct str part, const char *expected);

#define STATUS_ID_EXPECTED "a name of at most 40 letters, digits, dots, - and _"

bool status_is_id(struct str s) WARN_UNUSED;
/* UTF-8 without control characters, at most STATUS_TEXT_MAX bytes. */
bool status_is_text(struct str s) WARN_UNUSED;
/* In lower case. */
void status_put_key(struct buf *to, struct str id);

/* An index into words (n of them), ignoring case; -1: none of them. */
int status_word_find(const char *const *words, size_t n, struct str s);

/* "500ms", "30s", "5m", "2h", "1d" in milliseconds; no sign, no fraction. */
bool status_time_parse(struct str s, uint64_t max, uint64_t *ret) WARN_UNUSED;
/* In the largest unit that leaves nothing over. */
void status_time_format(struct buf *to, uint64_t ms);

/* A host name or an address of either family; no port. */
bool status_is_host(struct str s) WARN_UNUSED;
/* HOST, HOST:PORT or [V6]:PORT; *ret_port is 0 without one. A bare IPv6
 * address has none. */
bool status_host_port(
    struct str s, struct str *ret_host, uint16_t *ret_port) WARN_UNUSED;
