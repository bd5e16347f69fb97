/* SPDX-License-Identifier: ISC */
/* tell_test.c - messages to people: their ways, pauses, bytes and words. */
#include "../test.h"
#include "base/crypt.h"
#include "watch/alert/alert_digest.h"
#include "proto/status/status_post.h"
#include "proto/status/status_subscriber.h"
#include "watch/outbox/author.h"
#include "watch/news/bounces.h"
#include "watch/news/news.h"
#include "watch/outbox/outbox_internal.h"
#include "watch/outbox/relays.h"
#include "watch/outbox/still.h"
#include "watch/outbox/way.h"

#include <arpa/inet.h>

#define MINUTE_MS 60000ULL

static const char *
ways_of(const struct way_wish *wish)
{
	static char text[WAYS_MAX * 8];
	struct way ways[WAYS_MAX];
	size_t n = way_order(wish, ways), at = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = ways[i].kind == WAY_DIRECT  ? "direct"
		                   : ways[i].kind == WAY_QUEUE ? "queue"
		                                               : ways[i].host.p;

		at +=
		    (size_t)snprintf(text + at, sizeof(text) - at, "%s ", name);
	}
	return text;
}

TEST(a_relay_that_is_down_is_tried_last)
{
	struct way relays[] = { { .host = STR("a") }, { .host = STR("b") },
		{ .host = STR("c") } };
	struct way_wish w = { relays, 3, true, false, 0 };

	assert_string_equal(ways_of(&w), "a b c direct ");
	relays[0].is_down = relays[1].is_down = true;
	assert_string_equal(ways_of(&w), "c direct a b ");
	w.is_direct = false;
	assert_string_equal(ways_of(&w), "c a b ");
}

TEST(who_needs_names_comes_last_while_none_is_answered)
{
	struct way relays[] = { { .host = STR("a") },
		{ .host = STR("b"), .is_down = true } };
	struct way_wish w = { relays, 2, true, true, WAY_QUEUE_ROUND };

	assert_string_equal(ways_of(&w), "a b direct queue ");
	w.is_direct = false;
	assert_string_equal(ways_of(&w), "a b queue ");
}

TEST(no_way_holds_up_the_next_one_for_long)
{
	struct way_limits l = way_limits(0);
	uint32_t last = 0;

	CHECK(l.lookup_ms == 3000 && l.whole_ms == 10000, "seconds");
	/* Who is the only one, and slow, gets it in the end. */
	for (uint32_t round = 0; round < 100; round++) {
		l = way_limits(round);
		CHECK(l.whole_ms >= last && l.lookup_ms < l.whole_ms, "grows");
		last = l.whole_ms;
	}
	CHECK(last == 180000 && l.lookup_ms == 30000, "and has an end");
	CHECK(way_share_ms(10000, 3) == 5000, "others are left");
	CHECK(way_share_ms(10000, 1) == 10000, "none is");
	CHECK(way_share_ms(1, 2) == 1 && way_share_ms(0, 1) == 1, "some");
}

static struct sockaddr_storage
address(const char *text)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a;

	in->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	return a;
}

TEST(a_relay_is_where_it_was)
{
	struct sockaddr_storage a = address("192.0.2.1"),
				got[CONNECT_ADDRS_MAX];
	struct relays *r = relays_new("");
	char host[40];

	CHECK(relays_recall(r, "mx.example.net", 25, got) == 0, "never seen");
	relays_remember(r, "mx.example.net", 25, &a, 1);
	CHECK(relays_recall(r, "MX.example.net", 25, got) == 1, "seen");
	CHECK(memcmp(got, &a, sizeof(a)) == 0, "there");
	CHECK(relays_recall(r, "mx.example.net", 587, got) == 0, "a port");
	a = address("192.0.2.2");
	relays_remember(r, "mx.example.net", 25, &a, 1);
	CHECK(relays_recall(r, "mx.example.net", 25, got) == 1 &&
		  memcmp(got, &a, sizeof(a)) == 0,
	    "it moved");
	/* Of other configurations, in the course of time. */
	for (size_t i = 0; i < 3 * WAY_RELAYS_MAX; i++) {
		snprintf(host, sizeof(host), "%zu.example.net", i);
		relays_remember(r, host, 25, &a, 1);
	}
	CHECK(relays_recall(r, "mx.example.net", 25, got) == 0, "forgotten");
	CHECK(relays_recall(r, host, 25, got) == 1, "the last one is not");
	free(r);
}

