/* SPDX-License-Identifier: ISC */
/*
 * main.c - the watch role: is everything up that should be?
 *
 * It reads what strangers' servers answer, so of files it has its own folder of
 * history only; it knows no accounts and no mail, but passwords of the
 * accounts that checks sign in with.
 */
#include "watch/watch.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "conf/conf_resolver.h"
#include "net/http_client.h"
#include "watch/alert/alert.h"
#include "watch/news/auto_post.h"
#include "watch/news/bounces.h"
#include "watch/news/news.h"
#include "watch/outbox/outbox.h"
#include "watch/outbox/smtp_line.h"
#include "watch/probe/ping.h"
#include "watch/place/places.h"
#include "watch/reach/reach.h"
#include "watch/outbox/relays.h"
#include "watch/server.h"

#include <time.h>

#define FILES_EXTRA 1024
#define TICK_MS     1000
/* To finish what is being handed over. */
#define LEAVE_MS      1500
#define LEAVE_STEP_MS 20

static uint64_t
clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		die("clock: %s", strerror(errno));
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
server_now_ms(void)
{
	return clock_us(CLOCK_BOOTTIME) / 1000;
}

uint64_t
server_now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

uint64_t
server_wall_ms(const struct server *sv, uint64_t at_ms)
{
	return loop_time_ms(sv->loop) - server_now_ms() + at_ms;
}

uint32_t
server_random(uint32_t below)
{
	return below > 0 ? secret_random_u32() % below : 0;
}

void
server_put_site(const struct server *sv, struct buf *to)
{
	const struct conf *c = sv->conf;

	if (c->site_url[0] != '\0')
		buf_put_c(to, c->site_url);
	else
		buf_printf(to, "https://%s", c->hostname);
}

bool
server_has_site(const struct server *sv)
{
	const struct conf *c = sv->conf;

	for (size_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].service == SERVICE_HTTPS ||
		    c->listeners[i].service == SERVICE_HTTP)
			return true;
	return c->site_url[0] != '\0';
}

/* --- configuration --------------------------------------------------------- */

/* The supervisor made the folder, as root also for our user. */
static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *sv = arg;
	int r;

	sv->rt = rt;
	sv->loop = runtime_loop(rt);
	conf_take(&sv->conf, snapshot);
	sv->dir = x_asprintf("%s/watch", sv->conf->data_dir);
	sv->tls = tls_client_context_of(sv->conf->watch_ca_file);
	sv->ping = ping_new(sv->loop);
	sv->reach = reach_new(sv);
	sv->suffixes = suffixes_load();
	sv->relays = relays_new(sv->conf->watch_relay_logins);
	r = conf_resolver_start(
	    sv->conf, sv->loop, "watch", &sv->resolver, &sv->validates);
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

	sb->needs = SANDBOX_FILES | SANDBOX_THREADS | SANDBOX_CONNECT;
	sb->paths[sb->path_count++] = (struct sandbox_path){ sv->dir, true };
	sb->user = sv->conf->user;
	sb->max_files = SERVER_PROBES_MAX + FILES_EXTRA;
}

/* --- life -------------------------------------------------------------------- */

static void
on_tick(void *arg)
{
	struct server *sv = arg;

	schedule_tick(sv);
	absence_tick(sv->absence);
	reach_tick(sv->reach);
	alert_tick(sv);
	relays_tick(sv);
	outbox_tick(sv->outbox);
	news_tick(sv->news);
	auto_post_tick(sv->auto_post);
	bounces_tick(sv->bounces);
	places_tick(sv, server_now_ms());
	calls_tick(sv, server_now_ms());
	loop_timer_set(sv->tick, TICK_MS);
}

