/* SPDX-License-Identifier: ISC */
/*
 * http_client.c - libcurl on our loop. See http_client.h.
 *
 * A query asks our resolver for the addresses and hands them to the library
 * (CURLOPT_RESOLVE), which resolves nothing. The library says which descriptors
 * and which time it waits for; what ended is collected behind its own
 * callbacks.
 */
#include "net/http_client.h"

#include "base/secret.h"
#include "net/connect.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/queue.h>

#define ADDRS_MAX 8
/* "[IPv6]," each, and the name. */
#define RESOLVE_MAX (ADDRS_MAX * (INET6_ADDRSTRLEN + 3) + DNS_NAME_MAX + 32)
#define URL_MAX     2048
#define TYPE_MAX    200

struct http_query {
	TAILQ_ENTRY(http_query) link; /* of those that wait in line */
	struct http_client *client;
	http_fn fn;
	void *arg;
	char host[DNS_NAME_MAX + 1];
	char url[URL_MAX];
	uint16_t port;
	bool allow_local, is_public_only, is_plain, is_post;
	bool is_waiting, is_dead, is_literal, has_local, has_dns_trouble;
	uint64_t limit_ms, owner;
	unsigned idle_s;
	struct resolver_query *query4, *query6;
	char resolve[RESOLVE_MAX];
	size_t n_addrs;
	CURL *easy; /* NULL: not yet */
	struct curl_slist *addrs, *fields;
	struct buf body, reply, head;
	bool is_too_big;
	char error[CURL_ERROR_SIZE];
};

struct http_client {
	struct loop *loop;
	struct resolver *resolver;
	struct tls_context *tls;
	CURLM *multi;
	struct loop_timer *timer;
	struct http_places places;
	uint64_t seed;
	bool is_collecting;
	TAILQ_HEAD(, http_query) line;
};

/* --- the end of a query ---------------------------------------------------------- */

static void begin_waiting(struct http_client *c);

static void
free_query(void *arg)
{
	struct http_query *q = arg;

	buf_done(&q->body);
	buf_done(&q->reply);
	buf_done(&q->head);
	free(q);
}

/* Nothing of it is under way any more; who is next? */
static void
close_query(struct http_query *q)
{
	struct http_client *c = q->client;

	q->is_dead = true;
	if (q->query4 != NULL)
		resolver_cancel(TAKE_PTR(q->query4));
	if (q->query6 != NULL)
		resolver_cancel(TAKE_PTR(q->query6));
	if (q->easy != NULL) {
		curl_multi_remove_handle(c->multi, q->easy);
		curl_easy_cleanup(TAKE_PTR(q->easy));
	}
	curl_slist_free_all(q->addrs);
	curl_slist_free_all(q->fields);
	if (q->is_waiting)
		TAILQ_REMOVE(&c->line, q, link);
	else
		http_places_give(&c->places, q->owner);
	loop_defer(c->loop, free_query, q);
	begin_waiting(c);
}

static void
answer(struct http_query *q, const struct http_reply *r)
{
	q->fn(q->arg, r);
	close_query(q);
}

static void
fail(struct http_query *q, enum http_end end, const char *why)
{
	const struct http_reply r = { .end = end, .why = why };

	answer(q, &r);
}

static enum http_end
end_of(const struct http_query *q, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return HTTP_END_REPLY;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_END_TLS;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_END_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_END_TIMEOUT;
	default:
		return q->is_too_big ? HTTP_END_TOO_BIG : HTTP_END_BROKEN;
	}
}

static void
on_done(struct http_query *q, CURLcode code)
{
	struct http_reply r = { .end = end_of(q, code) };
	char *type = NULL;
	long status = 0;

	curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(q->easy, CURLINFO_CONTENT_TYPE, &type);
	r.status = (unsigned)status;
	r.type = str_first(str_c(type), TYPE_MAX);
	r.body = buf_str(&q->reply);
	r.fields = buf_str(&q->head);
	r.why = r.end == HTTP_END_TOO_BIG ? "the reply is too large"
	        : q->error[0] != '\0'     ? q->error
	                                  : curl_easy_strerror(code);
	answer(q, &r);
}

