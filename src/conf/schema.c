/* SPDX-License-Identifier: ISC */
/*
 * schema.c - values of options: from text, and what is expected. See
 * schema.h.
 */
#include "conf/schema.h"
#include "base/log.h"
#include "conf/link_text.h"
#include "conf/mirror_text.h"
#include "conf/network_text.h"
#include "conf/route_text.h"

#include <arpa/inet.h>

/* Where a listener's service stands instead of an offset. */
#define WHERE_STRING(f)    offsetof(struct conf, f)
#define WHERE_NAME(f)      offsetof(struct conf, f)
#define WHERE_ADDRESS(f)   offsetof(struct conf, f)
#define WHERE_PATH(f)      offsetof(struct conf, f)
#define WHERE_LEVEL(f)     offsetof(struct conf, f)
#define WHERE_COUNT(f)     offsetof(struct conf, f)
#define WHERE_BIGCOUNT(f)  offsetof(struct conf, f)
#define WHERE_TIME(f)      offsetof(struct conf, f)
#define WHERE_TIME_DAYS(f) offsetof(struct conf, f)
#define WHERE_SIZE(f)      offsetof(struct conf, f)
#define WHERE_BOOL(f)      offsetof(struct conf, f)
#define WHERE_LOOPBACK(f)  offsetof(struct conf, f)
#define WHERE_SERVERS(f)   offsetof(struct conf, f)
#define WHERE_ROUTES(f)    offsetof(struct conf, f)
#define WHERE_NAMES(f)     offsetof(struct conf, f)
#define WHERE_NETWORKS(f)  offsetof(struct conf, f)
#define WHERE_HOSTS(f)     offsetof(struct conf, f)
#define WHERE_LINKS(f)     offsetof(struct conf, f)
#define WHERE_RELAYS(f)    offsetof(struct conf, f)
#define WHERE_MIRRORS(f)   offsetof(struct conf, f)
#define WHERE_LISTEN(f)    f
#define WHERE_SOCKETS(f)   f

const struct conf_option conf_options[] = {
#define OPT(section, key, type, field, fallback, min, max, help) \
	{ section, key, CONF_##type, WHERE_##type(field), fallback, min, max, \
		help },
#include "conf/schema.def"
#undef OPT
};
const size_t conf_option_count = ARRAY_LEN(conf_options);
_Static_assert(ARRAY_LEN(conf_options) <= CONF_OPTIONS_MAX, "grow it");

struct unit {
	char letter;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{ 'T', 1ULL << 40 },
	{ 'G', 1ULL << 30 },
	{ 'M', 1ULL << 20 },
	{ 'K', 1ULL << 10 },
};
static const struct unit times[] = {
	{ 'd', 86400 },
	{ 'h', 3600 },
	{ 'm', 60 },
	{ 's', 1 },
};
static const struct unit days[] = { { 'd', 1 } };

static bool
read_number(struct str s, const struct unit *units, size_t n, uint64_t *ret)
{
	uint64_t factor = 1, v;

	for (size_t i = 0; i < n && s.n > 0; i++)
		if (ascii_lower(s.p[s.n - 1]) == ascii_lower(units[i].letter)) {
			factor = units[i].factor;
			s.n--;
			break;
		}
	if (!str_to_u64(s, UINT64_MAX / factor, &v))
		return false;
	*ret = v * factor;
	return true;
}

static void
put_number(struct buf *b, uint64_t v, const struct unit *units, size_t n)
{
	for (size_t i = 0; i < n && v > 0; i++)
		if (v % units[i].factor == 0) {
			buf_printf(b, "%llu%c",
			    (unsigned long long)(v / units[i].factor),
			    units[i].letter);
			return;
		}
	buf_put_u64(b, v);
}

static void *
member(struct conf *c, const struct conf_option *o)
{
	return (char *)c + o->offset;
}

bool
conf_is_list(const struct conf_option *o)
{
	return o->type == CONF_LISTEN || o->type == CONF_SOCKETS ||
	       conf_is_text_list(o);
}

bool
conf_is_text_list(const struct conf_option *o)
{
	return o->type == CONF_SERVERS || o->type == CONF_ROUTES ||
	       o->type == CONF_NAMES || o->type == CONF_NETWORKS ||
	       o->type == CONF_HOSTS || o->type == CONF_LINKS ||
	       o->type == CONF_RELAYS || o->type == CONF_MIRRORS;
}

bool
conf_is_text(const struct conf_option *o)
{
	return o->type == CONF_STRING || o->type == CONF_NAME ||
	       o->type == CONF_ADDRESS || o->type == CONF_PATH ||
	       o->type == CONF_LEVEL;
}

bool
conf_in_range(const struct conf_option *o, uint64_t v)
{
	return v >= o->min && v <= o->max;
}

