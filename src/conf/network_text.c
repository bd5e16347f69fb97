/* SPDX-License-Identifier: ISC */
/* network_text.c - networks as text. See network_text.h. */
#include "conf/network_text.h"

#include <arpa/inet.h>

/* Both families in one form: IPv4 is ::ffff:0:0/96. */
static bool
read_address(struct str s, uint8_t to[16], bool *ret_is_v4)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*ret_is_v4 = inet_pton(AF_INET, text, to + sizeof(mapped)) == 1;
	if (*ret_is_v4)
		memcpy(to, mapped, sizeof(mapped));
	return strlen(text) == s.n &&
	       (*ret_is_v4 || inet_pton(AF_INET6, text, to) == 1);
}

static bool
is_in(const uint8_t address[16], const struct network *n)
{
	unsigned whole = n->prefix / 8, rest = n->prefix % 8;

	return memcmp(address, n->bytes, whole) == 0 &&
	       (rest == 0 ||
		   (address[whole] ^ n->bytes[whole]) >> (8 - rest) == 0);
}

/* Nothing behind the prefix. */
static bool
is_clean(const struct network *n)
{
	for (unsigned i = n->prefix; i < 128; i++)
		if (n->bytes[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

bool
network_parse(struct str s, struct network *ret)
{
	struct network n = { .prefix = 128 };
	struct str address;
	bool is_v4, has_prefix = str_find(s, '/') >= 0;
	uint32_t bits;

	s = str_split(s, '/', &address);
	if (!read_address(address, n.bytes, &is_v4))
		return false;
	if (has_prefix) {
		if (!str_to_u32(s, is_v4 ? 32 : 128, &bits))
			return false;
		n.prefix = bits + (is_v4 ? 96 : 0);
	}
	if (!is_clean(&n))
		return false;
	*ret = n;
	return true;
}

bool
network_list_holds(struct str list, struct str address)
{
	struct network n;
	uint8_t bytes[16];
	struct str line;
	bool is_v4;

	if (!read_address(address, bytes, &is_v4))
		return false;
	while (list.n > 0) {
		list = str_split(list, '\n', &line);
		if (network_parse(line, &n) && is_in(bytes, &n))
			return true;
	}
	return false;
}

bool
network_is_loopback(struct str address)
{
	return network_list_holds(STR("127.0.0.0/8\n::1\n"), address);
}
