/* SPDX-License-Identifier: ISC */
/*
 * badge.h - a small image of two words ("mail | working"), as SVG, for other
 * people's pages.
 *
 * It asks for nothing: no font, no style sheet, no script. Its title and its
 * label for screen readers say the same as the words; the colours have a
 * contrast of at least 4.5 to the white on them (WCAG 2.1, 1.4.3).
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

#define BADGE_LABEL_MAX 60 /* bytes; what is longer is cut */

enum badge_colour {
	BADGE_OK,
	BADGE_DEGRADED,
	BADGE_DOWN,
	BADGE_PLANNED,
	BADGE_UNKNOWN,
	BADGE_COLOURS
};

struct badge {
	struct str label, value;
	enum badge_colour colour;
};

void badge_put(struct buf *to, const struct badge *b);
/* "#1a7f4b" */
const char *badge_colour_code(enum badge_colour c);
/* "99.98%" of millionths; never rounded up to 100. */
void badge_put_uptime(struct buf *to, uint32_t ppm);
