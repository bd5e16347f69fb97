/* SPDX-License-Identifier: ISC */
/*
 * feedback_read.c - find the report in a message, and make rows of it. See
 * feedback_read.h.
 */
#include "filter/feedback_internal.h"

#include "base/zip.h"
#include "proc/ipc_msgs.h"
#include "proto/mime/mime_parse.h"

/* --- rows ------------------------------------------------------------------------ */

void
feedback_rows_begin(struct feedback_rows *r, const struct feedback_head *head,
    struct str owner, uint64_t now)
{
	*r = (struct feedback_rows){ .head = head,
		.owner = owner,
		.until = now + FEEDBACK_KEEP_S,
		.value = BUF_INIT(FEEDBACK_VALUE_MAX * 2) };
	feedback_put_head(&r->value, head);
}

static void
end_row(struct feedback_rows *r, struct buf *out)
{
	struct buf key = BUF_INIT(FEEDBACK_KEY_MAX);

	feedback_put_key(&key, r->head, r->owner, r->n_rows++);
	msg_ledger_row_put(out, &(struct msg_ledger_row){ .key = buf_str(&key),
				    .until = r->until,
				    .value = buf_str(&r->value) });
	buf_done(&key);
	buf_reset(&r->value, r->value.cap);
	feedback_put_head(&r->value, r->head);
	r->n_in_row = 0;
}

bool
feedback_rows_put(
    struct feedback_rows *r, const struct feedback_item *item, struct buf *out)
{
	if (r->n_items == FEEDBACK_ITEMS_MAX || out->n > FEEDBACK_ROWS_MAX)
		return false;
	feedback_put_item(&r->value, r->head->kind, item);
	r->n_items++;
	r->n_in_row++;
	if (r->value.n > FEEDBACK_VALUE_MAX)
		end_row(r, out);
	return true;
}

void
feedback_rows_end(
    struct feedback_rows *r, const struct feedback_item *rest, struct buf *out)
{
	if (rest) {
		feedback_put_item(&r->value, r->head->kind, rest);
		r->n_in_row++;
	}
	/* A report about nothing is one, too. */
	if (r->n_in_row || r->n_rows == 0)
		end_row(r, out);
	buf_done(&r->value);
}

bool
feedback_is_about(struct str domain, const struct feedback_context *c)
{
	if (str_eq_case(domain, c->domain))
		return true;
	return domain.n > c->domain.n &&
	       domain.p[domain.n - c->domain.n - 1] == '.' &&
	       str_ends_case(domain, c->domain);
}

struct str
feedback_lower(struct buf *b, struct str s)
{
	buf_reset(b, 256);
	s = str_first(s, 253);
	for (size_t i = 0; i < s.n; i++)
		buf_put_char(b, ascii_lower(s.p[i]));
	return buf_str(b);
}

/* --- files -------------------------------------------------------------------------- */

static const char *
unpack(struct str in, struct buf *out)
{
	enum gunzip r;

	if (str_starts(in, STR("\x1f\x8b")))
		r = gunzip(out, in);
	else if (str_starts(in, STR("PK\x03\x04")))
		r = unzip_first(out, in);
	else
		return NULL;
	if (r == GUNZIP_TOO_BIG)
		return "the file is too large when it is unpacked";
	return r == GUNZIP_OK ? NULL : "the file is damaged";
}

/* Blanks and a byte order mark may come first. */
static char
first_letter(struct str s)
{
	if (str_starts(s, STR("\xef\xbb\xbf")))
		s = str_from(s, 3);
	s = str_trim(str_first(s, 1000));
	return s.n ? s.p[0] : '\0';
}

static enum feedback_found
read_file(
    struct str bytes, const struct feedback_context *c, struct feedback *f)
{
	struct buf unpacked = BUF_INIT(
	    FEEDBACK_UNPACKED_MAX - MIN(f->unpacked, FEEDBACK_UNPACKED_MAX));
	enum feedback_found found = FEEDBACK_NOTHING;
	const char *fault = unpack(bytes, &unpacked);
	struct str text = unpacked.n ? buf_str(&unpacked) : bytes;

