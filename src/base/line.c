/* SPDX-License-Identifier: ISC */
/*
 * line.c - the strict line framer. See line.h.
 */
#include "base/line.h"

enum line_frame
line_framer_next(struct line_framer *f, struct str in, struct str *ret_line,
    size_t *ret_used)
{
	for (; f->seen < in.n; f->seen++) {
		char c = in.p[f->seen];
		bool after_cr = f->seen > 0 && in.p[f->seen - 1] == '\r';

		if (after_cr && c == '\n') {
			*ret_line = str_first(in, f->seen - 1);
			*ret_used = f->seen + 1;
			f->seen = 0;
			return LINE_OK;
		}
		if (after_cr || c == '\n')
			return LINE_BARE_EOL;
		if (f->seen >= f->max && c != '\r')
			return LINE_TOO_LONG;
	}

	return LINE_MORE;
}
