/* SPDX-License-Identifier: ISC */
/* report_language.h - the language that a report is written in. Pure. */
#pragma once

#include "base/str.h"

/*
 * The code of that which the header of message asks for (mime_language.h), if
 * there are words in it (dsn_text.def); else usual, a code of that table, or
 * English. message is empty when the original cannot be read.
 */
const char *report_language(struct str message, const char *usual);
