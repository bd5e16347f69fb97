/* SPDX-License-Identifier: ISC */
/* dsn_parse_test.c - reports as real servers write them. */
#include "../../test.h"
#include "proto/dsn/dsn_parse.h"

static bool
is(struct str got, const char *want)
{
	return str_eq(got, str_c(want));
}

TEST(a_report_of_postfix_is_read)
{
	struct dsn_fields f;
	struct arena a;

	arena_init(&a, DSN_ARENA_MAX);
	CHECK(
	    dsn_parse(&a,
		STR("Reporting-MTA: dns; mx.example.org\r\n"
		    "X-Postfix-Queue-ID: 4F6B21A2\r\n"
		    "X-Postfix-Sender: rfc822; a@example.net\r\n"
		    "Arrival-Date: Mon, 23 Nov 2026 10:00:00 +0100 (CET)\r\n"
		    "\r\n"
		    "Final-Recipient: rfc822; b@x.org\r\n"
		    "Original-Recipient: rfc822;Bob@x.org\r\n"
		    "Action: failed\r\n"
		    "Status: 5.1.1\r\n"
		    "Remote-MTA: dns; mail.x.org\r\n"
		    "Diagnostic-Code: smtp; 550 5.1.1 <b@x.org>: Recipient\r\n"
		    "    address rejected: User unknown\r\n"),
		&f),
	    "parse");
	CHECK(is(f.reporting_mta, "mx.example.org"), "reporting");
	CHECK(is(f.arrival_date, "Mon, 23 Nov 2026 10:00:00 +0100 (CET)"),
	    "arrival");
	CHECK(f.n_rcpts == 1, "one");
	CHECK(is(f.rcpts[0].final, "b@x.org"), "final");
	CHECK(is(f.rcpts[0].original, "rfc822;Bob@x.org"), "original");
	CHECK(f.rcpts[0].action == DSN_FAILED, "action");
	CHECK(f.rcpts[0].status.class == 5 && f.rcpts[0].status.subject == 1 &&
		  f.rcpts[0].status.detail == 1,
	    "status");
	CHECK(is(f.rcpts[0].remote_mta, "mail.x.org"), "remote");
	CHECK(f.rcpts[0].has_smtp_code, "smtp");
	CHECK(is(f.rcpts[0].diagnostic, "550 5.1.1 <b@x.org>: Recipient    "
					"address rejected: User unknown"),
	    "diagnostic");
	arena_done(&a);
}

/* clang-format off */
static const struct {
	const char *name;
	const char *in;
	size_t n; /* recipients */
	const char *final;
	enum dsn_action action;
	unsigned class, subject, detail;
} odd[] = {
	{ "no group of the message", "Final-Recipient: rfc822;b@x\nAction: "
	  "delayed\nStatus: 4.4.7\n", 1, "b@x", DSN_DELAYED, 4, 4, 7 },
	{ "run together", "Reporting-MTA: dns;m\nFinal-Recipient: rfc822;b@x\n"
	  "Action: failed\nStatus: 5.0.0\n", 1, "b@x", DSN_FAILED, 5, 0, 0 },
	{ "comments", "\nFinal-Recipient: RFC822; <b@x>\nAction: Failed "
	  "(gone)\nStatus: 5.1.1 (bad)\n", 1, "b@x", DSN_FAILED, 5, 1, 1 },
	{ "no type", "Final-Recipient: b@x\n", 1, "b@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "only original", "Original-Recipient: rfc822;b@x\nAction: relayed\n",
	  1, "b@x", DSN_RELAYED, 0, 0, 0 },
	{ "blanks between groups", "Reporting-MTA: dns; m\n  \n \t\n"
	  "Final-Recipient: rfc822; b@x\n", 1, "b@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "folded", "Final-Recipient:\n rfc822;\n b@x\nAction:\tdelivered\n",
	  1, "b@x", DSN_DELIVERED, 0, 0, 0 },
	{ "utf-8", "Final-Recipient: utf-8; b\\x{FC}\\x{20AC}\\x{1F4EC}@x\n", 1,
	  "b\xC3\xBC\xE2\x82\xAC\xF0\x9F\x93\xAC@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "utf-8, not encoded well", "Final-Recipient: utf-8; b\\x{D800}@x\n",
	  1, "b\\x{D800}@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "utf-8, a NUL", "Final-Recipient: utf-8; b\\x{0}@x\n",
	  1, "b\\x{0}@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "bad status", "Final-Recipient: rfc822;b@x\nStatus: 3.1.1\n", 1,
	  "b@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "status too short", "Final-Recipient: rfc822;b@x\nStatus: 5.1\n", 1,
	  "b@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "unknown action", "Final-Recipient: rfc822;b@x\nAction: eaten\n", 1,
	  "b@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "garbage lines", "what\n: x\nFinal Recipient: a\nFinal-Recipient : "
	  "rfc822; b@x\n", 1, "b@x", DSN_NO_ACTION, 0, 0, 0 },
	{ "no recipient", "Reporting-MTA: dns; m\n\nAction: failed\n", 0, "",
	  DSN_FAILED, 0, 0, 0 },
	{ "nothing", "", 0, "", DSN_FAILED, 0, 0, 0 },
	{ "two", "\nFinal-Recipient: rfc822; b@x\n\nFinal-Recipient: rfc822; "
	  "c@x\n", 2, "b@x", DSN_NO_ACTION, 0, 0, 0 },
};
/* clang-format on */

