/* SPDX-License-Identifier: ISC */
/* feed.c - the list of formats. See feed.h. */
#include "proto/feed/feed_internal.h"

static const struct {
	const char *name, *title, *type;
	void (*begin)(struct feed *f);
	void (*put)(struct feed *f, const struct feed_entry *e);
	void (*end)(struct feed *f);
} formats[FEED_FORMATS] = {
	[FEED_RSS] = { "rss", "RSS", "application/rss+xml", feed_rss_begin,
	    feed_rss_put, feed_rss_end },
	[FEED_ATOM] = { "atom", "Atom", "application/atom+xml", feed_atom_begin,
	    feed_atom_put, feed_atom_end },
	[FEED_JSON] = { "json", "JSON Feed", "application/feed+json",
	    feed_json_begin, feed_json_put, feed_json_end },
};

bool
feed_format_parse(struct str word, enum feed_format *ret)
{
	for (int i = 0; i < FEED_FORMATS; i++)
		if (str_eq(word, str_c(formats[i].name))) {
			*ret = (enum feed_format)i;
			return true;
		}
	return false;
}

const char *
feed_format_name(enum feed_format f)
{
	ASSERT((unsigned)f < FEED_FORMATS);
	return formats[f].name;
}

const char *
feed_format_title(enum feed_format f)
{
	ASSERT((unsigned)f < FEED_FORMATS);
	return formats[f].title;
}

const char *
feed_format_type(enum feed_format f)
{
	ASSERT((unsigned)f < FEED_FORMATS);
	return formats[f].type;
}

void
feed_put_element(
    struct buf *to, const char *indent, const char *name, struct str text)
{
	buf_printf(to, "%s<%s>", indent, name);
	feed_put_xml(to, text);
	buf_printf(to, "</%s>\n", name);
}

void
feed_begin(struct feed *f, enum feed_format format,
    const struct feed_head *head, struct buf *to)
{
	ASSERT((unsigned)format < FEED_FORMATS);
	*f = (struct feed){ .format = format, .to = to, .head = *head };
	formats[format].begin(f);
}

void
feed_put(struct feed *f, const struct feed_entry *e)
{
	formats[f->format].put(f, e);
	f->n++;
}

void
feed_end(struct feed *f)
{
	formats[f->format].end(f);
}
