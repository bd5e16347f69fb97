/* SPDX-License-Identifier: ISC */
/*
 * mime_search.c - searching the decoded text of messages. See
 * mime_search.h.
 *
 * Two ways give the same answer. The general one folds everything that
 * mime_text.h decodes. The fast one serves ASCII strings in charsets in which
 * an ASCII byte always is that character: it looks at the bytes behind the
 * transfer encoding, or at the stored ones when there is none.
 */
#include "proto/mime/mime_search.h"

#include "proto/mime/mime_address.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_text.h"
#include "proto/mime/mime_word.h"

#define KELVIN_TAIL "\x84\xAA" /* of U+212A, which folds to k */
#define LONG_S      "\xC5\xBF" /* U+017F, which folds to s */

/* Of one field of addresses; what is beyond is found as it is written. */
#define ADDRESSES_MAX  1000
#define ADDRESS_MEMORY KIB(512)

/* --- needle ------------------------------------------------------------------ */

/* Roughly how common a byte is in mail; lower is rarer. */
static unsigned
commonness(char c)
{
	static const char by_rarity[] = "qxzjkvbpygfwmculdrhsnioate \n\r=";
	const char *at = c ? strchr(by_rarity, c) : NULL;

	return at ? (unsigned)(at - by_rarity) + 2 : 1;
}

/* The rarest byte, and the rarest of the others. */
static void
choose_bytes(struct mime_needle *nd)
{
	const char *p = nd->folded.p;

	for (size_t i = 1; i < nd->folded.n; i++)
		if (commonness(p[i]) < commonness(p[nd->a]))
			nd->a = i;
	nd->b = nd->a ? 0 : nd->folded.n > 1;
	for (size_t i = 0; i < nd->folded.n; i++)
		if (i != nd->a && commonness(p[i]) < commonness(p[nd->b]))
			nd->b = i;
}

void
mime_needle_init(struct mime_needle *nd, struct str utf8)
{
	struct str f;

	*nd = (struct mime_needle){ .folded = BUF_INIT(MIME_NEEDLE_MAX) };
	if (!str_is_utf8(utf8) || utf8.n > MIME_NEEDLE_MAX ||
	    str_find(utf8, '\0') >= 0) {
		nd->is_hopeless = true;
		return;
	}
	mime_charset_fold(utf8, &nd->folded);
	nd->is_hopeless = nd->folded.failed;
	f = buf_str(&nd->folded);
	nd->is_ascii = str_is_ascii(f);
	nd->has_k_or_s = str_find(f, 'k') >= 0 || str_find(f, 's') >= 0;
	if (!nd->is_hopeless && f.n)
		choose_bytes(nd);
}

void
mime_needle_done(struct mime_needle *nd)
{
	buf_done(&nd->folded);
}

/* --- the inner loop ------------------------------------------------------------- */

typedef unsigned char vec __attribute__((vector_size(16)));
typedef uint64_t vec64 __attribute__((vector_size(16)));

/* What a byte is or'ed with so that both cases of a letter are the small one. */
static unsigned char
case_bit(char c)
{
	return c >= 'a' && c <= 'z' ? 0x20 : 0;
}

/*
 * Try n places closely. Steps beyond *budget end it: a text and a string
 * that were made for each other would cost the product of their lengths.
 */
static bool
find_closely(
    const struct mime_needle *nd, const char *p, size_t n, size_t *budget)
{
	for (size_t i = 0; i < n && *budget; i++) {
		size_t k = 0;

		while (k < nd->folded.n &&
		       ascii_lower(p[i + k]) == nd->folded.p[k])
			k++;
		if (k == nd->folded.n)
			return true;
		*budget -= MIN(k, *budget);
	}
	return false;
}

/* The way whose time is linear whatever is looked for: memmem's. */
static bool
find_evenly(const struct mime_needle *nd, struct str text)
{
	struct buf lower = BUF_INIT(MIME_TEXT_CHUNK + nd->folded.n);
	bool is_found = false;

	while (text.n >= nd->folded.n && !is_found) {
		struct str piece =
		    str_first(text, MIME_TEXT_CHUNK + nd->folded.n - 1);
		char *to;

		lower.n = 0;
		to = buf_reserve(&lower, piece.n);
		for (size_t i = 0; i < piece.n; i++)
			to[i] = ascii_lower(piece.p[i]);
		is_found = str_search(str_make(to, piece.n),
			       buf_str(&nd->folded)) >= 0;
		text = str_from(text, MIME_TEXT_CHUNK);
	}
	buf_done(&lower);
	return is_found;
}

/*
 * Look for the needle in text, ASCII case aside. Sixteen places at once
 * are tried for two of its bytes; those where both fit are looked at closely.
 */
