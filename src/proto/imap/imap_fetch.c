/* SPDX-License-Identifier: ISC */
/*
 * imap_fetch.c - FETCH: parse its items, and name sections in the answer.
 */
#include "proto/imap/imap_internal.h"

#include "proto/imap/imap_write.h"

#define FAST (IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | IMAP_FETCH_SIZE)
#define ALL  (FAST | IMAP_FETCH_ENVELOPE)
#define FULL (ALL | IMAP_FETCH_BODY)

static const struct imap_word attributes[] = {
	{ { "UID", 3 }, IMAP_FETCH_UID },
	{ { "FLAGS", 5 }, IMAP_FETCH_FLAGS },
	{ { "INTERNALDATE", 12 }, IMAP_FETCH_INTERNALDATE },
	{ { "RFC822.SIZE", 11 }, IMAP_FETCH_SIZE },
	{ { "ENVELOPE", 8 }, IMAP_FETCH_ENVELOPE },
	{ { "BODYSTRUCTURE", 13 }, IMAP_FETCH_BODYSTRUCTURE },
	{ { "MODSEQ", 6 }, IMAP_FETCH_MODSEQ },
};

static const struct imap_word macros[] = {
	{ { "ALL", 3 }, ALL },
	{ { "FAST", 4 }, FAST },
	{ { "FULL", 4 }, FULL },
};

static const struct {
	struct str name;
	enum imap_section_form form;
	enum imap_section_kind kind;
	bool is_peek;
	bool has_section; /* "[...]" follows */
} bodies[] = {
	{ { "BODY", 4 }, IMAP_FORM_BODY, IMAP_SECTION_ALL, false, true },
	{ { "BODY.PEEK", 9 }, IMAP_FORM_BODY, IMAP_SECTION_ALL, true, true },
	{ { "BINARY", 6 }, IMAP_FORM_BINARY, IMAP_SECTION_ALL, false, true },
	{ { "BINARY.PEEK", 11 }, IMAP_FORM_BINARY, IMAP_SECTION_ALL, true,
	    true },
	{ { "BINARY.SIZE", 11 }, IMAP_FORM_BINARY_SIZE, IMAP_SECTION_ALL, true,
	    true },
	{ { "RFC822", 6 }, IMAP_FORM_RFC822, IMAP_SECTION_ALL, false, false },
	{ { "RFC822.HEADER", 13 }, IMAP_FORM_RFC822_HEADER, IMAP_SECTION_HEADER,
	    true, false },
	{ { "RFC822.TEXT", 11 }, IMAP_FORM_RFC822_TEXT, IMAP_SECTION_TEXT,
	    false, false },
};

static const struct {
	struct str name;
	enum imap_section_kind kind;
} section_texts[] = {
	{ { "HEADER", 6 }, IMAP_SECTION_HEADER },
	{ { "HEADER.FIELDS", 13 }, IMAP_SECTION_FIELDS },
	{ { "HEADER.FIELDS.NOT", 17 }, IMAP_SECTION_FIELDS_NOT },
	{ { "TEXT", 4 }, IMAP_SECTION_TEXT },
	{ { "MIME", 4 }, IMAP_SECTION_MIME },
};

static bool
get_header_names(struct imap_cursor *c, struct imap_section *s)
{
	struct imap_vec names = IMAP_VEC(struct str, IMAP_MAX_HEADER_NAMES);

	if (!imap_get_space(c) || !imap_get(c, '('))
		return false;
	do {
		struct str *name = imap_vec_add(c, &names);

		if (!name || !imap_get_astring(c, name))
			return false;
	} while (imap_try(c, ' '));
	s->names = names.p;
	s->n_names = names.n;
	return imap_get(c, ')');
}

/* section-msgtext, or MIME behind part numbers. */
static bool
get_section_text(struct imap_cursor *c, struct imap_section *s)
{
	struct str name;
	size_t i = 0;

	if (!imap_get_name(c, &name))
		return false;
	while (i < ARRAY_LEN(section_texts) &&
	       !str_eq_case(name, section_texts[i].name))
		i++;
	if (i == ARRAY_LEN(section_texts) || s->form != IMAP_FORM_BODY)
		return imap_fail(c, "Unknown section");
	s->kind = section_texts[i].kind;
	if (s->kind == IMAP_SECTION_MIME && s->n_parts == 0)
		return imap_fail(c, "MIME needs a part number");
	if (s->kind == IMAP_SECTION_FIELDS ||
	    s->kind == IMAP_SECTION_FIELDS_NOT)
		return get_header_names(c, s);
	return true;
}

/* Part numbers; *ret_text when a "." behind the last announces a text. */
static bool
get_parts(struct imap_cursor *c, struct imap_section *s, bool *ret_text)
{
	struct imap_vec parts = IMAP_VEC(uint32_t, IMAP_MAX_SECTION_PARTS);

	*ret_text = imap_peek(c) != ']';
	while (ascii_is_digit(imap_peek(c))) {
		uint32_t *part = imap_vec_add(c, &parts);

		if (!part || !imap_get_u32(c, 1, part))
			return false;
		*ret_text = imap_try(c, '.');
		if (!*ret_text)
			break;
	}
	s->parts = parts.p;
	s->n_parts = parts.n;
	return true;
}

static bool
get_partial(struct imap_cursor *c, struct imap_section *s)
{
	if (!imap_try(c, '<'))
		return true;
	s->has_partial = true;
	if (s->form == IMAP_FORM_BINARY_SIZE)
		return imap_fail(c, "BINARY.SIZE has no partial form");
	return imap_get_u32(c, 0, &s->partial_from) && imap_get(c, '.') &&
	       imap_get_u32(c, 1, &s->partial_count) && imap_get(c, '>');
}

