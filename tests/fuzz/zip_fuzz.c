/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 *
 * Properties: what comes out of any archive never passes the limit, and
 * whatever is refused leaves nothing.
 */
#include "base/zip.h"

#define LIMIT KIB(64)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT(LIMIT);

	buf_put_c(&b, "before");
	if (unzip_first(&b, str_make(data, size)) == GUNZIP_OK)
		ASSERT(b.n <= LIMIT && b.n > 6);
	else
		ASSERT(b.n == 6);
	ASSERT(!b.failed && str_starts(buf_str(&b), STR("before")));
	buf_done(&b);
	return 0;
}
