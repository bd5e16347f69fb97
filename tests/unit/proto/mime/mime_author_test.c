/* SPDX-License-Identifier: ISC */
/* mime_author_test.c - nothing that a reader may take for an author is
 * overlooked. */
#include "../../test.h"

#include "base/buf.h"
#include "proto/mime/mime_author.h"

#define TWICE     MIME_AUTHOR_TWICE
#define UNCLEAR   MIME_AUTHOR_UNCLEAR
#define NO_SENDER MIME_AUTHOR_NO_SENDER

/* clang-format off */
static const struct {
	const char *header;
	const char *want; /* separated by "|" */
	unsigned faults;
} cases[] = {
	{ "Subject: x\r\n\r\nFrom: a@b\r\n", "", 0 },
	{ "From: a@b\r\n\r\n", "a@b", 0 },
	{ "from: Ann <A@B.example>\r\n\r\n", "A@B.example", 0 },
	{ "FROM : a@b\r\n\r\n", "a@b", 0 },
	{ "From: a@b (c@d)\r\n\r\n", "a@b", 0 },
	{ "From: \"c@d\" <a@b>\r\n\r\n", "a@b", 0 },
	{ "From: \"c@d\\\" <e@f>\" <a@b>\r\n\r\n", "a@b", 0 },
	{ "From: \"a b\"@c\r\n\r\n", "a b@c", 0 },
	{ "From: \"a@b\"@c\r\n\r\n", "a@b@c", 0 },
	{ "From: Ann\r\n <a@b>\r\n\r\n", "a@b", 0 },
	{ "From: a@b, c@d\r\nSender: a@b\r\n\r\n", "a@b|c@d", 0 },
	{ "From: a@b, a@b\r\nSender: e@f\r\n\r\n", "a@b|e@f", 0 },
	{ "From: a@b\r\nSender: c@d\r\n\r\n", "a@b|c@d", 0 },
	{ "From: a@b, c@d\r\n\r\n", "a@b|c@d", NO_SENDER },
	{ "From: We: a@b, c@d;\r\nSender: a@b\r\n\r\n", "a@b|c@d", 0 },
	{ "From: We: a@b;, c@d\r\nSender: a@b\r\n\r\n", "a@b|c@d", 0 },
	{ "From: We:;\r\n\r\n", "", UNCLEAR },
	{ "From:\r\n\r\n", "", UNCLEAR },
	{ "From: \r\nSender: a@b\r\n\r\n", "a@b", UNCLEAR },
	{ "From: a@b\r\nFrom: c@d\r\n\r\n", "a@b|c@d", TWICE },
	{ "From: a@b\r\nX: y\r\nFrom: a@b\r\n\r\n", "a@b", TWICE },
	{ "From: a@b\r\nSender: a@b\r\nSender: c@d\r\n\r\n", "a@b|c@d", TWICE },
	{ "From: a@b\r\nSender: a@b, c@d\r\n\r\n", "a@b|c@d", TWICE },
	/* encoded words are names, and as an address nobody's */
	{ "From: =?utf-8?q?c=40d?= <a@b>\r\n\r\n", "a@b", 0 },
	{ "From: =?utf-8?q?a?=@b\r\n\r\n", "=?utf-8?q?a?=@b", 0 },
	{ "From: =?utf-8?q?a=40b?=\r\n\r\n", "=?utf-8?q?a=40b?=", 0 },
	{ "From: \xC3\xBC@b\xC3\xBC.example\r\n\r\n",
	  "\xC3\xBC@b\xC3\xBC.example", 0 },
	/* what readers disagree about */
	{ "From: a@b <c@d>\r\n\r\n", "a@b|c@d", 0 },
	{ "From: a@b <a@b>\r\n\r\n", "a@b", 0 },
	{ "From: <a@b> <c@d>\r\n\r\n", "a@b|c@d", 0 },
	{ "From: <a@b>c@d\r\n\r\n", "a@b|c@d", 0 },
	{ "From: <@x,@y:a@b>\r\n\r\n", "a@b", UNCLEAR },
	{ "From: a@b@c\r\n\r\n", "a@b|b@c", 0 },
	{ "From: a@b <\"c d\"@e>\r\n\r\n", "a@b", UNCLEAR },
	{ "From: \"a@b <c@d>\r\n\r\n", "a@b <c@d>", UNCLEAR },
	{ "From: a@b (c\r\n\r\n", "a@b", UNCLEAR },
	{ "From: a@[192.0.2.1]\r\n\r\n", "a@[192.0.2.1]", 0 },
	{ "From: a@b [c@d]\r\n\r\n", "a@b|c@d", 0 },
	{ "From: Ann\r\n\r\n", "Ann", 0 },
	{ "From: a@b\r\n: From: c@d\r\nno field\r\nFrom: e@f\r\n\r\n",
	  "a@b|e@f", TWICE },
};
/* clang-format on */