static bool
get_section(struct imap_cursor *c, struct imap_section *s)
{
	bool has_text;

	if (!imap_get(c, '[') || !get_parts(c, s, &has_text))
		return false;
	if (has_text && !get_section_text(c, s))
		return false;
	return imap_get(c, ']') && get_partial(c, s);
}

static bool
get_item(
    struct imap_cursor *c, struct imap_fetch *fetch, struct imap_vec *sections)
{
	struct imap_section *s;
	struct str name;
	size_t i = 0;
	unsigned bit;

	if (!imap_get_name(c, &name))
		return false;
	bit = imap_word_bit(attributes, ARRAY_LEN(attributes), name);
	if (str_eq_case(name, STR("BODY")) && imap_peek(c) != '[')
		bit = IMAP_FETCH_BODY;
	fetch->attrs |= bit;
	if (bit)
		return true;

	while (i < ARRAY_LEN(bodies) && !str_eq_case(name, bodies[i].name))
		i++;
	if (i == ARRAY_LEN(bodies))
		return imap_fail(c, "Unknown item");
	s = imap_vec_add(c, sections);
	if (!s)
		return false;
	s->form = bodies[i].form;
	s->kind = bodies[i].kind;
	s->is_peek = bodies[i].is_peek;
	fetch->sets_seen |= !s->is_peek;
	return !bodies[i].has_section || get_section(c, s);
}

static bool
get_items(struct imap_cursor *c, struct imap_fetch *fetch)
{
	struct imap_vec sections =
	    IMAP_VEC(struct imap_section, IMAP_MAX_FETCH_SECTIONS);

	for (size_t i = 0; i < ARRAY_LEN(macros); i++) {
		if (imap_try_word(c, macros[i].word)) {
			fetch->attrs = macros[i].bit;
			return true;
		}
	}
	if (!imap_try(c, '(')) {
		if (!get_item(c, fetch, &sections))
			return false;
	} else {
		do {
			if (!get_item(c, fetch, &sections))
				return false;
		} while (imap_try(c, ' '));
		if (!imap_get(c, ')'))
			return false;
	}
	fetch->sections = sections.p;
	fetch->n_sections = sections.n;
	return true;
}

/* fetch-modifiers of RFC 7162 3.1.4.1 and 3.2.6. */
static bool
get_modifiers(struct imap_cursor *c, struct imap_fetch *fetch, bool is_uid)
{
	if (!imap_get(c, '('))
		return false;
	do {
		if (imap_try_word(c, STR("VANISHED"))) {
			fetch->vanished = true;
			continue;
		}
		if (!imap_try_word(c, STR("CHANGEDSINCE")))
			return imap_fail(c, "Unknown modifier");
		fetch->has_changed_since = true;
		if (!imap_get_space(c) ||
		    !imap_get_u64(c, IMAP_MOD_SEQ_MAX, &fetch->changed_since))
			return false;
	} while (imap_try(c, ' '));
	if (fetch->vanished && (!is_uid || !fetch->has_changed_since))
		return imap_fail(
		    c, "VANISHED needs UID FETCH and CHANGEDSINCE");
	if (fetch->has_changed_since)
		fetch->attrs |= IMAP_FETCH_MODSEQ;
	return imap_get(c, ')');
}

bool
imap_parse_fetch(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_fetch *fetch = &cmd->u.fetch;

	if (!imap_get_space(c) || !imap_get_set(c, &fetch->set) ||
	    !imap_get_space(c) || !get_items(c, fetch))
		return false;
	/* RFC 3501 6.4.8: UID FETCH always answers with the UID. */
	if (cmd->is_uid)
		fetch->attrs |= IMAP_FETCH_UID;
	if (imap_try(c, ' ') && !get_modifiers(c, fetch, cmd->is_uid))
		return false;
	return imap_get_end(c);
}

static void
put_header_names(struct buf *b, const struct imap_section *s)
{
	buf_put_c(b, " (");
	for (size_t i = 0; i < s->n_names; i++) {
		if (i)
			buf_put_char(b, ' ');
		imap_put_astring(b, s->names[i]);
	}
	buf_put_char(b, ')');
}

static void
put_section(struct buf *b, const struct imap_section *s)
{
	buf_put_char(b, '[');
	for (size_t i = 0; i < s->n_parts; i++) {
		if (i)
			buf_put_char(b, '.');
		imap_put_number(b, s->parts[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(section_texts); i++) {
		if (section_texts[i].kind != s->kind)
			continue;
		if (s->n_parts)
			buf_put_char(b, '.');
		buf_put_str(b, section_texts[i].name);
	}
	if (s->n_names)
		put_header_names(b, s);
	buf_put_char(b, ']');
}

void
imap_put_section_name(struct buf *b, const struct imap_section *s)
{
	switch (s->form) {
	case IMAP_FORM_BODY:
		buf_put_c(b, "BODY");
		break;
	case IMAP_FORM_BINARY:
		buf_put_c(b, "BINARY");
		break;
	case IMAP_FORM_BINARY_SIZE:
		buf_put_c(b, "BINARY.SIZE");
		break;
	case IMAP_FORM_RFC822:
		buf_put_c(b, "RFC822");
		return;
	case IMAP_FORM_RFC822_HEADER:
		buf_put_c(b, "RFC822.HEADER");
		return;
	case IMAP_FORM_RFC822_TEXT:
		buf_put_c(b, "RFC822.TEXT");
		return;
	}
	put_section(b, s);
	if (s->has_partial) {
		buf_put_char(b, '<');
		imap_put_number(b, s->partial_from);
		buf_put_char(b, '>');
	}
}
