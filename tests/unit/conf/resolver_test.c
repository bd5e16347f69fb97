/* SPDX-License-Identifier: ISC */
/* resolver_test.c - name servers of the configuration as the library takes them. */
#include "../test.h"
#include "conf/conf_resolver.h"

TEST(servers_have_a_port_or_none)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1:5353", "192.0.2.1@5353" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "[2001:db8::1]:5353", "2001:db8::1@5353" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep)
		char *out = conf_resolver_server(str_c(cases[i].in));

		CHECK(strcmp(out, cases[i].out) == 0, cases[i].in);
	}
}

TEST_MAIN(UNIT(servers_have_a_port_or_none))
