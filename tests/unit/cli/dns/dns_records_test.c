/* SPDX-License-Identifier: ISC */
/* dns_records_test.c - texts as strings of a zone file. */
#include "../../test.h"
#include "cli/dns/dns_records.h"

/* What a zone file's reader makes of strings in quotes; the longest one. */
static size_t
read_back(struct str in, struct buf *to)
{
	size_t longest = 0, n = 0;
	bool is_open = false;

	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == '"') {
			is_open = !is_open;
			longest = MAX(longest, n);
			n = 0;
			continue;
		}
		if (!is_open)
			continue;
		if (c == '\\' && ascii_is_digit(in.p[i + 1])) {
			c = (char)((in.p[i + 1] - '0') * 100 +
				   (in.p[i + 2] - '0') * 10 +
				   (in.p[i + 3] - '0'));
			i += 3;
		} else if (c == '\\') {
			c = in.p[++i];
		}
		buf_put_char(to, c);
		n++;
	}
	return is_open ? SIZE_MAX : longest;
}

TEST(a_text_of_any_length_is_strings_of_255)
{
	char text[1024];
	struct dns_record rec = { .type = DNS_TXT, .value = text };
	struct buf out = BUF_INIT(KIB(16)), back = BUF_INIT(KIB(16));

	for (size_t n = 0; n < sizeof(text); n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		buf_reset(&out, out.cap);
		buf_reset(&back, back.cap);
		dns_record_put_value(&rec, &out);
		CHECK(read_back(buf_str(&out), &back) <= 255, "length");
		CHECK(str_eq(buf_str(&back), str_c(text)), "text");
	}
	buf_done(&out);
	buf_done(&back);
}

TEST(what_means_something_in_a_zone_file_is_quoted)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "", "\"\"" },
		{ "v=spf1 mx; x", "\"v=spf1 mx; x\"" },
		{ "a\"b", "\"a\\\"b\"" },
		{ "a\\b", "\"a\\\\b\"" },
		{ "\n\x7f", "\"\\010\\127\"" },
		{ "\xc3\xbc", "\"\\195\\188\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *value = x_strdup(cases[i].in);
		struct dns_record rec = { .type = DNS_TXT, .value = value };
		struct buf out = BUF_INIT(KIB(1)), back = BUF_INIT(KIB(1));

		dns_record_put_value(&rec, &out);
		CHECK(str_eq(buf_str(&out), str_c(cases[i].want)), buf_c(&out));
		(void)read_back(buf_str(&out), &back);
		CHECK(str_eq(buf_str(&back), str_c(value)), cases[i].in);
		free(value);
		buf_done(&out);
		buf_done(&back);
	}
}

TEST(other_values_stay_as_they_are)
{
	char value[] = "10 mail.example.org.";
	struct dns_record rec = { .type = DNS_MX, .value = value };
	struct buf out = BUF_INIT(KIB(1));

	dns_record_put_value(&rec, &out);
	CHECK(str_eq(buf_str(&out), str_c(value)), buf_c(&out));
	buf_done(&out);
}

TEST_MAIN(cmocka_unit_test(a_text_of_any_length_is_strings_of_255),
    cmocka_unit_test(what_means_something_in_a_zone_file_is_quoted),
    cmocka_unit_test(other_values_stay_as_they_are))
