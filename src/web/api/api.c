/* SPDX-License-Identifier: ISC */
/* api.c - a request of the HTTP API: what is asked for, by whom. See api.h. */
#include "web/api/api.h"

#include "base/secret.h"
#include "net/conn.h"
#include "net/limits.h"
#include "proto/http/http_text.h"
#include "web/page/pages.h"
#include "web/route.h"

#define READ        STATUS_MAY_READ
#define POSTS       STATUS_MAY_POST
#define SYSTEMS     STATUS_MAY_SYSTEMS
#define SUBSCRIBERS STATUS_MAY_SUBSCRIBERS

static const struct api_route routes[] = {
#define API(method, path, scopes, has_body, query, run) \
	{ ROUTE_##method, path, scopes, has_body, query, run },
#include "web/api/api_routes.def"
#undef API
};

/* --- what is asked for --------------------------------------------------------------- */

static bool
take_segment(struct api_call *c, struct str pattern, struct str segment,
    size_t *n_names, size_t *n_numbers)
{
	if (segment.n == 0)
		return false;
	if (str_eq(pattern, STR("{n}"))) {
		/* A window's start has leading zeros: it is kept as a name. */
		if (*n_names < ARRAY_LEN(c->names))
			c->names[(*n_names)++] = segment;
		return str_to_u32(
			   segment, UINT32_MAX, &c->numbers[*n_numbers]) &&
		       ++*n_numbers <= ARRAY_LEN(c->numbers);
	}
	if (str_eq(pattern, STR("{s}"))) {
		c->names[(*n_names)++] = segment;
		return true;
	}
	return str_eq(pattern, segment);
}

static bool
fits(struct api_call *c, const char *pattern)
{
	struct str p = str_from(str_c(pattern), 1);
	struct str s = str_from(buf_str(&c->path), 1);
	size_t n_names = 0, n_numbers = 0;

	if (str_ends(s, STR("/")))
		return false;
	while (p.n > 0 || s.n > 0) {
		struct str part, segment;

		p = str_split(p, '/', &part);
		s = str_split(s, '/', &segment);
		if (part.n == 0 ||
		    !take_segment(c, part, segment, &n_names, &n_numbers))
			return false;
	}
	return true;
}

static void
refuse_method(struct api_call *c, unsigned methods)
{
	static const struct {
		unsigned method;
		const char *name;
	} names[] = { { ROUTE_GET, "GET, HEAD" }, { ROUTE_POST, "POST" },
		{ ROUTE_PUT, "PUT" }, { ROUTE_PATCH, "PATCH" },
		{ ROUTE_DELETE, "DELETE" } };
	struct buf text = BUF_INIT(KIB(1));

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (methods & names[i].method)
			buf_printf(&text, "%s%s", text.n > 0 ? ", " : "",
			    names[i].name);
	buf_put_str(&c->next, buf_str(&text));
	buf_done(&text);
	api_fail(c, 405, "This path does not have that method.");
}

static bool
choose(struct api_call *c)
{
	enum http_method m = visit_request(c->v)->method;
	unsigned methods = 0, method;

	method = 1U << (m == HTTP_HEAD ? HTTP_GET : m);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (!fits(c, routes[i].path))
			continue;
		methods |= routes[i].method;
		if (routes[i].method == method) {
			c->route = &routes[i];
			return true;
		}
	}
	if (methods > 0)
		refuse_method(c, methods);
	else
		api_fail(c, 404, "There is nothing at this path.");
	return false;
}

/* --- what comes with it --------------------------------------------------------------- */

static bool
is_named(struct str list, struct str name)
{
	struct str one;

	while (list.n > 0) {
		list = str_split(list, ' ', &one);
		if (str_eq(one, name))
			return true;
	}
	return false;
}

/* A mistyped name would change what is meant, silently; and of two values one
 * would have no effect. */
