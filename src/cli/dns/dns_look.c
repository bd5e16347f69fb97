/* SPDX-License-Identifier: ISC */
/* dns_look.c - look-ups one after the other. See dns_look.h. */
#include "cli/dns/dns_look.h"

#include "base/hostname.h"
#include "conf/conf_resolver.h"

#include <arpa/inet.h>

#define WAIT_MS 30000

struct dns_look {
	struct loop *loop;
	struct loop_timer *timer;
	struct resolver *resolver;
	struct arena *arena;
	struct dns_answer *answer;
};

static void
on_time_over(void *arg)
{
	loop_stop(arg);
}

struct dns_look *
dns_look_new(const struct conf *c, char **ret_error)
{
	struct dns_look *l = X_NEW(struct dns_look);
	bool validates;

	l->loop = loop_new();
	l->timer = loop_timer_new(l->loop, on_time_over, l->loop);
	if (conf_resolver_new(c, l->loop, &l->resolver, &validates, ret_error) <
	    0) {
		dns_look_free(l);
		return NULL;
	}
	return l;
}

void
dns_look_free(struct dns_look *l)
{
	if (!l)
		return;
	if (l->resolver)
		resolver_free(l->resolver);
	loop_timer_free(l->timer);
	loop_free(l->loop);
	free(l);
}

static const char *
keep(struct arena *arena, const char *s)
{
	struct str copy;

	return arena_str(arena, str_c(s), &copy) ? copy.p : "";
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct dns_look *l = arg;
	struct str *data = arena_calloc(l->arena, a->n + 1, sizeof(*data));
	size_t n = 0;

	*l->answer = *a;
	while (data && n < a->n && arena_str(l->arena, a->data[n], &data[n]))
		n++;
	l->answer->data = data;
	l->answer->n = n;
	l->answer->name = keep(l->arena, a->name ? a->name : "");
	l->answer->why = keep(l->arena, a->why ? a->why : "");
	l->answer = NULL;
	loop_stop(l->loop);
}

void
dns_look_ask(struct dns_look *l, const char *name, enum dns_type type,
    struct arena *arena, struct dns_answer *ret)
{
	struct resolver_query *q;

	*ret = (struct dns_answer){
		.status = DNS_TEMPFAIL, .name = "", .why = "no answer in time"
	};
	l->arena = arena;
	l->answer = ret;
	q = resolver_ask(l->resolver, name, type, on_answer, l);
	loop_timer_set(l->timer, WAIT_MS);
	loop_run(l->loop);
	loop_timer_clear(l->timer);
	if (l->answer)
		resolver_cancel(q);
	l->answer = NULL;
}

/* --- hosts ------------------------------------------------------------------ */

/* Cut "host:port", "[address]:port" and what has no port. */
static bool
cut_port(struct str *host, uint16_t *port)
{
	ptrdiff_t colon = str_rfind(*host, ':'), close = str_find(*host, ']');
	uint32_t number = *port;
	struct str digits = STR_NONE;

	if (host->n && host->p[0] == '[' && close > 0) {
		if (colon > close)
			digits = str_from(*host, (size_t)colon + 1);
		*host = str_sub(*host, 1, (size_t)close - 1);
	} else if (colon > 0 && str_find(*host, ':') == colon) {
		digits = str_from(*host, (size_t)colon + 1);
		*host = str_first(*host, (size_t)colon);
	}
	if (digits.p && (!str_to_u32(digits, UINT16_MAX, &number) || !number))
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool
read_ip(const char *s, uint16_t port, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *in6 = (void *)to;
	struct sockaddr_in *in4 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, s, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
	} else if (inet_pton(AF_INET6, s, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
	}
	return to->ss_family != AF_UNSPEC;
}

static size_t
look_up(struct dns_look *l, const char *host, uint16_t port,
    struct sockaddr_storage to[DNS_LOOK_ADDRS], char **ret_error)
{
	static const enum dns_type types[] = { DNS_AAAA, DNS_A };
	const char *why = "it has no address";
	struct arena arena;
	size_t n = 0;

	arena_init(&arena, MIB(1));
	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		struct dns_answer a;

		dns_look_ask(l, host, types[t], &arena, &a);
		if (a.status == DNS_TEMPFAIL || a.status == DNS_BOGUS)
			why = a.why;
		for (size_t i = 0; i < a.n && n < DNS_LOOK_ADDRS; i++)
			n +=
			    dns_read_address(types[t], a.data[i], port, &to[n]);
	}
	if (n == 0)
		*ret_error = x_asprintf("%s: %s", host, why);
	arena_done(&arena);
	return n;
}

size_t
dns_look_host(struct dns_look *l, struct str host, uint16_t port,
    struct sockaddr_storage to[DNS_LOOK_ADDRS], char **ret_error)
{
	CLEANUP(freep) char *name = NULL;

	if (!cut_port(&host, &port)) {
		*ret_error =
		    x_asprintf("%.*s is no name of a server", STR_ARG(host));
		return 0;
	}
	name = str_dup(hostname_trim(host));
	if (read_ip(name, port, &to[0]))
		return 1;
	if (!hostname_is_valid(str_c(name))) {
		*ret_error = x_asprintf("%s is no name of a server", name);
		return 0;
	}
	return look_up(l, name, port, to, ret_error);
}
