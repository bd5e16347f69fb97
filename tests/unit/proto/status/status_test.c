/* SPDX-License-Identifier: ISC */
/* status_test.c - systems, windows and checks as words and as rows. */
#include "../../test.h"
#include "proto/status/status_check.h"
#include "proto/status/status_system.h"

/* KIND TARGET NAME=VALUE..., separated by '|'. */
static bool
make(const char *words, struct status_check *c, struct status_fault *f)
{
	struct str word, kind, target,
	    rest = str_split(str_c(words), '|', &kind);
	bool ok;

	rest = str_split(rest, '|', &target);
	ok = status_check_begin(c, kind, target, f);
	while (ok && rest.n > 0) {
		rest = str_split(rest, '|', &word);
		ok = status_check_put(c, word, f);
	}
	return ok && status_check_finish(c, f);
}

TEST(checks_are_what_they_say)
{
	static const struct {
		const char *words;
		const char *fault; /* a part of what was expected; NULL: good */
	} cases[] = {
		{ "tcp|192.0.2.1:25", NULL },
		{ "tcp|[2001:db8::1]:25|family=6", NULL },
		{ "tcp|192.0.2.1", "HOST:PORT" },
		{ "tcp|192.0.2.1:0", "HOST:PORT" },
		{ "tcp|192.0.2.300:25", "HOST:PORT" },
		{ "tcp|h:99999", "a port from 1 to 65535" },
		{ "tcp|h:25|login=x", "an option of this kind" },
		{ "tcp|h:25|every=1s", "2s to 1d" },
		{ "tcp|h:25|every=2s", NULL },
		{ "tcp|h:25|every=10", "such as every=10s" },
		{ "tcp|h:25|timeout=5", "such as timeout=10s" },
		{ "tcp|h:25|every=2s|timeout=3s", "not above every" },
		{ "tcp|h:25|every=10s|timeout=11s", "not above every" },
		{ "tcp|h:25|slow=6s", "not above timeout" },
		{ "tcp|h:25|slow=6s|timeout=10s", NULL },
		{ "tcp|h:25|slow=600us", "a time" },
		{ "tcp|h:25|slow=1s|limit=2s", NULL },
		{ "tcp|h:25|limit=6s", "not above timeout" },
		{ "tcp|h:25|slow=3s|limit=2s", "not below slow" },
		{ "http|http://h/|limit=5", "such as limit=10s" },
		{ "tcp|h:25|confirm=1|recover=1|loss=1", NULL },
		{ "ping|h|confirm=10|recover=10|loss=100", NULL },
		{ "tcp|h:25|confirm=11", "a number from 1 to 10" },
		{ "tcp|h:25|confirm=0", "a number from 1" },
		{ "tcp|h:25|recover=11", "a number from 1 to 10" },
		{ "tcp|h:25|loss=101", "a number from 1 to 100" },
		{ "ping|2001:db8::1", NULL },
		{ "ping|a b", "a host" },
		{ "pong|h", "tcp, ping" },
		{ "tls|h|protocol=sieve|days=30", NULL },
		{ "tls|h|protocol=ftp", "tls, smtp" },
		{ "imap|h|login=a", "login and password" },
		{ "imap|h|login=a|password=b", NULL },
		{ "imap|h|login=a|password=b|tls=never", "tls=starttls" },
		{ "submission|h|login=a|password=b", NULL },
		{ "smtp|h|tls=maybe", "never, starttls" },
		{ "http|https://www.example.org/x?y|code=200,204", NULL },
		{ "http|https://www.example.org", NULL },
		{ "http|ftp://www.example.org/", "a URL" },
		{ "http|https://h/a b", "a URL" },
		{ "http|https://h/|code=99", "status codes" },
		{ "http|https://h/|code=300-200", "status codes" },
		{ "http|https://h/|json=ok", "a field" },
		{ "http|https://h/|json=a.ok=", "a field and" },
		{ "dns|example.org|type=MX|value=10 mail.example.org", NULL },
		{ "soa|example.org|server=192.0.2.1", "two or more" },
		{ "soa|example.org|server=192.0.2.1|server=192.0.2.2:5353",
		    NULL },
		{ "dns|example.org|dnssec=yes", NULL },
		{ "dns|example.org|dnssec=yes|days=3", NULL },
		{ "dns|example.org|dnssec=no|server=192.0.2.1", NULL },
		{ "dns|example.org|days=3|server=192.0.2.1", NULL },
		{ "dns|example.org|dnssec=yes|server=192.0.2.1",
		    "no server with dnssec=yes" },
		{ "dns|example.org|days=3", "dnssec=yes or a server" },
		{ "dns|example.org|dnssec=no|days=3",
		    "dnssec=yes or a server" },
		{ "dns|example.org|dnssec=perhaps", "yes or no" },
		{ "soa|example.org|server=192.0.2.1|server=192.0.2.2|"
		  "dnssec=yes|days=3",
		    NULL },
		{ "tcp|h:25|dnssec=yes", "an option of this kind" },
		{ "blocklist|192.0.2.1", "a block list" },
		{ "blocklist|192.0.2.1|list=bl.example", NULL },
		{ "sip|h|transport=tls", NULL },
		{ "roundtrip|a@b.example|via=h|imap=h|login=x|password=y",
		    NULL },
		{ "roundtrip|a@b.example|via=h|login=x|password=y", "via" },
		{ "roundtrip|nobody", "the address" },
		{ "tcp|h:25|every", "NAME=VALUE" },
		{ "tcp|h:25|colour=red", "NAME=VALUE" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_fault f = { 0 };
		struct status_check c;
		bool ok = make(cases[i].words, &c, &f);

		CHECK(ok == (cases[i].fault == NULL), cases[i].words);
		if (!ok && cases[i].fault != NULL)
			CHECK(strstr(f.expected, cases[i].fault) != NULL,
			    cases[i].words);
	}
}

TEST(a_check_comes_back_from_its_row)
{
	struct buf row = BUF_INIT(KIB(4)), text = BUF_INIT(KIB(4));
	struct status_fault f;
	struct status_check c, back;

	assert_true(make("imap|mail.example.org|login=a@b|password=se=cret|"
			 "slow=2s|slow=3s|verify=no",
	    &c, &f));
	status_check_encode(&c, &row);
	assert_true(status_check_decode(buf_str(&row), &back));
	assert_int_equal(back.kind, STATUS_IMAP);
	assert_true(str_eq(back.target, STR("mail.example.org")));
	assert_int_equal(status_check_ms(&back, STATUS_OPT_SLOW), 3000);
	assert_int_equal(status_check_ms(&back, STATUS_OPT_EVERY), 30000);
	assert_true(str_eq(
	    status_check_text(&back, STATUS_OPT_PASSWORD, 0), STR("se=cret")));
	assert_false(status_check_is(&back, STATUS_OPT_VERIFY, true));
	assert_int_equal(status_check_target(&back).port, 993);
	assert_int_equal(status_check_tls(&back), STATUS_TLS_IMPLICIT);
	status_check_put_options(&back, &text);
	assert_true(str_eq(buf_str(&text), STR("login=a@b slow=3s verify=no")));
	for (size_t n = 0; n < row.n; n++)
		assert_false(
		    status_check_decode(str_first(buf_str(&row), n), &back));
	row.p[0] = 2;
	assert_false(status_check_decode(buf_str(&row), &back));
	buf_done(&row);
	buf_done(&text);
}

TEST(an_empty_value_takes_all_away)
{
	struct status_fault f;
	struct status_check c;

	assert_true(
	    make("http|http://h/|body=a|body=b|body=|every=1m", &c, &f));
	assert_int_equal(status_check_count(&c, STATUS_OPT_BODY), 0);
	assert_int_equal(status_check_ms(&c, STATUS_OPT_EVERY), 60000);
}

TEST(ports_follow_from_kind_and_tls)
{
	static const struct {
		const char *words;
		uint16_t port;
		enum status_tls tls;
	} cases[] = {
		{ "smtp|h", 25, STATUS_TLS_NEVER },
		{ "smtp|h|tls=starttls", 25, STATUS_TLS_START },
		{ "submission|h", 587, STATUS_TLS_START },
		{ "submission|h:465", 465, STATUS_TLS_IMPLICIT },
		{ "submission|h|tls=implicit", 465, STATUS_TLS_IMPLICIT },
		{ "imap|h", 993, STATUS_TLS_IMPLICIT },
		{ "imap|h:143", 143, STATUS_TLS_START },
		{ "imap|h|tls=starttls", 143, STATUS_TLS_START },
		{ "pop3|h", 995, STATUS_TLS_IMPLICIT },
		{ "sieve|h", 4190, STATUS_TLS_START },
		{ "http|http://h/", 80, STATUS_TLS_START },
		{ "http|https://h/", 443, STATUS_TLS_START },
		{ "sip|h|transport=tls", 5061, STATUS_TLS_START },
		{ "tls|h|protocol=pop3", 110, STATUS_TLS_START },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_fault f;
		struct status_check c;

		assert_true(make(cases[i].words, &c, &f));
		CHECK(status_check_target(&c).port == cases[i].port,
		    cases[i].words);
		CHECK(status_check_tls(&c) == cases[i].tls, cases[i].words);
	}
}

TEST(codes_are_ranges)
{
	assert_true(status_codes_contain(STR("200-299,301"), 204));
	assert_true(status_codes_contain(STR("200-299,301"), 301));
	assert_false(status_codes_contain(STR("200-299,301"), 300));
	assert_false(status_codes_contain(STR_NONE, 200));
}

TEST(times_are_in_the_largest_unit)
{
	static const struct {
		const char *in;
		uint64_t ms;
		const char *out;
	} cases[] = {
		{ "90s", 90000, "90s" },
		{ "60s", 60000, "1m" },
		{ "1500ms", 1500, "1500ms" },
		{ "48h", 172800000, "2d" },
	};
	struct buf b = BUF_INIT(100);
	uint64_t ms;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&b, 100);
		CHECK(status_time_parse(str_c(cases[i].in), UINT32_MAX, &ms),
		    cases[i].in);
		CHECK(ms == cases[i].ms, cases[i].in);
		status_time_format(&b, ms);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].out)), cases[i].in);
	}
	CHECK(!status_time_parse(STR("5"), UINT32_MAX, &ms), "no unit");
	CHECK(!status_time_parse(STR("-5s"), UINT32_MAX, &ms), "sign");
	CHECK(!status_time_parse(STR("99999d"), UINT32_MAX, &ms), "too long");
	buf_done(&b);
}

