/* SPDX-License-Identifier: ISC */
/* dkim_found.c - what DNS has of a key. See dkim_found.h. */
#include "proc/dkim_found.h"

const char *
dkim_found_str(uint8_t found)
{
	static const char *const names[] = {
		[DKIM_FOUND_UNKNOWN] = "unknown",
		[DKIM_FOUND_SAME] = "published",
		[DKIM_FOUND_NONE] = "missing",
		[DKIM_FOUND_OTHER] = "different",
	};

	return names[found < ARRAY_LEN(names) ? found : DKIM_FOUND_UNKNOWN];
}
