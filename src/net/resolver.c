/* SPDX-License-Identifier: ISC */
/*
 * resolver.c - libunbound on our loop. See resolver.h.
 */
#include "net/dns_cache.h"
#include "proto/dnsmsg/dnsmsg.h"

#include <netinet/in.h>
#include <unbound.h>

/* A name server that works at all says that it cannot within this time. */
#define TRIES_MS 3000

struct resolver {
	struct loop *loop;
	struct ub_ctx *ctx;
	struct loop_fd *watch;
	struct dns_cache *cache;
	struct resolver_query *queries; /* under way */
	uint64_t unanswered_ms; /* the first behind the last answer; 0: none */
};

struct resolver_query {
	struct resolver *r;
	struct resolver_query *next, **prev;
	int id;         /* of the library; -1: it never got it */
	resolver_fn fn; /* NULL: nobody waits for it any more */
	void *arg;
	struct loop_timer *limit; /* NULL: none */
	uint64_t asked_ms;
	bool is_cancelled;        /* and a deferred call is still to come */
	struct dns_cached *known; /* NULL: it has to be asked for */
	enum dns_type type;
	char name[];
};

/* --- record data --------------------------------------------------------------- */

static bool
put_label(struct str label, char *to, size_t *at)
{
	if (*at + label.n + 1 > DNS_NAME_MAX)
		return false;
	if (*at > 0)
		to[(*at)++] = '.';
	for (size_t i = 0; i < label.n; i++) {
		char c = ascii_lower(label.p[i]);

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' &&
		    c != '_')
			return false;
		to[(*at)++] = c;
	}
	return true;
}

/* The library has expanded compressed names. */
static bool
read_name(struct str data, char *to)
{
	size_t at = 0;

	while (data.n > 0) {
		size_t n = (unsigned char)data.p[0];

		if (n == 0) {
			to[at] = '\0';
			return data.n == 1;
		}
		if (n > 63 || n + 1 > data.n ||
		    !put_label(str_sub(data, 1, n), to, &at))
			return false;
		data = str_from(data, n + 1);
	}
	return false;
}

bool
dns_read_mx(
    struct str data, uint16_t *ret_preference, char ret_host[DNS_NAME_MAX + 1])
{
	char host[DNS_NAME_MAX + 1];

	if (data.n < 3 || !read_name(str_from(data, 2), host))
		return false;
	*ret_preference = (uint16_t)((unsigned char)data.p[0] << 8 |
				     (unsigned char)data.p[1]);
	memcpy(ret_host, host, sizeof(host));
	return true;
}

bool
dns_read_name(struct str data, char ret_name[DNS_NAME_MAX + 1])
{
	char name[DNS_NAME_MAX + 1];

	if (!read_name(data, name))
		return false;
	memcpy(ret_name, name, sizeof(name));
	return true;
}

void
dns_join_txt(struct str data, struct buf *to)
{
	while (data.n > 0) {
		size_t n = (unsigned char)data.p[0];

		buf_put_str(to, str_sub(data, 1, n));
		data = str_from(data, n + 1);
	}
}

/* Priority and weight, and then it looks as an MX record does. */
bool
dns_read_srv(
    struct str data, uint16_t *ret_port, char ret_host[DNS_NAME_MAX + 1])
{
	return data.n > 4 && dns_read_mx(str_from(data, 4), ret_port, ret_host);
}

bool
dns_read_address(enum dns_type type, struct str data, uint16_t port,
    struct sockaddr_storage *ret)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	struct sockaddr_in in4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	if (type == DNS_A && data.n == sizeof(in4.sin_addr)) {
		memcpy(&in4.sin_addr, data.p, data.n);
		memset(ret, 0, sizeof(*ret));
		memcpy(ret, &in4, sizeof(in4));
		return true;
	}
	if (type == DNS_AAAA && data.n == sizeof(in6.sin6_addr)) {
		memcpy(&in6.sin6_addr, data.p, data.n);
		memset(ret, 0, sizeof(*ret));
		memcpy(ret, &in6, sizeof(in6));
		return true;
	}
	return false;
}

/* --- queries ------------------------------------------------------------------- */

static void
unlink_query(struct resolver_query *q)
{
	*q->prev = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
}

static void
finish(struct resolver_query *q, const struct dns_answer *a)
{
	unlink_query(q);
	loop_timer_free(q->limit);
	if (q->fn != NULL)
		q->fn(q->arg, a);
	free(q);
}

/* Nobody was reached: the library says so behind many tries. What says so at once is
 * somebody. */
static void
note_answer(const struct resolver_query *q, enum dns_status status)
{
	struct resolver *r = q->r;

	if (status != DNS_TEMPFAIL ||
	    loop_now_ms(r->loop) - q->asked_ms < TRIES_MS)
		r->unanswered_ms = 0;
}

