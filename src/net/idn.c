/* SPDX-License-Identifier: ISC */
/* idn.c - the one wrapper of libidn2. See idn.h. */
#include "net/idn.h"

#include <idn2.h>

static bool
is_ascii_name(const char *s)
{
	for (; *s; s++)
		if (!ascii_is_alpha(*s) && !ascii_is_digit(*s) &&
		    strchr("-._", *s) == NULL)
			return false;
	return true;
}

/*
 * A string of libidn2, or NULL. Its rule for ASCII (STD3) is not asked for: it
 * drops what it forbids, and so makes another name of it.
 */
static char *
ascii_of(const char *text)
{
	char *ascii = NULL;

	if (idn2_to_ascii_8z(text, &ascii, IDN2_NONTRANSITIONAL) != IDN2_OK)
		return NULL;
	if (is_ascii_name(ascii))
		return ascii;
	idn2_free(ascii);
	return NULL;
}

bool
idn_to_ascii(struct str name, char *to, size_t size)
{
	CLEANUP(freep) char *text = NULL;
	char *ascii;
	bool fits;

	if (name.n == 0 || memchr(name.p, '\0', name.n) != NULL)
		return false;
	if (str_is_ascii(name)) {
		if (name.n >= size)
			return false;
		memcpy(to, name.p, name.n);
		to[name.n] = '\0';
		return true;
	}
	text = str_dup(name);
	ascii = ascii_of(text);
	if (ascii == NULL)
		return false;
	fits = strlen(ascii) < size;
	if (fits)
		memcpy(to, ascii, strlen(ascii) + 1);
	idn2_free(ascii);
	return fits;
}

/* RFC 5890 section 2.3.2.1: an A-label, or what looks like one. */
static bool
has_a_label(struct str name)
{
	struct str label;

	while (name.p) {
		name = str_split(name, '.', &label);
		if (str_starts_case(label, STR("xn--")))
			return true;
	}
	return false;
}

/*
 * By the way of A-labels: they are what all spellings of a name have in
 * common. One that stands for what nobody may write is refused.
 */
bool
idn_canonical(struct str name, struct buf *to)
{
	CLEANUP(freep) char *text = NULL;
	char *ascii, *unicode = NULL;
	size_t before = to->n;

	if (name.n == 0 || name.n > IDN_NAME_MAX || !str_is_utf8(name) ||
	    memchr(name.p, '\0', name.n) != NULL)
		return false;
	if (str_is_ascii(name) && !has_a_label(name)) {
		for (size_t i = 0; i < name.n; i++)
			buf_put_char(to, ascii_lower(name.p[i]));
	} else {
		text = str_dup(name);
		ascii = ascii_of(text);
		if (ascii != NULL &&
		    idn2_to_unicode_8z8z(ascii, &unicode, 0) == IDN2_OK)
			buf_put_c(to, unicode);
		idn2_free(unicode);
		idn2_free(ascii);
	}
	return !to->failed && to->n > before;
}