	f->unpacked += fault ? FEEDBACK_UNPACKED_MAX : unpacked.n;
	if (fault)
		f->fault = fault;
	else if (first_letter(text) == '<')
		found = feedback_read_dmarc(text, c, f);
	else if (first_letter(text) == '{')
		found = feedback_read_tls(text, c, f);
	buf_done(&unpacked);
	return found;
}

/* --- the message ---------------------------------------------------------------------- */

/* The content of a part without its transfer encoding; false: too large. */
static bool
decode(const struct mime_part *part, struct str message, struct buf *out)
{
	struct str body = mime_part_body(part, message);
	struct mime_cte_decoder d;

	if (body.n > FEEDBACK_PACKED_MAX)
		return false;
	mime_cte_init(&d, part->cte);
	mime_cte_feed(&d, body, out);
	mime_cte_finish(&d, out);
	return !out->failed;
}

static bool
is_type(const struct mime_part *p, const char *type, const char *subtype)
{
	return str_eq_case(p->type, str_c(type)) &&
	       str_eq_case(p->subtype, str_c(subtype));
}

/* The header of the message that a complaint is about: a part behind. */
static struct str
find_original(const struct mime_part *part, struct str message)
{
	for (part = mime_part_next(part); part; part = mime_part_next(part)) {
		if (part->kind == MIME_MESSAGE && part->child)
			return mime_part_header(part->child, message);
		if (is_type(part, "text", "rfc822-headers") ||
		    is_type(part, "message", "rfc822-headers") ||
		    is_type(part, "message", "rfc822"))
			return mime_part_body(part, message);
	}
	return STR_NONE;
}

/* May there be a report in it? */
static bool
is_candidate(const struct mime_part *part, const struct feedback_context *c)
{
	if (part->kind != MIME_LEAF)
		return false;
	if (c->tag.n > 0)
		return is_type(part, "message", "delivery-status") ||
		       is_type(part, "message", "global-delivery-status");
	return !is_type(part, "text", "plain") &&
	       !is_type(part, "text", "html");
}

static enum feedback_found
read_part(const struct mime_part *part, struct str message,
    const struct feedback_context *c, struct feedback *f)
{
	struct buf bytes = BUF_INIT(FEEDBACK_PACKED_MAX);
	enum feedback_found found = FEEDBACK_NOTHING;

	if (!decode(part, message, &bytes))
		f->fault = "the file is too large";
	else if (c->tag.n > 0)
		found = feedback_read_bounce(buf_str(&bytes), c, f);
	else if (is_type(part, "message", "feedback-report"))
		found = feedback_read_abuse(
		    buf_str(&bytes), find_original(part, message), c, f);
	else
		found = read_file(buf_str(&bytes), c, f);
	buf_done(&bytes);
	return found;
}

enum feedback_found
feedback_read(struct str message, const struct feedback_context *context,
    struct feedback *ret)
{
	enum feedback_found found = FEEDBACK_NOTHING;
	const struct mime_part *part;
	struct mime_tree tree;
	unsigned n = 0;

	*ret = (struct feedback){ .rows = BUF_INIT(MIB(1)),
		.texts = BUF_INIT(KIB(16)) };
	mime_parse(&tree, message, NULL);
	for (part = tree.root;
	     part && found == FEEDBACK_NOTHING && n < FEEDBACK_LEAVES_MAX;
	     part = mime_part_next(part)) {
		if (!is_candidate(part, context))
			continue;
		n++;
		found = read_part(part, message, context, ret);
	}
	mime_tree_done(&tree);
	if (found == FEEDBACK_NOTHING && !ret->fault)
		ret->fault = "there is no report in it";
	return found;
}

void
feedback_done(struct feedback *f)
{
	buf_done(&f->rows);
	buf_done(&f->texts);
	str_free(&f->reporter);
	str_free(&f->about);
}
