/* SPDX-License-Identifier: ISC */
/* visit.c - requests in, answers out. See visit.h. */
#include "web/visit.h"

#include "proto/http/http_response.h"
#include "proto/http/http_text.h"
#include "web/page/page.h"
#include "web/route.h"
#include "web/visitor.h"

#include <inttypes.h>

#define BODIES_MAX  MIB(64) /* of all requests that are being received */
#define BODY_FREE   KIB(16) /* forms do not count: others fill what is left */
#define FIELDS_MAX  KIB(8)
#define TARGET_ROOM HTTP_TARGET_MAX
#define BLANK_POLICY \
	"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; " \
	"form-action 'none'"

/* Fields of every answer. */
#define ALWAYS \
	"Vary: Accept-Encoding, Accept-Language\r\n" \
	"X-Content-Type-Options: nosniff\r\n" \
	"X-Frame-Options: DENY\r\n" \
	"Referrer-Policy: no-referrer\r\n" \
	"Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n" \
	"Cross-Origin-Opener-Policy: same-origin\r\n"
#define FIELDS_FEW KIB(1) /* room that most answers need no more than */

/* In place of a client (visit_make). */
struct made {
	struct http_request request;
	char *path, *language;
	visit_made_fn done;
	void *arg;
	bool is_answered;
};

struct visit {
	LIST_ENTRY(visit) link;
	struct server *sv;
	struct http_visit *http; /* NULL: made is there */
	struct made *made;
	enum service service;
	struct reach_attempt attempt; /* what will be told of it */
	bool is_proxy;                /* of ports.h: not counted, not told of */
	/* Of the present request. */
	struct visitor visitor;
	const struct route *route;
	struct buf path;
	uint64_t body_bytes; /* of *bodies */
	uint64_t *bodies;    /* one of sv->body_bytes */
	struct {
		loop_fn cancel; /* NULL: nothing is waited for */
		void *arg;
	} wait;
};

struct server *
visit_server(struct visit *v)
{
	return v->sv;
}

const struct http_request *
visit_request(const struct visit *v)
{
	return v->made ? &v->made->request : http_visit_request(v->http);
}

struct str
visit_body(const struct visit *v)
{
	return v->made ? STR("") : http_visit_body(v->http);
}

struct str
visit_path(const struct visit *v)
{
	return buf_str(&v->path);
}

struct str
visit_rest(const struct visit *v)
{
	return route_rest(v->route, buf_str(&v->path));
}

bool
visit_is_https(const struct visit *v)
{
	switch (v->visitor.client.scheme) {
	case HTTP_SCHEME_UNTOLD:
		break;
	case HTTP_SCHEME_PLAIN:
		return false;
	case HTTP_SCHEME_TLS:
		return true;
	}
	return v->service == SERVICE_HTTPS;
}

const char *
visit_ip(const struct visit *v)
{
	return v->visitor.client.address;
}

const struct sockaddr_storage *
visit_addr(const struct visit *v)
{
	return &v->visitor.addr;
}

bool
visit_is_proxied(const struct visit *v)
{
	return v->visitor.is_proxied;
}

const char *
visit_made_for(const struct visit *v)
{
	return v->made ? v->made->language : NULL;
}

struct visit *
visit_next(struct visit *v)
{
	return LIST_NEXT(v, link);
}

void
visit_wait(struct visit *v, loop_fn cancel, void *arg)
{
	v->wait.cancel = cancel;
	v->wait.arg = arg;
}

/* --- without a client ---------------------------------------------------------- */

static void
free_made(void *arg)
{
	struct visit *v = arg;

	free(v->made->path);
	free(v->made->language);
	free(v->made);
	buf_done(&v->path);
	free(v);
}

static void
answer_made(struct visit *v, const struct visit_reply *r)
{
	ASSERT(!v->made->is_answered);
	v->made->is_answered = true;
	v->made->done(v->made->arg, r);
	if (r->release)
		r->release(r->arg);
	/* Whoever answered may look at it once more. */
	loop_defer(v->sv->loop, free_made, v);
}

/* --- answers ----------------------------------------------------------------- */

static void
put_field(struct buf *b, const char *name, struct str value)
{
	if (value.n > 0)
		http_response_field(b, name, value);
}

static void
put_caching(struct buf *b, const struct visit_reply *r)
{
	char text[64];

	put_field(b, "ETag", r->etag);
	if (r->is_private)
		snprintf(text, sizeof(text), "no-store");
	else if (r->max_age > 0)
		snprintf(
		    text, sizeof(text), "public, max-age=%" PRIu32, r->max_age);
	else
		snprintf(text, sizeof(text), "no-cache");
	put_field(b, "Cache-Control", str_c(text));
}

