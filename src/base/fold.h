/* SPDX-License-Identifier: ISC */
/*
 * fold.h - texts without the differences that nobody types when he looks for
 * something: case, accents, widths and ligatures (Unicode's NFKC_Casefold, its
 * marks left out, and the few Latin letters with strokes that do not come
 * apart).
 *
 * A wrapper of ICU. Layer: base. No I/O, no locale.
 */
#pragma once

#include "base/str.h"

#define FOLD_MAX 80 /* bytes that one character can become: it is 54 today */

enum fold {
	FOLD_LETTER, /* or a digit: a part of a word */
	FOLD_ALONE,  /* a word by itself: of scripts without spaces */
	FOLD_MARK,   /* belongs to the letter before it: nothing is put */
	FOLD_OTHER,  /* stands between words: nothing is put */
};

/*
 * Take one character off the front of s, which is not empty, and write what
 * stands for it. Bytes that are not UTF-8 are FOLD_OTHER, one at a time.
 */
enum fold fold_take(struct str *s, char ret[FOLD_MAX], size_t *ret_n);
