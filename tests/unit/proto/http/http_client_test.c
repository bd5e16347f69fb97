/* SPDX-License-Identifier: ISC */
/* http_client_test.c - who asks, behind proxies that are trusted or not. */
#include "../../test.h"
#include "base/buf.h"
#include "proto/http/http_client.h"

TEST(a_node_is_an_address_or_nothing)
{
	static const struct {
		const char *node, *want; /* NULL: no address */
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1:0", "192.0.2.1" },
		{ "192.0.2.1:65535", "192.0.2.1" },
		{ "192.0.2.1:_hidden", "192.0.2.1" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "[2001:db8::1]:4711", "2001:db8::1" },
		{ "[2001:db8::1]:_a.b-C9_", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "[::ffff:192.0.2.1]:80", "192.0.2.1" },
		{ "::", "::" },
		{ "", NULL },
		{ "unknown", NULL },
		{ "unknown:80", NULL },
		{ "_hidden", NULL },
		{ "_SEVKISEK", NULL },
		{ "unix:/run/web.sock", NULL },
		{ "unix:", NULL },
		{ "/run/web.sock", NULL },
		{ "localhost", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.256", NULL },
		{ "192.0.2.01", NULL },
		{ "0x7f.0.0.1", NULL },
		{ "3221225985", NULL },
		{ " 192.0.2.1", NULL },
		{ "192.0.2.1 ", NULL },
		{ "192.0.2.1:", NULL },
		{ "192.0.2.1:65536", NULL },
		{ "192.0.2.1:-1", NULL },
		{ "192.0.2.1:_", NULL },
		{ "192.0.2.1:_a/b", NULL },
		{ "192.0.2.1:000080", NULL },
		{ "192.0.2.1/32", NULL },
		{ "[192.0.2.1]", NULL },
		{ "[192.0.2.1]:80", NULL },
		{ "[2001:db8::1", NULL },
		{ "2001:db8::1]", NULL },
		{ "[]", NULL },
		{ "[", NULL },
		{ "]", NULL },
		{ ":", NULL },
		{ ":80", NULL },
		{ "[2001:db8::1]80", NULL },
		{ "[2001:db8::1]:", NULL },
		{ "[2001:db8::1]:x", NULL },
		{ "[[2001:db8::1]]", NULL },
		{ "fe80::1%eth0", NULL },
		{ "[fe80::1%25eth0]:80", NULL },
		{ "2001:db8::1::", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
		    NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char got[HTTP_ADDRESS_MAX] = "as before";
		bool is_one = http_node_address(str_c(cases[i].node), got);

		CHECK(is_one == (cases[i].want != NULL), cases[i].node);
		CHECK(strcmp(got, is_one ? cases[i].want : "as before") == 0,
		    cases[i].node);
	}
}

TEST(a_node_ends_where_it_ends)
{
	char got[HTTP_ADDRESS_MAX];

	assert_false(http_node_address(STR("192.0.2.1\0"), got));
	assert_false(http_node_address(STR("::1\0"), got));
	assert_true(http_node_address(str_first(STR("192.0.2.12"), 9), got));
	assert_string_equal(got, "192.0.2.1");
}

/* Those that begin with 10. or fd. */
static bool
is_trusted(UNUSED void *arg, const char *address)
{
	return strncmp(address, "10.", 3) == 0 ||
	       strncmp(address, "fd", 2) == 0;
}

/* By a head with these lines, over a connection from peer. */
static struct http_client
find(const char *peer, const char *fields, bool use_forwarded)
{
	const struct http_proxies proxies = { is_trusted, NULL, use_forwarded };
	struct buf head = BUF_INIT(HTTP_HEAD_MAX);
	struct http_client c = { .scheme = HTTP_SCHEME_TLS };
	struct http_request r;

	buf_printf(&head, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", fields);
	assert_int_equal(http_request_parse(buf_str(&head), &r), 0);
	snprintf(c.address, sizeof(c.address), "%s", peer);
	http_client_find(&r, &proxies, &c);
	buf_done(&head);
	return c;
}

#define XFF   "X-Forwarded-For: "
#define FWD   "Forwarded: "
#define END   "\r\n"
#define PROXY "10.0.0.1"

static const struct {
	const char *name, *peer, *fields, *want;
} x_cases[] = {
	{ "nothing said", PROXY, "", PROXY },
	{ "one", PROXY, XFF "192.0.2.1" END, "192.0.2.1" },
	{ "nobody we trust", "192.0.2.9", XFF "192.0.2.1" END, "192.0.2.9" },
	{ "what the client said is in front", PROXY,
	    XFF "198.51.100.1, 192.0.2.1" END, "192.0.2.1" },
	{ "over a proxy that is trusted", PROXY,
	    XFF "198.51.100.1, 192.0.2.1, 10.0.0.2" END, "192.0.2.1" },
	{ "a trusted address in front of one that is not", PROXY,
	    XFF "10.0.0.7, 192.0.2.1" END, "192.0.2.1" },
	{ "all trusted: the first", PROXY, XFF "10.0.0.3, fd00::2" END,
	    "10.0.0.3" },
	{ "in several lines", PROXY,
	    XFF "198.51.100.1" END "Accept: x" END XFF "192.0.2.1" END
		"x-forwarded-for: 10.0.0.2" END,
	    "192.0.2.1" },
	{ "empty members and blanks", PROXY, XFF " ,, 192.0.2.1\t, ," END,
	    "192.0.2.1" },
	{ "an empty field", PROXY, XFF END, PROXY },
	{ "with a port", PROXY, XFF "192.0.2.1:4711" END, "192.0.2.1" },
	{ "IPv6", "fd00::1", XFF "[2001:db8::1]:4711" END, "2001:db8::1" },
	{ "unknown", PROXY, XFF "198.51.100.1, unknown" END, PROXY },
	{ "rubbish behind a proxy", PROXY,
	    XFF "198.51.100.1, <script>, 10.0.0.2" END, "10.0.0.2" },
	{ "a mapped proxy", PROXY, XFF "192.0.2.1, ::ffff:10.0.0.2" END,
	    "192.0.2.1" },
	{ "the other field says nothing", PROXY, FWD "for=192.0.2.1" END,
	    PROXY },
	{ "quotes are of the other field", PROXY, XFF "\"192.0.2.1\"" END,
	    PROXY },
}, f_cases[] = {
	{ "nothing said", PROXY, "", PROXY },
	{ "one", PROXY, FWD "for=192.0.2.1" END, "192.0.2.1" },
	{ "in quotes", PROXY, FWD "FOR=\"192.0.2.1:80\"" END, "192.0.2.1" },
	{ "nobody we trust", "192.0.2.9", FWD "for=192.0.2.1" END,
	    "192.0.2.9" },
	{ "IPv6", PROXY,
	    FWD "For=\"[2001:db8::1]:4711\";by=_a;host=\"a,b;c\"" END,
	    "2001:db8::1" },
	{ "several", PROXY,
	    FWD "for=198.51.100.1;proto=http, for=192.0.2.1;by=10.0.0.2 ,, "
		"proto=https;for=10.0.0.2" END,
	    "192.0.2.1" },
	{ "in several lines", PROXY,
	    FWD "for=192.0.2.1" END FWD "for=10.0.0.2" END, "192.0.2.1" },
	{ "blanks around semicolons", PROXY,
	    FWD "proto=https ; for=192.0.2.1 ;" END, "192.0.2.1" },
	{ "escaped quotes", PROXY, FWD "host=\"a\\\"\";for=192.0.2.1" END,
	    "192.0.2.1" },
	{ "unknown", PROXY, FWD "for=198.51.100.1, for=unknown" END, PROXY },
	{ "hidden", PROXY, FWD "for=198.51.100.1, for=\"_gazonk\"" END, PROXY },
	{ "no for", PROXY, FWD "for=198.51.100.1, proto=https" END, PROXY },
	{ "twice", PROXY, FWD "for=198.51.100.1;for=192.0.2.1" END, PROXY },
	{ "empty", PROXY, FWD "for=198.51.100.1, for=\"\"" END, PROXY },
	{ "a port without quotes", PROXY, FWD "for=192.0.2.1:80" END, PROXY },
	{ "no value", PROXY, FWD "for=198.51.100.1, for" END, PROXY },
	{ "a blank before the value", PROXY, FWD "for= 192.0.2.1" END, PROXY },
	{ "a quote that is not closed", PROXY,
	    FWD "for=198.51.100.1;x=\", for=192.0.2.1" END, PROXY },
	{ "a quote that the proxy's own closes", PROXY,
	    FWD "for=198.51.100.1, x=\", for=\"192.0.2.1\"" END, PROXY },
	{ "nothing between two", PROXY,
	    FWD "for=\"10.0.0.2\"for=198.51.100.1" END, PROXY },
	{ "a malformed line is in front of a good one", PROXY,
	    FWD "for=198.51.100.1, \"" END FWD "for=192.0.2.1" END,
	    "192.0.2.1" },
	{ "and ends the walk", PROXY,
	    FWD "for=198.51.100.1, \"" END FWD "for=10.0.0.2" END, "10.0.0.2" },
	{ "the other field says nothing", PROXY, XFF "192.0.2.1" END, PROXY },
};

TEST(the_client_is_whom_the_last_trusted_proxy_names)
{
	for (size_t i = 0; i < ARRAY_LEN(x_cases); i++) {
		struct http_client c =
		    find(x_cases[i].peer, x_cases[i].fields, false);

		CHECK(strcmp(c.address, x_cases[i].want) == 0, x_cases[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(f_cases); i++) {
		struct http_client c =
		    find(f_cases[i].peer, f_cases[i].fields, true);

		CHECK(strcmp(c.address, f_cases[i].want) == 0, f_cases[i].name);
	}
}

#define XFP "X-Forwarded-Proto: "

TEST(the_scheme_is_that_of_the_way_to_the_proxy)
{
	static const struct {
		const char *peer, *fields;
		bool use_forwarded;
		enum http_scheme want;
	} cases[] = {
		{ PROXY, "", false, HTTP_SCHEME_UNTOLD },
		{ PROXY, XFP "https" END, false, HTTP_SCHEME_TLS },
		{ PROXY, XFP "HTTP" END, false, HTTP_SCHEME_PLAIN },
		{ PROXY, XFP "https" END XFP "http" END, false,
		    HTTP_SCHEME_PLAIN },
		{ PROXY, XFP "http, https" END, false, HTTP_SCHEME_TLS },
		{ PROXY, XFP "wss" END, false, HTTP_SCHEME_UNTOLD },
		{ PROXY, XFP "https, ftp" END, false, HTTP_SCHEME_UNTOLD },
		{ PROXY, XFP "https" END, true, HTTP_SCHEME_UNTOLD },
		{ "192.0.2.1", XFP "https" END, false, HTTP_SCHEME_UNTOLD },
		{ "192.0.2.1", FWD "for=192.0.2.2;proto=https" END, true,
		    HTTP_SCHEME_UNTOLD },
		{ PROXY, FWD "for=192.0.2.2;proto=https" END, true,
		    HTTP_SCHEME_TLS },
		{ PROXY, FWD "proto=https;for=unknown" END, true,
		    HTTP_SCHEME_TLS },
		{ PROXY, FWD "for=192.0.2.2;proto=\"http\"" END, true,
		    HTTP_SCHEME_PLAIN },
		/* what names the client counts */
		{ PROXY,
		    FWD "for=192.0.2.3;proto=http, for=192.0.2.2;proto=https, "
			"for=10.0.0.2;proto=http" END,
		    true, HTTP_SCHEME_TLS },
		{ PROXY, FWD "for=192.0.2.2, for=10.0.0.2;proto=https" END,
		    true, HTTP_SCHEME_UNTOLD },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_client c = find(
		    cases[i].peer, cases[i].fields, cases[i].use_forwarded);

		CHECK(c.scheme == cases[i].want, cases[i].fields);
	}
}

/* As many hops of trusted proxies as n, behind a client. */
static struct http_client
through(size_t n, bool use_forwarded)
{
	struct buf fields = BUF_INIT(KIB(12));
	struct http_client c;

	buf_printf(&fields, "%s192.0.2.1", use_forwarded ? FWD "for=" : XFF);
	for (size_t i = 0; i < n; i++)
		buf_printf(&fields, ",%s10.0.0.2", use_forwarded ? "for=" : "");
	buf_put_c(&fields, END);
	assert_false(fields.failed);
	c = find(PROXY, buf_c(&fields), use_forwarded);
	buf_done(&fields);
	return c;
}

TEST(a_long_list_is_followed_for_so_many_proxies)
{
	for (int f = 0; f < 2; f++) {
		struct http_client c = through(HTTP_HOPS_MAX - 1, f);

		assert_string_equal(c.address, "192.0.2.1");
		c = through(HTTP_HOPS_MAX, f);
		assert_string_equal(c.address, "10.0.0.2");
		c = through(600, f);
		assert_string_equal(c.address, "10.0.0.2");
	}
}

TEST_MAIN(UNIT(a_node_is_an_address_or_nothing),
    UNIT(a_node_ends_where_it_ends),
    UNIT(the_client_is_whom_the_last_trusted_proxy_names),
    UNIT(the_scheme_is_that_of_the_way_to_the_proxy),
    UNIT(a_long_list_is_followed_for_so_many_proxies))
