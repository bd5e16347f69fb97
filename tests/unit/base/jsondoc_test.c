/* SPDX-License-Identifier: ISC */
/* jsondoc_test.c - reading JSON, and writing its strings. */
#include "../test.h"
#include "base/jsondoc.h"

TEST(values_are_found_and_typed)
{
	struct jsondoc *d = jsondoc_parse(
	    STR("{\"a\":[1,-1,1.5,\"x\\u00fc\"],\"b\":{\"c\":\"\"}}"), 100);
	const struct jsonnode *root = jsondoc_root(d);
	const struct jsonnode *a = jsonnode_get(root, "a");
	uint64_t n = 77;

	CHECK(jsonnode_is_object(root) && jsonnode_count(a) == 4, "types");
	CHECK(jsonnode_u64(jsonnode_at(a, 0), &n) && n == 1, "number");
	CHECK(!jsonnode_u64(jsonnode_at(a, 1), &n) && n == 1, "negative");
	CHECK(!jsonnode_u64(jsonnode_at(a, 2), &n) && n == 1, "real");
	CHECK(!jsonnode_u64(jsonnode_at(a, 3), &n) && n == 1, "text");
	CHECK(str_eq(jsonnode_text(jsonnode_at(a, 3)), STR("x\xc3\xbc")), "u");
	CHECK(!jsonnode_text(jsonnode_at(a, 0)).p, "no text");
	CHECK(!jsonnode_at(a, 4) && !jsonnode_get(a, "x"), "nothing there");
	CHECK(jsonnode_text(jsonnode_get(jsonnode_get(root, "b"), "c")).p,
	    "path");
	CHECK(!jsonnode_get(jsonnode_get(root, "x"), "c"), "no path");
	CHECK(jsonnode_count(NULL) == 0 && !jsonnode_is_object(NULL), "null");
	CHECK(!jsondoc_free(d) && !jsondoc_free(NULL), "free");
}

TEST(what_is_not_json_is_refused)
{
	static const char *const cases[] = { "", "{", "{\"a\":1,\"a\":2}",
		"\"\\u0000\"", "\"\xff\"", "[1,]", "1 2", "nul",
		"[1,2,3,4,5,6,7,8,9,10]" };
	struct buf deep = BUF_INIT(KIB(100));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(!jsondoc_parse(str_c(cases[i]), 20), cases[i]);
	for (size_t i = 0; i < 50000; i++)
		buf_put_char(&deep, '[');
	CHECK(!jsondoc_parse(buf_str(&deep), deep.n), "too deep");
	buf_done(&deep);
}

TEST(any_bytes_become_a_string)
{
	static const struct {
		struct str in, want;
	} cases[] = {
		{ STR("plain"), STR("\"plain\"") },
		{ STR("\"\\/\n\x01\x7f"),
		    STR("\"\\\"\\\\/\\n\\u0001\\u007f\"") },
		{ STR("\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xac"),
		    STR("\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xac\"") },
		{ STR("a\xff\0b\xc3"), STR("\"a\xef\xbf\xbd\xef\xbf\xbd"
					   "b\xef\xbf\xbd\"") },
		{ STR(""), STR("\"\"") },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);
		struct jsondoc *d;

		jsondoc_put_text(&b, cases[i].in);
		CHECK(str_eq(buf_str(&b), cases[i].want), cases[i].want.p);
		d = jsondoc_parse(buf_str(&b), 100);
		CHECK(jsonnode_text(jsondoc_root(d)).p, cases[i].want.p);
		jsondoc_free(d);
		buf_done(&b);
	}
}

/* Members until one is called "stop". */
static bool
count_member(void *arg, struct str name, const struct jsonnode *value)
{
	uint64_t *sum = arg, n = 0;

	if (str_eq(name, STR("stop")))
		return false;
	*sum += jsonnode_u64(value, &n) ? n : 100;
	return true;
}

TEST(members_are_shown_one_by_one)
{
	struct jsondoc *d =
	    jsondoc_parse(STR("{\"a\":1,\"b\":2,\"c\":null,\"d\":[]}"), 100);
	const struct jsonnode *o = jsondoc_root(d);
	uint64_t sum = 0;

	assert_true(jsonnode_each(o, count_member, &sum));
	assert_int_equal(sum, 203);
	assert_true(jsonnode_is_null(jsonnode_get(o, "c")));
	assert_false(jsonnode_is_null(jsonnode_get(o, "e")));
	assert_true(jsonnode_is_array(jsonnode_get(o, "d")));
	assert_false(jsonnode_is_array(o));
	assert_true(jsonnode_each(NULL, count_member, &sum));
	jsondoc_free(d);
	d = jsondoc_parse(STR("{\"stop\":\"x\"}"), 100);
	assert_false(jsonnode_each(jsondoc_root(d), count_member, &sum));
	assert_true(jsonnode_is_text(jsonnode_get(jsondoc_root(d), "stop")));
	jsondoc_free(d);
}

TEST_MAIN(UNIT(members_are_shown_one_by_one), UNIT(values_are_found_and_typed),
    UNIT(what_is_not_json_is_refused), UNIT(any_bytes_become_a_string))