/* --- texts --------------------------------------------------------------------- */

static bool
is_host_name(struct str s)
{
	struct str label;

	while (s.n > 0) {
		bool is_last = str_find(s, '.') < 0;

		s = str_split(s, '.', &label);
		if (label.n == 0 || label.n > 63 || label.p[0] == '-' ||
		    label.p[label.n - 1] == '-' || (!is_last && s.n == 0))
			return false;
		for (size_t i = 0; i < label.n; i++)
			if (!ascii_is_alpha(label.p[i]) &&
			    !ascii_is_digit(label.p[i]) && label.p[i] != '-')
				return false;
	}
	return true;
}

/* A dot-atom (RFC 5321 section 4.1.2) at a host name. */
static bool
is_address(struct str s)
{
	ptrdiff_t at = str_rfind(s, '@');
	struct str local = str_first(s, at > 0 ? (size_t)at : 0);

	if (local.n == 0 || local.n > 64 || (size_t)at + 1 == s.n ||
	    local.p[0] == '.' || local.p[local.n - 1] == '.' ||
	    str_search(local, STR("..")) >= 0)
		return false;
	for (size_t i = 0; i < local.n; i++)
		if (!ascii_is_alpha(local.p[i]) &&
		    !ascii_is_digit(local.p[i]) &&
		    strchr("!#$%&'*+-/=?^_`{|}~.", local.p[i]) == NULL)
			return false;
	return is_host_name(str_from(s, (size_t)at + 1));
}

static bool
is_good_text(const struct conf_option *o, struct str s)
{
	enum log_level level;

	if (s.n < o->min || s.n > o->max || !str_is_utf8(s) ||
	    str_has_control(s, ""))
		return false;
	if (o->type == CONF_NAME)
		return is_host_name(s);
	if (o->type == CONF_ADDRESS)
		return s.n == 0 || is_address(s);
	if (o->type == CONF_PATH)
		return s.n == 0 || s.p[0] == '/';
	if (o->type == CONF_LEVEL) {
		char *name = str_dup(s);
		bool ok = log_level_from_name(name, &level);

		free(name);
		return ok;
	}
	return true;
}

static bool
set_text(const struct conf_option *o, struct conf *c, struct str s)
{
	char **to = member(c, o);

	if (!is_good_text(o, s))
		return false;
	free(*to);
	*to = str_dup(s);
	return true;
}

/* --- addresses ------------------------------------------------------------------ */

