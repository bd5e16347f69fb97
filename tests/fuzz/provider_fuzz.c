/* SPDX-License-Identifier: ISC */
/*
 * LINK: provider
 *
 * The first line of the input is a host name, the rest a table. Properties:
 * any table is read or refused within the limits; the answer is a group of the
 * table, the same each time and in any case of letters; a host below has a
 * group whenever the host itself has one.
 */
#include "base/buf.h"
#include "proto/provider/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct provider_table *t, struct str host)
{
	struct str group = provider_of(t, host);
	struct buf other = BUF_INIT(host.n + 2);
	bool is_there = group.n == 0;

	for (size_t i = 0; i < provider_count(t); i++)
		is_there |= str_eq(provider_name(t, i), group);
	ASSERT(is_there);
	for (size_t i = 0; i < host.n; i++)
		buf_put_char(&other, ascii_upper(host.p[i]));
	ASSERT(str_eq(provider_of(t, buf_str(&other)), group));
	buf_reset(&other, other.cap);
	buf_put_c(&other, "x.");
	buf_put_str(&other, host);
	if (group.n > 0)
		ASSERT(str_eq(provider_of(t, buf_str(&other)), group));
	buf_done(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str host, text = str_split(str_make(data, size), '\n', &host);
	struct provider_error error = { 0 };
	struct provider_table *t = provider_table_parse(text, &error);

	if (t == NULL) {
		ASSERT(error.text != NULL);
		return 0;
	}
	ASSERT(provider_count(t) <= PROVIDER_GROUPS_MAX);
	check(t, host);
	provider_table_free(t);
	return 0;
}
