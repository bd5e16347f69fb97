/* SPDX-License-Identifier: ISC */
/*
 * visit.h - one client of the web role, and the request that it waits for.
 *
 * A handler (route.h) answers at once with one of the reply functions, or
 * asks somebody else first: then it says with visit_wait() what is to be given
 * up when the client goes away, and answers later. Every answer carries
 * the header fields of visit.c: no sniffing, no framing, no referrer, and a
 * Content-Security-Policy that allows nothing unless the handler says what.
 */
#pragma once

#include "web/server.h"

struct visit;

void visit_new(struct server *sv, const struct conn_config *cc,
    const struct ports_client *c);
/* End it, behind the answer that is due. */
void visit_shutdown(struct visit *v);
struct visit *visit_next(struct visit *v);

/*
 * A request without a client, for static copies: GET of a path as it stands in
 * an address, without a query, in that language ("fr"). done() runs once, now or
 * later, with what a client would get; r lives during the call.
 */
struct visit_reply;
typedef void (*visit_made_fn)(void *arg, const struct visit_reply *r);
void visit_make(struct server *sv, struct str path, struct str language,
    visit_made_fn done, void *arg);
/* The language of such a request; NULL: it is a client's. */
const char *visit_made_for(const struct visit *v);

struct server *visit_server(struct visit *v);
const struct http_request *visit_request(const struct visit *v);
struct str visit_body(const struct visit *v);
/* The path, decoded and made straight (http_path_decode); its rest behind the
 * route's own part, or in place of its "*"; "" when there is none. */
struct str visit_path(const struct visit *v);
struct str visit_rest(const struct visit *v);
/* Whether the client came over TLS; and from where, as text and otherwise. Behind
 * proxies (site.proxies) it is what they say. Without a client: "", AF_UNSPEC. */
bool visit_is_https(const struct visit *v);
const char *visit_ip(const struct visit *v);
const struct sockaddr_storage *visit_addr(const struct visit *v);
/* Does another machine than the client speak with us? */
bool visit_is_proxied(const struct visit *v);

/* The answer comes later. cancel(arg) runs when the client goes away before:
 * then there is nobody to answer to. */
void visit_wait(struct visit *v, loop_fn cancel, void *arg);

struct visit_reply {
	unsigned status;
	const char *type; /* "text/html; charset=utf-8" */
	struct str body;  /* copied, unless there is a release */
	struct str etag;  /* with its quotes; empty: none. Fits: 304 */
	/* How long others may keep it, in seconds; 0: not without asking. */
	uint32_t max_age;
	bool is_private;    /* no-store: it is for this client only */
	const char *policy; /* Content-Security-Policy; NULL: nothing allowed */
	struct str fields;  /* more fields: whole lines with their ends */
	const char *encoding; /* of body: "gzip"; NULL: as it is */
	struct str location;  /* of a redirect: it is in fields as well */
	loop_fn release;      /* as in struct http_reply */
	void *arg;
};
void visit_reply(struct visit *v, const struct visit_reply *r);
/* A short text with the status and what to do. text may be NULL. */
void visit_reply_error(struct visit *v, unsigned status, const char *text);
/* 303 to a path of this site; or 308 when it is permanent. */
void visit_reply_redirect(
    struct visit *v, const char *location, bool is_permanent);
