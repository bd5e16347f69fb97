/* SPDX-License-Identifier: ISC */
/* dns_plan.c - compare records that are wanted with live ones. See dns_plan.h. */
#include "cli/dns/dns_plan.h"

#include "cli/dns/dns_data.h"

#define WHY_MAX KIB(64)

/* --- lists ------------------------------------------------------------------- */

void
dns_list_add(struct dns_list *l, struct str data)
{
	l->v = x_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = str_copy(data);
}

bool
dns_list_has(const struct dns_list *l, struct str data)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], data))
			return true;
	return false;
}

void
dns_list_done(struct dns_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		str_free(&l->v[i]);
	free(l->v);
	*l = (struct dns_list){ 0 };
}

/* --- sets --------------------------------------------------------------------- */

struct dns_set *
dns_plan_get(struct dns_plan *p, struct str name, enum dns_type type)
{
	struct dns_set *s;

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].type == type &&
		    str_eq_case(str_c(p->v[i].name), name))
			return &p->v[i];
	p->v = x_grow(p->v, &p->cap, p->n + 1, sizeof(*p->v));
	s = &p->v[p->n++];
	*s = (struct dns_set){
		.name = str_dup(name), .type = type, .why = BUF_INIT(WHY_MAX)
	};
	for (char *c = s->name; *c; c++)
		*c = ascii_lower(*c);
	return s;
}

bool
dns_plan_want(struct dns_plan *p, const struct dns_record *rec)
{
	struct buf data = BUF_INIT(DNSUPDATE_DATA_MAX);
	bool ok = dns_data_encode(rec->type, rec->value, &data);
	struct dns_set *s;

	if (ok) {
		s = dns_plan_get(p, str_c(rec->name), rec->type);
		s->wanted = x_grow(s->wanted, &s->cap_wanted, s->n_wanted + 1,
		    sizeof(*s->wanted));
		s->wanted[s->n_wanted++] = rec;
		dns_list_add(&s->data, buf_str(&data));
	}
	buf_done(&data);
	return ok;
}

void
dns_set_reset(struct dns_set *s)
{
	dns_list_done(&s->live);
	dns_list_done(&s->add);
	dns_list_done(&s->remove);
	buf_reset(&s->why, 0);
	s->is_left = s->is_alias = s->has_addresses = false;
	s->ttl = 0;
}

void
dns_plan_done(struct dns_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct dns_set *s = &p->v[i];

		dns_set_reset(s);
		buf_done(&s->why);
		dns_list_done(&s->data);
		dns_list_done(&s->ours);
		free(s->wanted);
		free(s->name);
	}
	free(p->v);
	*p = (struct dns_plan){ 0 };
}

/* --- comparing ------------------------------------------------------------------ */

/* Data as dns_record_fits() wants it; text is where it may live. */
static struct str
seen(enum dns_type type, struct str data, struct buf *text)
{
	if (type != DNS_TXT)
		return data;
	buf_reset(text, text->cap);
	dns_join_txt(data, text);
	return buf_str(text);
}

static bool
live_fits(
    const struct dns_record *rec, const struct dns_set *s, struct str data)
{
	struct buf text = BUF_INIT(KIB(64));
	struct str found = seen(s->type, data, &text);
	bool fits = str_starts_case(found, dns_only_begin(rec->purpose)) &&
	            dns_record_fits(rec, found);

	buf_done(&text);
	return fits;
}

/* Is a live record in the way of what we want, or one of the same kind? */
static bool
is_of_kind(const struct dns_set *s, struct str data)
{
	struct buf text = BUF_INIT(KIB(64));
	struct str found = seen(s->type, data, &text);
	bool is = false;

	for (size_t i = 0; i < s->n_wanted; i++)
		is = is || str_starts_case(
			       found, dns_only_begin(s->wanted[i]->purpose));
	buf_done(&text);
	return is;
}

static bool
has_purpose(const struct dns_set *s, enum dns_purpose p)
{
	return s->n_wanted && s->wanted[0]->purpose == p;
}

/* A name of ours alone: what stands there is ours to replace. */
static bool
is_our_name(const struct dns_set *s)
{
	return has_purpose(s, DNS_FOR_DKIM);
}

/* Others of the same kind do no harm, and leave room for ours. */
static bool
is_shared(const struct dns_set *s)
{
	return has_purpose(s, DNS_FOR_TLSA);
}

static bool
fits_any(const struct dns_set *s, struct str data)
{
	for (size_t i = 0; i < s->n_wanted; i++)
		if (live_fits(s->wanted[i], s, data))
			return true;
	return false;
}

static void
leave(struct dns_set *s, const char *why)
{
	s->is_left = true;
	if (s->why.n)
		buf_put_c(&s->why, "; ");
	buf_put_c(&s->why, why);
}

