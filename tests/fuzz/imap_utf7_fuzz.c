/* SPDX-License-Identifier: ISC */
/*
 * LINK: imap
 * Properties: encode(decode(x)) = x whenever decode accepts x, and
 * decode(encode(x)) = x for all UTF-8. So each name has one spelling.
 */
#include "proto/imap/imap_utf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf there = BUF_INIT(MIB(1)), back = BUF_INIT(MIB(1));

	if (imap_utf7_decode(&there, in)) {
		ASSERT(str_is_utf8(buf_str(&there)));
		ASSERT(imap_utf7_encode(&back, buf_str(&there)));
		ASSERT(str_eq(buf_str(&back), in));
	} else {
		ASSERT(there.n == 0);
	}
	buf_reset(&there, KIB(64));
	buf_reset(&back, KIB(64));
	if (size < KIB(64) && str_is_utf8(in)) {
		ASSERT(imap_utf7_encode(&there, in));
		ASSERT(str_is_ascii(buf_str(&there)));
		ASSERT(imap_utf7_decode(&back, buf_str(&there)));
		ASSERT(str_eq(buf_str(&back), in));
	}
	(void)imap_name_check(in);
	buf_done(&there);
	buf_done(&back);
	return 0;
}
