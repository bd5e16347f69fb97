/* SPDX-License-Identifier: ISC */
/*
 * queue_record.c - encode and decode what the queue's shard holds. See
 * queue_record.h.
 */
#include "store/queue/queue_record.h"

#include "base/hash.h"

#define PLACE_BYTES 21 /* of a place, behind the domain and its 0 */
#define LOOKUP_MAX  512

/* --- keys ------------------------------------------------------------------ */

static void
put32(struct queue_key *k, uint32_t v)
{
	be32_put(k->b + k->n, v);
	k->n += 4;
}

static void
put64(struct queue_key *k, uint64_t v)
{
	be64_put(k->b + k->n, v);
	k->n += 8;
}

static void
put8(struct queue_key *k, uint8_t v)
{
	k->b[k->n++] = (char)v;
}

struct queue_key
qkey_kind(char kind)
{
	return (struct queue_key){ .n = 1, .b = { kind } };
}

struct queue_key
qkey_id(char kind, uint64_t id)
{
	struct queue_key k = qkey_kind(kind);

	put64(&k, id);
	return k;
}

struct queue_key
qkey_entry(uint64_t message, uint32_t rcpt)
{
	struct queue_key k = qkey_id('R', message);

	put32(&k, rcpt);
	return k;
}

struct queue_key
qkey_prefix(uint64_t message, uint32_t number)
{
	struct queue_key k = qkey_id('P', message);

	put32(&k, number);
	return k;
}

struct queue_key
qkey_limited(uint64_t account, uint64_t message)
{
	struct queue_key k = qkey_id('A', account);

	put64(&k, message);
	return k;
}

static struct queue_key
key_domain(struct str domain, uint8_t end)
{
	struct queue_key k = qkey_kind('D');

	ASSERT(domain.n <= QUEUE_DOMAIN_MAX);
	if (domain.n)
		memcpy(k.b + 1, domain.p, domain.n);
	k.n = (uint8_t)(k.n + domain.n);
	put8(&k, end);
	return k;
}

struct queue_key
qkey_due_from(struct str domain, uint8_t priority)
{
	struct queue_key k = key_domain(domain, 0);

	put8(&k, (uint8_t)(QUEUE_PRIO_MAX - MIN(priority, QUEUE_PRIO_MAX)));
	return k;
}

struct queue_key
qkey_due_end(struct str domain)
{
	return key_domain(domain, 1);
}

struct queue_key
qkey_due(struct str domain, const struct queue_place *p)
{
	struct queue_key k = qkey_due_from(domain, p->priority);

	put64(&k, p->due_ms);
	put64(&k, p->message);
	put32(&k, p->rcpt);
	return k;
}

struct queue_key
qkey_event(uint64_t message, uint64_t time_ms, uint32_t rcpt, uint8_t state)
{
	struct queue_key k = qkey_id('H', message);

	put64(&k, time_ms);
	put32(&k, rcpt);
	put8(&k, state);
	return k;
}

struct queue_key
qkey_lookup(struct str text, uint64_t message)
{
	char lower[LOOKUP_MAX];
	size_t n = MIN(text.n, sizeof(lower));
	struct queue_key k;

	for (size_t i = 0; i < n; i++)
		lower[i] = ascii_lower(text.p[i]);
	k = qkey_id('K', hash64(lower, n));
	put64(&k, message);
	return k;
}

static bool
has_shape(struct str key, char kind, size_t n)
{
	return key.n == n && key.p[0] == kind;
}

bool
qkey_read_id(struct str key, char kind, uint64_t *ret)
{
	if (!has_shape(key, kind, 9))
		return false;
	*ret = be64_get(key.p + 1);
	return true;
}

bool
qkey_read_entry(struct str key, uint64_t *ret_message, uint32_t *ret_rcpt)
{
	if (!has_shape(key, 'R', 13) && !has_shape(key, 'P', 13))
		return false;
	*ret_message = be64_get(key.p + 1);
	*ret_rcpt = be32_get(key.p + 9);
	return true;
}

