/* SPDX-License-Identifier: ISC */
/* sasl_client.c - SCRAM as a client. See sasl_client.h. */
#include "net/sasl_client.h"

#include <gsasl.h>

struct sasl_client {
	Gsasl *gsasl;
	Gsasl_session *session;
	unsigned steps;
	bool is_done;
};

struct sasl_client *
sasl_client_new(struct str login, struct str password)
{
	struct sasl_client *c = X_NEW(struct sasl_client);
	char *user = str_dup(login), *secret = str_dup(password);
	bool is_good =
	    gsasl_init(&c->gsasl) == GSASL_OK &&
	    gsasl_client_start(c->gsasl, "SCRAM-SHA-256", &c->session) ==
		GSASL_OK &&
	    gsasl_property_set(c->session, GSASL_AUTHID, user) == GSASL_OK &&
	    gsasl_property_set(c->session, GSASL_PASSWORD, secret) == GSASL_OK;

	explicit_bzero(secret, password.n);
	free(secret);
	free(user);
	return is_good ? c : sasl_client_free(c);
}

struct sasl_client *
sasl_client_free(struct sasl_client *c)
{
	if (c == NULL)
		return NULL;
	if (c->session != NULL)
		gsasl_finish(c->session);
	if (c->gsasl != NULL)
		gsasl_done(c->gsasl);
	free(c);
	return NULL;
}

/* "i=4096" of the server's first message (RFC 5802 section 5.1). */
static bool
has_sane_count(struct str in)
{
	while (in.n > 0) {
		struct str field;
		uint32_t n;

		in = str_split(in, ',', &field);
		if (str_starts(field, STR("i=")))
			return str_to_u32(
			    str_from(field, 2), SASL_CLIENT_ITERATIONS_MAX, &n);
	}
	return false;
}

bool
sasl_client_step(struct sasl_client *c, struct str in, struct buf *out)
{
	char *reply = NULL;
	size_t n = 0;
	int r;

	if (c->is_done || in.n > SASL_CLIENT_MESSAGE_MAX ||
	    (c->steps == 1 && !has_sane_count(in)))
		return false;
	c->steps++;
	r = gsasl_step(c->session, in.p ? in.p : "", in.n, &reply, &n);
	if (r == GSASL_OK || r == GSASL_NEEDS_MORE)
		buf_put(out, reply, n);
	gsasl_free(reply);
	c->is_done = r == GSASL_OK;
	return (r == GSASL_OK || r == GSASL_NEEDS_MORE) && !out->failed;
}

bool
sasl_client_is_done(const struct sasl_client *c)
{
	return c->is_done;
}