static void
collect(void *arg)
{
	struct http_client *c = arg;
	CURLMsg *m;
	int left;

	c->is_collecting = false;
	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		CURLcode code = m->data.result;
		char *q = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &q);
		on_done((struct http_query *)(void *)q, code);
	}
}

/* --- the library's wishes ----------------------------------------------------------- */

static void
act(struct http_client *c, curl_socket_t fd, int what)
{
	int running;

	(void)curl_multi_socket_action(c->multi, fd, what, &running);
	if (c->is_collecting)
		return;
	c->is_collecting = true;
	loop_defer(c->loop, collect, c);
}

/* One descriptor that the library waits for. */
struct watch {
	struct http_client *c;
	struct loop_fd *fd;
	curl_socket_t socket;
	bool is_dead;
};

static void
on_readable(void *arg)
{
	struct watch *w = arg;

	if (!w->is_dead)
		act(w->c, w->socket, CURL_CSELECT_IN);
}

static void
on_writable(void *arg)
{
	struct watch *w = arg;

	if (!w->is_dead)
		act(w->c, w->socket, CURL_CSELECT_OUT);
}

static void
free_watch(void *arg)
{
	struct watch *w = arg;

	loop_fd_free(w->fd);
	free(w);
}

static int
on_socket(UNUSED CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
	struct http_client *c = arg;
	struct watch *w = mine;

	if (what == CURL_POLL_REMOVE) {
		/* The descriptor may be another's in a moment. */
		if (w != NULL) {
			w->is_dead = true;
			loop_fd_want(w->fd, false, false);
			loop_defer(c->loop, free_watch, w);
		}
		return 0;
	}
	if (w == NULL) {
		w = X_NEW(struct watch);
		w->c = c;
		w->socket = fd;
		w->fd = loop_fd_new(c->loop, fd, on_readable, on_writable, w);
		curl_multi_assign(c->multi, fd, w);
	}
	loop_fd_want(w->fd, what == CURL_POLL_IN || what == CURL_POLL_INOUT,
	    what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
	return 0;
}

static void
on_time(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_timer_wish(UNUSED CURLM *multi, long ms, void *arg)
{
	struct http_client *c = arg;

	if (ms < 0)
		loop_timer_clear(c->timer);
	else
		loop_timer_set(c->timer, (uint64_t)MAX(ms, 1));
	return 0;
}

static size_t
on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct http_query *q = arg;

	buf_put(&q->reply, p, size * n);
	q->is_too_big = q->reply.failed;
	return q->is_too_big ? 0 : size * n;
}

/* A line of the header, the status line included. One that does not fit is left
 * out as a whole, and so are those behind it. */
static size_t
on_field(char *p, size_t size, size_t n, void *arg)
{
	struct http_query *q = arg;

	/* The header of an answer before the last ("100 Continue"). */
	if (str_starts(str_make(p, size * n), STR("HTTP/")))
		buf_reset(&q->head, q->head.max);
	else
		buf_put(&q->head, p, size * n);
	return size * n;
}

/* The authorities of our own context: read once, before the sandbox. */
static CURLcode
on_ssl(UNUSED CURL *easy, void *ssl_ctx, void *arg)
{
	struct http_query *q = arg;

	tls_share_authorities(q->client->tls, ssl_ctx);
	return CURLE_OK;
}

/* --- a query --------------------------------------------------------------------------- */

static void
set_options(struct http_query *q, CURL *e)
{
	curl_easy_setopt(e, CURLOPT_PRIVATE, q);
	curl_easy_setopt(e, CURLOPT_URL, q->url);
	curl_easy_setopt(e, CURLOPT_RESOLVE, q->addrs);
	curl_easy_setopt(
	    e, CURLOPT_PROTOCOLS_STR, q->is_plain ? "http" : "https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)q->limit_ms);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)q->idle_s);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)HTTP_IDLE_BYTES);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)q->idle_s);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "Mailstead");
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, q->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, q);
	if (q->head.max > 0) {
		curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_field);
		curl_easy_setopt(e, CURLOPT_HEADERDATA, q);
	}
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, q);
	if (q->fields != NULL)
		curl_easy_setopt(e, CURLOPT_HTTPHEADER, q->fields);
	if (!q->is_post)
		return;
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)q->body.n);
	curl_easy_setopt(
	    e, CURLOPT_POSTFIELDS, q->body.p != NULL ? q->body.p : "");
}