static int
on_start(void *arg, UNUSED struct runtime *rt)
{
	struct server *sv = arg;

	sv->places = places_new(sv);
	sv->calls = calls_new();
	sv->lates = lates_new(sv);
	sv->mirror = mirror_new(sv);
	sv->site = site_new(sv);
	sv->lines = smtp_lines_new(sv->loop);
	sv->outbox = outbox_new(sv);
	sv->news = news_new(sv);
	sv->auto_post = auto_post_new(sv);
	sv->bounces = bounces_new(sv);
	sv->uplink = uplink_new(sv);
	sv->absence = absence_new(sv);
	ping_start(sv->ping);
	reach_start(sv->reach);
	sv->ticked_ms = server_now_ms();
	sv->tick = loop_timer_new(sv->loop, on_tick, sv);
	loop_timer_set(sv->tick, TICK_MS);
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	struct server *sv = arg;

	conf_take(&sv->conf, snapshot);
	smtp_lines_rest(sv->lines);
	reach_configure(sv->reach);
	watched_configure(sv);
}

static void
on_peer(void *arg, struct ipc_peer *p)
{
	struct server *sv = arg;

	if (ipc_peer_role(p) == ROLE_WEB)
		site_add_web(sv->site, p);
	if (ipc_peer_role(p) != ROLE_STORE || sv->is_stopping)
		return;
	ledger_mirror_load(sv->mirror);
	reach_load(sv->reach);
	outbox_load(sv->outbox);
	news_load(sv->news);
	auto_post_load(sv->auto_post);
	bounces_load(sv->bounces);
}

static bool
take_change(struct server *sv, struct str body)
{
	struct msg_ledger_changed c;

	if (!msg_ledger_changed_get(body, &c))
		return false;
	if (c.table == LEDGER_OUTBOX)
		return outbox_changed(sv->outbox, &c);
	if (c.table == LEDGER_SIGNAL || c.table == LEDGER_BREAKER)
		return reach_changed(sv->reach, body);
	if (c.table == LEDGER_BOUNCE)
		return bounces_changed(sv->bounces, &c);
	if (c.table == LEDGER_POST) {
		auto_post_changed(sv->auto_post, &c);
		return news_changed(sv->news, &c);
	}
	/* Whom they go to is read when it is wanted. */
	if (c.table == LEDGER_SUBSCRIBER)
		return true;
	return ledger_mirror_changed(sv->mirror, body);
}

static bool
take_message(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	if (m->type == MSG_LEDGER_CHANGED)
		return take_change(sv, m->body);
	if (m->type == MSG_AGENT_CALL)
		return calls_request(sv, p, m);
	if (m->type == MSG_WATCH_SITE || m->type == MSG_WATCH_STATE)
		return site_message(sv->site, p, m);
	if (m->type == MSG_WATCH_CHART)
		return chart_request(sv, p, m);
	if (reach_is_message(m->type))
		return reach_message(sv->reach, p, m);
	return list_request(sv, p, m);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	if (!take_message(arg, p, m))
		ipc_peer_close(p);
}

/* What a receiver has taken shall not be sent again by the next one of us; but
 * nobody waits long for a receiver, or for a store that is gone. */
static void
on_leave(void *arg)
{
	struct server *sv = arg;

	if (outbox_is_idle(sv->outbox) ||
	    runtime_peer(sv->rt, ROLE_STORE) == NULL ||
	    server_now_ms() > sv->stopped_ms + LEAVE_MS)
		runtime_quit(sv->rt);
	else
		loop_timer_set(sv->leave, LEAVE_STEP_MS);
}

static void
on_stop(void *arg)
{
	struct server *sv = arg;

	sv->is_stopping = true;
	absence_note(sv->absence);
	smtp_lines_rest(sv->lines);
	ledger_mirror_stop(sv->mirror);
	reach_stop(sv->reach);
	lates_flush(sv);
	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];
		const struct watch_check *c = watched_state(w);

		schedule_spend(
		    w, watch_state_settled_ms(&c->state, server_now_ms()));
		history_close(TAKE_PTR(w->history));
	}
	sv->stopped_ms = server_now_ms();
	sv->leave = loop_timer_new(sv->loop, on_leave, sv);
	on_leave(sv);
}

int
watch_main(void)
{
	static const struct ipc_handlers ipc = { .message = on_message };
	static const struct runtime_role role = {
		.role = ROLE_WATCH,
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