TEST(a_system_comes_back_from_its_row)
{
	struct status_system s = { .id = STR("NC036"),
		.role = STATUS_ROLE_MAIL,
		.city = STR("Amsterdam"),
		.country = STR("Netherlands"),
		.is_internal = true,
		.order = 36,
		.n_parents = 2,
		.parents = { STR("nc033"), STR("NC035") } };
	struct buf row = BUF_INIT(KIB(4));
	struct status_fault f;
	struct status_system back;

	assert_true(status_system_is_sane(&s, &f));
	status_system_encode(&s, &row);
	assert_true(status_system_decode(buf_str(&row), &back));
	assert_true(str_eq(back.id, s.id) && str_eq(back.city, s.city) &&
		    str_eq(back.country, s.country));
	assert_true(back.is_internal && back.order == 36 &&
		    back.role == STATUS_ROLE_MAIL && back.n_parents == 2);
	s.parents[1] = STR("NC033");
	CHECK(!status_system_is_sane(&s, &f), "twice the same");
	s.parents[1] = STR("nc036");
	CHECK(!status_system_is_sane(&s, &f), "itself");
	s.parents[1] = STR("x");
	s.city = STR("a\nb");
	CHECK(!status_system_is_sane(&s, &f), "a control character");
	buf_done(&row);
}

