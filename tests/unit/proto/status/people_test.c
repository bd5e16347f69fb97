/* SPDX-License-Identifier: ISC */
/* people_test.c - subscribers, keys of the API, the log of changes. */
#include "../../test.h"
#include "proto/status/status_audit.h"
#include "proto/status/status_key.h"
#include "proto/status/status_message.h"
#include "proto/status/status_subscriber.h"

#define NOW UINT64_C(1790000000)

static const char hash[STATUS_SECRET_HASH] = "0123456789abcdef0123456789abcde";

static struct status_subscriber
subscriber(void)
{
	return (struct status_subscriber){ .is_confirmed = true,
		.token_hash = str_make(hash, sizeof(hash)),
		.language = STR("en"),
		.created_s = NOW,
		.confirmed_s = NOW + 5 };
}

TEST(subscribers_have_one_key)
{
	static const struct {
		const char *text;
		const char *key; /* NULL: it is none */
	} cases[] = {
		{ "Alice@Example.ORG", "alice@example.org" },
		{ "a.b+c@example.org", "a.b+c@example.org" },
		{ "https://Hooks.Example.org/In/X?y=Z",
		    "https://hooks.example.org/In/X?y=Z" },
		{ "HTTPS://h.example:8443/x", "https://h.example:8443/x" },
		{ "http://h.example/", NULL },
		{ "https:///x", NULL },
		{ "https://h.example?x", NULL },
		{ "https://h.example?@192.0.2.1", NULL },
		{ "https://user@h.example/", NULL },
		{ "https://h.example/a b", NULL },
		{ "https://h.example/\r\nX: y", NULL },
		{ "alice", NULL },
		{ "alice@localhost", NULL },
		{ "alice@192.0.2.1", NULL },
		{ "alice@[192.0.2.1]", NULL },
		{ "a b@example.org", NULL },
		{ "a..b@example.org", NULL },
		{ ".a@example.org", NULL },
		{ "\"a\"@example.org", NULL },
		{ "a@b@example.org", NULL },
		{ "a,b@example.org", NULL },
		{ "a@example.org\r\nRCPT TO:<b@example.org>", NULL },
		{ "\xc3\xa9@example.org", NULL },
		{ "", NULL },
	};
	struct buf key = BUF_INIT(KIB(1));
	struct status_fault f;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is;

		buf_reset(&key, KIB(1));
		is = status_subscriber_put_key(&key, str_c(cases[i].text), &f);
		CHECK(is == (cases[i].key != NULL), cases[i].text);
		CHECK(
		    str_eq(buf_str(&key), str_c(cases[i].key)), cases[i].text);
		/* Or what takes it apart would find nothing (a bug there). */
		CHECK(!is || !status_subscriber_is_webhook(buf_str(&key)) ||
			  status_is_url(buf_str(&key)),
		    cases[i].text);
	}
	buf_done(&key);
}

TEST(a_subscriber_comes_back_as_it_was)
{
	struct status_subscriber s = subscriber(), back;
	struct buf row = BUF_INIT(KIB(2));
	struct str key = STR("alice@example.org");
	struct status_fault f;

	s.scope = STATUS_SCOPE_SYSTEMS;
	assert_true(status_subscriber_set_names(&s, STR("NC036, NC023"), &f));
	assert_true(status_subscriber_is_sane(key, &s, &f));
	status_subscriber_encode(&s, &row);
	assert_true(status_subscriber_decode(key, buf_str(&row), &back));
	assert_int_equal(back.n_names, 2);
	assert_int_equal(back.confirmed_s, NOW + 5);
	assert_true(str_eq(back.names[1], STR("NC023")));
	for (size_t n = 0; n < row.n; n++)
		assert_false(status_subscriber_decode(
		    key, str_first(buf_str(&row), n), &back));
	assert_false(status_subscriber_decode(
	    STR("Alice@example.org"), buf_str(&row), &back));
	s.secret = STR("webhooks only");
	assert_false(status_subscriber_is_sane(key, &s, &f));
	s = subscriber();
	s.scope = STATUS_SCOPE_TAGS;
	assert_false(status_subscriber_is_sane(key, &s, &f));
	s = subscriber();
	s.is_confirmed = false;
	assert_false(status_subscriber_is_sane(key, &s, &f));
	buf_done(&row);
}

