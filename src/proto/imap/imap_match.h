/* SPDX-License-Identifier: ISC */
/*
 * imap_match.h - LIST wildcards (RFC 3501 6.3.8).
 *
 * "*" matches anything, "%" anything but the hierarchy separator. A client
 * chooses both pattern and mailbox names, so matching must not explode: the
 * work is at most a 64th of pattern length times name length, in constant
 * memory.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/arena.h"

#define IMAP_MAX_PATTERN_BYTES 1000

enum imap_match {
	IMAP_MATCH_NO,
	IMAP_MATCH_YES,
	/*
	 * The name does not match, but something below it may: LIST shows
	 * the name only if a descendant really does (RFC 5258 3.5).
	 */
	IMAP_MATCH_BELOW,
};

/*
 * Compare a UTF-8 name with a pattern. The pattern has been normalised by
 * imap_pattern_make(). INBOX matches without regard to case.
 */
enum imap_match imap_match(struct str pattern, struct str name);

/*
 * Does some parent of name (at a separator) match, though name itself need
 * not? *ret is the longest such parent, a part of name. For "%" listings of
 * parents that do not exist and for CHILDINFO.
 */
bool imap_match_parent(struct str pattern, struct str name, struct str *ret);

/*
 * Reference and pattern joined as LIST joins them: a pattern that starts
 * with the separator replaces the reference. Runs of wildcards shrink to
 * one. False: longer than IMAP_MAX_PATTERN_BYTES or the arena is full.
 */
bool imap_pattern_make(struct arena *a, struct str reference,
    struct str pattern, struct str *ret) WARN_UNUSED;
