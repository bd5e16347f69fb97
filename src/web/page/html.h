/* SPDX-License-Identifier: ISC */
/*
 * html.h - write HTML: what is ours as it is, all else escaped.
 *
 * HTML() takes a literal, so markup can only come from the source of this
 * program; texts go through html_text(), whoever they come from.
 */
#pragma once

#include "base/buf.h"

#define HTML(b, literal) buf_put_str((b), STR(literal))

/* Good between tags and in quoted attributes. What is no UTF-8 becomes '?',
 * controls but line ends and tabs as well, and so do the marks that turn the
 * direction of the text around them. */
void html_text(struct buf *b, struct str s);
/* "/tag/" and a percent-encoded part, for a quoted attribute. */
void html_path(struct buf *b, const char *prefix, struct str part);
