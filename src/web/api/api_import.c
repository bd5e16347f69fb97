/* SPDX-License-Identifier: ISC */
/*
 * api_import.c - the text of another status page as posts, by the API. See api.h.
 *
 * One post after the other, the oldest first, each with its line of the log. A
 * client that goes away ends it there; what is here already is left alone, so that
 * it goes on when the same text is sent again.
 */
#include "proto/status/status_import.h"
#include "web/api/api.h"

#define POSTS_MAX 500
#define SLUGS_MAX MIB(8)
#define TRIES     20

struct api_import {
	struct str text; /* points into the document */
	bool is_dry_run;
	struct str tags[STATUS_IMPORT_TAGS_MAX];
	size_t n_tags, n, added;
	struct status_import_post posts[POSTS_MAX];
	bool is_known[POSTS_MAX];
	struct buf slugs; /* of all posts, a line each */
	struct buf body;  /* of the one in hand */
};

static void add_next(struct api_call *c);

void
api_import_free(struct api_import *im)
{
	if (im == NULL)
		return;
	buf_done(&im->slugs);
	buf_done(&im->body);
	free(im);
}

/* --- what is asked for ------------------------------------------------------------- */

struct reading {
	struct api_import *im;
	struct status_fault *fault;
};

static bool
take_member(void *arg, struct str name, const struct jsonnode *v)
{
	struct reading *r = arg;
	int dry_run = jsonnode_bool(v);

	if (str_eq(name, STR("text"))) {
		r->im->text = jsonnode_text(v);
		return true;
	}
	if (!str_eq(name, STR("dry_run")))
		return status_fault_set(r->fault, name, "text or dry_run");
	if (dry_run < 0)
		return status_fault_set(r->fault, name, "true or false");
	r->im->is_dry_run = dry_run == 1;
	return true;
}

static bool
find_posts(struct api_import *im, struct status_fault *ret)
{
	struct status_import it = status_import_begin(im->text);
	struct status_import_post p;

	while (status_import_next(&it, &p)) {
		if (im->n == POSTS_MAX)
			return status_fault_set(ret, STR("text"),
			    "at most 500 posts: send it in parts");
		im->posts[im->n++] = p;
	}
	if (im->n == 0)
		return status_fault_set(ret, STR("text"),
		    "posts: over each a title, and below it a date like "
		    "\"7 June 2018 09:12:19 +0000\"");
	im->n_tags =
	    status_import_tags(im->text, im->tags, ARRAY_LEN(im->tags));
	return true;
}

/* --- what is there ------------------------------------------------------------------ */

static bool
take_row(struct api_call *c, const struct msg_ledger_row *row)
{
	struct api_import *im = c->import;
	struct status_post p;
	uint32_t number, update;

	if (str_eq(row->key, STR(STATUS_COUNTER_KEY)))
		buf_put_str(&c->other, row->value);
	if (!status_post_key_parse(row->key, &number, &update) || update > 0 ||
	    !status_post_decode(row->value, &p))
		return true;
	buf_put_str(&im->slugs, p.slug);
	buf_put_char(&im->slugs, '\n');
	for (size_t i = 0; i < im->n; i++)
		if (status_import_is(&im->posts[i], &p))
			im->is_known[i] = true;
	return true;
}

static void
with_rows(struct api_call *c)
{
	if (!status_counter_decode(buf_str(&c->other), &c->number) ||
	    c->import->slugs.failed)
		api_fail(c, 507, "Posts cannot be numbered any more.");
	else
		add_next(c);
}

static void
look_at_all(struct api_call *c)
{
	buf_reset(&c->other, c->other.cap);
	buf_reset(&c->import->slugs, SLUGS_MAX);
	api_read(
	    c, &(struct api_read){
		   .table = LEDGER_POST, .row = take_row, .then = with_rows });
}

/* --- one post ------------------------------------------------------------------------- */

static unsigned
slug_taken(const struct api_import *im, const struct status_post *p)
{
	struct str rest = buf_str(&im->slugs), slug;
	unsigned taken = 0;

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &slug);
		taken = MAX(taken, status_post_slug_number(p, slug));
	}
	return taken;
}

