/* SPDX-License-Identifier: ISC */
/* feedback_test.c - rows of reports: keys and values. */
#include "../../test.h"
#include "proto/feedback/feedback.h"

static const struct feedback_head head = {
	.kind = FEEDBACK_DMARC,
	.domain = STR("demo.example"),
	.reporter = STR("Receiver"),
	.report_id = STR("id-1"),
	.begin = 1790000000,
	.end = 1790086399,
	.received = 1790090000,
	.policy = STR("reject"),
};

static const char *
key_of(struct feedback_head h, const char *owner, unsigned number)
{
	static char text[2 * FEEDBACK_KEY_MAX];
	struct buf b = BUF_INIT(FEEDBACK_KEY_MAX);

	feedback_put_key(&b, &h, str_c(owner), number);
	CHECK(!b.failed, owner);
	snprintf(text, sizeof(text), "%s", buf_c(&b));
	buf_done(&b);
	return text;
}

TEST(a_report_has_the_same_key_whenever_it_comes)
{
	struct feedback_head h = head;
	char first[200];

	snprintf(first, sizeof(first), "%s", key_of(h, "demo.example", 3));
	assert_true(strncmp(first, "dmarc/demo.example/20260922/", 28) == 0);
	assert_string_equal(first + strlen(first) - 3, "/03");
	h.received += 90000;
	assert_string_equal(first, key_of(h, "demo.example", 3));
	h.report_id = STR("id-2");
	assert_string_not_equal(first, key_of(h, "demo.example", 3));
	h = head;
	h.reporter = STR("Another");
	assert_string_not_equal(first, key_of(h, "demo.example", 3));
}

TEST(days_of_keys_are_those_of_the_calendar)
{
	static const struct {
		uint64_t t;
		const char *day;
	} cases[] = {
		{ 0, "19700101" },
		{ 951782399, "20000228" },
		{ 951782400, "20000229" },
		{ 951868800, "20000301" },
		{ 1798761599, "20261231" },
		{ 4107542400, "21000301" },
		{ UINT64_MAX, "99991231" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feedback_head h = head;
		const char *key;

		h.end = cases[i].t;
		key = key_of(h, "d", 0);
		CHECK(strncmp(key + 8, cases[i].day, 8) == 0, cases[i].day);
	}
}

TEST(long_names_make_keys_that_fit)
{
	char name[300];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_true(strlen(key_of(head, name, 99)) <= FEEDBACK_KEY_MAX);
}

TEST(values_come_back_as_they_were)
{
	struct feedback_item in = { .u.dmarc = { .source = STR("192.0.2.1"),
					.count = 7,
					.disposition = STR("none"),
					.is_spf_aligned = true,
					.header_from = STR("demo.example"),
					.spf_result = STR("pass") } };
	struct buf b = BUF_INIT(KIB(8));
	struct feedback_item out;
	struct feedback_head h;
	struct wire items;
	unsigned n = 0;

	feedback_put_head(&b, &head);
	feedback_put_item(&b, head.kind, &in);
	feedback_put_item(&b, head.kind, &in);
	assert_true(feedback_read_head(buf_str(&b), &h, &items));
	assert_true(str_eq(h.policy, STR("reject")));
	assert_int_equal(h.end, head.end);
	for (; feedback_read_item(&items, h.kind, &out); n++) {
		assert_true(str_eq(out.u.dmarc.source, STR("192.0.2.1")));
		assert_int_equal(out.u.dmarc.count, 7);
		assert_false(out.u.dmarc.is_dkim_aligned);
		assert_true(out.u.dmarc.is_spf_aligned);
		assert_true(str_eq(out.u.dmarc.spf_result, STR("pass")));
	}
	assert_int_equal(n, 2);
	assert_false(items.failed);
	buf_done(&b);
}

TEST(texts_are_cut_between_letters)
{
	char text[400];
	struct feedback_head h = head, out;
	struct buf b = BUF_INIT(KIB(8));
	struct wire items;

	memset(text, 'a', sizeof(text));
	memcpy(text + FEEDBACK_TEXT_MAX - 1, "\xc3\xbc", 2);
	h.reporter = str_make(text, sizeof(text));
	feedback_put_head(&b, &h);
	assert_true(feedback_read_head(buf_str(&b), &out, &items));
	assert_int_equal(out.reporter.n, FEEDBACK_TEXT_MAX - 1);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_has_the_same_key_whenever_it_comes),
		cmocka_unit_test(days_of_keys_are_those_of_the_calendar),
		cmocka_unit_test(long_names_make_keys_that_fit),
		cmocka_unit_test(values_come_back_as_they_were),
		cmocka_unit_test(texts_are_cut_between_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
