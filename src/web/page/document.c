/* SPDX-License-Identifier: ISC */
/* document.c - making, keeping and sending documents. See document.h. */
#include "web/page/document.h"

#include "base/accept.h"
#include "base/hash.h"
#include "proto/http/http_response.h"
#include "proto/http/http_text.h"
#include "proto/status/status_path.h"
#include "web/cache.h"

#include <inttypes.h>

#define ARENA_MAX MIB(16)
#define KEY_MAX   (HTTP_TARGET_MAX + 64)

/* --- writing ------------------------------------------------------------------------- */

struct str
document_join(struct document *d, struct str a, struct str b)
{
	struct buf both = BUF_INIT(DOCUMENT_MAX);
	struct str kept = STR("");

	buf_put_str(&both, a);
	buf_put_str(&both, b);
	/* Too much text for one document: it cannot be one. */
	if (both.failed || !arena_str(&d->arena, buf_str(&both), &kept))
		d->b.failed = true;
	buf_done(&both);
	return kept;
}

static void
document_init(struct document *d, struct visit *v)
{
	const struct http_request *q = visit_request(v);
	const struct conf *c = visit_server(v)->conf;
	struct buf asked = BUF_INIT(16);

	*d = (struct document){ .sv = visit_server(v) };
	buf_init(&d->b, DOCUMENT_MAX);
	arena_init(&d->arena, ARENA_MAX);
	(void)!language_parse(str_c(c->site_language), &d->lang);
	if (visit_made_for(v) != NULL)
		(void)!language_parse(str_c(visit_made_for(v)), &d->lang);
	else if (http_form_get(q->query, STR("lang"), &asked))
		(void)!language_parse(buf_str(&asked), &d->lang);
	d->name = str_c(c->site_title[0] ? c->site_title : c->hostname);
	d->base = c->site_url[0]
	              ? str_c(c->site_url)
	              : document_join(d, STR("https://"), str_c(c->hostname));
	buf_done(&asked);
}

static void
document_done(struct document *d)
{
	arena_done(&d->arena);
	buf_done(&d->b);
}

struct str
document_url(struct document *d, struct str path)
{
	return document_join(d, d->base, path);
}

struct str
document_post_url(struct document *d, const struct status_post *post)
{
	struct buf path = BUF_INIT(KIB(1));
	struct str url;

	status_post_put_path(post, &path);
	url = document_url(d, buf_str(&path));
	buf_done(&path);
	return url;
}

struct str
document_post_id(struct document *d, uint32_t number)
{
	char path[40];

	snprintf(path, sizeof(path), "/posts/%" PRIu32, number);
	return document_url(d, str_c(path));
}

/* --- sending ------------------------------------------------------------------------- */

static bool
takes_gzip(const struct visit *v)
{
	struct str field;

	return http_request_field(
		   visit_request(v), STR("Accept-Encoding"), &field) &&
	       accept_weight(field, STR("gzip")) > 0;
}

/* Section 13.1.3 of RFC 9110: only where no entity tag is asked about. */
static bool
is_unchanged(const struct visit *v, uint64_t changed_s)
{
	const struct http_request *q = visit_request(v);
	struct str field;
	uint64_t since;

	return changed_s > 0 &&
	       !http_request_field(q, STR("If-None-Match"), &field) &&
	       http_request_field(q, STR("If-Modified-Since"), &field) &&
	       http_date_parse(field, &since) && changed_s <= since;
}

static void
send_cached(struct visit *v, const struct document_kind *kind, struct cached *c)
{
	bool gz = c->gz.n > 0 && takes_gzip(v);
	struct buf fields = BUF_INIT(KIB(1)), date = BUF_INIT(64);
	struct visit_reply r = { .status = 200,
		.type = kind->type,
		.body = gz ? c->gz : c->html,
		.etag = str_c(gz ? c->gz_etag : c->etag),
		.encoding = gz ? "gzip" : NULL,
		.max_age = kind->max_age,
		.release = cached_unref,
		.arg = c };

	if (c->changed_s > 0) {
		http_date_format(&date, c->changed_s);
		http_response_field(&fields, "Last-Modified", buf_str(&date));
	}
	if (kind->fields != NULL)
		buf_put_c(&fields, kind->fields);
	r.fields = buf_str(&fields);
	if (is_unchanged(v, c->changed_s)) {
		r.status = 304;
		r.body = STR("");
	}
	visit_reply(v, &r);
	buf_done(&fields);
	buf_done(&date);
}

void
document_serve(struct visit *v, const struct document_kind *kind,
    struct str key, document_fn fn, const void *arg)
{
	struct server *sv = visit_server(v);
	struct buf full = BUF_INIT(KEY_MAX);
	struct cached *c;
	struct document d;
	bool is_there = true;

	document_init(&d, v);
	buf_printf(&full, "%s ", language_code(d.lang));
	buf_put_str(&full, key);
	c = cache_get(sv->documents, buf_str(&full), sv->version);
	if (c == NULL) {
		metric_add(M_WEB_PAGES, 1);
		is_there = fn(&d, arg);
		if (is_there && !d.b.failed) {
			c = cache_put(sv->documents, buf_str(&full),
			    sv->version, buf_str(&d.b));
			c->changed_s = d.changed_s;
		}
	}
	buf_done(&full);
	document_done(&d);
	if (c != NULL)
		send_cached(v, kind, c);
	else if (is_there)
		visit_reply_error(v, 500, "The document is too long.");
	else
		visit_reply_error(v, 404, "There is no such thing here.");
}