static bool
find(const struct mime_needle *nd, struct str text)
{
	size_t n = nd->folded.n, i = 0, places, budget = 8 * text.n + 1;
	const char *f = nd->folded.p, *pa = text.p, *pb = text.p;
	vec bit_a, bit_b, want_a, want_b;

	if (n == 0)
		return true;
	if (n > text.n)
		return false;
	places = text.n - n + 1;
	pa += nd->a;
	pb += nd->b;
	bit_a = (vec){ 0 } + case_bit(f[nd->a]);
	bit_b = (vec){ 0 } + case_bit(f[nd->b]);
	want_a = (vec){ 0 } + (unsigned char)f[nd->a];
	want_b = (vec){ 0 } + (unsigned char)f[nd->b];
	for (; i + sizeof(vec) <= places && budget; i += sizeof(vec)) {
		vec a, b, hit;
		vec64 any;

		memcpy(&a, pa + i, sizeof(a));
		memcpy(&b, pb + i, sizeof(b));
		hit =
		    (vec)((a | bit_a) == want_a) & (vec)((b | bit_b) == want_b);
		memcpy(&any, &hit, sizeof(any));
		if ((any[0] | any[1]) &&
		    find_closely(nd, text.p + i, sizeof(vec), &budget))
			return true;
	}
	if (find_closely(nd, text.p + i, places - i, &budget))
		return true;
	return !budget && find_evenly(nd, text);
}

/* --- a stream of text ------------------------------------------------------------- */

struct search {
	const struct mime_needle *nd;
	struct buf window; /* the end of what was seen, and the new piece */
	bool is_folded;    /* pieces come in as bytes that need no folding */
	bool is_found;
};

static void
search_init(struct search *s, const struct mime_needle *nd)
{
	*s = (struct search){ .nd = nd, .window = BUF_INIT(MIB(64)) };
}

static bool
on_piece(void *ctx, struct str piece, bool starts)
{
	struct search *s = ctx;
	size_t keep = s->nd->folded.n ? s->nd->folded.n - 1 : 0;

	if (starts || s->window.failed)
		buf_reset(&s->window, MIB(2));
	else if (s->window.n > keep)
		buf_drop(&s->window, s->window.n - keep);
	if (s->is_folded)
		buf_put_str(&s->window, piece);
	else
		mime_charset_fold(piece, &s->window);
	s->is_found = find(s->nd, buf_str(&s->window));
	return !s->is_found;
}

/* Is the pair of bytes anywhere in text? Looks for its second one, as rare. */
static bool
has_pair(struct str text, const char *pair)
{
	const char *p = text.p, *end = text.n ? text.p + text.n : text.p;

	while (p < end && (p = memchr(p, pair[1], (size_t)(end - p)))) {
		if (p > text.p && p[-1] == pair[0])
			return true;
		p++;
	}
	return false;
}

/*
 * Might text hold one of the two characters that fold to ASCII? One that is
 * cut at the end counts.
 */
static bool
has_folding_to_ascii(const struct mime_needle *nd, struct str text)
{
	char last = text.n ? text.p[text.n - 1] : '\0';

	return nd->has_k_or_s &&
	       (last == LONG_S[0] || last == KELVIN_TAIL[0] ||
		   has_pair(text, LONG_S) || has_pair(text, KELVIN_TAIL));
}

/* The bytes behind the transfer encoding. *ret_doubt: look the other way. */
static bool
search_bytes(struct search *s, const struct mime_part *part, struct str message,
    bool *ret_doubt)
{
	struct str left = mime_part_body(part, message);
	struct buf bytes = BUF_INIT(2 * MIME_TEXT_CHUNK);
	struct mime_cte_decoder cte;
	bool starts = true;

	if (part->cte == MIME_CTE_IDENTITY) {
		*ret_doubt = has_folding_to_ascii(s->nd, left);
		return find(s->nd, left);
	}
	s->is_folded = true;
	s->is_found = false;
	mime_cte_init(&cte, part->cte);
	while (left.n && !s->is_found) {
		struct str piece = str_first(left, MIME_TEXT_CHUNK);

		left = str_from(left, piece.n);
		bytes.n = 0;
		mime_cte_feed(&cte, piece, &bytes);
		if (!left.n)
			mime_cte_finish(&cte, &bytes);
		*ret_doubt |= has_folding_to_ascii(s->nd, buf_str(&bytes));
		on_piece(s, buf_str(&bytes), starts);
		starts = false;
	}
	s->is_folded = false;
	buf_done(&bytes);
	return s->is_found;
}

static bool
search_part(struct search *s, const struct mime_part *part, struct str message)
{
	const struct mime_param *charset =
	    mime_param_find(&part->params, STR("charset"));
	bool is_in_doubt = false;

	if (s->nd->is_ascii &&
	    mime_charset_is_ascii_based(charset ? charset->value : STR_NONE)) {
		if (search_bytes(s, part, message, &is_in_doubt))
			return true;
		if (!is_in_doubt)
			return false;
	}
	return !mime_text_walk_part(part, message, on_piece, s);
}

