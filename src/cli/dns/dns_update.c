/* SPDX-License-Identifier: ISC */
/* dns_update.c - send records to the primary. See dns_update.h. */
#include "cli/dns/dns_update.h"

#include "cli/dns/dns_kept.h"
#include "cli/dns/dns_tell.h"
#include "cli/dns/dns_zone.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT      53
#define TRIES     3 /* when somebody else changes the zone at the same time */
#define ARENA_MAX MIB(1)

struct update {
	struct admin *a;
	const struct dns_update_options *o;
	const struct dns_records *records;
	struct dnsupdate_key key;
	struct dns_look *look;
	struct dns_server server;
	struct dns_zone zone;
	struct dns_plan plan;
	bool is_told; /* the plan is what happened, or would */
};

/* --- the key ---------------------------------------------------------------------- */

/* A key that others may read or change is a key of others. */
static const char *
check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a file";
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return "it belongs to another user";
	if (st.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP))
		return "others may read or change it, so it is no secret: "
		       "chmod 600";
	return NULL;
}

static const char *
read_key(int fd, struct dnsupdate_key *ret)
{
	struct buf text = BUF_INIT(DNSUPDATE_KEY_FILE_MAX);
	const char *why = check_file(fd);
	char *to = buf_reserve(&text, DNSUPDATE_KEY_FILE_MAX);
	ssize_t n;

	while (!why && text.n < DNSUPDATE_KEY_FILE_MAX &&
	       (n = read(fd, to + text.n, DNSUPDATE_KEY_FILE_MAX - text.n)) > 0)
		text.n += (size_t)n;
	if (!why && text.n == DNSUPDATE_KEY_FILE_MAX)
		why = "it is too long for a key file";
	if (!why && !dnsupdate_key_parse(buf_str(&text), ret, &why))
		ASSERT(why);
	buf_done_secret(&text);
	return why;
}

static int
load_key(struct update *u)
{
	const char *file = u->o->key_file;
	CLEANUP(closep) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const char *why = fd < 0 ? strerror(errno) : read_key(fd, &u->key);

	return why ? admin_error(u->a, ADMIN_REFUSED, "%s: %s", file, why)
	           : ADMIN_OK;
}

/* --- the server -------------------------------------------------------------------- */

static int
failed(struct update *u, enum dns_said said, char *error)
{
	int r = admin_error(u->a,
	    said == DNS_LATER ? ADMIN_TEMPFAIL : ADMIN_REFUSED, "%s",
	    error ? error : "the name server did not answer");

	free(error);
	return r;
}

static int
find_server(struct update *u)
{
	struct sockaddr_storage addrs[DNS_LOOK_ADDRS];
	CLEANUP(freep) char *primary = NULL;
	char *error = NULL;
	size_t n = 0;

	primary = u->o->server
	              ? x_strdup(u->o->server)
	              : dns_zone_primary(u->look, u->records->domain, &error);
	if (primary)
		n = dns_look_host(u->look, str_c(primary), PORT, addrs, &error);
	if (n == 0)
		return failed(u, DNS_LATER, error);
	dns_server_init(&u->server, &u->key, addrs, n);
	return ADMIN_OK;
}

static int
find_zone(struct update *u)
{
	char *error = NULL;
	enum dns_said said;

	dns_zone_done(&u->zone);
	said = dns_zone_find(&u->server, u->records->domain, &u->zone, &error);
	return said == DNS_SAID ? ADMIN_OK : failed(u, said, error);
}

/* --- the plan ------------------------------------------------------------------------ */

static const char *
reason_to_skip(const struct update *u, const struct dns_record *rec)
{
	switch (rec->purpose) {
	case DNS_FOR_MTASTS:
	case DNS_FOR_MTASTS_HOST:
	case DNS_FOR_AUTOCONFIG:
		return u->o->has_web ? NULL
		                     : "of use only with a web server that "
		                       "answers; when it does, give --web";
	case DNS_FOR_TLSA:
		return u->zone.is_signed
		           ? NULL
		           : "the zone has no DNSSEC, so nobody looks at it";
	case DNS_FOR_HOST:
	case DNS_FOR_MX:
	case DNS_FOR_SPF:
	case DNS_FOR_DKIM:
	case DNS_FOR_DMARC:
	case DNS_FOR_TLSRPT:
	case DNS_FOR_SRV:
		return NULL;
	}
	return NULL;
}

static int
make_plan(struct update *u)
{
	for (size_t i = 0; i < u->records->n; i++) {
		const struct dns_record *rec = &u->records->v[i];
		struct dns_set *s;

		if (rec->value[0] == '\0')
			continue;
		if (!dns_plan_want(&u->plan, rec))
			return admin_error(u->a, ADMIN_REFUSED,
			    "the record %s of %s cannot be sent",
			    dns_purpose_name(rec->purpose), rec->name);
		s = dns_plan_get(&u->plan, str_c(rec->name), rec->type);
		s->skipped = reason_to_skip(u, rec);
	}
	return dns_kept_load(u->a, str_c(u->records->domain), &u->plan);
}

static int
read_live(struct update *u)
{
	char *error = NULL;

	for (size_t i = 0; i < u->plan.n; i++) {
		struct dns_set *s = &u->plan.v[i];
		enum dns_said said =
		    dns_zone_read(&u->server, &u->zone, s, &error);

		if (said != DNS_SAID)
			return failed(u, said, error);
		dns_plan_set(s, u->o->may_replace);
	}
	return ADMIN_OK;
}

