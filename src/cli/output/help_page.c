/* SPDX-License-Identifier: ISC */
/* help_page.c - the manual page, inside the program. See help.h. */
#include "cli/output/help.h"

/* The Makefile makes this file anew when the page changes. */
__asm__(".pushsection .rodata\n"
	"help_page_begin:\n"
	".incbin \"man/mailstead.8\"\n"
	"help_page_end:\n"
	".popsection\n");

extern const char help_page_begin[], help_page_end[];

struct str
help_page(void)
{
	return str_make(
	    help_page_begin, (size_t)(help_page_end - help_page_begin));
}