TEST(the_own_queue_is_the_last_resort)
{
	struct way relay = { .host = STR("a"), .is_down = true };
	struct way_wish w = { &relay, 1, true, false, WAY_QUEUE_ROUND - 1 };

	assert_string_equal(ways_of(&w), "direct a ");
	w.round = WAY_QUEUE_ROUND;
	assert_string_equal(ways_of(&w), "direct a queue ");
	/* And the only one, where there is no other. */
	w = (struct way_wish){ 0 };
	assert_string_equal(ways_of(&w), "queue ");
}

TEST(pauses_grow_and_have_an_end)
{
	uint64_t last = 0;

	for (uint32_t round = 1; round < 100; round++) {
		uint64_t least = way_pause_ms(round, 15000, 0);
		uint64_t usual = least / 4 * 5;

		CHECK(least >= last, "they grow");
		CHECK(usual <= 15 * MINUTE_MS, "they end");
		for (uint32_t r = 0; r < 2000; r += 7) {
			uint64_t p = way_pause_ms(round, 15000, r * 7919);

			CHECK(p >= least && p <= usual / 5 * 6 + 1, "jitter");
		}
		last = least;
	}
	CHECK(way_pause_ms(1, 15000, 3000) == 15000, "the base, in the middle");
	CHECK(last == 12 * MINUTE_MS, "a quarter of an hour, less a fifth");
	CHECK(way_pause_ms(0, 0, 5) == 0, "none is none");
}

/* --- bytes --------------------------------------------------------------------- */

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

static bool
holds(const struct buf *b, const char *text)
{
	return str_search(buf_str(b), str_c(text)) >= 0;
}

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

/* --- words ------------------------------------------------------------------------ */

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

/* --- what comes back ------------------------------------------------------------------ */

TEST(only_who_does_not_exist_counts)
{
	static const char *const dead[] = { "550 5.1.1 No such user",
		"550 5.1.1 <a@example.org>: Recipient address rejected: User "
		"unknown",
		"550 5.2.1 The account is disabled",
		"550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found" };
	static const char *const alive[] = { "450 4.2.1 No such user, later",
		"550 5.7.1 Relaying denied", "552 5.2.2 Mailbox full",
		"550 5.7.1 Spam", "554 5.7.1 Service unavailable; blocked",
		"no such user", "", "999 no such user" };
	/* They live as long as their process. */
	static struct server sv;
	static struct bounces *b;

	b = bounces_new(&sv);

	for (size_t i = 0; i < ARRAY_LEN(dead); i++)
		CHECK(bounces_is_dead(b, str_c(dead[i])), dead[i]);
	for (size_t i = 0; i < ARRAY_LEN(alive); i++)
		CHECK(!bounces_is_dead(b, str_c(alive[i])), alive[i]);
}

/* --- several alerts in one mail ------------------------------------------------------ */

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

/* --- what waited ------------------------------------------------------------------------ */

TEST(who_left_is_not_written_to)
{
	static const char hash[STATUS_SECRET_HASH] = { 1 };
	struct status_subscriber s = { .language = STR("en"),
		.created_s = 1795392000,
		.token_hash = str_make(hash, sizeof(hash)) };
	struct status_message m = message();
	struct buf row = BUF_INIT(KIB(1));

	m.purpose = STATUS_FOR_NEWS;
	CHECK(still_judge(&m, STR_NONE) != NULL, "there is no row");
	status_subscriber_encode(&s, &row);
	CHECK(still_judge(&m, buf_str(&row)) != NULL, "pending");
	m.purpose = STATUS_FOR_CONFIRM;
	CHECK(still_judge(&m, STR_NONE) != NULL, "it ended");
	CHECK(still_judge(&m, buf_str(&row)) == NULL, "it waits for that");
	s.is_confirmed = true;
	s.confirmed_s = s.created_s;
	buf_reset(&row, 0);
	status_subscriber_encode(&s, &row);
	CHECK(still_judge(&m, buf_str(&row)) != NULL, "it is confirmed");
	m.purpose = STATUS_FOR_NEWS;
	CHECK(still_judge(&m, buf_str(&row)) == NULL, "news");
	m.to = STR("OPS@example.org");
	CHECK(still_judge(&m, buf_str(&row)) != NULL, "another's row");
	buf_done(&row);
}

