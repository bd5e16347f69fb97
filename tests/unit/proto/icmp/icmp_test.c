/* SPDX-License-Identifier: ISC */
/* icmp_test.c - echo requests and replies. */
#include "../../test.h"
#include "proto/icmp/icmp.h"

static const struct icmp_echo echo4 = {
	.id = 0x1234, .seq = 7, .cookie = { 1, 2, 3, 4, 5, 6, 7, 8 }
};

/* Make a request a reply, as the other side does. */
static void
turn(uint8_t *p, bool is_v6)
{
	unsigned sum;

	p[0] = is_v6 ? 129 : 0;
	/* RFC 1624: 8 less in the first byte is 0x800 more in the sum. */
	sum = (unsigned)(p[2] << 8 | p[3]) + 0x800;
	sum = (sum & 0xFFFF) + (sum >> 16);
	if (!is_v6) {
		p[2] = (uint8_t)(sum >> 8);
		p[3] = (uint8_t)sum;
	}
}

TEST(a_reply_brings_back_what_was_sent)
{
	uint8_t p[ICMP_ECHO_BYTES];
	struct icmp_echo e = echo4, got;

	icmp_echo_put(p, &e);
	CHECK(p[0] == 8, "a request");
	CHECK(!icmp_echo_get(str_make(p, sizeof(p)), false, false, &got),
	    "a request is no reply");
	turn(p, false);
	assert_true(icmp_echo_get(str_make(p, sizeof(p)), false, false, &got));
	assert_int_equal(got.id, 0x1234);
	assert_int_equal(got.seq, 7);
	assert_memory_equal(got.cookie, e.cookie, sizeof(e.cookie));
	p[20] ^= 1;
	CHECK(!icmp_echo_get(str_make(p, sizeof(p)), false, false, &got),
	    "a wrong checksum");
}

TEST(icmp6_leaves_the_checksum_to_the_kernel)
{
	uint8_t p[ICMP_ECHO_BYTES];
	struct icmp_echo e = echo4, got;

	e.is_v6 = true;
	icmp_echo_put(p, &e);
	CHECK(p[0] == 128 && p[2] == 0 && p[3] == 0, "a request");
	turn(p, true);
	assert_true(icmp_echo_get(str_make(p, sizeof(p)), true, false, &got));
	assert_true(got.is_v6 && got.seq == 7);
	CHECK(!icmp_echo_get(str_make(p, sizeof(p)), false, false, &got),
	    "not of IPv4");
}

TEST(raw_sockets_show_the_ip_header)
{
	uint8_t p[24 + ICMP_ECHO_BYTES] = { 0x46 };
	struct icmp_echo got;
	struct str all = str_make(p, sizeof(p));

	icmp_echo_put(p + 24, &echo4);
	turn(p + 24, false);
	assert_true(icmp_echo_get(all, false, true, &got));
	for (size_t n = 0; n < 24 + 16; n++)
		CHECK(!icmp_echo_get(str_first(all, n), false, true, &got),
		    "cut off");
	p[0] = 0x44;
	CHECK(!icmp_echo_get(all, false, true, &got), "too short a header");
	p[0] = 0x66;
	CHECK(!icmp_echo_get(all, false, true, &got), "IPv6");
}

TEST_MAIN(UNIT(a_reply_brings_back_what_was_sent),
    UNIT(icmp6_leaves_the_checksum_to_the_kernel),
    UNIT(raw_sockets_show_the_ip_header))
