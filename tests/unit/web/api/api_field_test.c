/* SPDX-License-Identifier: ISC */
/* api_field_test.c - the way to what is wrong in a body of the API. */
#include "../../test.h"
#include "web/api/api_field.h"

#define BODY \
	"{\"kind\":\"incident\",\"title\":\"zz\",\"slug\":\"A b\"," \
	"\"tags\":[\"ok\",\" a,b \"]," \
	"\"affected\":[{\"system\":\"mx1\",\"impact\":\"down\"}," \
	"{\"system\":\"zz\",\"impact\":\"bad\"},{\"system\":\"incident\"}]," \
	"\"options\":{\"every\":\"10\",\"server\":[\"a\",\"b c\"]}}"

static void
check(const struct jsonnode *body, struct str part, const char *want)
{
	struct buf b = BUF_INIT(KIB(1));

	api_field_put(&b, body, part);
	CHECK(str_eq(buf_str(&b), str_c(want)), buf_c(&b));
	buf_done(&b);
}

/* As the checks have them, which copy nothing. */
TEST(a_value_of_the_body_is_told_by_its_place)
{
	struct jsondoc *doc = jsondoc_parse(STR(BODY), KIB(64));
	const struct jsonnode *body = jsondoc_root(doc);
	const struct jsonnode *list = jsonnode_get(body, "affected");
	struct str tag =
	    jsonnode_text(jsonnode_at(jsonnode_get(body, "tags"), 1));

	check(body, jsonnode_text(jsonnode_get(jsonnode_at(list, 1), "system")),
	    "affected[1].system");
	check(body, jsonnode_text(jsonnode_get(jsonnode_at(list, 2), "system")),
	    "affected[2].system");
	check(body, str_trim(tag), "tags[1]");
	check(body, jsonnode_text(jsonnode_get(body, "slug")), "slug");
	jsondoc_free(doc);
}

TEST(names_and_copies_are_looked_for)
{
	struct jsondoc *doc = jsondoc_parse(STR(BODY), KIB(64));
	const struct jsonnode *body = jsondoc_root(doc);

	check(body, STR("title"), "title");
	check(body, STR("affected"), "affected");
	check(body, STR("10"), "options.every");
	check(body, STR("every"), "options.every");
	check(body, STR("b c"), "options.server[1]");
	check(body, STR("impact"), "affected[0].impact");
	check(body, STR("body"), "body"); /* it is missing */
	check(body, STR(""), "");
	check(NULL, STR("role"), "role");
	jsondoc_free(doc);
}

TEST(it_is_not_looked_for_without_end)
{
	struct buf text = BUF_INIT(KIB(8));
	struct jsondoc *doc;

	buf_put_c(&text, "{\"a\":");
	for (int i = 0; i < 1000; i++)
		buf_put_char(&text, '[');
	buf_put_c(&text, "\"deep\"");
	for (int i = 0; i < 1000; i++)
		buf_put_char(&text, ']');
	buf_put_char(&text, '}');
	doc = jsondoc_parse(buf_str(&text), KIB(64));
	assert_non_null(doc);
	check(jsondoc_root(doc), STR("deep"), "deep");
	jsondoc_free(doc);
	buf_done(&text);
}

TEST_MAIN(UNIT(a_value_of_the_body_is_told_by_its_place),
    UNIT(names_and_copies_are_looked_for),
    UNIT(it_is_not_looked_for_without_end))
