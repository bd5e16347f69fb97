/* SPDX-License-Identifier: ISC */
/* challenge.c - answers to challenges of an authority. See challenge.h. */
#include "web/table/challenge.h"

#include "base/secret.h"
#include "proto/acme/acme.h"
#include "web/page/pages.h"

/* Role acme has those of one order, and an earlier one may have left as many. */
#define CHALLENGES_MAX (2 * ACME_NAMES_MAX)
#define ORPHAN_MS      (5 * 60 * 1000)

struct challenge {
	enum acme_kind kind;
	uint32_t owner; /* the process of role acme; 0: it is gone */
	char *host, *token;
	char *answer;      /* the key authorization, or the certificate */
	struct secret key; /* of the certificate */
};

struct challenges {
	struct challenge v[CHALLENGES_MAX];
	size_t n;
	struct loop_timer *timer; /* then orphans go */
};

static void drop_orphans(void *arg);

struct challenges *
challenges_new(struct server *sv)
{
	struct challenges *c = X_NEW(struct challenges);

	c->timer = loop_timer_new(sv->loop, drop_orphans, sv);
	return c;
}

static void
clear(struct challenge *c)
{
	free(c->host);
	free(c->token);
	free(c->answer);
	secret_done(&c->key);
}

void
challenges_free(struct challenges *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		clear(&c->v[i]);
	loop_timer_free(c->timer);
	free(c);
}

bool
challenge_find(const struct server *sv, struct str token, struct str *ret)
{
	const struct challenges *all = sv->challenges;

	for (size_t i = 0; i < all->n; i++) {
		const struct challenge *c = &all->v[i];

		if (c->kind != ACME_HTTP_01 || !str_eq(str_c(c->token), token))
			continue;
		*ret = str_c(c->answer);
		return true;
	}
	return false;
}

/* --- TLS --------------------------------------------------------------------------- */

static int
put_tls(struct server *sv, const struct challenge *c)
{
	return sv->tls == NULL
	           ? -ENOENT
	           : tls_context_put_challenge(sv->tls, str_c(c->host),
			 str_c(c->answer), secret_str(&c->key));
}

void
challenges_renew_tls(struct server *sv)
{
	for (size_t i = 0; i < sv->challenges->n; i++)
		if (sv->challenges->v[i].kind == ACME_TLS_ALPN_01)
			(void)put_tls(sv, &sv->challenges->v[i]);
}

/* --- messages of role acme ----------------------------------------------------------- */

static void
drop_at(struct server *sv, size_t i)
{
	struct challenges *all = sv->challenges;
	struct challenge *c = &all->v[i];

	if (c->kind == ACME_TLS_ALPN_01 && sv->tls != NULL)
		tls_context_drop_challenge(sv->tls, str_c(c->host));
	clear(c);
	*c = all->v[--all->n];
}

static void
drop_orphans(void *arg)
{
	struct server *sv = arg;

	for (size_t i = sv->challenges->n; i-- > 0;)
		if (sv->challenges->v[i].owner == 0)
			drop_at(sv, i);
}

void
challenges_orphan(struct server *sv, uint32_t owner)
{
	for (size_t i = 0; i < sv->challenges->n; i++)
		if (sv->challenges->v[i].owner == owner)
			sv->challenges->v[i].owner = 0;
	loop_timer_set(sv->challenges->timer, ORPHAN_MS);
}

static void
drop(struct server *sv, const struct msg_acme_challenge *m)
{
	struct challenges *all = sv->challenges;

	for (size_t i = all->n; i-- > 0;)
		if (all->v[i].kind == m->kind &&
		    str_eq(str_c(all->v[i].host), m->host))
			drop_at(sv, i);
}

static bool
listens(const struct conf *c, enum service service)
{
	for (uint32_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].service == service)
			return true;
	return false;
}

/* Why it cannot be answered; NULL: it is. */
static const char *
put(struct server *sv, const struct msg_acme_challenge *m, uint32_t owner)
{
	struct challenges *all = sv->challenges;
	bool is_http = m->kind == ACME_HTTP_01;
	struct challenge *c;

	if (!listens(sv->conf, is_http ? SERVICE_HTTP : SERVICE_HTTPS))
		return is_http ? "role web has no HTTP; expected listen.http"
		               : "role web has no HTTPS; expected listen.https";
	drop(sv, m);
	if (all->n == CHALLENGES_MAX)
		return "role web answers too many challenges already";
	c = &all->v[all->n++];
	*c = (struct challenge){ .kind = (enum acme_kind)m->kind,
		.owner = owner,
		.host = str_dup(m->host),
		.token = str_dup(m->token),
		.answer = str_dup(m->answer) };
	secret_set(&c->key, m->key);
	if (is_http || put_tls(sv, c) == 0)
		return NULL;
	drop_at(sv, all->n - 1);
	return "role web cannot use the certificate of the challenge";
}

bool
challenge_message(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct msg_acme_challenge q;
	struct ipc_return ret;
	const char *why = NULL;

	if (!msg_acme_challenge_get(m->body, &q) || q.kind >= ACME_KINDS ||
	    !hostname_is_valid(q.host) || !acme_is_token(q.token))
		return false;
	ret = ipc_return_new(p, m);
	if (q.is_end)
		drop(sv, &q);
	else
		why = put(sv, &q, ipc_peer_worker(p));
	if (why == NULL)
		ipc_reply(&ret, STR_NONE, -1);
	else
		ipc_reply_error(&ret, PERMFAIL, REASON_CONFLICT, why);
	return true;
}

/* --- http-01 ---------------------------------------------------------------------------- */

void
page_challenge(struct visit *v)
{
	struct str answer;

	if (!challenge_find(visit_server(v), visit_rest(v), &answer)) {
		visit_reply_error(v, 404, "There is no such challenge.");
		return;
	}
	visit_reply(v, &(struct visit_reply){ .status = 200,
			   .type = "application/octet-stream",
			   .body = answer,
			   .is_private = true });
}
