/* SPDX-License-Identifier: ISC */
/*
 * LINK: feedback
 *
 * Rows of reports, from bytes that lay on a bad disk. Properties: what reads,
 * written again, reads as the same once more; a key is never too long.
 */
#include "proto/feedback/feedback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
copy(struct str value, struct buf *out)
{
	struct feedback_head head;
	struct feedback_item item;
	struct wire items;

	if (!feedback_read_head(value, &head, &items))
		return;
	feedback_put_head(out, &head);
	while (feedback_read_item(&items, head.kind, &item))
		feedback_put_item(out, head.kind, &item);
	ASSERT(!out->failed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf a = BUF_INIT(MIB(16)), b = BUF_INIT(MIB(16));
	struct buf key = BUF_INIT(FEEDBACK_KEY_MAX);
	struct feedback_head head;
	struct wire items;

	copy(str_make(data, size), &a);
	copy(buf_str(&a), &b);
	ASSERT(str_eq(buf_str(&a), buf_str(&b)));
	if (feedback_read_head(str_make(data, size), &head, &items)) {
		feedback_put_key(&key, &head, head.domain, 7);
		ASSERT(!key.failed);
	}
	buf_done(&a);
	buf_done(&b);
	buf_done(&key);
	return 0;
}
