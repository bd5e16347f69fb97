/* SPDX-License-Identifier: ISC */
/*
 * mime_text.c - the readable text of a message. See mime_text.h.
 */
#include "proto/mime/mime_text.h"

#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_word.h"

bool
mime_text_is_readable(const struct mime_part *part)
{
	return part->kind == MIME_LEAF &&
	       (part->is_text || str_eq_case(part->type, STR("message")));
}

void
mime_text_put_value(struct str raw, struct buf *out)
{
	size_t from = out->n;

	mime_word_decode(raw, out);
	for (size_t i = from; i < out->n; i++)
		if (out->p[i] == '\t')
			out->p[i] = ' ';
}

/* "Name: value", decoded, one field a text. */
static bool
walk_header(struct str header, mime_text_fn *fn, void *ctx)
{
	struct mime_header_iter it;
	struct mime_field f;
	struct buf line;
	bool go_on = true;

	buf_init(&line, 4 * header.n + 64);
	mime_header_start(&it, header);
	while (go_on && mime_header_next(&it, &f)) {
		buf_reset(&line, MIME_TEXT_CHUNK);
		if (f.name.n) {
			mime_word_decode(f.name, &line);
			buf_put_c(&line, ": ");
		}
		mime_text_put_value(f.value, &line);
		go_on = fn(ctx, buf_str(&line), true);
	}
	buf_done(&line);
	return go_on;
}

static struct str
charset_of(const struct mime_part *part)
{
	const struct mime_param *p =
	    mime_param_find(&part->params, STR("charset"));

	return p ? p->value : STR_NONE;
}

bool
mime_text_walk_part(const struct mime_part *part, struct str message,
    mime_text_fn *fn, void *ctx)
{
	CLEANUP(mime_charset_closep)
	struct mime_charset *cs = mime_charset_open(charset_of(part));
	struct str left = mime_part_body(part, message);
	struct buf bytes = BUF_INIT(2 * MIME_TEXT_CHUNK);
	struct buf text = BUF_INIT(16 * MIME_TEXT_CHUNK);
	struct mime_cte_decoder cte;
	bool go_on = true, starts = true, is_last = false;

	mime_cte_init(&cte, part->cte);
	while (go_on && !is_last) {
		struct str piece = str_first(left, MIME_TEXT_CHUNK);

		left = str_from(left, piece.n);
		is_last = left.n == 0;
		bytes.n = text.n = 0;
		mime_cte_feed(&cte, piece, &bytes);
		if (is_last)
			mime_cte_finish(&cte, &bytes);
		mime_charset_feed(cs, buf_str(&bytes), is_last, &text);
		if (text.n)
			go_on = fn(ctx, buf_str(&text), starts);
		starts = starts && !text.n;
	}
	buf_done(&bytes);
	buf_done(&text);
	return go_on;
}

bool
mime_text_walk(const struct mime_tree *tree, struct str message, unsigned which,
    mime_text_fn *fn, void *ctx)
{
	for (const struct mime_part *p = tree->root; p; p = mime_part_next(p)) {
		if (which & MIME_TEXT_HEADER &&
		    !walk_header(mime_part_header(p, message), fn, ctx))
			return false;
		if (which & MIME_TEXT_BODY && mime_text_is_readable(p) &&
		    !mime_text_walk_part(p, message, fn, ctx))
			return false;
	}
	return true;
}
