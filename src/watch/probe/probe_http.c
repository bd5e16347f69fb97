/* SPDX-License-Identifier: ISC */
/*
 * probe_http.c - one GET, and what its answer has to be.
 *
 * Redirects are not followed: where a page leads is a part of what is
 * checked (code=301 says that it should).
 */
#include "watch/probe/probe_internal.h"
#include "base/jsondoc.h"
#include "proto/http/http_answer.h"
#include "proto/http/http_body.h"

#define BODY_MAX KIB(256)
/* jsondoc takes up to some fifty times the bytes of the text. */
#define JSON_MAX KIB(64)

struct state {
	size_t seen;
	bool has_head;
	struct http_answer answer; /* its strings are gone */
	struct http_body body;
	struct buf text;
};

/* --- what the answer has to be ---------------------------------------------- */

/* Is the value of a member what was wanted, written as JSON writes it? */
static bool
is_value(const struct jsonnode *node, struct str want)
{
	uint64_t n;
	char text[24];

	if (node == NULL)
		return false;
	if (jsonnode_u64(node, &n)) {
		(void)snprintf(
		    text, sizeof(text), "%llu", (unsigned long long)n);
		return str_eq(str_c(text), want);
	}
	if (jsonnode_bool(node) >= 0)
		return str_eq(
		    jsonnode_bool(node) ? STR("true") : STR("false"), want);
	return str_eq(jsonnode_text(node), want);
}

/* "a.b.0.c": members, and elements by number. */
static const struct jsonnode *
walk(const struct jsonnode *node, struct str path)
{
	while (path.n > 0 && node != NULL) {
		CLEANUP(freep) char *name = NULL;
		struct str word;
		uint32_t i;

		path = str_split(path, '.', &word);
		name = str_dup(word);
		if (!jsonnode_is_object(node) &&
		    str_to_u32(word, UINT32_MAX, &i))
			node = jsonnode_at(node, i);
		else
			node = jsonnode_get(node, name);
	}
	return node;
}

static bool
has_fields(struct probe *p, struct str body)
{
	size_t n = status_check_count(p->check, STATUS_OPT_JSON);
	struct jsondoc *doc = n > 0 ? jsondoc_parse(body, JSON_MAX) : NULL;
	bool ok = n == 0 || doc != NULL;

	if (!ok)
		probe_fail(p, WATCH_CONTENT, "the answer is not JSON");
	for (size_t i = 0; i < n && ok; i++) {
		struct str want,
		    field = status_check_text(p->check, STATUS_OPT_JSON, i);
		struct str path = status_field_path(field, &want);

		ok = is_value(walk(jsondoc_root(doc), path), want);
		if (!ok)
			probe_fail(p, WATCH_CONTENT,
			    "the field %.*s is not %.*s", STR_ARG(path),
			    STR_ARG(want));
	}
	jsondoc_free(doc);
	return ok;
}

static bool
has_texts(struct probe *p, struct str body)
{
	for (size_t i = 0; i < status_check_count(p->check, STATUS_OPT_BODY);
	     i++) {
		struct str want =
		    status_check_text(p->check, STATUS_OPT_BODY, i);

		if (str_search(body, want) >= 0)
			continue;
		probe_fail(p, WATCH_CONTENT,
		    "the answer does not contain: %.*s", STR_ARG(want));
		return false;
	}
	return true;
}

static void
judge(struct probe *p)
{
	struct state *s = p->state;
	struct str codes = status_check_text(p->check, STATUS_OPT_CODE, 0);
	unsigned status = s->answer.status;

	probe_mark(p, "body");
	if (!status_codes_contain(codes.n > 0 ? codes : STR("200-399"), status))
		probe_fail(p, WATCH_CONTENT, "status %u", status);
	else if (has_texts(p, buf_str(&s->text)) &&
		 has_fields(p, buf_str(&s->text)))
		probe_ok(p, "status %u, %zu byte%s", status, s->text.n,
		    str_s(s->text.n));
}

/* --- the dialogue --------------------------------------------------------------- */

