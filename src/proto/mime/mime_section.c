/* SPDX-License-Identifier: ISC */
/*
 * mime_section.c - part specifiers of IMAP. See mime_section.h.
 */
#include "proto/mime/mime_section.h"

/* Take "12" and the "." behind it off *spec. */
static bool
take_number(struct str *spec, uint32_t *ret)
{
	struct str number, rest = str_split(*spec, '.', &number);

	/* nz-number: no zero in front. */
	if (!number.n || number.p[0] == '0' ||
	    !str_to_u32(number, UINT32_MAX, ret))
		return false;
	/* A "." with nothing behind it is no section. */
	if (rest.p && !rest.n)
		return false;
	*spec = rest;
	return true;
}

bool
mime_section_parse(struct str spec, struct mime_section *ret)
{
	struct mime_section s = { .what = MIME_SECTION_PART };

	while (spec.n && ascii_is_digit(spec.p[0])) {
		if (s.n == MIME_SECTION_DEPTH ||
		    !take_number(&spec, &s.path[s.n++]))
			return false;
	}
	if (str_eq_case(spec, STR("HEADER")))
		s.what = MIME_SECTION_HEADER;
	else if (str_eq_case(spec, STR("TEXT")))
		s.what = MIME_SECTION_TEXT;
	else if (str_eq_case(spec, STR("MIME")) && s.n)
		s.what = MIME_SECTION_MIME;
	else if (spec.n)
		return false;
	*ret = s;
	return true;
}

static const struct mime_part *
nth_child(const struct mime_part *part, uint32_t n)
{
	const struct mime_part *child = part->child;

	while (child && --n)
		child = child->next;
	return child;
}

/*
 * Numbers count the parts of a multipart, those of the multipart that a
 * message in hand is, or, as 1, the text of a message that is none.
 */
const struct mime_part *
mime_section_part(
    const struct mime_tree *tree, const struct mime_section *section)
{
	const struct mime_part *part = tree->root;
	bool is_message = true;

	for (uint32_t i = 0; part && i < section->n; i++) {
		if (!is_message && part->kind == MIME_MESSAGE) {
			part = part->child;
			is_message = true;
		}
		if (part->kind == MIME_MULTIPART)
			part = nth_child(part, section->path[i]);
		else if (!is_message || section->path[i] != 1)
			return NULL;
		is_message = false;
	}
	return part;
}

bool
mime_section_find(const struct mime_tree *tree,
    const struct mime_section *section, struct mime_range *ret)
{
	const struct mime_part *part = mime_section_part(tree, section);
	bool is_all = section->n == 0 && section->what == MIME_SECTION_PART;

	if (!part)
		return false;
	/* HEADER and TEXT are of the message inside of the part. */
	if (section->n && (section->what == MIME_SECTION_HEADER ||
			      section->what == MIME_SECTION_TEXT)) {
		if (part->kind != MIME_MESSAGE)
			return false;
		part = part->child;
	}
	*ret = (struct mime_range){ part->body, part->end - part->body };
	if (is_all)
		*ret = (struct mime_range){ 0, tree->size };
	else if (section->what == MIME_SECTION_HEADER ||
		 section->what == MIME_SECTION_MIME)
		*ret = (struct mime_range){ part->header,
			part->body - part->header };
	return true;
}
