/* SPDX-License-Identifier: ISC */
/* mime_author.c - who a message says that it is from. See mime_author.h. */
#include "proto/mime/mime_author.h"

#include "proto/mime/mime_address.h"
#include "proto/mime/mime_header.h"
#include "proto/mime/mime_token_internal.h"

/* An address field longer than this is no person's. */
#define VALUE_MAX KIB(64)

struct reader {
	struct arena *arena;
	struct mime_authors *ret;
};

static void
add(struct reader *r, struct str address)
{
	struct mime_authors *to = r->ret;

	for (size_t i = 0; i < to->n; i++)
		if (str_eq(to->v[i], address))
			return;
	if (to->n == MIME_AUTHORS_MAX ||
	    !arena_str(r->arena, address, &to->v[to->n]))
		to->faults |= MIME_AUTHOR_MANY;
	else
		to->n++;
}

static void
add_parsed(struct reader *r, const struct mime_address *a)
{
	struct buf b = BUF_INIT(VALUE_MAX * 2);

	buf_put_str(&b, a->local);
	if (a->domain.p) {
		buf_put_char(&b, '@');
		buf_put_str(&b, a->domain);
	}
	add(r, buf_str(&b));
	buf_done(&b);
}

/* --- addresses that the grammar does not see -------------------------------- */

static bool
is_word_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7F &&
	       !memchr("()<>[]:;@\\,\"", c, 12);
}

/* What is around the "@" at s.p[at], as far as words go. */
static void
add_around(struct reader *r, struct str s, size_t at)
{
	size_t from = at, to = at + 1;

	while (from > 0 && is_word_char(s.p[from - 1]))
		from--;
	while (to < s.n && is_word_char(s.p[to]))
		to++;
	if (from == at || to == at + 1)
		r->ret->faults |= MIME_AUTHOR_UNCLEAR;
	else
		add(r, str_sub(s, from, to - from));
}

/*
 * Count each "@" that is not within quotes or comments (in a domain literal
 * there is none); with is_adding take what is around it. value ends with a byte of ours, so that
 * what is enclosed and goes to the end has no end.
 */
static size_t
scan(struct reader *r, struct str value, bool is_adding)
{
	size_t count = 0, i = 0;

	while (i < value.n) {
		size_t n = 1;

		if (memchr("\"(", value.p[i], 2))
			n = token_enclosed_length(str_from(value, i));
		if (n > 1 && i + n == value.n)
			r->ret->faults |= MIME_AUTHOR_UNCLEAR;
		if (value.p[i] == '@') {
			count++;
			if (is_adding)
				add_around(r, value, i);
		}
		i += n;
	}
	return count;
}

/* --- fields --------------------------------------------------------------------- */

/* Mailboxes of one field. */
static size_t
read_value(struct reader *r, struct str value)
{
	size_t count = 0, with_domain = 0;
	struct buf b = BUF_INIT(VALUE_MAX + 1);
	struct mime_address *list;
	bool is_cut;

	buf_put_str(&b, value);
	buf_put_char(&b, '\n');
	if (b.failed)
		r->ret->faults |= MIME_AUTHOR_MANY;
	value = buf_str(&b);
	list = mime_address_parse(value, MIME_ADDRESS_MAX, r->arena, &is_cut);
	if (is_cut)
		r->ret->faults |= MIME_AUTHOR_MANY;
	for (; list; list = list->next) {
		if (list->kind != MIME_ADDRESS_MAILBOX)
			continue;
		count++;
		with_domain += list->domain.p != NULL;
		add_parsed(r, list);
	}
	if (scan(r, value, false) != with_domain)
		scan(r, value, true);
	if (count == 0)
		r->ret->faults |= MIME_AUTHOR_UNCLEAR;
	buf_done(&b);
	return count;
}

void
mime_authors_read(struct str message, struct arena *a, struct mime_authors *ret)
{
	struct reader r = { .arena = a, .ret = ret };
	struct mime_header_iter it;
	size_t from_fields = 0, sender_fields = 0, in_from = 0, in_sender = 0;
	struct mime_field f;

	*ret = (struct mime_authors){ 0 };
	mime_header_start(&it, message);
	while (mime_header_next(&it, &f)) {
		if (str_eq_case(f.name, STR("from"))) {
			from_fields++;
			in_from += read_value(&r, f.value);
		} else if (str_eq_case(f.name, STR("sender"))) {
			sender_fields++;
			in_sender += read_value(&r, f.value);
		}
		/* One is enough to refuse it; a million would take long. */
		if (from_fields > 1 || sender_fields > 1 || in_sender > 1) {
			ret->faults |= MIME_AUTHOR_TWICE;
			return;
		}
	}
	if (in_from > 1 && sender_fields == 0)
		ret->faults |= MIME_AUTHOR_NO_SENDER;
}

static bool
is_clear(const struct mime_authors *a)
{
	bool has_domain = false;

	for (size_t i = 0; i < a->n; i++)
		has_domain |= str_find(a->v[i], '@') >= 0;
	return has_domain && !(a->faults & MIME_AUTHOR_UNCLEAR);
}

/*
 * A field that is unclear is shown as it is: then what stands in quotes and
 * comments, with an end or without, is what a reader takes for the author.
 */
static void
read_unclear(struct reader *r, struct str message)
{
	struct mime_header_iter it;
	struct mime_field f;
	size_t fields = 0;

	mime_header_start(&it, message);
	while (fields < MIME_FROM_FIELDS_MAX && mime_header_next(&it, &f)) {
		struct str value = str_first(f.value, VALUE_MAX);

		if (!str_eq_case(f.name, STR("from")))
			continue;
		fields++;
		for (size_t i = 0; i < value.n; i++)
			if (value.p[i] == '@')
				add_around(r, value, i);
	}
}

void
mime_from_read(struct str message, struct arena *a, struct mime_authors *ret)
{
	struct reader r = { .arena = a, .ret = ret };
	struct mime_header_iter it;
	struct mime_field f;
	size_t fields = 0;

	*ret = (struct mime_authors){ 0 };
	mime_header_start(&it, message);
	while (mime_header_next(&it, &f)) {
		if (!str_eq_case(f.name, STR("from")))
			continue;
		if (++fields > MIME_FROM_FIELDS_MAX) {
			ret->faults |= MIME_AUTHOR_MANY;
			break;
		}
		if (fields > 1)
			ret->faults |= MIME_AUTHOR_TWICE;
		read_value(&r, f.value);
	}
	if (!is_clear(ret))
		read_unclear(&r, message);
}