static void
put_fields(const struct visit *v, struct buf *b, const struct visit_reply *r)
{
	put_field(b, "Content-Type", str_c(r->type ? r->type : ""));
	put_field(b, "Content-Encoding", str_c(r->encoding ? r->encoding : ""));
	put_caching(b, r);
	put_field(b, "Content-Security-Policy",
	    str_c(r->policy ? r->policy : BLANK_POLICY));
	buf_put_c(b, ALWAYS);
	/* A browser does not heed it on a certificate that it does not trust. */
	if (visit_is_https(v))
		put_field(
		    b, "Strict-Transport-Security", STR("max-age=31536000"));
	buf_put_str(b, r->fields);
}

static bool
is_known(const struct visit *v, struct str etag)
{
	const struct http_request *q = visit_request(v);
	struct str known;
	size_t i = 0;

	if (etag.n == 0 || (q->method != HTTP_GET && q->method != HTTP_HEAD))
		return false;
	while (http_request_next_field(q, STR("If-None-Match"), &i, &known))
		if (http_etag_matches(known, etag))
			return true;
	return false;
}

void
visit_reply(struct visit *v, const struct visit_reply *r)
{
	struct buf fields = BUF_INIT(FIELDS_MAX);
	struct http_reply reply = { .status = r->status,
		.body = r->body,
		.release = r->release,
		.arg = r->arg,
		.is_last = v->sv->is_stopping };

	v->wait.cancel = NULL;
	if (v->made) {
		answer_made(v, r);
		return;
	}
	if (r->status == 200 && is_known(v, r->etag)) {
		reply.status = 304;
		reply.body = STR("");
	}
	(void)buf_reserve(&fields, FIELDS_FEW);
	put_fields(v, &fields, r);
	reply.fields = buf_str(&fields);
	metric_add(M_WEB_REQUESTS, 1);
	/* Who was answered has what it came for. */
	v->attempt.is_greeted = true;
	v->attempt.is_well = true;
	visitor_leave(v->sv, &v->visitor);
	http_visit_reply(v->http, &reply);
	buf_done(&fields);
}

void
visit_reply_error(struct visit *v, unsigned status, const char *text)
{
	struct buf body = BUF_INIT(KIB(2));

	buf_printf(&body, "%u %s\n", status, http_reason(status));
	if (text)
		buf_printf(&body, "\n%s\n", text);
	visit_reply(v, &(struct visit_reply){ .status = status,
			   .type = "text/plain; charset=utf-8",
			   .body = buf_str(&body),
			   .is_private = true });
	buf_done(&body);
}

void
visit_reply_redirect(struct visit *v, const char *location, bool is_permanent)
{
	struct buf fields = BUF_INIT(HTTP_TARGET_MAX + KIB(1));

	http_response_field(&fields, "Location", str_c(location));
	visit_reply(
	    v, &(struct visit_reply){ .status = is_permanent ? 308 : 303,
		   .type = "text/plain; charset=utf-8",
		   .body = STR("see Location\n"),
		   .location = str_c(location),
		   .fields = buf_str(&fields) });
	buf_done(&fields);
}

/* --- requests ------------------------------------------------------------------- */

