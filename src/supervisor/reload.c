/* SPDX-License-Identifier: ISC */
/*
 * reload.c - take over a new configuration, or say why not.
 *
 * All of it or nothing: a file with an error, a certificate that cannot be
 * read or a port that is taken leave everything as it was.
 */
#include "conf/conf_cert_read.h"
#include "supervisor/internal.h"

static bool
listens_for(const struct conf *conf, enum role role)
{
	for (uint32_t i = 0; i < conf->listener_count; i++)
		if (service_role(conf->listeners[i].service) == role)
			return true;
	return false;
}

static uint32_t
wanted_workers(const struct conf *conf, enum role role)
{
	switch (role) {
	case ROLE_SMTP:
		return conf->workers_smtp;
	case ROLE_IMAP:
		return conf->workers_imap;
	case ROLE_FILTER:
		return conf->workers_filter;
	case ROLE_STORE:
	case ROLE_AUTH:
	case ROLE_SEND:
		return 1;
	case ROLE_WATCH:
		return conf->watch_enabled;
	case ROLE_WEB:
		return listens_for(conf, ROLE_WEB) ? conf->workers_web : 0;
	case ROLE_ACME:
		return conf->acme_hosts[0] != '\0';
	case ROLE_SUPERVISOR:
	case ROLE_CLI:
		return 0;
	}
	return 0;
}

static struct child *
find_child(struct supervisor *sup, enum role role, uint32_t slot)
{
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	if (c->role == role && c->slot == slot && !c->is_removed)
		return c;
	return NULL;
}

void
reload_workers(struct supervisor *sup)
{
	static const enum role order[] = { ROLE_STORE, ROLE_AUTH, ROLE_FILTER,
		ROLE_SEND, ROLE_WATCH, ROLE_SMTP, ROLE_IMAP, ROLE_WEB,
		ROLE_ACME };
	struct child *c, *next;

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		for (uint32_t slot = 0;
		     slot < wanted_workers(sup->conf, order[i]); slot++)
			if (!find_child(sup, order[i], slot))
				child_spawn(child_new(sup, order[i], slot));
	for (c = LIST_FIRST(&sup->children); c; c = next) {
		next = LIST_NEXT(c, link);
		if (c->slot < wanted_workers(sup->conf, c->role))
			continue;
		c->is_removed = true;
		child_stop(c);
		if (c->pid == 0)
			child_free(c);
	}
}

/* What cannot change while the processes run. */
static char *
check_unchangeable(const struct supervisor *sup, const struct conf *fresh)
{
	if (strcmp(sup->conf->data_dir, fresh->data_dir) != 0)
		return x_asprintf(
		    "%s: data_dir cannot change while Mailstead runs; stop "
		    "it first",
		    sup->conf_path);
	if (strcmp(sup->conf->user, fresh->user) != 0)
		return x_asprintf(
		    "%s: user cannot change while Mailstead runs; stop it "
		    "first",
		    sup->conf_path);
	return NULL;
}

static char *
load(struct supervisor *sup, struct conf **ret)
{
	struct conf *fresh = NULL;
	char *error = NULL;

	if (conf_load(sup->conf_path, &fresh, &error) < 0)
		return error;
	if (conf_certs_read(fresh, &sup->conf->certs, &fresh->certs, &error) <
	    0) {
		conf_free(fresh);
		return error;
	}
	error = check_unchangeable(sup, fresh);
	if (!error)
		(void)listen_update(sup, fresh, &error);
	if (error)
		conf_free(fresh);
	else
		*ret = fresh;
	return error;
}

void
reload_log_level(struct supervisor *sup)
{
	sup->log_level = LOG_LEVEL_INFO;
	if (!log_level_from_name(sup->conf->log_level, &sup->log_level))
		log_event(EV_SUP_CONFIG_BAD, LC("error", "log_level"));
	log_set_level(sup->log_level);
}

