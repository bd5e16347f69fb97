/* SPDX-License-Identifier: ISC */
/*
 * front.c - accept clients of IMAP and POP3. See front.h.
 */
#include "imap/front.h"

#include "imap/pop3.h"
#include "imap/session.h"
#include "net/limits.h"
#include "net/listener.h"

#include <unistd.h>

#define FRONT_LISTENERS 32

struct front {
	struct fronts *all;
	enum service service;
	struct listener *listener;
};

struct fronts {
	struct server *sv;
	struct limits *limits;
	struct front fronts[FRONT_LISTENERS];
	size_t n;
};

static struct limits_config
limits_of(const struct conf *c)
{
	return (struct limits_config){
		.connections = c->connections_per_ip,
		.rate_per_minute = c->connection_rate_per_ip,
	};
}

struct fronts *
fronts_new(struct server *sv)
{
	struct fronts *f = X_NEW(struct fronts);
	struct limits_config l = limits_of(sv->conf);

	f->sv = sv;
	f->limits = limits_new(&l);
	return f;
}

void
fronts_configure(struct fronts *f)
{
	struct limits_config l = limits_of(f->sv->conf);

	limits_configure(f->limits, &l);
}

void
fronts_stop(struct fronts *f)
{
	for (size_t i = 0; i < f->n; i++)
		listener_free(f->fronts[i].listener);
	f->n = 0;
}

void
fronts_free(struct fronts *f)
{
	if (!f)
		return;
	fronts_stop(f);
	limits_free(f->limits);
	free(f);
}

static bool
is_pop3(enum service s)
{
	return s == SERVICE_POP3 || s == SERVICE_POP3S;
}

/* One line, as far as the socket takes it; the client is not waited for. */
static void
turn_away(struct front *fr, int fd, const char *why)
{
	static const char imap[] =
	    "* BYE [UNAVAILABLE] Too many connections\r\n";
	static const char pop3[] = "-ERR [SYS/TEMP] Too many connections\r\n";
	const char *line = is_pop3(fr->service) ? pop3 : imap;

	log_event(is_pop3(fr->service) ? EV_POP3_LIMIT : EV_IMAP_LIMIT,
	    LC("service", service_name(fr->service)), LC("what", why));
	if (!service_is_implicit_tls(fr->service))
		(void)!send(fd, line, strlen(line), MSG_NOSIGNAL);
	(void)close(fd);
}

static void
on_accept(void *arg, int fd)
{
	struct front *fr = arg;
	struct server *sv = fr->all->sv;
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	struct conn_config cc = { .loop = sv->loop, .fd = fd };

	if (getpeername(fd, (struct sockaddr *)&addr, &len) < 0) {
		(void)close(fd);
		return;
	}
	if (sv->session_count >= sv->conf->connections_max) {
		turn_away(fr, fd, "connections of this worker");
		return;
	}
	if (service_is_implicit_tls(fr->service) && !sv->tls) {
		turn_away(fr, fd, "no certificate");
		return;
	}
	if (limits_enter(fr->all->limits, &addr, loop_now_ms(sv->loop)) !=
	    LIMITS_OK) {
		turn_away(fr, fd, "connections of this address");
		return;
	}
	sv->session_count++;
	metric_add(M_CONNECTIONS, 1);
	metric_set(M_SESSIONS, sv->session_count);
	if (service_is_implicit_tls(fr->service))
		cc.tls = sv->tls;
	if (is_pop3(fr->service))
		pop3_new(sv, &cc, fr->service);
	else
		imap_session_new(sv, &cc, fr->service);
}

void
fronts_listen(struct fronts *f, enum service service, int fd)
{
	struct front *fr;

	if (f->n == FRONT_LISTENERS || f->sv->is_stopping) {
		(void)close(fd);
		return;
	}
	fr = &f->fronts[f->n++];
	fr->all = f;
	fr->service = service;
	fr->listener = listener_new(f->sv->loop, fd, on_accept, fr);
}

void
front_released(struct fronts *f, const struct conn *c)
{
	ASSERT(f->sv->session_count > 0);
	f->sv->session_count--;
	metric_set(M_SESSIONS, f->sv->session_count);
	limits_leave(f->limits, conn_peer_addr(c));
}
