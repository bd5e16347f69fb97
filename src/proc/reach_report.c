/* SPDX-License-Identifier: ISC */
/* reach_report.c - events of a front, in batches. See reach_report.h. */
#include "proc/reach_report.h"

#include "base/hash.h"
#include "base/metrics.h"

#include <netinet/in.h>

#define DOMAIN_MAX 255

_Static_assert(SERVICE_COUNT <= REACH_SERVICES, "services have their place");

struct reach_report {
	struct runtime *rt;
	struct loop_timer *timer;
	struct buf events;
	unsigned n;    /* in events */
	uint64_t lost; /* not told yet */
	bool is_wanted, is_armed;
};

static void
send_batch(struct reach_report *r)
{
	struct ipc_peer *watch = runtime_peer(r->rt, ROLE_WATCH);
	struct msg_reach_events m = { .lost = r->lost,
		.events = buf_str(&r->events) };
	struct buf body = BUF_INIT(KIB(32));

	if (watch == NULL || ipc_peer_backlog(watch) > REACH_BACKLOG_BYTES) {
		metric_add(M_REACH_LOST, r->n);
		r->lost += r->n;
	} else {
		msg_reach_events_put(&body, &m);
		ipc_notify(watch, MSG_REACH_EVENTS, 0, buf_str(&body), -1);
		r->lost = 0;
	}
	buf_done(&body);
	/* They hold addresses. */
	explicit_bzero(r->events.p, r->events.n);
	buf_reset(&r->events, REACH_BATCH * REACH_EVENT_BYTES);
	r->n = 0;
}

void
reach_report_flush(struct reach_report *r)
{
	if (r->n > 0)
		send_batch(r);
}

static void
on_timer(void *arg)
{
	struct reach_report *r = arg;

	r->is_armed = false;
	reach_report_flush(r);
}

struct reach_report *
reach_report_new(struct runtime *rt)
{
	struct reach_report *r = X_NEW(struct reach_report);

	r->rt = rt;
	r->timer = loop_timer_new(runtime_loop(rt), on_timer, r);
	buf_init(&r->events, REACH_BATCH * REACH_EVENT_BYTES);
	return r;
}

void
reach_report_free(struct reach_report *r)
{
	if (r == NULL)
		return;
	loop_timer_free(r->timer);
	buf_done_secret(&r->events);
	free(r);
}

void
reach_report_configure(struct reach_report *r, bool is_wanted)
{
	r->is_wanted = is_wanted;
}

static bool
set_address(struct reach_event *e, const struct sockaddr_storage *peer)
{
	const struct sockaddr_in *in4 = (const void *)peer;
	const struct sockaddr_in6 *in6 = (const void *)peer;
	bool is_mapped = peer->ss_family == AF_INET6 &&
	                 IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);

	if (peer->ss_family != AF_INET && peer->ss_family != AF_INET6)
		return false;
	e->family = peer->ss_family == AF_INET || is_mapped ? 4 : 6;
	if (peer->ss_family == AF_INET)
		memcpy(e->address, &in4->sin_addr, 4);
	else
		memcpy(e->address,
		    in6->sin6_addr.s6_addr + (is_mapped ? 12 : 0),
		    is_mapped ? 4 : 16);
	return true;
}

static void
add(struct reach_report *r, const struct reach_event *e)
{
	reach_event_put(&r->events, e);
	if (++r->n == REACH_BATCH)
		send_batch(r);
	else if (!r->is_armed)
		loop_timer_set(r->timer, REACH_BATCH_MS);
	r->is_armed = r->n > 0;
}

/* What explains most comes first. */
static enum reach_end
end_of(const struct reach_attempt *a, const struct conn_path *path,
    enum conn_end how)
{
	bool is_signed_in = a->is_signed_in || a->account != 0;

