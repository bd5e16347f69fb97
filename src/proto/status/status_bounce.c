/* SPDX-License-Identifier: ISC */
/* status_bounce.c - news that come back. See status_bounce.h. */
#include "proto/status/status_bounce.h"

#include "base/crypt.h"
#include "base/wire.h"

#define ROW_VERSION 1
#define SEAL        6
#define RAW         (STATUS_BOUNCE_ID + 4 + 2 + SEAL)
#define BITS        5

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

/* --- tags --------------------------------------------------------------------------- */

/* The first n bytes of the HMAC of a purpose and bytes. */
static void
mac(struct str key, const char *purpose, struct str bytes, unsigned char *ret,
    size_t n)
{
	struct buf all = BUF_INIT(KIB(1));
	struct crypt_sum sum;

	buf_put_c(&all, purpose);
	buf_put_char(&all, '\0');
	buf_put_str(&all, bytes);
	ASSERT(!all.failed);
	crypt_hmac(key, buf_str(&all), &sum);
	memcpy(ret, sum.v, n);
	buf_done(&all);
}

void
status_bounce_id(
    struct str key, struct str to, unsigned char ret[STATUS_BOUNCE_ID])
{
	mac(key, "subscriber", to, ret, STATUS_BOUNCE_ID);
}

/* All but the seal, then the seal. */
static void
put_raw(
    struct str key, const struct status_bounce_tag *tag, unsigned char raw[RAW])
{
	unsigned char *p = raw + STATUS_BOUNCE_ID;

	memcpy(raw, tag->id, STATUS_BOUNCE_ID);
	for (unsigned i = 0; i < 4; i++)
		*p++ = (unsigned char)(tag->post >> (24 - 8 * i));
	*p++ = (unsigned char)(tag->update >> 8);
	*p++ = (unsigned char)tag->update;
	mac(key, "tag", str_make(raw, RAW - SEAL), p, SEAL);
}

void
status_bounce_put_tag(
    struct str key, const struct status_bounce_tag *tag, struct buf *to)
{
	unsigned char raw[RAW];
	unsigned bits = 0, n = 0;

	put_raw(key, tag, raw);
	for (size_t i = 0; i < RAW; i++) {
		bits = bits << 8 | raw[i];
		for (n += 8; n >= BITS; n -= BITS)
			buf_put_char(to, letters[bits >> (n - BITS) & 31]);
	}
}

static int
value_of(char c)
{
	const char *at = strchr(letters, ascii_lower(c));

	return c == '\0' || at == NULL ? -1 : (int)(at - letters);
}

bool
status_bounce_is_tag(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (value_of(text.p[i]) < 0)
			return false;
	return text.n == STATUS_BOUNCE_TAG;
}

bool
status_bounce_read_tag(
    struct str key, struct str text, struct status_bounce_tag *ret)
{
	unsigned char raw[RAW] = { 0 }, again[RAW];
	struct status_bounce_tag tag;
	unsigned bits = 0, n = 0;
	size_t at = 0;

	if (!status_bounce_is_tag(text))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		bits = bits << BITS | (unsigned)value_of(text.p[i]);
		n += BITS;
		if (n >= 8)
			raw[at++] = (unsigned char)(bits >> (n -= 8));
	}
	memcpy(tag.id, raw, STATUS_BOUNCE_ID);
	tag.post = (uint32_t)raw[8] << 24 | (uint32_t)raw[9] << 16 |
	           (uint32_t)raw[10] << 8 | raw[11];
	tag.update = (uint16_t)(raw[12] << 8 | raw[13]);
	put_raw(key, &tag, again);
	if (!str_eq_constant_time(
		str_make(raw, sizeof(raw)), str_make(again, sizeof(again))))
		return false;
	*ret = tag;
	return true;
}

/* --- rows --------------------------------------------------------------------------- */

void
status_bounce_put_row(struct buf *to, struct str said)
{
	struct buf tame = BUF_INIT(STATUS_WHY_MAX);

	said = str_first(said, STATUS_WHY_MAX);
	for (size_t i = 0; i < said.n; i++)
		buf_put_char(&tame,
		    said.p[i] >= ' ' && said.p[i] < 0x7F ? said.p[i] : ' ');
	wire_put_u8(to, ROW_VERSION);
	wire_put_vstr(to, buf_str(&tame));
	buf_done(&tame);
}

bool
status_bounce_read_row(struct str value, struct str *ret_said)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct str said = wire_get_vstr(&w);

	if (!wire_is_complete(&w) || !status_is_why(said))
		return false;
	*ret_said = said;
	return true;
}

/* --- counting ------------------------------------------------------------------------- */

bool
status_bounce_count(
    struct status_subscriber *s, struct str said, uint64_t now_s)
{
	if (!s->is_confirmed || s->paused_s > 0)
		return false;
	if (s->bounced_s + STATUS_BOUNCE_STALE_S < now_s)
		s->bounces = 0;
	if (s->bounces > 0 && now_s < s->bounced_s + STATUS_BOUNCE_APART_S)
		return false;
	s->bounces++;
	s->bounced_s = now_s;
	s->why = said;
	if (s->bounces >= STATUS_BOUNCES)
		s->paused_s = now_s;
	return true;
}

bool
status_bounce_forgive(struct status_subscriber *s)
{
	bool is_any = s->bounces > 0 || s->paused_s > 0;

	s->bounces = 0;
	s->bounced_s = s->paused_s = 0;
	s->why = STR_NONE;
	return is_any;
}