bool
qkey_read_due(struct str key, struct str *ret_domain, struct queue_place *ret)
{
	const char *p;
	size_t n;

	if (key.n < 2 + PLACE_BYTES || key.p[0] != 'D')
		return false;
	n = key.n - 2 - PLACE_BYTES;
	p = key.p + 2 + n;
	if (n > QUEUE_DOMAIN_MAX || key.p[1 + n] != 0 ||
	    memchr(key.p + 1, 0, n) || (uint8_t)p[0] > QUEUE_PRIO_MAX)
		return false;
	*ret_domain = str_make(key.p + 1, n);
	ret->priority = (uint8_t)(QUEUE_PRIO_MAX - (uint8_t)p[0]);
	ret->due_ms = be64_get(p + 1);
	ret->message = be64_get(p + 9);
	ret->rcpt = be32_get(p + 17);
	return true;
}

bool
qkey_read_event(struct str key, uint64_t *ret_message, uint64_t *ret_time_ms,
    uint32_t *ret_rcpt, uint8_t *ret_state)
{
	if (!has_shape(key, 'H', 22))
		return false;
	*ret_message = be64_get(key.p + 1);
	*ret_time_ms = be64_get(key.p + 9);
	*ret_rcpt = be32_get(key.p + 17);
	*ret_state = (uint8_t)key.p[21];
	return true;
}

bool
qkey_read_lookup(struct str key, uint64_t *ret_hash, uint64_t *ret_message)
{
	if (!has_shape(key, 'K', 17))
		return false;
	*ret_hash = be64_get(key.p + 1);
	*ret_message = be64_get(key.p + 9);
	return true;
}

bool
qkey_read_limited(struct str key, uint64_t *ret_account, uint64_t *ret_message)
{
	if (!has_shape(key, 'A', 17))
		return false;
	*ret_account = be64_get(key.p + 1);
	*ret_message = be64_get(key.p + 9);
	return true;
}

/* --- records ---------------------------------------------------------------- */

void
queue_message_record_encode(struct buf *b, const struct queue_message_record *r)
{
	wire_put_u8(b, QUEUE_MESSAGE_VERSION);
	wire_put_varint(b, r->blob);
	wire_put_varint(b, r->blob_size);
	wire_put_vstr(b, r->trace);
	wire_put_vstr(b, r->mail_from);
	wire_put_varint(b, r->account);
	wire_put_vstr(b, r->envid);
	wire_put_u8(b, r->ret);
	wire_put_u8(b, r->body);
	wire_put_u8(b, r->flags);
	wire_put_varint(b, r->arrival_ms);
	wire_put_varint(b, r->deliver_by);
	wire_put_u8(b, r->deliver_by_mode);
	wire_put_u8(b, r->priority);
	wire_put_varint(b, r->n_rcpts);
	wire_put_varint(b, r->n_prefixes);
	wire_put_vstr(b, r->prefix);
	wire_put_vstr(b, r->via);
	wire_put_varint(b, r->hold_until);
}

/* Mail that was queued by the version before goes on. */
static struct wire
read_version(struct str val, uint8_t latest, bool *ret_has_more)
{
	*ret_has_more = val.n > 0 && (uint8_t)val.p[0] == latest;
	return wire_read_version(
	    val, *ret_has_more ? latest : QUEUE_RECORD_VERSION);
}

bool
queue_message_record_decode(struct str val, struct queue_message_record *ret)
{
	bool has_more;
	struct wire w = read_version(val, QUEUE_MESSAGE_VERSION, &has_more);
	struct queue_message_record r = { 0 };

	r.blob = wire_get_varint(&w);
	r.blob_size = wire_get_varint(&w);
	r.trace = wire_get_vstr(&w);
	r.mail_from = wire_get_vstr(&w);
	r.account = wire_get_varint(&w);
	r.envid = wire_get_vstr(&w);
	r.ret = wire_get_u8(&w);
	r.body = wire_get_u8(&w);
	r.flags = wire_get_u8(&w);
	r.arrival_ms = wire_get_varint(&w);
	r.deliver_by = wire_get_varint(&w);
	r.deliver_by_mode = wire_get_u8(&w);
	r.priority = wire_get_u8(&w);
	r.n_rcpts = wire_get_v32(&w);
	r.n_prefixes = wire_get_v32(&w);
	r.prefix = wire_get_vstr(&w);
	if (has_more) {
		r.via = wire_get_vstr(&w);
		r.hold_until = wire_get_varint(&w);
	}
	if (!wire_is_complete(&w) || r.priority > QUEUE_PRIO_MAX ||
	    r.via.n > QUEUE_DOMAIN_MAX || r.n_rcpts == 0 ||
	    r.n_rcpts > QUEUE_RCPTS_MAX || r.n_prefixes == 0 ||
	    r.n_prefixes > r.n_rcpts)
		return false;
	*ret = r;
	return true;
}

