/* SPDX-License-Identifier: ISC */
/*
 * words.h - what the pages say, in each language (words.def).
 */
#pragma once

#include "base/buf.h"

enum language { ENGLISH, FRENCH, PORTUGUESE, LANGUAGES };

enum word {
#define T(id, en, fr, pt) T_##id,
#include "web/page/words.def"
#undef T
	WORDS
};

/* "en", "fr", "pt"; and what it calls itself. */
const char *language_code(enum language l);
const char *language_name(enum language l);
bool language_parse(struct str code, enum language *ret) WARN_UNUSED;
/* What an Accept-Language field asks for most; first, when it is none. */
enum language language_choose(struct str field, enum language first);

struct str word(enum language l, enum word w);
/* The text with {0}, {1}, {2} replaced, all of which is HTML already; the
 * text itself is escaped. */
void word_put(struct buf *to, enum language l, enum word w,
    const struct str *html, size_t n);
/* The same as plain text, for mail. */
void word_put_plain(struct buf *to, enum language l, enum word w,
    const struct str *texts, size_t n);
