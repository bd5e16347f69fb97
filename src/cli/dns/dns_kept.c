/* SPDX-License-Identifier: ISC */
/* dns_kept.c - records that were sent, in the ledger. See dns_kept.h. */
#include "cli/dns/dns_kept.h"

#include "base/crypt.h"
#include "proc/ledger.h"

#define ROW_VERSION 1
#define HASH        16 /* bytes of a digest in a key: names are too long for it */
#define VALUE_MAX   KIB(60)

/* --- rows ---------------------------------------------------------------------- */

void
dns_kept_encode(
    const struct dns_set *s, const struct dns_list *data, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_vstr(to, str_c(s->name));
	wire_put_u16(to, (uint16_t)s->type);
	for (size_t i = 0; i < data->n; i++)
		wire_put_vstr(to, data->v[i]);
}

bool
dns_kept_decode(struct str value, struct dns_plan *p)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct str name = wire_get_vstr(&w);
	unsigned type = wire_get_u16(&w);
	struct dns_set *s;

	if (w.failed || !name.n)
		return false;
	s = dns_plan_get(p, name, (enum dns_type)type);
	while (w.in.n && !w.failed) {
		struct str data = wire_get_vstr(&w);

		if (!w.failed)
			dns_list_add(&s->ours, data);
	}
	return wire_is_complete(&w);
}

static void
put_hash(struct str what, struct buf *to)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	crypt_digest_put(d, what);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	buf_put(to, sum.v, HASH);
}

static void
put_key(struct str domain, const struct dns_set *s, struct buf *to)
{
	CLEANUP(freep) char *set = x_asprintf("%s %u", s->name, s->type);

	put_hash(domain, to);
	put_hash(str_c(set), to);
}

/* --- the store --------------------------------------------------------------------- */

int
dns_kept_load(struct admin *a, struct str domain, struct dns_plan *p)
{
	struct buf reply = BUF_INIT(MIB(16)), body = BUF_INIT(KIB(4));
	struct buf prefix = BUF_INIT(KIB(1)), after = BUF_INIT(KIB(1));
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_ledger_row row;
	int r = ADMIN_OK;

	put_hash(domain, &prefix);
	while (l.has_more && r == ADMIN_OK) {
		buf_reset(&body, KIB(4));
		msg_ledger_list_put(
		    &body, &(struct msg_ledger_list){ .table = LEDGER_DNS,
			       .prefix = buf_str(&prefix),
			       .after = buf_str(&after) });
		r = admin_do(a, MSG_LEDGER_LIST, buf_str(&body),
		    "records that were sent before", &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_ledger_row_read(&w, &row);) {
			if (!dns_kept_decode(row.value, p))
				r = admin_error(a, ADMIN_REFUSED,
				    "what the ledger says of records that "
				    "were sent before cannot be read");
			buf_reset(&after, KIB(1));
			buf_put_str(&after, row.key);
		}
	}
	buf_done(&reply);
	buf_done(&body);
	buf_done(&prefix);
	buf_done(&after);
	return r;
}

/* What is live of a set, and either wanted as it is or sent before. */
static void
list_ours(const struct dns_set *s, struct dns_list *ret)
{
	for (size_t i = 0; i < s->live.n; i++)
		if (dns_list_has(&s->data, s->live.v[i]) ||
		    dns_list_has(&s->ours, s->live.v[i]))
			dns_list_add(ret, s->live.v[i]);
}

static void
put_row(struct str domain, const struct dns_set *s, struct buf *rows)
{
	struct buf key = BUF_INIT(KIB(1)), value = BUF_INIT(VALUE_MAX);
	struct dns_list ours = { 0 };

	list_ours(s, &ours);
	put_key(domain, s, &key);
	if (ours.n)
		dns_kept_encode(s, &ours, &value);
	if (!value.failed && (ours.n || s->ours.n))
		msg_ledger_row_put(
		    rows, &(struct msg_ledger_row){ .key = buf_str(&key),
			      .is_gone = ours.n == 0,
			      .value = buf_str(&value) });
	dns_list_done(&ours);
	buf_done(&key);
	buf_done(&value);
}

int
dns_kept_save(struct admin *a, struct str domain, const struct dns_plan *p)
{
	struct buf rows = BUF_INIT(LEDGER_PUT_MAX), body = BUF_INIT(MIB(1));
	struct buf reply = BUF_INIT(KIB(64));
	int r = ADMIN_OK;

	for (size_t i = 0; i < p->n; i++)
		if (!p->v[i].skipped)
			put_row(domain, &p->v[i], &rows);
	msg_ledger_put_put(&body, &(struct msg_ledger_put){ .table = LEDGER_DNS,
				      .rows = buf_str(&rows) });
	if (rows.failed || body.failed)
		r = admin_error(a, ADMIN_REFUSED,
		    "too many records to remember which of them are ours");
	else if (rows.n)
		r = admin_do(a, MSG_LEDGER_PUT, buf_str(&body),
		    "which records were sent", &reply);
	buf_done(&rows);
	buf_done(&body);
	buf_done(&reply);
	return r;
}
