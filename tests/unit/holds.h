/* SPDX-License-Identifier: ISC */
/* holds.h - for tests of texts: does a buffer hold these words? */
#pragma once

#include "base/buf.h"

static inline bool
holds(const struct buf *b, const char *text)
{
	return str_search(buf_str(b), str_c(text)) >= 0;
}
