/* SPDX-License-Identifier: ISC */
/* dmarc_row.c - rows of DMARC's table. See dmarc_row.h. */
#include "proto/dmarc/dmarc_row.h"

#include "base/crypt.h"
#include "base/wire.h"

#define ROW_VERSION  1
#define SENT_VERSION 1
#define COUNT_BYTES  8
#define REASONS_MAX  8

/* --- keys -------------------------------------------------------------------------- */

void
dmarc_row_key_group(const struct dmarc_row_key *key, struct buf *to)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;
	char begin[8];

	be64_put(begin, key->begin);
	buf_put_char(to, (char)key->kind);
	buf_put(to, begin, sizeof(begin));
	crypt_digest_put(d, key->domain);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	buf_put(to, sum.v, DMARC_ROW_DOMAIN_N);
}

void
dmarc_row_key_put(const struct dmarc_row_key *key, struct buf *to)
{
	dmarc_row_key_group(key, to);
	buf_put_str(to, str_first(key->part, DMARC_ROW_PART_MAX));
}

bool
dmarc_row_key_get(struct str in, struct dmarc_row_key *ret)
{
	if (in.n < 9 + DMARC_ROW_DOMAIN_N || in.n > DMARC_ROW_KEY_MAX ||
	    (in.p[0] != DMARC_ROW_COUNT && in.p[0] != DMARC_ROW_SENT))
		return false;
	ret->kind = (enum dmarc_row_kind)in.p[0];
	ret->begin = be64_get(in.p + 1);
	ret->domain = str_sub(in, 9, DMARC_ROW_DOMAIN_N);
	ret->part = str_from(in, 9 + DMARC_ROW_DOMAIN_N);
	return true;
}

/* --- rows -------------------------------------------------------------------------- */

static void
put_text(struct buf *to, struct str s)
{
	wire_put_vstr(to, str_first(s, DMARC_ROW_TEXT_MAX));
}

static void
put_dkim(const struct dmarc_report_dkim *d, struct buf *to)
{
	unsigned n = 0;

	for (; d != NULL && n < DMARC_ROW_DKIM_MAX; d = d->next, n++) {
		wire_put_u8(to, 1);
		wire_put_u8(to, (uint8_t)d->result);
		put_text(to, d->domain);
		put_text(to, d->selector);
	}
	wire_put_u8(to, 0);
}

static void
put_spf(const struct dmarc_report_spf *s, struct buf *to)
{
	for (unsigned n = 0; s != NULL && n < 2; s = s->next, n++) {
		wire_put_u8(to, 1);
		wire_put_u8(to, (uint8_t)s->result);
		wire_put_u8(to, (uint8_t)s->scope);
		put_text(to, s->domain);
	}
	wire_put_u8(to, 0);
}

static void
put_reasons(const struct dmarc_report_reason *r, struct buf *to)
{
	for (unsigned n = 0; r != NULL && n < REASONS_MAX; r = r->next, n++) {
		wire_put_u8(to, 1);
		wire_put_u8(to, (uint8_t)r->type);
		put_text(to, r->comment);
	}
	wire_put_u8(to, 0);
}

void
dmarc_row_put(const struct dmarc_published *p,
    const struct dmarc_report_row *row, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	put_text(to, p->domain);
	wire_put_u8(to, (uint8_t)p->adkim);
	wire_put_u8(to, (uint8_t)p->aspf);
	wire_put_u8(to, (uint8_t)p->p);
	wire_put_u8(to, (uint8_t)p->sp);
	wire_put_varint(to, p->percent);
	wire_put_varint(to, p->failure);
	put_text(to, row->source_ip);
	wire_put_u8(to, (uint8_t)row->disposition);
	wire_put_u8(to, row->is_dkim_pass);
	wire_put_u8(to, row->is_spf_pass);
	put_reasons(row->reasons, to);
	put_text(to, row->envelope_from);
	put_text(to, row->header_from);
	put_dkim(row->dkim, to);
	put_spf(row->spf, to);
}

void
dmarc_row_put_count(uint64_t count, struct buf *to)
{
	wire_put_u64(to, count);
}

struct str
dmarc_row_identity(struct str value)
{
	return str_first(
	    value, value.n < COUNT_BYTES ? 0 : value.n - COUNT_BYTES);
}

/* --- reading ------------------------------------------------------------------------ */

/* A number that is at most max, else the record is damaged. */
static unsigned
get_enum(struct wire *w, unsigned max)
{
	unsigned v = wire_get_u8(w);

	if (v > max)
		w->failed = true;
	return w->failed ? 0 : v;
}

static struct str
get_text(struct wire *w)
{
	struct str s = wire_get_vstr(w);

	if (s.n > DMARC_ROW_TEXT_MAX)
		w->failed = true;
	return s;
}

