/* SPDX-License-Identifier: ISC */
/* smtp_client_parts_test.c - the client's reader, capabilities and body. */
#include "../../test.h"
#include "proto/smtp/smtp_client.h"
#include "proto/smtp/smtp_client_body.h"
#include "proto/smtp/smtp_client_reply.h"

/* clang-format off */
static const struct {
	const char *name;
	const char *in;
	enum smtp_reply_step want;
	int code;
	const char *text;
} replies[] = {
	{ "one line",         "250 ok\r\n",          SMTP_REPLY_DONE, 250, "ok" },
	{ "bare code",        "250\r\n",             SMTP_REPLY_DONE, 250, "" },
	{ "bare LF",          "250-a\n250 b\n",      SMTP_REPLY_DONE, 250, "a\nb" },
	{ "two codes",        "250-a\r\n550 b\r\n",  SMTP_REPLY_DONE, 550, "a\nb" },
	{ "odd digits",       "299 a\r\n",           SMTP_REPLY_DONE, 299, "a" },
	{ "CR inside",        "250 a\rb\r\n",        SMTP_REPLY_DONE, 250, "a\rb" },
	{ "not complete",     "250-a\r\n250",        SMTP_REPLY_MORE, 0, NULL },
	{ "no code",          "hello\r\n",           SMTP_REPLY_BAD, 0, "hello" },
	{ "100",              "100 a\r\n",           SMTP_REPLY_BAD, 0, "100 a" },
	{ "600",              "600 a\r\n",           SMTP_REPLY_BAD, 0, "600 a" },
	{ "two digits",       "25\r\n",              SMTP_REPLY_BAD, 0, "25" },
	{ "four digits",      "2500 a\r\n",          SMTP_REPLY_BAD, 0, "2500 a" },
	{ "empty line",       "\r\n",                SMTP_REPLY_BAD, 0, "" },
	{ "nonsense inside",  "250-a\r\nb\r\n",      SMTP_REPLY_BAD, 0, "b" },
};
/* clang-format on */

TEST(replies_are_read_whatever_the_split)
{
	for (size_t i = 0; i < ARRAY_LEN(replies); i++)
		for (size_t cut = 0; cut <= strlen(replies[i].in); cut++) {
			struct smtp_client_reader r;
			struct str in = str_c(replies[i].in);
			struct str head = str_first(in, cut);
			struct str tail = str_from(in, cut);
			enum smtp_reply_step step;

			smtp_client_reader_init(&r);
			step = smtp_client_reader_feed(&r, &head);
			if (step == SMTP_REPLY_MORE)
				step = smtp_client_reader_feed(&r, &tail);
			CHECK(step == replies[i].want, replies[i].name);
			if (step == SMTP_REPLY_DONE)
				CHECK(
				    r.code == replies[i].code, replies[i].name);
			if (replies[i].text)
				CHECK(str_eq(buf_str(&r.text),
					  str_c(replies[i].text)),
				    replies[i].name);
			smtp_client_reader_done(&r);
		}
}

/* n bytes, with prefix in front and a line end. */
static void
put_long_line(struct buf *to, const char *prefix, size_t n)
{
	buf_put_c(to, prefix);
	for (size_t i = strlen(prefix); i < n; i++)
		buf_put_char(to, 'x');
	buf_put_c(to, "\r\n");
}

static enum smtp_reply_step
feed_all(struct buf *in)
{
	struct smtp_client_reader r;
	struct str s = buf_str(in);
	enum smtp_reply_step step;

	smtp_client_reader_init(&r);
	step = smtp_client_reader_feed(&r, &s);
	smtp_client_reader_done(&r);
	buf_reset(in, 0);
	return step;
}

TEST(limits_of_replies_hold)
{
	struct buf in = BUF_INIT(MIB(1));

	put_long_line(&in, "250 ", 1500);
	CHECK(feed_all(&in) == SMTP_REPLY_DONE, "longer than it may be");
	put_long_line(&in, "250 ", SMTP_CLIENT_LINE_MAX);
	CHECK(feed_all(&in) == SMTP_REPLY_DONE, "longest");
	put_long_line(&in, "250 ", SMTP_CLIENT_LINE_MAX + 1);
	CHECK(feed_all(&in) == SMTP_REPLY_LONG, "too long");
	put_long_line(&in, "250 ", SMTP_CLIENT_LINE_MAX * 2);
	CHECK(feed_all(&in) == SMTP_REPLY_LONG, "absurd");
	for (size_t i = 0; i < SMTP_REPLY_LINES_MAX - 1; i++)
		buf_put_c(&in, "250-a\r\n");
	buf_put_c(&in, "250 a\r\n");
	CHECK(feed_all(&in) == SMTP_REPLY_DONE, "as many lines as may be");
	for (size_t i = 0; i < SMTP_REPLY_LINES_MAX; i++)
		buf_put_c(&in, "250-a\r\n");
	buf_put_c(&in, "250 a\r\n");
	CHECK(feed_all(&in) == SMTP_REPLY_LONG, "too many lines");
	for (size_t i = 0; i < 20; i++)
		put_long_line(&in, "250-", 1000);
	CHECK(feed_all(&in) == SMTP_REPLY_LONG, "too much text");
	buf_done(&in);
}

