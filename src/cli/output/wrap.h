/* SPDX-License-Identifier: ISC */
/*
 * wrap.h - text in lines that fit a terminal of 80 columns.
 *
 * Pure.
 */
#pragma once

#include "base/buf.h"

#define WRAP_COLUMNS 79

/*
 * Append the words of text, behind at columns of the line that is under way; lines
 * that are begun have indent blanks in front. A word that is longer than a line
 * has one of its own. No end of line behind the last.
 */
void wrap_words(struct buf *to, struct str text, size_t at, size_t indent);
/* The same of usage lines (usage_put()), whose "[...]" stay together; the first
 * begins behind "usage: mailstead ", and what is wrapped stands below that. */
void wrap_usage(struct buf *to, struct str lines);