/* One more element of a list? Memory of the arena, or NULL. */
static void *
get_more(
    struct wire *w, struct arena *a, unsigned *n, unsigned max, size_t size)
{
	void *p;

	if (wire_get_u8(w) == 0 || w->failed)
		return NULL;
	p = ++*n > max ? NULL : arena_alloc(a, size);
	if (p == NULL)
		w->failed = true;
	return p;
}

static struct dmarc_report_reason *
get_reasons(struct wire *w, struct arena *a)
{
	struct dmarc_report_reason *first = NULL, **end = &first, *r;
	unsigned n = 0;

	while ((r = get_more(w, a, &n, REASONS_MAX, sizeof(*r))) != NULL) {
		r->type = get_enum(w, DMARC_REASON_LOCAL_POLICY);
		r->comment = get_text(w);
		*end = r;
		end = &r->next;
	}
	return first;
}

static struct dmarc_report_dkim *
get_dkim(struct wire *w, struct arena *a)
{
	struct dmarc_report_dkim *first = NULL, **end = &first, *d;
	unsigned n = 0;

	while (
	    (d = get_more(w, a, &n, DMARC_ROW_DKIM_MAX, sizeof(*d))) != NULL) {
		d->result = get_enum(w, DMARC_DKIM_PERMERROR);
		d->domain = get_text(w);
		d->selector = get_text(w);
		*end = d;
		end = &d->next;
	}
	return first;
}

static struct dmarc_report_spf *
get_spf(struct wire *w, struct arena *a)
{
	struct dmarc_report_spf *first = NULL, **end = &first, *s;
	unsigned n = 0;

	while ((s = get_more(w, a, &n, 2, sizeof(*s))) != NULL) {
		s->result = get_enum(w, DMARC_SPF_PERMERROR);
		s->scope = get_enum(w, DMARC_SCOPE_HELO);
		s->domain = get_text(w);
		*end = s;
		end = &s->next;
	}
	return first;
}

bool
dmarc_row_get(struct str value, struct arena *arena,
    struct dmarc_published *ret_published, struct dmarc_report_row *ret_row)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct dmarc_published p = { .domain = get_text(&w) };
	struct dmarc_report_row row = { 0 };

	p.adkim = get_enum(&w, DMARC_STRICT);
	p.aspf = get_enum(&w, DMARC_STRICT);
	p.p = get_enum(&w, DMARC_POLICY_REJECT);
	p.sp = get_enum(&w, DMARC_POLICY_REJECT);
	p.percent = wire_get_v32(&w);
	p.failure = wire_get_v32(&w);
	row.source_ip = get_text(&w);
	row.disposition = get_enum(&w, DMARC_POLICY_REJECT);
	row.is_dkim_pass = get_enum(&w, 1);
	row.is_spf_pass = get_enum(&w, 1);
	row.reasons = get_reasons(&w, arena);
	row.envelope_from = get_text(&w);
	row.header_from = get_text(&w);
	row.dkim = get_dkim(&w, arena);
	row.spf = get_spf(&w, arena);
	row.count = wire_get_u64(&w);
	if (!wire_is_complete(&w))
		return false;
	*ret_published = p;
	*ret_row = row;
	return true;
}

/* --- reports ------------------------------------------------------------------------ */

static const char *const states[] = {
	[DMARC_SENT] = "sent",
	[DMARC_UNWANTED] = "unwanted",
	[DMARC_TOO_BIG] = "too-big",
	[DMARC_LOST] = "lost",
};

const char *
dmarc_sent_state_str(enum dmarc_sent_state s)
{
	return states[s];
}

void
dmarc_sent_put(const struct dmarc_sent *s, struct buf *to)
{
	wire_put_u8(to, SENT_VERSION);
	put_text(to, s->domain);
	put_text(to, s->receiver);
	put_text(to, s->trace_id);
	wire_put_varint(to, s->end);
	wire_put_varint(to, s->time);
	wire_put_varint(to, s->messages);
	wire_put_varint(to, s->rows);
	wire_put_varint(to, s->size);
	wire_put_u8(to, (uint8_t)s->state);
}

bool
dmarc_sent_get(struct str in, struct dmarc_sent *ret)
{
	struct wire w = wire_read_version(in, SENT_VERSION);
	struct dmarc_sent s = { .domain = get_text(&w) };

	s.receiver = get_text(&w);
	s.trace_id = get_text(&w);
	s.end = wire_get_varint(&w);
	s.time = wire_get_varint(&w);
	s.messages = wire_get_varint(&w);
	s.rows = wire_get_varint(&w);
	s.size = wire_get_varint(&w);
	s.state = get_enum(&w, DMARC_LOST);
	if (!wire_is_complete(&w))
		return false;
	*ret = s;
	return true;
}
