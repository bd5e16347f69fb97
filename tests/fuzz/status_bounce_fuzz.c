/* SPDX-License-Identifier: ISC */
/*
 * LINK: status
 *
 * What comes back of news: tags of return paths, which strangers write to, and rows of
 * what was said. Properties: a tag that is accepted is one that was made with this
 * key, in any case of its letters, and nothing else is; a tag of any numbers comes
 * back; what is said becomes a row that is read, and a row that is read is the one
 * that would be written; counting ends in a pause.
 */
#include "proto/status/status_bounce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key_bytes[STATUS_BOUNCE_KEY] =
    "a key of thirty-two bytes......";

static struct str
key(void)
{
	return str_make(key_bytes, sizeof(key_bytes));
}

/* Somebody writes to it. */
static void
check_text(struct str in)
{
	struct buf again = BUF_INIT(KIB(1));
	struct status_bounce_tag tag;

	if (status_bounce_read_tag(key(), in, &tag)) {
		ASSERT(status_bounce_is_tag(in));
		status_bounce_put_tag(key(), &tag, &again);
		ASSERT(str_eq_case(buf_str(&again), in));
	}
	buf_done(&again);
}

/* A tag of ours, and one with the letter changed that the input names. */
static void
check_tag(struct str in)
{
	struct status_bounce_tag tag = { 0 }, back;
	struct buf text = BUF_INIT(KIB(1));
	size_t at;

	status_bounce_id(key(), str_first(in, STATUS_SUBSCRIBER_MAX), tag.id);
	for (size_t i = 0; i < in.n; i++) {
		tag.post = tag.post * 31 + (unsigned char)in.p[i];
		tag.update = (uint16_t)(tag.update * 7 + (uint8_t)in.p[i]);
	}
	status_bounce_put_tag(key(), &tag, &text);
	ASSERT(text.n == STATUS_BOUNCE_TAG && !text.failed);
	ASSERT(status_bounce_read_tag(key(), buf_str(&text), &back));
	ASSERT(memcmp(back.id, tag.id, sizeof(tag.id)) == 0);
	ASSERT(back.post == tag.post && back.update == tag.update);
	at = tag.post % text.n;
	text.p[at] = ascii_is_alpha(text.p[at]) ? (char)(text.p[at] - 'a' + 'A')
	                                        : text.p[at];
	ASSERT(status_bounce_read_tag(key(), buf_str(&text), &back));
	text.p[at] = text.p[at] == 'b' || text.p[at] == 'B' ? 'c' : 'b';
	ASSERT(!status_bounce_read_tag(key(), buf_str(&text), &back));
	check_text(buf_str(&text));
	buf_done(&text);
}

static void
check_row(struct str in)
{
	struct buf a = BUF_INIT(KIB(4)), b = BUF_INIT(KIB(4));
	struct str said;

	if (status_bounce_read_row(in, &said)) {
		status_bounce_put_row(&a, said);
		ASSERT(str_eq(buf_str(&a), in));
	}
	status_bounce_put_row(&b, in);
	ASSERT(!b.failed && status_bounce_read_row(buf_str(&b), &said));
	ASSERT(said.n <= STATUS_WHY_MAX);
	buf_done(&a);
	buf_done(&b);
}

/* Each byte is so many hours on. */
static void
check_counting(struct str in)
{
	struct status_subscriber s = { .is_confirmed = true };
	uint64_t now = 1795392000;

	for (size_t i = 0; i < in.n; i++) {
		bool was_paused = s.paused_s > 0;

		now += (unsigned char)in.p[i] * 3600ULL;
		if (status_bounce_count(&s, str_first(in, STATUS_WHY_MAX), now))
			ASSERT(!was_paused && s.bounced_s == now);
		ASSERT(s.bounces <= STATUS_BOUNCES);
		ASSERT((s.bounces == STATUS_BOUNCES) == (s.paused_s > 0));
		if (in.p[i] == 0 && status_bounce_forgive(&s))
			ASSERT(s.bounces == 0 && s.paused_s == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);

	check_text(in);
	check_tag(in);
	check_row(in);
	check_counting(in);
	return 0;
}
