/* SPDX-License-Identifier: ISC */
/*
 * dnsupdate_name.h - names of the DNS, as text and in messages.
 *
 * The text has one form for each name: lower case, no dot at the end, every
 * byte that is no letter, digit, hyphen or underscore as \DDD (RFC 1035
 * section 5.1), "" for the root. So two names are the same exactly when their
 * texts are.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define DNSUPDATE_LABEL_MAX 63
#define DNSUPDATE_NAME_MAX  255 /* bytes in a message */
#define DNSUPDATE_TEXT_MAX  1020

/* Big-endian numbers, as messages have them. */
void dnsupdate_put_u16(struct buf *to, unsigned v);
void dnsupdate_put_u32(struct buf *to, uint32_t v);

/*
 * Append a name in the form of messages, lower case, not compressed. A dot at
 * its end and upper case are allowed. False when it is no name (nothing was
 * appended).
 */
bool dnsupdate_name_put(struct str text, struct buf *to) WARN_UNUSED;

/*
 * Read the name at *at of a message, which may be compressed (RFC 1035
 * section 4.1.4: pointers lead backwards only). Appends its text; *at stands
 * behind it afterwards. False when it is malformed.
 */
bool dnsupdate_name_read(
    struct str message, size_t *at, struct buf *text) WARN_UNUSED;

/* The name without its first label; the root is its own parent. */
struct str dnsupdate_name_parent(struct str text);
