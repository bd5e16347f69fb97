/* SPDX-License-Identifier: ISC */
/* Static copies: links, files, targets. */
#include "cli/copy/copy_html.h"

#include "../../test.h"
#include "conf/mirror_text.h"

static void
check_page(
    const char *path, const char *language, const char *in, const char *want)
{
	const struct copy_place p = { .usual = STR("en"),
		.language = str_c(language),
		.path = str_c(path),
		.site = STR("https://s.example") };
	struct buf b = BUF_INIT(KIB(16));

	copy_put_html(&b, &p, str_c(in));
	CHECK(strcmp(buf_c(&b), want) == 0, in);
	buf_done(&b);
}

TEST(links_lead_to_files_from_where_the_page_is)
{
	static const struct {
		const char *path, *language, *in, *want;
	} cases[] = {
		{ "/", "en", "<a href=\"/\">", "<a href=\"index.html\">" },
		{ "/", "en", "<a href=\"/archive\">",
		    "<a href=\"archive/index.html\">" },
		{ "/", "en", "<a href=\"/archive?lang=fr\">",
		    "<a href=\"fr/archive/index.html\">" },
		{ "/", "en", "<a href=\"/archive?lang=en\">",
		    "<a href=\"archive/index.html\">" },
		{ "/", "fr", "<a href=\"/archive\">",
		    "<a href=\"../fr/archive/index.html\">" },
		{ "/", "fr", "<a href=\"/?lang=en\">",
		    "<a href=\"../index.html\">" },
		{ "/posts/2026/11/x", "en", "<a href=\"/tag/AC%2FDC#top\">",
		    "<a href=\"../../../../tag/AC/DC/index.html#top\">" },
		{ "/tag/x", "en", "<link href=\"/tag/x/feed.rss\">",
		    "<link href=\"../../tag/x/feed.rss\">" },
		{ "/", "en", "<a href=\"/tag/a%20%22b\">",
		    "<a href=\"tag/a%20%22b/index.html\">" },
		{ "/", "en", "<link href=\"/favicon.svg\">",
		    "<link href=\"favicon.svg\">" },
		{ "/tag/x", "fr", "<link href=\"/favicon.svg\">",
		    "<link href=\"../../../favicon.svg\">" },
		{ "/", "en", "<a href=\"/posts/7.ics\">",
		    "<a href=\"posts/7.ics\">" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_page(cases[i].path, cases[i].language, cases[i].in,
		    cases[i].want);
}

TEST(what_needs_the_server_leads_to_it)
{
	check_page("/", "en", "<a href=\"/check\">",
	    "<a href=\"https://s.example/check\">");
	check_page("/", "en", "<form action=\"/search\">",
	    "<form action=\"https://s.example/search\">");
	check_page("/", "en", "<a href=\"/subscribe?to=a&amp;b=c\">",
	    "<a href=\"https://s.example/subscribe?to=a&amp;b=c\">");
	check_page("/", "en", "<img href=\"/badge.svg?uptime=7\">",
	    "<img href=\"https://s.example/badge.svg?uptime=7\">");
	check_page("/", "en", "<a href=\"/check?lang=fr\">",
	    "<a href=\"https://s.example/check?lang=fr\">");
}

TEST(everything_else_stays_as_it_is)
{
	static const char *const cases[] = { "",
		"<a href=\"https://o.example/\">", "<a href=\"//o.example/\">",
		"<a href=\"#main\">", "href=\"/x\"",
		"<script>\" href=\"/x\"</script>",
		"<style>a[x href=\"/x\"]</style>", "<style> href=\"/x\"",
		"<a href=\"/x" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_page("/", "en", cases[i], cases[i]);
}

TEST(a_file_is_below_the_folder)
{
	static const struct {
		const char *value, *want; /* NULL: none */
	} cases[] = {
		{ "/../../etc/passwd", "etc/passwd/index.html" },
		{ "/a/%2e%2e/b", "b/index.html" },
		{ "/systems/", "systems/index.html" },
		{ "/%00", NULL },
		{ "/%zz", NULL },
		{ "/a?lang=../x", NULL },
		{ "/api/v1/posts", NULL },
		{ "/api/v2/status.json", "api/v2/status.json" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf file = BUF_INIT(KIB(1));
		struct copy_link l;
		bool ok = copy_link_parse(str_c(cases[i].value), &l);

		if (ok)
			copy_put_file(&file, buf_str(&l.path));
		CHECK(ok == (cases[i].want != NULL), cases[i].value);
		CHECK(!ok || strcmp(buf_c(&file), cases[i].want) == 0,
		    cases[i].value);
		buf_done(&l.path);
		buf_done(&file);
	}
}

TEST(a_permanent_address_leads_on)
{
	const struct copy_place p = { .usual = STR("en"),
		.language = STR("en"),
		.path = STR("/posts/7"),
		.site = STR("https://s.example") };
	struct buf b = BUF_INIT(KIB(4));

	copy_put_redirect(&b, &p, STR("/posts/2026/11/x"));
	CHECK(strstr(buf_c(&b),
		  "content=\"0;url=../../posts/2026/11/x/index.html\""),
	    "refresh");
	buf_done(&b);
}

TEST(targets_are_folders_or_hosts)
{
	static const struct {
		const char *text;
		enum mirror_kind want;
	} cases[] = {
		{ "/srv/status", MIRROR_FOLDER },
		{ "/", MIRROR_BAD },
		{ "srv/status", MIRROR_BAD },
		{ "www@mirror.example.org:/srv/status", MIRROR_RSYNC },
		{ "mirror:status", MIRROR_RSYNC },
		{ "mirror::module", MIRROR_BAD },
		{ "rsync://mirror/module", MIRROR_BAD },
		{ "-e@mirror:/srv", MIRROR_BAD },
		{ "--rsh=x:/srv", MIRROR_BAD },
		{ "mirror:", MIRROR_BAD },
		{ ":/srv", MIRROR_BAD },
		{ "mirror:/srv;reboot", MIRROR_BAD },
		{ "mirror:/srv status", MIRROR_BAD },
		{ "mirror:$(x)", MIRROR_BAD },
		{ "", MIRROR_BAD },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(mirror_kind_of(str_c(cases[i].text)) == cases[i].want,
		    cases[i].text);
}

TEST_MAIN(UNIT(links_lead_to_files_from_where_the_page_is),
    UNIT(what_needs_the_server_leads_to_it),
    UNIT(everything_else_stays_as_it_is), UNIT(a_file_is_below_the_folder),
    UNIT(a_permanent_address_leads_on), UNIT(targets_are_folders_or_hosts))