static bool
check_query(struct api_call *c)
{
	struct str rest = buf_str(&c->query), name = STR_NONE, value;
	struct buf key = BUF_INIT(HTTP_TARGET_MAX + 1);
	struct buf text = BUF_INIT(HTTP_TARGET_MAX + 1);
	struct buf seen = BUF_INIT(HTTP_TARGET_MAX + 1);
	const char *fault = NULL;

	while (fault == NULL && http_form_next(&rest, &name, &value)) {
		buf_reset(&key, key.cap);
		buf_reset(&text, text.cap);
		if (!http_form_decode(name, &key) ||
		    !http_form_decode(value, &text))
			fault = "a parameter that is badly encoded";
		else if (!is_named(str_c(c->route->query), buf_str(&key)))
			fault = "a parameter that this request does not have";
		else if (text.n > API_QUERY_MAX)
			fault = "a parameter that is too long";
		else if (is_named(buf_str(&seen), buf_str(&key)))
			fault = "a parameter twice";
		buf_put_str(&seen, buf_str(&key));
		buf_put_char(&seen, ' ');
	}
	if (fault != NULL)
		api_fail_query(c, buf_str(&key), fault);
	buf_done(&key);
	buf_done(&text);
	buf_done(&seen);
	return fault == NULL;
}

/* What cannot be understood is never "anyhow" (RFC 9110 section 13.1.1). */
static bool
check_condition(struct api_call *c)
{
	if (!c->has_if_match || http_if_match(buf_str(&c->if_match),
				    STR("\"\"")) != HTTP_MATCH_MALFORMED)
		return true;
	api_fail(c, 400,
	    "If-Match is * or a list of entity tags, each in its quotes.");
	return false;
}

/* --- the body -------------------------------------------------------------------------- */

static bool
is_json(const struct http_request *q)
{
	struct str type = STR_NONE, first;

	if (!http_request_field(q, STR("Content-Type"), &type))
		return false;
	(void)str_split(type, ';', &first);
	return str_eq_case(str_trim(first), STR("application/json")) ||
	       str_eq_case(
		   str_trim(first), STR("application/merge-patch+json"));
}

static bool
take_body(struct api_call *c)
{
	struct str body = visit_body(c->v);

	if (body.n == 0 && c->route->has_body != 1)
		return true;
	if (c->route->has_body == 0) {
		api_fail(c, 400, "This request has no body.");
		return false;
	}
	if (!is_json(visit_request(c->v))) {
		api_fail(c, 415, "The body has to be application/json.");
		return false;
	}
	buf_put_str(&c->body, body);
	return true;
}

/* Behind the look at the key: what strangers send is not parsed. */
static bool
parse_body(struct api_call *c)
{
	if (c->body.n == 0)
		return true;
	c->doc = jsondoc_parse(buf_str(&c->body), API_BODY_MAX);
	c->json = jsondoc_root(c->doc);
	if (jsonnode_is_object(c->json))
		return true;
	api_fail(c, 400, "The body has to be one JSON object.");
	return false;
}

/* --- the key ----------------------------------------------------------------------------- */

static bool
check_key(struct api_call *c, const struct msg_ledger_row *row)
{
	struct status_key k;

	if (!status_key_decode(row->value, &k) ||
	    !status_secret_matches(c->secret, k.hash) ||
	    !status_key_is_good(&k, api_now()))
		return true;
	c->is_known = true;
	c->scopes = k.scopes;
	c->is_allowed = (k.scopes & c->route->scopes) != 0;
	buf_printf(
	    &c->who, "key %.*s (%.*s)", STR_ARG(row->key), STR_ARG(k.name));
	return false;
}

static void
run(struct api_call *c)
{
	if (check_query(c) && check_condition(c) && parse_body(c))
		c->route->run(c);
}

/* The log has a line for the first time that an address is over the limit, not
 * for each. */
static void
note_wrong_key(struct api_call *c)
{
	const struct sockaddr_storage *addr = visit_addr(c->v);
	uint64_t now_ms = loop_now_ms(c->sv->loop), wait_ms;
	struct limits *told = c->sv->wrong_keys_told;

	if (limits_enter(c->sv->wrong_keys, addr, now_ms) == LIMITS_OK)
		limits_leave(c->sv->wrong_keys, addr);
	if (limits_look(c->sv->wrong_keys, addr, now_ms, &wait_ms) ==
		LIMITS_OK ||
	    limits_enter(told, addr, now_ms) != LIMITS_OK)
		return;
	limits_leave(told, addr);
	log_event(EV_WEB_LIMIT,
	    LC("service", visit_is_https(c->v) ? "https" : "http"),
	    LC("ip", buf_c(&c->peer)), LC("what", "wrong keys of the API"));
}

/* Whoever tries keys is not listened to for a while, with a good one either: 429
 * was answered. */
