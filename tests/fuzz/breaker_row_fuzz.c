/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/conf/breaker_row.c
 *
 * breaker_row_fuzz.c - a row that can be read is the same when it is written
 * and read again, and its key has a place in the ledger.
 */
#include "conf/breaker_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t accounts[BREAKER_ACCOUNTS_MAX], again[BREAKER_ACCOUNTS_MAX];
	struct buf b = BUF_INIT(KIB(64)), key = BUF_INIT(160);
	struct breaker_row a, c;

	if (!breaker_row_get(str_make(data, size), accounts, &a))
		return 0;
	breaker_row_put(&b, &a);
	ASSERT(breaker_row_get(buf_str(&b), again, &c));
	ASSERT(str_eq(a.scope, c.scope) && str_eq(a.source, c.source));
	ASSERT(a.messages == c.messages && a.next_ms == c.next_ms);
	ASSERT(a.n_accounts == c.n_accounts && a.code == c.code);
	ASSERT(memcmp(accounts, again, a.n_accounts * sizeof(*again)) == 0);
	ASSERT(str_starts(a.reply, c.reply) && c.reply.n <= BREAKER_TEXT_MAX);
	breaker_key_put(&key, a.scope, a.source);
	ASSERT(!key.failed && key.n > 0);
	buf_done(&b);
	buf_done(&key);
	return 0;
}
