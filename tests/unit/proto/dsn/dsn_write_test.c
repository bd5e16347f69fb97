/* SPDX-License-Identifier: ISC */
/* dsn_write_test.c - reports to senders, byte for byte and by property. */
#include "../../test.h"
#include "proto/dsn/dsn_field.h"
#include "proto/dsn/dsn_parse.h"
#include "proto/dsn/dsn_text.h"
#include "proto/dsn/dsn_write.h"

static const char original[] = "From: a@example.net\r\n"
			       "Subject: Hi\r\n"
			       "\r\n"
			       "Text\r\n";

static struct dsn_report
sample(struct dsn_rcpt *rcpts, size_t n)
{
	return (struct dsn_report){
		.fields = { .envid = STR("QQ314"),
		    .reporting_mta = STR("mx.example.net"),
		    .arrival_date = STR("Mon, 23 Nov 2026 10:00:00 +0000"),
		    .rcpts = rcpts,
		    .n_rcpts = n },
		.language = STR("en"),
		.from = STR("MAILER-DAEMON@mx.example.net"),
		.to = STR("a@example.net"),
		.date = STR("Mon, 23 Nov 2026 10:00:05 +0000"),
		.message_id = STR("1@mx.example.net"),
		.boundary = STR("B1"),
		.original = str_c(original),
		.header_length = strlen(original) - strlen("Text\r\n"),
		.is_complete = true,
	};
}

static struct dsn_rcpt
failed(void)
{
	return (struct dsn_rcpt){
		.original = STR("rfc822;bob@example.org"),
		.final = STR("b@x.org"),
		.action = DSN_FAILED,
		.status = { 5, 1, 1 },
		.remote_mta = STR("mail.x.org"),
		.diagnostic = STR("550 5.1.1 No such user\n550 5.1.1 here"),
		.has_smtp_code = true,
		.last_attempt = STR("Mon, 23 Nov 2026 10:00:04 +0000"),
	};
}

static bool
has(const struct buf *b, const char *s)
{
	return str_search(buf_str(b), str_c(s)) >= 0;
}

TEST(a_failure_is_reported)
{
	struct dsn_rcpt rcpt = failed();
	struct dsn_report report = sample(&rcpt, 1);
	struct buf out = BUF_INIT(MIB(1));
	bool is_8bit = true;
	static const char want[] =
	    "From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\r\n"
	    "To: <a@example.net>\r\n"
	    "Subject: Your message could not be delivered\r\n"
	    "Date: Mon, 23 Nov 2026 10:00:05 +0000\r\n"
	    "Message-ID: <1@mx.example.net>\r\n"
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"=_B1.0\"\r\n"
	    "\r\n"
	    "--=_B1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Language: en\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "This is the mail system of mx.example.net.\r\n"
	    "\r\n"
	    "Your message could not be delivered to the following address. "
	    "It will\r\n"
	    "not be tried again.\r\n"
	    "\r\n"
	    "  b@x.org\r\n"
	    "    You wrote to bob@example.org, which leads to this "
	    "address.\r\n"
	    "    The address does not exist. Please check how it is "
	    "written, or ask\r\n"
	    "    for the right one.\r\n"
	    "    The server mail.x.org answered:\r\n"
	    "        550 5.1.1 No such user\r\n"
	    "        550 5.1.1 here\r\n"
	    "\r\n"
	    "The first lines of your message are attached.\r\n"
	    "\r\n"
	    "--=_B1.0\r\n"
	    "Content-Type: message/delivery-status\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "Original-Envelope-Id: QQ314\r\n"
	    "Reporting-MTA: dns; mx.example.net\r\n"
	    "Arrival-Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
	    "\r\n"
	    "Original-Recipient: rfc822;bob@example.org\r\n"
	    "Final-Recipient: rfc822; b@x.org\r\n"
	    "Action: failed\r\n"
	    "Status: 5.1.1\r\n"
	    "Remote-MTA: dns; mail.x.org\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 No such user 550 5.1.1 here\r\n"
	    "Last-Attempt-Date: Mon, 23 Nov 2026 10:00:04 +0000\r\n"
	    "\r\n"
	    "--=_B1.0\r\n"
	    "Content-Type: text/rfc822-headers\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "From: a@example.net\r\n"
	    "Subject: Hi\r\n"
	    "\r\n"
	    "\r\n"
	    "--=_B1.0--\r\n";

	CHECK(dsn_write(&report, &out, &is_8bit), "written");
	if (!str_eq(buf_str(&out), str_c(want)))
		fail_msg("got\n%s\nwant\n%s", buf_c(&out), want);
	CHECK(!is_8bit, "7-bit");
	buf_done(&out);
}