TEST(a_window_comes_back_from_its_row)
{
	struct status_window w = { .system = STR("nc036"),
		.from_s = 1792000000,
		.length_s = 7200,
		.every_s = 604800,
		.note = STR("new disks") };
	struct buf key = BUF_INIT(200), row = BUF_INIT(KIB(4));
	struct status_window back;
	struct status_fault f;

	assert_true(status_window_is_sane(&w, &f));
	status_window_put_key(&key, &w);
	status_window_encode(&w, &row);
	assert_true(str_eq(buf_str(&key), STR("nc036/001792000000")));
	assert_true(status_window_decode(buf_str(&key), buf_str(&row), &back));
	assert_true(back.from_s == w.from_s && back.length_s == 7200 &&
		    back.every_s == 604800 && str_eq(back.note, w.note));
	w.every_s = 7199;
	assert_false(status_window_is_sane(&w, &f));
	assert_true(str_eq(f.part, STR("every")));
	buf_done(&key);
	buf_done(&row);
}

TEST(a_window_has_a_turn_that_comes)
{
	static const struct {
		uint64_t every_s, now_s;
		uint64_t from_s; /* 0: it is over */
	} cases[] = {
		{ 0, 0, 1000 },
		{ 0, 1000, 1000 },
		{ 0, 1099, 1000 },
		{ 0, 1100, 0 },
		{ 500, 0, 1000 },
		{ 500, 1099, 1000 },
		{ 500, 1100, 1500 },
		{ 500, 1599, 1500 },
		{ 500, 1600, 2000 },
		{ 500, 1000000, 1000000 },
		{ 500, 1000100, 1000500 },
		{ 100, 1100, 1100 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct status_window w = { .from_s = 1000,
			.length_s = 100,
			.every_s = cases[i].every_s };
		uint64_t from_s = 0;

		assert_int_equal(
		    status_window_turn(&w, cases[i].now_s, &from_s),
		    cases[i].from_s > 0);
		assert_int_equal(from_s, cases[i].from_s);
	}
}

TEST(a_name_that_there_is_not_is_told)
{
	struct status_check c;
	struct status_fault f = { 0 };
	struct str word = STR("evry=30s");

	assert_true(make("tcp|mx.example.org:25|service=send", &c, &f));
	status_check_forget(&c, word);
	status_check_forget(&c, STR("service"));
	assert_int_equal(c.n, 1);
	assert_false(status_check_put(&c, word, &f));
	/* It is of what was given, which the caller still has. */
	assert_ptr_equal(f.part.p, word.p);
	CHECK(str_eq(f.part, STR("evry")), "the name");
	CHECK(strstr(f.expected, " every, timeout, ") != NULL, f.expected);
	assert_false(status_check_put(&c, STR("every"), &f));
	assert_true(make("imap|mail.example.org", &c, &f));
	assert_false(status_check_put(&c, STR("password=a\nb"), &f));
	CHECK(str_eq(f.part, STR("password")), "a secret is not shown");
	assert_true(make("tcp|mx.example.org:25|service=send", &c, &f));
	status_check_forget(&c, STR("service=read"));
	assert_int_equal(c.n, 0);
}

TEST_MAIN(UNIT(a_window_has_a_turn_that_comes), UNIT(checks_are_what_they_say),
    UNIT(a_check_comes_back_from_its_row), UNIT(an_empty_value_takes_all_away),
    UNIT(a_name_that_there_is_not_is_told),
    UNIT(ports_follow_from_kind_and_tls), UNIT(codes_are_ranges),
    UNIT(times_are_in_the_largest_unit), UNIT(a_system_comes_back_from_its_row),
    UNIT(a_window_comes_back_from_its_row))
