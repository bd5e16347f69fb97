/* SPDX-License-Identifier: ISC */
/* page.c - making, keeping and sending pages. See page.h. */
#include "web/page/page.h"

#include "base/accept.h"
#include "base/base64.h"
#include "base/crypt.h"
#include "proto/http/http_text.h"
#include "web/cache.h"
#include "web/page/page_frame.h"

#define ARENA_MAX MIB(16)
#define KEY_MAX   (HTTP_TARGET_MAX + 64)

struct page_kit {
	struct cache *cache;
	struct buf policy;
};

/* --- what is the same for all ------------------------------------------------------ */

static void
put_hash(struct buf *to, struct str text)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	crypt_digest_put(d, text);
	crypt_digest_finish(d, &sum);
	(void)crypt_digest_free(d);
	buf_put_c(to, " 'sha256-");
	base64_encode(to, crypt_sum_str(&sum));
	buf_put_c(to, "'");
}

void
page_put_policy(struct buf *to, const char *connect)
{
	buf_put_c(to, "default-src 'none'; img-src 'self'; form-action 'self'; "
		      "base-uri 'none'; frame-ancestors 'none'; style-src");
	put_hash(to, page_style());
	buf_put_c(to, "; script-src");
	put_hash(to, page_script());
	/* One page only has that, and says whom it may ask. */
	if (connect != NULL) {
		put_hash(to, page_check_script());
		buf_printf(to, "; connect-src %s", connect);
	}
}

void
page_put_copy_policy(struct buf *to, struct str script, struct str site)
{
	buf_put_c(to, "default-src 'none'; img-src 'self'; base-uri 'none'; "
		      "form-action ");
	buf_put_str(to, site.n > 0 ? site : STR("'none'"));
	buf_put_c(to, "; style-src");
	put_hash(to, page_style());
	buf_put_c(to, "; script-src");
	put_hash(to, page_script());
	put_hash(to, script);
}

struct page_kit *
page_kit_new(void)
{
	struct page_kit *k = X_NEW(struct page_kit);

	k->cache = cache_new();
	buf_init(&k->policy, KIB(2));
	page_put_policy(&k->policy, NULL);
	return k;
}

void
page_kit_free(struct page_kit *k)
{
	if (k == NULL)
		return;
	cache_free(k->cache);
	buf_done(&k->policy);
	free(k);
}

/* --- writing ------------------------------------------------------------------------- */

/* What ?lang= says; false: nothing that is a language. */
static bool
asked_language(struct visit *v, enum language *ret)
{
	struct buf asked = BUF_INIT(16);
	bool is_asked =
	    http_form_get(visit_request(v)->query, STR("lang"), &asked) &&
	    language_parse(buf_str(&asked), ret);

	buf_done(&asked);
	return is_asked;
}

void
page_put_asked_language(struct visit *v, struct buf *to)
{
	enum language l;

	if (asked_language(v, &l))
		buf_printf(to, "?lang=%s", language_code(l));
}

static void
choose_language(struct visit *v, struct page *p)
{
	const struct http_request *q = visit_request(v);
	struct server *sv = visit_server(v);
	enum language usual = ENGLISH;
	struct str field = STR("");

	(void)!language_parse(str_c(sv->conf->site_language), &usual);
	(void)!http_request_field(q, STR("Accept-Language"), &field);
	p->is_copy = visit_made_for(v) != NULL &&
	             language_parse(str_c(visit_made_for(v)), &p->lang);
	if (p->is_copy)
		return;
	p->is_asked = asked_language(v, &p->lang);
	if (!p->is_asked)
		p->lang = language_choose(field, usual);
}

static void
page_init(struct page *p, struct visit *v, struct str path)
{
	*p = (struct page){ .sv = visit_server(v), .path = path };
	p->now_s = loop_time(p->sv->loop);
	buf_init(&p->b, PAGE_MAX);
	arena_init(&p->arena, ARENA_MAX);
	choose_language(v, p);
}

static void
page_done(struct page *p)
{
	arena_done(&p->arena);
	buf_done(&p->b);
}

static bool
takes_gzip(const struct visit *v)
{
	struct str field;

	return http_request_field(
		   visit_request(v), STR("Accept-Encoding"), &field) &&
	       accept_weight(field, STR("gzip")) > 0;
}

static void
send_cached(struct visit *v, struct cached *c)
{
	bool gz = c->gz.n > 0 && takes_gzip(v);

	visit_reply(v, &(struct visit_reply){ .status = 200,
			   .type = "text/html; charset=utf-8",
			   .body = gz ? c->gz : c->html,
			   .etag = str_c(gz ? c->gz_etag : c->etag),
			   .encoding = gz ? "gzip" : NULL,
			   .policy = buf_c(&visit_server(v)->kit->policy),
			   .release = cached_unref,
			   .arg = c });
}

void
page_serve(struct visit *v, struct str path, page_fn fn, const void *arg)
{
	page_serve_version(v, path, 0, fn, arg);
}

void
page_serve_version(struct visit *v, struct str path, uint32_t version,
    page_fn fn, const void *arg)
{
	struct server *sv = visit_server(v);
	/* Neither comes near the other's bits in the life of a process. */
	uint64_t both = sv->version << 32 | version;
	struct buf key = BUF_INIT(KEY_MAX);
	struct cached *c;
	struct page p;

	page_init(&p, v, path);
	buf_printf(
	    &key, "%s %d %d ", language_code(p.lang), p.is_asked, p.is_copy);
	buf_put_str(&key, path);
	c = cache_get(sv->kit->cache, buf_str(&key), both);
	if (c == NULL) {
		metric_add(M_WEB_PAGES, 1);
		fn(&p, arg);
		if (!p.b.failed)
			c = cache_put(
			    sv->kit->cache, buf_str(&key), both, buf_str(&p.b));
	}
	buf_done(&key);
	page_done(&p);
	if (c != NULL)
		send_cached(v, c);
	else
		visit_reply_error(v, 500, "The page is too long.");
}

void
page_answer(
    struct visit *v, const struct page_once *how, page_fn fn, const void *arg)
{
	struct page p;

	page_init(&p, v, how->path);
	fn(&p, arg);
	if (p.b.failed)
		visit_reply_error(v, 500, "The page is too long.");
	else
		visit_reply(
		    v, &(struct visit_reply){ .status = how->status,
			   .type = "text/html; charset=utf-8",
			   .body = buf_str(&p.b),
			   .is_private = true,
			   .fields = how->fields,
			   .policy = how->policy ? how->policy
		                                 : buf_c(&p.sv->kit->policy) });
	page_done(&p);
}