void
queue_entry_record_encode(struct buf *b, const struct queue_entry_record *r)
{
	wire_put_u8(b, QUEUE_ENTRY_VERSION);
	wire_put_vstr(b, r->address);
	wire_put_vstr(b, r->orcpt);
	wire_put_u8(b, r->notify);
	wire_put_u8(b, r->flags);
	wire_put_u8(b, r->priority);
	wire_put_varint(b, r->account);
	wire_put_varint(b, r->prefix);
	wire_put_varint(b, r->attempts);
	wire_put_varint(b, r->leases);
	wire_put_varint(b, r->due_ms);
	wire_put_varint(b, r->tried_ms);
	wire_put_vstr(b, r->route);
	wire_put_vstr(b, r->mx);
	wire_put_vstr(b, r->reply);
	wire_put_varint(b, r->freed_ms);
}

bool
queue_entry_record_decode(struct str val, struct queue_entry_record *ret)
{
	bool has_more;
	struct wire w = read_version(val, QUEUE_ENTRY_VERSION, &has_more);
	struct queue_entry_record r = { 0 };

	r.address = wire_get_vstr(&w);
	r.orcpt = wire_get_vstr(&w);
	r.notify = wire_get_u8(&w);
	r.flags = wire_get_u8(&w);
	r.priority = wire_get_u8(&w);
	r.account = wire_get_varint(&w);
	r.prefix = wire_get_v32(&w);
	r.attempts = wire_get_v32(&w);
	r.leases = wire_get_v32(&w);
	r.due_ms = wire_get_varint(&w);
	r.tried_ms = wire_get_varint(&w);
	r.route = wire_get_vstr(&w);
	r.mx = wire_get_vstr(&w);
	r.reply = wire_get_vstr(&w);
	if (has_more)
		r.freed_ms = wire_get_varint(&w);
	if (!wire_is_complete(&w) || r.priority > QUEUE_PRIO_MAX ||
	    !queue_address_is_ok(r.address) || r.prefix >= QUEUE_RCPTS_MAX)
		return false;
	*ret = r;
	return true;
}

void
queue_lease_item_put(struct buf *b, const struct queue_lease_item *i)
{
	wire_put_varint(b, i->message);
	wire_put_varint(b, i->rcpt);
	wire_put_varint(b, i->leases);
}

bool
queue_lease_item_read(struct wire *w, struct queue_lease_item *ret)
{
	struct queue_lease_item i;

	if (w->in.n == 0)
		return false;
	i.message = wire_get_varint(w);
	i.rcpt = wire_get_v32(w);
	i.leases = wire_get_v32(w);
	if (w->failed)
		return false;
	*ret = i;
	return true;
}

void
queue_lease_record_encode(struct buf *b, const struct queue_lease_record *r)
{
	wire_put_u8(b, QUEUE_RECORD_VERSION);
	wire_put_varint(b, r->owner);
	wire_put_varint(b, r->until_ms);
	wire_put_vstr(b, r->domain);
	wire_put_varint(b, r->n);
	buf_put_str(b, r->items);
}

bool
queue_lease_record_decode(struct str val, struct queue_lease_record *ret)
{
	struct wire w = wire_read_version(val, QUEUE_RECORD_VERSION);
	struct queue_lease_record r = { 0 };
	struct queue_lease_item item;
	uint32_t n = 0;

	r.owner = wire_get_varint(&w);
	r.until_ms = wire_get_varint(&w);
	r.domain = wire_get_vstr(&w);
	r.n = wire_get_v32(&w);
	r.items = w.in;
	while (!w.failed && queue_lease_item_read(&w, &item))
		n++;
	if (!wire_is_complete(&w) || r.n != n || n == 0 ||
	    n > QUEUE_LEASE_MAX || r.domain.n > QUEUE_DOMAIN_MAX)
		return false;
	*ret = r;
	return true;
}

