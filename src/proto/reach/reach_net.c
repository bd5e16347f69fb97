/* SPDX-License-Identifier: ISC */
/* reach_net.c - networks as values and as text. See reach_net.h. */
#include "proto/reach/reach_net.h"

#include "proto/reach/reach_event.h"

#include <arpa/inet.h>

struct reach_net
reach_net_of(unsigned family, const uint8_t address[16])
{
	static const uint8_t local4[4] = { 127, 0, 0, 1 };
	static const uint8_t local6[16] = { [15] = 1 };
	uint32_t top = be32_get(address);
	size_t n = family == 4 ? sizeof(local4) : sizeof(local6);

	if (memcmp(address, family == 4 ? local4 : local6, n) == 0)
		return (struct reach_net){ REACH_NET_LOCAL, 0 };
	if (family == 4)
		return (struct reach_net){ REACH_NET_V4, top >> 16 };
	return (struct reach_net){ REACH_NET_V6, top };
}

bool
reach_net_is_sane(const struct reach_net *n)
{
	switch ((enum reach_net_kind)n->kind) {
	case REACH_NET_OTHERS:
	case REACH_NET_ALL:
	case REACH_NET_LOCAL:
		return n->value == 0;
	case REACH_NET_AS:
		return n->value != 0;
	case REACH_NET_V4:
		return n->value <= UINT16_MAX;
	case REACH_NET_V6:
		return true;
	case REACH_NET_KINDS:
		break;
	}
	return false;
}

bool
reach_net_eq(const struct reach_net *a, const struct reach_net *b)
{
	return a->kind == b->kind && a->value == b->value;
}

void
reach_net_format(const struct reach_net *n, char ret[REACH_NET_TEXT])
{
	struct in6_addr six = { 0 };
	char text[INET6_ADDRSTRLEN];
	const char *word = "?";

	switch ((enum reach_net_kind)n->kind) {
	case REACH_NET_OTHERS:
		word = "others";
		break;
	case REACH_NET_ALL:
		word = "all";
		break;
	case REACH_NET_LOCAL:
		word = "local";
		break;
	case REACH_NET_AS:
		snprintf(ret, REACH_NET_TEXT, "AS%u", n->value);
		return;
	case REACH_NET_V4:
		snprintf(ret, REACH_NET_TEXT, "%u.%u.0.0/16",
		    n->value >> 8 & 255, n->value & 255);
		return;
	case REACH_NET_V6:
		be32_put(six.s6_addr, n->value);
		inet_ntop(AF_INET6, &six, text, sizeof(text));
		snprintf(ret, REACH_NET_TEXT, "%.19s/32", text);
		return;
	case REACH_NET_KINDS:
		break;
	}
	snprintf(ret, REACH_NET_TEXT, "%s", word);
}

static bool
parse_word(struct str s, struct reach_net *ret)
{
	static const struct {
		const char *word;
		enum reach_net_kind kind;
	} words[] = { { "others", REACH_NET_OTHERS }, { "all", REACH_NET_ALL },
		{ "local", REACH_NET_LOCAL } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_case(s, str_c(words[i].word))) {
			*ret = (struct reach_net){ (uint8_t)words[i].kind, 0 };
			return true;
		}
	return false;
}

/* An address, or a prefix that is as long as ours are. */
static bool
parse_address(struct str s, struct reach_net *ret)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16] = { 0 };
	struct str length, rest = str_split(s, '/', &s);
	unsigned family = str_find(s, ':') >= 0 ? 6 : 4;

	length = rest.p != NULL ? rest : STR_NONE;
	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(family == 6 ? AF_INET6 : AF_INET, text, address) != 1)
		return false;
	if (rest.p != NULL &&
	    !str_eq(length, family == 6 ? STR("32") : STR("16")))
		return false;
	*ret = reach_net_of(family, address);
	return true;
}

bool
reach_net_parse(struct str s, struct reach_net *ret)
{
	uint32_t number;

	if (parse_word(s, ret))
		return true;
	if (str_starts_case(s, STR("AS"))) {
		if (!str_to_u32(str_from(s, 2), UINT32_MAX, &number) ||
		    number == 0)
			return false;
		*ret = (struct reach_net){ REACH_NET_AS, number };
		return true;
	}
	return parse_address(s, ret);
}

bool
reach_key_eq(const struct reach_key *a, const struct reach_key *b)
{
	return reach_net_eq(&a->net, &b->net) && a->port == b->port &&
	       a->service == b->service && a->family == b->family;
}

bool
reach_key_is_sane(const struct reach_key *k)
{
	return reach_net_is_sane(&k->net) && k->service < REACH_SERVICES &&
	       (k->family == 4 || k->family == 6);
}

void
reach_key_put(struct buf *b, const struct reach_key *k)
{
	wire_put_u8(b, k->net.kind);
	wire_put_u32(b, k->net.value);
	wire_put_u16(b, k->port);
	wire_put_u8(b, k->service);
	wire_put_u8(b, k->family);
}

void
reach_key_get(struct wire *w, struct reach_key *ret)
{
	ret->net.kind = wire_get_u8(w);
	ret->net.value = wire_get_u32(w);
	ret->port = wire_get_u16(w);
	ret->service = wire_get_u8(w);
	ret->family = wire_get_u8(w);
	if (!reach_key_is_sane(ret))
		w->failed = true;
}
