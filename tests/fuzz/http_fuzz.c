/* SPDX-License-Identifier: ISC */
/*
 * LINK: http
 *
 * http_fuzz.c - requests as strangers send them. Head and body are the same
 * however the bytes come; what a request points to lies in its head; a decoded
 * path has no "..", and encoded and decoded again it is itself; what a field of
 * a response says ends with its line.
 */
#include "base/accept.h"
#include "proto/http/http_body.h"
#include "proto/http/http_response.h"
#include "proto/http/http_text.h"

#define BODY_MAX KIB(4)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

static void
must_lie_in(struct str part, struct str whole)
{
	must(part.n == 0 ||
	     (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

/* The head by steps of so many bytes; *ret_used is 0 without one. */
static enum http_frame
frame(struct str in, size_t step, struct str *ret_head, size_t *ret_used)
{
	enum http_frame f = HTTP_FRAME_MORE;
	size_t seen = 0;

	*ret_used = 0;
	for (size_t n = 0; f == HTTP_FRAME_MORE && n < in.n;) {
		n = MIN(n + step, in.n);
		f = http_frame_head(
		    str_first(in, n), &seen, ret_head, ret_used);
	}
	return f;
}

static enum http_body_state
body(const struct http_request *r, struct str in, size_t step, struct buf *out,
    size_t *ret_used)
{
	size_t n = 0, at = 0;
	struct http_body b;

	http_body_init(&b, r->body, r->length, BODY_MAX);
	for (;;) {
		struct str data;
		size_t used;
		enum http_body_state s =
		    http_body_next(&b, str_sub(in, at, n - at), &data, &used);

		must(data.n <= used && used <= n - at);
		buf_put_str(out, data);
		must(out->n <= BODY_MAX);
		*ret_used = at += used;
		if (s != HTTP_BODY_MORE || (used == 0 && n == in.n))
			return s;
		if (used == 0)
			n = MIN(n + step, in.n);
	}
}

static void
try_path(struct str path)
{
	struct buf one = BUF_INIT(KIB(16)), again = BUF_INIT(KIB(64));
	struct buf two = BUF_INIT(KIB(16));

	if (http_path_decode(path, &one)) {
		must(one.n > 0 && one.p[0] == '/');
		must(str_search(buf_str(&one), STR("/../")) < 0);
		must(str_search(buf_str(&one), STR("//")) < 0);
		for (struct str rest = buf_str(&one), part; rest.n > 0;) {
			rest = str_split(str_from(rest, 1), '/', &part);
			rest = rest.p ? str_make(rest.p - 1, rest.n + 1) : rest;
			buf_put_char(&again, '/');
			http_encode(&again, part);
		}
		if (again.n <= HTTP_TARGET_MAX) {
			must(http_path_decode(buf_str(&again), &two));
			must(str_eq(buf_str(&one), buf_str(&two)));
		}
	}
	buf_done(&one);
	buf_done(&again);
	buf_done(&two);
}

static void
try_texts(struct str s)
{
	static const struct str languages[] = { STR("en"), STR("pt") };
	struct buf out = BUF_INIT(KIB(64));
	struct str value;
	size_t language;
	uint64_t t;

	must(accept_weight(s, STR("gzip")) <= 1000);
	must(!accept_language(s, languages, 2, &language) || language < 2);
	/* What names it strongly names it weakly, too. */
	must(http_if_match(s, STR("\"a\"")) != HTTP_MATCH_YES ||
	     http_etag_matches(s, STR("\"a\"")));
	if (http_cookie_get(s, STR("a"), &value))
		must_lie_in(value, s);
	(void)http_form_get(s, STR("a"), &out);
	buf_reset(&out, 0);
	if (http_date_parse(s, &t)) {
		http_date_format(&out, t);
		must(s.n == out.n);
	}
	buf_reset(&out, 0);
	http_response_field(&out, "A", s);
	must(out.failed ||
	     str_search(buf_str(&out), STR("\r\n")) == (ptrdiff_t)out.n - 2);
	buf_done(&out);
}

static void
try_body(const struct http_request *r, struct str in)
{
	struct buf one = BUF_INIT(KIB(8)), two = BUF_INIT(KIB(8));
	size_t used_one, used_two;
	enum http_body_state s1 = body(r, in, 1, &one, &used_one);
	enum http_body_state s2 =
	    body(r, in, MAX(in.n, (size_t)1), &two, &used_two);

	must(s1 == s2);
	must(str_eq(buf_str(&one), buf_str(&two)));
	must(used_one == used_two);
	buf_done(&one);
	buf_done(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_make(data, n), head, again;
	struct http_request r;
	size_t used, used_again;

	try_texts(in);
	if (frame(in, MAX(n, (size_t)1), &head, &used) != HTTP_FRAME_HEAD)
		return 0;
	must(frame(in, 1, &again, &used_again) == HTTP_FRAME_HEAD);
	must(used == used_again && str_eq(head, again));
	if (http_request_parse(head, &r) != 0)
		return 0;
	must_lie_in(r.path, head);
	must_lie_in(r.query, head);
	must_lie_in(r.host, head);
	for (size_t i = 0; i < r.n_fields; i++) {
		must_lie_in(r.fields[i].name, head);
		must_lie_in(r.fields[i].value, head);
	}
	try_path(r.path);
	try_texts(r.query);
	try_body(&r, str_from(in, used));
	return 0;
}
