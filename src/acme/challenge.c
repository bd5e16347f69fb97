/* SPDX-License-Identifier: ISC */
/*
 * challenge.c - what an authority looks for at a host (RFC 8555 section 8.3, RFC
 * 8737): made here, answered by all processes of role web.
 */
#include "acme/server.h"

#include "base/certificate.h"
#include "base/crypt.h"

#define PEERS_MAX    64
#define GOOD_SECONDS (7U * 86400)

struct challenge {
	enum acme_kind kind;
	char host[HOSTNAME_MAX + 1], token[ACME_TOKEN_MAX + 1];
	struct buf body; /* of the message */
};

struct challenges {
	struct server *sv;
	struct ipc_peer *peers[PEERS_MAX]; /* references */
	size_t n_peers;
	/* Those of the order, until it ends: an authority may look twice. */
	struct challenge *v[ACME_NAMES_MAX];
	size_t n;
	unsigned number; /* of the last: answers to an older one are late */
	/* Waiting for role web. */
	failure_fn fn;
	void *arg;
	unsigned pending;
	struct failure failure;
};

/* A question to one process. */
struct ask {
	struct challenges *c;
	unsigned number;
};

struct challenges *
challenges_new(struct server *sv)
{
	struct challenges *c = X_NEW(struct challenges);

	c->sv = sv;
	return c;
}

static void
send_to(struct ipc_peer *p, struct str body, ipc_reply_fn fn, void *arg)
{
	(void)ipc_request(p, MSG_ACME_CHALLENGE, 0, body, -1, fn, arg);
}

static void
ignore(UNUSED void *arg, UNUSED struct ipc_msg *m)
{
}

void
challenges_peer(struct challenges *c, struct ipc_peer *p)
{
	if (c->n_peers == PEERS_MAX)
		return;
	c->peers[c->n_peers++] = ipc_peer_ref(p);
	/* One that was started anew knows nothing of them. */
	for (size_t i = 0; i < c->n; i++)
		send_to(p, buf_str(&c->v[i]->body), ignore, NULL);
	hosts_wake(c->sv->hosts);
}

void
challenges_peer_gone(struct challenges *c, const struct ipc_peer *p)
{
	for (size_t i = 0; i < c->n_peers; i++)
		if (c->peers[i] == p) {
			ipc_peer_unref(c->peers[i]);
			c->peers[i] = c->peers[--c->n_peers];
			return;
		}
}

/* --- what is to be answered ---------------------------------------------------------- */

/* The certificate that shows the hash of the key authorization. */
static bool
make_certificate(struct str authorization, const char *host, struct buf *pem,
    struct buf *key)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	crypt_digest_put(d, authorization);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	return certificate_make_key(CERTIFICATE_EC, key) &&
	       certificate_self(
		   buf_str(key), str_c(host), sum.v, GOOD_SECONDS, pem);
}

static bool
make_body(struct challenge *h, const struct es256_key *account)
{
	struct buf authorization = BUF_INIT(KIB(1));
	struct buf pem = BUF_INIT(KIB(16)), key = BUF_INIT(KIB(16));
	struct msg_acme_challenge m = { .kind = (uint8_t)h->kind,
		.host = str_c(h->host),
		.token = str_c(h->token) };
	bool ok = true;

	acme_authorization_put(&authorization, str_c(h->token), account);
	m.answer = buf_str(&authorization);
	if (h->kind == ACME_TLS_ALPN_01) {
		ok = make_certificate(
		    buf_str(&authorization), h->host, &pem, &key);
		m.answer = buf_str(&pem);
		m.key = buf_str(&key);
	}
	msg_acme_challenge_put(&h->body, &m);
	buf_done(&authorization);
	buf_done(&pem);
	buf_done_secret(&key);
	return ok && !h->body.failed;
}

/* --- telling role web ------------------------------------------------------------------ */

static void
end(struct challenges *c)
{
	failure_fn fn = c->fn;
	bool has_failed = c->failure.text[0] != '\0';

	c->fn = NULL;
	if (fn != NULL)
		fn(c->arg, has_failed ? &c->failure : NULL);
}

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct ask *a = arg;
	struct challenges *c = a->c;
	bool is_late = a->number != c->number;

	free(a);
	if (is_late)
		return;
	/* One that is gone has a successor, who is told as well. */
	if (m->outcome == PERMFAIL)
		failure_set(&c->failure, "%.*s", STR_ARG(ipc_error_text(m)));
	if (--c->pending == 0)
		end(c);
}

static void
end_alone(void *arg)
{
	struct ask *a = arg;

	if (a->number == a->c->number)
		end(a->c);
	free(a);
}

static struct ask *
new_ask(struct challenges *c)
{
	struct ask *a = X_NEW(struct ask);

	a->c = c;
	a->number = c->number;
	return a;
}

/* The new one; NULL: it cannot be made. */
static struct challenge *
add(struct challenges *c, enum acme_kind kind, const char *host,
    const char *token)
{
	struct challenge *h = X_NEW(struct challenge);

	ASSERT(c->n < ACME_NAMES_MAX);
	c->v[c->n++] = h;
	h->kind = kind;
	h->body = BUF_INIT(KIB(64));
	snprintf(h->host, sizeof(h->host), "%s", host);
	snprintf(h->token, sizeof(h->token), "%s", token);
	return make_body(h, account_key(c->sv)) ? h : NULL;
}

void
challenge_put(struct server *sv, enum acme_kind kind, const char *host,
    const char *token, failure_fn fn, void *arg)
{
	struct challenges *c = sv->challenges;
	const struct challenge *h = add(c, kind, host, token);

	c->number++;
	c->fn = fn;
	c->arg = arg;
	c->failure = (struct failure){ 0 };
	c->pending = (unsigned)c->n_peers;
	if (h == NULL)
		failure_set(&c->failure, "the certificate of a challenge "
					 "cannot be made");
	else if (c->n_peers == 0)
		failure_set(&c->failure,
		    "no process of role web is there to answer; see "
		    "'mailstead status'");
	if (c->failure.text[0] != '\0') {
		loop_defer(sv->loop, end_alone, new_ask(c));
		return;
	}
	for (size_t i = 0; i < c->n_peers; i++)
		send_to(c->peers[i], buf_str(&h->body), on_reply, new_ask(c));
}

static void
tell_end(struct challenges *c, const struct challenge *h)
{
	struct msg_acme_challenge m = { .kind = (uint8_t)h->kind,
		.is_end = 1,
		.host = str_c(h->host),
		.token = str_c(h->token) };
	struct buf body = BUF_INIT(KIB(4));

	msg_acme_challenge_put(&body, &m);
	for (size_t i = 0; i < c->n_peers; i++)
		send_to(c->peers[i], buf_str(&body), ignore, NULL);
	buf_done(&body);
}

void
challenges_drop(struct server *sv)
{
	struct challenges *c = sv->challenges;

	c->number++;
	c->fn = NULL;
	while (c->n > 0) {
		struct challenge *h = c->v[--c->n];

		tell_end(c, h);
		buf_done_secret(&h->body);
		free(h);
	}
}
