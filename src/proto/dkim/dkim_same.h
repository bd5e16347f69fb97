/* SPDX-License-Identifier: ISC */
/*
 * dkim_same.h - will receivers verify what is signed with a key by the records that a name
 * has?
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "proto/dkim/dkim_key.h"

enum dkim_same {
	DKIM_SAME,      /* one record, of that key, good for mail */
	DKIM_SAME_NONE, /* none is a key's */
	DKIM_SAME_OTHER, /* another key, a revoked one, one that may not be used for what
	                    we sign, or several: RFC 6376 section 3.6.2.2 leaves it open
	                    which of these counts */
};

/*
 * ours: the record as it should be. found: the TXT records of the name, each with its
 * strings joined; what is no key record is passed over, as receivers do.
 */
enum dkim_same dkim_same(struct str ours, const struct str *found, size_t n);
/* The same for one record. */
bool dkim_is_same(struct str ours, struct str found);
