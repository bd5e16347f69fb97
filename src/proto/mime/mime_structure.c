/* SPDX-License-Identifier: ISC */
/*
 * mime_structure.c - the structure record: building it, and reading it
 * without trust. See mime_structure.h.
 */
#include "proto/mime/mime_structure.h"

#include "proto/mime/mime_imap_internal.h"
#include "proto/mime/mime_token_internal.h"

#define FLAGS_KNOWN (MIME_HAS_DATE | MIME_HAS_ATTACHMENT | MIME_IS_TRUNCATED)

/* --- building ---------------------------------------------------------------------- */

/* Small negative numbers stay small: zones, and dates before 1970. */
static uint64_t
zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v < 0 ? -1 : 0);
}

static int64_t
unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/*
 * Take the next "<id>" off *s: what is between the brackets. Without any
 * bracket in it, *s is a bare id when is_bare_ok. STR_NONE at the end.
 */
static struct str
take_id(struct str *s, bool is_bare_ok)
{
	ptrdiff_t open = str_find(*s, '<'), close;
	struct str rest, id;

	if (open < 0) {
		rest = token_skip_cfws(*s);
		*s = STR_NONE;
		if (!is_bare_ok)
			return STR_NONE;
		for (id = str_first(rest, 0);
		     id.n < rest.n && !token_is_blank(rest.p[id.n]);)
			id.n++;
		return str_first(id, MIME_STRUCTURE_ID);
	}
	rest = str_from(*s, (size_t)open + 1);
	close = str_find(rest, '>');
	id = close < 0 ? rest : str_first(rest, (size_t)close);
	*s = close < 0 ? STR_NONE : str_from(rest, (size_t)close + 1);
	id = token_skip_blanks(id);
	while (id.n && token_is_blank(id.p[id.n - 1]))
		id.n--;
	return str_first(id, MIME_STRUCTURE_ID);
}

/* The first of References and the last ones: the thread's root and parents. */
static void
put_references(struct str value, struct buf *out)
{
	struct str ids[MIME_STRUCTURE_REFS], id;
	size_t n = 0, kept, start;

	while (value.n) {
		id = take_id(&value, false);
		if (!id.n)
			continue;
		/* ids[0] stays; the others are a ring. */
		ids[n < MIME_STRUCTURE_REFS
			? n
			: 1 + (n - 1) % (MIME_STRUCTURE_REFS - 1)] = id;
		n++;
	}
	kept = MIN(n, (size_t)MIME_STRUCTURE_REFS);
	wire_put_varint(out, kept);
	if (kept)
		wire_put_vstr(out, ids[0]);
	start = n > MIME_STRUCTURE_REFS ? n - (MIME_STRUCTURE_REFS - 1) : 1;
	for (size_t i = start; i < n; i++)
		wire_put_vstr(
		    out, ids[n <= MIME_STRUCTURE_REFS
				 ? i
				 : 1 + (i - 1) % (MIME_STRUCTURE_REFS - 1)]);
}

static bool
has_file_name(const struct mime_part *part)
{
	const struct mime_params *d = &part->disposition_params;

	return mime_param_find(d, STR("filename")) ||
	       mime_param_find(d, STR("filename*")) ||
	       mime_param_find(&part->params, STR("name")) ||
	       mime_param_find(&part->params, STR("name*"));
}

static bool
is_attachment(const struct mime_part *part)
{
	bool is_signature =
	    str_eq_case(part->subtype, STR("pgp-signature")) ||
	    str_eq_case(part->subtype, STR("pkcs7-signature")) ||
	    str_eq_case(part->subtype, STR("x-pkcs7-signature"));

	if (part->kind == MIME_MESSAGE)
		return true;
	if (part->kind != MIME_LEAF || is_signature)
		return false;
	if (str_eq_case(part->disposition, STR("attachment")))
		return true;
	return !part->is_text && !part->id.n && has_file_name(part);
}

static bool
has_attachment(const struct mime_tree *tree)
{
	for (const struct mime_part *p = tree->root; p; p = mime_part_next(p))
		if (is_attachment(p))
			return true;
	return false;
}

static void
put_parts(const struct mime_tree *tree, struct buf *out)
{
	uint64_t before = 0;

	wire_put_varint(out, tree->n_parts);
	for (const struct mime_part *p = tree->root; p; p = mime_part_next(p)) {
		wire_put_varint(out, (uint64_t)p->n_children * 4 + p->kind);
		wire_put_varint(out, p->header - before);
		wire_put_varint(out, p->body - p->header);
		wire_put_varint(out, p->end - p->body);
		before = p->header;
	}
}

struct thread_fields {
	struct str date, message_id, in_reply_to, references;
};