static enum dns_status
status_of(const struct ub_result *result)
{
	if (result->bogus)
		return DNS_BOGUS;
	if (result->havedata)
		return DNS_FOUND;
	if (result->nxdomain)
		return DNS_NO_NAME;
	return result->rcode == 0 ? DNS_NO_DATA : DNS_TEMPFAIL;
}

static const char *
rcode_text(int rcode)
{
	switch (rcode) {
	case 1:
		return "the name server says FORMERR";
	case 2:
		return "no name server gave an answer (SERVFAIL)";
	case 5:
		return "the name server refuses to answer";
	default:
		return "the name server says that something is wrong";
	}
}

/* The library was told to ask for signatures, and keeps them in its packet. */
static uint64_t
signed_until(struct resolver *r, const char *name, enum dns_type type,
    const struct ub_result *result)
{
	struct str raw =
	    str_make(result->answer_packet, (size_t)MAX(result->answer_len, 0));
	uint64_t now = loop_time(r->loop), until = 0;
	struct buf asked = BUF_INIT(KIB(1));
	struct dnsmsg_span span;
	struct dnsmsg m;
	uint16_t id;

	if (raw.n < 2)
		return 0;
	id = (uint16_t)((uint8_t)raw.p[0] << 8 | (uint8_t)raw.p[1]);
	if (dnsmsg_ask(&asked, id, str_c(name), (enum dnsmsg_type)type, 0) &&
	    dnsmsg_read(raw, buf_str(&asked), &m) == DNSMSG_OK &&
	    dnsmsg_signature(raw, &m, type, &span))
		until = now + dnsmsg_span_left(&span, now);
	buf_done(&asked);
	return until;
}

static void
on_answer(void *arg, int error, struct ub_result *result)
{
	struct resolver_query *q = arg;
	struct dns_answer a = { .status = DNS_TEMPFAIL };
	struct str data[DNS_RECORDS_MAX];

	if (error != 0 || result == NULL) {
		a.why = ub_strerror(error);
		finish(q, &a);
		return;
	}
	a.status = status_of(result);
	note_answer(q, a.status);
	a.is_secure = result->secure;
	if (a.is_secure && a.status == DNS_FOUND)
		a.signed_until_s = signed_until(q->r, q->name, q->type, result);
	a.ttl = (uint32_t)MAX(result->ttl, 0);
	a.name = result->canonname ? result->canonname : result->qname;
	a.is_alias =
	    result->canonname && strcasecmp(result->canonname, result->qname);
	a.data = data;
	if (a.status == DNS_BOGUS)
		a.why = result->why_bogus ? result->why_bogus : "bogus";
	else if (a.status == DNS_TEMPFAIL)
		a.why = rcode_text(result->rcode);
	while (a.status == DNS_FOUND && a.n < DNS_RECORDS_MAX &&
	       result->data[a.n] != NULL) {
		data[a.n] =
		    str_make(result->data[a.n], (size_t)result->len[a.n]);
		a.n++;
	}
	dns_cache_put(
	    q->r->cache, q->name, q->type, &a, loop_now_ms(q->r->loop));
	finish(q, &a);
	ub_resolve_free(result);
}

static void
on_readable(void *arg)
{
	struct resolver *r = arg;

	(void)ub_process(r->ctx);
}

/* The answer is known, or the library did not take the question. */
static void
answer_unasked(void *arg)
{
	struct resolver_query *q = arg;
	struct dns_cached *known = q->known;
	struct dns_answer a = { .status = DNS_TEMPFAIL,
		.why = "the name cannot be asked for" };

	if (known != NULL)
		a = dns_cached_answer(known);
	if (q->is_cancelled)
		free(q);
	else
		finish(q, &a);
	if (known != NULL)
		dns_cached_unref(known);
}

static void
on_limit(void *arg)
{
	struct resolver_query *q = arg;
	const struct dns_answer a = { .status = DNS_TEMPFAIL,
		.why = "no name server answered in time" };
	resolver_fn fn = TAKE_PTR(q->fn);

	fn(q->arg, &a);
}

struct resolver_query *
resolver_ask_within(struct resolver *r, const char *name, enum dns_type type,
    uint64_t limit_ms, resolver_fn fn, void *arg)
{
	struct resolver_query *q = resolver_ask(r, name, type, fn, arg);

	if (limit_ms == 0)
		return q;
	q->limit = loop_timer_new(r->loop, on_limit, q);
	loop_timer_set(q->limit, limit_ms);
	return q;
}

bool
resolver_is_silent(const struct resolver *r, uint64_t ms)
{
	return r->unanswered_ms != 0 &&
	       loop_now_ms(r->loop) - r->unanswered_ms >= ms;
}