static void
addresses_known(struct http_query *q)
{
	if (q->n_addrs == 0) {
		fail(q, HTTP_END_NO_ADDRESS,
		    q->has_dns_trouble ? "its address could not be looked up"
		    : q->has_local
			? "its name leads to an address of this machine or "
			  "network"
			: "its name has no address");
		return;
	}
	if (!q->is_literal)
		q->addrs = curl_slist_append(NULL, q->resolve);
	q->easy = curl_easy_init();
	if (q->easy == NULL || (q->addrs == NULL && !q->is_literal))
		die("curl_easy_init: out of memory");
	set_options(q, q->easy);
	if (curl_multi_add_handle(q->client->multi, q->easy) != CURLM_OK)
		die("curl_multi_add_handle: out of memory");
}

static void
take_address(struct http_query *q, const struct sockaddr_storage *addr)
{
	size_t at = strlen(q->resolve);
	char ip[INET6_ADDRSTRLEN];
	bool is_6 = addr->ss_family == AF_INET6;

	if (!q->allow_local && (q->is_public_only ? connect_is_private(addr)
						  : connect_is_local(addr))) {
		q->has_local = true;
		return;
	}
	if (q->n_addrs == ADDRS_MAX)
		return;
	connect_ip(addr, ip);
	snprintf(q->resolve + at, sizeof(q->resolve) - at, "%s%s%s%s",
	    q->n_addrs++ > 0 ? "," : "", is_6 ? "[" : "", ip, is_6 ? "]" : "");
}

static void
take_addresses(
    struct http_query *q, enum dns_type type, const struct dns_answer *a)
{
	struct sockaddr_storage addr;

	q->has_dns_trouble |=
	    a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS;
	for (size_t i = 0; i < a->n; i++)
		if (dns_read_address(type, a->data[i], q->port, &addr))
			take_address(q, &addr);
	if (q->query4 == NULL && q->query6 == NULL)
		addresses_known(q);
}

static void
on_a(void *arg, const struct dns_answer *a)
{
	struct http_query *q = arg;

	q->query4 = NULL;
	take_addresses(q, DNS_A, a);
}

static void
on_aaaa(void *arg, const struct dns_answer *a)
{
	struct http_query *q = arg;

	q->query6 = NULL;
	take_addresses(q, DNS_AAAA, a);
}

static void
known_already(void *arg)
{
	struct http_query *q = arg;

	if (!q->is_dead)
		addresses_known(q);
}

/* An address needs no look-up, but is judged like one that was found. */
static bool
take_literal(struct http_query *q)
{
	struct sockaddr_storage addr;
	struct in6_addr a6;
	struct in_addr a4;

	if (inet_pton(AF_INET, q->host, &a4) == 1)
		(void)!dns_read_address(
		    DNS_A, str_make(&a4, sizeof(a4)), q->port, &addr);
	else if (inet_pton(AF_INET6, q->host, &a6) == 1)
		(void)!dns_read_address(
		    DNS_AAAA, str_make(&a6, sizeof(a6)), q->port, &addr);
	else
		return false;
	take_address(q, &addr);
	q->is_literal = true;
	loop_defer(q->client->loop, known_already, q);
	return true;
}

