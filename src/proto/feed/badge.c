/* SPDX-License-Identifier: ISC */
/* badge.c - SVG of two words. See badge.h. */
#include "proto/feed/badge.h"

#include "proto/feed/feed_text.h"

#define HEIGHT       20
#define PADDING      60 /* tenths of a pixel, on each side of a word */
#define LABEL_COLOUR "#3c434b"

static const char *const colours[BADGE_COLOURS] = {
	[BADGE_OK] = "#1a7f4b",
	[BADGE_DEGRADED] = "#a8520a",
	[BADGE_DOWN] = "#5f0a25",
	[BADGE_PLANNED] = "#2f62c9",
	[BADGE_UNKNOWN] = "#5c636c",
};

/* Tenths of a pixel of ' ' to '~' in Verdana at 11 pixels: whatever font is
 * there instead, textLength makes it as wide. */
static const uint8_t widths[] = {
	39, 43, 50, 90, 70, 118, 80, 30, 50, 50, 70, 90, 40, 50, 40, 50, /* / */
	70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 50, 50, 90, 90, 90, 60,  /* ? */
	110, 75, 75, 77, 85, 70, 63, 85, 83, 46, 50, 76, 61, 93, 82, 87, /* O */
	66, 87, 76, 75, 68, 80, 75, 109, 75, 68, 75, 50, 50, 50, 90, 70, /* _ */
	70, 66, 69, 57, 69, 66, 39, 69, 70, 30, 38, 65, 30, 107, 70, 67, /* o */
	69, 69, 47, 57, 43, 70, 65, 90, 65, 65, 58, 70, 50, 70, 90,      /* ~ */
};
_Static_assert(sizeof(widths) == '~' - ' ' + 1, "one for each");

#define WIDTH_OTHER 75

const char *
badge_colour_code(enum badge_colour c)
{
	ASSERT((unsigned)c < BADGE_COLOURS);
	return colours[c];
}

/* At most BADGE_LABEL_MAX bytes, and no part of a character. */
static struct str
cut(struct str s)
{
	struct str r = str_first(s, BADGE_LABEL_MAX);

	while (r.n < s.n && r.n > 0 && ((unsigned char)s.p[r.n] & 0xC0) == 0x80)
		r.n--;
	return r;
}

static unsigned
width_of(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= ' ' && c <= '~')
			n += widths[c - ' '];
		else if ((c & 0xC0) != 0x80)
			n += WIDTH_OTHER;
	}
	return n;
}

static void
put_word(struct buf *to, struct str s, unsigned left, unsigned width)
{
	if (s.n == 0)
		return;
	/* The picture is drawn ten times as large, for whole numbers. */
	buf_printf(to, "<text x=\"%u\" y=\"140\" textLength=\"%u\">",
	    left + PADDING, width);
	feed_put_xml(to, s);
	buf_put_c(to, "</text>\n");
}

static void
put_title(struct buf *to, struct str label, struct str value)
{
	feed_put_xml(to, label);
	buf_put_c(to, ": ");
	feed_put_xml(to, value);
}

void
badge_put(struct buf *to, const struct badge *b)
{
	struct str label = cut(b->label), value = cut(b->value);
	unsigned words[2] = { width_of(label), width_of(value) };
	/* Whole pixels. */
	unsigned left = (words[0] + 2 * PADDING + 9) / 10;
	unsigned right = (words[1] + 2 * PADDING + 9) / 10;

	buf_printf(to,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
	    "height=\"%d\" viewBox=\"0 0 %u0 %d0\" role=\"img\" "
	    "aria-label=\"",
	    left + right, HEIGHT, left + right, HEIGHT);
	put_title(to, label, value);
	buf_put_c(to, "\">\n<title>");
	put_title(to, label, value);
	buf_printf(to,
	    "</title>\n<clipPath id=\"r\"><rect width=\"%u0\" height=\"%d0\" "
	    "rx=\"30\"/></clipPath>\n"
	    "<g clip-path=\"url(#r)\">\n"
	    "<rect width=\"%u0\" height=\"%d0\" fill=\"" LABEL_COLOUR "\"/>\n"
	    "<rect x=\"%u0\" width=\"%u0\" height=\"%d0\" fill=\"%s\"/>\n"
	    "</g>\n"
	    "<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" "
	    "font-size=\"110\" aria-hidden=\"true\">\n",
	    left + right, HEIGHT, left, HEIGHT, left, right, HEIGHT,
	    badge_colour_code(b->colour));
	put_word(to, label, 0, words[0]);
	put_word(to, value, left * 10, words[1]);
	buf_put_c(to, "</g>\n</svg>\n");
}

void
badge_put_uptime(struct buf *to, uint32_t ppm)
{
	uint32_t hundredths = MIN(ppm, UINT32_C(1000000)) / 100;

	if (hundredths == 10000)
		buf_put_c(to, "100%");
	else
		buf_printf(to, "%u.%02u%%", (unsigned)(hundredths / 100),
		    (unsigned)(hundredths % 100));
}
