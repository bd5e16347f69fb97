/* SPDX-License-Identifier: ISC */
/* json_read_test.c - what clients of the HTTP API say, as JSON. */
#include "../../test.h"
#include "proto/status/status_json_read.h"

#define NOW UINT64_C(1790000000)

/* A post that has something of everything, changed by the text. The member that
 * is wrong; "": none. */
static const char *
change(const char *text, struct status_post *p, struct jsondoc **ret_doc)
{
	static char part[300];
	struct status_fault f = { 0 };

	*p = status_post_begin(STATUS_INCIDENT, NOW);
	p->title = STR("Old");
	p->next_update_s = NOW + 5;
	p->author = STR("Ops");
	p->n_tags = 1;
	p->tags[0] = STR("old");
	*ret_doc = jsondoc_parse(str_c(text), KIB(64));
	assert_non_null(*ret_doc);
	if (status_json_read_post(
		jsondoc_root(*ret_doc), STATUS_JSON_CHANGE, p, &f))
		return "";
	assert_non_null(f.expected);
	snprintf(part, sizeof(part), "%.*s", STR_ARG(f.part));
	return part;
}

TEST(a_change_is_of_what_it_names)
{
	struct jsondoc *doc;
	struct status_post p;

	assert_string_equal(change("{\"body\":\"B\"}", &p, &doc), "");
	assert_true(str_eq(p.title, STR("Old")) && p.n_tags == 1);
	jsondoc_free(doc);
	assert_string_equal(
	    change("{\"title\":\"New\",\"tags\":[\"a\",\"b\"],"
		   "\"affected\":[{\"system\":\"NC036\"},"
		   "{\"system\":\"NC023\",\"impact\":\"degraded\"}],"
		   "\"published\":\"2018-06-07T11:12:19+02:00\"}",
		&p, &doc),
	    "");
	assert_true(str_eq(p.title, STR("New")) && p.n_tags == 2);
	assert_int_equal(p.published_s, 1528362739);
	assert_int_equal(p.affects.n, 2);
	assert_int_equal(p.affects.v[0].impact, STATUS_IMPACT_DOWN);
	assert_int_equal(p.affects.v[1].impact, STATUS_IMPACT_DEGRADED);
	jsondoc_free(doc);
	assert_string_equal(
	    change("{\"author\":null,\"next_update\":null,\"published\":null,"
		   "\"incident\":null,\"tags\":[]}",
		&p, &doc),
	    "");
	assert_true(p.author.n == 0 && p.next_update_s == 0 &&
		    p.published_s == 0 && p.n_tags == 0);
	jsondoc_free(doc);
}

TEST(what_is_wrong_is_named)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "{\"titel\":\"x\"}", "titel" },
		{ "{\"kind\":\"notice\"}", "kind" },
		{ "{\"state\":\"resolved\"}", "state" },
		{ "{\"number\":3}", "number" },
		{ "{\"title\":3}", "title" },
		{ "{\"published\":\"tomorrow\"}", "published" },
		{ "{\"published\":1528362739}", "published" },
		{ "{\"incident\":-1}", "incident" },
		{ "{\"incident\":4294967296}", "incident" },
		{ "{\"tags\":\"a\"}", "tags" },
		{ "{\"tags\":[3]}", "" },
		{ "{\"tags\":[\"a,b\"]}", "a,b" },
		{ "{\"affected\":{}}", "affected" },
		{ "{\"affected\":[\"NC036\"]}", "affected" },
		{ "{\"affected\":[{\"impact\":\"down\"}]}", "" },
		{ "{\"affected\":[{\"system\":\"A\",\"impact\":\"x\"}]}",
		    "impact" },
		{ "{\"affected\":[{\"system\":\"A\",\"more\":1}]}", "more" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct jsondoc *doc =
		    jsondoc_parse(str_c(cases[i].text), KIB(64));
		struct status_fault f = { 0 };
		struct status_post p = status_post_begin(STATUS_NOTICE, NOW);

		CHECK(!status_json_read_post(
			  jsondoc_root(doc), STATUS_JSON_CHANGE, &p, &f),
		    cases[i].text);
		CHECK(f.expected != NULL, cases[i].text);
		CHECK(str_eq(f.part, str_c(cases[i].part)), cases[i].text);
		jsondoc_free(doc);
	}
}

TEST(checks_have_options_once_or_more)
{
	struct jsondoc *doc = jsondoc_parse(
	    STR("{\"kind\":\"soa\",\"target\":\"example.org\",\"options\":"
		"{\"server\":[\"192.0.2.1\",\"192.0.2.2\"],\"every\":\"1m\"}}"),
	    KIB(64));
	struct buf scratch = BUF_INIT(KIB(16));
	struct status_fault f;
	struct status_check c;

	assert_true(
	    status_json_read_check(jsondoc_root(doc), &c, &scratch, &f));
	assert_int_equal(status_check_count(&c, STATUS_OPT_SERVER), 2);
	assert_int_equal(status_check_ms(&c, STATUS_OPT_EVERY), 60000);
	jsondoc_free(doc);
	doc = jsondoc_parse(STR("{\"kind\":\"ping\",\"target\":\"192.0.2.1\","
				"\"options\":{\"every=1s\":\"x\"}}"),
	    KIB(64));
	assert_false(
	    status_json_read_check(jsondoc_root(doc), &c, &scratch, &f));
	jsondoc_free(doc);
	buf_done(&scratch);
}

TEST(windows_are_from_and_to)
{
	struct jsondoc *doc = jsondoc_parse(
	    STR("{\"system\":\"NC036\",\"from\":\"2030-01-01T10:00:00Z\","
		"\"to\":\"2030-01-01T12:00:00Z\",\"every_s\":86400}"),
	    KIB(64));
	struct status_window w = { 0 };
	struct status_fault f;

	assert_true(status_json_read_window(jsondoc_root(doc), &w, &f));
	assert_int_equal(w.length_s, 7200);
	assert_int_equal(w.every_s, 86400);
	jsondoc_free(doc);
	doc = jsondoc_parse(STR("{\"system\":\"NC036\"}"), KIB(64));
	w = (struct status_window){ 0 };
	assert_false(status_json_read_window(jsondoc_root(doc), &w, &f));
	jsondoc_free(doc);
}

TEST(a_change_changes_something)
{
	struct jsondoc *doc = jsondoc_parse(STR("{}"), KIB(64));
	struct status_post p = status_post_begin(STATUS_INCIDENT, NOW);
	struct status_update u = status_update_begin(&p, NOW);
	struct status_fault f = { 0 };

	assert_false(status_json_read_post(
	    jsondoc_root(doc), STATUS_JSON_CHANGE, &p, &f));
	assert_non_null(f.expected);
	f = (struct status_fault){ 0 };
	assert_false(status_json_read_update(
	    jsondoc_root(doc), STATUS_JSON_CHANGE, &u, &f));
	assert_non_null(f.expected);
	assert_true(status_json_read_update(
	    jsondoc_root(doc), STATUS_JSON_NEW, &u, &f));
	jsondoc_free(doc);
}

TEST_MAIN(UNIT(a_change_changes_something), UNIT(a_change_is_of_what_it_names),
    UNIT(what_is_wrong_is_named), UNIT(checks_have_options_once_or_more),
    UNIT(windows_are_from_and_to))
