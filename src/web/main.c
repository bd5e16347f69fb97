/* SPDX-License-Identifier: ISC */
/*
 * main.c - the web role: HTTP and HTTPS. One of N equal workers.
 *
 * It holds no mail, no passwords and no files: what it shows it has from watch
 * and from the ledger.
 */
#include "web/web.h"

#include "conf/conf_tls.h"
#include "net/limits.h"
#include "proto/search/search.h"
#include "web/cache.h"
#include "web/table/challenge.h"
#include "web/page/charts.h"
#include "web/copy.h"
#include "web/page/page.h"
#include "web/table/posts.h"
#include "web/site.h"
#include "web/table/windows.h"
#include "web/visitor.h"

#define STOP_AFTER_MS 200
#define MINUTE_MS     60000
/* Of one address: looks at Check my connection, subscriptions, searches. */
#define CHECKS_A_MINUTE   30
#define JOINS_A_MINUTE    4
#define SEARCHES_A_MINUTE 60
#define FILES_EXTRA       256
/* Wrong keys of the API; for how many of their addresses the log has a line. */
#define WRONG_KEYS_A_MINUTE 20
#define TOLD_A_MINUTE       1
#define RUNS_A_MINUTE       30
/* Mail goes first: where both want a processor, a thirtieth of what a process of
 * mail gets (docs/performance.md). */
#define WEB_NICE 15

static void
load_tls(struct server *sv)
{
	if (conf_tls_renew(sv->conf, &sv->tls))
		challenges_renew_tls(sv);
}

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *sv = arg;

	sv->rt = rt;
	sv->loop = runtime_loop(rt);
	conf_take(&sv->conf, snapshot);
	sv->challenges = challenges_new(sv);
	load_tls(sv);
	front_configure(sv);
	return 0;
}

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct server *sv = arg;

	sb->needs = SANDBOX_ACCEPT;
	sb->user = sv->conf->user;
	sb->max_files = (uint64_t)sv->conf->connections_max + FILES_EXTRA;
}

void
server_changed(struct server *sv)
{
	sv->version++;
}

void
server_put_url(const struct server *sv, struct buf *to)
{
	if (sv->conf->site_url[0])
		buf_put_c(to, sv->conf->site_url);
	else
		buf_printf(to, "https://%s", sv->conf->hostname);
}

/* Pages tell times: they do not get old without anything having changed. */
static void
on_minute(void *arg)
{
	struct server *sv = arg;

	loop_timer_set(sv->minute, MINUTE_MS);
	posts_tick(sv->posts);
	server_changed(sv);
}

static int
on_start(void *arg, UNUSED struct runtime *rt)
{
	struct server *sv = arg;

	sv->kit = page_kit_new();
	sv->checks = limits_new(
	    &(struct limits_config){ .rate_per_minute = CHECKS_A_MINUTE });
	sv->searches = limits_new(
	    &(struct limits_config){ .rate_per_minute = SEARCHES_A_MINUTE });
	sv->joins = limits_new(
	    &(struct limits_config){ .rate_per_minute = JOINS_A_MINUTE });
	sv->wrong_keys = limits_new(
	    &(struct limits_config){ .rate_per_minute = WRONG_KEYS_A_MINUTE });
	sv->wrong_keys_told = limits_new(
	    &(struct limits_config){ .rate_per_minute = TOLD_A_MINUTE });
	sv->runs = limits_new(
	    &(struct limits_config){ .rate_per_minute = RUNS_A_MINUTE });
	sv->site = site_new(sv);
	sv->posts = posts_new(sv);
	sv->windows = windows_new(sv);
	sv->documents = cache_new();
	sv->charts = charts_new(sv);
	sv->minute = loop_timer_new(sv->loop, on_minute, sv);
	loop_timer_set(sv->minute, MINUTE_MS);
	return 0;
}

static void
on_peer(void *arg, struct ipc_peer *p)
{
	struct server *sv = arg;

	if (sv->is_stopping)
		return;
	if (ipc_peer_role(p) == ROLE_WATCH)
		site_ask(sv->site);
	if (ipc_peer_role(p) == ROLE_STORE) {
		posts_load(sv->posts);
		windows_load(sv->windows);
	}
}

static void
on_config(void *arg, struct str snapshot)
{
	struct server *sv = arg;

	conf_take(&sv->conf, snapshot);
	load_tls(sv);
	front_configure(sv);
	server_changed(sv);
}

static void
on_listener(void *arg, enum service service, int fd)
{
	struct server *sv = arg;

	ports_listen(sv->ports, service, fd);
}

/* Of the tables that are kept here, or of one that a page asks about when
 * somebody looks at it. */
static bool
take_rows(struct server *sv, struct str body)
{
	struct msg_ledger_changed changed;

	if (!msg_ledger_changed_get(body, &changed))
		return false;
	if (changed.table == LEDGER_MAINTENANCE)
		return windows_changed(sv->windows, body);
	return changed.table != LEDGER_POST || posts_changed(sv->posts, body);
}

/* False: it is malformed, or none that comes here. */
static bool
take_message(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	if (m->type == MSG_WATCH_CHANGED) {
		site_ask(sv->site);
		return true;
	}
	if (m->type == MSG_ACME_CHALLENGE)
		return challenge_message(sv, p, m);
	if (m->type == MSG_SITE_MAKE)
		return copy_request(sv, p, m);
	return m->type == MSG_LEDGER_CHANGED && take_rows(sv, m->body);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	if (!take_message(arg, p, m))
		ipc_peer_close(p);
}

static void
on_peer_closed(void *arg, struct ipc_peer *p)
{
	if (ipc_peer_role(p) == ROLE_ACME)
		challenges_orphan(arg, ipc_peer_worker(p));
}

static void
quit(void *arg)
{
	struct server *sv = arg;

	reach_report_flush(ports_reach(sv->ports));
	runtime_quit(sv->rt);
}

static void
on_stop(void *arg)
{
	struct server *sv = arg;
	struct visit *v, *next;

	sv->is_stopping = true;
	ports_stop(sv->ports);
	for (v = LIST_FIRST(&sv->visits); v; v = next) {
		next = visit_next(v);
		visit_shutdown(v);
	}
	loop_timer_set(loop_timer_new(sv->loop, quit, sv),
	    ports_clients(sv->ports) > 0 ? STOP_AFTER_MS : 1);
}

int
web_main(void)
{
	static const struct ipc_handlers ipc = {
		.message = on_message,
		.closed = on_peer_closed,
	};
	static const struct runtime_role role = {
		.role = ROLE_WEB,
		.nice = WEB_NICE,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.peer = on_peer,
		.listener = on_listener,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct server sv = { 0 };
	int status;

	LIST_INIT(&sv.visits);
	status = runtime_main(&role, &sv);
	ports_free(sv.ports);
	site_free(sv.site);
	posts_free(sv.posts);
	windows_free(sv.windows);
	cache_free(sv.documents);
	search_free(sv.search);
	charts_free(sv.charts);
	page_kit_free(sv.kit);
	visitor_done(&sv);
	limits_free(sv.checks);
	limits_free(sv.joins);
	limits_free(sv.searches);
	limits_free(sv.wrong_keys);
	limits_free(sv.wrong_keys_told);
	limits_free(sv.runs);
	challenges_free(sv.challenges);
	tls_context_unref(sv.tls);
	conf_free(sv.conf);
	return status;
}