/* --- limits, logins -------------------------------------------------------------------- */

TEST(confirmations_cannot_flood_an_address)
{
	static const char *const names[] = { "a@example.org", "A@Example.org",
		"a+1@example.org", "a+2@example.org", "a@example.org" };
	struct outbox_limit *l = outbox_limit_new(NULL);
	struct status_message m = { .purpose = STATUS_FOR_CONFIRM };
	uint64_t now = 1795392000;
	size_t sent = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		m.to = str_c(names[i]);
		if (outbox_limit_ask(l, &m, now + i) != OUTBOX_LIMIT_OK)
			continue;
		CHECK(outbox_limit_count(l, &m, now + i, now + i), "held");
		sent++;
	}
	CHECK(sent == 3, "three a day");
	m.to = STR("b@example.org");
	CHECK(outbox_limit_ask(l, &m, now) == OUTBOX_LIMIT_OK, "another one");
	m.to = STR("A.+x@example.org");
	CHECK(outbox_limit_ask(l, &m, now + 86399) == OUTBOX_LIMIT_RECEIVER,
	    "not yet");
	CHECK(outbox_limit_ask(l, &m, now + 86403) == OUTBOX_LIMIT_OK,
	    "the next day");
	CHECK(!outbox_limit_count(l, &m, now - 86400, now), "too old");
	m.purpose = STATUS_FOR_TEST;
	CHECK(outbox_limit_ask(l, &m, now) == OUTBOX_LIMIT_OK, "another kind");
	free(l);
}

/* To a receiver of each number between the two, until one may not. */
static size_t
confirm_many(struct outbox_limit *l, const char *before, const char *behind,
    uint64_t now, enum outbox_limit_answer *ret_last)
{
	struct status_message m = { .purpose = STATUS_FOR_CONFIRM };
	char to[80];

	for (size_t n = 0; n < 10000; n++) {
		(void)snprintf(to, sizeof(to), "%s%zu%s", before, n, behind);
		m.to = str_c(to);
		*ret_last = outbox_limit_ask(l, &m, now);
		if (*ret_last != OUTBOX_LIMIT_OK)
			return n;
		CHECK(outbox_limit_count(l, &m, now, now), "held");
	}
	return 10000;
}

TEST(confirmations_have_a_budget)
{
	struct suffixes *list = suffixes_parse(STR("com\norg\n"));
	struct outbox_limit *l = outbox_limit_new(list);
	struct status_message busy = { .purpose = STATUS_FOR_CONFIRM,
		.to = STR("victim@example.org") };
	uint64_t now = 1795392000;
	enum outbox_limit_answer last;

	for (size_t i = 0; i < 3; i++)
		CHECK(outbox_limit_count(l, &busy, now, now), "held");
	CHECK(confirm_many(l, "x@h", ".example.com", now, &last) == 100,
	    "hosts of a domain are one domain");
	CHECK(last == OUTBOX_LIMIT_ALL, "later");
	CHECK(confirm_many(l, "x@d", ".com", now, &last) == 2000 - 103,
	    "all together");
	CHECK(last == OUTBOX_LIMIT_ALL, "later");
	CHECK(outbox_limit_ask(l, &busy, now) == OUTBOX_LIMIT_RECEIVER,
	    "who got most is not forgotten");
	CHECK(confirm_many(l, "x@d", ".com", now + 86400, &last) == 2000,
	    "the next day");
	free(l);
	suffixes_free(list);
}

/* How many of this kind may be under way at the same time, from N on? */
static size_t
begin_many(struct outbox *o, struct parcel *v, size_t n,
    enum status_purpose purpose, bool is_one_domain)
{
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct parcel){ .purpose = purpose,
			.domain = is_one_domain ? 7 : i };
		if (!outbox_has_room(o, &v[i]))
			return i;
		outbox_take_place(o, &v[i]);
	}
	return n;
}

