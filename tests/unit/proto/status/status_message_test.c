/* SPDX-License-Identifier: ISC */
/* status_message_test.c - what is sent to people, and who is told. */
#include "../../test.h"
#include "proto/status/status_contact.h"

static struct status_message
good(void)
{
	return (struct status_message){ .channel = STATUS_BY_MAIL,
		.purpose = STATUS_FOR_ALERT,
		.to = STR("ops@example.org"),
		.subject = STR("[DOWN] Box: smtp"),
		.body = STR("line\nline\n"),
		.language = STR("en"),
		.about = STR("box/smtp"),
		.thread = STR("box/smtp#3"),
		.made_ms = 1795392000000,
		.next_ms = 1795392001000,
		.expires_ms = 1795392002000 };
}

TEST(what_is_written_reads_back)
{
	struct buf b = BUF_INIT(KIB(64));
	struct status_message m = good(), back;
	const struct status_attempt a = { .at_ms = 7,
		.outcome = TEMPFAIL,
		.by = STR("relay.example.net:25"),
		.said = STR("450 4.2.1\nlater\x1b[31m") };

	m.rounds = 3;
	m.n_more = 7;
	status_message_note(&m, &a);
	status_message_encode(&m, &b);
	CHECK(status_message_decode(buf_str(&b), &back), "it is one");
	CHECK(str_eq(back.to, m.to) && str_eq(back.body, m.body), "texts");
	CHECK(back.made_ms == m.made_ms && back.next_ms == m.next_ms &&
		  back.expires_ms == m.expires_ms,
	    "times");
	CHECK(back.rounds == 3 && back.tries == 1 && back.n_attempts == 1,
	    "attempts");
	CHECK(back.n_more == 7, "others");
	CHECK(str_eq(back.attempts[0].said, STR("450 4.2.1 later [31m")),
	    "what was said is tame");
	for (size_t n = 0; n < b.n; n++)
		CHECK(!status_message_decode(str_first(buf_str(&b), n), &back),
		    "cut");
	/* Of before they were counted: 7 has one byte. */
	b.p[0] = 1;
	CHECK(!status_message_decode(buf_str(&b), &back), "more than it has");
	CHECK(status_message_decode(str_first(buf_str(&b), b.n - 1), &back) &&
		  back.rounds == 3 && back.n_more == 0,
	    "an older one");
	b.p[0] = 3;
	CHECK(!status_message_decode(buf_str(&b), &back), "a later one");
	buf_done(&b);
}

