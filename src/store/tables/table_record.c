/* SPDX-License-Identifier: ISC */
/* table_record.c - keys and values of the ledger's shard. See table_record.h. */
#include "store/tables/table_record.h"

static void
put(struct table_key *k, const void *p, size_t n)
{
	if (n > 0)
		memcpy(k->p + k->n, p, n);
	k->n = (uint8_t)(k->n + n);
}

struct table_key
table_key_kind(char kind)
{
	return (struct table_key){ .n = 1, .p = { kind } };
}

struct table_key
table_key_row(uint8_t table, struct str key)
{
	struct table_key k = table_key_kind('R');

	ASSERT(key.n <= LEDGER_KEY_MAX);
	put(&k, &table, 1);
	put(&k, key.p, key.n);
	return k;
}

struct table_key
table_key_end(uint64_t until, uint8_t table, struct str key)
{
	struct table_key k = table_key_kind('T');
	char time[8];

	ASSERT(key.n <= LEDGER_KEY_MAX);
	be64_put(time, until);
	put(&k, time, sizeof(time));
	put(&k, &table, 1);
	put(&k, key.p, key.n);
	return k;
}

struct table_key
table_key_behind(struct table_key k)
{
	while (k.n > 0 && (uint8_t)k.p[k.n - 1] == 0xff)
		k.n--;
	ASSERT(k.n > 0);
	k.p[k.n - 1] = (char)((uint8_t)k.p[k.n - 1] + 1);
	return k;
}

struct table_key
table_key_next(struct table_key k)
{
	ASSERT(k.n < sizeof(k.p));
	k.p[k.n++] = 0;
	return k;
}

static bool
is_key(struct str key)
{
	return key.n > 0 && key.n <= LEDGER_KEY_MAX;
}

bool
table_key_read_row(struct str in, uint8_t *ret_table, struct str *ret_key)
{
	if (in.n < 2 || in.p[0] != 'R' || !is_key(str_from(in, 2)))
		return false;
	*ret_table = (uint8_t)in.p[1];
	*ret_key = str_from(in, 2);
	return true;
}

bool
table_key_read_end(
    struct str in, uint64_t *ret_until, uint8_t *ret_table, struct str *ret_key)
{
	if (in.n < 10 || in.p[0] != 'T' || !is_key(str_from(in, 10)))
		return false;
	*ret_until = be64_get(in.p + 1);
	*ret_table = (uint8_t)in.p[9];
	*ret_key = str_from(in, 10);
	return true;
}

void
table_record_encode(struct buf *b, const struct table_record *r)
{
	wire_put_u8(b, TABLE_RECORD_VERSION);
	wire_put_varint(b, r->until);
	wire_put_vstr(b, r->value);
}

bool
table_record_decode(struct str val, struct table_record *ret)
{
	struct wire w = wire_read_version(val, TABLE_RECORD_VERSION);
	struct table_record r = { .until = wire_get_varint(&w) };

	r.value = wire_get_vstr(&w);
	if (!wire_is_complete(&w))
		return false;
	*ret = r;
	return true;
}