/* c->post, of what it points to. False: 422 was answered. */
static bool
make(struct api_call *c, const struct status_import_post *from)
{
	struct api_import *im = c->import;
	struct status_fault f;

	buf_reset(&im->body, STATUS_BODY_MAX);
	buf_reset(&c->slug, c->slug.cap);
	/* Tags cost time, and are not told of. */
	if (!status_import_make(from, im->tags, im->is_dry_run ? 0 : im->n_tags,
		&im->body, &c->post, &f)) {
		api_fail_fault(c, &f);
		return false;
	}
	status_post_make_slug(&c->post, slug_taken(im, &c->post) + 1, &c->slug);
	c->post.slug = buf_str(&c->slug);
	if (status_post_is_sane(&c->post, &f))
		return true;
	api_fail_fault(c, &f);
	return false;
}

static void
was_added(struct api_call *c, enum reason reason)
{
	struct api_import *im = c->import;

	if (reason == REASON_NONE) {
		buf_reset(&c->other, c->other.cap);
		status_counter_encode(c->number, &c->other);
		buf_put_str(&im->slugs, c->post.slug);
		buf_put_char(&im->slugs, '\n');
		im->is_known[c->count] = true;
		im->added++;
		c->tries = 0;
		add_next(c);
	} else if (++c->tries == TRIES) {
		api_fail(c, 503, "Others keep adding posts: try again.");
	} else {
		look_at_all(c);
	}
}

static void
put(struct api_call *c)
{
	struct buf counter = BUF_INIT(KIB(1)), key = BUF_INIT(100);
	struct buf row = BUF_INIT(STATUS_POST_ROW_MAX);
	struct msg_ledger_row rows[2];
	char object[16];

	c->number++;
	status_counter_encode(c->number, &counter);
	status_post_put_key(&key, c->number, 0);
	status_post_encode(&c->post, &row);
	snprintf(object, sizeof(object), "%u", c->number);
	rows[0] = (struct msg_ledger_row){ .key = STR(STATUS_COUNTER_KEY),
		.value = buf_str(&counter) };
	rows[1] = (struct msg_ledger_row){ .key = buf_str(&key),
		.value = buf_str(&row) };
	api_put(
	    c, &(struct api_change){ .table = LEDGER_POST,
		   .rows = rows,
		   .n = 2,
		   .only_if = c->other.n > 0 ? LEDGER_IF_SAME : LEDGER_IF_NEW,
		   .was = buf_str(&c->other),
		   .what = "post.import",
		   .object = str_c(object),
		   .detail = c->post.title,
		   .done = was_added });
	buf_done(&counter);
	buf_done(&key);
	buf_done(&row);
}

/* --- all of them ------------------------------------------------------------------------ */

static void
tell(struct api_call *c)
{
	buf_put_char(&c->out, '{');
	status_json_number(&c->out, "found", c->import->n);
	status_json_number(&c->out, "added", c->import->added);
	buf_put_char(&c->out, '}');
	c->hash = 0;
	api_reply(c, 200);
}

/* A page has the latest on top; numbers rise with time. */
static void
add_next(struct api_call *c)
{
	struct api_import *im = c->import;

	for (size_t i = im->n; i-- > 0;) {
		if (im->is_known[i])
			continue;
		if (!im->is_dry_run && c->number >= STATUS_POST_MAX) {
			api_fail(c, 507, "Posts cannot be numbered any more.");
			return;
		}
		if (!make(c, &im->posts[i]))
			return;
		c->count = (unsigned)i;
		if (!im->is_dry_run) {
			put(c);
			return;
		}
		im->added++;
	}
	tell(c);
}

void
api_posts_import(struct api_call *c)
{
	struct status_fault f;
	struct reading r = { NULL, &f };

	c->import = X_NEW(struct api_import);
	c->import->slugs = BUF_INIT(SLUGS_MAX);
	c->import->body = BUF_INIT(STATUS_BODY_MAX);
	r.im = c->import;
	if (!jsonnode_each(c->json, take_member, &r) ||
	    !find_posts(c->import, &f))
		api_fail_fault(c, &f);
	else
		look_at_all(c);
}
