/* SPDX-License-Identifier: ISC */
/*
 * LINK: sip
 *
 * What a SIP server sends over TCP. Properties: MORE only while the head is not
 * there or below its limit; a reply has a code of three digits; and what was
 * a verdict of the beginning stays one when more comes behind.
 */
#include "proto/sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size), reason = STR_NONE;
	unsigned code = 0, part_code = 0;
	enum sip_verdict v = sip_reply_read(in, STR("abc"), &code, &reason);

	if (v == SIP_REPLY)
		ASSERT(code >= 100 && code <= 699);
	if (v == SIP_MORE)
		ASSERT(size < SIP_HEAD_MAX);
	for (size_t n = 0; n < size && n < 64; n++) {
		enum sip_verdict part = sip_reply_read(
		    str_first(in, n), STR("abc"), &part_code, &reason);

		ASSERT(part == SIP_MORE || part == v);
	}
	return 0;
}