TEST(capabilities_are_read_with_their_parameters)
{
	struct smtp_caps caps = smtp_caps_parse(
	    STR("SIZE 5 is not one here\nsize 35882577\nPIPELINING\n8BITMIME\n"
		"DSN\nAUTH LOGIN  XOAUTH2 "
		"SCRAM-SHA-256\nAUTH=PLAIN\nENHANCEDSTATUSCODES\n"
		"SMTPUTF8\nCHUNKING\nBINARYMIME\nDELIVERBY 240\nMT-PRIORITY\n"
		"FUTURERELEASE 864000 2030-01-01T00:00:00Z\nREQUIRETLS\n"
		"LIMITS RCPTMAX=20 MAILMAX=0 rcptdomainmax=1 X=y =\nXEXCH50\n"
		"STARTTLS"));

	CHECK(caps.has == (SMTP_CAP_LIMITS << 1) - 1, "all");
	CHECK(caps.size_max == 35882577, "SIZE");
	CHECK(caps.auth ==
		  (SMTP_MECHANISM_PLAIN | SMTP_MECHANISM_LOGIN |
		      SMTP_MECHANISM_OTHER | SMTP_MECHANISM_SCRAM_SHA_256),
	    "AUTH");
	CHECK(caps.hold_max == 864000 && caps.by_min == 240, "times");
	CHECK(caps.rcpt_max == 20 && caps.mail_max == 0, "LIMITS");
	CHECK(caps.rcpt_domain_max == 1, "LIMITS");
	caps = smtp_caps_parse(STR("x"));
	CHECK(caps.has == 0, "none");
	caps = smtp_caps_parse(STR("x\nSIZE\nSIZES 3\n\n \nLIMITS"));
	CHECK(caps.has == (SMTP_CAP_SIZE | SMTP_CAP_LIMITS), "no values");
	CHECK(caps.size_max == 0, "no values");
	caps = smtp_caps_parse(STR("x\nSIZE 99999999999999999999\nSIZE -1"));
	CHECK(caps.size_max == 0, "nonsense is no limit");
	CHECK(strcmp(smtp_cap_str(SMTP_CAP_DSN), "DSN") == 0, "name");
}

/* clang-format off */
static const struct {
	const char *in, *out;
} bodies[] = {
	{ "",               ".\r\n" },
	{ "a",              "a\r\n.\r\n" },
	{ "a\r\n",          "a\r\n.\r\n" },
	{ ".",              "..\r\n.\r\n" },
	{ ".\r\n.\r\n",     "..\r\n..\r\n.\r\n" },
	{ "..a\r\n b.\r\n", "...a\r\n b.\r\n.\r\n" },
	{ "a\n.\nb",        "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r.\rb",        "a\r\n..\r\nb\r\n.\r\n" },
	{ "a\r",            "a\r\n.\r\n" },
	{ "a\r\r\n.",       "a\r\n\r\n..\r\n.\r\n" },
	{ "\n\n",           "\r\n\r\n.\r\n" },
	{ "\r\n.\r\n",      "\r\n..\r\n.\r\n" },
};
/* clang-format on */

TEST(bodies_are_stuffed_whatever_the_split)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		for (size_t cut = 0; cut <= strlen(bodies[i].in); cut++) {
			struct smtp_client_body b = { 0 };
			struct str in = str_c(bodies[i].in);
			struct buf out = BUF_INIT(100);

			smtp_client_body_put(&b, str_first(in, cut), &out);
			smtp_client_body_put(&b, str_from(in, cut), &out);
			CHECK(out.n <= SMTP_CLIENT_BODY_GROWTH(in.n), "growth");
			smtp_client_body_end(&b, &out);
			CHECK(str_eq(buf_str(&out), str_c(bodies[i].out)),
			    bodies[i].in);
			buf_done(&out);
		}
}

TEST(every_stage_has_a_name_and_a_timeout)
{
	for (int i = 0; i <= SMTP_CLIENT_CLOSED; i++) {
		CHECK(smtp_client_timeout((enum smtp_client_stage)i) >= 10,
		    "timeout");
		CHECK(
		    *smtp_client_stage_str((enum smtp_client_stage)i), "name");
	}
	CHECK(smtp_client_timeout(SMTP_CLIENT_END) == 600, "RFC 5321");
}

TEST_MAIN(UNIT(replies_are_read_whatever_the_split),
    UNIT(limits_of_replies_hold),
    UNIT(capabilities_are_read_with_their_parameters),
    UNIT(bodies_are_stuffed_whatever_the_split),
    UNIT(every_stage_has_a_name_and_a_timeout))