TEST(subscribers_hear_what_they_asked_for)
{
	struct status_subscriber s = subscriber();
	struct status_post p = { 0 };
	struct status_fault f;

	p.affects.n = 1;
	p.affects.v[0].system = STR("NC036");
	p.n_tags = 1;
	p.tags[0] = STR("mail server");
	assert_true(status_subscriber_wants(&s, &p));
	s.is_confirmed = false;
	assert_false(status_subscriber_wants(&s, &p));
	s.is_confirmed = true;
	s.scope = STATUS_SCOPE_SYSTEMS;
	assert_true(status_subscriber_set_names(&s, STR("nc001,nc036"), &f));
	assert_true(status_subscriber_wants(&s, &p));
	assert_true(status_subscriber_set_names(&s, STR("nc001"), &f));
	assert_false(status_subscriber_wants(&s, &p));
	s.scope = STATUS_SCOPE_TAGS;
	assert_true(status_subscriber_set_names(&s, STR("Mail Server"), &f));
	assert_true(status_subscriber_wants(&s, &p));
	assert_true(status_subscriber_set_names(&s, STR("mail"), &f));
	assert_false(status_subscriber_wants(&s, &p));
}

TEST(a_token_to_leave_is_of_one_subscriber)
{
	struct status_subscriber s = subscriber();
	struct buf token = BUF_INIT(100);
	struct str key = STR("alice@example.org");

	status_subscriber_put_leave(key, &s, &token);
	assert_int_equal(token.n, STATUS_SECRET_LEN);
	assert_true(status_secret_is_sane(buf_str(&token)));
	assert_true(status_subscriber_leave_matches(key, &s, buf_str(&token)));
	assert_false(status_subscriber_leave_matches(
	    STR("bob@example.org"), &s, buf_str(&token)));
	assert_false(status_subscriber_leave_matches(key, &s, STR_NONE));
	s.token_hash = STR("another");
	assert_false(status_subscriber_leave_matches(key, &s, buf_str(&token)));
	buf_done(&token);
}