TEST(what_is_returned_follows_ret_and_what_can_be_sent)
{
	static const struct {
		const char *name;
		const char *message; /* NULL: the original */
		bool full, complete, success;
		const char *want, *not ;
	} cases[] = {
		{ "full", NULL, true, true, false, "message/rfc822\r\n",
		    "text/rfc822-headers" },
		{ "header", NULL, false, true, false, "text/rfc822-headers",
		    "\r\nText\r\n" },
		{ "not complete", NULL, true, false, false,
		    "text/rfc822-headers", "message/rfc822" },
		{ "success returns no body", NULL, true, true, true,
		    "text/rfc822-headers", "message/rfc822" },
		{ "bare LF", "A: b\r\n\r\nx\ny\r\n", true, true, false,
		    "text/rfc822-headers", "message/rfc822" },
		{ "bare CR", "A: b\r\n\r\nx\ry\r\n", true, true, false,
		    "text/rfc822-headers", "message/rfc822" },
		{ "CR at the end", "A: b\r\n\r\nx\r", true, true, false,
		    "text/rfc822-headers", "message/rfc822" },
		{ "no line end", "A: b\r\n\r\nx", true, true, false,
		    "\r\nx\r\n\r\n--", "text/rfc822-headers" },
		{ "boundary inside", "A: b\r\n\r\n--=_B1.0\r\n", true, true,
		    false, "--=_B1.1--", "boundary=\"=_B1.0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dsn_rcpt rcpt = failed();
		struct dsn_report report = sample(&rcpt, 1);
		struct buf out = BUF_INIT(MIB(1));
		bool is_8bit;

		if (cases[i].message) {
			report.original = str_c(cases[i].message);
			report.header_length = strlen("A: b\r\n\r\n");
		}
		report.return_full = cases[i].full;
		report.is_complete = cases[i].complete;
		if (cases[i].success)
			rcpt.action = DSN_DELIVERED;
		CHECK(dsn_write(&report, &out, &is_8bit), cases[i].name);
		CHECK(has(&out, cases[i].want), cases[i].name);
		CHECK(!has(&out, cases[i].not ), cases[i].name);
		buf_done(&out);
	}
}

TEST(each_fate_has_its_words_and_the_subject_is_the_worst)
{
	struct dsn_rcpt rcpts[] = {
		{ .final = STR("d@x"),
		    .action = DSN_DELAYED,
		    .status = { 4, 4, 2 },
		    .diagnostic = STR("the server did not answer in time"),
		    .will_retry_until =
			STR("Sat, 28 Nov 2026 10:00:00 +0000") },
		{ .final = STR("r@x"), .action = DSN_RELAYED },
		{ .final = STR("e@x"), .action = DSN_EXPANDED },
		{ .final = STR("s@x"),
		    .action = DSN_DELIVERED,
		    .status = { 2, 1, 5 } },
	};
	enum dsn_hint hints[] = { DSN_HINT_BLOCKED, 0, 0, 0 };
	struct dsn_report report = sample(rcpts, 4);
	struct buf out = BUF_INIT(MIB(1));
	bool is_8bit;

	report.hints = hints;
	CHECK(dsn_write(&report, &out, &is_8bit), "written");
	CHECK(has(&out, "Subject: Your message is delayed\r\n"), "subject");
	CHECK(has(&out, "refuses mail from our system"), "hint");
	CHECK(
	    has(&out, "    In detail:\r\n        the server did not"), "ours");
	CHECK(has(&out, "Diagnostic-Code: x-mailstead; the server"), "code");
	CHECK(has(&out, "until Sat, 28 Nov 2026 10:00:00 +0000"), "until");
	CHECK(has(&out, "Will-Retry-Until: Sat, 28"), "until");
	CHECK(has(&out, "Action: relayed\r\nStatus: 2.0.0\r\n"), "relayed");
	CHECK(has(&out, "Action: expanded\r\nStatus: 2.0.0\r\n"), "expanded");
	CHECK(has(&out, "Action: delivered\r\nStatus: 2.1.5\r\n"), "delivered");
	CHECK(has(&out, "Action: delayed\r\nStatus: 4.4.2\r\n"), "delayed");
	buf_done(&out);
}

TEST(nobody_can_write_a_line_of_his_own_into_a_report)
{
	struct dsn_rcpt rcpt = failed();
	struct dsn_report report = sample(&rcpt, 1);
	struct buf out = BUF_INIT(MIB(1));
	bool is_8bit;

	rcpt.final = STR("b@x\r\nX-Evil: 1");
	rcpt.original = STR("rfc822;c\nX-Evil: 2");
	rcpt.diagnostic = STR("550 a\r\nX-Evil: 3\r\n.\r\n\xFF\x01");
	rcpt.remote_mta = STR("m\r\n\r\nX-Evil: 4");
	report.to = STR("a>\r\nX-Evil: 5");
	report.fields.envid = STR("\r\nX-Evil: 6");
	CHECK(dsn_write(&report, &out, &is_8bit), "written");
	CHECK(!has(&out, "\nX-Evil"), "no line");
	CHECK(!has(&out, "\n.\r\n"), "no dot");
	CHECK(!is_8bit && str_find(buf_str(&out), 1) < 0, "clean");
	buf_done(&out);
}

TEST(addresses_and_mail_in_utf8_are_reported)
{
	struct dsn_rcpt rcpt = failed();
	struct dsn_report report = sample(&rcpt, 1);
	struct buf out = BUF_INIT(MIB(1));
	struct dsn_fields f;
	struct arena a;
	bool is_8bit;

	rcpt.final = STR("b\xC3\xBC@x.org");
	report.original = STR("Subject: \xC3\xBC\r\n\r\n");
	report.header_length = report.original.n;
	CHECK(dsn_write(&report, &out, &is_8bit), "written");
	CHECK(has(&out, "Final-Recipient: utf-8; b\\x{FC}@x.org"), "ASCII");
	CHECK(has(&out, "b=C3=BC@x.org"), "quoted-printable");
	CHECK(is_8bit, "the header is");
	buf_reset(&out, 0);
	report.is_smtputf8 = true;
	CHECK(dsn_write(&report, &out, &is_8bit), "written");
	CHECK(has(&out, "message/global-delivery-status"), "RFC 6533");
	CHECK(has(&out, "message/global-headers"), "RFC 6533");
	CHECK(has(&out, "Final-Recipient: utf-8; b\xC3\xBC@x.org"), "UTF-8");
	buf_reset(&out, 0);
	arena_init(&a, DSN_ARENA_MAX);
	dsn_write_fields(&report.fields, false, &out);
	CHECK(dsn_parse(&a, buf_str(&out), &f), "parse");
	CHECK(str_eq(f.rcpts[0].final, rcpt.final), "and back");
	arena_done(&a);
	buf_done(&out);
}

TEST(every_language_has_every_text)
{
	for (int i = 0; dsn_language_code(i); i++) {
		CHECK(dsn_language(str_c(dsn_language_code(i))) == i, "code");
		for (int id = 0; id < DSN_TEXT_COUNT; id++) {
			const char *text = dsn_text(i, (enum dsn_text)id);
			const char *english = dsn_text(0, (enum dsn_text)id);

			CHECK(str_is_utf8(str_c(text)), text);
			CHECK(!strstr(english, "{}") == !strstr(text, "{}"),
			    text);
			CHECK(i == 0 || text != english, "translated");
		}
		for (int id = 0; id <= DSN_TEXT_SUBJECT_DONE; id++) {
			struct buf word = BUF_INIT(KIB(1));

			dsn_text_put_word(
			    &word, dsn_text(i, (enum dsn_text)id));
			CHECK(word.n <= 75, "RFC 2047 section 2");
			buf_done(&word);
		}
	}
	CHECK(dsn_language(STR("de-AT")) == dsn_language(STR("de")), "region");
	CHECK(dsn_language(STR("den")) == 0, "not German");
	CHECK(dsn_language(STR("xx")) == 0 && dsn_language(STR("")) == 0, "en");
}

/* The words change with the language, what programs read does not. */
TEST(only_what_people_read_is_in_their_language)
{
	static const struct {
		const char *language, *code, *subject, *text;
	} cases[] = {
		{ "en", "en", "Subject: Your message could not be delivered",
		    "The address does not exist." },
		{ "de", "de", "Subject: Ihre Nachricht kam nicht an",
		    "Die Adresse gibt es nicht." },
		{ "fr-CA", "fr",
		    "Subject: =?utf-8?Q?Votre_message_n=27a_pas_pu_",
		    "Cette adresse n'existe pas." },
		{ "pt-BR", "pt",
		    "Subject: =?utf-8?Q?A_sua_mensagem_n=C3=A3o_foi_",
		    "O endere=C3=A7o n=C3=A3o existe." },
		{ "xx", "en", "Subject: Your message could not be delivered",
		    "The address does not exist." },
		{ "", "en", "Subject: Your message could not be delivered",
		    "The address does not exist." },
	};
	struct buf first = BUF_INIT(MIB(1)), out = BUF_INIT(MIB(1));
	struct dsn_rcpt rcpt = failed();
	struct dsn_report report = sample(&rcpt, 1);
	bool is_8bit;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf *to = i == 0 ? &first : &out;
		struct buf field = BUF_INIT(KIB(1));
		ptrdiff_t at;

		buf_reset(&out, 0);
		report.language = str_c(cases[i].language);
		CHECK(dsn_write(&report, to, &is_8bit), "written");
		CHECK(!is_8bit, "7-bit");
		buf_printf(&field,
		    "text/plain; charset=utf-8\r\nContent-Language: %s\r\n",
		    cases[i].code);
		CHECK(has(to, buf_c(&field)), cases[i].code);
		CHECK(has(to, cases[i].subject), cases[i].language);
		CHECK(has(to, cases[i].text), cases[i].text);
		at = str_search(buf_str(to), STR("Content-Type: message/"));
		CHECK(at > 0 && has(&first, buf_c(to) + at), "same fields");
		buf_done(&field);
	}
	buf_done(&first);
	buf_done(&out);
}

