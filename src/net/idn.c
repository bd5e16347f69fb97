/* SPDX-License-Identifier: ISC */
/* idn.c - the one wrapper of libidn2. See idn.h. */
#include "net/idn.h"

#include <idn2.h>

bool
idn_to_ascii(struct str name, char *to, size_t size)
{
	CLEANUP(freep) char *text = NULL;
	char *ascii = NULL;
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
	/* As browsers and UTS 46 do; sharp s keeps its own name. */
	if (idn2_to_ascii_8z(text, &ascii,
		IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES) != IDN2_OK)
		return false;
	fits = strlen(ascii) < size;
	if (fits)
		memcpy(to, ascii, strlen(ascii) + 1);
	idn2_free(ascii);
	return fits;
}
