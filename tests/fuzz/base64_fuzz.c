/* SPDX-License-Identifier: ISC */
/*
 * Properties: decode(encode(x)) is x; what decodes encodes to the very same
 * text again, so that no two texts mean the same bytes.
 */
#include "base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf a = BUF_INIT(MIB(1)), b = BUF_INIT(MIB(1));

	base64_encode(&a, in);
	ASSERT(a.n == base64_encoded_len(size));
	ASSERT(base64_decode(&b, buf_str(&a)) && str_eq(buf_str(&b), in));
	buf_reset(&a, a.cap);
	buf_reset(&b, b.cap);
	if (base64_decode(&a, in)) {
		base64_encode(&b, buf_str(&a));
		ASSERT(str_eq(buf_str(&b), in));
	} else {
		ASSERT(a.n == 0);
	}
	buf_done(&a);
	buf_done(&b);
	return 0;
}