TEST(nothing_ends_a_field_or_a_command)
{
	static const struct {
		const char *to;
		bool is_mailbox, is_url;
	} cases[] = {
		{ "ops@example.org", true, false },
		{ "a.b+c@x.example", true, false },
		{ "ops", false, false },
		{ "@example.org", false, false },
		{ "a b@example.org", false, false },
		{ "a@example.org\r\nBcc: b@example.org", false, false },
		{ "a@b@example.org", false, false },
		{ "\"a\"@example.org", false, false },
		{ "<a@example.org>", false, false },
		{ "\xC3\xA4@example.org", false, false },
		{ "https://example.org/x", false, true },
		{ "http://[2001:db8::1]:8080/x?y=z", false, true },
		{ "https://u:p@example.org/", false, false },
		{ "https://example.org/a b", false, false },
		{ "https://example.org/\r\nX: y", false, false },
		{ "ftp://example.org/", false, false },
		{ "https:///x", false, false },
		{ "https://127.1/x", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str s = str_c(cases[i].to);

		CHECK(status_is_mailbox(s) == cases[i].is_mailbox, cases[i].to);
		CHECK(status_is_url(s) == cases[i].is_url, cases[i].to);
	}
}

TEST(a_message_that_is_none_is_refused)
{
	struct status_fault fault;
	struct status_message m = good();

	CHECK(status_message_is_sane(&m, &fault), "good");
	m.subject = STR("a\r\nBcc: x@example.org");
	CHECK(!status_message_is_sane(&m, &fault), "subject");
	m = good();
	m.body = STR("a\x1b[0m");
	CHECK(!status_message_is_sane(&m, &fault), "body");
	m = good();
	m.language = STR("en\n");
	CHECK(!status_message_is_sane(&m, &fault), "language");
	m = good();
	m.channel = STATUS_BY_WEBHOOK;
	CHECK(!status_message_is_sane(&m, &fault), "an address is no URL");
	m = good();
	m.unsubscribe = STR("javascript:alert(1)");
	CHECK(!status_message_is_sane(&m, &fault), "unsubscribe");
	m = good();
	m.n_attempts = 1;
	CHECK(!status_message_is_sane(&m, &fault), "attempts without tries");
}

TEST(the_first_and_the_last_attempts_stay)
{
	struct status_message m = good();

	for (uint64_t i = 1; i <= 100; i++)
		status_message_note(&m, &(struct status_attempt){ .at_ms = i });
	CHECK(m.tries == 100 && m.n_attempts == STATUS_ATTEMPTS_MAX, "all");
	for (size_t i = 0; i < STATUS_ATTEMPTS_FIRST; i++)
		CHECK(m.attempts[i].at_ms == i + 1, "first");
	for (size_t i = STATUS_ATTEMPTS_FIRST; i < STATUS_ATTEMPTS_MAX; i++)
		CHECK(m.attempts[i].at_ms == 100 - STATUS_ATTEMPTS_MAX + i + 1,
		    "last");
}

TEST(what_is_over_holds_no_secrets)
{
	struct status_message m = good();

	m.secret = STR("whsec_x");
	status_message_finish(&m, STATUS_SENT);
	CHECK(m.secret.n == 0 && m.body.n == 0, "gone");
	CHECK(m.progress == STATUS_SENT && m.subject.n > 0, "a log");
}

TEST(contacts_are_words)
{
	static const struct {
		const char *words[4];
		bool is_good;
	} cases[] = {
		{ { "mail=ops@example.org" }, true },
		{ { "webhook=https://example.org/x", "min=down" }, true },
		{ { "mail=ops@example.org", "system=box", "system=b2" }, true },
		{ { "min=down" }, false },
		{ { "mail=ops@example.org", "webhook=https://x.example/" },
		    false },
		{ { "mail=ops" }, false },
		{ { "mail=ops@example.org", "min=up" }, false },
		{ { "mail=ops@example.org", "system=a b" }, false },
		{ { "mail=ops@example.org", "frob=1" }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_contact c = { .id = STR("Ops"), .added_s = 9 };
		struct buf b = BUF_INIT(KIB(4));
		struct status_fault fault = { 0 };
		struct status_contact back;
		bool ok = true;

		for (size_t k = 0; ok && k < 4 && cases[i].words[k]; k++)
			ok = status_contact_put(
			    &c, str_c(cases[i].words[k]), &fault);
		ok = ok && status_contact_finish(&c, &fault);
		CHECK(ok == cases[i].is_good, cases[i].words[0]);
		CHECK(ok || fault.expected != NULL, "it is said why");
		if (!ok)
			continue;
		status_contact_encode(&c, &b);
		CHECK(status_contact_decode(buf_str(&b), &back), "back");
		CHECK(str_eq(back.to, c.to) && back.least == c.least &&
			  back.n_systems == c.n_systems && back.added_s == 9,
		    "the same");
		buf_done(&b);
	}
}

TEST(a_contact_in_words_has_no_secret)
{
	static const struct {
		struct status_contact c;
		const char *want;
	} cases[] = {
		{ { .channel = STATUS_BY_MAIL, .to = STR("ops@example.org") },
		    "mail=ops@example.org" },
		{ { .channel = STATUS_BY_WEBHOOK,
		      .to = STR("https://h.example:8443/in/T0K3N"),
		      .secret = STR("whsec_x"),
		      .least = STATUS_FROM_DOWN,
		      .n_systems = 2,
		      .systems = { STR("Box"), STR("gate") } },
		    "webhook=https://h.example:8443/... min=down system=Box "
		    "system=gate" },
		{ { .channel = STATUS_BY_WEBHOOK,
		      .to = STR("https://h.example?key=T0K3N") },
		    "webhook=https://h.example/..." },
		{ { .channel = STATUS_BY_WEBHOOK,
		      .to = STR("https://h.example/") },
		    "webhook=https://h.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(KIB(1));

		status_contact_put_words(&cases[i].c, &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), buf_c(&b));
		buf_done(&b);
	}
}

TEST(a_contact_wants_its_systems)
{
	struct status_contact c = { .id = STR("x") };

	CHECK(status_contact_wants(&c, STR("box")), "all");
	c.systems[c.n_systems++] = STR("Box");
	CHECK(status_contact_wants(&c, STR("box")), "this one");
	CHECK(!status_contact_wants(&c, STR("gate")), "no other");
}

TEST(each_alert_of_a_check_has_a_serial_of_its_own)
{
	struct status_told t = { 0 };
	uint32_t before;

	t.serial = status_told_next(&t, 1795392000000);
	assert_int_equal(t.serial, 1795392000);
	before = t.serial = status_told_next(&t, 1795392000400);
	assert_int_equal(t.serial, 1795392001);
	/* Removed, and made anew. */
	t = (struct status_told){ 0 };
	CHECK(status_told_next(&t, 1795392060000) > before, "not again");
}

TEST(what_was_told_reads_back)
{
	const struct status_told t = { 2, 7, 19, 1000, 900, 800, 3, 950 };
	struct buf b = BUF_INIT(KIB(1));
	struct status_told back;

	status_told_encode(&t, &b);
	CHECK(status_told_decode(buf_str(&b), &back), "back");
	CHECK(back.told == 2 && back.incident == 7 && back.serial == 19 &&
		  back.told_ms == 1000 && back.bad_since_ms == 900 &&
		  back.fine_since_ms == 800 && back.outages == 3 &&
		  back.outage_since_ms == 950,
	    "the same");
	CHECK(
	    !status_told_decode(str_first(buf_str(&b), b.n - 1), &back), "cut");
	/* Of before outages were counted: 950 has two bytes, 3 one. */
	b.p[0] = 1;
	CHECK(!status_told_decode(buf_str(&b), &back), "more than it has");
	CHECK(status_told_decode(str_first(buf_str(&b), b.n - 3), &back) &&
		  back.fine_since_ms == 800 && back.outages == 0 &&
		  back.outage_since_ms == 0,
	    "an older one");
	b.p[0] = 3;
	CHECK(!status_told_decode(buf_str(&b), &back), "a later one");
	buf_done(&b);
}

TEST(a_change_of_a_contact_forgets_what_it_names)
{
	struct status_contact c = { .id = STR("x"),
		.channel = STATUS_BY_WEBHOOK,
		.to = STR("https://a.example/"),
		.secret = STR("secret"),
		.n_systems = 1,
		.systems = { STR("box") } };
	struct status_fault fault;

	status_contact_forget(&c, STR("min=down"));
	CHECK(c.to.n > 0 && c.n_systems == 1, "min is one");
	status_contact_forget(&c, STR("System="));
	CHECK(c.n_systems == 0 && c.to.n > 0, "systems");
	status_contact_forget(&c, STR("webhook=https://b.example/"));
	CHECK(c.to.n == 0 && c.secret.n > 0, "the secret stays");
	CHECK(status_contact_put(&c, STR("webhook=https://b.example/"), &fault),
	    "another one");
	status_contact_forget(&c, STR("mail=a@b.example"));
	CHECK(c.to.n == 0 && c.secret.n == 0, "another channel");
}

TEST_MAIN(UNIT(a_change_of_a_contact_forgets_what_it_names),
    UNIT(what_is_written_reads_back), UNIT(nothing_ends_a_field_or_a_command),
    UNIT(a_message_that_is_none_is_refused),
    UNIT(the_first_and_the_last_attempts_stay),
    UNIT(what_is_over_holds_no_secrets), UNIT(contacts_are_words),
    UNIT(a_contact_in_words_has_no_secret), UNIT(a_contact_wants_its_systems),
    UNIT(each_alert_of_a_check_has_a_serial_of_its_own),
    UNIT(what_was_told_reads_back))
