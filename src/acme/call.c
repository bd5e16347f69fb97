/* SPDX-License-Identifier: ISC */
/*
 * call.c - requests to the authority (RFC 8555 section 6).
 *
 *   call_open()  GET directory, unless it is known
 *   call_post()  GET newNonce, unless there is one from the last answer; then
 *                POST; badNonce: again with the nonce of that answer, a few times
 *                (section 6.5)
 */
#include "acme/server.h"

#define LIMIT_MS    60000
#define IDLE_S      20
#define FIELDS_MAX  KIB(16)
#define BODY_TYPE   "application/jose+json"
#define REQUEST_MAX KIB(128)
#define NONCES_MAX  10
/* The directory is asked for anew after so long, or when something failed. */
#define DIRECTORY_MS (24 * 3600 * 1000ULL)

struct calls {
	struct server *sv;
	struct acme_directory directory;
	uint64_t known_ms; /* 0: it is not known */
	char nonce[ACME_NONCE_MAX + 1];
	/* What is under way. */
	struct http_query *query;
	failure_fn opened;
	call_fn fn;
	void *arg;
	char *url;
	struct buf payload;
	bool is_by_key;
	size_t reply_max;
	unsigned tries;
};

struct calls *
calls_new(struct server *sv)
{
	struct calls *c = X_NEW(struct calls);

	c->sv = sv;
	return c;
}

void
calls_reset(struct calls *c)
{
	c->known_ms = 0;
	c->nonce[0] = '\0';
}

