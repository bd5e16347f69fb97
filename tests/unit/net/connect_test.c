/* SPDX-License-Identifier: ISC */
/*
 * connect_test.c - connecting to one of several addresses on loopback: the
 * living one wins, however many dead and silent ones stand before it.
 */
#include "../test.h"

#include "net/connect.h"
#include "net/resolver.h"

#include <arpa/inet.h>
#include <unistd.h>

struct fixture {
	struct loop *loop;
	struct connect_result result;
	int calls;
};

static void
on_result(void *arg, const struct connect_result *r)
{
	struct fixture *f = arg;

	f->result = *r;
	f->calls++;
	loop_stop(f->loop);
}

static struct sockaddr_storage
address(const char *ip, uint16_t port)
{
	struct sockaddr_storage s = { 0 };
	struct in6_addr a;
	bool is_v6 = strchr(ip, ':') != NULL;

	inet_pton(is_v6 ? AF_INET6 : AF_INET, ip, &a);
	CHECK(dns_read_address(is_v6 ? DNS_AAAA : DNS_A,
		  str_make(&a, is_v6 ? 16 : 4), port, &s),
	    "address");
	return s;
}

/* A listener, or with backlog 0 and a full queue one that never answers. */
static int
listen_on(const char *ip, uint16_t *ret_port)
{
	struct sockaddr_storage s = address(ip, 0);
	struct sockaddr_in *in = (void *)&s;
	socklen_t n = sizeof(s);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (void *)&s, sizeof(*in)) == 0, "bind");
	CHECK(listen(fd, 0) == 0, "listen");
	CHECK(getsockname(fd, (void *)&s, &n) == 0, "name");
	*ret_port = ntohs(in->sin_port);
	return fd;
}

static void
run(struct fixture *f, struct sockaddr_storage *addrs, size_t n)
{
	struct connect_config config = { .loop = f->loop,
		.addrs = addrs,
		.n = n,
		.next_ms = 50,
		.limit_ms = 600 };

	connect_new(&config, on_result, f);
	loop_run(f->loop);
	CHECK(f->calls == 1, "told once");
}

TEST(refused_addresses_are_passed_over)
{
	struct fixture f = { .loop = loop_new() };
	struct sockaddr_storage addrs[3];
	uint16_t port;
	int fd = listen_on("127.0.0.1", &port);

	/* Nobody listens on 127.0.0.2 and 127.0.0.3. */
	addrs[0] = address("127.0.0.2", port);
	addrs[1] = address("127.0.0.3", port);
	addrs[2] = address("127.0.0.1", port);
	run(&f, addrs, 3);
	CHECK(f.result.fd >= 0, "connected");
	CHECK(memcmp(&f.result.addr, &addrs[2], sizeof(addrs[2])) == 0,
	    "to the living one");
	close(f.result.fd);
	close(fd);
	loop_free(f.loop);
}

