/* SPDX-License-Identifier: ISC */
/*
 * LINK: talk
 *
 * What a server says, after a first byte that chooses the protocol and whether
 * there is TLS and a login. Properties: the same events and the same output
 * however the input is split; what was final stays final; a password goes out
 * behind TLS only.
 */
#include "proto/talk/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum talk_event
play(struct talk *t, struct str all, size_t step, struct buf *said)
{
	enum talk_event e = TALK_MORE;
	size_t have = MIN(step, all.n);

	for (;;) {
		struct str in = str_first(all, have);
		size_t before = in.n;

		e = talk_next(t, &in);
		ASSERT(in.n <= before);
		all = str_from(all, before - in.n);
		have -= before - in.n;
		if (t->is_secret && talk_out(t)->n > 0)
			ASSERT(t->has_tls);
		buf_put_str(said, buf_str(talk_out(t)));
		buf_reset(talk_out(t), KIB(4));
		if (e == TALK_START_TLS)
			talk_secured(t);
		else if (e != TALK_MORE || have == all.n)
			break;
		have = MIN(have + step, all.n);
	}
	ASSERT(t->untagged.n <= TALK_UNTAGGED_MAX);
	ASSERT(t->kept.n <= TALK_KEPT_MAX && !t->kept.failed);
	if (e == TALK_NONSENSE)
		ASSERT(talk_stage(t) == TALK_OVER);
	return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = BUF_INIT(MIB(1)), two = BUF_INIT(MIB(1));
	struct talk_config c = { 0 };
	struct talk a, b;
	enum talk_event ea, eb;
	struct str in;

	if (size < 1)
		return 0;
	c.kind = (enum talk_kind)(data[0] % 3);
	c.has_tls = (data[0] & 4) != 0;
	c.starts_tls = (data[0] & 8) != 0;
	if (data[0] & 16) {
		c.login = STR("user");
		c.password = STR("secret");
	}
	in = str_make(data + 1, size - 1);
	talk_init(&a, &c);
	talk_init(&b, &c);
	ea = play(&a, in, SIZE_MAX / 2, &one);
	eb = play(&b, in, 1, &two);
	ASSERT(ea == eb || in.n > TALK_LINE_MAX);
	ASSERT(str_eq(buf_str(&one), buf_str(&two)) || in.n > TALK_LINE_MAX);
	ASSERT(str_eq(talk_literals(&a), talk_literals(&b)) ||
	       in.n > TALK_LINE_MAX);
	talk_done(&a);
	talk_done(&b);
	buf_done(&one);
	buf_done(&two);
	return 0;
}
