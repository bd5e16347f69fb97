/* SPDX-License-Identifier: ISC */
/*
 * address.c - clean addresses. See address.h.
 */
#include "store/dir/address.h"

#include "net/idn.h"

static bool
is_label(struct str s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-' && (unsigned char)s.p[i] < 0x80)
			return false;
	return true;
}

static void
put_lower(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_put_char(b, ascii_lower(s.p[i]));
}

static bool
is_domain(struct str s)
{
	struct str rest = s, label;

	if (s.n == 0 || s.n > DOMAIN_MAX)
		return false;
	while (rest.p) {
		rest = str_split(rest, '.', &label);
		if (!is_label(label))
			return false;
	}
	return true;
}

/* Append the form in which the directory knows it. */
static bool
put_domain(struct buf *b, struct str domain)
{
	size_t before = b->n;

	return idn_canonical(domain, b) &&
	       is_domain(str_from(buf_str(b), before));
}

bool
domain_clean(struct str domain, struct buf *out)
{
	buf_reset(out, out->cap);
	return put_domain(out, domain) && !out->failed;
}

struct str
address_domain(struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');

	return at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
}

struct str
address_local(struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');

	return at < 0 ? STR_NONE : str_first(address, (size_t)at);
}

bool
address_clean(struct str address, struct buf *out)
{
	struct str local = address_local(address);

	buf_reset(out, out->cap);
	if (local.n == 0 || !str_is_utf8(local) || str_has_control(local, ""))
		return false;
	put_lower(out, local);
	buf_put_char(out, '@');
	return put_domain(out, address_domain(address)) && !out->failed;
}

bool
address_is_plain(struct str address)
{
	struct str local = address_local(address);

	if (address.n > ADDRESS_MAX || local.n == 0 || local.n > 64)
		return false;
	for (size_t i = 0; i < local.n; i++)
		if (local.p[i] == ' ' ||
		    memchr("\"(),:;<>@[\\]", local.p[i], 12))
			return false;
	return local.p[0] != '.' && local.p[local.n - 1] != '.';
}

bool
catch_all_clean(struct str address, struct buf *out)
{
	buf_reset(out, out->cap);
	if (address.n < 2 || address.p[0] != '@')
		return false;
	buf_put_char(out, '@');
	return put_domain(out, str_from(address, 1)) && !out->failed;
}