TEST(everybody_who_could_be_shown_is_found)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf got = BUF_INIT(KIB(64));
		struct mime_authors authors;
		struct arena a;

		arena_init(&a, MIME_AUTHORS_ARENA);
		mime_authors_read(str_c(cases[i].header), &a, &authors);
		for (size_t k = 0; k < authors.n; k++) {
			if (k > 0)
				buf_put_char(&got, '|');
			buf_put_str(&got, authors.v[k]);
		}
		if (!str_eq(buf_str(&got), str_c(cases[i].want)) ||
		    authors.faults != cases[i].faults)
			fail_msg("%s: want %s %u, got %.*s %u", cases[i].header,
			    cases[i].want, cases[i].faults,
			    STR_ARG(buf_str(&got)), authors.faults);
		buf_done(&got);
		arena_done(&a);
	}
}

TEST(there_is_a_limit_and_it_is_said)
{
	struct buf b = BUF_INIT(MIB(16));
	struct mime_authors authors;
	struct arena a;

	arena_init(&a, MIME_AUTHORS_ARENA);
	buf_put_c(&b, "Sender: a@b\r\nFrom: x@y");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, ",\r\n a%d@b", i);
	buf_put_c(&b, "\r\n\r\n");
	mime_authors_read(buf_str(&b), &a, &authors);
	CHECK(authors.n == MIME_AUTHORS_MAX, "as many as there is room for");
	CHECK(authors.faults == MIME_AUTHOR_MANY, "said so");
	buf_reset(&b, 0);
	buf_put_c(&b, "From: ");
	for (int i = 0; i < 1000000; i++)
		buf_put_c(&b, "a@b, ");
	buf_put_c(&b, "evil@x\r\n\r\n");
	arena_reset(&a);
	mime_authors_read(buf_str(&b), &a, &authors);
	CHECK(authors.faults & MIME_AUTHOR_MANY, "too long");
	arena_done(&a);
	buf_done(&b);
}

TEST(from_alone_is_read_to_the_last_field_of_it)
{
	static const struct {
		const char *header, *want;
		unsigned faults;
	} from[] = {
		{ "Sender: a@b, c@d\r\nFrom: e@f\r\n\r\n", "e@f", 0 },
		{ "From: a@b, c@d\r\n\r\n", "a@b|c@d", 0 },
		{ "From: a@b\r\nTo: x@y\r\nFROM : c@d\r\n\r\n", "a@b|c@d",
		    TWICE },
		{ "From: \"x@y\" <a@b> <c@d>\r\n\r\n", "a@b|c@d", 0 },
		{ "From: Ann\r\n\r\n", "Ann", 0 },
		/* What has no end, or nothing behind it, is what is shown. */
		{ "From: \"c@d\r\n\r\n", "c@d", 0 },
		{ "From: (c@d\r\n\r\n", "c@d", 0 },
		{ "From: \"c@d\"\r\n\r\n", "c@d", 0 },
		{ "From: \"Ann c@d\" <>\r\n\r\n", "|c@d", 0 },
		{ "From: a@b, \"c@d\r\n\r\n", "a@b|c@d", 0 },
		{ "To: a@b\r\n\r\nFrom: c@d\r\n", "", 0 },
		{ "From: 1@b\r\nFrom: 2@b\r\nFrom: 3@b\r\nFrom: 4@b\r\n"
		  "From: 5@b\r\n\r\n",
		    "1@b|2@b|3@b|4@b", TWICE | MIME_AUTHOR_MANY },
	};

	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		struct buf got = BUF_INIT(KIB(4));
		struct mime_authors authors;
		struct arena a;

		arena_init(&a, MIME_AUTHORS_ARENA);
		mime_from_read(str_c(from[i].header), &a, &authors);
		for (size_t k = 0; k < authors.n; k++)
			buf_printf(&got, "%s%.*s", k > 0 ? "|" : "",
			    STR_ARG(authors.v[k]));
		if (!str_eq(buf_str(&got), str_c(from[i].want)) ||
		    (authors.faults & ~(unsigned)MIME_AUTHOR_UNCLEAR) !=
			from[i].faults)
			fail_msg("%s: got %s %u", from[i].header, buf_c(&got),
			    authors.faults);
		buf_done(&got);
		arena_done(&a);
	}
}

TEST_MAIN(UNIT(everybody_who_could_be_shown_is_found),
    UNIT(from_alone_is_read_to_the_last_field_of_it),
    UNIT(there_is_a_limit_and_it_is_said))
