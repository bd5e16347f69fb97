/* SPDX-License-Identifier: ISC */
/*
 * main.c - the send role: mail from the queue to other servers.
 *
 * Reads what strangers' servers answer, so it has no files, no accounts and
 * no mailboxes: it gets entries of the queue from store for a while (a lease)
 * and tells what became of them.
 */
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "base/suffixes.h"
#include "conf/conf_resolver.h"
#include "proc/ledger.h"
#include "proto/reply/reply.h"
#include "send/dns/dkim_look.h"
#include "send/dns/mx_ask.h"
#include "send/local.h"
#include "send/route/breakers.h"
#include "send/queue/dest.h"
#include "send/queue/flows.h"
#include "send/report/dmarc_reports.h"
#include "send/report/notice.h"
#include "send/route/permit.h"
#include "send/message/prepare.h"
#include "send/route/route_ask.h"
#include "send/route/routes_keep.h"
#include "send/send.h"
#include "send/server.h"
#include "send/result/sent_count.h"
#include "send/result/suppress.h"
#include "send/report/tls_count.h"
#include "send/report/tls_reports.h"

#include <fcntl.h>
#include <unistd.h>

/* Descriptors besides connections: look-ups, other processes, messages. */
#define FILES_EXTRA 2048
#define STOP_MS     1200
/* How often its percentiles are shown. */
#define HANDOVER_SHOW_MS 5000

/* --- configuration -------------------------------------------------------------------- */

static void
take_config(struct server *sv, struct str snapshot)
{
	struct buf source = BUF_INIT(KIB(1));
	const struct conf *c;

	conf_take(&sv->conf, snapshot);
	c = sv->conf;
	if (!routes_write(&sv->routes, str_c(c->send_routes)))
		die("the supervisor sent routes that are none");
	sv->routes.is_direct = c->send_direct;
	way_source_put(c, NULL, &source);
	free(sv->source);
	sv->source = x_strdup(buf_c(&source));
	buf_done(&source);
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
}

/* The library's context cannot change: a new one needs a new process. */
static int
make_resolver(struct server *sv)
{
	bool validates;
	int r = conf_resolver_start(
	    sv->conf, sv->loop, "send", &sv->resolver, &validates);

	if (sv->conf->dns_dnssec && !validates)
		log_event0(EV_SEND_NO_ANCHOR);
	return r;
}

/* --- tables of the operator ------------------------------------------------------------ */

/* A whole file, into *ret; false after an error was printed. */
static bool
read_file(const char *path, size_t max, struct buf *ret)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char part[4096];
	ssize_t n = -1;

	*ret = BUF_INIT(max);
	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0)
		buf_put(ret, part, (size_t)n);
	if (n == 0 && !ret->failed)
		return true;
	fprintf(stderr, "mailstead: send: %s: %s\n", path,
	    ret->failed ? "the file is too large" : strerror(errno));
	return false;
}

static bool
read_replies(struct server *sv)
{
	struct reply_error error = { 0 };
	struct buf text;

	if (sv->conf->send_refusals[0] == '\0') {
		sv->replies = reply_table_new();
		return true;
	}
	if (!read_file(sv->conf->send_refusals, REPLY_TABLE_MAX, &text))
		return false;
	sv->replies = reply_table_parse(buf_str(&text), &error);
	if (sv->replies == NULL)
		fprintf(stderr, "mailstead: send: %s:%zu: %s\n",
		    sv->conf->send_refusals, error.line, error.text);
	buf_done(&text);
	return sv->replies != NULL;
}

static bool
read_providers(struct server *sv)
{
	struct provider_error error = { 0 };
	struct buf text;

	if (sv->conf->send_providers[0] == '\0') {
		sv->providers = provider_table_new();
		return true;
	}
	if (!read_file(sv->conf->send_providers, PROVIDER_TABLE_MAX, &text))
		return false;
	sv->providers = provider_table_parse(buf_str(&text), &error);
	if (sv->providers == NULL)
		fprintf(stderr, "mailstead: send: %s:%zu: %s\n",
		    sv->conf->send_providers, error.line, error.text);
	buf_done(&text);
	return sv->providers != NULL;
}