static void
refuse_method(struct visit *v, unsigned methods)
{
	static const char *const names[] = { [HTTP_GET] = "GET, HEAD",
		[HTTP_HEAD] = "",
		[HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT",
		[HTTP_PATCH] = "PATCH",
		[HTTP_DELETE] = "DELETE" };
	struct buf fields = BUF_INIT(KIB(1));

	buf_put_c(&fields, "Allow: ");
	for (size_t i = 0, n = 0; i < ARRAY_LEN(names); i++)
		if (methods & (1U << i))
			buf_printf(
			    &fields, "%s%s", n++ > 0 ? ", " : "", names[i]);
	buf_put_c(&fields, "\r\n");
	visit_reply(v, &(struct visit_reply){ .status = 405,
			   .type = "text/plain; charset=utf-8",
			   .body = STR("405 Method Not Allowed\n"),
			   .fields = buf_str(&fields),
			   .is_private = true });
	buf_done(&fields);
}

/* Finds the route of the path, or answers. */
static bool
find_route(struct visit *v)
{
	const struct http_request *q = visit_request(v);
	unsigned methods;

	switch (route_find(q->method, visit_path(v), &v->route, &methods)) {
	case ROUTE_OK:
		return true;
	case ROUTE_NO_METHOD:
		refuse_method(v, methods);
		return false;
	case ROUTE_NO_PATH:
		break;
	}
	/* Programs get few words, people a page. */
	if (q->method > HTTP_HEAD || str_starts(visit_path(v), STR("/api/")))
		visit_reply_error(v, 404, "There is no such page.");
	else
		page_error(v, 404);
	return false;
}

/* Finds the route, or answers. */
static bool
choose_route(struct visit *v)
{
	const struct http_request *q = visit_request(v);

	v->route = NULL;
	buf_reset(&v->path, HTTP_TARGET_MAX);
	if (q->method == HTTP_OTHER) {
		visit_reply_error(v, 501, NULL);
		return false;
	}
	if (!http_path_decode(q->path, &v->path)) {
		visit_reply_error(v, 400, "The path is malformed.");
		return false;
	}
	return find_route(v);
}

static void
release_body(struct visit *v)
{
	if (v->body_bytes > 0)
		*v->bodies -= v->body_bytes;
	v->body_bytes = 0;
}

/* What is waited for has its room; false: answered. */
static bool
admit_body(struct visit *v)
{
	const struct http_request *q = visit_request(v);
	uint64_t n = q->body == HTTP_BODY_NONE     ? 0
	             : q->body == HTTP_BODY_LENGTH ? q->length
	                                           : v->route->body_max;
	struct str key = STR_NONE;

	if (n > v->route->body_max) /* 413, from who reads it */
		return true;
	if (n > 0 && (v->route->methods & ROUTE_BEARER) != 0 &&
	    (!http_request_field(q, STR("Authorization"), &key) ||
		!str_starts_case(key, STR("Bearer ")))) {
		visit_reply_error(
		    v, 401, "A key is needed: Authorization: Bearer ...");
		return false;
	}
	/* What a connection may have anyway. */
	if (n <= BODY_FREE)
		return true;
	v->bodies = &v->sv->body_bytes[(v->route->methods & ROUTE_BEARER) != 0];
	if (*v->bodies + n > BODIES_MAX) {
		visit_reply_error(v, 503, "Too much at once; try again.");
		return false;
	}
	v->body_bytes = n;
	*v->bodies += n;
	return true;
}

/* Who asks may do so; false: answered. */
static bool
admit_visitor(struct visit *v)
{
	struct visitor *w = &v->visitor;

	visitor_leave(v->sv, w);
	visitor_find(
	    v->sv, http_visit_request(v->http), http_visit_conn(v->http), w);
	if (!v->is_proxy && !w->is_proxied)
		return true;
	if (visitor_enter(v->sv, w, v->service))
		return true;
	visit_reply(v, &(struct visit_reply){ .status = 429,
			   .type = "text/plain; charset=utf-8",
			   .body = STR("429 Too Many Requests\n"),
			   .fields = STR("Retry-After: 10\r\n"),
			   .is_private = true });
	return false;
}

static uint64_t
on_head(UNUSED void *arg, struct http_visit *c)
{
	struct visit *v = http_visit_data(c);

	return admit_visitor(v) && choose_route(v) && admit_body(v)
	           ? v->route->body_max
	           : 0;
}

static void
on_request(UNUSED void *arg, struct http_visit *c)
{
	struct visit *v = http_visit_data(c);

	release_body(v);
	v->route->run(v);
}

static void
on_closed(UNUSED void *arg, struct http_visit *c)
{
	struct visit *v = http_visit_data(c);

	if (v->wait.cancel)
		v->wait.cancel(v->wait.arg);
	release_body(v);
	visitor_leave(v->sv, &v->visitor);
	LIST_REMOVE(v, link);
	/* How a proxy's connection went says nothing of who came through it. */
	if (!v->is_proxy)
		reach_report_end(ports_reach(v->sv->ports), &v->attempt,
		    http_visit_conn(c), http_visit_how(c));
	ports_left(v->sv->ports,
	    v->is_proxy ? NULL : conn_peer_addr(http_visit_conn(c)));
	buf_done(&v->path);
	free(v);
}

void
visit_new(struct server *sv, const struct conn_config *cc,
    const struct ports_client *c)
{
	static const struct http_handlers handlers = {
		.head = on_head,
		.request = on_request,
		.closed = on_closed,
	};
	struct http_visit_config config = {
		.conn = *cc, .handlers = &handlers, .arg = sv
	};
	struct visit *v = X_NEW(struct visit);

	v->sv = sv;
	v->service = c->service;
	v->is_proxy = c->is_proxy;
	v->attempt.service = c->service;
	v->attempt.port = c->port;
	config.conn.wants_path = true;
	buf_init(&v->path, TARGET_ROOM);
	v->http = http_visit_new(&config);
	http_visit_set_data(v->http, v);
	LIST_INSERT_HEAD(&sv->visits, v, link);
}

void
visit_shutdown(struct visit *v)
{
	http_visit_end(v->http);
}

void
visit_make(struct server *sv, struct str path, struct str language,
    visit_made_fn done, void *arg)
{
	struct visit *v = X_NEW(struct visit);
	struct made *m = X_NEW(struct made);

	v->sv = sv;
	v->service = SERVICE_HTTP;
	v->made = m;
	buf_init(&v->path, TARGET_ROOM);
	m->path = str_dup(str_first(path, HTTP_TARGET_MAX));
	m->language = str_dup(language);
	m->done = done;
	m->arg = arg;
	m->request.method = HTTP_GET;
	m->request.path = str_c(m->path);
	/* It is what a link was decoded to: not once more. */
	buf_put_str(&v->path, str_c(m->path));
	if (!find_route(v))
		return;
	if (v->route->methods & ROUTE_VISITOR)
		visit_reply_error(v, 404, "There is none in a copy.");
	else
		v->route->run(v);
}
