/* SPDX-License-Identifier: ISC */
/* dns_zone.c - the zone of a domain on its primary. See dns_zone.h. */
#include "cli/dns/dns_zone.h"

#include "base/hostname.h"

#define ARENA_MAX MIB(1)

void
dns_zone_done(struct dns_zone *z)
{
	free(z->name);
	*z = (struct dns_zone){ 0 };
}

/* --- which server ---------------------------------------------------------------- */

static char *
primary_of(struct str soa)
{
	struct buf primary = BUF_INIT(DNSUPDATE_TEXT_MAX);
	uint32_t serial;
	char *name = NULL;

	if (dnsupdate_read_soa(soa, &primary, &serial) && primary.n)
		name = x_strdup(buf_c(&primary));
	buf_done(&primary);
	return name;
}

char *
dns_zone_primary(struct dns_look *l, const char *domain, char **ret_error)
{
	struct str name = str_c(domain);
	struct arena arena;
	char *primary = NULL;

	arena_init(&arena, ARENA_MAX);
	for (; name.n && !primary; name = dnsupdate_name_parent(name)) {
		CLEANUP(freep) char *text = str_dup(name);
		struct dns_answer a;

		dns_look_ask(l, text, DNS_SOA, &arena, &a);
		if (a.status == DNS_TEMPFAIL || a.status == DNS_BOGUS) {
			*ret_error = x_asprintf("cannot find the zone of %s "
						"(SOA of %s): %s; --server "
						"names its primary",
			    domain, text, a.why);
			break;
		}
		if (a.status == DNS_FOUND && !a.is_alias && a.n == 1)
			primary = primary_of(a.data[0]);
	}
	if (!primary && !name.n)
		*ret_error = x_asprintf(
		    "no zone in DNS has %s; --server names its primary",
		    domain);
	arena_done(&arena);
	return primary;
}

/* --- the zone --------------------------------------------------------------------- */

/* A zone's own SOA record, from the answer to a question about a name in it:
 * among the answers, or behind a "no" in the authority section (RFC 2308). */
static const struct dnsupdate_record *
find_soa(const struct dnsupdate_reply *r, struct str name)
{
	for (size_t i = 0; i < r->n_answer; i++)
		if (r->answer[i].type == DNSUPDATE_TYPE_SOA &&
		    str_eq_case(r->answer[i].name, name))
			return &r->answer[i];
	for (size_t i = 0; i < r->n_authority; i++)
		if (r->authority[i].type == DNSUPDATE_TYPE_SOA &&
		    hostname_is_under(name, r->authority[i].name))
			return &r->authority[i];
	return NULL;
}

static bool
has_answer(const struct dnsupdate_reply *r, unsigned type, struct str name)
{
	for (size_t i = 0; i < r->n_answer; i++)
		if (r->answer[i].type == type &&
		    str_eq_case(r->answer[i].name, name))
			return true;
	return false;
}

static bool
take_soa(const struct dnsupdate_record *soa, struct dns_zone *z)
{
	struct buf primary = BUF_INIT(DNSUPDATE_TEXT_MAX);
	bool ok = dnsupdate_read_soa(soa->data, &primary, &z->serial);

	if (ok) {
		free(z->name);
		z->name = str_dup(soa->name);
	}
	buf_done(&primary);
	return ok;
}

static enum dns_said
find_keys(struct dns_server *s, struct dns_zone *z, struct arena *arena,
    char **ret_error)
{
	struct dns_said_what w;
	enum dns_said said =
	    dns_server_ask(s, str_c(z->name), DNSUPDATE_TYPE_DNSKEY, arena, &w);

	if (said == DNS_SAID)
		z->is_signed =
		    has_answer(&w.reply, DNSUPDATE_TYPE_DNSKEY, str_c(z->name));
	*ret_error = w.error;
	return said;
}

enum dns_said
dns_zone_find(struct dns_server *s, const char *domain, struct dns_zone *ret,
    char **ret_error)
{
	const struct dnsupdate_record *soa;
	struct dns_said_what w;
	struct arena arena;
	enum dns_said said;

	*ret = (struct dns_zone){ 0 };
	arena_init(&arena, ARENA_MAX);
	said = dns_server_ask(s, str_c(domain), DNSUPDATE_TYPE_SOA, &arena, &w);
	*ret_error = w.error;
	if (said == DNS_SAID) {
		soa = find_soa(&w.reply, str_c(domain));
		if (!w.reply.is_authoritative || !soa || !take_soa(soa, ret)) {
			*ret_error = x_asprintf(
			    "%s is no name server of the zone that %s is in; "
			    "name the primary server with --server",
			    s->name, domain);
			said = DNS_REFUSED;
		} else {
			said = find_keys(s, ret, &arena, ret_error);
		}
	}
	arena_done(&arena);
	return said;
}

/* --- a set ---------------------------------------------------------------------------- */

static void
take_records(const struct dnsupdate_reply *r, struct dns_set *set)
{
	struct str name = str_c(set->name);

	set->is_alias =
	    set->type != DNS_CNAME && has_answer(r, DNSUPDATE_TYPE_CNAME, name);
	for (size_t i = 0; i < r->n_answer; i++) {
		const struct dnsupdate_record *rec = &r->answer[i];

		if (rec->type != (unsigned)set->type ||
		    !str_eq_case(rec->name, name) || set->live.n == DNS_SET_MAX)
			continue;
		set->ttl = set->live.n ? MIN(set->ttl, rec->ttl) : rec->ttl;
		dns_list_add(&set->live, rec->data);
	}
}

static enum dns_said
read_type(
    struct dns_server *s, struct dns_set *set, unsigned type, char **ret_error)
{
	struct dns_said_what w;
	struct arena arena;
	enum dns_said said;

	arena_init(&arena, ARENA_MAX);
	said = dns_server_ask(s, str_c(set->name), type, &arena, &w);
	*ret_error = w.error;
	if (said == DNS_SAID && !w.reply.is_authoritative)
		set->skipped = "it is in a zone of its own, on other servers";
	else if (said == DNS_SAID && type == (unsigned)set->type)
		take_records(&w.reply, set);
	else if (said == DNS_SAID)
		set->has_addresses =
		    set->has_addresses ||
		    has_answer(&w.reply, type, str_c(set->name));
	arena_done(&arena);
	return said;
}

enum dns_said
dns_zone_read(struct dns_server *s, const struct dns_zone *z,
    struct dns_set *set, char **ret_error)
{
	enum dns_said said;

	dns_set_reset(set);
	if (!set->skipped &&
	    !hostname_is_under(str_c(set->name), str_c(z->name)))
		set->skipped = "it is in another zone";
	if (set->skipped)
		return DNS_SAID;
	said = read_type(s, set, (unsigned)set->type, ret_error);
	if (set->type != DNS_CNAME)
		return said;
	if (said == DNS_SAID && !set->skipped)
		said = read_type(s, set, DNS_A, ret_error);
	if (said == DNS_SAID && !set->skipped)
		said = read_type(s, set, DNS_AAAA, ret_error);
	return said;
}