static void
leave_foreign(struct dns_set *s, const struct dns_list *foreign)
{
	struct buf text = BUF_INIT(KIB(16));

	for (size_t i = 0; i < foreign->n; i++) {
		buf_put_c(&text, i ? ", " : "there is ");
		dns_data_put_text(s->type, foreign->v[i], &text);
	}
	buf_put_c(&text,
	    ", which this command did not put there: change it by hand, or "
	    "give --replace");
	leave(s, buf_c(&text));
	buf_done(&text);
}

/*
 * Sort the live records: those that are good, ours that are not (into
 * remove), and what others put there.
 */
static void
sort_live(struct dns_set *s, bool may_replace, struct dns_list *good,
    struct dns_list *foreign)
{
	for (size_t i = 0; i < s->live.n; i++) {
		struct str data = s->live.v[i];
		bool is_ours = is_our_name(s) || dns_list_has(&s->ours, data);

		if (fits_any(s, data))
			dns_list_add(good, data);
		else if (is_ours || (may_replace && is_of_kind(s, data)))
			dns_list_add(&s->remove, data);
		else if (is_of_kind(s, data))
			dns_list_add(foreign, data);
	}
}

/* SPF and its like: two of them are as bad as none. */
static void
keep_one(struct dns_set *s, bool may_replace, const struct dns_list *good,
    const struct dns_list *foreign)
{
	size_t keep = 0;

	if (!dns_only_begin(s->wanted[0]->purpose).n ||
	    good->n + foreign->n < 2)
		return;
	if (!may_replace) {
		leave(s, "there is more than one of its kind, and so none "
			 "counts: remove one by hand, or give --replace");
		return;
	}
	for (size_t i = 0; i < good->n; i++)
		if (dns_list_has(&s->data, good->v[i]))
			keep = i;
	for (size_t i = 0; i < good->n; i++)
		if (i != keep)
			dns_list_add(&s->remove, good->v[i]);
}

static bool
is_there(const struct dns_set *s, size_t wanted, const struct dns_list *good)
{
	for (size_t i = 0; i < good->n; i++)
		if (live_fits(s->wanted[wanted], s, good->v[i]))
			return true;
	return false;
}

static void
compare(struct dns_set *s, bool may_replace)
{
	struct dns_list good = { 0 }, foreign = { 0 };
	bool is_blocked;

	sort_live(s, may_replace, &good, &foreign);
	is_blocked = foreign.n && !is_shared(s);
	for (size_t i = 0; i < s->n_wanted; i++)
		if (!is_there(s, i, &good) && !is_blocked)
			dns_list_add(&s->add, s->data.v[i]);
	if (s->n_wanted && is_blocked && good.n == 0) {
		dns_list_done(&s->remove);
		leave_foreign(s, &foreign);
	} else if (s->n_wanted) {
		keep_one(s, may_replace, &good, &foreign);
	}
	dns_list_done(&good);
	dns_list_done(&foreign);
}

void
dns_plan_set(struct dns_set *s, bool may_replace)
{
	if (s->skipped)
		return;
	if (s->type == DNS_CNAME && s->has_addresses)
		return; /* any web server will do */
	if (s->type == DNS_CNAME && s->n_wanted && s->live.n)
		return;
	if (s->is_alias && s->type != DNS_CNAME) {
		if (s->n_wanted)
			leave(s, "the name is an alias (CNAME), which can "
				 "have no other records");
		return;
	}
	compare(s, may_replace);
}

bool
dns_set_changes(const struct dns_set *s)
{
	return s->add.n || s->remove.n;
}

size_t
dns_plan_changes(const struct dns_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += dns_set_changes(&p->v[i]);
	return n;
}

/* --- the update --------------------------------------------------------------------- */

static void
put_condition(const struct dns_set *s, struct dnsupdate *u)
{
	struct str name = str_c(s->name);

	for (size_t i = 0; i < s->live.n; i++)
		dnsupdate_if_record(u, name, s->type, s->live.v[i]);
	if (s->live.n)
		return;
	if (s->type == DNS_CNAME)
		dnsupdate_if_unused(u, name);
	else
		dnsupdate_if_none(u, name, s->type);
}

static void
put_changes(const struct dns_set *s, struct dnsupdate *u)
{
	struct str name = str_c(s->name);

	for (size_t i = 0; i < s->remove.n; i++)
		dnsupdate_delete(u, name, s->type, s->remove.v[i]);
	for (size_t i = 0; i < s->add.n; i++)
		dnsupdate_add(u, name, s->type, s->live.n ? s->ttl : DNS_TTL,
		    s->add.v[i]);
}

void
dns_plan_put(const struct dns_plan *p, struct dnsupdate *u)
{
	for (size_t i = 0; i < p->n; i++)
		if (dns_set_changes(&p->v[i]))
			put_condition(&p->v[i], u);
	for (size_t i = 0; i < p->n; i++)
		if (dns_set_changes(&p->v[i]))
			put_changes(&p->v[i], u);
}