/* --- sending ------------------------------------------------------------------------- */

/* Something wanted is not there, and stays so. */
static int
plan_code(const struct update *u)
{
	for (size_t i = 0; i < u->plan.n; i++)
		if (!u->plan.v[i].skipped && u->plan.v[i].is_left)
			return ADMIN_REFUSED;
	return ADMIN_OK;
}

/* The zone is not as it was when we read it. */
static bool
has_moved(unsigned code)
{
	return code == DNSUPDATE_NXRRSET || code == DNSUPDATE_YXRRSET ||
	       code == DNSUPDATE_YXDOMAIN || code == DNSUPDATE_NXDOMAIN;
}

static int
send_once(struct update *u, bool *ret_again)
{
	struct dns_said_what w;
	struct dnsupdate message;
	struct arena arena;
	enum dns_said said;
	int r = ADMIN_OK;

	arena_init(&arena, ARENA_MAX);
	dnsupdate_init(&message, dns_server_id(), str_c(u->zone.name));
	dns_plan_put(&u->plan, &message);
	said = dns_server_update(&u->server, &message, &arena, &w);
	*ret_again = said == DNS_REFUSED && has_moved(w.code);
	if (*ret_again)
		free(w.error);
	else if (w.error)
		r = failed(u, said, w.error);
	dnsupdate_done(&message);
	arena_done(&arena);
	return r;
}

/* Until it is done; then the plan is what there is now. */
static int
send_plan(struct update *u)
{
	bool again = true;
	int r = ADMIN_OK;

	for (int i = 0; again; i++) {
		if (i == TRIES)
			return admin_error(u->a, ADMIN_TEMPFAIL, "%s: %s",
			    u->server.name,
			    dns_server_advice(DNSUPDATE_NXRRSET, true));
		if (dns_plan_changes(&u->plan) == 0)
			break;
		r = send_once(u, &again);
		if (r != ADMIN_OK)
			return r;
		r = find_zone(u);
		if (r == ADMIN_OK)
			r = read_live(u);
		if (r != ADMIN_OK)
			return r;
	}
	if (dns_plan_changes(&u->plan))
		return admin_error(u->a, ADMIN_TEMPFAIL,
		    "%s took the update, but does not serve it: see its log",
		    u->server.name);
	return ADMIN_OK;
}

static void
tell_secondary(void *arg, const char *host, const char *state, bool is_current)
{
	struct update *u = arg;

	if (!u->a->is_json || !is_current)
		fprintf(is_current ? stdout : stderr, "%-8s NS    %s: %s\n",
		    is_current ? "ok" : "behind", host, state);
}

static int
check_secondaries(struct update *u)
{
	size_t behind = dns_zone_secondaries(
	    &u->server, &u->zone, u->look, u->o->wait_s, tell_secondary, u);

	/* The table of changes is all that is printed as JSON. */
	if (behind)
		fprintf(stderr,
		    "mailstead: the primary has the records, %zu other name "
		    "server%s not yet\n",
		    behind, str_s(behind));
	return behind ? ADMIN_TEMPFAIL : ADMIN_OK;
}

static int
carry_out(struct update *u)
{
	int r = send_plan(u);
	int code;

	if (r != ADMIN_OK)
		return r;
	r = dns_kept_save(u->a, str_c(u->records->domain), &u->plan);
	if (r != ADMIN_OK)
		return r;
	u->is_told = true;
	if (!u->a->is_json)
		printf("done: the zone has serial %u\n", u->zone.serial);
	r = check_secondaries(u);
	code = plan_code(u);
	return code != ADMIN_OK ? code : r;
}

/* --- the command ------------------------------------------------------------------------ */

/* Known before the update, printed after it. */
static int
tell_and_do(struct update *u)
{
	struct output *o;
	int r;

	if (!u->a->is_json)
		printf("zone %s on %s, serial %u\n", u->zone.name,
		    u->server.name, u->zone.serial);
	o = dns_tell_plan(&u->plan, u->a->is_json);
	fflush(stdout);

	if (!u->o->is_dry && dns_plan_changes(&u->plan)) {
		r = carry_out(u);
	} else {
		u->is_told = true;
		r = u->o->is_dry ? ADMIN_OK
		                 : dns_kept_save(u->a,
				       str_c(u->records->domain), &u->plan);
	}
	if (o && u->is_told)
		output_print(o, true);
	if (o)
		output_free(o);
	return r == ADMIN_OK ? plan_code(u) : r;
}

static int
run(struct update *u)
{
	int r = find_server(u);

	if (r == ADMIN_OK)
		r = find_zone(u);
	if (r == ADMIN_OK)
		r = make_plan(u);
	if (r == ADMIN_OK)
		r = read_live(u);
	return r == ADMIN_OK ? tell_and_do(u) : r;
}

int
dns_update(struct admin *a, const struct dns_update_options *o,
    const struct dns_records *records, const struct conf *c)
{
	struct update u = {
		.a = a, .o = o, .records = records, .server = { .fd = -1 }
	};
	char *error = NULL;
	int r = load_key(&u);

	if (r == ADMIN_OK) {
		u.look = dns_look_new(c, &error);
		r = u.look ? run(&u) : failed(&u, DNS_LATER, error);
	}
	dns_look_free(u.look);
	dns_server_close(&u.server);
	dns_zone_done(&u.zone);
	dns_plan_done(&u.plan);
	dnsupdate_key_done(&u.key);
	return r;
}
