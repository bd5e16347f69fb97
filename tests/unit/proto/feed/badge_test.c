/* SPDX-License-Identifier: ISC */
/* Badges, and the JSON in Statuspage's words. */
#include "proto/feed/badge.h"

#include "base/jsondoc.h"
#include "proto/feed/statuspage.h"
#include "../../test.h"

#include <math.h>

TEST(a_badge_says_its_words_to_everybody)
{
	struct buf b = BUF_INIT(KIB(16));
	const char *s;

	badge_put(&b, &(struct badge){ .label = STR("mail <1>"),
			  .value = STR("working"),
			  .colour = BADGE_OK });
	s = buf_c(&b);
	CHECK(strstr(s, "<title>mail &#x3C;1&#x3E;: working</title>"), "title");
	CHECK(
	    strstr(s, "role=\"img\" aria-label=\"mail &#x3C;1&#x3E;: working"),
	    "label");
	CHECK(strstr(s, ">working</text>"), "value");
	CHECK(strstr(s, "#1a7f4b"), "colour");
	CHECK(strstr(s, "<script") == NULL && strstr(s, "url(http") == NULL &&
		  strstr(s, "href") == NULL && strstr(s, "@import") == NULL,
	    "asks for nothing");
	buf_done(&b);
}

TEST(a_long_name_is_cut_between_characters)
{
	struct buf b = BUF_INIT(KIB(16)), name = BUF_INIT(KIB(1));

	buf_put_char(&name, 'x');
	for (int i = 0; i < 100; i++)
		buf_put_c(&name, "\xE2\x82\xAC");
	badge_put(&b, &(struct badge){ .label = buf_str(&name),
			  .value = STR("down"),
			  .colour = BADGE_DOWN });
	CHECK(str_is_utf8(buf_str(&b)), "whole characters");
	CHECK(str_search(buf_str(&b), STR("\xEF\xBF\xBD")) < 0, "no parts");
	CHECK(b.n < 1600, "short");
	buf_done(&b);
	buf_done(&name);
}

