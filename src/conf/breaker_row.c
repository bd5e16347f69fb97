/* SPDX-License-Identifier: ISC */
/* breaker_row.c - rows of the table BREAKER. See breaker_row.h. */
#include "conf/breaker_row.h"

#include "base/hash.h"
#include "base/wire.h"

#define VERSION_OF_ROW 1
#define KEY_MAX        160
#define KEY_HASH       17
#define HOST_MAX       255

void
breaker_key_put(struct buf *to, struct str scope, struct str source)
{
	struct buf key = BUF_INIT(KIB(2));

	buf_printf(&key, "%.*s %.*s", STR_ARG(scope), STR_ARG(source));
	if (key.n <= KEY_MAX) {
		buf_put_str(to, buf_str(&key));
	} else {
		buf_put(to, key.p, KEY_MAX - KEY_HASH);
		buf_printf(
		    to, "#%016llx", (unsigned long long)hash64(key.p, key.n));
	}
	buf_done(&key);
}

static void
put(struct buf *to, struct str s, size_t max)
{
	wire_put_vstr(to, str_first(s, max));
}

void
breaker_row_put(struct buf *to, const struct breaker_row *row)
{
	uint32_t n = MIN(row->n_accounts, (uint32_t)BREAKER_ACCOUNTS_MAX);

	wire_put_u8(to, VERSION_OF_ROW);
	wire_put_u8(to, row->writer);
	put(to, row->scope, BREAKER_SCOPE_MAX);
	put(to, row->source, BREAKER_SOURCE_MAX);
	wire_put_u8(to, row->is_forced);
	wire_put_varint(to, row->since_ms);
	wire_put_varint(to, row->next_ms);
	wire_put_varint(to, row->pause_ms);
	wire_put_varint(to, row->messages);
	wire_put_varint(to, n);
	for (uint32_t i = 0; i < n; i++)
		wire_put_varint(to, row->accounts[i]);
	wire_put_u8(to, row->has_more_accounts);
	put(to, row->own_ip, 64);
	put(to, row->mx, HOST_MAX);
	put(to, row->mx_ip, 64);
	put(to, row->domain, HOST_MAX);
	wire_put_varint(to, row->code);
	put(to, row->reply, BREAKER_TEXT_MAX);
	put(to, row->rule, 100);
	put(to, row->link, 500);
	put(to, row->instead, HOST_MAX);
	put(to, row->why, 500);
}

static void
get_accounts(struct wire *w, uint64_t *accounts, struct breaker_row *row)
{
	row->n_accounts = wire_get_v32(w);
	if (row->n_accounts > BREAKER_ACCOUNTS_MAX)
		w->failed = true;
	for (uint32_t i = 0; !w->failed && i < row->n_accounts; i++)
		accounts[i] = wire_get_varint(w);
	row->accounts = accounts;
	row->has_more_accounts = wire_get_u8(w);
}

bool
breaker_row_get(struct str value, uint64_t accounts[BREAKER_ACCOUNTS_MAX],
    struct breaker_row *ret)
{
	struct wire w = wire_read_version(value, VERSION_OF_ROW);
	struct breaker_row row = { .writer = wire_get_u8(&w) };

	row.scope = wire_get_vstr(&w);
	row.source = wire_get_vstr(&w);
	row.is_forced = wire_get_u8(&w);
	row.since_ms = wire_get_varint(&w);
	row.next_ms = wire_get_varint(&w);
	row.pause_ms = wire_get_varint(&w);
	row.messages = wire_get_varint(&w);
	get_accounts(&w, accounts, &row);
	row.own_ip = wire_get_vstr(&w);
	row.mx = wire_get_vstr(&w);
	row.mx_ip = wire_get_vstr(&w);
	row.domain = wire_get_vstr(&w);
	row.code = wire_get_v32(&w);
	row.reply = wire_get_vstr(&w);
	row.rule = wire_get_vstr(&w);
	row.link = wire_get_vstr(&w);
	row.instead = wire_get_vstr(&w);
	row.why = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || row.scope.n == 0 || row.source.n == 0 ||
	    row.scope.n > BREAKER_SCOPE_MAX ||
	    row.source.n > BREAKER_SOURCE_MAX || row.code > 999 ||
	    row.writer > BREAKER_BY_OPERATOR)
		return false;
	*ret = row;
	return true;
}