void
queue_event_record_encode(struct buf *b, const struct queue_event_record *r)
{
	wire_put_u8(b, QUEUE_RECORD_VERSION);
	wire_put_vstr(b, r->address);
	wire_put_varint(b, r->due_ms);
	wire_put_vstr(b, r->reply);
	wire_put_vstr(b, r->mx);
	wire_put_vstr(b, r->mx_ip);
	wire_put_vstr(b, r->source_ip);
	wire_put_vstr(b, r->tls);
	wire_put_vstr(b, r->route);
}

bool
queue_event_record_decode(struct str val, struct queue_event_record *ret)
{
	struct wire w = wire_read_version(val, QUEUE_RECORD_VERSION);
	struct queue_event_record r = { 0 };

	r.address = wire_get_vstr(&w);
	r.due_ms = wire_get_varint(&w);
	r.reply = wire_get_vstr(&w);
	r.mx = wire_get_vstr(&w);
	r.mx_ip = wire_get_vstr(&w);
	r.source_ip = wire_get_vstr(&w);
	r.tls = wire_get_vstr(&w);
	r.route = wire_get_vstr(&w);
	if (!wire_is_complete(&w))
		return false;
	*ret = r;
	return true;
}

void
queue_gone_record_encode(struct buf *b, const struct queue_gone_record *r)
{
	wire_put_u8(b, QUEUE_RECORD_VERSION);
	wire_put_vstr(b, r->trace);
	wire_put_vstr(b, r->mail_from);
	wire_put_varint(b, r->account);
	wire_put_varint(b, r->size);
	wire_put_varint(b, r->arrival_ms);
	wire_put_varint(b, r->ended_ms);
	wire_put_varint(b, r->n_rcpts);
}

bool
queue_gone_record_decode(struct str val, struct queue_gone_record *ret)
{
	struct wire w = wire_read_version(val, QUEUE_RECORD_VERSION);
	struct queue_gone_record r = { 0 };

	r.trace = wire_get_vstr(&w);
	r.mail_from = wire_get_vstr(&w);
	r.account = wire_get_varint(&w);
	r.size = wire_get_varint(&w);
	r.arrival_ms = wire_get_varint(&w);
	r.ended_ms = wire_get_varint(&w);
	r.n_rcpts = wire_get_v32(&w);
	if (!wire_is_complete(&w))
		return false;
	*ret = r;
	return true;
}

void
queue_account_encode(struct buf *b, uint64_t account)
{
	wire_put_varint(b, account);
}

bool
queue_account_decode(struct str val, uint64_t *ret)
{
	struct wire w = wire_read(val);
	uint64_t account = wire_get_varint(&w);

	if (!wire_is_complete(&w))
		return false;
	*ret = account;
	return true;
}

void
queue_prefix_encode(struct buf *b, struct str prefix)
{
	wire_put_u8(b, QUEUE_RECORD_VERSION);
	buf_put_str(b, prefix);
}

bool
queue_prefix_decode(struct str val, struct str *ret)
{
	if (val.n == 0 || (uint8_t)val.p[0] != QUEUE_RECORD_VERSION)
		return false;
	*ret = str_from(val, 1);
	return true;
}

/* --- addresses ---------------------------------------------------------------- */

static bool
is_label(struct str s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (ascii_lower(s.p[i]) != s.p[i] ||
		    (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
			s.p[i] != '-' && s.p[i] != '_' &&
			(unsigned char)s.p[i] < 0x80))
			return false;
	return true;
}

struct str
queue_address_domain(struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');

	return at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
}

bool
queue_address_is_ok(struct str address)
{
	struct str domain = queue_address_domain(address), rest = domain, label;
	size_t local;

	if (domain.n == 0 || domain.n > QUEUE_DOMAIN_MAX ||
	    address.n > QUEUE_ADDRESS_MAX || !str_is_utf8(address))
		return false;
	local = address.n - domain.n - 1;
	if (local == 0 || local > QUEUE_LOCAL_MAX ||
	    str_has_control(str_first(address, local), ""))
		return false;
	while (rest.p) {
		rest = str_split(rest, '.', &label);
		if (!is_label(label))
			return false;
	}
	return true;
}

bool
queue_address_clean(struct str address, struct buf *out)
{
	struct str domain = queue_address_domain(address);

	buf_reset(out, out->cap);
	buf_put_str(out, str_first(address, address.n - domain.n));
	for (size_t i = 0; i < domain.n; i++)
		buf_put_char(out, ascii_lower(domain.p[i]));
	return !out->failed && queue_address_is_ok(buf_str(out));
}