static double
luminance(const char *code)
{
	static const double weights[] = { 0.2126, 0.7152, 0.0722 };
	double sum = 0;

	for (size_t i = 0; i < 3; i++) {
		char two[] = { code[1 + 2 * i], code[2 + 2 * i], 0 };
		double c = (double)strtol(two, NULL, 16) / 255;

		sum +=
		    weights[i] *
		    (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

TEST(white_on_each_colour_can_be_read)
{
	for (int i = 0; i < BADGE_COLOURS; i++) {
		const char *code = badge_colour_code((enum badge_colour)i);

		CHECK(1.05 / (luminance(code) + 0.05) >= 4.5, code);
	}
}

TEST(uptime_is_never_rounded_up)
{
	static const struct {
		uint32_t ppm;
		const char *want;
	} cases[] = { { 1000000, "100%" }, { 999999, "99.99%" },
		{ 999800, "99.98%" }, { 0, "0.00%" }, { 90500, "9.05%" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(40);

		badge_put_uptime(&b, cases[i].ppm);
		CHECK(strcmp(buf_c(&b), cases[i].want) == 0, cases[i].want);
		buf_done(&b);
	}
}

/* --- statuspage ------------------------------------------------------------------ */

static const struct statuspage_page page = { .id = STR("status.example"),
	.name = STR("Example \"status\""),
	.url = STR("https://status.example"),
	.updated_s = 1764492000 };
static const struct statuspage_component components[] = {
	{ .id = STR("nc036"),
	    .name = STR("NC036"),
	    .state = STATUSPAGE_PARTIAL,
	    .updated_s = 1764492000,
	    .position = 1 },
	{ .id = STR("nc037"),
	    .name = STR("NC037"),
	    .state = STATUSPAGE_OPERATIONAL,
	    .position = 2 },
};

static struct str
text_at(const struct jsonnode *n, const char *name)
{
	return jsonnode_text(jsonnode_get(n, name));
}

TEST(a_summary_reads_as_statuspage_has_it)
{
	static const struct statuspage_change change = { STR("nc036"),
		STR("NC036"), STATUSPAGE_OPERATIONAL, STATUSPAGE_PARTIAL };
	static const struct statuspage_update updates[] = {
		{ .number = 1,
		    .status = STR("identified"),
		    .body = STR("Found.\n"),
		    .created_s = 1764492000 },
		{ .number = 0,
		    .status = STR("investigating"),
		    .body = STR("We look."),
		    .created_s = 1764491000,
		    .changes = &change,
		    .n_changes = 1 },
	};
	const struct statuspage_incident incident = { .number = 7,
		.name = STR("No mail"),
		.status = STR("identified"),
		.worst = STATUSPAGE_PARTIAL,
		.created_s = 1764491000,
		.updated_s = 1764492000,
		.url = STR("https://status.example/posts/7"),
		.updates = updates,
		.n_updates = 2,
		.components = components,
		.n_components = 1 };
	const struct jsonnode *root, *n;
	struct buf b = BUF_INIT(KIB(64));
	struct statuspage_list l;
	struct jsondoc *doc;

	statuspage_begin(&b, &page);
	statuspage_put_components(&b, &page, components, 2);
	statuspage_list_begin(&l, &b, &page, "incidents");
	statuspage_list_put(&l, &incident);
	statuspage_list_put(&l, &incident);
	statuspage_list_end(&l);
	statuspage_list_begin(&l, &b, &page, "scheduled_maintenances");
	statuspage_list_end(&l);
	statuspage_put_status(&b, STATUSPAGE_PARTIAL, STR(""));
	statuspage_end(&b);
	doc = jsondoc_parse(buf_str(&b), KIB(64));
	CHECK(doc != NULL, "parses");
	root = jsondoc_root(doc);
	n = jsonnode_get(root, "page");
	CHECK(str_eq(text_at(n, "name"), STR("Example \"status\"")), "name");
	CHECK(str_eq(text_at(n, "updated_at"), STR("2025-11-30T08:40:00.000Z")),
	    "time");
	n = jsonnode_get(root, "status");
	CHECK(str_eq(text_at(n, "indicator"), STR("major")), "indicator");
	n = jsonnode_at(jsonnode_get(root, "components"), 0);
	CHECK(str_eq(text_at(n, "status"), STR("partial_outage")), "state");
	CHECK(jsonnode_count(jsonnode_get(root, "incidents")) == 2, "two");
	n = jsonnode_at(jsonnode_get(root, "incidents"), 1);
	CHECK(str_eq(text_at(n, "id"), STR("post-7")), "id");
	CHECK(str_eq(text_at(n, "impact"), STR("major")), "impact");
	CHECK(text_at(n, "resolved_at").n == 0, "not resolved");
	CHECK(jsonnode_get(n, "scheduled_for") == NULL, "not planned");
	n = jsonnode_at(jsonnode_get(n, "incident_updates"), 1);
	CHECK(str_eq(text_at(n, "id"), STR("post-7-0")), "first text");
	n = jsonnode_at(jsonnode_get(n, "affected_components"), 0);
	CHECK(str_eq(text_at(n, "old_status"), STR("operational")), "before");
	CHECK(str_eq(text_at(n, "new_status"), STR("partial_outage")), "after");
	CHECK(jsonnode_count(jsonnode_get(root, "scheduled_maintenances")) == 0,
	    "none planned");
	(void)jsondoc_free(doc);
	buf_done(&b);
}

TEST_MAIN(UNIT(a_badge_says_its_words_to_everybody),
    UNIT(a_long_name_is_cut_between_characters),
    UNIT(white_on_each_colour_can_be_read), UNIT(uptime_is_never_rounded_up),
    UNIT(a_summary_reads_as_statuspage_has_it))
