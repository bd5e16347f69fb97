/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/store/tables/table_record.c src/base/hash.c
 *
 * store_table_record_fuzz.c - keys and records of the ledger, from bytes that
 * lay on a bad disk. A key that reads is the key that its parts make, and lies
 * between itself and what comes behind it; a record that decodes, encoded and
 * decoded again, is the same.
 */
#include "store/tables/table_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

static void
round_key(struct str in)
{
	struct table_key made, behind, next;
	struct str name;
	uint64_t until;
	uint8_t table;

	if (table_key_read_row(in, &table, &name))
		made = table_key_row(table, name);
	else if (table_key_read_end(in, &until, &table, &name))
		made = table_key_end(until, table, name);
	else
		return;
	must(str_eq(table_key_str(&made), in));
	behind = table_key_behind(made);
	next = table_key_next(made);
	must(str_cmp(in, table_key_str(&next)) < 0);
	must(str_cmp(table_key_str(&next), table_key_str(&behind)) < 0);
}

static void
round_record(struct str in)
{
	struct buf one = BUF_INIT(MIB(1));
	struct table_record a, b;

	if (table_record_decode(in, &a)) {
		table_record_encode(&one, &a);
		must(table_record_decode(buf_str(&one), &b));
		must(a.until == b.until && str_eq(a.value, b.value));
	}
	buf_done(&one);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_make((const char *)data, n);

	round_key(in);
	round_record(in);
	return 0;
}
