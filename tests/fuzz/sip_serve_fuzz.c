/* SPDX-License-Identifier: ISC */
/*
 * LINK: sip
 * OBJS: src/cli/demo/stand_in_phone.c
 *
 * What comes to the demo's telephone, over TCP. Properties: the same answers however
 * it is split; each is a reply by our own parser, with no more lines than its
 * request had and those of ours.
 */
#include "cli/demo/stand_in.h"
#include "proto/sip/sip_serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct stand_in_peer peer = { "127.0.0.1", 5070 };

/* Of what comes in steps of so many bytes. */
static void
talk(struct str in, size_t step, struct buf *out)
{
	bool is_over = false;
	size_t began = 0;

	for (size_t end = MIN(step, in.n); !is_over;) {
		struct str now = str_sub(in, began, end - began);
		size_t n = stand_in_sip_stream(now, &peer, out, &is_over);

		ASSERT(n <= now.n);
		began += n;
		if (n == 0 && end == in.n)
			return;
		if (n == 0)
			end += MIN(step, in.n - end);
	}
}

static size_t
count_lines(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(MIB(4)), split = BUF_INIT(MIB(4));
	struct str in = str_make(data, size), reason;
	struct buf one = BUF_INIT(KIB(64));
	struct sip_request r;
	unsigned code;

	talk(in, size + 1, &whole);
	talk(in, 1 + size / 7, &split);
	ASSERT(str_eq(buf_str(&whole), buf_str(&split)));
	if (sip_request_read(in, &r) == SIP_ASKED) {
		stand_in_sip_packet(in, &peer, &one);
		/* Our own parser knows no lines that go on. */
		if (one.n > 0 && str_search(r.head, STR("\r\n ")) < 0 &&
		    str_search(r.head, STR("\r\n\t")) < 0) {
			ASSERT(sip_reply_read(buf_str(&one), r.call_id, &code,
				   &reason) == SIP_REPLY ||
			       one.n > SIP_HEAD_MAX);
			ASSERT(
			    code == 200 || code == 405 || one.n > SIP_HEAD_MAX);
		}
		ASSERT(count_lines(buf_str(&one)) <= count_lines(r.head) + 4);
	}
	buf_done(&whole);
	buf_done(&split);
	buf_done(&one);
	return 0;
}
