/* SPDX-License-Identifier: ISC */
/*
 * Properties: gunzip(gzip(x)) is x; whatever is not a whole file leaves
 * nothing; what comes out never passes the limit.
 */
#include "base/gzip.h"

#define LIMIT KIB(64)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf a = BUF_INIT(MIB(2)), b = BUF_INIT(MIB(1));
	struct buf c = BUF_INIT(LIMIT);

	gzip_put(&a, in);
	ASSERT(!a.failed && gunzip(&b, buf_str(&a)) == GUNZIP_OK);
	ASSERT(str_eq(buf_str(&b), in));
	if (gunzip(&c, in) == GUNZIP_OK)
		ASSERT(c.n <= LIMIT);
	else
		ASSERT(c.n == 0 && !c.failed);
	buf_done(&a);
	buf_done(&b);
	buf_done(&c);
	return 0;
}
