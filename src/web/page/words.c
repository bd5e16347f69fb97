/* SPDX-License-Identifier: ISC */
/* words.c - the table of texts. See words.h. */
#include "web/page/words.h"

#include "base/accept.h"
#include "web/page/html.h"

static const struct str words[WORDS][LANGUAGES] = {
#define T(id, en, fr, pt) [T_##id] = { STR(en), STR(fr), STR(pt) },
#include "web/page/words.def"
#undef T
};

static const char *const codes[LANGUAGES] = { "en", "fr", "pt" };
static const char *const names[LANGUAGES] = { "English", "Français",
	"Português" };

const char *
language_code(enum language l)
{
	return codes[l];
}

const char *
language_name(enum language l)
{
	return names[l];
}

bool
language_parse(struct str code, enum language *ret)
{
	for (unsigned i = 0; i < LANGUAGES; i++)
		if (str_eq_case(code, str_c(codes[i]))) {
			*ret = (enum language)i;
			return true;
		}
	return false;
}

enum language
language_choose(struct str field, enum language first)
{
	struct str known[LANGUAGES];
	size_t i = first;

	for (unsigned l = 0; l < LANGUAGES; l++)
		known[l] = str_c(codes[l]);
	return accept_language(field, known, LANGUAGES, &i) ? (enum language)i
	                                                    : first;
}

struct str
word(enum language l, enum word w)
{
	return words[w][l];
}

typedef void (*put_fn)(struct buf *to, struct str s);

static void
put_with(
    struct buf *to, struct str s, put_fn put, const struct str *parts, size_t n)
{
	for (ptrdiff_t i; (i = str_find(s, '{')) >= 0;) {
		size_t k = (size_t)(s.p[i + 1] - '0');

		put(to, str_first(s, (size_t)i));
		ASSERT(k < n);
		buf_put_str(to, parts[k]);
		s = str_from(s, (size_t)i + 3);
	}
	put(to, s);
}

void
word_put(struct buf *to, enum language l, enum word w, const struct str *html,
    size_t n)
{
	put_with(to, word(l, w), html_text, html, n);
}

void
word_put_plain(struct buf *to, enum language l, enum word w,
    const struct str *texts, size_t n)
{
	put_with(to, word(l, w), buf_put_str, texts, n);
}
