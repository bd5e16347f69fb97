/* SPDX-License-Identifier: ISC */
/*
 * LINK: icmp
 *
 * A packet of a raw or a ping socket, of either family. Property: a reply that
 * is taken has room for what is read of it.
 */
#include "proto/icmp/icmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct icmp_echo e;

	for (unsigned i = 0; i < 4; i++)
		if (icmp_echo_get(in, i & 1, i & 2, &e))
			ASSERT(size >= 16 && e.is_v6 == ((i & 1) != 0));
	return 0;
}
