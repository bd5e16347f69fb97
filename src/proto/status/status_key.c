/* SPDX-License-Identifier: ISC */
/* status_key.c - keys of the HTTP API. See status_key.h. */
#include "proto/status/status_key.h"

#define ROW_VERSION 1
#define PREFIX      STR("mss_")
#define YEAR_10000  UINT64_C(253402300800)

static const struct {
	const char *name;
	enum status_key_scope scope;
} scopes[] = {
	{ "read", STATUS_MAY_READ },
	{ "posts", STATUS_MAY_POST },
	{ "systems", STATUS_MAY_SYSTEMS },
	{ "subscribers", STATUS_MAY_SUBSCRIBERS },
};

bool
status_key_is_id(struct str id)
{
	if (id.n != STATUS_KEY_ID_LEN)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_digit(id.p[i]) &&
		    (id.p[i] < 'a' || id.p[i] > 'f'))
			return false;
	return true;
}

void
status_key_put_token(struct buf *to, struct str id, struct str secret)
{
	buf_put_str(to, PREFIX);
	buf_put_str(to, id);
	buf_put_char(to, '_');
	buf_put_str(to, secret);
}

bool
status_key_split_token(
    struct str token, struct str *ret_id, struct str *ret_secret)
{
	struct str id, secret;

	if (!str_starts(token, PREFIX))
		return false;
	secret = str_split(str_from(token, PREFIX.n), '_', &id);
	if (!status_key_is_id(id) || !status_secret_is_sane(secret))
		return false;
	*ret_id = id;
	*ret_secret = secret;
	return true;
}

static bool
scope_add(struct str word, unsigned *to)
{
	if (str_eq_case(word, STR("all"))) {
		*to |= STATUS_MAY_ALL;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		if (str_eq_case(word, str_c(scopes[i].name))) {
			*to |= scopes[i].scope;
			return true;
		}
	return false;
}

bool
status_key_scopes_parse(
    struct str list, unsigned *ret, struct status_fault *fault)
{
	unsigned found = 0;
	struct str one, rest = list;

	while (rest.n > 0) {
		rest = str_split(rest, ',', &one);
		if (!scope_add(str_trim(one), &found))
			return status_fault_set(fault, one,
			    "read, posts, systems, subscribers or all");
	}
	if (found == 0)
		return status_fault_set(fault, list,
		    "at least one of read, posts, systems, subscribers");
	*ret = found;
	return true;
}

void
status_key_put_scopes(struct buf *to, unsigned may)
{
	bool is_first = true;

	for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
		if (!(may & (unsigned)scopes[i].scope))
			continue;
		buf_put_c(to, is_first ? "" : ",");
		buf_put_c(to, scopes[i].name);
		is_first = false;
	}
}

bool
status_key_is_sane(const struct status_key *k, struct status_fault *ret)
{
	if (k->name.n == 0 || !status_is_text(k->name))
		return status_fault_set(
		    ret, STR("name"), "a text of at most 200 bytes");
	if (k->hash.n != STATUS_SECRET_HASH)
		return status_fault_set(ret, STR("secret"), "a secret");
	if (k->scopes == 0 || (k->scopes & ~(unsigned)STATUS_MAY_ALL))
		return status_fault_set(ret, STR("scopes"),
		    "at least one of read, posts, systems, subscribers");
	if (k->created_s == 0 || k->created_s >= YEAR_10000 ||
	    k->revoked_s >= YEAR_10000 || k->expires_s >= YEAR_10000)
		return status_fault_set(ret, STR("time"), "a sane time");
	return true;
}

void
status_key_encode(const struct status_key *k, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_vstr(to, k->name);
	wire_put_vstr(to, k->hash);
	wire_put_varint(to, k->scopes);
	wire_put_varint(to, k->created_s);
	wire_put_varint(to, k->revoked_s);
	wire_put_varint(to, k->expires_s);
}

bool
status_key_decode(struct str value, struct status_key *ret)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct status_key k = { 0 };
	struct status_fault fault;

	k.name = wire_get_vstr(&w);
	k.hash = wire_get_vstr(&w);
	k.scopes = wire_get_v32(&w);
	k.created_s = wire_get_varint(&w);
	k.revoked_s = wire_get_varint(&w);
	k.expires_s = wire_get_varint(&w);
	if (!wire_is_complete(&w) || !status_key_is_sane(&k, &fault))
		return false;
	*ret = k;
	return true;
}

bool
status_key_is_good(const struct status_key *k, uint64_t now_s)
{
	return k->revoked_s == 0 && (k->expires_s == 0 || k->expires_s > now_s);
}
