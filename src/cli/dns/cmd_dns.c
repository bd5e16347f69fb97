/* SPDX-License-Identifier: ISC */
/*
 * cmd_dns.c - mailstead dns DOMAIN: the records that a domain needs, and
 * whether they are in DNS.
 */
#include "cli/cli.h"
#include "cli/dns/dns_records.h"
#include "cli/dns/dns_update.h"
#include "cli/output/output.h"
#define WAIT_S     30
#define WAIT_S_MAX 86400
#define PEM_MAX    KIB(256)

/* --- print --------------------------------------------------------------------------- */

static void
print_comment(const char *text)
{
	struct str rest = str_c(text), line;

	while (rest.n) {
		rest = str_split(rest, '\n', &line);
		printf("; %.*s\n", STR_ARG(line));
	}
}

static void
print_record(const struct dns_record *rec, const char *before)
{
	struct buf value = BUF_INIT(KIB(64));

	dns_record_put_value(rec, &value);
	printf("%s%s. IN %s %s\n", before, rec->name, dns_type_name(rec->type),
	    buf_c(&value));
	buf_done(&value);
}

/* What is not of the domain's own zone stands there as a comment: the output
 * can be put into the zone as it is. */
static void
print_zone(const struct dns_records *r, bool has_comments)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct dns_record *rec = &r->v[i];
		bool has_value = rec->value[0] != '\0';

		if (!has_comments) {
			if (has_value && !rec->is_elsewhere)
				print_record(rec, "");
			continue;
		}
		print_comment(rec->why);
		if (has_value && rec->is_elsewhere)
			puts("; In another zone than that of the domain:");
		if (has_value)
			print_record(rec, rec->is_elsewhere ? "; " : "");
		puts("");
	}
}

static const char *
live_name(enum dns_live live)
{
	static const char *const names[] = {
		[DNS_LIVE_OK] = "ok",
		[DNS_LIVE_MISSING] = "missing",
		[DNS_LIVE_DIFFERS] = "differs",
		[DNS_LIVE_UNKNOWN] = "unknown",
	};

	return names[live];
}

static void
print_json(const struct dns_records *r, bool has_check)
{
	static const struct output_field fields[] = {
		{ "name", "NAME", OUTPUT_TEXT },
		{ "type", "TYPE", OUTPUT_TEXT },
		{ "value", "VALUE", OUTPUT_TEXT },
		{ "purpose", "PURPOSE", OUTPUT_TEXT },
		{ "in_zone", "IN ZONE", OUTPUT_YES },
		{ "state", "STATE", OUTPUT_TEXT },
		{ "found", "FOUND", OUTPUT_TEXT },
	};
	struct output *o = output_new("records", fields,
	    has_check ? ARRAY_LEN(fields) : ARRAY_LEN(fields) - 2);

	for (size_t i = 0; i < r->n; i++) {
		const struct dns_record *rec = &r->v[i];

		/* Without --check there is nothing to say about the host. */
		if (!has_check && rec->value[0] == '\0')
			continue;
		output_put_text(o, str_c(rec->name));
		output_put_text(o, str_c(dns_type_name(rec->type)));
		output_put_text(o, str_c(rec->value));
		output_put_text(o, str_c(dns_purpose_name(rec->purpose)));
		output_put_number(o, !rec->is_elsewhere);
		if (has_check) {
			output_put_text(o, str_c(live_name(rec->live)));
			output_put_text(o, str_c(rec->found));
		}
	}
	output_print(o, true);
	output_free(o);
}

/* Names and values in DNS are anybody's: nothing of them may steer a
 * terminal. */
static void
print_plain(const char *s)
{
	for (; *s; s++)
		putchar(*s < ' ' || *s > '~' ? '?' : *s);
}

/* Right to be missing where no web server answers; dns --update leaves them
 * out without --web. */
static bool
is_for_web(const struct dns_record *rec)
{
	return rec->purpose == DNS_FOR_MTASTS ||
	       rec->purpose == DNS_FOR_MTASTS_HOST ||
	       rec->purpose == DNS_FOR_AUTOCONFIG;
}

static void
print_check(const struct dns_records *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct dns_record *rec = &r->v[i];

		printf("%-8s %-5s %s", live_name(rec->live),
		    dns_type_name(rec->type), rec->name);
		if (rec->live == DNS_LIVE_DIFFERS) {
			fputs(": there is ", stdout);
			print_plain(rec->found);
		} else if (rec->live == DNS_LIVE_UNKNOWN) {
			fputs(": ", stdout);
			print_plain(rec->found);
		}
		if (rec->live == DNS_LIVE_DIFFERS ||
		    rec->live == DNS_LIVE_MISSING)
			printf("%s wanted: %s",
			    rec->live == DNS_LIVE_DIFFERS ? ";" : ":",
			    rec->value[0] ? rec->value
					  : "addresses of this machine");
		if (rec->live == DNS_LIVE_MISSING && is_for_web(rec))
			fputs(" (of use only with a web server that answers)",
			    stdout);
		putchar('\n');
	}
}

/* 0 when all is well; could not tell is worse than wrong. */
static int
check_code(const struct dns_records *r)
{
	int code = ADMIN_OK;

	for (size_t i = 0; i < r->n; i++) {
		const struct dns_record *rec = &r->v[i];

		if (rec->live == DNS_LIVE_UNKNOWN)
			return ADMIN_TEMPFAIL;
		if (rec->live == DNS_LIVE_DIFFERS ||
		    (rec->live == DNS_LIVE_MISSING && !is_for_web(rec)))
			code = ADMIN_REFUSED;
	}
	return code;
}

