/* SPDX-License-Identifier: ISC */
/* status_audit.c - rows of the log of changes. See status_audit.h. */
#include "proto/status/status_audit.h"

#include <inttypes.h>

#define ROW_VERSION 1
#define DIGITS      13
#define MS_MAX      UINT64_C(9999999999999)

void
status_audit_put_key(struct buf *to, uint64_t at_ms, uint32_t random)
{
	buf_printf(
	    to, "%0*" PRIu64 "/%08" PRIx32, DIGITS, MIN(at_ms, MS_MAX), random);
}

/* As much of it as fits, in whole characters, with "?" for controls. */
static void
put_text(struct buf *to, struct str s)
{
	char text[STATUS_TEXT_MAX];
	struct str cut = str_first(s, sizeof(text));

	while (cut.n > 0 && cut.n < s.n &&
	       ((unsigned char)s.p[cut.n] & 0xC0U) == 0x80)
		cut.n--;
	for (size_t i = 0; i < cut.n; i++)
		text[i] = (unsigned char)cut.p[i] < ' ' || cut.p[i] == 0x7F
		              ? '?'
		              : cut.p[i];
	if (!str_is_utf8(str_make(text, cut.n)))
		for (size_t i = 0; i < cut.n; i++)
			if ((unsigned char)text[i] >= 0x80)
				text[i] = '?';
	wire_put_vstr(to, str_make(text, cut.n));
}

void
status_audit_encode(const struct status_audit *a, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	put_text(to, a->who);
	put_text(to, a->what);
	put_text(to, a->object);
	put_text(to, a->from);
	put_text(to, a->detail);
}

static bool
is_random(struct str s)
{
	if (s.n != 8)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_digit(s.p[i]) && (s.p[i] < 'a' || s.p[i] > 'f'))
			return false;
	return true;
}

bool
status_audit_decode(struct str key, struct str value, struct status_audit *ret)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct status_audit a = { 0 };
	struct str digits, random = str_split(key, '/', &digits);

	a.who = wire_get_vstr(&w);
	a.what = wire_get_vstr(&w);
	a.object = wire_get_vstr(&w);
	a.from = wire_get_vstr(&w);
	a.detail = wire_get_vstr(&w);
	if (digits.n != DIGITS || !is_random(random) || !wire_is_complete(&w) ||
	    !str_to_u64(digits, MS_MAX, &a.at_ms) || !status_is_text(a.who) ||
	    !status_is_text(a.what) || !status_is_text(a.object) ||
	    !status_is_text(a.from) || !status_is_text(a.detail))
		return false;
	*ret = a;
	return true;
}