/* Fill a listener's queue, so that the kernel answers no more. */
static void
fill(const struct sockaddr_storage *addr, int fds[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fds[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(
		    fds[i], (const void *)addr, sizeof(struct sockaddr_in));
	}
	usleep(20000);
}

TEST(a_silent_address_costs_a_moment)
{
	struct fixture f = { .loop = loop_new() };
	struct sockaddr_storage addrs[2];
	uint16_t silent_port, port;
	int silent = listen_on("127.0.0.2", &silent_port);
	int fd = listen_on("127.0.0.1", &port);
	uint64_t began = loop_now_ms(f.loop), took;
	int fds[4];

	addrs[0] = address("127.0.0.2", silent_port);
	addrs[1] = address("127.0.0.1", port);
	fill(&addrs[0], fds, ARRAY_LEN(fds));
	run(&f, addrs, 2);
	took = loop_now_ms(f.loop) - began;
	CHECK(f.result.fd >= 0, "connected");
	CHECK(took >= 50 && took < 400, "after a moment");
	close(f.result.fd);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	close(silent);
	close(fd);
	loop_free(f.loop);
}

TEST(all_dead_is_an_error)
{
	struct fixture f = { .loop = loop_new() };
	struct sockaddr_storage addrs[2];
	uint16_t port;
	int fd = listen_on("127.0.0.1", &port);

	addrs[0] = address("127.0.0.2", port);
	addrs[1] = address("127.0.0.3", port);
	run(&f, addrs, 2);
	CHECK(f.result.fd < 0 && f.result.error == ECONNREFUSED, "refused");
	close(fd);
	loop_free(f.loop);
}

TEST(all_silent_is_a_time_out)
{
	struct fixture f = { .loop = loop_new() };
	struct sockaddr_storage addr;
	uint16_t port;
	int fd = listen_on("127.0.0.2", &port), fds[4];

	addr = address("127.0.0.2", port);
	fill(&addr, fds, ARRAY_LEN(fds));
	run(&f, &addr, 1);
	CHECK(f.result.fd < 0 && f.result.error == ETIMEDOUT, "time-out");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	close(fd);
	loop_free(f.loop);
}

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

TEST(a_cancelled_attempt_says_nothing)
{
	struct fixture f = { .loop = loop_new() };
	struct sockaddr_storage addr = address("127.0.0.2", 9);
	struct connect_config config = {
		.loop = f.loop, .addrs = &addr, .n = 1, .limit_ms = 50
	};
	struct loop_timer *t = loop_timer_new(f.loop, stop_loop, f.loop);

	connect_cancel(connect_new(&config, on_result, &f));
	loop_timer_set(t, 100);
	loop_run(f.loop);
	CHECK(f.calls == 0, "silent");
	loop_timer_free(t);
	loop_free(f.loop);
}

TEST(families_take_turns)
{
	struct sockaddr_storage a[5] = { address("192.0.2.1", 25),
		address("192.0.2.2", 25), address("192.0.2.3", 25),
		address("2001:db8::1", 25), address("2001:db8::2", 25) };
	char ip[INET6_ADDRSTRLEN];

	connect_interleave(a, 5);
	CHECK(a[0].ss_family == AF_INET6 && a[1].ss_family == AF_INET &&
		  a[2].ss_family == AF_INET6 && a[3].ss_family == AF_INET &&
		  a[4].ss_family == AF_INET,
	    "in turn");
	connect_ip(&a[1], ip);
	CHECK(strcmp(ip, "192.0.2.1") == 0, "in order");
	connect_ip(&a[2], ip);
	CHECK(strcmp(ip, "2001:db8::2") == 0, "in order");
}

TEST(local_addresses_are_known)
{
	static const char *const local[] = { "127.0.0.1", "127.255.0.1",
		"0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.1.1", "::1",
		"::", "ff02::1", "fe80::1", "::ffff:127.0.0.1" };
	static const char *const others[] = { "192.0.2.1", "10.0.0.1",
		"2001:db8::1", "::ffff:192.0.2.1" };
	struct sockaddr_storage a;

	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		a = address(local[i], 25);
		CHECK(connect_is_local(&a), local[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		a = address(others[i], 25);
		CHECK(!connect_is_local(&a), others[i]);
	}
}

TEST(mx_data_is_checked)
{
	char host[DNS_NAME_MAX + 1] = "untouched";
	uint16_t pref = 0;

	CHECK(dns_read_mx(str_make("\0\12\2MX\7Example\0", 14), &pref, host) &&
		  pref == 10 && strcmp(host, "mx.example") == 0,
	    "lower case");
	CHECK(dns_read_mx(str_make("\0\0\0", 3), &pref, host) && !host[0],
	    "the root");
	CHECK(!dns_read_mx(str_make("\0\12", 2), &pref, host), "cut");
	CHECK(!dns_read_mx(str_make("\0\12\2mx", 5), &pref, host), "no end");
	CHECK(!dns_read_mx(str_make("\0\12\5mx\0", 6), &pref, host), "long");
	CHECK(!dns_read_mx(str_make("\0\12\300\14\0", 5), &pref, host),
	    "pointer");
	CHECK(!dns_read_mx(str_make("\0\12\3a b\0", 7), &pref, host), "blank");
	CHECK(!dns_read_mx(str_make("\0\12\3a.b\0", 7), &pref, host),
	    "a dot within a label");
	CHECK(!dns_read_mx(str_make("\0\12\1a\0x", 6), &pref, host), "more");
}

TEST(private_networks_are_known_in_every_disguise)
{
	static const char *const ours[] = { "127.0.0.1", "10.1.2.3",
		"100.64.0.1", "100.127.255.255", "172.16.0.1", "172.31.255.255",
		"192.168.1.1", "169.254.169.254", "192.0.0.8", "198.19.0.1",
		"0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fc00::1", "fdff::1",
		"fec0::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
		"64:ff9b::192.168.0.1", "2002:0a00:0001::1", "::10.0.0.1",
		"64:ff9b:1::808:808", "64:ff9b:1:fffe::1" };
	static const char *const others[] = { "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1",
		"192.167.0.1", "192.0.1.1", "198.17.0.1", "8.8.8.8",
		"2001:4860::1", "64:ff9b::8.8.8.8", "64:ff9b:2::1",
		"2002:0808:0808::1", "::ffff:8.8.8.8" };
	struct sockaddr_storage a;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		a = address(ours[i], 1);
		CHECK(connect_is_private(&a), ours[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		a = address(others[i], 1);
		CHECK(!connect_is_private(&a), others[i]);
	}
}

TEST(hosts_say_themselves_that_they_are_private)
{
	static const char *const ours[] = { "127.0.0.1", "10.1.2.3", "::1",
		"[::1]", "[fd00::1]", "::ffff:192.168.1.1", "localhost",
		"LOCALHOST.", "a.localhost", "0.0.0.0" };
	static const char *const others[] = { "", "example.org", "192.0.2.1x",
		"8.8.8.8", "[2600::1]", "notlocalhost", "localhost.example",
		".localhost.example", "1", "[]" };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		CHECK(connect_host_is_private(str_c(ours[i])), ours[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		CHECK(!connect_host_is_private(str_c(others[i])), others[i]);
}

TEST_MAIN(UNIT(private_networks_are_known_in_every_disguise),
    UNIT(hosts_say_themselves_that_they_are_private),
    UNIT(refused_addresses_are_passed_over),
    UNIT(a_silent_address_costs_a_moment), UNIT(all_dead_is_an_error),
    UNIT(all_silent_is_a_time_out), UNIT(a_cancelled_attempt_says_nothing),
    UNIT(families_take_turns), UNIT(local_addresses_are_known),
    UNIT(mx_data_is_checked))
