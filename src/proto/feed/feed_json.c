/* SPDX-License-Identifier: ISC */
/* feed_json.c - JSON Feed 1.1 (https://jsonfeed.org/version/1.1). */
#include "proto/feed/feed_internal.h"

#include "base/jsondoc.h"

/* ,"name": "text" behind something else. */
static void
put_text(struct buf *to, const char *indent, const char *name, struct str text)
{
	buf_printf(to, ",\n%s\"%s\": ", indent, name);
	jsondoc_put_text(to, text);
}

static void
put_time(struct buf *to, const char *name, uint64_t s)
{
	buf_printf(to, ",\n      \"%s\": \"", name);
	feed_put_time(to, s);
	buf_put_char(to, '"');
}

void
feed_json_begin(struct feed *f)
{
	const struct feed_head *h = &f->head;
	struct buf *to = f->to;

	buf_put_c(to, "{\n  \"version\": \"https://jsonfeed.org/version/1.1\"");
	put_text(to, "  ", "title", h->title);
	put_text(to, "  ", "home_page_url", h->home_url);
	put_text(to, "  ", "feed_url", h->self_url);
	if (h->subtitle.n > 0)
		put_text(to, "  ", "description", h->subtitle);
	if (h->language.n > 0)
		put_text(to, "  ", "language", h->language);
	buf_put_c(to, ",\n  \"items\": [");
}

void
feed_json_put(struct feed *f, const struct feed_entry *e)
{
	struct buf *to = f->to;

	buf_printf(to, "%s\n    {\n      \"id\": ", f->n > 0 ? "," : "");
	jsondoc_put_text(to, e->id);
	put_text(to, "      ", "url", e->url);
	put_text(to, "      ", "title", e->title);
	put_text(to, "      ", "content_html", e->html);
	put_time(to, "date_published", e->published_s);
	put_time(to, "date_modified", MAX(e->updated_s, e->published_s));
	if (e->author.n > 0) {
		buf_put_c(to, ",\n      \"authors\": [{ \"name\": ");
		jsondoc_put_text(to, e->author);
		buf_put_c(to, " }]");
	}
	if (e->n_tags > 0) {
		buf_put_c(to, ",\n      \"tags\": [");
		for (size_t i = 0; i < e->n_tags; i++) {
			buf_put_c(to, i > 0 ? ", " : "");
			jsondoc_put_text(to, e->tags[i]);
		}
		buf_put_char(to, ']');
	}
	buf_put_c(to, "\n    }");
}

void
feed_json_end(struct feed *f)
{
	buf_put_c(f->to, f->n > 0 ? "\n  ]\n}\n" : "]\n}\n");
}