TEST(long_values_are_folded_and_unfold_to_the_same)
{
	struct buf out = BUF_INIT(MIB(1)), value = BUF_INIT(KIB(64));
	struct dsn_field_iter it;
	struct dsn_field f;
	size_t column = 0;
	struct arena a;

	arena_init(&a, MIB(1));
	for (int i = 0; i < 300; i++)
		buf_printf(&value, "word%d%s", i, i % 7 ? " " : "  ");
	dsn_field_put(&out, "Diagnostic-Code", "smtp", buf_str(&value), false);
	for (size_t i = 0; i < out.n; i++) {
		column = out.p[i] == '\n' ? 0 : column + 1;
		CHECK(column <= 80, "short lines");
	}
	it = (struct dsn_field_iter){ .rest = buf_str(&out) };
	CHECK(dsn_field_next(&it, &a, &f), "field");
	CHECK(str_eq(str_from(f.value, 6), str_trim(buf_str(&value))), "same");
	buf_reset(&out, 0);
	buf_reset(&value, 0);
	for (int i = 0; i < 5000; i++)
		buf_put_char(&value, 'x');
	dsn_field_put(&out, "Diagnostic-Code", "smtp", buf_str(&value), false);
	for (size_t i = 0; i < out.n; i++) {
		column = out.p[i] == '\n' ? 0 : column + 1;
		CHECK(column <= 998, "torn");
	}
	arena_done(&a);
	buf_done(&out);
	buf_done(&value);
}

TEST(a_report_that_does_not_fit_says_so)
{
	struct dsn_rcpt rcpt = failed();
	struct dsn_report report = sample(&rcpt, 1);

	struct buf whole = BUF_INIT(MIB(1));
	bool is_8bit;

	CHECK(dsn_write(&report, &whole, &is_8bit), "fits");
	for (size_t max = 0; max <= whole.n; max++) {
		struct buf out = BUF_INIT(max);

		CHECK(dsn_write(&report, &out, &is_8bit) == (max == whole.n),
		    "too small");
		buf_done(&out);
	}
	buf_done(&whole);
}

TEST_MAIN(UNIT(a_failure_is_reported),
    UNIT(what_is_returned_follows_ret_and_what_can_be_sent),
    UNIT(each_fate_has_its_words_and_the_subject_is_the_worst),
    UNIT(nobody_can_write_a_line_of_his_own_into_a_report),
    UNIT(addresses_and_mail_in_utf8_are_reported),
    UNIT(every_language_has_every_text),
    UNIT(only_what_people_read_is_in_their_language),
    UNIT(long_values_are_folded_and_unfold_to_the_same),
    UNIT(a_report_that_does_not_fit_says_so))
