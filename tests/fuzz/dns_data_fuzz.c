/* SPDX-License-Identifier: ISC */
/*
 * LINK: dnsmsg
 * OBJS: src/net/resolver.c src/net/dns_cache.c src/net/loop.c
 *
 * dns_data_fuzz.c - record data of strangers' name servers: what is read of an
 * MX record is a host name, and gives the same bytes when it is written again,
 * but for the case of letters.
 */
#include "net/resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(struct str data, struct str host)
{
	while (host.n > 0) {
		struct str label;

		host = str_split(host, '.', &label);
		ASSERT(label.n >= 1 && label.n <= 63);
		ASSERT((unsigned char)data.p[0] == label.n);
		ASSERT(str_eq_case(str_sub(data, 1, label.n), label));
		data = str_from(data, label.n + 1);
	}
	ASSERT(data.n == 1 && data.p[0] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	char host[DNS_NAME_MAX + 1];
	struct sockaddr_storage addr;
	uint16_t preference;

	if (dns_read_mx(in, &preference, host)) {
		ASSERT(preference == (data[0] << 8 | data[1]));
		check_name(str_from(in, 2), str_c(host));
	}
	ASSERT(dns_read_address(DNS_A, in, 25, &addr) == (size == 4));
	ASSERT(dns_read_address(DNS_AAAA, in, 25, &addr) == (size == 16));
	return 0;
}
