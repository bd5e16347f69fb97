/* SPDX-License-Identifier: ISC */
/* feedback.c - rows of reports that others sent. See feedback.h. */
#include "proto/feedback/feedback.h"

#include "base/hash.h"

#define OWNER_MAX 110 /* bytes of a key */
#define DAY_S     86400

static const char *const kinds[] = {
	[FEEDBACK_DMARC] = "dmarc",
	[FEEDBACK_TLS] = "tls",
	[FEEDBACK_ABUSE] = "abuse",
};

const char *
feedback_kind_str(enum feedback_kind kind)
{
	return kinds[kind];
}

bool
feedback_kind_parse(struct str name, enum feedback_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(name, str_c(kinds[i]))) {
			*ret = (enum feedback_kind)i;
			return true;
		}
	return false;
}

/* --- keys ------------------------------------------------------------------------ */

struct date {
	unsigned year, month, day;
};

/* Days since 1970 as a date (proleptic Gregorian), by eras of 400 years. */
static struct date
date_of(uint64_t t)
{
	uint64_t z = MIN(t / DAY_S, 2932896) + 719468; /* year 9999 */
	uint64_t era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;
	unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);

	return (struct date){
		(unsigned)(yoe + era * 400 + (month <= 2)),
		month,
		(unsigned)(doy - (153 * mp + 2) / 5 + 1),
	};
}

void
feedback_put_prefix(struct buf *b, enum feedback_kind kind, struct str owner)
{
	owner = str_first(owner, OWNER_MAX);
	buf_printf(b, "%s/%.*s/", kinds[kind], STR_ARG(owner));
}

void
feedback_put_key(struct buf *b, const struct feedback_head *head,
    struct str owner, unsigned number)
{
	struct date d = date_of(head->end);
	uint64_t hash = hash64_seed(head->report_id.p, head->report_id.n,
	    hash64(head->reporter.p, head->reporter.n));

	feedback_put_prefix(b, head->kind, owner);
	buf_printf(b, "%04u%02u%02u/%016llx/%02u", d.year, d.month, d.day,
	    (unsigned long long)hash, number);
}

/* --- values ------------------------------------------------------------------------ */

/* UTF-8 stays UTF-8 where it is cut. */
static void
put(struct buf *b, struct str s)
{
	size_t n = MIN(s.n, FEEDBACK_TEXT_MAX);

	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	wire_put_vstr(b, str_first(s, n));
}

void
feedback_put_head(struct buf *b, const struct feedback_head *head)
{
	wire_put_u8(b, FEEDBACK_VERSION);
	wire_put_u8(b, (uint8_t)head->kind);
	put(b, head->domain);
	put(b, head->reporter);
	put(b, head->contact);
	put(b, head->report_id);
	wire_put_varint(b, head->begin);
	wire_put_varint(b, head->end);
	wire_put_varint(b, head->received);
	put(b, head->policy);
}

bool
feedback_read_head(
    struct str value, struct feedback_head *ret, struct wire *ret_items)
{
	struct wire w = wire_read_version(value, FEEDBACK_VERSION);
	struct feedback_head h = { 0 };
	uint8_t kind = wire_get_u8(&w);

	h.domain = wire_get_vstr(&w);
	h.reporter = wire_get_vstr(&w);
	h.contact = wire_get_vstr(&w);
	h.report_id = wire_get_vstr(&w);
	h.begin = wire_get_varint(&w);
	h.end = wire_get_varint(&w);
	h.received = wire_get_varint(&w);
	h.policy = wire_get_vstr(&w);
	if (w.failed || kind >= ARRAY_LEN(kinds))
		return false;
	h.kind = (enum feedback_kind)kind;
	*ret = h;
	*ret_items = w;
	return true;
}

static void
put_dmarc(struct buf *b, const struct feedback_dmarc *d)
{
	put(b, d->source);
	wire_put_varint(b, d->count);
	put(b, d->disposition);
	wire_put_u8(b, d->is_dkim_aligned);
	wire_put_u8(b, d->is_spf_aligned);
	put(b, d->header_from);
	put(b, d->envelope_from);
	put(b, d->dkim_domain);
	put(b, d->dkim_selector);
	put(b, d->dkim_result);
	put(b, d->spf_domain);
	put(b, d->spf_result);
}

static void
read_dmarc(struct wire *w, struct feedback_dmarc *d)
{
	d->source = wire_get_vstr(w);
	d->count = wire_get_varint(w);
	d->disposition = wire_get_vstr(w);
	d->is_dkim_aligned = wire_get_u8(w) != 0;
	d->is_spf_aligned = wire_get_u8(w) != 0;
	d->header_from = wire_get_vstr(w);
	d->envelope_from = wire_get_vstr(w);
	d->dkim_domain = wire_get_vstr(w);
	d->dkim_selector = wire_get_vstr(w);
	d->dkim_result = wire_get_vstr(w);
	d->spf_domain = wire_get_vstr(w);
	d->spf_result = wire_get_vstr(w);
}

static void
put_tls(struct buf *b, const struct feedback_tls *t)
{
	put(b, t->policy);
	put(b, t->result);
	wire_put_varint(b, t->successful);
	wire_put_varint(b, t->failed);
	put(b, t->sending_ip);
	put(b, t->mx);
	put(b, t->detail);
}

static void
read_tls(struct wire *w, struct feedback_tls *t)
{
	t->policy = wire_get_vstr(w);
	t->result = wire_get_vstr(w);
	t->successful = wire_get_varint(w);
	t->failed = wire_get_varint(w);
	t->sending_ip = wire_get_vstr(w);
	t->mx = wire_get_vstr(w);
	t->detail = wire_get_vstr(w);
}

static void
put_abuse(struct buf *b, const struct feedback_abuse *a)
{
	put(b, a->type);
	wire_put_varint(b, a->incidents);
	put(b, a->login);
	wire_put_varint(b, a->account);
	put(b, a->trace);
	put(b, a->source);
	put(b, a->mail_from);
	put(b, a->rcpt);
	put(b, a->message_id);
	put(b, a->subject);
	put(b, a->user_agent);
}

static void
read_abuse(struct wire *w, struct feedback_abuse *a)
{
	a->type = wire_get_vstr(w);
	a->incidents = wire_get_v32(w);
	a->login = wire_get_vstr(w);
	a->account = wire_get_varint(w);
	a->trace = wire_get_vstr(w);
	a->source = wire_get_vstr(w);
	a->mail_from = wire_get_vstr(w);
	a->rcpt = wire_get_vstr(w);
	a->message_id = wire_get_vstr(w);
	a->subject = wire_get_vstr(w);
	a->user_agent = wire_get_vstr(w);
}

void
feedback_put_item(
    struct buf *b, enum feedback_kind kind, const struct feedback_item *item)
{
	switch (kind) {
	case FEEDBACK_DMARC:
		put_dmarc(b, &item->u.dmarc);
		break;
	case FEEDBACK_TLS:
		put_tls(b, &item->u.tls);
		break;
	case FEEDBACK_ABUSE:
		put_abuse(b, &item->u.abuse);
		break;
	}
}

bool
feedback_read_item(
    struct wire *items, enum feedback_kind kind, struct feedback_item *ret)
{
	if (items->failed || items->in.n == 0)
		return false;
	switch (kind) {
	case FEEDBACK_DMARC:
		read_dmarc(items, &ret->u.dmarc);
		break;
	case FEEDBACK_TLS:
		read_tls(items, &ret->u.tls);
		break;
	case FEEDBACK_ABUSE:
		read_abuse(items, &ret->u.abuse);
		break;
	}
	return !items->failed;
}
