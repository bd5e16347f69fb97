/* SPDX-License-Identifier: ISC */
/* status_bounce_test.c - tags of return paths, and when a subscriber is paused. */
#include "../../test.h"
#include "proto/status/status_bounce.h"

#define DAY 86400U

static const char key_bytes[STATUS_BOUNCE_KEY] =
    "a key of thirty-two bytes......";

static struct str
key(void)
{
	return str_make(key_bytes, sizeof(key_bytes));
}

static struct str
put(struct buf *b, const char *to, uint32_t post, uint16_t update)
{
	struct status_bounce_tag tag = { .post = post, .update = update };

	status_bounce_id(key(), str_c(to), tag.id);
	buf_reset(b, 0);
	status_bounce_put_tag(key(), &tag, b);
	return buf_str(b);
}

TEST(a_tag_comes_back_whatever_its_case)
{
	struct buf b = BUF_INIT(100), other = BUF_INIT(100);
	unsigned char id[STATUS_BOUNCE_ID];
	struct status_bounce_tag tag;
	struct str text = put(&b, "a@example.org", 70000, 65535);

	CHECK(text.n == STATUS_BOUNCE_TAG, "its length");
	CHECK(sizeof(STATUS_BOUNCE_LOCAL) + text.n <= 64, "a local part");
	for (size_t i = 0; i < b.n; i++)
		if (ascii_is_alpha(b.p[i]) && i % 2 == 0)
			b.p[i] = (char)(b.p[i] - 'a' + 'A');
	CHECK(status_bounce_read_tag(key(), buf_str(&b), &tag), "it is ours");
	CHECK(tag.post == 70000 && tag.update == 65535, "which mail");
	status_bounce_id(key(), STR("a@example.org"), id);
	CHECK(memcmp(id, tag.id, sizeof(id)) == 0, "whose");
	CHECK(!str_eq(put(&b, "a@example.org", 1, 0),
		  put(&other, "b@example.org", 1, 0)),
	    "another subscriber");
	buf_done(&b);
	buf_done(&other);
}

TEST(nobody_else_makes_a_tag)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	struct buf b = BUF_INIT(100);
	struct status_bounce_tag tag = { 0 };
	char foreign[STATUS_BOUNCE_KEY] = "another key";

	(void)put(&b, "a@example.org", 7, 1);
	CHECK(!status_bounce_read_tag(
		  str_make(foreign, sizeof(foreign)), buf_str(&b), &tag),
	    "another key");
	CHECK(!status_bounce_read_tag(key(), STR(""), &tag), "nothing");
	CHECK(!status_bounce_read_tag(
		  key(), str_first(buf_str(&b), b.n - 1), &tag),
	    "shorter");
	/* Each letter counts. */
	for (size_t i = 0; i < STATUS_BOUNCE_TAG; i++) {
		char was = b.p[i];

		for (size_t k = 0; k < 32; k++) {
			b.p[i] = letters[k];
			CHECK(status_bounce_read_tag(key(), buf_str(&b),
				  &tag) == (letters[k] == was),
			    "one letter");
		}
		b.p[i] = '1';
		CHECK(!status_bounce_is_tag(buf_str(&b)), "no letter");
		b.p[i] = was;
	}
	buf_done(&b);
}

static struct status_subscriber
subscriber(void)
{
	static const char hash[STATUS_SECRET_HASH] = { 1 };

	return (struct status_subscriber){ .is_confirmed = true,
		.language = STR("en"),
		.created_s = 1790000000,
		.confirmed_s = 1790000000,
		.token_hash = str_make(hash, sizeof(hash)) };
}

TEST(three_days_pause_a_subscriber)
{
	struct status_subscriber s = subscriber();
	uint64_t now = 1795392000;
	struct str said = STR("550 5.1.1 no such user");

	CHECK(status_bounce_count(&s, said, now), "the first");
	for (unsigned i = 1; i < 12; i++)
		CHECK(!status_bounce_count(&s, said, now + i * 3600),
		    "ten updates of a day are one");
	CHECK(status_bounce_count(&s, said, now + DAY), "the second");
	CHECK(status_subscriber_is_active(&s), "not yet");
	CHECK(status_bounce_count(&s, said, now + 30 * DAY), "the third");
	CHECK(!status_subscriber_is_active(&s), "paused");
	assert_string_equal(status_subscriber_state(&s), "paused");
	CHECK(!status_bounce_count(&s, said, now + 40 * DAY), "no more");
	CHECK(status_bounce_forgive(&s), "it is resumed");
	CHECK(status_subscriber_is_active(&s) && s.bounces == 0, "again");
	CHECK(!status_bounce_forgive(&s), "nothing to do");
}

TEST(what_is_long_ago_does_not_count)
{
	struct status_subscriber s = subscriber();
	uint64_t now = 1795392000;

	for (unsigned i = 0; i < 20; i++) {
		CHECK(status_bounce_count(&s, STR("x"), now), "counted");
		CHECK(status_subscriber_is_active(&s), "one in three months");
		now += 90 * DAY;
	}
	s.is_confirmed = false;
	CHECK(!status_bounce_count(&s, STR("x"), now + DAY), "pending");
}

TEST(a_row_keeps_its_bounces)
{
	struct status_subscriber s = subscriber(), back;
	struct buf plain = BUF_INIT(KIB(1)), b = BUF_INIT(KIB(1));
	struct str said, to = STR("a@example.org");

	status_subscriber_encode(&s, &plain);
	(void)status_bounce_count(&s, STR("550 5.1.1 gone"), 1795392000);
	status_subscriber_encode(&s, &b);
	CHECK(status_subscriber_decode(to, buf_str(&b), &back), "it is read");
	CHECK(back.bounces == 1 && back.bounced_s == 1795392000 &&
		  str_eq(back.why, STR("550 5.1.1 gone")),
	    "the same");
	for (size_t n = plain.n + 1; n < b.n; n++)
		CHECK(!status_subscriber_decode(
			  to, str_first(buf_str(&b), n), &back),
		    "cut off");
	/* As it was before there were any. */
	(void)status_bounce_forgive(&s);
	buf_reset(&b, 0);
	status_subscriber_encode(&s, &b);
	CHECK(str_eq(buf_str(&b), buf_str(&plain)), "forgiven");
	buf_reset(&b, 0);
	status_bounce_put_row(&b, STR("550 \xff\r\nBcc: x"));
	CHECK(status_bounce_read_row(buf_str(&b), &said), "a row");
	CHECK(str_eq(said, STR("550    Bcc: x")), "tame");
	buf_done(&plain);
	buf_done(&b);
}

TEST_MAIN(UNIT(a_tag_comes_back_whatever_its_case),
    UNIT(nobody_else_makes_a_tag), UNIT(three_days_pause_a_subscriber),
    UNIT(what_is_long_ago_does_not_count), UNIT(a_row_keeps_its_bounces))
