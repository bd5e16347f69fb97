/* SPDX-License-Identifier: ISC */
/*
 * status_auto_words.h - the words of the posts that the program writes by itself: in
 * what languages, and of what is wrong.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_auto.h"

enum status_auto_word {
	STATUS_AUTO_W_SEVERAL, /* a title: none of them answers */
	STATUS_AUTO_W_MIXED,   /* a title: what is wrong differs */
	STATUS_AUTO_W_DOWN,
	STATUS_AUTO_W_MORE,
	STATUS_AUTO_W_FEWER,
	STATUS_AUTO_W_BACK,
	STATUS_AUTO_W_AGAIN,
	STATUS_AUTO_W_RESOLVED,
	STATUS_AUTO_W_ITEM,
	STATUS_AUTO_W_OTHERS,
	STATUS_AUTO_W_AUTO,
	STATUS_AUTO_WORDS
};

struct status_auto_language {
	const char *code;
	/* '@' is an id, '#' a number, '~' a time; "one|many" is of the number. */
	const char *words[STATUS_AUTO_WORDS];
	/* Of what is wrong with one system, '@': a title, and an item of a list. */
	struct {
		const char *title, *item;
	} how[STATUS_AUTO_HOWS];
};

/* The one of the table that is closest; English when none is. */
const struct status_auto_language *status_auto_language(struct str language);

struct status_auto_fill {
	struct str id, time;
	size_t number;
};
void status_auto_put(
    struct buf *to, const char *words, const struct status_auto_fill *fill);
