/* SPDX-License-Identifier: ISC */
/*
 * keyword.c - keywords: names in the mailbox record, bits in entries.
 *
 * A mailbox only ever adds names, so a bit keeps its meaning for as long as
 * the mailbox, or its grave, exists.
 */
#include "store/mail/mail_internal.h"

/* RFC 3501: an atom. The front parsed it; it is checked all the same. */
static bool
is_keyword(struct str name)
{
	if (name.n == 0 || name.n > MAIL_KEYWORD_MAX || name.p[0] == '\\')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] == 0x7f ||
		    memchr("(){%*\"\\]", name.p[i], 8))
			return false;
	return true;
}

/* Number of a keyword, or -1. Names compare without ASCII case. */
static int
keyword_find(const struct mailbox *mb, struct str name)
{
	struct wire w = wire_read(mb->r.keywords);

	for (uint32_t i = 0; i < mb->r.n_keywords; i++)
		if (str_eq_case(wire_get_vstr(&w), name))
			return (int)i;
	return -1;
}

/* Its new number, or -1: there is no room. */
static int
keyword_add(struct mailbox *mb, struct str name)
{
	struct buf b = BUF_INIT(KIB(32));

	if (mb->r.n_keywords >= RECORD_KEYWORDS_MAX)
		return -1;
	buf_put_str(&b, mb->r.keywords);
	wire_put_vstr(&b, name);
	str_free(&mb->r.keywords);
	mb->r.keywords = buf_str(&b);
	return (int)mb->r.n_keywords++;
}

static void
set_bit(uint64_t bits[2], int i)
{
	bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool
has_bit(const uint64_t bits[2], unsigned i)
{
	return (bits[i / 64] >> (i % 64)) & 1;
}

struct verdict
keywords_bits(struct mailbox *mb, struct str names, bool may_add,
    uint64_t ret[2], bool *ret_is_new)
{
	struct wire w = wire_read(names);
	uint64_t bits[2] = { 0, 0 };
	bool is_new = false;

	while (w.in.n) {
		struct msg_text kw;
		int i;

		if (!msg_text_read(&w, &kw) || !is_keyword(kw.text))
			return verdict_permfail(REASON_NAME);
		i = keyword_find(mb, kw.text);
		if (i < 0 && may_add) {
			i = keyword_add(mb, kw.text);
			if (i < 0)
				return verdict_permfail(REASON_LIMIT);
			is_new = true;
		}
		if (i >= 0)
			set_bit(bits, i);
	}
	memcpy(ret, bits, sizeof(bits));
	if (ret_is_new)
		*ret_is_new = is_new;
	return VERDICT_DONE;
}

void
keywords_put(struct buf *b, const struct mailbox *mb)
{
	struct wire w = wire_read(mb->r.keywords);

	for (uint32_t i = 0; i < mb->r.n_keywords; i++) {
		struct msg_text kw = { wire_get_vstr(&w) };

		msg_text_put(b, &kw);
	}
}

static struct str
nth_name(struct str names, unsigned n)
{
	struct wire w = wire_read(names);

	while (n--)
		(void)wire_get_vstr(&w);
	return wire_get_vstr(&w);
}

void
keywords_translate(struct keyword_map *map, struct str from_names,
    struct mailbox *to, uint64_t bits[2])
{
	uint64_t out[2] = { 0, 0 };

	if (!bits[0] && !bits[1])
		return;
	for (unsigned i = 0; i < RECORD_KEYWORDS_MAX; i++) {
		if (!has_bit(bits, i))
			continue;
		if (!map->is_known[i]) {
			struct str name = nth_name(from_names, i);
			int at = name.n ? keyword_find(to, name) : -1;

			if (at < 0 && name.n)
				at = keyword_add(to, name);
			map->to[i] = (int16_t)at;
			map->is_known[i] = true;
		}
		if (map->to[i] >= 0)
			set_bit(out, map->to[i]);
	}
	memcpy(bits, out, sizeof(out));
}
