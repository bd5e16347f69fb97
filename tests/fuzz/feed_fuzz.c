/* SPDX-License-Identifier: ISC */
/*
 * LINK: feed
 *
 * Texts of any kind in documents for programs. Properties: what goes out is
 * UTF-8; no text makes an element, a line or a control that XML forbids; no line
 * of a calendar is longer than 75 bytes; JSON Feed is JSON.
 */
#include "base/jsondoc.h"
#include "proto/feed/badge.h"
#include "proto/feed/feed.h"
#include "proto/feed/ical.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM MIB(8)

static size_t
count(struct str s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

static void
check_xml(struct str s)
{
	ASSERT(str_is_utf8(s));
	ASSERT(str_search(s, STR("\xEF\xBF\xBE")) < 0);
	ASSERT(str_search(s, STR("\xEF\xBF\xBF")) < 0);
	for (size_t i = 0; i < s.n; i++)
		ASSERT((unsigned char)s.p[i] >= ' ' || s.p[i] == '\t' ||
		       s.p[i] == '\n');
}

static size_t
write_feed(struct buf *to, enum feed_format format, struct str s)
{
	struct str tags[] = { s, STR("x") };
	struct feed_head head = { s, s, s, s, s, 1 };
	struct feed_entry e = { .id = s,
		.url = s,
		.title = s,
		.html = s,
		.author = s,
		.tags = tags,
		.n_tags = 2 };
	struct feed f;

	buf_reset(to, 0);
	feed_begin(&f, format, &head, to);
	feed_put(&f, &e);
	feed_end(&f);
	ASSERT(!to->failed);
	return count(buf_str(to), '<');
}

static void
fuzz_feeds(struct str s)
{
	struct buf b = BUF_INIT(ROOM);
	struct jsondoc *doc;

	for (int f = FEED_RSS; f <= FEED_ATOM; f++) {
		size_t n = write_feed(&b, (enum feed_format)f, s);

		check_xml(buf_str(&b));
		/* As many elements as with a text that is one letter. */
		ASSERT(s.n == 0 ||
		       n == write_feed(&b, (enum feed_format)f, STR("a")));
	}
	(void)write_feed(&b, FEED_JSON, s);
	doc = jsondoc_parse(buf_str(&b), ROOM);
	/* A NUL in a string is JSON that our reader does not take. */
	ASSERT(doc != NULL || memchr(s.p, 0, s.n) != NULL);
	(void)jsondoc_free(doc);
	buf_reset(&b, 0);
	badge_put(&b, &(struct badge){ s, s, BADGE_OK });
	check_xml(buf_str(&b));
	buf_done(&b);
}

static void
fuzz_calendar(struct str s)
{
	struct buf b = BUF_INIT(ROOM);
	struct str rest, line;
	size_t events = 0;

	ical_begin(&b, s);
	ical_put(&b, &(struct ical_event){ .uid = s,
			 .summary = s,
			 .description = s,
			 .url = s,
			 .location = s,
			 .every_s = s.n });
	ical_end(&b);
	ASSERT(!b.failed);
	rest = buf_str(&b);
	while (rest.n > 0) {
		rest = str_split(rest, '\n', &line);
		ASSERT(
		    line.n > 0 && line.n <= 76 && line.p[line.n - 1] == '\r');
		line.n--;
		ASSERT(str_is_utf8(line));
		events += str_eq(line, STR("BEGIN:VEVENT"));
		for (size_t i = 0; i < line.n; i++)
			ASSERT((unsigned char)line.p[i] >= ' ' ||
			       line.p[i] == '\t');
	}
	ASSERT(events == 1);
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_make(data, MIN(size, (size_t)KIB(4)));

	fuzz_feeds(s);
	fuzz_calendar(s);
	return 0;
}
