/* SPDX-License-Identifier: ISC */
/*
 * LINK: http
 *
 * http_client_fuzz.c - what a client writes into Forwarded and X-Forwarded-For.
 * Behind a proxy that adds a line, or a member of X-Forwarded-For, it is always
 * whom the proxy names; behind one that adds to its line of Forwarded, that or the
 * proxy, and never whom the client names. An address comes back as itself.
 * Without a proxy that is trusted nothing changes.
 */
#include "base/buf.h"
#include "proto/http/http_client.h"

#define PROXY  "10.0.0.1"
#define CLIENT "203.0.113.9"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

static bool
is_proxy(UNUSED void *arg, const char *address)
{
	return strncmp(address, "10.", 3) == 0;
}

/* By what stands in these fields of one name. */
static struct http_client
find(const char *peer, bool use_forwarded, struct str one, struct str two)
{
	const struct http_proxies proxies = { is_proxy, NULL, use_forwarded };
	struct str name =
	    use_forwarded ? STR("Forwarded") : STR("X-Forwarded-For");
	struct http_client c;
	struct http_request r;

	memset(&r, 0, sizeof(r));
	r.fields[r.n_fields++] = (struct http_field){ name, one };
	if (two.n > 0)
		r.fields[r.n_fields++] = (struct http_field){ name, two };
	snprintf(c.address, sizeof(c.address), "%s", peer);
	http_client_find(&r, &proxies, &c);
	return c;
}

static void
must_be(const struct http_client *c, const char *address)
{
	must(strcmp(c->address, address) == 0);
}

static void
must_be_one(const struct http_client *c)
{
	char again[HTTP_ADDRESS_MAX];

	must(http_node_address(str_c(c->address), again));
	must_be(c, again);
}

/* Behind a proxy that writes onto the client's own line. */
static struct http_client
added(bool use_forwarded, struct str in, const char *what)
{
	struct buf line = BUF_INIT(MIB(2));
	struct http_client c;

	buf_put_str(&line, in);
	buf_put_c(&line, what);
	c = find(PROXY, use_forwarded, buf_str(&line), STR_NONE);
	buf_done(&line);
	return c;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_make(data, n);
	struct http_client c;

	for (int f = 0; f < 2; f++) {
		c = find("192.0.2.77", f, in, STR_NONE);
		must_be(&c, "192.0.2.77");
		c = find(PROXY, f, in, STR_NONE);
		must_be_one(&c);
		c = find(PROXY, f, in, f ? STR("for=" CLIENT) : STR(CLIENT));
		must_be(&c, CLIENT);
	}
	c = added(false, in, ", " CLIENT);
	must_be(&c, CLIENT);
	c = added(true, in, ", for=" CLIENT);
	must(strcmp(c.address, CLIENT) == 0 || strcmp(c.address, PROXY) == 0);
	c = added(true, in, ", for=\"" CLIENT ":80\";proto=https");
	must(strcmp(c.address, CLIENT) == 0 || strcmp(c.address, PROXY) == 0);
	c = added(true, in, ", for=\"[2001:db8::9]\"");
	must(strcmp(c.address, "2001:db8::9") == 0 ||
	     strcmp(c.address, PROXY) == 0);
	return 0;
}
