/* SPDX-License-Identifier: ISC */
/* addresses.c - look up the addresses of a host. See addresses.h. */
#include "net/addresses.h"

#include <arpa/inet.h>

struct addresses {
	struct loop *loop;
	addresses_fn fn;
	void *arg;
	bool (*is_bad)(const struct sockaddr_storage *addr);
	uint16_t port;
	struct resolver_query *q4, *q6;
	struct sockaddr_storage v[CONNECT_ADDRS_MAX];
	size_t n;
	bool is_cancelled, has_trouble, has_bad;
};

static void
take(struct addresses *a, const struct sockaddr_storage *addr)
{
	if (a->is_bad != NULL && a->is_bad(addr))
		a->has_bad = true;
	else if (a->n < CONNECT_ADDRS_MAX)
		a->v[a->n++] = *addr;
}

static void
finish(void *arg)
{
	struct addresses *a = arg;
	const char *why = NULL;

	if (a->n == 0)
		why = a->has_trouble ? "its address could not be looked up"
		      : a->has_bad
		          ? "its name leads to an address of this machine or "
		            "network"
		          : "its name has no address";
	connect_interleave(a->v, a->n);
	if (!a->is_cancelled)
		a->fn(a->arg, a->v, a->n, why);
	free(a);
}

static void
take_answer(struct addresses *a, enum dns_type type, const struct dns_answer *d)
{
	struct sockaddr_storage addr;

	a->has_trouble |= d->status == DNS_TEMPFAIL || d->status == DNS_BOGUS;
	for (size_t i = 0; i < d->n; i++)
		if (dns_read_address(type, d->data[i], a->port, &addr))
			take(a, &addr);
	if (a->q4 == NULL && a->q6 == NULL)
		finish(a);
}

static void
on_a(void *arg, const struct dns_answer *d)
{
	struct addresses *a = arg;

	a->q4 = NULL;
	take_answer(a, DNS_A, d);
}

static void
on_aaaa(void *arg, const struct dns_answer *d)
{
	struct addresses *a = arg;

	a->q6 = NULL;
	take_answer(a, DNS_AAAA, d);
}

static bool
take_literal(struct addresses *a, const char *host)
{
	struct sockaddr_storage addr;
	struct in6_addr a6;
	struct in_addr a4;

	if (inet_pton(AF_INET, host, &a4) == 1)
		(void)!dns_read_address(
		    DNS_A, str_make(&a4, sizeof(a4)), a->port, &addr);
	else if (inet_pton(AF_INET6, host, &a6) == 1)
		(void)!dns_read_address(
		    DNS_AAAA, str_make(&a6, sizeof(a6)), a->port, &addr);
	else
		return false;
	take(a, &addr);
	loop_defer(a->loop, finish, a);
	return true;
}

struct addresses *
addresses_find(const struct addresses_wish *wish, addresses_fn fn, void *arg)
{
	struct addresses *a = X_NEW(struct addresses);

	a->loop = wish->loop;
	a->fn = fn;
	a->arg = arg;
	a->is_bad = wish->is_bad;
	a->port = wish->port;
	if (take_literal(a, wish->host))
		return a;
	a->q6 = resolver_ask_within(
	    wish->resolver, wish->host, DNS_AAAA, wish->limit_ms, on_aaaa, a);
	a->q4 = resolver_ask_within(
	    wish->resolver, wish->host, DNS_A, wish->limit_ms, on_a, a);
	return a;
}

void
addresses_cancel(struct addresses *a)
{
	if (a == NULL)
		return;
	a->is_cancelled = true;
	if (a->q4 == NULL && a->q6 == NULL)
		return; /* a literal, which finish() frees */
	if (a->q4 != NULL)
		resolver_cancel(a->q4);
	if (a->q6 != NULL)
		resolver_cancel(a->q6);
	free(a);
}