static bool
is_guessing(struct api_call *c)
{
	uint64_t wait_ms = 0;

	if (limits_look(c->sv->wrong_keys, visit_addr(c->v),
		loop_now_ms(c->sv->loop), &wait_ms) != LIMITS_TOO_FAST)
		return false;
	c->retry_s = (unsigned)(wait_ms / 1000) + 1;
	api_fail(c, 429,
	    "Too many wrong keys came from this address: try again later.");
	return true;
}

static void
with_key(struct api_call *c)
{
	secret_wipe(c->token.p, c->token.n);
	if (!c->is_known) {
		note_wrong_key(c);
		log_event(EV_WEB_API_REFUSED, LC("ip", buf_c(&c->peer)),
		    LC("why", "the key is not known, revoked or at its end"));
		api_fail(c, 401, "The key is not known, or it is revoked.");
	} else if (!c->is_allowed) {
		api_fail(c, 403, "The key is not for this: see its scopes.");
	} else {
		run(c);
	}
}

/* Whoever reads along has the key from then on. A proxy's loopback is not ours. */
static bool
is_safe_way(const struct visit *v)
{
	struct str ip = str_c(visit_ip(v));

	return visit_is_https(v) ||
	       (!visit_is_proxied(v) &&
		   (str_starts(ip, STR("127.")) || str_eq(ip, STR("::1"))));
}

static void
look_for_key(struct api_call *c)
{
	struct str field, id, scheme = STR("Bearer ");

	if (!http_request_field(
		visit_request(c->v), STR("Authorization"), &field) ||
	    !str_starts_case(field, scheme)) {
		api_fail(c, 401, "A key is needed: Authorization: Bearer ...");
		return;
	}
	if (!is_safe_way(c->v)) {
		api_fail(c, 403, "A key is taken over HTTPS only.");
		return;
	}
	if (is_guessing(c))
		return;
	buf_put_str(&c->token, str_trim(str_from(field, scheme.n)));
	if (!status_key_split_token(buf_str(&c->token), &id, &c->secret)) {
		note_wrong_key(c);
		api_fail(c, 401, "The key is malformed.");
		return;
	}
	api_read(c, &(struct api_read){ .table = LEDGER_APIKEY,
			.prefix = id,
			.row = check_key,
			.then = with_key });
}

/* --- the request ---------------------------------------------------------------------------- */

static void
on_gone(void *arg)
{
	struct api_call *c = arg;

	c->v = NULL;
}

static struct api_call *
api_call_new(struct visit *v)
{
	struct api_call *c = X_NEW(struct api_call);
	const struct http_request *q = visit_request(v);
	struct str field;
	size_t i = 0;

	*c = (struct api_call){ .sv = visit_server(v),
		.v = v,
		.path = BUF_INIT(HTTP_TARGET_MAX + 1),
		.query = BUF_INIT(HTTP_TARGET_MAX + 1),
		.if_match = BUF_INIT(HTTP_HEAD_MAX),
		.peer = BUF_INIT(100),
		.token = BUF_INIT(HTTP_HEAD_MAX),
		.who = BUF_INIT(KIB(1)),
		.body = BUF_INIT(API_BODY_MAX),
		.out = BUF_INIT(API_REPLY_MAX),
		.row_now = BUF_INIT(STATUS_POST_ROW_MAX),
		.other = BUF_INIT(STATUS_POST_ROW_MAX),
		.slug = BUF_INIT(KIB(1)),
		.only.text = BUF_INIT(KIB(1)),
		.next = BUF_INIT(KIB(1)),
		.keys = BUF_INIT(MIB(1)),
		.held = BUF_INIT(API_REPLY_MAX) };
	buf_put_char(&c->path, '/');
	buf_put_str(&c->path, visit_rest(v));
	buf_put_str(&c->query, q->query);
	buf_put_c(&c->peer, visit_ip(v));
	while (http_request_next_field(q, STR("If-Match"), &i, &field)) {
		if (c->has_if_match)
			buf_put_char(&c->if_match, ',');
		buf_put_str(&c->if_match, field);
		c->has_if_match = true;
	}
	c->must_be_new = http_request_field(q, STR("If-None-Match"), &field) &&
	                 str_eq(str_trim(field), STR("*"));
	return c;
}

void
page_api(struct visit *v)
{
	struct api_call *c = api_call_new(v);

	visit_wait(v, on_gone, c);
	if (!choose(c) || !take_body(c))
		return;
	if (c->route->scopes == 0)
		run(c);
	else
		look_for_key(c);
}
