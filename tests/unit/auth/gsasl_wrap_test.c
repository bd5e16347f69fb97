/* SPDX-License-Identifier: ISC */
/*
 * gsasl_wrap_test.c - SASL exchanges with libgsasl's client, and the rules of
 * channel binding with messages made by hand.
 */
#include "../test.h"
#include "auth/gsasl_wrap.h"
#include "auth/scram.h"

#include <gsasl.h>

static const struct sasl_binding no_binding = { STR_NONE, STR_NONE };
static const struct sasl_binding exporter = { { "tls-exporter", 12 },
	{ "0123456789abcdef0123456789abcdef", 32 } };

static enum sasl_step
step(struct sasl_server *s, struct str in, struct buf *out)
{
	struct sasl_input i = { in.p != NULL, in };

	buf_reset(out, 0);
	return sasl_server_step(s, &i, out);
}

static struct sasl_server *
server(const char *mech, const struct sasl_binding *b)
{
	enum sasl_mech m;

	CHECK(sasl_mech_from_name(str_c(mech), &m), mech);
	return sasl_server_new(m, b);
}

TEST(plain)
{
	static const struct {
		const char *name;
		struct str in;
		enum sasl_step want;
	} cases[] = {
		{ "good", { "\0alice\0secret", 13 }, SASL_HAS_PASSWORD },
		{ "as itself", { "alice\0alice\0secret", 18 },
		    SASL_HAS_PASSWORD },
		/* What counts failures must not be misled by it. */
		{ "in capitals", { "\0Alice\0secret", 13 }, SASL_HAS_PASSWORD },
		{ "as another", { "bob\0alice\0secret", 16 }, SASL_WRONG },
		{ "no password", { "\0alice\0", 7 }, SASL_SYNTAX },
		{ "no login", { "\0\0secret", 8 }, SASL_SYNTAX },
		{ "one NUL", { "alice\0secret", 12 }, SASL_SYNTAX },
		{ "three NULs", { "\0alice\0secret\0", 14 }, SASL_SYNTAX },
		{ "no response yet", { NULL, 0 }, SASL_CHALLENGE },
	};
	struct buf out = BUF_INIT(SASL_OUT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sasl_server *s = server("PLAIN", &no_binding);

		CHECK(
		    step(s, cases[i].in, &out) == cases[i].want, cases[i].name);
		CHECK(out.n == 0, "nothing to send");
		if (cases[i].want == SASL_HAS_PASSWORD) {
			CHECK(str_eq(sasl_server_login(s), STR("alice")), "");
			CHECK(
			    str_eq(sasl_server_password(s), STR("secret")), "");
		}
		sasl_server_free(s);
	}
	buf_done(&out);
}

TEST(plain_ends_after_a_few_steps)
{
	struct sasl_server *s = server("plain", &no_binding);
	struct buf out = BUF_INIT(SASL_OUT_MAX);
	int n = 0;

	while (step(s, STR(""), &out) == SASL_CHALLENGE)
		CHECK(++n <= SASL_STEPS_MAX, "bounded");
	sasl_server_free(s);
	buf_done(&out);
}

TEST(login_with_and_without_initial_response)
{
	struct buf out = BUF_INIT(SASL_OUT_MAX);

	for (int with = 0; with < 2; with++) {
		struct sasl_server *s = server("LOGIN", &no_binding);

		if (!with)
			CHECK(step(s, STR_NONE, &out) == SASL_CHALLENGE &&
				  out.n > 0,
			    "asks for the login");
		CHECK(
		    step(s, STR("alice"), &out) == SASL_CHALLENGE && out.n > 0,
		    "asks for the password");
		CHECK(
		    step(s, STR("secret"), &out) == SASL_HAS_PASSWORD, "done");
		CHECK(str_eq(sasl_server_login(s), STR("alice")), "login");
		CHECK(str_eq(sasl_server_password(s), STR("secret")), "pw");
		sasl_server_free(s);
	}
	buf_done(&out);
}

/* --- SCRAM against libgsasl's client ---------------------------------------- */

struct trial {
	const char *mech, *password;
	const struct sasl_binding *server, *client;
};

static enum sasl_step
run_scram(const struct trial *t, bool *ret_client_is_content)
{
	struct sasl_server *s = server(t->mech, t->server);
	struct buf out = BUF_INIT(SASL_OUT_MAX);
	struct scram_verifier v;
	enum sasl_step r = SASL_CHALLENGE;
	Gsasl *ctx;
	Gsasl_session *c;
	char *p, *b64;
	size_t n, b64n;

	*ret_client_is_content = false;
	scram_verifier_make_with(
	    STR("right"), 4096, STR("0123456789abcdef"), &v);
	CHECK(gsasl_init(&ctx) == GSASL_OK, "client");
	CHECK(gsasl_client_start(ctx, t->mech, &c) == GSASL_OK, t->mech);
	gsasl_property_set(c, GSASL_AUTHID, "al,i=ce");
	gsasl_property_set(c, GSASL_PASSWORD, t->password);
	if (t->client->data.n > 0) {
		gsasl_base64_to(
		    t->client->data.p, t->client->data.n, &b64, &b64n);
		gsasl_property_set(c, GSASL_CB_TLS_EXPORTER, b64);
		gsasl_free(b64);
	}
	for (int i = 0; i < 5 && r == SASL_CHALLENGE; i++) {
		if (gsasl_step(c, out.p ? out.p : "", out.n, &p, &n) < 0)
			break;
		r = step(s, str_make(p ? p : "", n), &out);
		gsasl_free(p);
		if (r == SASL_WANT_VERIFIER) {
			CHECK(str_eq(sasl_server_login(s), STR("al,i=ce")),
			    "login is unescaped");
			r = sasl_server_set_verifier(s, &v, &out);
		}
	}
	if (r == SASL_PROVEN) {
		*ret_client_is_content =
		    gsasl_step(c, out.p, out.n, &p, &n) == GSASL_OK;
		gsasl_free(p);
	}
	gsasl_finish(c);
	gsasl_done(ctx);
	sasl_server_free(s);
	buf_done(&out);
	return r;
}

