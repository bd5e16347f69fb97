/* SPDX-License-Identifier: ISC */
/*
 * srs.c - rewrite senders, and find the way back.
 */
#include "proto/srs/srs.h"

#include "base/crypt.h"
#include "base/hostname.h"

#define DAY_S       86400
#define DAYS_PERIOD 1024 /* two characters of five bits */
/* More than any address that can be right; bounds what is hashed. */
#define ADDRESS_MAX 512

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* An address in its parts; the local part is without quoting. */
struct address {
	struct str local;
	struct str domain;
	struct buf bytes;
};

const char *
srs_result_str(enum srs_result r)
{
	static const char *const names[] = {
		[SRS_OK] = "ok",
		[SRS_NOT_NEEDED] = "not-needed",
		[SRS_NOT_OURS] = "not-ours",
		[SRS_BAD_ADDRESS] = "bad-address",
		[SRS_BAD_HASH] = "bad-hash",
		[SRS_EXPIRED] = "expired",
		[SRS_TOO_LONG] = "too-long",
	};

	return names[r];
}

/* Characters of atoms; UTF-8 is one, too (RFC 6531 section 3.3). */
static bool
is_atext(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c & 0x80) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool
is_dot_string(struct str s)
{
	char last = '.';

	for (size_t i = 0; i < s.n; i++) {
		bool is_dot = s.p[i] == '.';

		if (is_dot ? last == '.' : !is_atext(s.p[i]))
			return false;
		last = s.p[i];
	}
	return last != '.';
}

static bool
is_quotable(char c)
{
	return (unsigned char)c >= ' ' && c != 0x7f;
}

/* What is between the quotes, without the backslashes. */
static bool
unquote(struct str quoted, struct buf *to)
{
	struct str s = str_sub(quoted, 1, quoted.n - 2);

	if (quoted.n < 2 || quoted.p[quoted.n - 1] != '"')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			return false;
		if (s.p[i] == '\\' && ++i == s.n)
			return false;
		if (!is_quotable(s.p[i]))
			return false;
		buf_put_char(to, s.p[i]);
	}
	return true;
}

static void
put_local(struct buf *to, struct str local)
{
	if (is_dot_string(local)) {
		buf_put_str(to, local);
		return;
	}
	buf_put_char(to, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_put_char(to, '\\');
		buf_put_char(to, local.p[i]);
	}
	buf_put_char(to, '"');
}

static bool
address_parse(struct str text, struct address *ret)
{
	ptrdiff_t at = str_rfind(text, '@');
	struct str local;

	ret->bytes = BUF_INIT(ADDRESS_MAX);
	if (at < 1 || text.n > ADDRESS_MAX || !str_is_utf8(text))
		return false;
	local = str_first(text, (size_t)at);
	ret->domain = str_from(text, (size_t)at + 1);
	if (!hostname_is_valid(ret->domain))
		return false;
	if (local.p[0] != '"') {
		ret->local = local;
		return is_dot_string(local);
	}
	if (!unquote(local, &ret->bytes))
		return false;
	ret->local = buf_str(&ret->bytes);
	return true;
}

/* "SRS0" or "SRS1" and one of three separators; the digit, or -1. */
static int
srs_kind(struct str local)
{
	if (local.n < 5 || !str_starts_case(local, STR("SRS")) ||
	    !strchr("=+-", local.p[4]) || local.p[4] == '\0')
		return -1;
	return local.p[3] == '0' ? 0 : local.p[3] == '1' ? 1 : -1;
}

bool
srs_is_srs(struct str address)
{
	struct address a;
	/* Whether an address that is none was meant as one, is seen as well. */
	struct str local = address_parse(address, &a) ? a.local : address;
	bool is_srs = srs_kind(local) >= 0;

	buf_done(&a.bytes);
	return is_srs;
}

