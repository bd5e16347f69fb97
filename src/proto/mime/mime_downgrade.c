/* SPDX-License-Identifier: ISC */
/*
 * mime_downgrade.c - down to 7 bits. See mime_downgrade.h.
 *
 * The parts are walked in the order of the message; what lies between them
 * (delimiters, preambles) is copied. No encoded line begins with "-": so no
 * line of a content can become a delimiter that it was not.
 */
#include "proto/mime/mime_downgrade.h"

#define LINE_MAX_BYTES 998
#define QP_WIDTH       73 /* and "=XX" or "=" behind it: RFC 2045 rule 5 */

struct walk {
	struct str message;
	struct buf *out;
	size_t pos; /* of what is copied next */
};

bool
mime_is_7bit(struct str s)
{
	size_t column = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool after_cr = i > 0 && s.p[i - 1] == '\r';

		if ((unsigned char)s.p[i] >= 0x80 || s.p[i] == '\0' ||
		    after_cr != (s.p[i] == '\n'))
			return false;
		column = s.p[i] == '\n' ? 0 : column + 1;
		/* The CR is counted, too. */
		if (column > LINE_MAX_BYTES + 1)
			return false;
	}
	return s.n == 0 || s.p[s.n - 1] != '\r';
}

/* --- quoted-printable ------------------------------------------------------------ */

static bool
is_crlf(struct str in, size_t i)
{
	return i + 1 < in.n && in.p[i] == '\r' && in.p[i + 1] == '\n';
}

/* What may stand for itself here (RFC 2045 section 6.7 rules 2 and 3). */
static bool
is_literal(struct str in, size_t i, size_t column)
{
	char c = in.p[i];

	if (c == ' ' || c == '\t')
		return i + 1 < in.n && !is_crlf(in, i + 1);
	if (c == '-' || c == '.')
		return column > 0;
	return c > ' ' && c <= '~' && c != '=';
}

void
mime_downgrade_qp(struct str in, struct buf *out)
{
	size_t column = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (is_crlf(in, i)) {
			buf_put_c(out, "\r\n");
			column = 0;
			i++;
			continue;
		}
		if (column >= QP_WIDTH) {
			buf_put_c(out, "=\r\n");
			column = 0;
		}
		if (is_literal(in, i, column)) {
			buf_put_char(out, in.p[i]);
			column++;
		} else {
			buf_printf(out, "=%02X", (unsigned char)in.p[i]);
			column += 3;
		}
	}
}

/* --- headers ----------------------------------------------------------------------- */

static struct str
slice(const struct walk *w, uint64_t from, uint64_t to)
{
	return str_sub(w->message, (size_t)from, (size_t)(to - from));
}

static bool
is_8bit(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

/*
 * The root of a message without MIME: say what it is. The charset of its
 * 8-bit bytes is not known (RFC 1428).
 */
static void
put_mime_version(
    struct walk *w, const struct mime_part *part, struct str header)
{
	struct mime_field field;

	if (!mime_header_find(header, STR("MIME-Version"), &field))
		buf_put_c(w->out, "MIME-Version: 1.0\r\n");
	if (!mime_header_find(header, STR("Content-Type"), &field) &&
	    is_8bit(slice(w, part->body, part->end)))
		buf_put_c(w->out,
		    "Content-Type: text/plain; charset=unknown-8bit\r\n");
}

/* The header with another Content-Transfer-Encoding; NULL: without any. */
static void
put_header(struct walk *w, const struct mime_part *part, const char *encoding)
{
	struct str header = slice(w, part->header, part->body);
	struct mime_header_iter it;
	struct mime_field field;

	mime_header_start(&it, header);
	while (mime_header_next(&it, &field))
		if (!str_eq_case(field.name, STR("Content-Transfer-Encoding")))
			buf_put_str(w->out, field.whole);
	if (!part->parent && encoding)
		put_mime_version(w, part, header);
	if (encoding)
		buf_printf(
		    w->out, "Content-Transfer-Encoding: %s\r\n", encoding);
	buf_put_c(w->out, "\r\n");
}

/* --- parts ------------------------------------------------------------------------- */

/* Around the parts: what nobody is to read cannot be encoded. */
static void
put_between(struct walk *w, uint64_t to)
{
	struct str s = slice(w, w->pos, to);

	for (size_t i = 0; i < s.n; i++) {
		bool is_bad = (unsigned char)s.p[i] >= 0x80 || s.p[i] == '\0';

		buf_put_char(w->out, is_bad ? '?' : s.p[i]);
	}
	w->pos = (size_t)to;
}

/* The content, encoded anew if it was encoded (and that not well). */
static void
put_content(struct walk *w, const struct mime_part *part, struct str content)
{
	struct buf decoded = BUF_INIT(content.n);

	if (part->cte != MIME_CTE_IDENTITY) {
		struct mime_cte_decoder d;

		mime_cte_init(&d, part->cte);
		mime_cte_feed(&d, content, &decoded);
		mime_cte_finish(&d, &decoded);
		content = buf_str(&decoded);
	}
	if (part->is_text)
		mime_downgrade_qp(content, w->out);
	else
		mime_cte_encode_base64(content, w->out);
	buf_done(&decoded);
}

static void
put_leaf(struct walk *w, const struct mime_part *part)
{
	struct str content = slice(w, part->body, part->end);

	if (mime_is_7bit(content)) {
		buf_put_str(w->out, slice(w, part->header, part->end));
	} else {
		put_header(
		    w, part, part->is_text ? "quoted-printable" : "base64");
		put_content(w, part, content);
	}
	w->pos = (size_t)part->end;
}

/* A composite part has what its parts need: now that is 7bit. */
static void
put_composite(struct walk *w, const struct mime_part *part)
{
	struct str name = mime_cte_name(part->encoding);

	if (str_eq_case(name, STR("8bit")) || str_eq_case(name, STR("binary")))
		put_header(w, part, NULL);
	else
		buf_put_str(w->out, slice(w, part->header, part->body));
	w->pos = (size_t)part->body;
}

/* The first part that was not looked into has to pass as it is. */
static bool
is_too_complex(const struct mime_tree *tree, struct str message)
{
	const struct mime_part *part = tree->root;

	for (; part; part = mime_part_next(part))
		if (part->is_opaque &&
		    !mime_is_7bit(mime_part_body(part, message)))
			return true;
	return false;
}

static bool
is_needed(const struct mime_tree *tree, struct str message)
{
	return !mime_is_7bit(mime_part_body(tree->root, message));
}

enum mime_downgrade
mime_downgrade(
    struct str message, const struct mime_limits *limits, struct buf *out)
{
	struct walk w = { .message = message, .out = out };
	enum mime_downgrade answer = MIME_DOWNGRADE_DONE;
	const struct mime_part *part;
	struct mime_tree tree;

	mime_parse(&tree, message, limits);
	if (!is_needed(&tree, message))
		answer = MIME_DOWNGRADE_NOT_NEEDED;
	else if (is_too_complex(&tree, message))
		answer = MIME_DOWNGRADE_TOO_COMPLEX;
	part = answer == MIME_DOWNGRADE_DONE ? tree.root : NULL;
	for (; part; part = mime_part_next(part)) {
		put_between(&w, part->header);
		if (part->kind == MIME_LEAF)
			put_leaf(&w, part);
		else
			put_composite(&w, part);
	}
	if (answer == MIME_DOWNGRADE_DONE) {
		put_between(&w, message.n);
		if (out->failed)
			answer = MIME_DOWNGRADE_TOO_LARGE;
	}
	mime_tree_done(&tree);
	return answer;
}
