/* SPDX-License-Identifier: ISC */
/*
 * certs.c - the certificates that are in force: what is wrong with some, how
 * long they are good, and what the command line asks about them.
 */
#include "conf/conf_cert_read.h"
#include "supervisor/internal.h"

#define DAY_S      86400ULL
#define SOON_S     (14 * DAY_S)
#define CHECK_MS   (DAY_S * 1000)
#define REPLY_MAX  KIB(800)
#define REPLY_ROWS 500
/* Prometheus should not suffer from a provider's thousands. */
#define METRICS_MAX 1000

static uint64_t
days_left(const struct conf_cert *c, uint64_t now)
{
	return c->ends > now ? (c->ends - now) / DAY_S : 0;
}

/* One line for each that is broken, or ends soon. */
static void
tell(const struct supervisor *sup)
{
	const struct conf_certs *certs = &sup->conf->certs;
	uint64_t now = loop_time(sup->loop);

	for (size_t i = 0; i < certs->n; i++) {
		const struct conf_cert *c = &certs->v[i];
		const char *source = conf_cert_source_str(c->source);

		if (c->is_missing)
			continue;
		if (c->fault != NULL)
			log_event(EV_SUP_CERT_BAD, LC("source", source),
			    LC("name", c->label), LC("error", c->fault),
			    LU("older_goes_on", conf_cert_is_usable(c)));
		else if (c->source == CONF_CERT_OWN)
			log_event(EV_SUP_CERT_OWN, LC("name", c->label));
		else if (c->ends < now + SOON_S)
			log_event(EV_SUP_CERT_ENDS, LC("source", source),
			    LC("name", c->label),
			    LU("days_left", days_left(c, now)));
	}
}

static void
on_day(void *arg)
{
	struct supervisor *sup = arg;

	tell(sup);
	loop_timer_set(sup->certs_timer, CHECK_MS);
}

void
certs_tell(struct supervisor *sup)
{
	if (sup->certs_timer == NULL)
		sup->certs_timer = loop_timer_new(sup->loop, on_day, sup);
	on_day(sup);
}

/* --- for the command line ---------------------------------------------------------- */

static void
put_row(struct buf *to, const struct conf_cert *c, bool is_default)
{
	struct msg_cert_row row = { .source = (uint8_t)c->source,
		.label = str_c(c->label),
		.names = str_c(c->names),
		.issuer = str_c(c->issuer),
		.kind = (uint8_t)c->kind,
		.begins = c->begins,
		.ends = c->ends,
		.is_used = conf_cert_is_usable(c),
		.is_default = is_default,
		.fault = str_c(c->fault ? c->fault : "") };

	msg_cert_row_put(to, &row);
}

void
certs_answer_list(struct supervisor *sup, struct ipc_return *r, struct str body)
{
	const struct conf_certs *certs = &sup->conf->certs;
	struct buf items = BUF_INIT(MIB(8)), reply = BUF_INIT(MIB(9));
	struct msg_cert_list q;
	size_t i;

	if (!msg_cert_list_get(body, &q)) {
		ipc_reply_error(r, PERMFAIL, REASON_INTERNAL, NULL);
		return;
	}
	for (i = q.from; i < certs->n && i < (size_t)q.from + REPLY_ROWS &&
			 items.n < REPLY_MAX;
	     i++)
		put_row(&items, &certs->v[i],
		    i == 0 && conf_cert_is_usable(&certs->v[i]));
	msg_list_reply_put(
	    &reply, &(struct msg_list_reply){
			.items = buf_str(&items), .has_more = i < certs->n });
	ipc_reply(r, buf_str(&reply), -1);
	buf_done(&items);
	buf_done(&reply);
}

/* --- new ones of role acme ------------------------------------------------------------ */

/* What is wrong with the certificate of a host; NULL: nothing. */
static const char *
fault_of(const struct conf_certs *certs, struct str host)
{
	for (size_t i = 0; i < certs->n; i++) {
		const struct conf_cert *c = &certs->v[i];

		if (c->source == CONF_CERT_ACME &&
		    str_eq(str_c(c->label), host))
			return c->fault;
	}
	return "acme.hosts has no such host";
}

static void
hand_out(struct supervisor *sup)
{
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	if (conf_serves_tls(c->role) &&
	    (c->state == PROCESS_STARTING || c->state == PROCESS_SERVING))
		child_configure(c);
}

static void
on_handed_out(void *arg, UNUSED bool is_complete)
{
	struct ipc_return *r = arg;

	ipc_reply(r, STR_NONE, -1);
	free(r);
}

void
certs_take_new(struct supervisor *sup, struct ipc_return *r, struct str body)
{
	struct conf_certs fresh = { 0 };
	struct ipc_return *later;
	struct msg_acme_new m;
	char *error = NULL;
	const char *fault;

	if (!msg_acme_new_get(body, &m)) {
		ipc_reply_error(r, PERMFAIL, REASON_INTERNAL, NULL);
		return;
	}
	if (conf_certs_read(sup->conf, &sup->conf->certs, &fresh, &error) < 0) {
		ipc_reply_error(r, PERMFAIL, REASON_CONFLICT, error);
		free(error);
		return;
	}
	conf_certs_done(&sup->conf->certs);
	sup->conf->certs = fresh;
	fault = fault_of(&fresh, m.host);
	if (fault != NULL) {
		ipc_reply_error(r, PERMFAIL, REASON_CONFLICT, fault);
		return;
	}
	log_event(EV_SUP_CERT_NEW, LS("name", m.host));
	hand_out(sup);
	later = X_NEW(struct ipc_return);
	*later = *r;
	sync_all(sup, on_handed_out, later);
}

/* --- metrics ------------------------------------------------------------------------ */

/* A label's value: what is no plain name is left out. */
static void
put_label(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "%s=\"", key);
	for (; *value != '\0'; value++)
		if (ascii_is_alpha(*value) || ascii_is_digit(*value) ||
		    strchr(".-_*", *value) != NULL)
			buf_put_char(b, *value);
	buf_put_char(b, '"');
}

void
certs_metrics(const struct supervisor *sup, struct buf *b)
{
	const struct conf_certs *certs = &sup->conf->certs;

	buf_put_c(b,
	    "# HELP mailstead_certificate_ends_seconds Unix time at which a "
	    "certificate in use is no longer good.\n"
	    "# TYPE mailstead_certificate_ends_seconds gauge\n");
	for (size_t i = 0; i < MIN(certs->n, (size_t)METRICS_MAX); i++) {
		const struct conf_cert *c = &certs->v[i];

		if (!conf_cert_is_usable(c))
			continue;
		buf_put_c(b, "mailstead_certificate_ends_seconds{");
		put_label(b, "source", conf_cert_source_str(c->source));
		buf_put_char(b, ',');
		put_label(b, "name", c->label);
		buf_printf(b, "} %llu\n", (unsigned long long)c->ends);
	}
}
