/* SPDX-License-Identifier: ISC */
/*
 * draft.h - texts that an operator may post, or send, about a signal: drafts, in
 * English, French and Portuguese (draft_words.def).
 */
#pragma once

#include "conf/breaker_row.h"

#include <netdb.h>

enum draft_language { DRAFT_ENGLISH, DRAFT_FRENCH, DRAFT_PORTUGUESE };
/* "en", "fr", "pt". */
bool draft_language_parse(
    const char *code, enum draft_language *ret) WARN_UNUSED;

enum draft_word {
#define W(id, en, fr, pt) DRAFT_##id,
#include "cli/draft_words.def"
#undef W
	DRAFT_WORDS
};
/* With {0} and so on replaced, n of them. */
void draft_put(struct buf *to, enum draft_language l, enum draft_word w,
    const struct str *parts, size_t n);
/* "2026-11-30 11:40 UTC" */
void draft_put_time(struct buf *to, uint64_t at_s);

/*
 * What to write to a receiver that refuses our address, ready to be sent: it has
 * the address, their reply word for word, and counts. ptr: the name of the
 * address, or "".
 */
void draft_put_removal(struct buf *to, enum draft_language l,
    const struct breaker_row *row, const char *ptr);
/* The name that an address has; "": none that could be found. Asks the DNS. */
void draft_find_ptr(struct str ip, char ret[NI_MAXHOST]);