TEST(places_are_kept_for_alerts)
{
	struct outbox *o = X_NEW(struct outbox);
	struct parcel a[30], b[30], c[30], d[30];
	size_t n;

	CHECK(begin_many(o, a, 30, STATUS_FOR_CONFIRM, true) == 1, "a domain");
	outbox_leave_place(o, &a[0]);
	CHECK(begin_many(o, a, 30, STATUS_FOR_CONFIRM, false) == 4, "domains");
	n = begin_many(o, b, 30, STATUS_FOR_NEWS, false);
	CHECK(n == 12, "news are not held up by them");
	CHECK(begin_many(o, c, 30, STATUS_FOR_TEST, false) == 0, "no more");
	CHECK(begin_many(o, d, 30, STATUS_FOR_ALERT, false) == 4, "alerts");
	outbox_leave_place(o, &a[1]);
	CHECK(begin_many(o, c, 30, STATUS_FOR_CONFIRM, true) == 1, "again");
	for (size_t i = 0; i < 4; i++) {
		if (i != 1)
			outbox_leave_place(o, &a[i]);
		outbox_leave_place(o, &d[i]);
	}
	outbox_leave_place(o, &c[0]);
	for (size_t i = 0; i < n; i++)
		outbox_leave_place(o, &b[i]);
	CHECK(o->n_busy == 0 && o->n_busy_others == 0 && o->n_busy_news == 0 &&
		  o->n_busy_confirm == 0,
	    "all is given back");
	free(o);
}

/* n rows of confirmations, as role web puts them. */
static void
put_confirmations(struct outbox *o, size_t first, size_t n)
{
	const struct status_message m = { .purpose = STATUS_FOR_CONFIRM,
		.to = STR("somebody@example.org"),
		.language = STR("en") };
	struct msg_ledger_changed c = { .table = LEDGER_OUTBOX };
	struct buf value = BUF_INIT(KIB(4)), rows = BUF_INIT(MIB(8));

	status_message_encode(&m, &value);
	for (size_t i = first; i < first + n; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%08zu", i);
		msg_ledger_row_put(
		    &rows, &(struct msg_ledger_row){
			       .key = str_c(key), .value = buf_str(&value) });
	}
	assert_false(rows.failed);
	c.rows = buf_str(&rows);
	assert_true(outbox_changed(o, &c));
	buf_done(&value);
	buf_done(&rows);
}

TEST(confirmations_leave_room_for_what_is_our_own)
{
	/* An outbox lives as long as its process. */
	static struct server sv;
	struct outbox *o;

	sv.loop = loop_new();
	o = sv.outbox = outbox_new(&sv);
	put_confirmations(o, 0, 10);
	CHECK(o->n == 10 && !outbox_wants_rows(o), "all are held");
	put_confirmations(o, 10, OUTBOX_ASKED_MAX);
	CHECK(o->n == OUTBOX_ASKED_MAX, "as many as may be");
	CHECK(!outbox_can_hold(o, LEDGER_OUTBOX), "full");
	CHECK(outbox_can_hold(o, LEDGER_TOLD), "there is room");
	CHECK(!outbox_wants_rows(o), "not yet");
	while (o->n > OUTBOX_ASKED_MAX / 2)
		outbox_forget(o, o->v[o->n - 1]);
	CHECK(!outbox_wants_rows(o), "not quite");
	outbox_forget(o, o->v[0]);
	CHECK(outbox_wants_rows(o), "the others have their turn");
	while (o->n > 0)
		outbox_forget(o, o->v[o->n - 1]);
	CHECK(o->n_asked == 0, "all are counted back");
}

