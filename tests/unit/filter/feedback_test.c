/* SPDX-License-Identifier: ISC */
/*
 * feedback_test.c - which reports are taken, and whose message a complaint is
 * about.
 */
#include "../test.h"
#include "base/base64.h"
#include "base/gzip.h"
#include "filter/feedback_read.h"
#include "proc/ipc_msgs.h"
#include "proto/status/status_bounce.h"

static const struct feedback_context context = { STR("demo.example"),
	STR("mail.demo.example"), 1790000000, STR_NONE };

#define DMARC(domain) "Content-Type: text/xml\r\n\r\n" XML(domain)
#define XML(domain) \
	"<feedback><report_metadata>" \
	"<org_name>o</org_name><email>e</email><report_id>1</report_id>" \
	"<date_range><begin>1</begin><end>2</end></date_range>" \
	"</report_metadata><policy_published><domain>" domain \
	"</domain><p>none</p></policy_published></feedback>"

TEST(only_reports_about_the_domain_they_came_to)
{
	static const struct {
		const char *message;
		bool is_taken;
	} cases[] = {
		{ DMARC("demo.example"), true },
		{ DMARC("Demo.Example"), true },
		{ DMARC("sub.demo.example"), true },
		{ DMARC("other.example"), false },
		{ DMARC("xdemo.example"), false },
		{ DMARC("example"), false },
		{ "Content-Type: text/plain\r\n\r\n<feedback>", false },
		{ "Content-Type: text/xml\r\n\r\n<feedback>", false },
		{ "Subject: nothing\r\n\r\nhello", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feedback f;
		enum feedback_found found =
		    feedback_read(str_c(cases[i].message), &context, &f);

		CHECK((found == FEEDBACK_ROWS) == cases[i].is_taken,
		    cases[i].message);
		CHECK((f.rows.n > 0) == cases[i].is_taken, cases[i].message);
		CHECK((f.fault == NULL) == cases[i].is_taken, cases[i].message);
		feedback_done(&f);
	}
}

#define REPORT(action, status, diagnostic) \
	"Content-Type: multipart/report; report-type=delivery-status; " \
	"boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsorry\r\n" \
	"--b\r\nContent-Type: message/delivery-status\r\n\r\n" \
	"Reporting-MTA: dns; mx.example\r\n\r\n" \
	"Final-Recipient: rfc822; a@example.org\r\nAction: " action \
	"\r\nStatus: " status "\r\n" diagnostic "\r\n--b--\r\n"

/* At the return path of news, nothing but a bounce is taken; and a row is made of what
 * will never arrive. */
TEST(bounces_come_to_a_tag)
{
	static const struct {
		const char *message;
		enum feedback_found found;
		const char *said; /* NULL: no row */
	} cases[] = {
		{ REPORT("failed", "5.1.1",
		      "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"),
		    FEEDBACK_BOUNCE, "550 5.1.1 no such user" },
		{ REPORT("failed", "5.1.1", ""), FEEDBACK_BOUNCE,
		    "550 5.1.1 " },
		{ REPORT("delayed", "4.2.2", ""), FEEDBACK_BOUNCE, NULL },
		{ REPORT("failed", "4.4.7", ""), FEEDBACK_BOUNCE, NULL },
		{ REPORT("delivered", "2.0.0", ""), FEEDBACK_BOUNCE, NULL },
		{ DMARC("demo.example"), FEEDBACK_NOTHING, NULL },
		{ "Subject: I am away\r\n\r\nhello", FEEDBACK_NOTHING, NULL },
	};
	struct feedback_context c = context;

	c.tag = STR("Tag");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct msg_ledger_row row;
		struct feedback f;
		struct str said;
		struct wire w;

		CHECK(feedback_read(str_c(cases[i].message), &c, &f) ==
			  cases[i].found,
		    cases[i].message);
		w = wire_read(buf_str(&f.rows));
		CHECK((w.in.n > 0) == (cases[i].said != NULL), "a row");
		if (cases[i].said != NULL) {
			CHECK(msg_ledger_row_read(&w, &row), "it is one");
			CHECK(str_eq(row.key, STR("tag")), "in lower case");
			CHECK(status_bounce_read_row(row.value, &said) &&
				  str_eq(said, str_c(cases[i].said)),
			    cases[i].said);
		}
		feedback_done(&f);
		/* Without a tag it is no report. */
		CHECK(feedback_read(str_c(cases[i].message), &context, &f) !=
			  FEEDBACK_BOUNCE,
		    "no tag");
		feedback_done(&f);
	}
}