static bool
read_tables(struct server *sv)
{
	return read_replies(sv) && read_providers(sv);
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
	if (!read_tables(sv))
		return -EINVAL;
	sv->suffixes = suffixes_load();
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

static void
show_handover(void *arg)
{
	struct server *sv = arg;
	uint64_t now = loop_time_ms(sv->loop);

	metric_set(M_SEND_HANDOVER_P50, handover_ms(&sv->handover, 500, now));
	metric_set(M_SEND_HANDOVER_P95, handover_ms(&sv->handover, 950, now));
	metric_set(M_SEND_HANDOVER_MAX, handover_ms(&sv->handover, 1000, now));
	sent_counts_flush(sv);
	loop_timer_set(sv->handover_timer, HANDOVER_SHOW_MS);
}

static int
on_start(void *arg, UNUSED struct runtime *rt)
{
	struct server *sv = arg;

	TAILQ_INIT(&sv->idle);
	sv->tls_rules = tls_keeper_new(sv->rt);
	sv->sts = sts_new(sv);
	sv->locals = locals_new(sv);
	sv->breakers = breakers_new(sv);
	sv->permits = permits_new(sv);
	sv->kept_routes = routes_keep_new(sv);
	sv->tls_count = tls_count_new(sv);
	sv->tls_reports = tls_reports_new(sv);
	sv->suppressed = suppressed_new(sv);
	sv->retry_rules =
	    mirror_new(sv->rt, LEDGER_POLICY, STR(RETRY_RULE_PREFIX));
	sv->helds = helds_new(sv->rt);
	sv->domains = domains_new(sv);
	sv->dests = dests_new(sv);
	sv->slate = slate_new(runtime_keep(sv->rt), CTL_KEEP_BYTES);
	sv->results = results_new(sv->rt, sv->slate);
	sv->preparer = preparer_new(sv);
	sv->dmarc_reports = dmarc_reports_new(sv);
	sv->flows = flows_new(sv);
	sv->sent_counts = sent_counts_new(sv);
	sv->handover_timer = loop_timer_new(sv->loop, show_handover, sv);
	loop_timer_set(sv->handover_timer, HANDOVER_SHOW_MS);
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
take_over(void *arg)
{
	struct server *sv = arg;

	if (!sv->is_stopping)
		helds_take(sv->helds, load_domains, sv);
}

/* Without rules, routes and breakers, mail would go where it should not. */
static void
begin(void *arg)
{
	struct server *sv = arg;

	/* The leases of an earlier process end when we take over. */
	results_when_replayed(sv->results, take_over, sv);
}

static void
load_breakers(void *arg)
{
	struct server *sv = arg;

	breakers_load(sv->breakers, begin, sv);
}

static void
load_routes(void *arg)
{
	struct server *sv = arg;

	routes_keep_load(sv->kept_routes, load_breakers, sv);
}

static void
on_peer(void *arg, struct ipc_peer *p)
{
	struct server *sv = arg;

	if (ipc_peer_role(p) != ROLE_STORE || sv->is_stopping)
		return;
	results_resume(sv->results);
	preparer_forget(sv->preparer, STR_NONE);
	mirror_load(suppressed_mirror(sv->suppressed));
	mirror_load(sv->retry_rules);
	tls_keeper_load(sv->tls_rules, load_routes, sv);
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

static bool
on_ledger(struct server *sv, struct str body)
{
	struct msg_ledger_changed m;

	if (!msg_ledger_changed_get(body, &m))
		return false;
	if (m.table == LEDGER_ROUTE)
		return routes_keep_changed(sv->kept_routes, m.rows);
	if (m.table == LEDGER_POLICY) {
		tls_keeper_changed(sv->tls_rules, m.rows);
		mirror_changed(sv->retry_rules, m.rows);
	}
	if (m.table == LEDGER_SUPPRESS)
		mirror_changed(suppressed_mirror(sv->suppressed), m.rows);
	if (m.table == LEDGER_BREAKER)
		return breakers_changed(sv->breakers, m.rows);
	return true;
}

static bool
handle(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	if (m->type == MSG_QUEUE_DUE)
		return domains_due(sv->domains, m->body);
	if (m->type == MSG_QUEUE_COUNTS)
		return flows_counts(sv->flows, m->body, loop_time_ms(sv->loop));
	if (m->type == MSG_QUEUE_DESTINATIONS)
		return flows_request(sv->flows, p, m);
	if (m->type == MSG_DKIM_CHANGED)
		return on_dkim_changed(sv, m->body);
	if (m->type == MSG_LIMIT_TELL)
		return notice_limit(sv, p, m);
	if (m->type == MSG_LEDGER_CHANGED)
		return on_ledger(sv, m->body);
	if (m->type == MSG_ROUTE_ASK)
		return route_ask(sv, p, m);
	if (m->type == MSG_MX_ASK)
		return mx_ask(sv, p, m);
	if (m->type == MSG_DKIM_LOOK)
		return dkim_look(sv, p, m);
	return false;
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	if (!handle(arg, p, m))
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
	sent_counts_flush(sv);
	dmarc_reports_stop(sv->dmarc_reports);
	domains_stop(sv->domains);
	permits_stop(sv->permits);
	dests_stop(sv->dests);
	tls_count_flush(sv->tls_count);
	tls_reports_stop(sv->tls_reports);
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
		.has_keep = true,
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