	if (a->is_banned && !is_signed_in)
		return REACH_END_BAN;
	if ((a->has_failed || a->has_failed_known) && !is_signed_in)
		return REACH_END_AUTH;
	if (a->is_well)
		return REACH_END_WELL;
	if (path->is_reset || how == CONN_END_RESET)
		return REACH_END_RESET;
	if (a->is_expired || how == CONN_END_TIMEOUT)
		return REACH_END_TIMEOUT;
	if (how == CONN_END_TLS)
		return REACH_END_TLS;
	if (how == CONN_END_LOCAL)
		return REACH_END_SERVER;
	return is_signed_in && !path->is_unanswered && !a->is_underway
	           ? REACH_END_WELL
	           : REACH_END_LEFT;
}

enum reach_end
reach_report_how(const struct reach_attempt *a, const struct conn_path *path,
    enum conn_end how, bool *ret_is_cut)
{
	enum reach_end end = end_of(a, path, how);

	switch (end) {
	case REACH_END_RESET:
		*ret_is_cut = true;
		break;
	case REACH_END_LEFT:
	case REACH_END_TIMEOUT:
		*ret_is_cut = path->is_unanswered || a->is_underway;
		break;
	case REACH_END_WELL:
	case REACH_END_TLS:
	case REACH_END_AUTH:
	case REACH_END_BAN:
	case REACH_END_LIMIT:
	case REACH_END_SERVER:
	case REACH_ENDS:
		*ret_is_cut = false;
		break;
	}
	return end;
}

uint64_t
reach_organisation(struct str login)
{
	char domain[DOMAIN_MAX];
	struct str name = STR_NONE;
	size_t n = 0;

	for (size_t i = 0; i < login.n; i++)
		if (login.p[i] == '@')
			name = str_from(login, i + 1);
	for (; n < name.n && n < sizeof(domain); n++)
		domain[n] = ascii_lower(name.p[n]);
	return n > 0 ? hash64(domain, n) : 0;
}

void
reach_report_end(struct reach_report *r, const struct reach_attempt *a,
    const struct conn *c, enum conn_end how)
{
	struct conn_path path = conn_path(c);
	struct reach_event e = { .service = (uint8_t)a->service,
		.port = a->port,
		.alert = path.alert,
		.own_alert = path.own_alert,
		.tls = (uint8_t)reach_tls_of(path.tls_version),
		.rtt_us = path.rtt_us,
		.retransmits = (uint16_t)MIN(path.retransmits, UINT16_MAX),
		.account = a->account,
		.organisation = a->organisation };
	bool is_cut;

	e.end = (uint8_t)reach_report_how(a, &path, how, &is_cut);
	if (!r->is_wanted || !set_address(&e, conn_peer_addr(c)))
		return;
	if (a->is_greeted)
		e.stages |= REACH_GREETED;
	if (path.had_tls)
		e.stages |= REACH_TLS;
	if (a->is_signed_in || a->account != 0)
		e.stages |= REACH_SIGNED_IN;
	if (a->is_known || a->has_failed_known)
		e.stages |= REACH_KNOWN;
	if (is_cut)
		e.stages |= REACH_CUT;
	add(r, &e);
}

void
reach_report_refused(struct reach_report *r, enum service service,
    uint16_t port, const struct sockaddr_storage *peer)
{
	struct reach_event e = { .service = (uint8_t)service,
		.port = port,
		.end = REACH_END_LIMIT };

	if (r->is_wanted && set_address(&e, peer))
		add(r, &e);
}

uint16_t
reach_report_port(int fd)
{
	struct sockaddr_storage at = { 0 };
	const struct sockaddr_in *in4 = (const void *)&at;
	const struct sockaddr_in6 *in6 = (const void *)&at;
	socklen_t n = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &n) < 0)
		return 0;
	if (at.ss_family == AF_INET)
		return ntohs(in4->sin_port);
	return at.ss_family == AF_INET6 ? ntohs(in6->sin6_port) : 0;
}