static void
find_thread_fields(struct str header, struct thread_fields *ret)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_start(&it, header);
	while (mime_header_next(&it, &f)) {
		struct str *to = NULL;

		if (str_eq_case(f.name, STR("date")))
			to = &ret->date;
		else if (str_eq_case(f.name, STR("message-id")))
			to = &ret->message_id;
		else if (str_eq_case(f.name, STR("in-reply-to")))
			to = &ret->in_reply_to;
		else if (str_eq_case(f.name, STR("references")))
			to = &ret->references;
		if (to && !to->p)
			*to = f.value;
	}
}

static void
put_head(const struct mime_tree *tree, const struct thread_fields *f,
    struct buf *out)
{
	struct mime_date date;
	bool has_date = mime_date_parse(f->date, &date);
	unsigned flags = (has_date ? MIME_HAS_DATE : 0) |
	                 (has_attachment(tree) ? MIME_HAS_ATTACHMENT : 0) |
	                 (tree->is_truncated ? MIME_IS_TRUNCATED : 0);

	wire_put_u8(out, MIME_STRUCTURE_VERSION);
	wire_put_u8(out, (uint8_t)flags);
	wire_put_varint(out, tree->size);
	wire_put_varint(out, tree->root->body);
	if (has_date) {
		wire_put_varint(out, zigzag(date.epoch));
		wire_put_varint(out, zigzag(date.zone_min));
	}
}

static void
put_texts(const struct mime_tree *tree, struct str message, struct buf *out)
{
	struct str header = mime_part_header(tree->root, message);
	struct buf text = BUF_INIT(MIME_STRUCTURE_MAX);
	struct arena arena;

	arena_init(&arena, KIB(512));
	mime_structure_put_envelope(header, &arena, &text);
	arena_done(&arena);
	wire_put_vstr(out, buf_str(&text));
	out->failed |= text.failed;
	buf_reset(&text, KIB(64));
	imap_put_bodystructure(tree->root, message, &text);
	wire_put_vstr(out, buf_str(&text));
	out->failed |= text.failed;
	buf_done(&text);
}

bool
mime_structure_build_from(
    const struct mime_tree *tree, struct str message, struct buf *out)
{
	struct thread_fields f = { 0 };

	find_thread_fields(mime_part_header(tree->root, message), &f);
	put_head(tree, &f, out);
	wire_put_vstr(out, take_id(&f.message_id, true));
	wire_put_vstr(out, take_id(&f.in_reply_to, false));
	put_references(f.references, out);
	put_texts(tree, message, out);
	put_parts(tree, out);
	return !out->failed;
}

bool
mime_structure_build(
    struct str message, const struct mime_limits *limits, struct buf *out)
{
	struct mime_tree tree;
	bool ok;

	mime_parse(&tree, message, limits);
	ok = mime_structure_build_from(&tree, message, out);
	mime_tree_done(&tree);
	return ok;
}

/* --- reading ------------------------------------------------------------------------- */

struct mime_structure_part
mime_structure_next_part(struct wire *parts, uint64_t *offset)
{
	uint64_t head = wire_get_varint(parts);
	struct mime_structure_part p = {
		.kind = (enum mime_kind)(head & 3),
		.n_children = (uint32_t)(head >> 2),
	};

	*offset += wire_get_varint(parts);
	p.header = *offset;
	p.body = p.header + wire_get_varint(parts);
	p.end = p.body + wire_get_varint(parts);
	return p;
}

/* Is a part's form one that the parser makes, and within its message? */
static bool
is_part_good(const struct mime_structure_part *p, uint64_t size)
{
	bool fits_kind = false;

	switch (p->kind) {
	case MIME_LEAF:
		fits_kind = p->n_children == 0;
		break;
	case MIME_MULTIPART:
		fits_kind = p->n_children > 0;
		break;
	case MIME_MESSAGE:
		fits_kind = p->n_children == 1;
		break;
	}
	return fits_kind && p->header <= size && p->body <= size &&
	       p->end <= size && p->header <= p->body && p->body <= p->end;
}

/*
 * Every offset is within the message, the numbers of children add up to one
 * tree, and nothing is left. Sums of varints may wrap: each is compared with
 * the one before it.
 */
static bool
are_parts_good(const struct mime_structure *s)
{
	struct wire w = s->parts;
	uint64_t offset = 0, open = 1;

	for (uint32_t i = 0; i < s->n_parts; i++) {
		uint64_t before = offset;
		struct mime_structure_part p =
		    mime_structure_next_part(&w, &offset);

		if (w.failed || offset < before || open == 0 ||
		    !is_part_good(&p, s->size))
			return false;
		if (i == 0 && (p.header != 0 || p.body != s->header_length))
			return false;
		open += p.n_children;
		open--;
	}
	return open == 0 && wire_is_complete(&w);
}

static bool
are_references_good(struct wire *in, struct mime_structure *s)
{
	uint64_t n = wire_get_varint(in);

	if (n > MIME_STRUCTURE_REFS)
		return false;
	s->n_references = (uint32_t)n;
	s->references = *in;
	for (uint64_t i = 0; i < n; i++)
		wire_get_vstr(in);
	return !in->failed;
}

