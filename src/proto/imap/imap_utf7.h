/* SPDX-License-Identifier: ISC */
/*
 * imap_utf7.h - mailbox names: modified UTF-7 on the wire, UTF-8 inside.
 *
 * Strict (RFC 3501 5.1.3): one name has one spelling. Needless shifts,
 * superfluous bits and bad surrogates are refused, so that two clients can
 * never mean the same mailbox by different bytes.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define IMAP_SEPARATOR           '/'
#define IMAP_MAX_MAILBOX_BYTES   1000 /* whole name, UTF-8 */
#define IMAP_MAX_COMPONENT_BYTES 255
#define IMAP_MAX_MAILBOX_LEVELS  32

/*
 * Modified UTF-7 to UTF-8, appended to out. False when in is not the one
 * correct spelling of a name; what was appended is then removed again.
 */
bool imap_utf7_decode(struct buf *out, struct str in) WARN_UNUSED;

/* UTF-8 to modified UTF-7, appended. False: in is not well-formed UTF-8. */
bool imap_utf7_encode(struct buf *out, struct str in) WARN_UNUSED;

enum imap_name {
	IMAP_NAME_OK,
	IMAP_NAME_EMPTY,
	IMAP_NAME_TOO_LONG, /* the name, a component or its depth */
	IMAP_NAME_BAD_CHAR, /* control character, "%" or "*", not UTF-8 */
	IMAP_NAME_BAD_PATH, /* empty component, "/" at an end, "." or ".." */
};

/*
 * May a mailbox have this UTF-8 name? Asked before CREATE and RENAME. A
 * trailing separator (RFC 3501 6.3.3: "children will follow") must have been
 * removed.
 */
enum imap_name imap_name_check(struct str name);
/* A short English reason for the text of a NO reply. */
const char *imap_name_error(enum imap_name result);

/* "inbox" in any case. */
bool imap_name_is_inbox(struct str name);
/*
 * Copy of name with a first component of INBOX in capitals. False: arena
 * full.
 */
bool imap_name_canonical(
    struct arena *a, struct str name, struct str *ret) WARN_UNUSED;
