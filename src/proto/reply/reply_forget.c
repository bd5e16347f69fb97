/* SPDX-License-Identifier: ISC */
/* reply_forget.c - a reply without the addresses that it quotes. See reply.h. */
#include "proto/reply/reply.h"

/* Stands where an address stood, and occurs in no rule. */
#define INSTEAD '\x01'

/* Each occurrence becomes one byte. */
static void
cut_out(struct buf *text, struct str what)
{
	size_t from = 0, to = 0;
	ptrdiff_t at;

	if (what.n == 0 || text->n == 0)
		return;
	while (
	    (at = str_search_case(str_from(buf_str(text), from), what)) >= 0) {
		memmove(text->p + to, text->p + from, (size_t)at);
		to += (size_t)at;
		text->p[to++] = INSTEAD;
		from += (size_t)at + what.n;
	}
	memmove(text->p + to, text->p + from, text->n - from);
	text->n = to + text->n - from;
}

/* "a b", with its quotes, is a b; what has none stays. */
static void
put_unquoted(struct buf *to, struct str local)
{
	bool is_quoted = local.n > 1 && local.p[0] == '"';

	for (size_t i = is_quoted; i + is_quoted < local.n; i++) {
		if (is_quoted && local.p[i] == '\\' && i + 2 < local.n)
			i++;
		buf_put_char(to, local.p[i]);
	}
}

/* Nobody's name: the texts of rules about our address are not plain either,
 * while words such as "ip" may be somebody's. */
static bool
is_plain(struct str local)
{
	for (size_t i = 0; i < local.n; i++)
		if (!ascii_is_alpha(local.p[i]) &&
		    !ascii_is_digit(local.p[i]) &&
		    memchr("._-+=", local.p[i], 5) == NULL)
			return false;
	return true;
}

void
reply_forget(struct buf *text, struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');
	struct buf plain = BUF_INIT(address.n + 1);
	struct str local, domain;

	if (at < 0)
		return;
	local = str_first(address, (size_t)at);
	domain = str_from(address, (size_t)at);
	cut_out(text, address);
	put_unquoted(&plain, local);
	if (!is_plain(buf_str(&plain))) {
		cut_out(text, local);
		cut_out(text, buf_str(&plain));
	}
	buf_put_str(&plain, domain);
	cut_out(text, buf_str(&plain));
	buf_done(&plain);
}