/* Letters in lower case, so that hosts that fold them do no harm. */
static void
hash(struct str key, struct str what, char *ret)
{
	struct buf folded = BUF_INIT(ADDRESS_MAX);
	struct crypt_sum sum;
	uint32_t bits;

	for (size_t i = 0; i < what.n; i++)
		buf_put_char(&folded, ascii_lower(what.p[i]));
	ASSERT(!folded.failed);
	crypt_hmac(key, buf_str(&folded), &sum);
	buf_done(&folded);
	bits = (uint32_t)sum.v[0] << 24 | (uint32_t)sum.v[1] << 16 |
	       (uint32_t)sum.v[2] << 8 | sum.v[3];
	for (size_t i = 0; i < SRS_HASH_CHARS; i++)
		ret[i] = base32[bits >> (27 - 5 * i) & 31];
}

static bool
is_hash(const struct srs *srs, struct str given, struct str what)
{
	char want[SRS_HASH_CHARS], folded[SRS_HASH_CHARS];
	bool ok = false;

	if (given.n != SRS_HASH_CHARS)
		return false;
	for (size_t i = 0; i < given.n; i++)
		folded[i] = ascii_upper(given.p[i]);
	for (size_t i = 0; i < srs->n_keys; i++) {
		hash(srs->keys[i], what, want);
		ok |= str_eq_constant_time(
		    str_make(folded, given.n), str_make(want, sizeof(want)));
	}
	return ok;
}

static int
base32_value(char c)
{
	const char *at = c ? strchr(base32, ascii_upper(c)) : NULL;

	return at ? (int)(at - base32) : -1;
}

/* A day is good from the eve of it, for clocks that differ. */
static bool
is_fresh(struct str stamp, uint64_t now)
{
	unsigned today = (unsigned)(now / DAY_S % DAYS_PERIOD);
	unsigned day, age;

	if (stamp.n != 2 || base32_value(stamp.p[0]) < 0 ||
	    base32_value(stamp.p[1]) < 0)
		return false;
	day = (unsigned)(base32_value(stamp.p[0]) * 32 +
			 base32_value(stamp.p[1]));
	age = (today + DAYS_PERIOD - day) % DAYS_PERIOD;
	return age <= SRS_DAYS_MAX || age == DAYS_PERIOD - 1;
}

/* Put the new address together: prefix, hash of tail, tail. */
static enum srs_result
put_address(
    const struct srs *srs, const char *prefix, struct str tail, struct buf *to)
{
	struct buf local = BUF_INIT(ADDRESS_MAX), out = BUF_INIT(ADDRESS_MAX);
	enum srs_result r = SRS_TOO_LONG;
	char sum[SRS_HASH_CHARS];

	hash(srs->keys[0], tail, sum);
	buf_printf(&local, "%s=%.*s=", prefix, SRS_HASH_CHARS, sum);
	buf_put_str(&local, tail);
	put_local(&out, buf_str(&local));
	if (!local.failed && !out.failed && out.n <= SRS_LOCAL_MAX) {
		buf_printf(&out, "@%.*s", STR_ARG(srs->domain));
		buf_put_str(to, buf_str(&out));
		r = SRS_OK;
	}
	buf_done(&local);
	buf_done(&out);
	return r;
}

static enum srs_result
forward_plain(const struct srs *srs, const struct address *a, struct buf *to)
{
	unsigned day = (unsigned)(srs->now / DAY_S % DAYS_PERIOD);
	struct buf tail = BUF_INIT(ADDRESS_MAX);
	enum srs_result r = SRS_TOO_LONG;

	buf_printf(&tail, "%c%c=%.*s=", base32[day / 32], base32[day % 32],
	    STR_ARG(a->domain));
	buf_put_str(&tail, a->local);
	if (!tail.failed)
		r = put_address(srs, "SRS0", buf_str(&tail), to);
	buf_done(&tail);
	return r;
}

/* "SRS1=HASH=first.example=" and the rest, which keeps its separator. */
static bool
split_srs1(struct str local, struct str *ret_hash, struct str *ret_tail,
    struct str *ret_domain)
{
	struct str rest = str_split(str_from(local, 5), '=', ret_hash);

	*ret_tail = rest;
	rest = str_split(rest, '=', ret_domain);
	return hostname_is_valid(*ret_domain) && rest.n > 1 &&
	       strchr("=+-", rest.p[0]);
}