TEST(a_relay_is_down_when_its_own_port_is)
{
	static const struct {
		enum status_kind kind;
		const char *target;
		enum watch_status status;
		bool is_masked;
		enum relay_sign want;
	} cases[] = {
		{ STATUS_SMTP, "mx.example.net", WATCH_DOWN, false,
		    RELAY_DOWN },
		{ STATUS_TCP, "MX.example.net:25", WATCH_DOWN, false,
		    RELAY_DOWN },
		{ STATUS_SMTP, "mx.example.net", WATCH_UP, true, RELAY_WORKS },
		{ STATUS_SMTP, "mx.example.net", WATCH_DEGRADED, false,
		    RELAY_WORKS },
		{ STATUS_SMTP, "mx.example.net", WATCH_UNKNOWN, false,
		    RELAY_UNSEEN },
		{ STATUS_SMTP, "mx.example.net", WATCH_UNKNOWN, true,
		    RELAY_HOST_DOWN },
		{ STATUS_PING, "mx.example.net", WATCH_DOWN, false,
		    RELAY_HOST_DOWN },
		/* It says nothing of the port. */
		{ STATUS_PING, "mx.example.net", WATCH_UP, false,
		    RELAY_UNSEEN },
		/* Another port, another host, a question about its name. */
		{ STATUS_TCP, "mx.example.net:8080", WATCH_DOWN, false,
		    RELAY_UNSEEN },
		{ STATUS_HTTP, "https://mx.example.net/", WATCH_DOWN, true,
		    RELAY_UNSEEN },
		{ STATUS_SMTP, "mx.example.net:587", WATCH_UP, false,
		    RELAY_UNSEEN },
		{ STATUS_SMTP, "mx.example.org", WATCH_DOWN, false,
		    RELAY_UNSEEN },
		{ STATUS_DNS, "mx.example.net", WATCH_DOWN, false,
		    RELAY_UNSEEN },
	};
	const struct way relay = { .host = STR("mx.example.net"), .port = 25 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_check c = { .kind = cases[i].kind,
			.target = str_c(cases[i].target) };

		CHECK(relays_sign(&relay, &c, cases[i].status,
			  cases[i].is_masked) == cases[i].want,
		    cases[i].target);
	}
}

