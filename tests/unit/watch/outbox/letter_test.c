/* SPDX-License-Identifier: ISC */
/* letter_test.c - the bytes of mail and of webhooks. */
#include "../../holds.h"
#include "../../test.h"
#include "proto/status/status_subscriber.h"
#include "watch/outbox/author.h"
#include "watch/outbox/outbox_internal.h"

static struct status_message
message(void)
{
	return (struct status_message){ .to = STR("ops@example.org"),
		.subject = STR("[DOWN] Box: smtp"),
		.body = STR("one\n.two\n"),
		.language = STR("en"),
		.made_ms = 1795392000000 };
}

static const struct letter_stamp stamp = { .id = "0123",
	.from = STR("postmaster@mail.example.org"),
	.name = STR("Monitoring of \"x\""),
	.host = STR("mail.example.org") };

TEST(a_letter_is_a_message)
{
	struct status_message m = message();
	struct buf b = BUF_INIT(LETTER_MAX), again = BUF_INIT(LETTER_MAX);

	letter_write(&m, &stamp, &b);
	assert_string_equal(buf_c(&b),
	    "From: \"Monitoring of \\\"x\\\"\" "
	    "<postmaster@mail.example.org>\r\n"
	    "To: <ops@example.org>\r\n"
	    "Subject: [DOWN] Box: smtp\r\n"
	    "Date: Mon, 23 Nov 2026 00:00:00 +0000\r\n"
	    "Message-ID: <0123@mail.example.org>\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "Content-Language: en\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "one\r\n.two\r\n");
	/* Each attempt is the same mail. */
	letter_write(&m, &stamp, &again);
	CHECK(str_eq(buf_str(&b), buf_str(&again)), "the same");
	buf_done(&b);
	buf_done(&again);
}

TEST(letters_are_7_bit_and_their_lines_end)
{
	struct status_message m = message();
	struct buf b = BUF_INIT(LETTER_MAX), body = BUF_INIT(STATUS_LETTER_MAX);
	struct str line, rest;

	while (body.n < STATUS_LETTER_MAX - 8)
		buf_put_c(&body, "\xC3\xA9");
	m.body = buf_str(&body);
	m.subject = STR("Syst\xC3\xA8me \xC3\xA0 Montr\xC3\xA9"
			"al, avec un tr\xC3\xA8s long sujet qui ne finit pas "
			"avant la fin de la ligne");
	letter_write(&m, &stamp, &b);
	CHECK(!b.failed && str_is_ascii(buf_str(&b)), "7 bit");
	for (rest = buf_str(&b); rest.n > 0;) {
		rest = str_split(rest, '\n', &line);
		CHECK(line.n < 998 && str_ends(line, STR("\r")), "a line");
	}
	CHECK(holds(&b, "quoted-printable"), "encoded");
	buf_done(&b);
	buf_done(&body);
}

TEST(one_click_ends_a_subscription)
{
	struct status_message m = message();
	struct buf b = BUF_INIT(LETTER_MAX);

	m.unsubscribe = STR("https://status.example.org/unsubscribe?to=1");
	m.thread = STR("post 7");
	letter_write(&m, &stamp, &b);
	CHECK(holds(&b, "\r\nList-Unsubscribe: "
			"<https://status.example.org/unsubscribe?to=1>\r\n"
			"List-Unsubscribe-Post: "
			"List-Unsubscribe=One-Click\r\n"),
	    "RFC 8058");
	CHECK(holds(&b, "\r\nReferences: <"), "a thread");
	CHECK(!holds(&b, "List-Id") && !holds(&b, "Reply-To"), "not asked for");
	buf_reset(&b, 0);
	/* The one click is for HTTPS only. */
	m.unsubscribe = STR("http://status.example.org/unsubscribe?to=1");
	letter_write(&m, &stamp, &b);
	CHECK(holds(&b, "List-Unsubscribe: <http://"), "by hand");
	CHECK(!holds(&b, "List-Unsubscribe-Post"), "RFC 8058 section 3.1");
	buf_done(&b);
}

TEST(a_mail_about_several_things_is_in_the_thread_of_each)
{
	struct status_message m = message();
	struct buf b = BUF_INIT(LETTER_MAX);
	char one[LETTER_ID_LEN + 1], two[LETTER_ID_LEN + 1];

	letter_id(STR("thread"), STR("box/imap#1"), one);
	letter_id(STR("thread"), STR("box/pop3#4"), two);
	m.thread = STR("box/imap#1,box/pop3#4");
	letter_write(&m, &stamp, &b);
	CHECK(holds(&b, "\r\nReferences: <"), "the field");
	CHECK(holds(&b, one) && holds(&b, two), "both");
	CHECK(str_search(buf_str(&b), str_c(two)) -
		      str_search(buf_str(&b), str_c(one)) <
		  80,
	    "on lines of their own");
	buf_done(&b);
}