/* --- fields ------------------------------------------------------------------------ */

bool
mime_search_utf8(const struct mime_needle *nd, struct str text)
{
	struct buf folded = BUF_INIT(2 * text.n + 8);
	bool is_found;

	if (nd->is_hopeless)
		return false;
	if (nd->is_ascii && !has_folding_to_ascii(nd, text))
		return find(nd, text);
	mime_charset_fold(text, &folded);
	is_found = find(nd, buf_str(&folded));
	buf_done(&folded);
	return is_found;
}

bool
mime_search_value(const struct mime_needle *nd, struct str value)
{
	struct buf text = BUF_INIT(8 * value.n + 64);
	bool is_found;

	mime_text_put_value(value, &text);
	is_found = mime_search_utf8(nd, buf_str(&text));
	buf_done(&text);
	return is_found;
}

/* FROM, TO, CC and BCC are about addresses of the envelope. */
static bool
has_addresses(struct str name)
{
	static const char *const names[] = { "from", "to", "cc", "bcc",
		"sender", "reply-to" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_case(name, str_c(names[i])))
			return true;
	return false;
}

/*
 * May the strings of the envelope differ from what is written? Not in the
 * usual forms, which are not parsed for a search.
 */
static bool
is_odd(struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		char before = i ? value.p[i - 1] : '\0';

		if (c == '(' || c == '\\' || c == '\r' || c == '\n')
			return true;
		if ((c == '@' || c == '.') && (before == ' ' || before == '\t'))
			return true;
		if ((c == ' ' || c == '\t') && before == '@')
			return true;
	}
	return false;
}

/* In the envelope's strings of each address: "name <local@domain>". */
static bool
search_addresses(const struct mime_needle *nd, struct str value)
{
	struct buf text = BUF_INIT(2 * value.n + 16);
	const struct mime_address *a;
	struct arena arena;
	bool is_found = false;

	arena_init(&arena, ADDRESS_MEMORY);
	a = mime_address_parse(value, ADDRESSES_MAX, &arena, NULL);
	for (; a && !is_found; a = a->next) {
		buf_reset(&text, KIB(64));
		buf_put_str(&text, a->name);
		if (a->kind == MIME_ADDRESS_MAILBOX) {
			buf_put_c(&text, a->name.n ? " <" : "<");
			buf_put_str(&text, a->local);
			buf_put_c(&text, a->domain.p ? "@" : "");
			buf_put_str(&text, a->domain);
			buf_put_char(&text, '>');
		}
		is_found = mime_search_value(nd, buf_str(&text));
	}
	arena_done(&arena);
	buf_done(&text);
	return is_found;
}

bool
mime_search_field(
    const struct mime_needle *nd, struct str header, struct str name)
{
	bool is_address = has_addresses(name);
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_start(&it, header);
	while (mime_header_next(&it, &f)) {
		if (!f.name.n || !str_eq_case(f.name, name))
			continue;
		if (mime_search_value(nd, f.value) ||
		    (is_address && is_odd(f.value) &&
			search_addresses(nd, f.value)))
			return true;
	}
	return false;
}

/* --- messages ------------------------------------------------------------------------ */

static bool
search_header(struct search *s, struct str header)
{
	struct mime_header_iter it;
	struct mime_field f;
	struct buf line = BUF_INIT(8 * header.n + 64);
	bool is_found = false;

	mime_header_start(&it, header);
	while (!is_found && mime_header_next(&it, &f)) {
		buf_reset(&line, KIB(64));
		if (f.name.n) {
			mime_word_decode(f.name, &line);
			buf_put_c(&line, ": ");
		}
		mime_text_put_value(f.value, &line);
		is_found = mime_search_utf8(s->nd, buf_str(&line));
	}
	buf_done(&line);
	return is_found;
}

bool
mime_search_message(const struct mime_needle *nd, struct str message,
    unsigned which, const struct mime_limits *limits)
{
	struct mime_tree tree;
	struct search s;
	bool is_found = false;

	if (nd->is_hopeless)
		return false;
	if (!nd->folded.n)
		return true;
	search_init(&s, nd);
	mime_parse(&tree, message, limits);
	for (const struct mime_part *p = tree.root; p && !is_found;
	     p = mime_part_next(p)) {
		if (which & MIME_TEXT_HEADER)
			is_found =
			    search_header(&s, mime_part_header(p, message));
		if (!is_found && which & MIME_TEXT_BODY &&
		    mime_text_is_readable(p))
			is_found = search_part(&s, p, message);
	}
	mime_tree_done(&tree);
	buf_done(&s.window);
	return is_found;
}