TEST(scram_proves_both_sides)
{
	static const struct sasl_binding other = { { "tls-exporter", 12 },
		{ "x123456789abcdef0123456789abcdef", 32 } };
	const struct {
		const char *name;
		struct trial t;
		enum sasl_step want;
	} cases[] = {
		{ "right",
		    { "SCRAM-SHA-256", "right", &no_binding, &no_binding },
		    SASL_PROVEN },
		{ "wrong",
		    { "SCRAM-SHA-256", "wrong", &no_binding, &no_binding },
		    SASL_WRONG },
		{ "bound",
		    { "SCRAM-SHA-256-PLUS", "right", &exporter, &exporter },
		    SASL_PROVEN },
		{ "bound, wrong password",
		    { "SCRAM-SHA-256-PLUS", "wrong", &exporter, &exporter },
		    SASL_WRONG },
		{ "somebody in between",
		    { "SCRAM-SHA-256-PLUS", "right", &exporter, &other },
		    SASL_WRONG },
		/* It could bind, and did not see that we can: downgrade. */
		{ "the offer was removed",
		    { "SCRAM-SHA-256", "right", &exporter, &exporter },
		    SASL_WRONG },
		{ "the client cannot bind",
		    { "SCRAM-SHA-256", "right", &exporter, &no_binding },
		    SASL_PROVEN },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_content;

		CHECK(run_scram(&cases[i].t, &is_content) == cases[i].want,
		    cases[i].name);
		CHECK(is_content == (cases[i].want == SASL_PROVEN),
		    cases[i].name);
	}
}

TEST(scram_flags_by_hand)
{
	static const struct {
		const char *name, *mech;
		const struct sasl_binding *binding;
		const char *in;
		enum sasl_step want;
	} cases[] = {
		{ "n", "SCRAM-SHA-256", &no_binding, "n,,n=a,r=xyz",
		    SASL_WANT_VERIFIER },
		{ "y without an offer", "SCRAM-SHA-256", &no_binding,
		    "y,,n=a,r=xyz", SASL_WANT_VERIFIER },
		{ "y with an offer", "SCRAM-SHA-256", &exporter, "y,,n=a,r=xyz",
		    SASL_WRONG },
		{ "p without PLUS", "SCRAM-SHA-256", &no_binding,
		    "p=tls-exporter,,n=a,r=xyz", SASL_WRONG },
		{ "n with PLUS", "SCRAM-SHA-256-PLUS", &exporter,
		    "n,,n=a,r=xyz", SASL_WRONG },
		{ "another type", "SCRAM-SHA-256-PLUS", &exporter,
		    "p=tls-unique,,n=a,r=xyz", SASL_WRONG },
		{ "right type", "SCRAM-SHA-256-PLUS", &exporter,
		    "p=tls-exporter,,n=a,r=xyz", SASL_WANT_VERIFIER },
		{ "as another", "SCRAM-SHA-256", &no_binding,
		    "n,a=bob,n=a,r=xyz", SASL_WRONG },
		{ "as itself", "SCRAM-SHA-256", &no_binding, "n,a=a,n=a,r=xyz",
		    SASL_WANT_VERIFIER },
		{ "extension", "SCRAM-SHA-256", &no_binding, "n,,m=x,n=a,r=xyz",
		    SASL_SYNTAX },
		{ "no nonce", "SCRAM-SHA-256", &no_binding, "n,,n=a",
		    SASL_SYNTAX },
		{ "no name", "SCRAM-SHA-256", &no_binding, "n,,n=,r=x",
		    SASL_SYNTAX },
		{ "garbage", "SCRAM-SHA-256", &no_binding, "garbage",
		    SASL_WRONG },
	};
	struct buf out = BUF_INIT(SASL_OUT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sasl_server *s = server(cases[i].mech, cases[i].binding);
		enum sasl_step got = step(s, str_c(cases[i].in), &out);

		CHECK(got == cases[i].want, cases[i].name);
		sasl_server_free(s);
	}
	buf_done(&out);
	CHECK(!server("SCRAM-SHA-256-PLUS", &no_binding), "nothing to bind");
}

TEST(mechanism_names)
{
	enum sasl_mech m;

	CHECK(!sasl_mech_from_name(STR("SCRAM-SHA-1"), &m), "not offered");
	CHECK(!sasl_mech_from_name(STR("PLAINS"), &m), "longer");
	CHECK(!sasl_mech_from_name(STR(""), &m), "empty");
	CHECK(sasl_mech_from_name(STR("scram-sha-256"), &m) &&
		  m == SASL_SCRAM_SHA_256,
	    "case");
}

TEST_MAIN(UNIT(plain), UNIT(plain_ends_after_a_few_steps),
    UNIT(login_with_and_without_initial_response),
    UNIT(scram_proves_both_sides), UNIT(scram_flags_by_hand),
    UNIT(mechanism_names))
