/* SPDX-License-Identifier: ISC */
/*
 * OBJS: src/conf/network_text.c
 *
 * Properties: a network holds its own address, and ::/0 or the whole of IPv4
 * does too; what is refused holds nothing.
 */
#include "conf/network_text.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size), address;
	struct network n;
	bool is_one = network_parse(in, &n);

	str_split(in, '/', &address);
	if (is_one && str_find(in, '\n') < 0)
		ASSERT(network_list_holds(in, address));
	if (is_one)
		ASSERT(n.prefix <= 128 &&
		       network_list_holds(STR("::/0\n"), address));
	return 0;
}
