/* SPDX-License-Identifier: ISC */
/* icmp.c - echo packets. See icmp.h. */
#include "proto/icmp/icmp.h"

#define ECHO4       8
#define ECHO4_REPLY 0
#define ECHO6       128
#define ECHO6_REPLY 129
#define HEAD        8

/* RFC 1071: the complement of the sum in ones' complement. */
static uint16_t
checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n % 2)
		sum += (uint32_t)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t)~sum;
}

void
icmp_echo_put(uint8_t *to, const struct icmp_echo *e)
{
	uint16_t sum;

	memset(to, 0, ICMP_ECHO_BYTES);
	to[0] = e->is_v6 ? ECHO6 : ECHO4;
	to[4] = (uint8_t)(e->id >> 8);
	to[5] = (uint8_t)e->id;
	to[6] = (uint8_t)(e->seq >> 8);
	to[7] = (uint8_t)e->seq;
	memcpy(to + HEAD, e->cookie, ICMP_COOKIE_BYTES);
	for (size_t i = HEAD + ICMP_COOKIE_BYTES; i < ICMP_ECHO_BYTES; i++)
		to[i] = (uint8_t)i;
	if (e->is_v6)
		return;
	sum = checksum(to, ICMP_ECHO_BYTES);
	to[2] = (uint8_t)(sum >> 8);
	to[3] = (uint8_t)sum;
}

/* Behind an IPv4 header, however long; an empty string: there is none. */
static struct str
skip_ip(struct str packet)
{
	size_t n = packet.n > 0 ? (size_t)((uint8_t)packet.p[0] & 15) * 4 : 0;

	if (n < 20 || (uint8_t)packet.p[0] >> 4 != 4)
		return STR_NONE;
	return str_from(packet, n);
}

bool
icmp_echo_get(struct str packet, bool is_v6, bool has_ip, struct icmp_echo *ret)
{
	struct str s = has_ip ? skip_ip(packet) : packet;
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n < HEAD + ICMP_COOKIE_BYTES ||
	    p[0] != (is_v6 ? ECHO6_REPLY : ECHO4_REPLY) || p[1] != 0)
		return false;
	if (!is_v6 && checksum(p, s.n) != 0)
		return false;
	*ret = (struct icmp_echo){ .is_v6 = is_v6,
		.id = (uint16_t)(p[4] << 8 | p[5]),
		.seq = (uint16_t)(p[6] << 8 | p[7]) };
	memcpy(ret->cookie, p + HEAD, ICMP_COOKIE_BYTES);
	return true;
}