/* The port is opened once; another one needs a restart. */
int
reload_metrics_http(struct supervisor *sup, char **ret_error)
{
	struct conf_listener l = { .address = sup->conf->metrics_address,
		.port = (uint16_t)sup->conf->metrics_port };
	int fd;

	if (sup->metrics_http || !l.address[0] || l.address[0] == '/')
		return 0;
	fd = listen_open(&l, "metrics", ret_error);
	if (fd < 0)
		return -1;
	sup->metrics_http =
	    metrics_http_new(sup->loop, fd, supervisor_metrics, sup);
	return 0;
}

/* Options that changed and that processes read only when they start: their
 * names, on the heap; NULL: none. mailstead.conf(5) lists them. */
static char *
name_later(const struct conf *old, const struct conf *fresh)
{
	const struct {
		const char *name;
		bool is_other;
	} options[] = {
		{ "dns.servers",
		    strcmp(old->dns_servers, fresh->dns_servers) != 0 },
		{ "dns.dnssec", old->dns_dnssec != fresh->dns_dnssec },
		{ "dns.trust_anchor", strcmp(old->dns_trust_anchor,
					  fresh->dns_trust_anchor) != 0 },
		{ "incoming.checks",
		    !old->incoming_checks && fresh->incoming_checks },
		{ "listen.metrics",
		    old->metrics_address[0] &&
			(old->metrics_port != fresh->metrics_port ||
			    strcmp(old->metrics_address,
				fresh->metrics_address) != 0) },
		{ "reach.as_database", strcmp(old->reach_as_database,
					   fresh->reach_as_database) != 0 },
		{ "send.authorities", strcmp(old->send_authorities,
					  fresh->send_authorities) != 0 },
		{ "send.providers",
		    strcmp(old->send_providers, fresh->send_providers) != 0 },
		{ "send.refusals",
		    strcmp(old->send_refusals, fresh->send_refusals) != 0 },
		{ "acme.ca_file",
		    strcmp(old->acme_ca_file, fresh->acme_ca_file) != 0 },
		{ "acme.external_account",
		    strcmp(old->acme_external_account,
			fresh->acme_external_account) != 0 },
		{ "watch.relay_logins", strcmp(old->watch_relay_logins,
					    fresh->watch_relay_logins) != 0 },
		{ "watch.ca_file",
		    strcmp(old->watch_ca_file, fresh->watch_ca_file) != 0 },
	};
	struct buf names = BUF_INIT(KIB(1));
	char *text;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].is_other)
			buf_printf(&names, "%s%s", names.n ? ", " : "",
			    options[i].name);
	text = names.n ? x_strdup(buf_c(&names)) : NULL;
	buf_done(&names);
	return text;
}

bool
reload(struct supervisor *sup)
{
	struct conf *fresh;
	struct child *c;

	free(sup->conf_error);
	sup->conf_error = load(sup, &fresh);
	if (sup->conf_error) {
		log_event(EV_SUP_CONFIG_BAD, LC("error", sup->conf_error));
		return false;
	}
	free(sup->conf_later);
	sup->conf_later = name_later(sup->conf, fresh);
	conf_free(sup->conf);
	sup->conf = fresh;
	sup->generation++;
	reload_log_level(sup);
	LIST_FOREACH(c, &sup->children, link)
	if (c->state == PROCESS_STARTING || c->state == PROCESS_SERVING)
		child_configure(c);
	reload_workers(sup);
	log_event(EV_SUP_CONFIG_NEW, LU("generation", sup->generation),
	    LC("later", sup->conf_later ? sup->conf_later : ""));
	certs_tell(sup);
	return true;
}

void
supervisor_metrics(void *arg, struct buf *b)
{
	struct supervisor *sup = arg;
	struct metrics_source sources[256];
	struct child *c;
	size_t n = 0;

	LIST_FOREACH(c, &sup->children, link)
	if (n < ARRAY_LEN(sources))
		sources[n++] = (struct metrics_source){ c->metrics,
			role_name(c->role), c->slot };
	metrics_format(b, sources, n);
	certs_metrics(sup, b);
}
