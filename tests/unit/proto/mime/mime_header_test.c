/* SPDX-License-Identifier: ISC */
/* mime_header_test.c - header fields, hops and missing fields. */
#include "../../test.h"
#include "proto/mime/mime_header.h"
#include "proto/mime/mime_hop.h"

/* "name|value|" of each field, to compare at one glance. */
static void
show(struct str in, struct buf *out)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_start(&it, in);
	while (mime_header_next(&it, &f)) {
		buf_put_str(out, f.name);
		buf_put_char(out, '|');
		mime_header_unfold(f.value, out);
		buf_put_char(out, '|');
	}
}

TEST(any_bytes_are_a_header_and_a_body)
{
	static const struct {
		const char *in;
		const char *fields;
		size_t body;
	} cases[] = {
		{ "", "", 0 },
		{ "\r\nbody", "", 2 },
		{ "\nbody", "", 1 },
		{ "A: b\r\n\r\nC: d", "A|b|", 8 },
		{ "A: b\nC:d\n\nbody", "A|b|C|d|", 10 },
		{ "A: b\r\n c\r\n\td\r\n\r\n", "A|b c\td|", 16 },
		{ "A : b\r\n", "A|b|", 7 },
		{ "A:\r\n b\r\n", "A|b|", 8 },
		{ "no colon\r\nA: b\r\n\r\n", "|no colon|A|b|", 18 },
		{ "From x Mon 1: 2\nA: b\n\n", "|From x Mon 1: 2|A|b|", 22 },
		{ " lost fold\nA: b\n\n", "|lost fold|A|b|", 17 },
		{ "A: b\rc\n\n", "A|b c|", 8 },
		{ "A: b\r\n \r\nC: d\r\n\r\n", "A|b|C|d|", 17 },
		{ ": b\n\n", "|: b|", 5 },
		{ "A: b", "A|b|", 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in);
		struct buf got = BUF_INIT(1000);

		show(in, &got);
		CHECK(
		    str_eq(buf_str(&got), str_c(cases[i].fields)), cases[i].in);
		CHECK(mime_header_length(in) == cases[i].body, cases[i].in);
		buf_done(&got);
	}
}

TEST(fields_are_found_by_name_and_place)
{
	struct str in = STR("a: 1\r\nB: 2\r\nA: 3\r\nb: 4\r\n\r\nA: 5\r\n");
	struct mime_field f = { .off = 77 };

	CHECK(mime_header_find(in, STR("A"), &f) && f.off == 0, "first");
	CHECK(mime_header_find_last(in, STR("a"), &f) && f.off == 12, "last");
	CHECK(mime_header_find_nth(in, STR("b"), 1, &f) && f.off == 18, "nth");
	CHECK(!mime_header_find_nth(in, STR("b"), 2, &f), "too many");
	CHECK(f.off == 18, "untouched");
	CHECK(mime_header_count(in, STR("A")) == 2, "the body is not counted");
	CHECK(!mime_header_find(in, STR(""), &f), "no name is no field");
}

TEST(selected_fields_are_verbatim)
{
	struct str in = STR("A: 1\r\n x\r\njunk\r\nb: 2\r\nC: 3\r\n\r\nbody");
	const struct str v[] = { STR("a"), STR("B") };
	struct mime_names names = { v, 2 };
	struct buf out = BUF_INIT(100);

	mime_header_select(in, names, false, &out);
	CHECK(str_eq(buf_str(&out), STR("A: 1\r\n x\r\nb: 2\r\n\r\n")), "in");
	buf_reset(&out, 100);
	mime_header_select(in, names, true, &out);
	CHECK(str_eq(buf_str(&out), STR("junk\r\nC: 3\r\n\r\n")), "out");
	buf_done(&out);
}

TEST(a_million_fields_are_read_once)
{
	struct buf in = BUF_INIT(MIB(64));
	struct mime_header_iter it;
	struct mime_field f;
	size_t n = 0, bytes = 0;

	for (int i = 0; i < 1000000; i++)
		buf_put_c(&in, i % 2 ? "X: y\r\n" : "no field\n");
	mime_header_start(&it, buf_str(&in));
	while (mime_header_next(&it, &f)) {
		n++;
		bytes += f.whole.n;
	}
	CHECK(n == 1000000, "all of them");
	CHECK(bytes == in.n, "every byte once");
	buf_done(&in);
}

TEST(hops_and_missing_fields_are_seen)
{
	struct mime_hop hop;

	mime_hop_scan(STR("Received: a\r\nreceived: b\r\nFROM: x@y\r\n"
			  "Delivered-To: Ana <ana@Example.org>\r\n\r\n"
			  "Date: not here\r\n"),
	    &hop);
	CHECK(hop.received == 2 && hop.from == 1, "counted");
	CHECK(mime_hop_lacks(&hop) == (MIME_LACKS_DATE | MIME_LACKS_MESSAGE_ID),
	    "lacks");
	CHECK(!hop.has_8bit && !hop.has_bad_line, "clean");
	mime_hop_scan(STR("Date: x\nMessage-ID: y\nFrom: \xC3\xA4\nx\n"), &hop);
	CHECK(mime_hop_lacks(&hop) == 0, "complete");
	CHECK(hop.has_8bit && hop.has_bad_line, "not clean");
	CHECK(mime_hop_is_delivered_to(
		  STR("Delivered-To: Ana <ana@Example.org>\n\n"),
		  STR("ana@example.ORG")),
	    "loop");
	CHECK(!mime_hop_is_delivered_to(
		  STR("Delivered-To: ana@example.org\n\n"), STR("a@b.c")),
	    "no loop");
}

TEST_MAIN(UNIT(any_bytes_are_a_header_and_a_body),
    UNIT(fields_are_found_by_name_and_place),
    UNIT(selected_fields_are_verbatim), UNIT(a_million_fields_are_read_once),
    UNIT(hops_and_missing_fields_are_seen))