#define PART \
	"--b\r\nContent-Type: application/gzip\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\n"

/* A report in a packed file, behind so many blanks. */
static void
put_packed(struct buf *to, const char *domain, size_t blanks)
{
	struct buf xml = BUF_INIT(MIB(20)), packed = BUF_INIT(MIB(1));

	buf_printf(&xml, XML("%s"), domain);
	for (size_t i = 0; i < blanks; i++)
		buf_put_char(&xml, ' ');
	gzip_put(&packed, buf_str(&xml));
	buf_put_c(to, PART);
	base64_encode(to, buf_str(&packed));
	buf_put_c(to, "\r\n");
	buf_done(&xml);
	buf_done(&packed);
}

TEST(all_files_together_unpack_to_a_bound)
{
	static const struct {
		size_t first, second;
		bool is_taken;
	} cases[] = {
		{ 100, 100, true },
		{ MIB(10), 100, true },
		{ MIB(10), MIB(10), false },
		{ MIB(17), 100, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf m = BUF_INIT(MIB(4));
		enum feedback_found found;
		struct feedback f;

		buf_put_c(
		    &m, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
		put_packed(&m, "other.example", cases[i].first);
		put_packed(&m, "demo.example", cases[i].second);
		buf_put_c(&m, "--b--\r\n");
		found = feedback_read(buf_str(&m), &context, &f);
		CHECK((found == FEEDBACK_ROWS) == cases[i].is_taken,
		    "a file behind others");
		feedback_done(&f);
		buf_done(&m);
	}
}

#define ARF(received) \
	"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" \
	"Content-Type: message/feedback-report\r\n\r\n" \
	"Feedback-Type: abuse\r\nOriginal-Rcpt-To: v@x.example\r\n\r\n" \
	"--b\r\nContent-Type: message/rfc822\r\n\r\n" received \
	"Subject: buy\r\n\r\nbuy\r\n--b--\r\n"

TEST(a_complaint_names_its_message_by_our_own_line_alone)
{
	static const struct {
		const char *message, *trace;
	} cases[] = {
		{ ARF("Received: from c ([192.0.2.1])\r\n\tby "
		      "mail.demo.example with ESMTPSA id abc123\r\n\tfor "
		      "<v@x>; date\r\n"),
		    "abc123" },
		{ ARF("Received: from mail.demo.example by mx.x.example with "
		      "SMTP id theirs\r\nReceived: by MAIL.demo.example id "
		      "ours;\r\n date\r\n"),
		    "ours" },
		{ ARF("Received: from x by evil.example with SMTP id "
		      "abc\r\n"),
		    "" },
		{ ARF("Received: by mail.demo.example id\r\n"), "" },
		{ ARF("Received: by mail.demo.example id a/../b\r\n"), "a" },
		{ ARF(""), "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feedback f;

		CHECK(feedback_read(str_c(cases[i].message), &context, &f) ==
			  FEEDBACK_COMPLAINT,
		    cases[i].message);
		CHECK(str_eq(f.abuse.trace, str_c(cases[i].trace)),
		    cases[i].message);
		CHECK(str_eq(f.abuse.subject, STR("buy")), cases[i].message);
		CHECK(
		    str_eq(f.abuse.rcpt, STR("v@x.example")), cases[i].message);
		feedback_done(&f);
	}
}

static struct str
key_for(const char *login)
{
	static char text[FEEDBACK_KEY_MAX + 1];
	struct msg_ledger_row row;
	struct feedback f;
	struct wire w;

	ASSERT(feedback_read(STR(ARF("")), &context, &f) == FEEDBACK_COMPLAINT);
	feedback_finish(&f, str_c(login), 7);
	w = wire_read(buf_str(&f.rows));
	ASSERT(msg_ledger_row_read(&w, &row) && w.in.n == 0);
	snprintf(text, sizeof(text), "%.*s", STR_ARG(row.key));
	feedback_done(&f);
	return str_c(text);
}

TEST(a_complaint_is_kept_by_account_or_domain)
{
	assert_true(str_starts(key_for("alice@sub.demo.example"),
	    STR("abuse/alice@sub.demo.example/2026")));
	assert_true(str_starts(key_for(""), STR("abuse/demo.example/2026")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_reports_about_the_domain_they_came_to),
		cmocka_unit_test(bounces_come_to_a_tag),
		cmocka_unit_test(all_files_together_unpack_to_a_bound),
		cmocka_unit_test(
		    a_complaint_names_its_message_by_our_own_line_alone),
		cmocka_unit_test(a_complaint_is_kept_by_account_or_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