TEST(logins_are_lines)
{
	static const struct {
		const char *line, *host, *login, *password;
		uint16_t port;
	} cases[] = {
		{ "mx.example.net user pass", "mx.example.net", "user", "pass",
		    0 },
		{ "  192.0.2.1:587   u@x.example  a b c ", "192.0.2.1",
		    "u@x.example", "a b c", 587 },
		{ "mx.example.net user", NULL, NULL, NULL, 0 },
		{ "mx.example.net", NULL, NULL, NULL, 0 },
		{ "host! user pass", NULL, NULL, NULL, 0 },
		{ "", NULL, NULL, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct relay_login l;
		bool ok = relays_parse_line(str_c(cases[i].line), &l);

		CHECK(ok == (cases[i].host != NULL), cases[i].line);
		if (!ok)
			continue;
		CHECK(str_eq(l.host, str_c(cases[i].host)) &&
			  str_eq(l.login, str_c(cases[i].login)) &&
			  str_eq(l.password, str_c(cases[i].password)) &&
			  l.port == cases[i].port,
		    cases[i].line);
	}
}

/* --- news ----------------------------------------------------------------------------- */

TEST(only_what_is_new_and_public_is_told)
{
	uint64_t now = 1795392000, old = now - 3 * 86400;
	struct status_post p = { .published_s = now - 5 };
	struct status_update u = { .created_s = now - 1 };

	CHECK(news_judge(&p, NULL, now) == NEWS_NOW, "new");
	CHECK(news_judge(&p, &u, now) == NEWS_NOW, "an update");
	u.is_quiet = true;
	CHECK(news_judge(&p, &u, now) == NEWS_NEVER, "quiet");
	u = (struct status_update){ .created_s = now - 6 };
	CHECK(news_judge(&p, &u, now) == NEWS_NEVER, "before it was public");
	p.is_imported = true;
	CHECK(news_judge(&p, NULL, now) == NEWS_NEVER, "of an archive");
	p = (struct status_post){ .published_s = old };
	CHECK(news_judge(&p, NULL, now) == NEWS_NEVER, "old");
	CHECK(news_judge(&p, &u, now) == NEWS_NOW, "an update of an old one");
	p.published_s = now + 60;
	CHECK(news_judge(&p, NULL, now) == NEWS_LATER, "in a minute");
	p.published_s = 0;
	CHECK(news_judge(&p, NULL, now) == NEWS_NEVER, "a draft");
	p = (struct status_post){ .published_s = now, .is_quiet = true };
	CHECK(news_judge(&p, NULL, now) == NEWS_NEVER, "a quiet one");
}

TEST(who_came_later_has_read_it)
{
	struct status_post p = { .published_s = 100, .created_s = 90 };
	struct status_update u = { .created_s = 200 };
	struct status_subscriber s = { .is_confirmed = true,
		.scope = STATUS_SCOPE_ALL,
		.confirmed_s = 100 };

	CHECK(news_is_for(&s, &p, NULL), "was there");
	s.confirmed_s = 101;
	CHECK(!news_is_for(&s, &p, NULL), "came later");
	CHECK(news_is_for(&s, &p, &u), "and hears of what comes");
	s.confirmed_s = 201;
	CHECK(!news_is_for(&s, &p, &u), "unless that was there as well");
	/* Written now, about what was an hour ago. */
	p.created_s = 3700;
	CHECK(news_is_for(&s, &p, NULL), "it is new");
	s.is_confirmed = false;
	CHECK(!news_is_for(&s, &p, NULL), "nobody yet");
}

/* Is what waits for the update of KEY still said, given these rows? */
static bool
is_said(const char *key, struct str post, const char *update_key,
    struct str update, uint64_t now)
{
	struct news_still s;

	CHECK(news_still_begin(&s, str_c(key), now), key);
	news_still_row(&s, STR("00000007/0000"), post);
	if (update_key != NULL)
		news_still_row(&s, str_c(update_key), update);
	return news_still_is(&s);
}

TEST(what_was_taken_back_is_not_told)
{
	const uint64_t now = 1795392000;
	struct status_post p = { .kind = STATUS_NOTICE,
		.title = STR("One"),
		.slug = STR("one"),
		.language = STR("en"),
		.created_s = now - 9,
		.changed_s = now - 9,
		.published_s = now - 5 };
	struct status_update u = { .body = STR("two"), .created_s = now - 1 };
	struct buf post = BUF_INIT(KIB(4)), draft = BUF_INIT(KIB(4));
	struct buf update = BUF_INIT(KIB(4));
	struct news_still s;

	status_post_encode(&p, &post);
	p.published_s = 0;
	status_post_encode(&p, &draft);
	status_update_encode(&u, &update);
	CHECK(is_said("00000007/0000", buf_str(&post), NULL, STR_NONE, now),
	    "a post");
	CHECK(is_said("00000007/0001", buf_str(&post), "00000007/0001",
		  buf_str(&update), now),
	    "an update");
	CHECK(!is_said("00000007/0000", buf_str(&draft), NULL, STR_NONE, now),
	    "a draft again");
	CHECK(!is_said("00000007/0001", buf_str(&draft), "00000007/0001",
		  buf_str(&update), now),
	    "an update of one");
	CHECK(
	    !is_said("00000007/0000", buf_str(&post), NULL, STR_NONE, now - 6),
	    "put off");
	CHECK(!is_said("00000007/0001", buf_str(&post), "00000007/0002",
		  buf_str(&update), now),
	    "another update");
	CHECK(!is_said("00000008/0000", buf_str(&post), NULL, STR_NONE, now),
	    "another post");
	CHECK(!news_still_begin(&s, STR("box/smtp"), now), "no post");
	buf_done(&post);
	buf_done(&draft);
	buf_done(&update);
}

TEST_MAIN(UNIT(what_was_taken_back_is_not_told),
    UNIT(who_came_later_has_read_it), UNIT(only_what_is_new_and_public_is_told),
    UNIT(a_relay_that_is_down_is_tried_last),
    UNIT(who_needs_names_comes_last_while_none_is_answered),
    UNIT(no_way_holds_up_the_next_one_for_long), UNIT(a_relay_is_where_it_was),
    UNIT(the_own_queue_is_the_last_resort), UNIT(pauses_grow_and_have_an_end),
    UNIT(who_left_is_not_written_to), UNIT(only_who_does_not_exist_counts),
    UNIT(subscribers_hear_from_the_provider), UNIT(a_digest_names_what_failed),
    UNIT(a_mail_about_several_things_is_in_the_thread_of_each),
    UNIT(a_letter_is_a_message), UNIT(letters_are_7_bit_and_their_lines_end),
    UNIT(one_click_ends_a_subscription),
    UNIT(webhooks_are_signed_as_the_standard_says), UNIT(ids_name_one_message),
    UNIT(an_alert_says_what_and_what_to_do),
    UNIT(what_is_over_says_how_long_it_took),
    UNIT(an_outage_takes_its_own_time), UNIT(an_alert_is_json),
    UNIT(confirmations_have_a_budget), UNIT(places_are_kept_for_alerts),
    UNIT(confirmations_cannot_flood_an_address),
    UNIT(a_relay_is_down_when_its_own_port_is),
    UNIT(confirmations_leave_room_for_what_is_our_own), UNIT(logins_are_lines))
