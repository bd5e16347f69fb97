/* SPDX-License-Identifier: ISC */
/* acme_text.c - addresses, pauses, times of renewal. See acme.h. */
#include "proto/acme/acme.h"

#include <time.h>

#define PAUSE_FIRST_S   120U
#define PAUSE_MAX_S     86400U
#define PAUSE_LIMITED_S 3600U
#define NONCE_MIN       8
#define DATE_MAX        64

static bool
is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '#')
			return false;
	return true;
}

bool
acme_url_parse(struct str s, struct acme_url *ret)
{
	struct str host, rest, port = STR("443");
	struct acme_url u = { 0 };
	ptrdiff_t slash, colon;
	uint32_t number;

	if (s.n > ACME_URL_MAX || !str_starts_case(s, STR("https://")) ||
	    !is_visible(s))
		return false;
	rest = str_from(s, 8);
	slash = str_find(rest, '/');
	host = slash < 0 ? rest : str_first(rest, (size_t)slash);
	rest = slash < 0 ? STR("/") : str_from(rest, (size_t)slash);
	colon = str_find(host, ':');
	if (colon >= 0) {
		port = str_from(host, (size_t)colon + 1);
		host = str_first(host, (size_t)colon);
	}
	if (!hostname_is_valid(host) || !str_to_u32(port, 65535, &number) ||
	    number == 0)
		return false;
	for (size_t i = 0; i < host.n; i++)
		u.host[i] = ascii_lower(host.p[i]);
	u.port = (uint16_t)number;
	memcpy(u.path, rest.p, rest.n);
	*ret = u;
	return true;
}

static bool
is_base64url(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

bool
acme_is_nonce(struct str s)
{
	return s.n >= NONCE_MIN && s.n <= ACME_NONCE_MAX && is_base64url(s);
}

bool
acme_is_token(struct str s)
{
	return s.n >= NONCE_MIN && s.n <= ACME_TOKEN_MAX && is_base64url(s);
}

/* IMF-fixdate, the one form that is still made (RFC 9110 section 5.6.7). */
static bool
read_date(struct str s, uint64_t *ret)
{
	char text[DATE_MAX];
	struct tm tm = { 0 };
	const char *end;
	time_t t;

	if (s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (end == NULL || *end != '\0')
		return false;
	t = timegm(&tm);
	*ret = t > 0 ? (uint64_t)t : 0;
	return true;
}

bool
acme_retry_after(struct str value, uint64_t now, uint32_t *ret)
{
	uint64_t v, at;

	value = str_trim(value);
	if (value.n == 0)
		return false;
	if (!str_to_u64(value, UINT64_MAX, &v)) {
		if (!read_date(value, &at))
			return false;
		v = at > now ? at - now : 0;
	}
	*ret = (uint32_t)MIN(v, (uint64_t)ACME_RETRY_MAX);
	return true;
}

uint64_t
acme_renew_at(uint64_t begins, uint64_t ends, uint32_t chance)
{
	uint64_t life = ends > begins ? ends - begins : 0;
	uint64_t room = life / 30;

	return ends - life / 3 + (room > 0 ? chance % room : 0);
}

uint32_t
acme_pause(
    unsigned failures, bool is_limited, uint32_t retry_after, uint32_t chance)
{
	uint32_t pause = PAUSE_FIRST_S;

	for (unsigned i = 1; i < failures && pause < PAUSE_MAX_S; i++)
		pause *= 2;
	pause = MIN(pause, PAUSE_MAX_S);
	pause -= chance % (pause / 4);
	if (is_limited)
		pause = MAX(pause, PAUSE_LIMITED_S);
	return MAX(pause, MIN(retry_after, ACME_RETRY_MAX));
}
