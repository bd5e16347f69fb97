/* SPDX-License-Identifier: ISC */
/*
 * route_text.c - read one route. See route_text.h.
 */
#include "conf/route_text.h"

#include <arpa/inet.h>

/* The next word, or the empty string at the end. */
static struct str
next_word(struct str *s)
{
	size_t start = 0, end;

	while (start < s->n && (s->p[start] == ' ' || s->p[start] == '\t'))
		start++;
	end = start;
	while (end < s->n && s->p[end] != ' ' && s->p[end] != '\t')
		end++;
	{
		struct str word = str_sub(*s, start, end - start);

		*s = str_from(*s, end);
		return word;
	}
}

/* Letters of other scripts may stand in a domain, so only what ends names in
 * our own syntax is refused. */
static bool
is_name(struct str s)
{
	if (s.n == 0 || s.n > 253 || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == 0x7F || strchr(",:=@[]*/\"'", c) != NULL)
			return false;
		if (c == '.' && (i + 1 == s.n || s.p[i + 1] == '.'))
			return false;
	}
	return str_is_utf8(s);
}

static bool
read_pattern(struct str s, struct route *r)
{
	if (str_eq(s, STR("*"))) {
		r->pattern = ROUTE_ANY;
		return true;
	}
	r->pattern = ROUTE_DOMAIN;
	if (str_starts(s, STR("from:"))) {
		r->pattern = ROUTE_SENDER;
		s = str_from(s, 5);
	} else if (str_starts(s, STR("mx:"))) {
		r->pattern = ROUTE_MX;
		s = str_from(s, 3);
	}
	r->is_suffix = s.n > 0 && s.p[0] == '.';
	r->name = str_from(s, r->is_suffix);
	return is_name(r->name);
}

static bool
is_ipv6(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (s.n >= sizeof(text) || memchr(s.p, 0, s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool
read_target(struct str s, struct route_target *t)
{
	ptrdiff_t colon = str_rfind(s, ':');
	uint32_t port;

	if (str_eq(s, STR("direct"))) {
		t->kind = ROUTE_DIRECT;
		return true;
	}
	if (str_eq(s, STR("hold"))) {
		t->kind = ROUTE_HOLD;
		return true;
	}
	if (colon <= 0 ||
	    !str_to_u32(str_from(s, (size_t)colon + 1), 65535, &port) ||
	    port == 0)
		return false;
	t->kind = ROUTE_RELAY;
	t->port = (uint16_t)port;
	t->host = str_first(s, (size_t)colon);
	if (t->host.p[0] != '[')
		return is_name(t->host);
	if (t->host.n < 4 || t->host.p[t->host.n - 1] != ']')
		return false;
	t->host = str_sub(t->host, 1, t->host.n - 2);
	return is_ipv6(t->host);
}

static bool
read_targets(struct str s, struct route *r)
{
	while (s.n > 0) {
		struct str one;
		bool is_last = str_find(s, ',') < 0;

		s = str_split(s, ',', &one);
		if (r->n_targets == ROUTE_TARGETS_MAX ||
		    !read_target(one, &r->targets[r->n_targets]) ||
		    (!is_last && s.n == 0))
			return false;
		r->n_targets++;
	}
	return r->n_targets > 0;
}

static bool
read_option(struct str s, struct route *r)
{
	static const char *const names[] = {
		[ROUTE_TLS_MAY] = "tls=may",
		[ROUTE_TLS_MUST] = "tls=must",
		[ROUTE_TLS_NEVER] = "tls=never",
		[ROUTE_TLS_IMPLICIT] = "tls=implicit",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(s, str_c(names[i]))) {
			r->tls = (enum route_tls)i;
			return true;
		}
	return false;
}

bool
route_text_parse(struct str text, struct route *ret)
{
	struct route r = { 0 };
	struct str word;

	if (text.n > ROUTE_TEXT_MAX || !read_pattern(next_word(&text), &r) ||
	    !read_targets(next_word(&text), &r))
		return false;
	while ((word = next_word(&text)).n > 0)
		if (!read_option(word, &r))
			return false;
	*ret = r;
	return true;
}
