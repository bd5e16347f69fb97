/* SPDX-License-Identifier: ISC */
/* mailfile.c - line ends. See mailfile.h. */
#include "proto/mailfile/mailfile.h"

void
mailfile_put_crlf(struct buf *out, struct str text, bool *after_cr)
{
	while (text.n > 0) {
		ptrdiff_t at = str_find(text, '\n');
		size_t n = at < 0 ? text.n : (size_t)at;
		bool is_crlf = n > 0 ? text.p[n - 1] == '\r' : *after_cr;

		buf_put(out, text.p, n);
		if (at < 0) {
			*after_cr = is_crlf;
			return;
		}
		buf_put_c(out, is_crlf ? "\n" : "\r\n");
		*after_cr = false;
		text = str_from(text, n + 1);
	}
}

void
mailfile_put_lf(struct buf *out, struct str message)
{
	while (message.n > 0) {
		ptrdiff_t at = str_search(message, STR("\r\n"));
		size_t n = at < 0 ? message.n : (size_t)at;

		buf_put(out, message.p, n);
		if (at < 0)
			return;
		/* "\r\r\n" would be read back as one CR less. */
		buf_put_c(
		    out, n > 0 && message.p[n - 1] == '\r' ? "\r\n" : "\n");
		message = str_from(message, n + 2);
	}
}
