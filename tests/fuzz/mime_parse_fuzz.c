/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_parse_fuzz.c - any bytes are a tree within its limits, every part of
 * which can be named; the record made of it is accepted, says the same and
 * is made again the same; no record, however broken, leads out of a message.
 */
#include "proto/mime/mime_structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_part(const struct mime_part *p, uint64_t size)
{
	const struct mime_part *up = p->parent;
	uint32_t n = 0;

	ASSERT(p->header <= p->body && p->body <= p->end && p->end <= size);
	ASSERT(p->type.n && p->subtype.n);
	for (const struct mime_part *c = p->child; c; c = c->next)
		n++;
	ASSERT(n == p->n_children);
	ASSERT((p->kind == MIME_LEAF) == (n == 0));
	ASSERT(p->kind != MIME_MESSAGE || n == 1);
	ASSERT(!p->next || p->next->header >= p->end);
	if (up)
		ASSERT(up->body <= p->header && p->end <= up->end);
	if (up && up->kind == MIME_MESSAGE)
		ASSERT(up->body == p->header && up->end == p->end);
}

/* The number of a part that has one; false for nested messages' own roots. */
static bool
path_of(const struct mime_part *p, struct mime_section *ret)
{
	uint32_t path[MIME_SECTION_DEPTH], n = 0;

	for (; p->parent; p = p->parent) {
		const struct mime_part *s = p->parent->child;
		uint32_t number = 1;

		if (p->parent->kind == MIME_MESSAGE) {
			/* Its parts count from the message; alone it is 1. */
			if (p->kind == MIME_MULTIPART && n)
				continue;
			if (p->kind == MIME_MULTIPART)
				return false;
		}
		for (; s != p; s = s->next)
			number++;
		if (n == MIME_SECTION_DEPTH)
			return false;
		path[n++] = number;
	}
	if (p->kind != MIME_MULTIPART && n < MIME_SECTION_DEPTH)
		path[n++] = 1;
	ret->n = n;
	for (uint32_t i = 0; i < n; i++)
		ret->path[i] = path[n - 1 - i];
	return true;
}

static void
check_section(const struct mime_tree *tree, const struct mime_structure *s,
    const struct mime_section *sec)
{
	struct mime_range a = { 0 }, b = { 0 };
	bool in_tree = mime_section_find(tree, sec, &a);

	ASSERT(in_tree == mime_structure_find(s, sec, 0, &b));
	ASSERT(a.off == b.off && a.len == b.len);
	ASSERT(a.off <= s->size && a.len <= s->size - a.off);
	if (!in_tree)
		return;
	ASSERT(mime_structure_find(s, sec, 100, &b));
	ASSERT(b.off + b.len == a.off + a.len + 100);
}

static void
check_sections(const struct mime_tree *tree, const struct mime_structure *s)
{
	static const enum mime_section_what whats[] = { MIME_SECTION_PART,
		MIME_SECTION_HEADER, MIME_SECTION_TEXT, MIME_SECTION_MIME };
	const struct mime_part *p = tree->root;

	for (unsigned count = 0; p && count < 64; p = mime_part_next(p)) {
		struct mime_section sec = { 0 };
		bool has_path = path_of(p, &sec);

		count++;
		check_part(p, tree->size);
		if (has_path)
			ASSERT(mime_section_part(tree, &sec) == p);
		for (size_t i = 0; has_path && i < ARRAY_LEN(whats); i++) {
			sec.what = whats[i];
			check_section(tree, s, &sec);
		}
		sec.path[sec.n ? sec.n - 1 : 0]++;
		check_section(tree, s, &sec);
	}
}

/* Use a record that came from anywhere. */
static void
use(const struct mime_structure *s)
{
	struct buf body = BUF_INIT(MIME_STRUCTURE_MAX);
	struct wire refs = s->references;

	for (uint32_t i = 0; i < s->n_references; i++)
		wire_get_vstr(&refs);
	ASSERT(!refs.failed);
	mime_structure_put_body(s, &body);
	buf_done(&body);
	for (uint32_t i = 0; i < 64; i++) {
		struct mime_section sec = {
			.what = (enum mime_section_what)(i & 3),
			.n = 1 + (i >> 5),
			.path = { 1 + (i >> 2 & 3), 1 + (i >> 4 & 1) },
		};
		struct mime_range r;

		if (mime_structure_find(s, &sec, 0, &r))
			ASSERT(r.off <= s->size && r.len <= s->size - r.off);
	}
}

static void
check_damaged(const struct buf *record, uint64_t size, const uint8_t *data)
{
	struct buf bad = BUF_INIT(record->n);
	struct mime_structure s;

	buf_put_str(&bad, buf_str(record));
	for (size_t i = 0; size >= 4 && i < 4; i++)
		bad.p[(data[i] * 257u + i * 31) % bad.n] ^=
		    (char)(1 << (data[i] & 7));
	if (mime_structure_view(buf_str(&bad), size, &s))
		use(&s);
	buf_done(&bad);
}

static void
check_message(struct str in, const struct mime_limits *limits)
{
	struct buf one = BUF_INIT(MIME_STRUCTURE_MAX);
	struct buf two = BUF_INIT(MIME_STRUCTURE_MAX);
	struct mime_structure s;
	struct mime_tree tree;

	mime_parse(&tree, in, limits);
	ASSERT(tree.root && tree.root->header == 0 && tree.root->end == in.n);
	ASSERT(!limits || tree.n_parts <= limits->parts);
	ASSERT(mime_structure_build(in, limits, &one));
	ASSERT(mime_structure_build_from(&tree, in, &two));
	ASSERT(str_eq(buf_str(&one), buf_str(&two)));
	ASSERT(mime_structure_view(buf_str(&one), in.n, &s));
	ASSERT(!mime_structure_view(buf_str(&one), in.n + 1, &s));
	ASSERT(s.n_parts == tree.n_parts);
	check_sections(&tree, &s);
	use(&s);
	check_damaged(&one, in.n, (const uint8_t *)in.p);
	mime_tree_done(&tree);
	buf_done(&one);
	buf_done(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_limits small = {
		.parts = 5,
		.depth = 3,
		.fields = 4,
		.boundary = 8,
	};
	struct str in = str_make(data, size);
	struct mime_structure s;

	check_message(in, NULL);
	check_message(in, &small);
	if (mime_structure_view(in, size, &s))
		use(&s);
	return 0;
}
