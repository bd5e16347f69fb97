/* SPDX-License-Identifier: ISC */
/*
 * spf_address.c - addresses of clients and networks, as SPF compares them.
 *
 * The C library reads and writes the text forms; it refuses leading zeros in
 * IPv4 numbers, as the grammar of RFC 7208 section 5.6 does.
 */
#include "proto/spf/spf_address.h"

#include <arpa/inet.h>

static bool
parse(int family, struct str in, struct spf_address *ret)
{
	struct spf_address a = { .is_v6 = family == AF_INET6 };
	char text[INET6_ADDRSTRLEN];

	if (in.n == 0 || in.n >= sizeof(text) || memchr(in.p, '\0', in.n))
		return false;
	memcpy(text, in.p, in.n);
	text[in.n] = '\0';
	if (inet_pton(family, text, a.bytes) != 1)
		return false;
	*ret = a;
	return true;
}

bool
spf_address_parse_v4(struct str in, struct spf_address *ret)
{
	return parse(AF_INET, in, ret);
}

bool
spf_address_parse_v6(struct str in, struct spf_address *ret)
{
	return parse(AF_INET6, in, ret);
}

bool
spf_address_parse(struct str in, struct spf_address *ret)
{
	return spf_address_parse_v4(in, ret) || spf_address_parse_v6(in, ret);
}

struct spf_address
spf_address_unmap(struct spf_address a)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };
	struct spf_address v4 = { .is_v6 = false };

	if (!a.is_v6 || memcmp(a.bytes, mapped, sizeof(mapped)) != 0)
		return a;
	memcpy(v4.bytes, a.bytes + sizeof(mapped), 4);
	return v4;
}

bool
spf_address_is_in(const struct spf_address *a,
    const struct spf_address *network, unsigned prefix)
{
	size_t whole = prefix / 8;
	unsigned rest = prefix % 8;

	ASSERT(prefix <= (network->is_v6 ? 128 : 32));
	if (a->is_v6 != network->is_v6 ||
	    memcmp(a->bytes, network->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       (a->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

void
spf_address_put(const struct spf_address *a, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	ASSERT(inet_ntop(
	    a->is_v6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof(text)));
	buf_put_c(out, text);
}

void
spf_address_put_dotted(const struct spf_address *a, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";

	if (!a->is_v6) {
		spf_address_put(a, out);
		return;
	}
	for (size_t i = 0; i < sizeof(a->bytes); i++) {
		if (i > 0)
			buf_put_char(out, '.');
		buf_put_char(out, hex[a->bytes[i] >> 4]);
		buf_put_char(out, '.');
		buf_put_char(out, hex[a->bytes[i] & 15]);
	}
}
