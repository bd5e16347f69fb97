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

/* --- names and addresses ------------------------------------------------------- */

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

/* local@domain; a quoted local part cannot stand in a route. */
static bool
is_address(struct str s)
{
	ptrdiff_t at = str_rfind(s, '@');

	if (at <= 0 || at > 64 || !is_name(str_from(s, (size_t)at + 1)))
		return false;
	for (size_t i = 0; i < (size_t)at; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == 0x7F || strchr("\"<>@,", c) != NULL)
			return false;
	}
	return str_is_utf8(s);
}

static bool
is_ip(struct str s, int family)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, 0, s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, &addr) == 1;
}

bool
route_is_helo(struct str s)
{
	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') {
		struct str in = str_sub(s, 1, s.n - 2);

		if (str_starts_case(in, STR("IPv6:")))
			return is_ip(str_from(in, 5), AF_INET6);
		return is_ip(in, AF_INET);
	}
	return is_name(s) && str_is_ascii(s);
}

/* --- the pattern --------------------------------------------------------------- */

/* Of a sender, or the login of an account. */
static bool
read_address(enum route_pattern pattern, struct str s, struct route *r)
{
	r->pattern = pattern;
	r->name = s;
	return str_find(s, '@') >= 0 && is_address(s);
}

static bool
read_group(struct str s, struct route *r)
{
	r->pattern = ROUTE_GROUP;
	r->name = s;
	return is_name(s) && str_find(s, '.') < 0;
}

static bool
read_pattern(struct str s, struct route *r)
{
	if (str_eq(s, STR("*")) || str_eq(s, STR("fallback"))) {
		r->pattern = s.n == 1 ? ROUTE_ANY : ROUTE_FALLBACK;
		return true;
	}
	if (str_starts(s, STR("group:")))
		return read_group(str_from(s, 6), r);
	if (str_starts(s, STR("account:")))
		return read_address(ROUTE_ACCOUNT, str_from(s, 8), r);
	r->pattern = ROUTE_DOMAIN;
	if (str_starts(s, STR("from:"))) {
		s = str_from(s, 5);
		if (str_find(s, '@') >= 0)
			return read_address(ROUTE_ADDRESS, s, r);
		r->pattern = ROUTE_SENDER;
	} else if (str_starts(s, STR("mx:"))) {
		r->pattern = ROUTE_MX;
		s = str_from(s, 3);
	}
	if (str_starts(s, STR("*.")))
		s = str_from(s, 1);
	r->is_suffix = s.n > 0 && s.p[0] == '.';
	r->name = str_from(s, r->is_suffix);
	return is_name(r->name);
}

/* --- a way ----------------------------------------------------------------------- */

static bool
read_relay(struct str s, struct route_target *t)
{
	ptrdiff_t colon = str_rfind(s, ':');
	uint32_t port;

	if (colon <= 0 ||
	    !str_to_u32(str_from(s, (size_t)colon + 1), 65535, &port) ||
	    port == 0)
		return false;
	t->port = (uint16_t)port;
	t->host = str_first(s, (size_t)colon);
	if (t->host.p[0] != '[')
		return is_name(t->host);
	if (t->host.n < 4 || t->host.p[t->host.n - 1] != ']')
		return false;
	t->host = str_sub(t->host, 1, t->host.n - 2);
	return is_ip(t->host, AF_INET6);
}

static const char *
read_targets(struct str s, struct route_way *w)
{
	if (str_eq(s, STR("direct")) || str_eq(s, STR("hold"))) {
		w->kind = s.n == 4 ? ROUTE_HOLD : ROUTE_DIRECT;
		return NULL;
	}
	w->kind = ROUTE_RELAY;
	while (s.n > 0) {
		struct str one;
		bool is_last = str_find(s, ',') < 0;

		s = str_split(s, ',', &one);
		if (w->n_targets == ROUTE_TARGETS_MAX)
			return "too many hosts";
		if (!read_relay(one, &w->targets[w->n_targets]) ||
		    (!is_last && s.n == 0))
			break;
		w->n_targets++;
		if (is_last)
			return NULL;
	}
	return "where to: direct, hold, or host:port";
}

static const char *
read_tls(struct str s, struct route_way *w)
{
	static const char *const names[] = {
		[ROUTE_TLS_MAY] = "may",
		[ROUTE_TLS_MUST] = "must",
		[ROUTE_TLS_NEVER] = "never",
		[ROUTE_TLS_IMPLICIT] = "implicit",
		[ROUTE_TLS_VERIFY] = "verify",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(s, str_c(names[i]))) {
			w->tls = (enum route_tls)i;
			return NULL;
		}
	return "tls= may, must, verify, never or implicit";
}

static const char *
read_source(struct str s, struct route_way *w)
{
	struct str *to = is_ip(s, AF_INET)    ? &w->source4
	                 : is_ip(s, AF_INET6) ? &w->source6
	                                      : NULL;

	if (to == NULL || to->n > 0)
		return "source= an address; at most one of each family";
	*to = s;
	return NULL;
}

static const char *
read_helo(struct str s, struct route_way *w)
{
	w->helo = s;
	return route_is_helo(s) ? NULL : "helo= a host name in ASCII";
}

static const char *
read_helo4(struct str s, struct route_way *w)
{
	w->helo4 = s;
	return route_is_helo(s) ? NULL : "helo4= a host name in ASCII";
}