/* "192.0.2.1:25" or "[2001:db8::1]:25". */
static bool
read_address(struct str s, char host[INET6_ADDRSTRLEN], uint16_t *ret_port)
{
	ptrdiff_t colon = str_rfind(s, ':');
	unsigned char addr[sizeof(struct in6_addr)];
	bool is_v6 = s.n > 0 && s.p[0] == '[';
	struct str name;
	uint32_t port;

	if (colon < 0 ||
	    !str_to_u32(str_from(s, (size_t)colon + 1), 65535, &port) ||
	    port == 0)
		return false;
	name = str_first(s, (size_t)colon);
	if (is_v6) {
		if (!str_ends(name, STR("]")))
			return false;
		name = str_sub(name, 1, name.n - 2);
	}
	if (name.n == 0 || name.n >= INET6_ADDRSTRLEN)
		return false;
	memcpy(host, name.p, name.n);
	host[name.n] = '\0';
	if (strlen(host) != name.n ||
	    inet_pton(is_v6 ? AF_INET6 : AF_INET, host, addr) != 1)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

static bool
add_listener(const struct conf_option *o, struct conf *c, struct str s)
{
	struct conf_listener *l = &c->listeners[c->listener_count];
	char host[INET6_ADDRSTRLEN];
	uint16_t port = 0;

	if (c->listener_count >= CONF_LISTENERS_MAX)
		return false;
	if (o->type == CONF_SOCKETS) {
		/* The kernel's own limit of a socket's name. */
		if (s.n < 2 || s.p[0] != '/' || s.n > 107 ||
		    memchr(s.p, 0, s.n) != NULL)
			return false;
		l->address = str_dup(s);
	} else {
		if (!read_address(s, host, &port))
			return false;
		l->address = x_strdup(host);
	}
	l->service = (enum service)o->offset;
	l->port = port;
	c->listener_count++;
	return true;
}

static bool
set_loopback(struct conf *c, struct str s)
{
	char host[INET6_ADDRSTRLEN] = "";
	uint16_t port = 0;

	if (s.n > 0 && !read_address(s, host, &port))
		return false;
	if (s.n > 0 && strncmp(host, "127.", 4) != 0 &&
	    strcmp(host, "::1") != 0)
		return false;
	free(c->metrics_address);
	c->metrics_address = x_strdup(host);
	c->metrics_port = port;
	return true;
}

/* --- lists kept as text ------------------------------------------------------------ */

/* An address alone, or with a port. */
static bool
is_server(struct str s)
{
	unsigned char addr[sizeof(struct in6_addr)];
	char host[INET6_ADDRSTRLEN];
	uint16_t port;

	if (read_address(s, host, &port))
		return true;
	if (s.n == 0 || s.n >= sizeof(host))
		return false;
	memcpy(host, s.p, s.n);
	host[s.n] = '\0';
	return strlen(host) == s.n && (inet_pton(AF_INET, host, addr) == 1 ||
					  inet_pton(AF_INET6, host, addr) == 1);
}

/* One that signs in has a password, which does not belong into this file. */
static bool
is_route(struct str s)
{
	struct route route;

	if (!route_text_parse(s, &route))
		return false;
	for (size_t i = 0; i < route.n_ways; i++)
		if (route.ways[i].login.n > 0)
			return false;
	return true;
}

/* Names with one blank between; in lower case, as they are compared. */
static bool
is_hosts(struct str s)
{
	struct str one, rest = s;
	size_t n = 0;

	if (s.n == 0 || s.p[s.n - 1] == ' ')
		return false;
	while (rest.n > 0) {
		rest = str_split(rest, ' ', &one);
		if (one.n == 0 || one.n > 253 || !is_host_name(one) ||
		    ++n > CONF_HOST_NAMES_MAX)
			return false;
		for (size_t i = 0; i < one.n; i++)
			if (one.p[i] != ascii_lower(one.p[i]))
				return false;
	}
	return true;
}

/* An address or a host name, alone or with a port. */
static bool
is_relay(struct str s)
{
	ptrdiff_t colon = str_rfind(s, ':');
	uint32_t port = 1;

	if (is_server(s))
		return true;
	if (colon >= 0 &&
	    !str_to_u32(str_from(s, (size_t)colon + 1), 65535, &port))
		return false;
	s = str_first(s, colon >= 0 ? (size_t)colon : s.n);
	return port > 0 && s.n > 0 && s.n <= 253 && is_host_name(s);
}

static bool
is_good_element(const struct conf_option *o, struct str s)
{
	struct network network;
	struct str url, title;

	if (o->type == CONF_MIRRORS)
		return mirror_kind_of(s) != MIRROR_BAD;
	if (o->type == CONF_LINKS)
		return link_parse(s, &url, &title);
	if (o->type == CONF_RELAYS)
		return is_relay(s);
	if (o->type == CONF_NETWORKS)
		return network_parse(s, &network);
	if (o->type == CONF_SERVERS)
		return is_server(s);
	if (o->type == CONF_NAMES)
		return s.n > 0 && s.n <= 253 && is_host_name(s);
	if (o->type == CONF_HOSTS)
		return is_hosts(s);
	return is_route(s);
}

static bool
add_to_text(const struct conf_option *o, struct conf *c, struct str s)
{
	char **to = member(c, o);
	char *longer;

	if (!is_good_element(o, s))
		return false;
	if (strlen(*to) + s.n > CONF_TEXT_LIST_MAX)
		return false;
	longer = x_asprintf("%s%.*s\n", *to, STR_ARG(s));
	free(*to);
	*to = longer;
	return true;
}

/* --- all types -------------------------------------------------------------------- */

static bool
set_number(const struct conf_option *o, struct conf *c, struct str s)
{
	uint64_t v;
	bool is_ok;

	if (o->type == CONF_SIZE)
		is_ok = read_number(s, sizes, ARRAY_LEN(sizes), &v);
	else if (o->type == CONF_TIME)
		is_ok = read_number(s, times, ARRAY_LEN(times), &v);
	else if (o->type == CONF_TIME_DAYS)
		is_ok = read_number(s, days, ARRAY_LEN(days), &v);
	else
		is_ok = read_number(s, NULL, 0, &v);
	if (!is_ok || !conf_in_range(o, v))
		return false;
	if (o->type == CONF_SIZE || o->type == CONF_BIGCOUNT)
		*(uint64_t *)member(c, o) = v;
	else
		*(uint32_t *)member(c, o) = (uint32_t)v;
	return true;
}

static bool
set_bool(const struct conf_option *o, struct conf *c, struct str s)
{
	bool yes = str_eq_case(s, STR("yes")) || str_eq_case(s, STR("true")) ||
	           str_eq_case(s, STR("on"));

	if (!yes && !str_eq_case(s, STR("no")) &&
	    !str_eq_case(s, STR("false")) && !str_eq_case(s, STR("off")))
		return false;
	*(bool *)member(c, o) = yes;
	return true;
}

bool
conf_set(const struct conf_option *o, struct conf *c, struct str text)
{
	switch (o->type) {
	case CONF_STRING:
	case CONF_NAME:
	case CONF_ADDRESS:
	case CONF_PATH:
	case CONF_LEVEL:
		return set_text(o, c, text);
	case CONF_COUNT:
	case CONF_BIGCOUNT:
	case CONF_TIME:
	case CONF_TIME_DAYS:
	case CONF_SIZE:
		return set_number(o, c, text);
	case CONF_BOOL:
		return set_bool(o, c, text);
	case CONF_LISTEN:
	case CONF_SOCKETS:
		return add_listener(o, c, text);
	case CONF_LOOPBACK:
		return set_loopback(c, text);
	case CONF_SERVERS:
	case CONF_ROUTES:
	case CONF_NAMES:
	case CONF_NETWORKS:
	case CONF_HOSTS:
	case CONF_LINKS:
	case CONF_RELAYS:
	case CONF_MIRRORS:
		return add_to_text(o, c, text);
	}
	return false;
}

static void
put_range(const struct conf_option *o, struct buf *b)
{
	bool is_size = o->type == CONF_SIZE;
	const struct unit *units = is_size ? sizes : times;
	size_t n = is_size ? ARRAY_LEN(sizes) : ARRAY_LEN(times);

	if (o->type == CONF_TIME_DAYS) {
		units = days;
		n = ARRAY_LEN(days);
	} else if (!is_size && o->type != CONF_TIME) {
		n = 0;
	}
	buf_put_c(b, " from ");
	put_number(b, o->min, units, n);
	buf_put_c(b, " to ");
	put_number(b, o->max, units, n);
}

void
conf_expected(const struct conf_option *o, struct buf *b)
{
	static const char *const words[] = {
		[CONF_STRING] = "a text",
		[CONF_NAME] = "a host name such as mail.example.org",
		[CONF_ADDRESS] = "an address such as postmaster@example.org",
		[CONF_PATH] = "an absolute path",
		[CONF_LEVEL] = "debug, info, warn or error",
		[CONF_COUNT] = "a number",
		[CONF_BIGCOUNT] = "a number",
		[CONF_TIME] = "a time such as 90s, 5m, 2h or 1d,",
		[CONF_TIME_DAYS] = "days such as 14d,",
		[CONF_SIZE] = "a size such as 64K, 50M or 2G,",
		[CONF_BOOL] = "yes or no",
		[CONF_LISTEN] = "an address and port such as 0.0.0.0:25 or "
				"[::]:25",
		[CONF_SOCKETS] = "an absolute path of at most 107 bytes",
		[CONF_LOOPBACK] = "a loopback address and port such as "
				  "127.0.0.1:9154",
		[CONF_SERVERS] = "an address such as 192.0.2.53 or "
				 "127.0.0.1:5353",
		[CONF_ROUTES] = "a route such as \"example.org "
				"relay.example.net:587 tls=must\" (routes "
				"that sign in: 'mailstead route add')",
		[CONF_NAMES] = "a host name such as example.org",
		[CONF_HOSTS] = "host names in lower case, one blank between "
			       "such as \"mail.example.org imap.example.org\"",
		[CONF_NETWORKS] = "an address or a network such as "
				  "192.0.2.1 or 2001:db8::/32",
		[CONF_MIRRORS] = "a folder such as /srv/status, or HOST:PATH "
				 "or USER@HOST:PATH for rsync",
		[CONF_LINKS] = "a URL and its words, such as "
			       "\"https://www.example.org/help Help\"",
		[CONF_RELAYS] = "a host such as mail.example.net or "
				"192.0.2.1:587",
	};

	buf_put_c(b, words[o->type]);
	if (o->type == CONF_STRING)
		buf_printf(
		    b, " of at most %llu bytes", (unsigned long long)o->max);
	else if (!conf_is_text(o) && o->type < CONF_BOOL)
		put_range(o, b);
}

struct conf *
conf_new(void)
{
	struct conf *c = X_NEW(struct conf);

	for (size_t i = 0; i < conf_option_count; i++) {
		const struct conf_option *o = &conf_options[i];

		if (conf_is_text_list(o))
			*(char **)member(c, o) = x_strdup("");
		else if (!conf_is_list(o) &&
			 !conf_set(o, c, str_c(o->fallback)))
			die("conf: default of %s.%s", o->section, o->key);
	}
	return c;
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < conf_option_count; i++)
		if (conf_is_text(&conf_options[i]) ||
		    conf_is_text_list(&conf_options[i]))
			free(*(char **)member(c, &conf_options[i]));
	for (uint32_t i = 0; i < c->listener_count; i++)
		free(c->listeners[i].address);
	free(c->metrics_address);
	conf_certs_done(&c->certs);
	free(c);
}
