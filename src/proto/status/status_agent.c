/* SPDX-License-Identifier: ISC */
/* status_agent.c - vantage points as rows. See status_agent.h. */
#include "proto/status/status_agent.h"

#define ROW_VERSION 1

/* The words that mean something where names of agents stand. */
static bool
is_reserved(struct str id)
{
	return str_eq_case(id, STR("all")) || str_eq_case(id, STR("here"));
}

static bool
is_bytes(struct str s, size_t n)
{
	return s.n == 0 || s.n == n;
}

bool
status_agent_is_sane(const struct status_agent *a, struct status_fault *ret)
{
	if (!status_is_id(a->id) || is_reserved(a->id))
		return status_fault_set(ret, a->id,
		    STATUS_ID_EXPECTED ", and neither all nor here");
	if (a->network.n == 0 || a->network.n > STATUS_AGENT_LABEL_MAX ||
	    !status_is_text(a->network))
		return status_fault_set(ret, a->network,
		    "a name of its network, such as AS64500, of at most 64 "
		    "bytes");
	if (!status_is_text(a->place))
		return status_fault_set(
		    ret, a->place, "a text of at most 200 bytes");
	if (!is_bytes(a->key, STATUS_AGENT_KEY_BYTES) ||
	    !is_bytes(a->token, STATUS_AGENT_DIGEST_BYTES))
		return status_fault_set(ret, a->id, "a key of 32 bytes");
	return true;
}

bool
status_agent_is_active(const struct status_agent *a)
{
	return a->key.n > 0 && a->revoked_s == 0;
}

void
status_agent_encode(const struct status_agent *a, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_vstr(to, a->id);
	wire_put_vstr(to, a->network);
	wire_put_vstr(to, a->place);
	wire_put_varint(to, a->made_s);
	wire_put_varint(to, a->until_s);
	wire_put_vstr(to, a->token);
	wire_put_vstr(to, a->key);
	wire_put_varint(to, a->enrolled_s);
	wire_put_varint(to, a->seen_s);
	wire_put_varint(to, a->revoked_s);
}

bool
status_agent_decode(struct str value, struct status_agent *ret)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct status_agent a = { 0 };
	struct status_fault fault;

	a.id = wire_get_vstr(&w);
	a.network = wire_get_vstr(&w);
	a.place = wire_get_vstr(&w);
	a.made_s = wire_get_varint(&w);
	a.until_s = wire_get_varint(&w);
	a.token = wire_get_vstr(&w);
	a.key = wire_get_vstr(&w);
	a.enrolled_s = wire_get_varint(&w);
	a.seen_s = wire_get_varint(&w);
	a.revoked_s = wire_get_varint(&w);
	if (!wire_is_complete(&w) || !status_agent_is_sane(&a, &fault))
		return false;
	*ret = a;
	return true;
}

/* --- tokens ------------------------------------------------------------------ */

void
status_agent_token_format(struct buf *to, struct str id,
    const uint8_t secret[STATUS_AGENT_SECRET_BYTES])
{
	buf_put_str(to, id);
	buf_put_char(to, '.');
	for (size_t i = 0; i < STATUS_AGENT_SECRET_BYTES; i++)
		buf_printf(to, "%02x", secret[i]);
}

bool
status_agent_token_split(struct str token, struct str *ret_id)
{
	ptrdiff_t dot = str_rfind(token, '.');
	struct str id, secret;

	if (dot < 0 || token.n > STATUS_AGENT_TOKEN_MAX)
		return false;
	id = str_first(token, (size_t)dot);
	secret = str_from(token, (size_t)dot + 1);
	if (!status_is_id(id) || secret.n != 2 * STATUS_AGENT_SECRET_BYTES)
		return false;
	for (size_t i = 0; i < secret.n; i++)
		if (!ascii_is_digit(secret.p[i]) &&
		    (secret.p[i] < 'a' || secret.p[i] > 'f'))
			return false;
	*ret_id = id;
	return true;
}
