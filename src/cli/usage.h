/* SPDX-License-Identifier: ISC */
/*
 * usage.h - the usage lines of commands, such as "queue retry|hold --all | [ID...]".
 *
 * They are the one list of what a command takes: --help prints them, and the
 * parser takes no option that does not stand in those of the sub-command at
 * hand (args.h).
 *
 * Pure.
 */
#pragma once

#include "base/buf.h"

/* Is word among the alternatives at this place of a line? 0 is the command. */
bool usage_has_word(const char *line, size_t at, const char *word) WARN_UNUSED;

/*
 * Append those lines (up to NULL) that the words of a command line mean, words[0]
 * being the command: of "queue list ID" the line of list, of "reach --tls" those
 * without a sub-command, of words that fit no line all. The first line stands
 * as it is, each other one below it, behind "mailstead".
 */
void usage_put(const char *const *lines, char *const *words, size_t n_words,
    struct buf *to);
