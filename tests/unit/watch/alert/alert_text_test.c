/* SPDX-License-Identifier: ISC */
/* alert_text_test.c - the words of alerts, alone and in a digest. */
#include "../../holds.h"
#include "../../test.h"
#include "watch/alert/alert_digest.h"

static struct alert_facts
facts(void)
{
	return (struct alert_facts){ .now = WATCH_TOLD_DOWN,
		.is_new = true,
		.incident = 3,
		.check = STR("box/smtp"),
		.system = STR("Box"),
		.role = STR("Mail server"),
		.place = STR("Lusaka, Zambia"),
		.kind = STR("smtp"),
		.target = STR("mail.example.org"),
		.reason = STR("3 failures in a row"),
		.found = STR("no \"220\""),
		.cause = WATCH_REFUSED,
		.site = STR("https://status.example.org"),
		.since_ms = 1795392000000,
		.bad_ms = 1795392000000,
		.at_ms = 1795392030000 };
}

TEST(an_alert_says_what_and_what_to_do)
{
	struct alert_facts f = facts();
	struct buf b = BUF_INIT(KIB(8));

	alert_subject(&f, &b);
	assert_string_equal(buf_c(&b), "[DOWN] Box: smtp (mail.example.org)");
	buf_reset(&b, 0);
	alert_body(&f, &b);
	CHECK(str_starts(buf_str(&b), STR("box/smtp is down since 2026-11-23 "
					  "00:00:00 UTC.\n")),
	    "what and since when");
	CHECK(holds(&b, "nobody listens"), "what to do");
	CHECK(holds(&b, "box/smtp #3") && holds(&b, "3 failures in a row"),
	    "facts");
	CHECK(holds(&b, "Status page: https://status.example.org"), "link");
	CHECK(!holds(&b, "Silenced"), "nothing is silenced");
	f.silenced = STR("web/http, web/tls");
	alert_body(&f, &b);
	CHECK(holds(&b, "Silenced:  web/http, web/tls"), "silenced");
	buf_done(&b);
}

TEST(what_is_over_says_how_long_it_took)
{
	struct alert_facts f = facts();
	struct buf b = BUF_INIT(KIB(8));

	f.now = WATCH_TOLD_FINE;
	f.before = WATCH_TOLD_DOWN;
	f.is_new = false;
	f.outages = 1;
	f.outage_ms = f.bad_ms;
	f.since_ms = f.bad_ms + 7530000;
	alert_body(&f, &b);
	CHECK(holds(&b, "up again since 2026-11-23 02:05:30 UTC.\nIt all took "
			"2 h 5 min.\n"),
	    "it is over");
	CHECK(!holds(&b, "Next:"), "nothing to do");
	buf_done(&b);
}

TEST(an_outage_takes_its_own_time)
{
	struct alert_facts f = facts();
	struct buf b = BUF_INIT(KIB(8));

	f.now = WATCH_TOLD_FINE;
	f.before = WATCH_TOLD_DOWN;
	f.is_new = false;
	f.outages = 2;
	f.outage_ms = f.bad_ms + 600000;
	f.since_ms = f.outage_ms + 76000;
	alert_first_line(&f, &b);
	CHECK(holds(&b, "\nThis time it took 76 s. It was the second time "
			"since 2026-11-23 00:00:00 UTC.\n"),
	    "not what was well in between");
	buf_reset(&b, 0);
	f.outages = 11;
	alert_first_line(&f, &b);
	CHECK(holds(&b, "It was time number 11 since"), "many");
	buf_reset(&b, 0);
	f.outages = 1;
	alert_first_line(&f, &b);
	CHECK(holds(&b, "\nIt all took 76 s.\n"), "the only one");
	buf_reset(&b, 0);
	/* What was told before that was counted. */
	f.outages = 0;
	f.outage_ms = 0;
	alert_first_line(&f, &b);
	CHECK(holds(&b, "is up again since") && !holds(&b, "took"), "unknown");
	buf_reset(&b, 0);
	f.outages = 2;
	f.outage_ms = f.bad_ms + 600000;
	alert_json(&f, "box/smtp#3", &b);
	CHECK(holds(&b, "\"outage\":2,\"outage_since\":"
			"\"2026-11-23T00:10:00Z\""),
	    "for programs");
	buf_done(&b);
}

TEST(an_alert_is_json)
{
	struct alert_facts f = facts();
	struct buf b = BUF_INIT(KIB(8));

	alert_json(&f, "box/smtp#3", &b);
	CHECK(holds(&b, "\"state\":\"down\",\"before\":\"fine\""), "states");
	CHECK(holds(&b, "\"found\":\"no \\\"220\\\"\""), "quotes");
	CHECK(holds(&b, "\"since\":\"2026-11-23T00:00:00Z\""), "times");
	CHECK(b.p[b.n - 1] == '}', "whole");
	buf_done(&b);
}

TEST(a_digest_names_what_failed)
{
	static const char *const checks[] = { "box/imap", "box/pop3",
		"gate/tcp" };
	static struct raised v[40];
	struct raised *p[40];
	struct buf b = BUF_INIT(STATUS_LETTER_MAX);

	for (size_t i = 0; i < 40; i++) {
		v[i].facts = facts();
		v[i].facts.check = str_c(checks[MIN(i, 2)]);
		if (i >= 2)
			v[i].facts.system = STR("Gate");
		v[i].a.now = v[i].facts.now;
		p[i] = &v[i];
	}
	alert_digest_subject(p, 2, &b);
	assert_string_equal(buf_c(&b), "[DOWN] Box: imap, pop3");
	buf_reset(&b, 0);
	alert_digest_subject(p, 40, &b);
	assert_string_equal(
	    buf_c(&b), "[DOWN] 40 checks of 2 systems: Box, Gate");
	buf_reset(&b, 0);
	v[0].a.now = v[0].facts.now = WATCH_TOLD_DEGRADED;
	v[1].a.now = v[1].facts.now = WATCH_TOLD_UNSTABLE;
	alert_digest_subject(p, 2, &b);
	CHECK(holds(&b, "[UNSTABLE] "), "the worst of them");
	buf_reset(&b, 0);
	alert_digest_body(p, 40, &b);
	CHECK(!b.failed, "it fits");
	CHECK(holds(&b, "40 checks of 2 systems failed"), "how many");
	CHECK(holds(&b, "\nbox/imap is degraded since 2026-11-23 00:00:00 "),
	    "each");
	CHECK(holds(&b, "Found:     no \"220\"\n"), "what was found");
	CHECK(holds(&b, "And these:\n- gate/tcp: down\n"), "the rest");
	for (size_t i = 0; i < 40; i++)
		v[i].a.now = v[i].facts.now = WATCH_TOLD_FINE;
	buf_reset(&b, 0);
	alert_digest_body(p, 3, &b);
	CHECK(holds(&b, "3 checks of 2 systems are up again, since about the "
			"same time.\n"),
	    "well");
	CHECK(!holds(&b, "Next:"), "nothing to do");
	buf_done(&b);
}

TEST_MAIN(UNIT(an_alert_says_what_and_what_to_do),
    UNIT(what_is_over_says_how_long_it_took),
    UNIT(an_outage_takes_its_own_time), UNIT(an_alert_is_json),
    UNIT(a_digest_names_what_failed))