void
failure_set(struct failure *f, const char *fmt, ...)
{
	va_list ap;

	*f = (struct failure){ 0 };
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

/* --- the end of a call ---------------------------------------------------------------- */

static void
forget_request(struct calls *c)
{
	free(TAKE_PTR(c->url));
	buf_done(&c->payload);
	c->fn = NULL;
	c->opened = NULL;
}

static void
end_post(struct calls *c, const struct call_result *r)
{
	call_fn fn = c->fn;

	if (r->failure != NULL)
		c->known_ms = 0;
	forget_request(c);
	fn(c->arg, r);
}

static void
end_open(struct calls *c, const struct failure *f)
{
	failure_fn fn = c->opened;

	forget_request(c);
	fn(c->arg, f);
}

void
call_cancel(struct server *sv)
{
	struct calls *c = sv->calls;

	if (c->query != NULL)
		http_cancel(TAKE_PTR(c->query));
	forget_request(c);
}

/* --- requests ---------------------------------------------------------------------------- */

/* A GET, or with a body a POST. False: the address is none. */
static bool
send_request(struct calls *c, const char *address, struct str body, http_fn fn)
{
	struct http_request r = { .body = body,
		.type = body.n > 0 ? BODY_TYPE : NULL,
		.reply_max = MAX(c->reply_max, ACME_BODY_MAX),
		.fields_max = FIELDS_MAX,
		.limit_ms = LIMIT_MS,
		.idle_s = IDLE_S,
		.allow_local = c->sv->conf->acme_allow_loopback };
	struct acme_url url;

	if (!acme_url_parse(str_c(address), &url))
		return false;
	r.host = url.host;
	r.owner = str_c(url.host);
	r.port = url.port;
	r.path = url.path;
	c->query = http_ask(c->sv->http, &r, fn, c);
	return true;
}

/* Every answer may bring the nonce of the next request (section 6.5). */
static void
take_nonce(struct calls *c, const struct http_reply *r)
{
	struct str s = http_reply_field(r, STR("Replay-Nonce"));

	if (!acme_is_nonce(s))
		return;
	memcpy(c->nonce, s.p, s.n);
	c->nonce[s.n] = '\0';
}

static bool
is_good(const struct http_reply *r)
{
	return r->end == HTTP_END_REPLY && r->status >= 200 && r->status < 300;
}

static void
describe(struct calls *c, const char *address, const struct http_reply *r,
    struct acme_problem *p, struct failure *f)
{
	if (r->end != HTTP_END_REPLY) {
		failure_set(f, "%s: %s", address, r->why);
		return;
	}
	acme_problem_read(r->body, p);
	if (p->text[0] != '\0' || p->type[0] != '\0')
		failure_set(f, "%s%s%s", p->text, p->text[0] != '\0' ? " " : "",
		    p->type);
	else
		failure_set(f, "%s answers with status %u", address, r->status);
	f->is_limited = r->status == 429 || acme_problem_is(p, "rateLimited");
	(void)!acme_retry_after(http_reply_field(r, STR("Retry-After")),
	    loop_time(c->sv->loop), &f->retry_after_s);
}

/* --- POST ---------------------------------------------------------------------------------- */

static void post_now(struct calls *c);

static void
fail_post(struct calls *c, const char *what)
{
	struct failure f;

	failure_set(&f, "%s", what);
	end_post(c, &(struct call_result){ .failure = &f });
}

static void
on_posted(void *arg, const struct http_reply *r)
{
	struct calls *c = arg;
	struct acme_problem p = { 0 };
	struct failure f = { 0 };
	struct call_result result = { .body = r->body };

	c->query = NULL;
	take_nonce(c, r);
	if (!is_good(r)) {
		describe(c, c->url, r, &p, &f);
		result.failure = &f;
		result.problem = r->end == HTTP_END_REPLY ? &p : NULL;
	}
	if (acme_problem_is(&p, "badNonce") && ++c->tries < NONCES_MAX) {
		post_now(c);
		return;
	}
	result.location = http_reply_field(r, STR("Location"));
	(void)!acme_retry_after(http_reply_field(r, STR("Retry-After")),
	    loop_time(c->sv->loop), &result.retry_after_s);
	end_post(c, &result);
}

static void
on_nonce(void *arg, const struct http_reply *r)
{
	struct calls *c = arg;
	struct acme_problem p = { 0 };
	struct failure f;

	c->query = NULL;
	take_nonce(c, r);
	if (is_good(r) && c->nonce[0] != '\0') {
		post_now(c);
		return;
	}
	describe(c, c->directory.nonce, r, &p, &f);
	if (is_good(r))
		failure_set(&f, "%s gives no nonce", c->directory.nonce);
	end_post(c, &(struct call_result){ .failure = &f });
}

static void
post_now(struct calls *c)
{
	struct buf body = BUF_INIT(REQUEST_MAX);
	struct acme_jws j = { .key = account_key(c->sv),
		.kid = c->is_by_key ? STR_NONE : account_url(c->sv),
		.nonce = str_c(c->nonce),
		.url = str_c(c->url),
		.payload = buf_str(&c->payload) };

	if (c->nonce[0] == '\0') {
		if (!send_request(c, c->directory.nonce, STR_NONE, on_nonce))
			fail_post(c, "the authority has no place for nonces");
		return;
	}
	if (!acme_jws_put(&body, &j))
		fail_post(c, "a request cannot be signed");
	else if (c->nonce[0] = '\0',
	    !send_request(c, c->url, buf_str(&body), on_posted))
		fail_post(c, "the authority gave an address that is none");
	buf_done(&body);
}

static void
begin_post(void *arg)
{
	struct calls *c = arg;

	if (c->fn != NULL)
		post_now(c);
}

void
call_post(struct server *sv, const struct call_request *request, call_fn fn,
    void *arg)
{
	struct calls *c = sv->calls;

	ASSERT(c->fn == NULL && c->opened == NULL);
	c->url = x_strdup(request->url);
	c->payload = BUF_INIT(REQUEST_MAX);
	buf_put_str(&c->payload, request->payload);
	c->is_by_key = request->is_by_key;
	c->reply_max = request->reply_max;
	c->tries = 0;
	c->fn = fn;
	c->arg = arg;
	loop_defer(sv->loop, begin_post, c);
}

/* --- the directory --------------------------------------------------------------------------- */

static void
on_directory(void *arg, const struct http_reply *r)
{
	const char *address;
	struct calls *c = arg;
	struct acme_problem p = { 0 };
	struct failure f;

	c->query = NULL;
	address = c->sv->conf->acme_directory;
	if (!is_good(r)) {
		describe(c, address, r, &p, &f);
	} else if (!acme_directory_read(r->body, &c->directory)) {
		failure_set(
		    &f, "%s is no directory of an ACME server", address);
	} else {
		c->known_ms = loop_now_ms(c->sv->loop);
		end_open(c, NULL);
		return;
	}
	end_open(c, &f);
}

static void
begin_open(void *arg)
{
	struct calls *c = arg;
	struct failure f;

	if (c->opened == NULL)
		return;
	if (c->known_ms != 0 &&
	    loop_now_ms(c->sv->loop) - c->known_ms < DIRECTORY_MS) {
		end_open(c, NULL);
		return;
	}
	if (send_request(
		c, c->sv->conf->acme_directory, STR_NONE, on_directory))
		return;
	failure_set(&f,
	    "acme.directory: %s is no address that begins with "
	    "https:// and a host name",
	    c->sv->conf->acme_directory);
	end_open(c, &f);
}

void
call_open(struct server *sv, failure_fn fn, void *arg)
{
	struct calls *c = sv->calls;

	ASSERT(c->fn == NULL && c->opened == NULL);
	c->opened = fn;
	c->arg = arg;
	loop_defer(sv->loop, begin_open, c);
}

const struct acme_directory *
call_directory(const struct server *sv)
{
	return &sv->calls->directory;
}
