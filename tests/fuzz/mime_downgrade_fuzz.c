/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * Properties: what is made of a message has the same parts with the same
 * decoded contents and types, contents that are 7-bit, and needs no second
 * turn; a message that is 7-bit already is left alone.
 */
#include "proto/mime/mime_downgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_decoded(const struct mime_part *part, struct str message, struct buf *out)
{
	struct mime_cte_decoder d;

	mime_cte_init(&d, part->cte);
	mime_cte_feed(&d, mime_part_body(part, message), out);
	mime_cte_finish(&d, out);
}

static void
check_part(const struct mime_part *a, struct str before,
    const struct mime_part *b, struct str after)
{
	struct buf x = BUF_INIT(MIB(1)), y = BUF_INIT(MIB(1));

	ASSERT(a->kind == b->kind && a->n_children == b->n_children);
	ASSERT(a->is_text == b->is_text);
	if (a->kind == MIME_LEAF) {
		ASSERT(mime_is_7bit(mime_part_body(b, after)));
		put_decoded(a, before, &x);
		put_decoded(b, after, &y);
		ASSERT(str_eq(buf_str(&x), buf_str(&y)));
	}
	buf_done(&x);
	buf_done(&y);
}

static void
check_done(struct str before, struct str after)
{
	const struct mime_part *a, *b;
	struct mime_tree x, y;

	mime_parse(&x, before, NULL);
	mime_parse(&y, after, NULL);
	a = x.root;
	b = y.root;
	while (a && b) {
		check_part(a, before, b, after);
		a = mime_part_next(a);
		b = mime_part_next(b);
	}
	ASSERT(!a && !b);
	mime_tree_done(&x);
	mime_tree_done(&y);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_first(str_make(data, size), KIB(64));
	struct buf out = BUF_INIT(MIB(1));

	switch (mime_downgrade(in, NULL, &out)) {
	case MIME_DOWNGRADE_DONE:
		check_done(in, buf_str(&out));
		break;
	case MIME_DOWNGRADE_NOT_NEEDED:
		ASSERT(out.n == 0);
		break;
	case MIME_DOWNGRADE_TOO_COMPLEX:
		break;
	case MIME_DOWNGRADE_TOO_LARGE:
		die("three times the message is not enough");
	}
	buf_done(&out);
	return 0;
}