TEST(odd_reports_are_read_as_far_as_they_go)
{
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct dsn_fields f;
		struct arena a;
		bool ok;

		arena_init(&a, DSN_ARENA_MAX);
		ok = dsn_parse(&a, str_c(odd[i].in), &f);
		CHECK(ok == (odd[i].n > 0), odd[i].name);
		CHECK(f.n_rcpts == odd[i].n, odd[i].name);
		if (ok) {
			CHECK(is(f.rcpts[0].final, odd[i].final), odd[i].name);
			CHECK(f.rcpts[0].action == odd[i].action, odd[i].name);
			CHECK(f.rcpts[0].status.class == odd[i].class,
			    odd[i].name);
			CHECK(f.rcpts[0].status.subject == odd[i].subject,
			    odd[i].name);
			CHECK(f.rcpts[0].status.detail == odd[i].detail,
			    odd[i].name);
		}
		arena_done(&a);
	}
}

TEST(recipients_are_limited)
{
	struct buf in = BUF_INIT(MIB(1));
	struct dsn_fields f;
	struct arena a;

	for (size_t i = 0; i < DSN_RCPTS_MAX + 10; i++)
		buf_put_c(&in, "Final-Recipient: rfc822; b@x\n\n");
	arena_init(&a, DSN_ARENA_MAX);
	CHECK(dsn_parse(&a, buf_str(&in), &f), "parse");
	CHECK(f.n_rcpts == DSN_RCPTS_MAX, "limit");
	arena_done(&a);
	arena_init(&a, 100);
	CHECK(!dsn_parse(&a, buf_str(&in), &f), "no memory");
	arena_done(&a);
	buf_done(&in);
}

TEST(an_abuse_report_is_read)
{
	struct arf_report r;
	struct arena a;

	arena_init(&a, DSN_ARENA_MAX);
	CHECK(arf_parse(&a,
		  STR("Feedback-Type: abuse\r\n"
		      "User-Agent: Yahoo!-Mail-Feedback/2.0\r\n"
		      "Version: 0.1\r\n"
		      "Original-Mail-From: <bounce@example.net>\r\n"
		      "Original-Rcpt-To: one@yahoo.example\r\n"
		      "Original-Rcpt-To: <two@yahoo.example>\r\n"
		      "Received-Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
		      "Reporting-MTA: dns; mta.yahoo.example\r\n"
		      "Source-IP: 192.0.2.1\r\n"
		      "Incidents: 3\r\n"
		      "Authentication-Results: mta.yahoo.example;\r\n"
		      "  dkim=pass header.d=example.net\r\n"
		      "Reported-Domain: example.net\r\n"
		      "Reported-Uri: http://example.net/x\r\n"),
		  &r),
	    "parse");
	CHECK(r.type == ARF_ABUSE && r.incidents == 3, "type");
	CHECK(is(r.mail_from, "bounce@example.net"), "from");
	CHECK(
	    r.rcpt_to.n == 2 && is(r.rcpt_to.v[1], "two@yahoo.example"), "to");
	CHECK(is(r.source_ip, "192.0.2.1"), "ip");
	CHECK(is(r.reporting_mta, "mta.yahoo.example"), "mta");
	CHECK(is(r.arrival_date, "Mon, 23 Nov 2026 10:00:00 +0000"), "date");
	CHECK(r.domains.n == 1 && is(r.domains.v[0], "example.net"), "domain");
	CHECK(r.uris.n == 1 && is(r.uris.v[0], "http://example.net/x"), "uri");
	CHECK(is(r.auth_results, "mta.yahoo.example;  dkim=pass "
				 "header.d=example.net"),
	    "auth");
	CHECK(!arf_parse(&a, STR("User-Agent: x\r\n"), &r), "no type");
	CHECK(arf_parse(&a,
		  STR("feedback-type: auth-failure\nAuth-Failure: "
		      "dmarc\nIncidents: many\n"),
		  &r),
	    "RFC 6591");
	CHECK(r.type == ARF_AUTH_FAILURE && is(r.auth_failure, "dmarc"), "af");
	CHECK(r.incidents == 1, "not a number");
	CHECK(arf_parse(&a, STR("Feedback-Type: opt-out\n"), &r), "unknown");
	CHECK(r.type == ARF_OTHER, "unknown");
	CHECK(strcmp(arf_type_str(ARF_NOT_SPAM), "not-spam") == 0, "name");
	arena_done(&a);
}

TEST_MAIN(UNIT(a_report_of_postfix_is_read),
    UNIT(odd_reports_are_read_as_far_as_they_go), UNIT(recipients_are_limited),
    UNIT(an_abuse_report_is_read))
