/* SPDX-License-Identifier: ISC */
/*
 * dir_record.c - encode and decode what the directory holds. See
 * dir_record.h.
 */
#include "store/dir/dir_record.h"

void
domain_record_encode(struct buf *b, const struct domain_record *r)
{
	wire_put_u8(b, DIR_RECORD_VERSION);
	wire_put_varint(b, r->created);
	wire_put_varint(b, r->users);
	wire_put_varint(b, r->aliases);
}

bool
domain_record_decode(struct str val, struct domain_record *ret)
{
	struct wire w = wire_read_version(val, DIR_RECORD_VERSION);
	struct domain_record r = { 0 };

	r.created = wire_get_varint(&w);
	r.users = wire_get_v32(&w);
	r.aliases = wire_get_v32(&w);
	if (!wire_is_complete(&w))
		return false;
	*ret = r;
	return true;
}

void
user_record_encode(struct buf *b, const struct user_record *r)
{
	wire_put_u8(b, DIR_RECORD_VERSION);
	wire_put_varint(b, r->account);
	wire_put_varint(b, r->created);
}

bool
user_record_decode(struct str val, struct user_record *ret)
{
	struct wire w = wire_read_version(val, DIR_RECORD_VERSION);
	struct user_record r = { 0 };

	r.account = wire_get_varint(&w);
	r.created = wire_get_varint(&w);
	if (!wire_is_complete(&w) || r.account == 0)
		return false;
	*ret = r;
	return true;
}

void
verifier_record_encode(struct buf *b, const struct verifier_record *r)
{
	wire_put_u8(b, DIR_RECORD_VERSION);
	wire_put_vstr(b, r->login);
	wire_put_vstr(b, r->argon2);
	wire_put_vstr(b, r->scram_sha256);
	wire_put_vstr(b, r->crypt);
}

bool
verifier_record_decode(struct str val, struct verifier_record *ret)
{
	struct wire w = wire_read_version(val, DIR_RECORD_VERSION);
	struct verifier_record r = { 0 };

	r.login = wire_get_vstr(&w);
	r.argon2 = wire_get_vstr(&w);
	r.scram_sha256 = wire_get_vstr(&w);
	r.crypt = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || r.login.n == 0)
		return false;
	*ret = r;
	return true;
}

void
removed_record_encode(struct buf *b, const struct removed_record *r)
{
	wire_put_u8(b, DIR_RECORD_VERSION);
	wire_put_vstr(b, r->login);
	wire_put_varint(b, r->created);
	wire_put_varint(b, r->removed);
}

bool
removed_record_decode(struct str val, struct removed_record *ret)
{
	struct wire w = wire_read_version(val, DIR_RECORD_VERSION);
	struct removed_record r = { 0 };

	r.login = wire_get_vstr(&w);
	r.created = wire_get_varint(&w);
	r.removed = wire_get_varint(&w);
	if (!wire_is_complete(&w) || r.login.n == 0)
		return false;
	*ret = r;
	return true;
}

void
alias_record_encode(struct buf *b, const struct alias_record *r)
{
	wire_put_u8(b, DIR_RECORD_VERSION);
	wire_put_varint(b, r->n);
	buf_put_str(b, r->targets);
}

bool
alias_record_decode(struct str val, struct alias_record *ret)
{
	struct wire w = wire_read_version(val, DIR_RECORD_VERSION);
	struct alias_record r = { .n = wire_get_v32(&w) };

	r.targets = w.in;
	if (r.n == 0 || r.n > DIR_TARGETS_MAX)
		return false;
	for (uint32_t i = 0; i < r.n; i++)
		if (wire_get_vstr(&w).n == 0)
			return false;
	if (!wire_is_complete(&w))
		return false;
	*ret = r;
	return true;
}

void
counter_record_encode(struct buf *b, uint64_t next_account)
{
	wire_put_u8(b, DIR_RECORD_VERSION);
	wire_put_varint(b, next_account);
}

bool
counter_record_decode(struct str val, uint64_t *ret)
{
	struct wire w = wire_read_version(val, DIR_RECORD_VERSION);
	uint64_t next = wire_get_varint(&w);

	if (!wire_is_complete(&w) || next == 0)
		return false;
	*ret = next;
	return true;
}