TEST(secrets_match_their_hash_alone)
{
	unsigned char raw[STATUS_SECRET_RAW], sum[STATUS_SECRET_HASH];
	struct buf secret = BUF_INIT(100);
	struct str h = str_make(sum, sizeof(sum));

	memset(raw, 0xFB, sizeof(raw));
	status_secret_put(&secret, raw);
	assert_string_equal(
	    buf_c(&secret), "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
	assert_true(status_secret_is_sane(buf_str(&secret)));
	status_secret_hash(buf_str(&secret), sum);
	assert_true(status_secret_matches(buf_str(&secret), h));
	assert_false(status_secret_matches(str_first(buf_str(&secret), 42), h));
	assert_false(status_secret_matches(buf_str(&secret), str_first(h, 31)));
	assert_false(status_secret_matches(buf_str(&secret), STR_NONE));
	buf_done(&secret);
}

TEST(keys_and_tokens)
{
	static const char secret[] =
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_-AAA";
	struct status_key k = { .name = STR("billing"),
		.hash = str_make(hash, sizeof(hash)),
		.scopes = STATUS_MAY_READ | STATUS_MAY_POST,
		.created_s = NOW };
	struct status_key back;
	struct buf b = BUF_INIT(KIB(1));
	struct str id, s;

	status_key_put_token(&b, STR("12ab34cd"), str_c(secret));
	assert_true(status_key_split_token(buf_str(&b), &id, &s));
	assert_true(str_eq(id, STR("12ab34cd")) && str_eq(s, str_c(secret)));
	assert_false(
	    status_key_split_token(str_first(buf_str(&b), b.n - 1), &id, &s));
	assert_false(status_key_split_token(STR("mss_12AB34CD_x"), &id, &s));
	assert_false(status_key_split_token(STR(""), &id, &s));

	buf_reset(&b, KIB(1));
	status_key_encode(&k, &b);
	assert_true(status_key_decode(buf_str(&b), &back));
	assert_int_equal(back.scopes, 3);
	for (size_t n = 0; n < b.n; n++)
		assert_false(
		    status_key_decode(str_first(buf_str(&b), n), &back));
	assert_true(status_key_is_good(&k, NOW));
	k.expires_s = NOW;
	assert_false(status_key_is_good(&k, NOW));
	k.expires_s = 0;
	k.revoked_s = 1;
	assert_false(status_key_is_good(&k, NOW));
	buf_done(&b);
}

TEST(scopes_are_words)
{
	struct buf b = BUF_INIT(KIB(1));
	struct status_fault f;
	unsigned v = 0;

	assert_true(status_key_scopes_parse(STR("posts, Read"), &v, &f));
	assert_int_equal(v, STATUS_MAY_READ | STATUS_MAY_POST);
	status_key_put_scopes(&b, v);
	assert_string_equal(buf_c(&b), "read,posts");
	assert_true(status_key_scopes_parse(STR("all"), &v, &f));
	assert_int_equal(v, STATUS_MAY_ALL);
	assert_false(status_key_scopes_parse(STR(""), &v, &f));
	assert_false(status_key_scopes_parse(STR("read,write"), &v, &f));
	buf_done(&b);
}

TEST(a_line_of_the_log_is_always_text)
{
	static char long_name[STATUS_TEXT_MAX + 10];
	struct status_audit a = { .who = STR("user root"),
		.what = STR("post.new"),
		.object = STR("17"),
		.from = STR("bad\xff\n") };
	struct status_audit back;
	struct buf key = BUF_INIT(100), row = BUF_INIT(STATUS_AUDIT_ROW_MAX);

	/* The cut does not go through a character of two bytes. */
	memset(long_name, 'a', sizeof(long_name));
	long_name[STATUS_TEXT_MAX - 1] = '\xc3';
	long_name[STATUS_TEXT_MAX] = '\xa9';
	a.detail = str_make(long_name, sizeof(long_name));
	status_audit_put_key(&key, 1790000000123, 0xab);
	assert_string_equal(buf_c(&key), "1790000000123/000000ab");
	assert_int_equal(key.n, STATUS_AUDIT_KEY_LEN);
	status_audit_encode(&a, &row);
	assert_true(status_audit_decode(buf_str(&key), buf_str(&row), &back));
	assert_true(back.at_ms == 1790000000123);
	assert_true(str_eq(back.who, a.who) && str_eq(back.what, a.what));
	assert_true(str_eq(back.from, STR("bad??")));
	assert_int_equal(back.detail.n, STATUS_TEXT_MAX - 1);
	for (size_t n = 0; n < row.n; n++)
		assert_false(status_audit_decode(
		    buf_str(&key), str_first(buf_str(&row), n), &back));
	assert_false(status_audit_decode(
	    str_first(buf_str(&key), 21), buf_str(&row), &back));
	buf_done(&key);
	buf_done(&row);
}

TEST_MAIN(UNIT(subscribers_have_one_key),
    UNIT(a_subscriber_comes_back_as_it_was),
    UNIT(subscribers_hear_what_they_asked_for),
    UNIT(a_token_to_leave_is_of_one_subscriber),
    UNIT(secrets_match_their_hash_alone), UNIT(keys_and_tokens),
    UNIT(scopes_are_words), UNIT(a_line_of_the_log_is_always_text))
