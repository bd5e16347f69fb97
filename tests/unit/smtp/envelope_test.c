/* SPDX-License-Identifier: ISC */
/*
 * envelope_test.c - parameters of MAIL and RCPT on their way into DELIVER, also
 * those that no EHLO announces yet.
 */
#include "../test.h"

#include "smtp/envelope.h"

#define NOW 1000000

static struct msg_deliver
wishes(const char *line, struct envelope *e)
{
	struct smtp_command_options options = { .params = ~0u };
	struct msg_deliver m = { 0 };
	struct smtp_command c;
	struct arena a;

	arena_init(&a, SMTP_COMMAND_ARENA);
	CHECK(smtp_command_parse(&a, str_c(line), &options, &c) ==
		  SMTP_COMMAND_OK,
	    line);
	envelope_reset(e);
	CHECK(envelope_set_sender(e, &c.u.mail, NOW), line);
	arena_done(&a);
	envelope_put_wishes(e, &m);
	return m;
}

TEST(nothing_asked_is_nothing_wished)
{
	struct envelope e;
	struct msg_deliver m;

	envelope_init(&e);
	m = wishes("MAIL FROM:<a@b>", &e);
	CHECK(m.envid.n == 0 && m.ret == SMTP_RET_UNSET, "DSN");
	CHECK(m.body == SMTP_BODY_7BIT && !m.is_smtputf8, "body");
	CHECK(!m.has_requiretls && m.hold_until == 0, "hold");
	CHECK(m.deliver_by == 0 && m.deliver_by_mode == SMTP_BY_NONE, "by");
	CHECK(m.priority == DELIVER_PRIORITY_NORMAL, "priority");
	envelope_reset(&e);
}

TEST(every_parameter_of_mail_is_carried)
{
	struct envelope e;
	struct msg_deliver m;

	envelope_init(&e);
	m = wishes("MAIL FROM:<a@b> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+20y"
		   " REQUIRETLS MT-PRIORITY=-9 HOLDFOR=60 BY=120;RT",
	    &e);
	CHECK(str_eq(m.envid, STR("x y")) && m.ret == SMTP_RET_HDRS, "DSN");
	CHECK(m.body == SMTP_BODY_8BITMIME && m.is_smtputf8, "body");
	CHECK(m.has_requiretls && m.priority == 1, "tls, priority");
	CHECK(m.hold_until == NOW + 61, "hold");
	CHECK(m.deliver_by == NOW + 120, "by");
	CHECK(m.deliver_by_mode == (SMTP_BY_RETURN | SMTP_BY_TRACE), "mode");
	envelope_reset(&e);
}

TEST(times_are_points_in_time)
{
	struct envelope e;
	struct msg_deliver m;

	envelope_init(&e);
	m = wishes("MAIL FROM:<a@b> HOLDUNTIL=2026-11-23T00:00:00Z", &e);
	CHECK(m.hold_until == 1795392000, "a date stays what it is");
	m = wishes("MAIL FROM:<a@b> BY=-5;N MT-PRIORITY=9", &e);
	CHECK(m.deliver_by == NOW - 5, "passed already");
	CHECK(m.priority == DELIVER_PRIORITY_NORMAL + 9, "priority");
	m = wishes("MAIL FROM:<a@b> BY=-999999999;N", &e);
	CHECK(m.deliver_by == 0 && m.deliver_by_mode == SMTP_BY_NOTIFY,
	    "not before the epoch");
	m = wishes("MAIL FROM:<a@b> HOLDFOR=0", &e);
	CHECK(m.hold_until == NOW, "at once");
	envelope_reset(&e);
}

TEST(what_is_no_report_may_be_refused_when_nobody_else_gets_it)
{
	struct rcpt both = { .address = STR("mail-reports@b.example"),
		.is_reports = true };
	struct rcpt only = { .address = STR("mail-reports@a.example"),
		.is_reports = true,
		.is_report_only = true };
	struct rcpt user = { .address = STR("u@a.example") };
	struct envelope e = { 0 };

	CHECK(!envelope_is_report_only(&e), "nobody at all");
	e.first = &only;
	CHECK(envelope_is_report_only(&e), "reports alone");
	CHECK(
	    str_eq(envelope_reports_address(&e), STR("mail-reports@a.example")),
	    "address");
	only.next = &user;
	CHECK(!envelope_is_report_only(&e), "a user gets it, too");
	only.next = &both;
	CHECK(!envelope_is_report_only(&e), "so does one of that name");
	e.first = &user;
	CHECK(!envelope_is_report_only(&e), "a user alone");
}

TEST_MAIN(UNIT(what_is_no_report_may_be_refused_when_nobody_else_gets_it),
    UNIT(nothing_asked_is_nothing_wished),
    UNIT(every_parameter_of_mail_is_carried), UNIT(times_are_points_in_time))
