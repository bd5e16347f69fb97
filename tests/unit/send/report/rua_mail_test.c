/* SPDX-License-Identifier: ISC */
/* rua_mail_test.c - reports about mail, as messages. */
#include "../../test.h"
#include "send/report/rua_mail.h"

static const struct rua_mail_stamp stamp = {
	.from = { "reports@our.example", 19 },
	.message_id = { "rua.1@mx.our.example", 20 },
	.now = 1780000000,
};

TEST(a_report_is_a_mail_with_an_attachment)
{
	static const char want[] =
	    "From: <reports@our.example>\r\n"
	    "To: <dmarc@their.example>\r\n"
	    "Subject: Report Domain: their.example Submitter: our.example "
	    "Report-ID:\r\n"
	    " <2026.05.28.1>\r\n"
	    "Date: Thu, 28 May 2026 20:26:40 +0000\r\n"
	    "Message-ID: <rua.1@mx.our.example>\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed;\r\n"
	    "\tboundary=\"=_report\"\r\n"
	    "\r\n"
	    "--=_report\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "\r\n"
	    "This is a report.\r\n"
	    "\r\n--=_report\r\n"
	    "Content-Type: application/gzip;\r\n"
	    "\tname=\"our.example!their.example!1!2.xml.gz\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n"
	    "\tfilename=\"our.example!their.example!1!2.xml.gz\"\r\n"
	    "\r\n"
	    "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
	    "eHh4eHh4eHh4eHh4\r\n"
	    "eXo=\r\n"
	    "\r\n--=_report--\r\n";
	struct rua_mail m = {
		.to = STR("dmarc@their.example"),
		.subject = STR("Report Domain: their.example Submitter: "
			       "our.example Report-ID: <2026.05.28.1>"),
		.text = STR("This is a report.\r\n"),
		.type = "application/gzip",
		.file_name = STR("our.example!their.example!1!2.xml.gz"),
		.data = STR("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			    "xxxxxxxyz"),
	};
	struct buf b = BUF_INIT(KIB(4));

	rua_mail_compose(&m, &stamp, &b);
	CHECK(!b.failed && str_eq(buf_str(&b), str_c(want)), buf_c(&b));
	buf_done(&b);
}

TEST(a_report_about_tls_is_a_multipart_report_with_fields_of_its_own)
{
	struct rua_mail m = {
		.to = STR("tls@their.example"),
		.subject = STR("Report"),
		.fields = STR("TLS-Report-Domain: their.example\r\n"),
		.report_type = "tlsrpt",
		.type = "application/tlsrpt+gzip",
		.file_name = STR("x.json.gz"),
	};
	struct buf b = BUF_INIT(KIB(4));

	rua_mail_compose(&m, &stamp, &b);
	CHECK(str_search(buf_str(&b),
		  STR("\r\nTLS-Report-Domain: their.example\r\n")) > 0,
	    buf_c(&b));
	CHECK(str_search(buf_str(&b), STR("\r\nContent-Type: multipart/report; "
					  "report-type=\"tlsrpt\";\r\n")) > 0,
	    buf_c(&b));
	buf_done(&b);
}

TEST(the_trace_id_is_that_of_the_name)
{
	char a[RUA_MAIL_TRACE_LEN + 1], b[RUA_MAIL_TRACE_LEN + 1];

	rua_mail_trace(STR("dmarc their.example 1 a@their.example"), a);
	rua_mail_trace(STR("dmarc their.example 1 a@their.example"), b);
	CHECK(strcmp(a, b) == 0 && strlen(a) == RUA_MAIL_TRACE_LEN, a);
	rua_mail_trace(STR("dmarc their.example 2 a@their.example"), b);
	CHECK(strcmp(a, b) != 0, b);
}

TEST_MAIN(UNIT(a_report_is_a_mail_with_an_attachment),
    UNIT(a_report_about_tls_is_a_multipart_report_with_fields_of_its_own),
    UNIT(the_trace_id_is_that_of_the_name))