static bool
is_date_good(struct wire *in, struct mime_structure *s)
{
	int64_t zone;

	if (!(s->flags & MIME_HAS_DATE))
		return true;
	s->date.epoch = unzigzag(wire_get_varint(in));
	zone = unzigzag(wire_get_varint(in));
	s->date.zone_min = (int32_t)zone;
	/* The years 1900 to 9999, with a day to spare on both sides. */
	return zone > -1440 && zone < 1440 &&
	       s->date.epoch > INT64_C(-2209161600) &&
	       s->date.epoch < INT64_C(253402473600);
}

bool
mime_structure_view(
    struct str record, uint64_t size, struct mime_structure *ret)
{
	struct wire in = wire_read(record);
	struct mime_structure s = { 0 };
	uint64_t n;

	if (record.n > MIME_STRUCTURE_MAX ||
	    wire_get_u8(&in) != MIME_STRUCTURE_VERSION)
		return false;
	s.flags = wire_get_u8(&in);
	s.size = wire_get_varint(&in);
	s.header_length = wire_get_varint(&in);
	if (s.flags & ~(unsigned)FLAGS_KNOWN || s.size != size ||
	    s.header_length > size || !is_date_good(&in, &s))
		return false;
	s.message_id = wire_get_vstr(&in);
	s.in_reply_to = wire_get_vstr(&in);
	if (!are_references_good(&in, &s))
		return false;
	s.envelope = wire_get_vstr(&in);
	s.bodystructure = wire_get_vstr(&in);
	n = wire_get_varint(&in);
	/* Each part takes four bytes at least. */
	if (in.failed || n > in.in.n / 4)
		return false;
	s.n_parts = (uint32_t)n;
	s.parts = in;
	if (!imap_is_list(s.envelope) ||
	    !imap_copy_body(s.bodystructure, NULL) || !are_parts_good(&s))
		return false;
	*ret = s;
	return true;
}

void
mime_structure_put_body(const struct mime_structure *s, struct buf *out)
{
	bool ok = imap_copy_body(s->bodystructure, out);

	/* mime_structure_view() has read it once already. */
	ASSERT(ok);
}

/* --- sections --------------------------------------------------------------------------- */

struct cursor {
	struct wire in;
	uint64_t offset; /* of the header of the part last read */
	uint64_t left;   /* parts not yet read */
	struct mime_structure_part part;
};

static bool
read_part(struct cursor *c)
{
	if (!c->left)
		return false;
	c->left--;
	c->part = mime_structure_next_part(&c->in, &c->offset);
	return true;
}

/* From a part to its nth child, past the trees of the children before it. */
static bool
read_child(struct cursor *c, uint32_t n)
{
	uint64_t skip = n - 1;

	if (n == 0 || n > c->part.n_children)
		return false;
	while (skip) {
		if (!read_part(c))
			return false;
		skip += c->part.n_children;
		skip--;
	}
	return read_part(c);
}

/* The same rules as mime_section_part(). */
static bool
find_part(struct cursor *c, const struct mime_section *section)
{
	bool is_message = true;

	if (!read_part(c))
		return false;
	for (uint32_t i = 0; i < section->n; i++) {
		if (!is_message && c->part.kind == MIME_MESSAGE) {
			if (!read_child(c, 1))
				return false;
			is_message = true;
		}
		if (c->part.kind == MIME_MULTIPART) {
			if (!read_child(c, section->path[i]))
				return false;
		} else if (!is_message || section->path[i] != 1) {
			return false;
		}
		is_message = false;
	}
	return true;
}

/* A range of the shared bytes, as seen behind the prefix. */
static struct mime_range
shifted(uint64_t from, uint64_t to, uint64_t prefix)
{
	return (struct mime_range){ from + prefix, to - from };
}

bool
mime_structure_find(const struct mime_structure *s,
    const struct mime_section *section, uint64_t prefix, struct mime_range *ret)
{
	struct cursor c = { .in = s->parts, .left = s->n_parts };
	enum mime_section_what what = section->what;

	if (!section->n && what == MIME_SECTION_PART) {
		*ret = (struct mime_range){ 0, prefix + s->size };
		return true;
	}
	if (!section->n && what == MIME_SECTION_HEADER) {
		*ret = (struct mime_range){ 0, prefix + s->header_length };
		return true;
	}
	if (!find_part(&c, section))
		return false;
	if (section->n && what != MIME_SECTION_PART &&
	    what != MIME_SECTION_MIME &&
	    (c.part.kind != MIME_MESSAGE || !read_child(&c, 1)))
		return false;
	if (what == MIME_SECTION_HEADER || what == MIME_SECTION_MIME)
		*ret = shifted(c.part.header, c.part.body, prefix);
	else
		*ret = shifted(c.part.body, c.part.end, prefix);
	return true;
}
