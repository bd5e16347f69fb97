/* SPDX-License-Identifier: ISC */
/*
 * uplink.c - has this machine a way to the Internet at all?
 *
 * Asked when something fails: TCP connections to the addresses of
 * watch.uplink, all at once; one that opens is enough. Failures wait for the
 * answer, so that a watcher that is cut off says "unknown" and not "down". Once
 * it is back, operators are told what time they know nothing about.
 */
#include "base/log.h"
#include "net/connect.h"
#include "watch/alert/alert.h"
#include "watch/outbox/outbox.h"
#include "watch/server.h"

#include <arpa/inet.h>

#define UPLINKS_MAX 8
#define LIMIT_MS    3000
#define AGAIN_MS    10000 /* while there is none */
#define TOLD_MS     60000 /* shorter is not worth a message */

struct uplink {
	struct server *sv;
	struct connect *attempts[UPLINKS_MAX];
	size_t n_running;
	bool is_testing, has_way;
	bool was_lost;
	uint64_t began_ms; /* the test */
	uint64_t lost_ms;
	struct loop_timer *again;
};

static void
on_again(void *arg)
{
	uplink_test(arg);
}

struct uplink *
uplink_new(struct server *sv)
{
	struct uplink *u = X_NEW(struct uplink);

	u->sv = sv;
	u->again = loop_timer_new(sv->loop, on_again, u);
	return u;
}

bool
uplink_is_wanted(const struct uplink *u)
{
	return u->sv->conf->watch_uplink[0] != '\0';
}

static void
change(struct uplink *u)
{
	struct server *sv = u->sv;
	uint64_t now = server_now_ms();

	u->was_lost = !u->has_way;
	log_event(EV_WATCH_UPLINK, LC("state", u->has_way ? "back" : "lost"));
	if (u->was_lost) {
		u->lost_ms = u->began_ms;
		return;
	}
	/* An agent tells people nothing. */
	if (sv->agent != NULL)
		return;
	if (now - u->lost_ms >= TOLD_MS)
		alert_absence(sv, server_wall_ms(sv, u->lost_ms),
		    server_wall_ms(sv, now),
		    "this machine had no way to the Internet");
	outbox_hurry(sv->outbox);
}

static void
tell(void *arg)
{
	struct uplink *u = arg;

	u->is_testing = false;
	if (u->has_way == u->was_lost)
		change(u);
	if (u->was_lost)
		loop_timer_set(u->again, AGAIN_MS);
	schedule_release(u->sv, u->has_way);
}

static void
on_connected(void *arg, const struct connect_result *r)
{
	struct uplink *u = arg;
	int fd = r->fd;

	u->has_way |= fd >= 0;
	closep(&fd);
	if (--u->n_running == 0)
		loop_defer(u->sv->loop, tell, u);
}

static bool
read_address(struct str line, struct sockaddr_storage *ret)
{
	struct in6_addr a6;
	struct in_addr a4;
	char text[INET6_ADDRSTRLEN];
	struct str host;
	uint16_t port;

	if (!status_host_port(line, &host, &port) || host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	port = port != 0 ? port : 443;
	if (inet_pton(AF_INET, text, &a4) == 1)
		return dns_read_address(
		    DNS_A, str_make(&a4, sizeof(a4)), port, ret);
	return inet_pton(AF_INET6, text, &a6) == 1 &&
	       dns_read_address(DNS_AAAA, str_make(&a6, sizeof(a6)), port, ret);
}

void
uplink_test(struct uplink *u)
{
	struct str line, list = str_c(u->sv->conf->watch_uplink);
	struct sockaddr_storage addrs[UPLINKS_MAX];
	size_t n = 0;

	if (u->is_testing)
		return;
	u->is_testing = true;
	u->has_way = false;
	u->began_ms = server_now_ms();
	while (list.n > 0 && n < UPLINKS_MAX) {
		list = str_split(list, '\n', &line);
		n += read_address(line, &addrs[n]);
	}
	u->n_running = n;
	for (size_t i = 0; i < n; i++) {
		struct connect_config config = { .loop = u->sv->loop,
			.addrs = &addrs[i],
			.n = 1,
			.limit_ms = LIMIT_MS };

		u->attempts[i] = connect_new(&config, on_connected, u);
	}
	if (n == 0)
		loop_defer(u->sv->loop, tell, u);
}