static void
ask(struct probe *p)
{
	struct state *s = p->state;
	struct buf out = BUF_INIT(KIB(4));
	struct status_target t = p->target;
	bool is_usual = t.port == (t.is_https ? 443 : 80);
	bool is_v6 = str_find(t.host, ':') >= 0;

	buf_init(&s->text, BODY_MAX);
	buf_printf(&out, "GET %.*s HTTP/1.1\r\nHost: %s%.*s%s", STR_ARG(t.path),
	    is_v6 ? "[" : "", STR_ARG(t.host), is_v6 ? "]" : "");
	if (!is_usual)
		buf_printf(&out, ":%u", t.port);
	buf_put_c(&out, "\r\nUser-Agent: Mailstead watch\r\nAccept: */*\r\n"
			"Connection: close\r\n\r\n");
	probe_send(p, buf_str(&out));
	buf_done(&out);
}

static void
start(struct probe *p)
{
	probe_connect(p, p->target.is_https);
}

static void
secured(struct probe *p)
{
	if (probe_judge_certificate(p))
		ask(p);
}

/* False: there is no head yet, or it is none. */
static bool
take_head(struct probe *p, struct state *s)
{
	struct str head;
	size_t used;

	switch (http_frame_head(probe_in(p), &s->seen, &head, &used)) {
	case HTTP_FRAME_MORE:
		return false;
	case HTTP_FRAME_TOO_LONG:
		probe_fail(p, WATCH_PROTOCOL, "the answer's head is too long");
		return false;
	case HTTP_FRAME_HEAD:
		break;
	}
	probe_tell(p, '<', head);
	if (!http_answer_parse(head, false, &s->answer)) {
		probe_fail(p, WATCH_PROTOCOL, "the answer is not HTTP: %s",
		    probe_cut(head));
		return false;
	}
	probe_took(p, used);
	s->seen = 0;
	/* 103 Early Hints and the like: the answer comes behind. */
	if (s->answer.status < 200)
		return take_head(p, s);
	probe_mark(p, "head");
	s->has_head = true;
	http_body_init(&s->body, s->answer.body, s->answer.length, UINT32_MAX);
	return true;
}

/* More than is kept is enough: what should be in it had better be in front. */
static bool
keep(struct probe *p, struct state *s, struct str data)
{
	buf_put_str(&s->text, str_first(data, BODY_MAX - s->text.n));
	if (s->text.n < BODY_MAX)
		return true;
	judge(p);
	return false;
}

static void
take_body(struct probe *p, struct state *s)
{
	size_t used = 1;

	while (used > 0 && !p->is_over) {
		enum http_body_state state;
		struct str data = STR_NONE;

		state = http_body_next(&s->body, probe_in(p), &data, &used);
		if (state == HTTP_BODY_BAD || state == HTTP_BODY_TOO_BIG) {
			probe_fail(p, WATCH_PROTOCOL, "the body is malformed");
			return;
		}
		if (!keep(p, s, data))
			return;
		probe_took(p, used);
		if (state == HTTP_BODY_DONE) {
			judge(p);
			return;
		}
	}
}

static void
data(struct probe *p)
{
	struct state *s = p->state;

	if (!s->has_head && !take_head(p, s))
		return;
	if (!s->answer.ends_with_connection) {
		take_body(p, s);
		return;
	}
	if (keep(p, s, probe_in(p)))
		probe_took(p, probe_in(p).n);
}

static void
ended(struct probe *p)
{
	struct state *s = p->state;

	if (s->has_head && s->answer.ends_with_connection)
		judge(p);
	else
		probe_fail(p, WATCH_PROTOCOL,
		    "the connection ended before the answer did");
}

static void
stop(struct probe *p)
{
	struct state *s = p->state;

	buf_done(&s->text);
}

const struct probe_kind probe_http = {
	.state_size = sizeof(struct state),
	.start = start,
	.opened = ask,
	.secured = secured,
	.data = data,
	.ended = ended,
	.stop = stop,
};
