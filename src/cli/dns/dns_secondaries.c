/* SPDX-License-Identifier: ISC */
/* dns_secondaries.c - do the other name servers have it? See dns_zone.h. */
#include "cli/dns/dns_zone.h"

#include "net/connect.h"

#include <time.h>

#define SERVERS_MAX   20 /* of a zone that are asked */
#define PORT          53
#define ARENA_MAX     MIB(1)
#define STATE_LEN_MAX 200

struct secondary {
	char *host;
	struct dns_server server;
	bool is_current;
	char state[STATE_LEN_MAX];
};

struct secondaries {
	struct secondary v[SERVERS_MAX];
	size_t n;
};

/* Serial numbers go round (RFC 1982). */
static bool
is_as_new(uint32_t serial, uint32_t wanted)
{
	return serial - wanted < UINT32_C(1) << 31;
}

static bool
is_primary(const struct dns_server *primary, const struct sockaddr_storage *a)
{
	char one[INET6_ADDRSTRLEN], other[INET6_ADDRSTRLEN];

	connect_ip(a, one);
	for (size_t i = 0; i < primary->n_addrs; i++) {
		connect_ip(&primary->addrs[i], other);
		if (str_eq(str_c(one), str_c(other)))
			return true;
	}
	return false;
}

static void
add_host(struct secondaries *all, const struct dns_server *primary,
    struct dns_look *l, struct str host)
{
	struct sockaddr_storage addrs[DNS_LOOK_ADDRS];
	struct secondary *one = &all->v[all->n];
	CLEANUP(freep) char *error = NULL;
	size_t n = dns_look_host(l, host, PORT, addrs, &error);

	for (size_t i = 0; i < n; i++)
		if (is_primary(primary, &addrs[i]))
			return;
	*one = (struct secondary){ .host = str_dup(host) };
	dns_server_init(&one->server, NULL, addrs, n);
	snprintf(
	    one->state, sizeof(one->state), "%s", error ? error : "not asked");
	all->n++;
}

static void
find_hosts(struct secondaries *all, struct dns_server *primary,
    const struct dns_zone *z, struct dns_look *l)
{
	struct dns_said_what w;
	struct arena arena;

	arena_init(&arena, ARENA_MAX);
	if (dns_server_ask(primary, str_c(z->name), DNSUPDATE_TYPE_NS, &arena,
		&w) != DNS_SAID)
		w.reply.n_answer = 0;
	for (size_t i = 0; i < w.reply.n_answer && all->n < SERVERS_MAX; i++) {
		struct buf host = BUF_INIT(DNSUPDATE_TEXT_MAX);
		size_t at = 0;

		if (w.reply.answer[i].type == DNSUPDATE_TYPE_NS &&
		    dnsupdate_name_read(w.reply.answer[i].data, &at, &host))
			add_host(all, primary, l, buf_str(&host));
		buf_done(&host);
	}
	free(w.error);
	arena_done(&arena);
}

static void
ask(struct secondary *one, const struct dns_zone *z)
{
	struct buf primary = BUF_INIT(DNSUPDATE_TEXT_MAX);
	struct dns_said_what w;
	struct arena arena;
	uint32_t serial;

	arena_init(&arena, ARENA_MAX);
	if (dns_server_ask(&one->server, str_c(z->name), DNSUPDATE_TYPE_SOA,
		&arena, &w) != DNS_SAID) {
		snprintf(one->state, sizeof(one->state), "%s", w.error);
	} else if (w.reply.n_answer == 0 ||
		   w.reply.answer[0].type != DNSUPDATE_TYPE_SOA ||
		   !dnsupdate_read_soa(
		       w.reply.answer[0].data, &primary, &serial)) {
		snprintf(one->state, sizeof(one->state),
		    "it does not serve the zone");
	} else {
		one->is_current = is_as_new(serial, z->serial);
		snprintf(one->state, sizeof(one->state), "serial %u", serial);
	}
	free(w.error);
	dns_server_close(&one->server);
	buf_done(&primary);
	arena_done(&arena);
}

size_t
dns_zone_secondaries(struct dns_server *primary, const struct dns_zone *z,
    struct dns_look *l, uint32_t wait_s, dns_secondary_fn fn, void *arg)
{
	const struct timespec pause = { .tv_nsec = 500000000 };
	struct secondaries all = { 0 };
	time_t until = time(NULL) + wait_s;
	size_t behind;

	find_hosts(&all, primary, z, l);
	for (;;) {
		behind = 0;
		for (size_t i = 0; i < all.n; i++) {
			if (!all.v[i].is_current && all.v[i].server.n_addrs)
				ask(&all.v[i], z);
			behind += !all.v[i].is_current;
		}
		if (behind == 0 || time(NULL) >= until)
			break;
		nanosleep(&pause, NULL);
	}
	for (size_t i = 0; i < all.n; i++) {
		fn(arg, all.v[i].host, all.v[i].state, all.v[i].is_current);
		free(all.v[i].host);
	}
	return behind;
}
