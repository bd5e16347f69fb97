/* SPDX-License-Identifier: ISC */
/*
 * dns_check.c - are the records of a domain in DNS?
 */
#include "cli/dns/dns_data.h"
#include "cli/dns/dns_records.h"

#include "conf/conf_resolver.h"

#define WAIT_MS   30000
#define TYPES_MAX 3 /* look-ups of one record */
#define FOUND_MAX KIB(4)

struct check {
	struct loop *loop;
	struct resolver *resolver;
	size_t left; /* look-ups under way */
	bool validates;
};

struct lookup {
	struct check *ck;
	enum dns_type type;
	bool is_asked, is_answered;
	enum dns_status status;
	bool is_secure, is_alias;
	char *why;
	struct buf data; /* n vstrs; of TXT their text */
	struct buf text; /* as people read it */
	size_t n;
};

/* --- one look-up --------------------------------------------------------------------- */

static void
take_data(struct lookup *l, struct str data)
{
	struct buf joined = BUF_INIT(KIB(64));

	if (l->text.n)
		buf_put_c(&l->text, ", ");
	dns_data_put_text(l->type, data, &l->text);
	if (l->type == DNS_TXT) {
		dns_join_txt(data, &joined);
		data = buf_str(&joined);
	}
	wire_put_vstr(&l->data, data);
	l->n++;
	buf_done(&joined);
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct lookup *l = arg;

	l->is_answered = true;
	l->status = a->status;
	l->is_secure = a->is_secure;
	l->is_alias = a->is_alias;
	l->why = x_strdup(a->why ? a->why : "");
	for (size_t i = 0; i < a->n && l->data.n < MIB(1); i++)
		take_data(l, a->data[i]);
	if (--l->ck->left == 0)
		loop_stop(l->ck->loop);
}

static void
ask(struct check *ck, struct lookup *l, const char *name, enum dns_type type)
{
	*l = (struct lookup){ .ck = ck,
		.type = type,
		.is_asked = true,
		.status = DNS_TEMPFAIL,
		.data = BUF_INIT(MIB(2)),
		.text = BUF_INIT(MIB(2)) };
	ck->left++;
	resolver_ask(ck->resolver, name, type, on_answer, l);
}

static void
ask_for(struct check *ck, const struct dns_record *rec, struct lookup *l)
{
	bool is_host = rec->purpose == DNS_FOR_HOST;
	size_t n = 0;

	ask(ck, &l[n++], rec->name, rec->type);
	if (rec->type == DNS_CNAME)
		ask(ck, &l[n++], rec->name, DNS_A);
	if (rec->type == DNS_CNAME || is_host)
		ask(ck, &l[n++], rec->name, DNS_AAAA);
}

static void
lookup_done(struct lookup *l)
{
	free(l->why);
	buf_done(&l->data);
	buf_done(&l->text);
}

/* --- judging -------------------------------------------------------------------------- */

static void
set_live(struct dns_record *rec, enum dns_live live, struct str found)
{
	rec->live = live;
	free(rec->found);
	rec->found = str_dup(str_first(found, FOUND_MAX));
}

static void
judge_data(struct dns_record *rec, const struct lookup *l)
{
	struct str begin = dns_only_begin(rec->purpose);
	struct buf text = BUF_INIT(MIB(1));
	size_t n = 0, good = 0;

	for (struct wire w = wire_read(buf_str(&l->data)); w.in.n;) {
		struct str data = wire_get_vstr(&w);

		if (!str_starts_case(data, begin))
			continue;
		n++;
		good += dns_record_fits(rec, data);
		if (begin.n)
			buf_printf(&text, "%s\"%.*s\"", n > 1 ? ", " : "",
			    STR_ARG(data));
	}
	if (n == 0)
		set_live(rec, DNS_LIVE_MISSING, STR(""));
	else if (good == 0 || (begin.n && n > 1))
		set_live(rec, DNS_LIVE_DIFFERS,
		    begin.n ? buf_str(&text) : buf_str(&l->text));
	else
		set_live(rec, DNS_LIVE_OK,
		    begin.n ? buf_str(&text) : buf_str(&l->text));
	buf_done(&text);
}

/* A web server's name: an alias of the host, or any address; and a mail
 * host's, which may not be an alias (RFC 5321 section 5.1). */
static void
judge_host(struct dns_record *rec, const struct lookup *l)
{
	const struct lookup *found = NULL;

	for (size_t i = 0; i < TYPES_MAX && !found; i++)
		if (l[i].is_asked && l[i].status == DNS_FOUND)
			found = &l[i];
	if (!found)
		set_live(rec, DNS_LIVE_MISSING, STR(""));
	else if (rec->purpose == DNS_FOR_HOST && found->is_alias)
		set_live(rec, DNS_LIVE_DIFFERS,
		    STR("a CNAME, which the name of an MX must not have"));
	else
		set_live(rec, DNS_LIVE_OK, buf_str(&found->text));
}

static bool
is_known(const struct lookup *l)
{
	return l->is_answered &&
	       (l->status == DNS_FOUND || l->status == DNS_NO_NAME ||
		   l->status == DNS_NO_DATA);
}

static void
judge(const struct check *ck, struct dns_record *rec, const struct lookup *l)
{
	for (size_t i = 0; i < TYPES_MAX && l[i].is_asked; i++)
		if (!is_known(&l[i])) {
			set_live(rec, DNS_LIVE_UNKNOWN,
			    l[i].is_answered ? str_c(l[i].why)
					     : STR("no answer in time"));
			return;
		}
	if (rec->purpose == DNS_FOR_HOST || rec->type == DNS_CNAME)
		judge_host(rec, l);
	else if (l->status != DNS_FOUND)
		set_live(rec, DNS_LIVE_MISSING, STR(""));
	else if (rec->purpose == DNS_FOR_TLSA && ck->validates && !l->is_secure)
		set_live(rec, DNS_LIVE_DIFFERS,
		    STR("a record without DNSSEC, which nobody looks at"));
	else
		judge_data(rec, l);
}

/* --- asking --------------------------------------------------------------------------- */

static void
on_time_over(void *arg)
{
	loop_stop(arg);
}

bool
dns_check(struct dns_records *r, const struct conf *c, char **ret_error)
{
	struct check ck = { .loop = loop_new() };
	struct loop_timer *timer =
	    loop_timer_new(ck.loop, on_time_over, ck.loop);
	bool ok = conf_resolver_new(
		      c, ck.loop, &ck.resolver, &ck.validates, ret_error) == 0;
	struct lookup *lookups =
	    x_zalloc(MAX(r->n, 1) * TYPES_MAX * sizeof(*lookups));

	if (ok) {
		for (size_t i = 0; i < r->n; i++)
			ask_for(&ck, &r->v[i], &lookups[i * TYPES_MAX]);
		loop_timer_set(timer, WAIT_MS);
		loop_run(ck.loop);
		resolver_free(ck.resolver);
		for (size_t i = 0; i < r->n; i++)
			judge(&ck, &r->v[i], &lookups[i * TYPES_MAX]);
	}
	for (size_t i = 0; i < r->n * TYPES_MAX; i++)
		lookup_done(&lookups[i]);
	free(lookups);
	loop_timer_free(timer);
	loop_free(ck.loop);
	return ok;
}
