/* SPDX-License-Identifier: ISC */
/*
 * help.h - what the manual page says of a command, for --help.
 *
 * mailstead(8) is the one description of the commands. It is part of the
 * program (help_page.c), and this reads as much of mdoc(7) as it uses.
 *
 * Pure, but for help_page().
 */
#pragma once

#include "base/buf.h"

/* The page as it is in man/. */
struct str help_page(void);

/*
 * Append what page says of "mailstead NAME VERBS" (such as "watch" and "agent
 * list"; verbs NULL: of a command without sub-commands), as lines of at most 79
 * columns. Of one verb where there are two, it is what stands below all of them.
 * False: nothing; an item without text of its own does not take another's.
 */
bool help_put_item(
    struct str page, const char *name, const char *verbs, struct buf *to);
/* What stands at the beginning of the section that begins with the commands of
 * this name. False: nothing. */
bool help_put_section(struct str page, const char *name, struct buf *to);
