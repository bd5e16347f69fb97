/* SPDX-License-Identifier: ISC */
/* status_at.c - from which places a check is probed. See status_check.h. */
#include "proto/status/status_check.h"

#include <arpa/inet.h>

/* --- hosts that are others elsewhere --------------------------------------------- */

/* Loopback, private (RFC 1918), shared (RFC 6598), link-local, unspecified. */
static bool
is_inner4(const uint8_t a[4])
{
	return a[0] == 0 || a[0] == 10 || a[0] == 127 ||
	       (a[0] == 100 && (a[1] & 0xC0) == 64) ||
	       (a[0] == 169 && a[1] == 254) ||
	       (a[0] == 172 && (a[1] & 0xF0) == 16) ||
	       (a[0] == 192 && a[1] == 168);
}

/* Loopback, unspecified, unique local (RFC 4193), link-local, and the IPv4
 * addresses in disguise. */
static bool
is_inner6(const uint8_t a[16])
{
	static const uint8_t zeros[15],
	    mapped[12] = { [10] = 0xFF, [11] = 0xFF };

	if (memcmp(a, zeros, 15) == 0)
		return a[15] <= 1;
	if (memcmp(a, mapped, sizeof(mapped)) == 0)
		return is_inner4(a + 12);
	return (a[0] & 0xFE) == 0xFC || (a[0] == 0xFE && (a[1] & 0xC0) == 0x80);
}

/* Names of RFC 6761, RFC 6762 and the one that ICANN keeps for this. */
static bool
is_inner_name(struct str host)
{
	static const char *const ends[] = { ".localhost", ".local", ".internal",
		".home.arpa" };

	if (str_eq_case(host, STR("localhost")))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_ends_case(host, str_c(ends[i])))
			return true;
	return false;
}

static bool
is_inner(struct str host)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t a[16];

	if (host.n == 0 || host.n >= sizeof(text))
		return is_inner_name(host);
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, a) == 1)
		return is_inner4(a);
	if (inet_pton(AF_INET6, text, a) == 1)
		return is_inner6(a);
	return is_inner_name(host);
}

static bool
has_inner_server(const struct status_check *c)
{
	static const enum status_opt opts[] = { STATUS_OPT_SERVER,
		STATUS_OPT_VIA, STATUS_OPT_IMAPHOST };

	for (size_t k = 0; k < ARRAY_LEN(opts); k++)
		for (size_t i = 0; i < status_check_count(c, opts[k]); i++) {
			struct str host;
			uint16_t port;

			if (status_host_port(status_check_text(c, opts[k], i),
				&host, &port) &&
			    is_inner(host))
				return true;
		}
	return false;
}

/* --- places ------------------------------------------------------------------------- */

static bool
is_named(const struct status_check *c, struct str place)
{
	for (size_t i = 0; i < status_check_count(c, STATUS_OPT_AT); i++)
		if (str_eq_case(status_check_text(c, STATUS_OPT_AT, i), place))
			return true;
	return false;
}

bool
status_check_is_here(const struct status_check *c)
{
	return status_check_count(c, STATUS_OPT_AT) == 0 ||
	       is_named(c, STR("all")) || is_named(c, STR("here"));
}

bool
status_check_is_at(const struct status_check *c, struct str agent)
{
	if (status_check_count(c, STATUS_OPT_AT) > 0)
		return is_named(c, STR("all")) || is_named(c, agent);
	return status_check_count(c, STATUS_OPT_LOGIN) == 0 &&
	       !is_inner(status_check_target(c).host) && !has_inner_server(c);
}
