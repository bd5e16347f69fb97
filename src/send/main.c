/* SPDX-License-Identifier: ISC */
/*
 * main.c - the send role: mail from the queue to other servers.
 *
 * Reads what strangers' servers answer, so it has no files, no accounts and
 * no mailboxes: it gets entries of the queue from store for a while (a lease)
 * and tells what became of them.
 */
#include "base/log.h"
#include "base/secret.h"
#include "conf/conf_resolver.h"
#include "proto/reply/reply.h"
#include "send/dest.h"
#include "send/notice.h"
#include "send/prepare.h"
#include "send/send.h"
#include "send/server.h"

#include <arpa/inet.h>

/* Descriptors besides connections: look-ups, other processes, messages. */
#define FILES_EXTRA 2048
#define STOP_MS     1200

uint32_t
server_random(void)
{
	uint32_t v;

	secret_random(&v, sizeof(v));
	return v;
}

/* --- configuration -------------------------------------------------------------------- */

static void
take_source(struct sockaddr_storage *to, int family, const char *text)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memset(to, 0, sizeof(*to));
	if (family == AF_INET && inet_pton(family, text, &in4.sin_addr) == 1)
		memcpy(to, &in4, sizeof(in4));
	if (family == AF_INET6 && inet_pton(family, text, &in6.sin6_addr) == 1)
		memcpy(to, &in6, sizeof(in6));
}

static void
take_config(struct server *sv, struct str snapshot)
{
	struct routes routes;
	struct conf *c;

	if (conf_decode(snapshot, &c) < 0 ||
	    !routes_init(&routes, str_c(c->send_routes), c->send_direct))
		die("the supervisor sent a configuration that is none");
	routes_done(&sv->routes);
	conf_free(sv->conf);
	sv->conf = c;
	sv->routes = routes;
	sv->schedule = (struct schedule){
		.first_ms = c->send_retry_s * 1000ULL,
		.max_ms = c->send_retry_max_s * 1000ULL,
		.expire_ms = c->send_expire_s * 1000ULL,
		.delay_ms = c->send_delay_notice_s * 1000ULL,
	};
	sv->pace = (struct pace_limits){
		.first = 5,
		.max = c->send_destination_connections,
		.pause_ms = MIN(60000, c->send_retry_s * 500ULL),
		.pause_max_ms = 1800000,
	};
	take_source(&sv->source4, AF_INET, c->send_source4);
	take_source(&sv->source6, AF_INET6, c->send_source6);
}

/* The library's context cannot change: a new one needs a new process. */
static int
make_resolver(struct server *sv)
{
	char *error = NULL;
	bool validates;
	int r = conf_resolver_new(
	    sv->conf, sv->loop, &sv->resolver, &validates, &error);

	if (sv->conf->dns_dnssec && !validates)
		log_event0(EV_SEND_NO_ANCHOR);
	if (r < 0)
		fprintf(
		    stderr, "mailstead: send: name resolution: %s\n", error);
	free(error);
	return r;
}

/* --- life ------------------------------------------------------------------------------------ */

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *sv = arg;
	int r;

	sv->rt = rt;
	sv->loop = runtime_loop(rt);
	take_config(sv, snapshot);
	sv->replies = reply_table_new();
	sv->tls = tls_client_context_new(sv->conf->send_authorities);
	r = make_resolver(sv);
	if (r < 0)
		return r;
	sv->http = http_client_new(
	    &(struct http_client_config){ sv->loop, sv->resolver, sv->tls });
	return 0;
}

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct server *sv = arg;

	sb->needs = SANDBOX_MEMFD | SANDBOX_THREADS | SANDBOX_CONNECT;
	sb->user = sv->conf->user;
	sb->max_files = sv->conf->send_connections + FILES_EXTRA;
}

static int
on_start(void *arg, UNUSED struct runtime *rt)
{
	struct server *sv = arg;

	TAILQ_INIT(&sv->idle);
	sv->tls_rules = tls_keeper_new(sv->rt);
	sv->sts = sts_new(sv);
	sv->domains = domains_new(sv);
	sv->dests = dests_new(sv);
	sv->results = results_new(sv->rt);
	sv->preparer = preparer_new(sv);
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	take_config(arg, snapshot);
}

static void
load_domains(void *arg)
{
	struct server *sv = arg;

	if (!sv->is_stopping)
		domains_load(sv->domains);
}

static void
on_peer(void *arg, struct ipc_peer *p)
{
	struct server *sv = arg;

	if (ipc_peer_role(p) != ROLE_STORE || sv->is_stopping)
		return;
	results_resume(sv->results);
	preparer_forget(sv->preparer, STR_NONE);
	tls_keeper_load(sv->tls_rules, load_domains, sv);
}

static bool
on_ledger_changed(struct server *sv, struct str body)
{
	struct msg_ledger_changed c;

	if (!msg_ledger_changed_get(body, &c))
		return false;
	if (c.table == LEDGER_POLICY)
		tls_keeper_changed(sv->tls_rules, c.rows);
	return true;
}

static bool
on_dkim_changed(struct server *sv, struct str body)
{
	struct msg_name m;

	if (!msg_name_get(body, &m))
		return false;
	preparer_forget(sv->preparer, m.name);
	return true;
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct server *sv = arg;
	bool is_good = false;

	if (m->type == MSG_QUEUE_DUE)
		is_good = domains_due(sv->domains, m->body);
	else if (m->type == MSG_DKIM_CHANGED)
		is_good = on_dkim_changed(sv, m->body);
	else if (m->type == MSG_LIMIT_TELL)
		is_good = notice_limit(sv, p, m);
	else if (m->type == MSG_LEDGER_CHANGED)
		is_good = on_ledger_changed(sv, m->body);
	if (!is_good)
		ipc_peer_close(p);
}

static void
quit(void *arg)
{
	struct server *sv = arg;

	runtime_quit(sv->rt);
}

/* Reports under way and messages whose end was sent may still be answered. */
static void
check_done(void *arg)
{
	struct server *sv = arg;

	if (domains_leased(sv->domains) == 0 && results_are_done(sv->results))
		quit(sv);
	else
		loop_timer_set(sv->stop_timer, 20);
}

static void
on_stop(void *arg)
{
	struct server *sv = arg;

	sv->is_stopping = true;
	domains_stop(sv->domains);
	dests_stop(sv->dests);
	sv->stop_timer = loop_timer_new(sv->loop, check_done, sv);
	loop_timer_set(sv->stop_timer, 1);
	loop_timer_set(loop_timer_new(sv->loop, quit, sv), STOP_MS);
}

int
send_main(void)
{
	static const struct ipc_handlers ipc = { .message = on_message };
	static const struct runtime_role role = {
		.role = ROLE_SEND,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.peer = on_peer,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct server sv = { 0 };

	return runtime_main(&role, &sv);
}