/* --- the command ---------------------------------------------------------------------- */

struct words {
	bool is_zone, has_check, has_update;
	struct dns_update_options update;
	const char *domain, *wait;
};

static int
print_all(struct admin *a, const struct words *w, const struct conf *c,
    struct dns_records *r)
{
	CLEANUP(freep) char *error = NULL;

	if (w->has_check && !dns_check(r, c, &error))
		return admin_error(
		    a, ADMIN_TEMPFAIL, "names cannot be looked up: %s", error);
	if (a->is_json)
		print_json(r, w->has_check);
	else if (w->has_check)
		print_check(r);
	else
		print_zone(r, !w->is_zone);
	return w->has_check ? check_code(r) : ADMIN_OK;
}

/* The file of the certificate that role acme obtains for this host (the heap's);
 * NULL: it does not. */
static char *
find_acme(const struct conf *c)
{
	struct str all = str_c(c->acme_hosts), line, rest, one, first;

	while (all.n > 0) {
		all = str_split(all, '\n', &line);
		(void)str_split(line, ' ', &first);
		for (rest = line; rest.n > 0;) {
			rest = str_split(rest, ' ', &one);
			if (str_eq_case(one, str_c(c->hostname)))
				return x_asprintf(
				    "%s/acme/certs/%.*s/fullchain.pem",
				    c->data_dir, STR_ARG(first));
		}
	}
	return NULL;
}

/* Only the certificate: its key is not for whoever may run this. */
static int
read_certificate(struct admin *a, const struct conf *c, struct buf *ret)
{
	CLEANUP(freep) char *path = NULL;
	char part[4096];
	size_t n;
	FILE *f;

	if (c->tls_certificate_file[0])
		path = x_strdup(c->tls_certificate_file);
	else
		path = find_acme(c);
	if (!path)
		return ADMIN_OK;
	f = fopen(path, "re");
	/* Role acme may not have it yet. */
	if (!f && errno == ENOENT && !c->tls_certificate_file[0])
		return ADMIN_OK;
	if (!f)
		return admin_error(
		    a, ADMIN_REFUSED, "%s: %s", path, strerror(errno));
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(ret, part, n);
	fclose(f);
	return ADMIN_OK;
}

static int
run(struct admin *a, const struct words *w, const struct conf *c)
{
	struct buf domain = BUF_INIT(KIB(2)), certificate = BUF_INIT(PEM_MAX);
	struct dns_records records = { 0 };
	int r = ADMIN_USAGE;

	if (admin_domain_name(a, w->domain, &domain))
		r = read_certificate(a, c, &certificate);
	if (r == ADMIN_OK)
		r = dns_records_make(
		    a, buf_str(&domain), c, buf_str(&certificate), &records);
	if (r == ADMIN_OK)
		r = w->has_update ? dns_update(a, &w->update, &records, c)
		                  : print_all(a, w, c, &records);
	dns_records_done(&records);
	buf_done(&domain);
	buf_done(&certificate);
	return r;
}

static bool
fits_together(const struct admin *a, const struct words *w)
{
	const struct dns_update_options *u = &w->update;
	bool has_update_words = u->key_file || u->server || u->is_dry ||
	                        u->may_replace || u->has_web || w->wait;

	return w->is_zone + w->has_check + w->has_update <= 1 &&
	       !(w->is_zone && a->is_json) &&
	       (w->has_update || !has_update_words);
}

const char *const dns_usage[] = {
	"dns DOMAIN [--zone] [--json]",
	"dns DOMAIN --check [--json]",
	"dns DOMAIN --update --key FILE [--server HOST] [--dry-run] "
	"[--replace] [--web] [--wait SECONDS] [--json]",
	NULL,
};

int
cmd_dns(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		ADMIN_OPTIONS(a),
		{ "--zone", NULL, &w.is_zone },
		{ "--check", NULL, &w.has_check },
		{ "--update", NULL, &w.has_update },
		{ "--key", &w.update.key_file, NULL },
		{ "--server", &w.update.server, NULL },
		{ "--dry-run", NULL, &w.update.is_dry },
		{ "--replace", NULL, &w.update.may_replace },
		{ "--web", NULL, &w.update.has_web },
		{ "--wait", &w.wait, NULL },
	};
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	CLEANUP(freep) char *error = NULL;
	struct conf *c = NULL;
	int r;

	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	w.update.wait_s = WAIT_S;
	if (args.n_words != 1 || !fits_together(a, &w) ||
	    (w.wait &&
		!str_to_u32(str_c(w.wait), WAIT_S_MAX, &w.update.wait_s)))
		return admin_usage(a, NULL);
	if (w.has_update && !w.update.key_file)
		return admin_usage(a,
		    "--update needs --key FILE, the key that the name server "
		    "knows (tsig-keygen of BIND or keymgr -t of knot make "
		    "one)");
	w.domain = args.words[0];
	if (conf_load(cli_config_path(), &c, &error) < 0)
		return admin_error(a, ADMIN_REFUSED,
		    "the configuration has the names that are needed: %s",
		    error);
	r = run(a, &w, c);
	conf_free(c);
	return r;
}
