/* SPDX-License-Identifier: ISC */
/* cmd_certificate.c - mailstead certificate: what TLS shows, and new ones. */
#include "cli/certificate_rows.h"
#include "cli/output/output.h"
#include "conf/conf_cert.h"

#include <time.h>

#define USAGE_LIST  "certificate list [--json]"
#define USAGE_RENEW "certificate renew [HOST] [--new-key] [--json]"
#define DAY_S       86400

static const struct output_field fields[] = {
	{ "name", "NAME", OUTPUT_WORD },
	{ "source", "SOURCE", OUTPUT_TEXT },
	{ "kind", "KIND", OUTPUT_WORD },
	{ "ends", "ENDS", OUTPUT_TIME },
	{ "days_left", "DAYS", OUTPUT_COUNT },
	{ "issuer", "ISSUER", OUTPUT_WORD },
	{ "default", "DEFAULT", OUTPUT_YES },
	{ "state", "STATE", OUTPUT_WORD },
	{ "next", "NEXT", OUTPUT_TIME },
	{ "fault", "FAULT", OUTPUT_WORD },
	{ "names", "FOR", OUTPUT_LIST },
};

/* --- list ------------------------------------------------------------------------ */

struct list {
	struct output *o;
	struct certificate_states *states;
	uint64_t now;
};

/* tls.certificate has no name of its own: the first that it is for. */
static struct str
name_of(const struct msg_cert_row *row)
{
	struct str first;

	if (row->label.n > 0)
		return row->label;
	(void)str_split(row->names, '\n', &first);
	return first;
}

static void
put_row(void *arg, const struct msg_cert_row *row)
{
	struct list *l = arg;
	const struct certificate_state *s =
	    row->source == CONF_CERT_ACME
		? certificate_states_find(l->states, row->label)
		: NULL;
	bool is_known = row->ends > 0;
	struct str kind = STR_NONE, fault = row->fault;

	if (is_known && row->kind < CERTIFICATE_KINDS)
		kind = str_c(
		    certificate_kind_str((enum certificate_kind)row->kind));
	/* Why there is none, rather than that there is none. */
	if (s != NULL && s->error[0] != '\0')
		fault = str_c(s->error);
	output_put_text(l->o, name_of(row));
	output_put_text(l->o, row->source < CONF_CERT_SOURCES
				  ? str_c(conf_cert_source_str(
					(enum conf_cert_source)row->source))
				  : STR("?"));
	output_put_text(l->o, kind);
	output_put_number(l->o, row->ends);
	output_put_signed(l->o,
	    is_known ? ((int64_t)row->ends - (int64_t)l->now) / DAY_S : 0);
	output_put_text(l->o, row->issuer);
	output_put_number(l->o, row->is_default);
	output_put_text(l->o, s != NULL ? str_c(s->state) : STR_NONE);
	output_put_number(l->o, s != NULL ? s->next : 0);
	output_put_text(l->o, fault);
	output_put_text(l->o, s != NULL ? str_c(s->names) : row->names);
}

static int
list(struct admin *a)
{
	struct list l = { output_new("certificates", fields, ARRAY_LEN(fields)),
		certificate_states_new(), (uint64_t)time(NULL) };
	bool has_acme = false;
	int r = certificate_rows_each(a, NULL, NULL, &has_acme);

	output_spare(l.o, "issuer kind default next");
	if (r == ADMIN_OK && has_acme)
		r = certificate_states_read(a, l.states);
	if (r == ADMIN_OK)
		r = certificate_rows_each(a, put_row, &l, &has_acme);
	if (r == ADMIN_OK)
		output_print(l.o, a->is_json);
	output_free(l.o);
	certificate_states_free(l.states);
	return r;
}

const char *const certificate_usage[] = { USAGE_LIST, USAGE_RENEW, NULL };

int
admin_certificate(struct admin *a, int argc, char **argv)
{
	bool has_new_key = false;
	const struct arg_option options[] = {
		{ "--new-key", NULL, &has_new_key }, ADMIN_OPTIONS(a)
	};
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	const char *verb = argc > 0 ? argv[0] : "";

	if (argc > 0 && !admin_args(a, &args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "list") == 0 && args.n_words == 0 && !has_new_key)
		return list(a);
	if (strcmp(verb, "renew") == 0 && args.n_words <= 1)
		return certificate_renew(
		    a, args.n_words > 0 ? args.words[0] : "", has_new_key);
	return admin_usage(a, NULL);
}