/*
 * An address that was rewritten already keeps the host that did it first; we
 * take the place of any between.
 */
static enum srs_result
forward_again(const struct srs *srs, const struct address *a, struct buf *to)
{
	struct str sum, tail, first = a->domain;
	struct buf b = BUF_INIT(ADDRESS_MAX);
	enum srs_result r = SRS_TOO_LONG;

	if (srs_kind(a->local) == 0) {
		buf_printf(&b, "%.*s=", STR_ARG(first));
		buf_put_str(&b, str_from(a->local, 4));
		tail = buf_str(&b);
	} else if (!split_srs1(a->local, &sum, &tail, &first)) {
		return SRS_BAD_ADDRESS;
	}
	if (!b.failed)
		r = put_address(srs, "SRS1", tail, to);
	buf_done(&b);
	return r;
}

static void
check_settings(const struct srs *srs)
{
	ASSERT(srs->n_keys > 0 && srs->n_keys <= SRS_KEYS_MAX);
	for (size_t i = 0; i < srs->n_keys; i++)
		ASSERT(srs->keys[i].n >= SRS_KEY_MIN);
	ASSERT(hostname_is_valid(srs->domain));
}

enum srs_result
srs_forward(const struct srs *srs, struct str sender, struct buf *to)
{
	enum srs_result r = SRS_BAD_ADDRESS;
	struct address a;

	check_settings(srs);
	if (sender.n == 0)
		return SRS_NOT_NEEDED;
	if (address_parse(sender, &a)) {
		if (str_eq_case(a.domain, srs->domain))
			r = SRS_NOT_NEEDED;
		else if (srs_kind(a.local) >= 0 && a.local.n > 5)
			r = forward_again(srs, &a, to);
		else
			r = forward_plain(srs, &a, to);
	}
	buf_done(&a.bytes);
	return r;
}

static enum srs_result
reverse_plain(const struct srs *srs, struct str local, struct buf *to)
{
	struct str sum, tail, stamp, domain, rest;

	tail = str_split(str_from(local, 5), '=', &sum);
	rest = str_split(tail, '=', &stamp);
	rest = str_split(rest, '=', &domain);
	if (!rest.p || !hostname_is_valid(domain))
		return SRS_BAD_ADDRESS;
	if (!is_hash(srs, sum, tail))
		return SRS_BAD_HASH;
	if (!is_fresh(stamp, srs->now))
		return SRS_EXPIRED;
	put_local(to, rest);
	buf_printf(to, "@%.*s", STR_ARG(domain));
	return SRS_OK;
}

/* Whether its day is over is for the first host to say. */
static enum srs_result
reverse_again(const struct srs *srs, struct str local, struct buf *to)
{
	struct buf first = BUF_INIT(ADDRESS_MAX);
	struct str sum, tail, domain;

	if (!split_srs1(local, &sum, &tail, &domain))
		return SRS_BAD_ADDRESS;
	if (!is_hash(srs, sum, tail))
		return SRS_BAD_HASH;
	buf_put_c(&first, "SRS0");
	buf_put_str(&first, str_from(tail, domain.n + 1));
	put_local(to, buf_str(&first));
	buf_printf(to, "@%.*s", STR_ARG(domain));
	buf_done(&first);
	return SRS_OK;
}

enum srs_result
srs_reverse(const struct srs *srs, struct str recipient, struct buf *to)
{
	enum srs_result r = SRS_NOT_OURS;
	struct address a;

	check_settings(srs);
	if (!srs_is_srs(recipient))
		return SRS_NOT_OURS;
	if (!address_parse(recipient, &a))
		r = SRS_BAD_ADDRESS;
	else if (str_eq_case(a.domain, srs->domain))
		r = srs_kind(a.local) == 0   ? reverse_plain(srs, a.local, to)
		    : srs_kind(a.local) == 1 ? reverse_again(srs, a.local, to)
		                             : SRS_NOT_OURS;
	buf_done(&a.bytes);
	return r;
}
