/* SPDX-License-Identifier: ISC */
/*
 * LINK: status
 *
 * status_signal_fuzz.c - a decision that can be read has a text for people or
 * none, and is the same bytes when it is written again.
 */
#include "proto/status/status_signal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT(STATUS_SIGNAL_ROW_MAX);
	struct status_signal s, again;

	if (!status_signal_decode(str_make(data, size), &s))
		return 0;
	ASSERT(s.text.n == 0 || status_is_text(s.text));
	status_signal_encode(&s, &b);
	ASSERT(!b.failed && status_signal_decode(buf_str(&b), &again));
	ASSERT(again.is_approved == s.is_approved && again.at_s == s.at_s);
	ASSERT(str_eq(again.text, s.text));
	buf_done(&b);
	return 0;
}
