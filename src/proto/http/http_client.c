/* SPDX-License-Identifier: ISC */
/* http_client.c - the client behind reverse proxies. See http_client.h. */
#include "proto/http/http_client.h"

#include "base/accept.h"

#include <arpa/inet.h>

/* --- one node ---------------------------------------------------------------------- */

/* RFC 7239 section 6: node-port. */
static bool
is_port(struct str s)
{
	uint32_t number;

	if (s.n == 0 || s.p[0] != '_')
		return s.n <= 5 && str_to_u32(s, 65535, &number);
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '.' &&
		    c != '_' && c != '-')
			return false;
	}
	return s.n > 1;
}

static bool
read_v4(struct str s, char ret[HTTP_ADDRESS_MAX])
{
	char text[INET_ADDRSTRLEN];
	struct in_addr a;

	if (s.n >= sizeof(text) || str_find(s, '\0') >= 0)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, &a) == 1 &&
	       inet_ntop(AF_INET, &a, ret, HTTP_ADDRESS_MAX) != NULL;
}

static bool
read_v6(struct str s, char ret[HTTP_ADDRESS_MAX])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];
	uint8_t a[16];

	if (s.n >= sizeof(text) || str_find(s, '\0') >= 0)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET6, text, a) != 1)
		return false;
	if (memcmp(a, mapped, sizeof(mapped)) == 0)
		return inet_ntop(AF_INET, a + sizeof(mapped), ret,
			   HTTP_ADDRESS_MAX) != NULL;
	return inet_ntop(AF_INET6, a, ret, HTTP_ADDRESS_MAX) != NULL;
}

bool
http_node_address(struct str node, char ret[HTTP_ADDRESS_MAX])
{
	ptrdiff_t colon = str_find(node, ':');
	ptrdiff_t end = str_find(node, ']');
	struct str behind;

	if (node.n == 0)
		return false;
	if (node.p[0] == '[') {
		if (end < 0)
			return false;
		behind = str_from(node, (size_t)end + 1);
		if (behind.n > 0 &&
		    (behind.p[0] != ':' || !is_port(str_from(behind, 1))))
			return false;
		return read_v6(str_sub(node, 1, (size_t)end - 1), ret);
	}
	if (colon < 0)
		return read_v4(node, ret);
	if (str_rfind(node, ':') != colon)
		return read_v6(node, ret);
	return is_port(str_from(node, (size_t)colon + 1)) &&
	       read_v4(str_first(node, (size_t)colon), ret);
}

/* --- lists of them ------------------------------------------------------------------- */

static void
add(struct http_hops *h, struct http_hop hop)
{
	h->v[h->n++ % HTTP_HOPS_MAX] = hop;
}

void
http_hops_x_forwarded_for(struct http_hops *h, struct str line)
{
	struct str one;

	while (accept_list_next(&line, &one))
		add(h, (struct http_hop){ .node = one });
}

static void
skip_blanks(struct str *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = str_from(*s, 1);
}

/* One character that has to come. */
static bool
take(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_from(*s, 1);
	return true;
}

static bool
take_token(struct str *s, struct str *ret)
{
	size_t n = 0;

	while (n < s->n && http_is_token(str_sub(*s, n, 1)))
		n++;
	*ret = str_first(*s, n);
	*s = str_from(*s, n);
	return n > 0;
}

/* A quoted string without its quotes. Escapes stay: no address has any. */
static bool
take_quoted(struct str *s, struct str *ret)
{
	for (size_t i = 1; i < s->n; i++) {
		if (s->p[i] == '\\') {
			i++;
		} else if (s->p[i] == '"') {
			*ret = str_sub(*s, 1, i - 1);
			*s = str_from(*s, i + 1);
			return true;
		}
	}
	return false;
}

/* RFC 7239 section 4: forwarded-pair. A parameter that is there twice is wrong. */
static bool
take_pair(struct str *s, struct http_hop *hop)
{
	struct str name, value, *to = NULL;

	if (!take_token(s, &name) || !take(s, '='))
		return false;
	if (s->n > 0 && s->p[0] == '"' ? !take_quoted(s, &value)
				       : !take_token(s, &value))
		return false;
	if (str_eq_case(name, STR("for")))
		to = &hop->node;
	else if (str_eq_case(name, STR("proto")))
		to = &hop->scheme;
	if (to == NULL)
		return true;
	if (to->p != NULL)
		return false;
	*to = value;
	return true;
}

/* Up to the comma, or the end. */
static bool
take_element(struct str *s, struct http_hop *hop)
{
	do {
		skip_blanks(s);
		if (s->n > 0 && s->p[0] != ';' && s->p[0] != ',' &&
		    !take_pair(s, hop))
			return false;
		skip_blanks(s);
	} while (take(s, ';'));
	return s->n == 0 || s->p[0] == ',';
}

void
http_hops_forwarded(struct http_hops *h, struct str line)
{
	while (line.n > 0) {
		struct http_hop hop = { STR_NONE, STR_NONE };
		struct str before = line, said;

		/* What stands in front of it in this line is out of reach. */
		if (!take_element(&line, &hop)) {
			add(h, (struct http_hop){ STR_NONE, STR_NONE });
			return;
		}
		said = str_trim(str_first(before, before.n - line.n));
		if (said.n > 0)
			add(h, hop);
		(void)take(&line, ',');
	}
}

/* --- the walk ---------------------------------------------------------------------------- */

static enum http_scheme
scheme_of(struct str s)
{
	if (str_eq_case(s, STR("https")))
		return HTTP_SCHEME_TLS;
	return str_eq_case(s, STR("http")) ? HTTP_SCHEME_PLAIN
	                                   : HTTP_SCHEME_UNTOLD;
}

/* What the proxy next to us says stands last. */
static enum http_scheme
last_scheme(const struct http_request *r)
{
	struct str line, one, last = STR("");
	size_t i = 0;

	while (http_request_next_field(r, STR("X-Forwarded-Proto"), &i, &line))
		while (accept_list_next(&line, &one))
			last = one;
	return scheme_of(last);
}

static void
collect(const struct http_request *r, bool use_forwarded, struct http_hops *h)
{
	struct str name =
	    use_forwarded ? STR("Forwarded") : STR("X-Forwarded-For");
	struct str line;
	size_t i = 0;

	while (http_request_next_field(r, name, &i, &line)) {
		if (use_forwarded)
			http_hops_forwarded(h, line);
		else
			http_hops_x_forwarded_for(h, line);
	}
}

void
http_client_find(const struct http_request *r,
    const struct http_proxies *proxies, struct http_client *ret)
{
	struct http_hops h = { .n = 0 };
	size_t n;

	ret->scheme = HTTP_SCHEME_UNTOLD;
	if (!proxies->is_trusted(proxies->arg, ret->address))
		return;
	collect(r, proxies->use_forwarded, &h);
	if (!proxies->use_forwarded)
		ret->scheme = last_scheme(r);
	n = MIN(h.n, (size_t)HTTP_HOPS_MAX);
	for (size_t i = 1; i <= n; i++) {
		const struct http_hop *hop = &h.v[(h.n - i) % HTTP_HOPS_MAX];

		if (proxies->use_forwarded)
			ret->scheme = scheme_of(hop->scheme);
		if (!http_node_address(hop->node, ret->address) ||
		    !proxies->is_trusted(proxies->arg, ret->address))
			return;
	}
}
