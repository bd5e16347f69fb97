/* SPDX-License-Identifier: ISC */
/* Feeds: what each format says, and what hostile texts become in it. */
#include "base/jsondoc.h"
#include "proto/feed/feed.h"
#include "proto/feed/feed_text.h"
#include "../../test.h"

#define ROOM MIB(1)

static const struct feed_head head = {
	.title = STR("Example status"),
	.home_url = STR("https://status.example/"),
	.self_url = STR("https://status.example/feed.x"),
	.language = STR("en"),
	.updated_s = 1764492600,
};

static const char *
write_feed(struct buf *to, enum feed_format format, const struct feed_head *h,
    const struct feed_entry *e, size_t n)
{
	struct feed f;

	buf_init(to, ROOM);
	feed_begin(&f, format, h, to);
	for (size_t i = 0; i < n; i++)
		feed_put(&f, &e[i]);
	feed_end(&f);
	CHECK(!to->failed, "fits");
	return buf_c(to);
}

TEST(characters_that_xml_forbids_are_replaced)
{
	static const struct {
		const char *name;
		struct str in, want;
	} cases[] = {
		{ "plain", STR("mail"), STR("mail") },
		{ "markup", STR("<b a='x' c=\"&\">"),
		    STR("&#x3C;b a=&#x27;x&#x27; c=&#x22;&#x26;&#x22;&#x3E;") },
		{ "end of CDATA", STR("]]>"), STR("]]&#x3E;") },
		{ "controls", STR("a\0b\x01\x08\x1F"),
		    STR("a\xEF\xBF\xBD"
			"b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") },
		{ "tab and line ends", STR("a\tb\nc\rd"),
		    STR("a\tb\nc&#xD;d") },
		{ "U+FFFE and U+FFFF", STR("\xEF\xBF\xBE\xEF\xBF\xBF"),
		    STR("\xEF\xBF\xBD\xEF\xBF\xBD") },
		{ "U+FFFD itself", STR("\xEF\xBF\xBD"), STR("\xEF\xBF\xBD") },
		{ "half of a character", STR("\xC3"), STR("\xEF\xBF\xBD") },
		{ "Latin-1", STR("caf\xE9."), STR("caf\xEF\xBF\xBD.") },
		{ "a surrogate", STR("\xED\xA0\x80"),
		    STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") },
		{ "four bytes", STR("\xF0\x9F\x98\x80"),
		    STR("\xF0\x9F\x98\x80") },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(KIB(1));

		feed_put_xml(&b, cases[i].in);
		CHECK(str_eq(buf_str(&b), cases[i].want), cases[i].name);
		buf_done(&b);
	}
}

TEST(times_are_those_of_the_formats)
{
	struct buf b = BUF_INIT(KIB(1));

	feed_put_time(&b, 0);
	buf_put_char(&b, '|');
	feed_put_date(&b, 951782400);
	buf_put_char(&b, '|');
	feed_put_time(&b, UINT64_MAX);
	CHECK(strcmp(buf_c(&b), "1970-01-01T00:00:00Z|"
				"Tue, 29 Feb 2000 00:00:00 GMT|"
				"9999-12-31T23:59:59Z") == 0,
	    "times");
	buf_done(&b);
}

static const struct str tags[] = { STR("relay"), STR("a&b") };
static const struct feed_entry entry = {
	.id = STR("https://status.example/posts/7"),
	.url = STR("https://status.example/posts/2026/11/new-relay"),
	.title = STR("New <relay>"),
	.html = STR("<p>It works & is fast.</p>"),
	.author = STR("Ann"),
	.published_s = 1764492000,
	.updated_s = 1764492600,
	.tags = tags,
	.n_tags = ARRAY_LEN(tags),
};

TEST(rss_has_a_permanent_guid_and_escaped_content)
{
	struct buf b;
	const char *s = write_feed(&b, FEED_RSS, &head, &entry, 1);

	CHECK(strstr(s, "<guid isPermaLink=\"true\">"
			"https://status.example/posts/7</guid>"),
	    "guid");
	CHECK(strstr(s, "<title>New &#x3C;relay&#x3E;</title>"), "title");
	CHECK(strstr(s, "<description>&#x3C;p&#x3E;It works &#x26; is fast."),
	    "content");
	CHECK(strstr(s, "<pubDate>Sun, 30 Nov 2025 08:40:00 GMT</pubDate>"),
	    "published");
	CHECK(strstr(s, "<atom:updated>2025-11-30T08:50:00Z</atom:updated>"),
	    "updated");
	CHECK(strstr(s, "<category>a&#x26;b</category>"), "tag");
	CHECK(strstr(s, "<dc:creator>Ann</dc:creator>"), "author");
	CHECK(strstr(s, "rel=\"self\""), "its own address");
	buf_done(&b);
}

TEST(atom_has_the_elements_that_rfc_4287_wants)
{
	struct feed_entry none = entry;
	struct buf b;
	const char *s;

	none.author = STR("");
	none.updated_s = 5; /* before it was published */
	s = write_feed(&b, FEED_ATOM, &head, &none, 1);
	CHECK(strstr(s, "xml:lang=\"en\""), "language");
	CHECK(strstr(s, "<id>https://status.example/feed.x</id>"), "id");
	CHECK(strstr(s, "<updated>2025-11-30T08:50:00Z</updated>"), "updated");
	CHECK(strstr(s, "<author><name>Example status</name></author>"),
	    "an author for entries without one");
	CHECK(strstr(s, "<updated>2025-11-30T08:40:00Z</updated>"),
	    "never older than its publication");
	CHECK(strstr(s, "<category term=\"a&#x26;b\"/>"), "tag");
	CHECK(strstr(s, "<content type=\"html\">&#x3C;p&#x3E;"), "content");
	buf_done(&b);
}

TEST(json_feed_is_json)
{
	struct feed_entry two[] = { entry, entry };
	const struct jsonnode *root, *item;
	struct jsondoc *doc;
	struct buf b;

	two[1].title = STR("\x01\"\\\xFF</script>");
	two[1].n_tags = 0;
	(void)write_feed(&b, FEED_JSON, &head, two, 2);
	doc = jsondoc_parse(buf_str(&b), ROOM);
	CHECK(doc != NULL, "parses");
	root = jsondoc_root(doc);
	CHECK(str_eq(jsonnode_text(jsonnode_get(root, "version")),
		  STR("https://jsonfeed.org/version/1.1")),
	    "version");
	CHECK(jsonnode_count(jsonnode_get(root, "items")) == 2, "items");
	item = jsonnode_at(jsonnode_get(root, "items"), 1);
	CHECK(str_eq(jsonnode_text(jsonnode_get(item, "id")), entry.id), "id");
	CHECK(str_eq(jsonnode_text(jsonnode_get(item, "title")),
		  STR("\x01\"\\\xEF\xBF\xBD</script>")),
	    "title");
	CHECK(jsonnode_get(item, "tags") == NULL, "no tags");
	item = jsonnode_at(jsonnode_get(root, "items"), 0);
	CHECK(str_eq(jsonnode_text(jsonnode_at(jsonnode_get(item, "tags"), 1)),
		  STR("a&b")),
	    "tag");
	(void)jsondoc_free(doc);
	buf_done(&b);
}

TEST(a_feed_without_entries_is_one)
{
	struct jsondoc *doc;
	struct buf b;

	(void)write_feed(&b, FEED_JSON, &head, NULL, 0);
	doc = jsondoc_parse(buf_str(&b), ROOM);
	CHECK(doc != NULL, "json");
	(void)jsondoc_free(doc);
	buf_done(&b);
	CHECK(
	    strstr(write_feed(&b, FEED_RSS, &head, NULL, 0), "</rss>"), "rss");
	buf_done(&b);
	CHECK(strstr(write_feed(&b, FEED_ATOM, &head, NULL, 0), "</feed>"),
	    "atom");
	buf_done(&b);
}

TEST(names_of_formats_read_back)
{
	for (int i = 0; i < FEED_FORMATS; i++) {
		enum feed_format f;

		CHECK(feed_format_parse(
			  str_c(feed_format_name((enum feed_format)i)), &f) &&
			  (int)f == i,
		    feed_format_title((enum feed_format)i));
	}
	CHECK(!feed_format_parse(STR("xml"), &(enum feed_format){ 0 }), "xml");
}

TEST_MAIN(UNIT(characters_that_xml_forbids_are_replaced),
    UNIT(times_are_those_of_the_formats),
    UNIT(rss_has_a_permanent_guid_and_escaped_content),
    UNIT(atom_has_the_elements_that_rfc_4287_wants), UNIT(json_feed_is_json),
    UNIT(a_feed_without_entries_is_one), UNIT(names_of_formats_read_back))