static void
begin(struct http_query *q)
{
	struct http_client *c = q->client;

	if (take_literal(q))
		return;
	/* "+": forgotten by the library after a minute. */
	snprintf(q->resolve, sizeof(q->resolve), "+%s:%u:", q->host, q->port);
	q->query6 = resolver_ask(c->resolver, q->host, DNS_AAAA, on_aaaa, q);
	q->query4 = resolver_ask(c->resolver, q->host, DNS_A, on_a, q);
}

static void
begin_waiting(struct http_client *c)
{
	struct http_query *q, *next;

	for (q = TAILQ_FIRST(&c->line);
	     q != NULL && !http_places_are_full(&c->places); q = next) {
		next = TAILQ_NEXT(q, link);
		if (!http_places_take(&c->places, q->owner))
			continue;
		TAILQ_REMOVE(&c->line, q, link);
		q->is_waiting = false;
		begin(q);
	}
}

struct http_query *
http_ask(
    struct http_client *c, const struct http_request *r, http_fn fn, void *arg)
{
	struct http_query *q = X_NEW(struct http_query);
	bool is_v6 = strchr(r->host, ':') != NULL;
	char field[TYPE_MAX];

	q->client = c;
	q->fn = fn;
	q->arg = arg;
	q->port = r->port;
	q->allow_local = r->allow_local;
	q->is_public_only = r->is_public_only;
	q->is_plain = r->is_plain;
	q->limit_ms = r->limit_ms;
	q->idle_s = r->idle_s;
	q->owner = http_places_owner(r->owner, c->seed);
	q->reply = BUF_INIT(r->reply_max);
	q->head = BUF_INIT(r->fields_max);
	snprintf(q->host, sizeof(q->host), "%s", r->host);
	snprintf(q->url, sizeof(q->url), "%s://%s%s%s:%u%s",
	    r->is_plain ? "http" : "https", is_v6 ? "[" : "", r->host,
	    is_v6 ? "]" : "", r->port, r->path);
	q->is_post = r->type != NULL;
	if (q->is_post) {
		snprintf(field, sizeof(field), "Content-Type: %s", r->type);
		q->fields = curl_slist_append(NULL, field);
		/* No waiting for "100 Continue". */
		q->fields = curl_slist_append(q->fields, "Expect:");
		q->body = BUF_INIT(r->body.n);
		buf_put_str(&q->body, r->body);
	}
	for (size_t i = 0; r->fields != NULL && r->fields[i] != NULL; i++)
		q->fields = curl_slist_append(q->fields, r->fields[i]);
	q->is_waiting = true;
	TAILQ_INSERT_TAIL(&c->line, q, link);
	begin_waiting(c);
	return q;
}

struct str
http_reply_field(const struct http_reply *r, struct str name)
{
	struct str rest = r->fields, line, key;

	while (rest.n > 0) {
		struct str value;

		rest = str_split(rest, '\n', &line);
		value = str_split(line, ':', &key);
		if (!str_eq_case(key, name))
			continue;
		value.n -= value.n > 0 && value.p[value.n - 1] == '\r';
		return str_trim(value);
	}
	return STR_NONE;
}

void
http_cancel(struct http_query *q)
{
	close_query(q);
}

/* --- the client ------------------------------------------------------------------------- */

struct http_client *
http_client_new(const struct http_client_config *config)
{
	struct http_client *c = X_NEW(struct http_client);

	c->loop = config->loop;
	c->resolver = config->resolver;
	c->tls = config->tls;
	secret_random(&c->seed, sizeof(c->seed));
	TAILQ_INIT(&c->line);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die("curl_global_init failed");
	c->multi = curl_multi_init();
	if (c->multi == NULL)
		die("curl_multi_init failed");
	c->timer = loop_timer_new(c->loop, on_time, c);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	return c;
}

struct http_client *
http_client_free(struct http_client *c)
{
	if (c == NULL)
		return NULL;
	curl_multi_cleanup(c->multi);
	loop_timer_free(c->timer);
	free(c);
	return NULL;
}
