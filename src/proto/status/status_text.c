/* SPDX-License-Identifier: ISC */
/* status_text.c - ids, short texts, times, hosts. See status_text.h. */
#include "proto/status/status_text.h"

#include <arpa/inet.h>

bool
status_fault_set(struct status_fault *f, struct str part, const char *expected)
{
	*f = (struct status_fault){ part, expected };
	return false;
}

bool
status_is_id(struct str s)
{
	if (s.n == 0 || s.n > STATUS_ID_MAX || s.p[0] == '.' ||
	    s.p[s.n - 1] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.')
			return false;
	return true;
}

bool
status_is_text(struct str s)
{
	return s.n <= STATUS_TEXT_MAX && str_is_utf8(s) &&
	       !str_has_control(s, "");
}

void
status_put_key(struct buf *to, struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		buf_put_char(to, ascii_lower(id.p[i]));
}

int
status_word_find(const char *const *words, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_case(str_c(words[i]), s))
			return (int)i;
	return -1;
}

/* --- times --------------------------------------------------------------- */

static const struct {
	const char *name;
	uint32_t ms;
} units[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "ms", 1 },
	{ "s", 1000 },
};

bool
status_time_parse(struct str s, uint64_t max, uint64_t *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct str unit = str_c(units[i].name);
		struct str digits =
		    str_first(s, s.n - (str_ends(s, unit) ? unit.n : 0));
		uint64_t v;

		if (digits.n == s.n ||
		    !str_to_u64(digits, max / units[i].ms, &v))
			continue;
		*ret = v * units[i].ms;
		return true;
	}
	return false;
}

void
status_time_format(struct buf *to, uint64_t ms)
{
	static const size_t order[] = { 0, 1, 2, 4, 3 };

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		uint32_t unit = units[order[i]].ms;

		if (ms % unit != 0 || (ms == 0 && unit != 1000))
			continue;
		buf_put_u64(to, ms / unit);
		buf_put_c(to, units[order[i]].name);
		return;
	}
}

/* --- hosts --------------------------------------------------------------- */

static bool
is_address(struct str s, int family)
{
	unsigned char addr[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, 0, s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, addr) == 1;
}

static bool
is_label(struct str s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

static bool
is_name(struct str s)
{
	struct str label = STR_NONE;

	if (s.n == 0 || s.n > 253 || s.p[s.n - 1] == '.')
		return false;
	while (s.n > 0) {
		s = str_split(s, '.', &label);
		if (!is_label(label))
			return false;
	}
	/* What ends in a number is an address, or nothing. */
	return !ascii_is_digit(label.p[label.n - 1]) ||
	       str_search(label, STR("-")) >= 0 || ascii_is_alpha(label.p[0]);
}

bool
status_is_host(struct str s)
{
	return is_address(s, AF_INET) || is_address(s, AF_INET6) || is_name(s);
}

bool
status_host_port(struct str s, struct str *ret_host, uint16_t *ret_port)
{
	ptrdiff_t colon = str_rfind(s, ':');
	struct str host = s;
	uint32_t port = 0;
	bool has_brackets = s.n > 0 && s.p[0] == '[';

	if (colon >= 0 && !is_address(s, AF_INET6) &&
	    !(has_brackets && s.p[s.n - 1] == ']')) {
		if (!str_to_u32(str_from(s, (size_t)colon + 1), 65535, &port) ||
		    port == 0)
			return false;
		host = str_first(s, (size_t)colon);
	}
	if (has_brackets) {
		if (host.n < 3 || host.p[host.n - 1] != ']')
			return false;
		host = str_sub(host, 1, host.n - 2);
		if (!is_address(host, AF_INET6))
			return false;
	} else if (!status_is_host(host) ||
		   (port != 0 && is_address(host, AF_INET6))) {
		return false;
	}
	*ret_host = host;
	*ret_port = (uint16_t)port;
	return true;
}