struct resolver_query *
resolver_ask(struct resolver *r, const char *name, enum dns_type type,
    resolver_fn fn, void *arg)
{
	size_t n = strlen(name) + 1;
	struct resolver_query *q = x_zalloc(sizeof(*q) + n);

	memcpy(q->name, name, n);
	q->type = type;
	q->r = r;
	q->fn = fn;
	q->arg = arg;
	q->next = r->queries;
	q->prev = &r->queries;
	if (q->next != NULL)
		q->next->prev = &q->next;
	r->queries = q;
	q->known = dns_cache_get(r->cache, name, type, loop_now_ms(r->loop));
	q->asked_ms = loop_now_ms(r->loop);
	if (q->known != NULL || ub_resolve_async(r->ctx, name, (int)type, 1, q,
				    on_answer, &q->id) != 0) {
		q->id = -1;
		loop_defer(r->loop, answer_unasked, q);
	} else if (r->unanswered_ms == 0) {
		r->unanswered_ms = q->asked_ms;
	}
	return q;
}

void
resolver_cancel(struct resolver_query *q)
{
	unlink_query(q);
	loop_timer_free(TAKE_PTR(q->limit));
	if (q->id < 0) {
		q->is_cancelled = true;
		return;
	}
	(void)ub_cancel(q->r->ctx, q->id);
	free(q);
}

/* --- the library's context -------------------------------------------------------- */

static const char *const options[][2] = {
	/* A resolver may well run on this machine. */
	{ "do-not-query-localhost:", "no" },
	{ "outgoing-range:", "256" },
	{ "num-queries-per-thread:", "4096" },
	{ "msg-cache-size:", "16m" },
	{ "rrset-cache-size:", "32m" },
	{ "cache-max-ttl:", "86400" },
	{ "cache-max-negative-ttl:", "600" },
	{ "infra-host-ttl:", "300" },
	{ "qname-minimisation:", "yes" },
	{ "harden-referral-path:", "no" },
	{ "val-clean-additional:", "yes" },
	{ "use-syslog:", "no" },
};

static int
add_anchors(struct ub_ctx *ctx, struct str text)
{
	int error = 0;

	while (text.n > 0 && error == 0) {
		struct str line;
		char *rr;

		text = str_split(text, '\n', &line);
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == ';' || line.p[0] == '#')
			continue;
		rr = str_dup(line);
		error = ub_ctx_add_ta(ctx, rr);
		free(rr);
	}
	return error;
}

/*
 * The library answers for the reverse zones of loopback and private networks
 * itself (RFC 6303), so that such questions do not go out into the world.
 * Where they go to servers of the operator's, these know better.
 */
static int
open_private_zones(struct ub_ctx *ctx)
{
	static const char *const zones[] = {
		"127.in-addr.arpa.",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		"0.ip6.arpa.",
	};
	int error = 0;

	for (size_t i = 0; i < ARRAY_LEN(zones) && error == 0; i++)
		error = ub_ctx_zone_remove(ctx, zones[i]);
	return error;
}

static int
configure(struct ub_ctx *ctx, const struct resolver_config *config)
{
	int error = 0;

	for (size_t i = 0; i < ARRAY_LEN(options) && error == 0; i++)
		error = ub_ctx_set_option(ctx, options[i][0], options[i][1]);
	if (config->n_servers > 0 && error == 0)
		error = ub_ctx_set_option(ctx, "unblock-lan-zones:", "yes");
	for (size_t i = 0; i < config->n_servers && error == 0; i++)
		error = ub_ctx_set_fwd(ctx, config->servers[i]);
	if (error == 0)
		error = add_anchors(ctx, config->trust_anchors);
	/* A thread, not a process. */
	if (error == 0)
		error = ub_ctx_async(ctx, 1);
	/* This ends the settings of the context. */
	if (error == 0 && config->n_servers > 0)
		error = open_private_zones(ctx);
	return error;
}

int
resolver_new(const struct resolver_config *config, struct resolver **ret,
    char **ret_error)
{
	struct ub_ctx *ctx = ub_ctx_create();
	struct resolver *r;
	int error;

	if (ctx == NULL)
		die("ub_ctx_create: %s", strerror(errno));
	error = configure(ctx, config);
	if (error != 0) {
		*ret_error = x_strdup(ub_strerror(error));
		ub_ctx_delete(ctx);
		return -EINVAL;
	}
	r = X_NEW(struct resolver);
	r->loop = config->loop;
	r->ctx = ctx;
	r->cache = dns_cache_new();
	r->watch = loop_fd_new(r->loop, ub_fd(ctx), on_readable, NULL, r);
	loop_fd_want(r->watch, true, false);
	*ret = r;
	return 0;
}

void
resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	while (r->queries != NULL)
		resolver_cancel(r->queries);
	loop_fd_free(r->watch);
	ub_ctx_delete(r->ctx);
	dns_cache_free(r->cache);
	free(r);
}