TEST(subscribers_hear_from_the_provider)
{
	char host[] = "mail.example.org", title[] = "Example \"Mail\"";
	char from[] = "status@example.org", people[] = "help@example.org";
	char url[] = "https://status.example.org:444", none[] = "";
	char reports[] = "reports@example.org", phone[] = "+1 555 0100";
	char address[] = "https://192.0.2.1", number[] = "192.0.2.1";
	char address6[] = "https://[2001:db8::a]:444";
	struct conf c = { .hostname = host,
		.site_title = title,
		.site_from = from,
		.site_url = url,
		.site_contact = people,
		.report_from = reports };
	struct status_message m = message();
	struct buf b = BUF_INIT(LETTER_MAX);
	struct letter_stamp s;
	struct author a;

	author_init(&a, &c, STATUS_FOR_NEWS);
	s = author_stamp(&a, &c, "1");
	letter_write(&m, &s, &b);
	CHECK(holds(&b, "From: \"Example \\\"Mail\\\"\" <status@example.org>"
			"\r\n"),
	    "the provider");
	CHECK(holds(&b, "\r\nReply-To: <help@example.org>\r\n"), "people");
	CHECK(holds(&b, "\r\nList-Id: <news.status.example.org>\r\n"),
	    "RFC 2919");
	author_done(&a);
	author_init(&a, &c, STATUS_FOR_CONFIRM);
	CHECK(a.list == NULL && a.reply_to != NULL, "no list yet");
	author_done(&a);
	author_init(&a, &c, STATUS_FOR_ALERT);
	assert_string_equal(a.name, "Monitoring of mail.example.org");
	assert_string_equal(a.from, "reports@example.org");
	CHECK(a.list == NULL && a.reply_to == NULL, "operators");
	author_done(&a);
	c = (struct conf){ .hostname = host,
		.site_title = none,
		.site_from = none,
		.site_url = address,
		.site_contact = phone,
		.report_from = none };
	author_init(&a, &c, STATUS_FOR_NEWS);
	assert_string_equal(a.name, "mail.example.org");
	assert_string_equal(a.from, "postmaster@mail.example.org");
	assert_string_equal(a.list, "news.mail.example.org");
	CHECK(a.reply_to == NULL, "a phone answers no mail");
	author_done(&a);
	c.site_url = address6;
	author_init(&a, &c, STATUS_FOR_NEWS);
	assert_string_equal(a.list, "news.mail.example.org");
	author_done(&a);
	c.hostname = number;
	author_init(&a, &c, STATUS_FOR_NEWS);
	CHECK(a.list == NULL, "an address is no name");
	author_done(&a);
	buf_done(&b);
}

TEST(webhooks_are_signed_as_the_standard_says)
{
	/* The example of the Standard Webhooks libraries. */
	struct status_message m = { .body = STR("{\"test\": 2432232314}"),
		.secret = STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") };
	struct buf b = BUF_INIT(KIB(1));

	letter_sign(&m, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, &b);
	assert_string_equal(
	    buf_c(&b), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_reset(&b, 0);
	m.secret = STR("plain words");
	letter_sign(&m, "x", 1, &b);
	CHECK(b.n == 3 + 44, "any secret will do");
	buf_done(&b);
}

TEST(ids_name_one_message)
{
	char a[LETTER_ID_LEN + 1], b[LETTER_ID_LEN + 1];

	letter_id(STR("told"), STR("m/a/box/smtp/1/ops"), a);
	letter_id(STR("told"), STR("m/a/box/smtp/1/ops"), b);
	assert_string_equal(a, b);
	letter_id(STR("told"), STR("m/a/box/smtp/2/ops"), b);
	CHECK(strcmp(a, b) != 0, "another");
	letter_id(STR("outbox"), STR("m/a/box/smtp/1/ops"), b);
	CHECK(strcmp(a, b) != 0, "another table");
	CHECK(strlen(a) == LETTER_ID_LEN, "length");
}

TEST_MAIN(UNIT(a_letter_is_a_message),
    UNIT(letters_are_7_bit_and_their_lines_end),
    UNIT(one_click_ends_a_subscription),
    UNIT(a_mail_about_several_things_is_in_the_thread_of_each),
    UNIT(subscribers_hear_from_the_provider),
    UNIT(webhooks_are_signed_as_the_standard_says), UNIT(ids_name_one_message))
