/* SPDX-License-Identifier: ISC */
/*
 * dns_check.c - are the records of a domain in DNS?
 *
 * Not every record has to be as we would write it: a domain may have other MX
 * hosts besides, a stricter DMARC policy, more in its SPF record. What is
 * compared is what mail depends on.
 */
#include "cli/dns_records.h"

#include "conf/conf_resolver.h"
#include "proto/dkim/dkim_key.h"
#include "proto/dkim/dkim_tag.h"

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
put_address(enum dns_type type, struct str data, struct buf *to)
{
	for (size_t i = 0; i < data.n; i++) {
		unsigned byte = (unsigned char)data.p[i];

		if (type == DNS_A)
			buf_printf(to, "%s%u", i ? "." : "", byte);
		else
			buf_printf(
			    to, "%s%02x", i && i % 2 == 0 ? ":" : "", byte);
	}
}

/* Presentation form, near enough for people. */
static void
put_text(enum dns_type type, struct str data, struct buf *to)
{
	char name[DNS_NAME_MAX + 1];
	uint16_t number;

	if (type == DNS_MX && dns_read_mx(data, &number, name)) {
		buf_printf(to, "%u %s.", number, name);
	} else if (type == DNS_SRV && dns_read_srv(data, &number, name)) {
		buf_printf(to, "port %u of %s.", number, name);
	} else if (type == DNS_CNAME && dns_read_name(data, name)) {
		buf_printf(to, "%s.", name);
	} else if (type == DNS_A || type == DNS_AAAA) {
		put_address(type, data, to);
	} else if (type == DNS_TLSA && data.n > 3) {
		buf_printf(to, "%u %u %u ", (unsigned char)data.p[0],
		    (unsigned char)data.p[1], (unsigned char)data.p[2]);
		for (size_t i = 3; i < data.n; i++)
			buf_printf(to, "%02X", (unsigned char)data.p[i]);
	} else {
		buf_put_c(to, "what is no such record");
	}
}

static void
take_data(struct lookup *l, struct str data)
{
	struct buf joined = BUF_INIT(KIB(64));

	if (l->text.n)
		buf_put_c(&l->text, ", ");
	if (l->type == DNS_TXT) {
		dns_join_txt(data, &joined);
		buf_printf(&l->text, "\"%.*s\"", STR_ARG(buf_str(&joined)));
		data = buf_str(&joined);
	} else {
		put_text(l->type, data, &l->text);
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

/* Are all words of a wanted SPF record in the one that is there, but for its
 * end, which is the domain's decision? */
static bool
spf_fits(struct str wanted, struct str found)
{
	struct str word, rest, have;

	while (wanted.n) {
		bool is_there = false;

		wanted = str_split(wanted, ' ', &word);
		for (rest = found; rest.n && !is_there;) {
			rest = str_split(rest, ' ', &have);
			if (have.n && have.p[0] == '+')
				have = str_from(have, 1);
			is_there = str_eq_case(have, word);
		}
		if (!is_there && !str_eq(word, STR("~all")))
			return false;
	}
	return true;
}

/* The bytes of a key record that was parsed already. */
static void
put_key_bytes(struct str record, struct buf *to)
{
	struct dkim_tags tags;

	if (dkim_tags_parse(record, &tags) &&
	    !dkim_base64(dkim_tags_get(&tags, "p"), to))
		buf_reset(to, to->cap);
}

/* The same key, though it may stand there in the other form that RSA keys
 * have, which is the end of ours. */
static bool
dkim_fits(struct str wanted, struct str found)
{
	struct buf want = BUF_INIT(DKIM_RECORD_MAX);
	struct buf have = BUF_INIT(DKIM_RECORD_MAX);
	struct dkim_finding why;
	struct dkim_key key;
	bool fits = false;

	if (dkim_key_parse(found, &key, &why)) {
		put_key_bytes(wanted, &want);
		put_key_bytes(found, &have);
		fits = key.key && have.n && want.n &&
		       str_ends(buf_str(&want), buf_str(&have));
		dkim_key_done(&key);
	}
	buf_done(&want);
	buf_done(&have);
	return fits;
}

/* The end of a zone file's value, a name with its dot, or just ".". */
static struct str
target_of(const struct dns_record *rec)
{
	struct str value = str_c(rec->value);
	ptrdiff_t at = str_rfind(value, ' ');

	value = str_from(value, (size_t)(at + 1));
	return str_first(value, value.n - 1);
}

/* The third number of an SRV record. */
static uint32_t
port_of(const struct dns_record *rec)
{
	struct str rest = str_c(rec->value), word = STR_NONE;
	uint32_t port = 0;

	for (int i = 0; i < 3; i++)
		rest = str_split(rest, ' ', &word);
	return str_to_u32(word, UINT16_MAX, &port) ? port : 0;
}

static bool
srv_fits(const struct dns_record *rec, struct str found)
{
	char host[DNS_NAME_MAX + 1];
	uint16_t port;

	return dns_read_srv(found, &port, host) &&
	       str_eq_case(str_c(host), target_of(rec)) &&
	       (port == port_of(rec) || host[0] == '\0');
}

static bool
tlsa_fits(const struct dns_record *rec, struct str found)
{
	struct buf text = BUF_INIT(KIB(4));
	bool fits;

	put_text(DNS_TLSA, found, &text);
	fits = str_eq(buf_str(&text), str_c(rec->value));
	buf_done(&text);
	return fits;
}

static bool
fits(const struct dns_record *rec, struct str found)
{
	char host[DNS_NAME_MAX + 1];
	uint16_t preference;

	switch (rec->purpose) {
	case DNS_FOR_HOST:
		return true;
	case DNS_FOR_MX:
		return dns_read_mx(found, &preference, host) &&
		       str_eq_case(str_c(host), target_of(rec));
	case DNS_FOR_TLSA:
		return tlsa_fits(rec, found);
	case DNS_FOR_SPF:
		return spf_fits(str_c(rec->value), found);
	case DNS_FOR_DKIM:
		return dkim_fits(str_c(rec->value), found);
	case DNS_FOR_DMARC:
		return str_search(found, STR("p=")) > 0;
	case DNS_FOR_TLSRPT:
		return str_search(found, STR("rua=")) > 0;
	case DNS_FOR_MTASTS:
		return str_search(found, STR("id=")) > 0;
	case DNS_FOR_SRV:
		return srv_fits(rec, found);
	case DNS_FOR_MTASTS_HOST:
	case DNS_FOR_AUTOCONFIG:
		return true; /* judged by judge_host() */
	}
	return false;
}

/* How TXT records of a kind begin, of which a name has exactly one. Others may
 * stand at the same name. */
static struct str
only_begin(enum dns_purpose p)
{
	return p == DNS_FOR_SPF      ? STR("v=spf1")
	       : p == DNS_FOR_DMARC  ? STR("v=DMARC1")
	       : p == DNS_FOR_TLSRPT ? STR("v=TLSRPTv1")
	       : p == DNS_FOR_MTASTS ? STR("v=STSv1")
	                             : STR("");
}

static void
judge_data(struct dns_record *rec, const struct lookup *l)
{
	struct str begin = only_begin(rec->purpose);
	struct buf text = BUF_INIT(MIB(1));
	size_t n = 0, good = 0;

	for (struct wire w = wire_read(buf_str(&l->data)); w.in.n;) {
		struct str data = wire_get_vstr(&w);

		if (!str_starts_case(data, begin))
			continue;
		n++;
		good += fits(rec, data);
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