static const char *
read_helo6(struct str s, struct route_way *w)
{
	w->helo6 = s;
	return route_is_helo(s) ? NULL : "helo6= a host name in ASCII";
}

static const char *
read_weight(struct str s, struct route_way *w)
{
	uint32_t n;

	if (!str_to_u32(s, 1000, &n) || n == 0)
		return "weight= 1 to 1000";
	w->weight = (uint16_t)n;
	return NULL;
}

static const char *
read_login(struct str s, struct route_way *w)
{
	bool is_good = s.n > 0 && s.n <= ROUTE_LOGIN_MAX && str_is_utf8(s);

	for (size_t i = 0; i < s.n; i++)
		is_good = is_good && (unsigned char)s.p[i] > ' ';
	w->login = s;
	return is_good ? NULL : "user= the login at the relay";
}

static const char *
read_cleartext(struct str s, struct route_way *w)
{
	w->allows_cleartext = true;
	return str_eq(s, STR("yes")) ? NULL : "cleartext=yes, or nothing";
}

static const char *
read_spf(struct str s, struct route_way *w)
{
	w->ignores_spf = true;
	return str_eq(s, STR("ignore")) ? NULL : "spf=ignore, or nothing";
}

static const char *
read_option(struct str s, struct route_way *w)
{
	static const struct {
		const char *key;
		const char *(*read)(struct str s, struct route_way *w);
	} options[] = {
		{ "tls", read_tls },
		{ "source", read_source },
		{ "helo", read_helo },
		{ "helo4", read_helo4 },
		{ "helo6", read_helo6 },
		{ "weight", read_weight },
		{ "user", read_login },
		{ "cleartext", read_cleartext },
		{ "spf", read_spf },
	};
	struct str key, value = str_split(s, '=', &key);

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (str_eq(key, str_c(options[i].key)))
			return options[i].read(value, w);
	return "an unknown option: tls=, source=, helo=, helo4=, helo6=, "
	       "weight=, user=, cleartext= or spf= is expected";
}

/* What fits together and what does not. */
static const char *
check_way(const struct route_way *w)
{
	bool has_options = w->tls != ROUTE_TLS_MAY || w->source4.n > 0 ||
	                   w->source6.n > 0 || w->helo.n > 0 ||
	                   w->helo4.n > 0 || w->helo6.n > 0;

	if (w->kind == ROUTE_HOLD && has_options)
		return "options have no meaning with hold";
	/* With one source its family is the only one. */
	if ((w->helo4.n > 0 && w->source6.n > 0 && w->source4.n == 0) ||
	    (w->helo6.n > 0 && w->source4.n > 0 && w->source6.n == 0))
		return "helo4= or helo6= for a family that source= rules out";
	if (w->login.n > 0 && w->kind != ROUTE_RELAY)
		return "user= is for relays";
	if (w->login.n > 0 && w->tls == ROUTE_TLS_NEVER && !w->allows_cleartext)
		return "user= with tls=never needs cleartext=yes: the password "
		       "would be seen by everybody on the way";
	if (w->tls == ROUTE_TLS_IMPLICIT && w->kind != ROUTE_RELAY)
		return "tls=implicit is for relays";
	if (w->tls == ROUTE_TLS_VERIFY && w->kind != ROUTE_RELAY)
		return "tls=verify is for relays; mailstead tls-rule is for "
		       "others";
	return NULL;
}

/* One way, up to "or", "then" or the end; *ret_end is that word. */
static const char *
read_way(struct str *text, struct route_way *w, struct str *ret_end)
{
	const char *error = read_targets(next_word(text), w);

	w->weight = ROUTE_WEIGHT;
	while (error == NULL) {
		struct str word = next_word(text);

		if (word.n == 0 || str_eq(word, STR("or")) ||
		    str_eq(word, STR("then"))) {
			*ret_end = word;
			return check_way(w);
		}
		error = read_option(word, w);
	}
	return error;
}

static const char *
read_ways(struct str text, struct route *r)
{
	struct str end;
	uint16_t order = 0;

	do {
		struct route_way *w = &r->ways[r->n_ways];
		const char *error;

		if (r->n_ways == ROUTE_WAYS_MAX)
			return "too many ways";
		w->order = order;
		error = read_way(&text, w, &end);
		if (error != NULL)
			return error;
		r->n_ways++;
		order += str_eq(end, STR("then"));
	} while (end.n > 0);
	return NULL;
}

/* --- all of it --------------------------------------------------------------------- */

const char *
route_text_check(struct str text, struct route *ret)
{
	struct route r = { 0 };
	const char *error;

	if (text.n > ROUTE_TEXT_MAX)
		return "the text is too long";
	if (!read_pattern(next_word(&text), &r))
		return "whom it is for: a domain, .domain, from:domain, "
		       "from:address, account:login, mx:host, mx:.domain, "
		       "group:name, * or fallback";
	error = read_ways(text, &r);
	if (error == NULL)
		*ret = r;
	return error;
}

bool
route_text_parse(struct str text, struct route *ret)
{
	return route_text_check(text, ret) == NULL;
}

bool
route_text_pattern(struct str text, struct route *ret)
{
	struct route r = { 0 };

	if (!read_pattern(next_word(&text), &r))
		return false;
	*ret = r;
	return true;
}
