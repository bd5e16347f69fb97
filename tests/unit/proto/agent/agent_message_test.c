/* SPDX-License-Identifier: ISC */
/* agent_message_test.c - what agents and masters say, and who may say it. */
#include "../../test.h"
#include "proto/agent/agent_message.h"

static struct agent_envelope
sample(void)
{
	return (struct agent_envelope){ .id = STR("lusaka"),
		.epoch = 77,
		.seq = 5,
		.time_ms = 1790000000123,
		.payload = STR("what it says") };
}

/* Sealed with a new key, which the caller frees. */
static struct crypt_key *
seal(struct buf *to, const char *path)
{
	struct crypt_key *key = crypt_key_generate(CRYPT_ED25519, 0);
	struct agent_envelope e = sample();

	assert_non_null(key);
	assert_true(agent_envelope_seal(to, &e, path, key));
	return key;
}

TEST(what_was_sealed_is_by_its_key_only)
{
	struct buf body = BUF_INIT(KIB(4));
	struct crypt_key *key = seal(&body, AGENT_PATH_SYNC);
	struct crypt_key *other = crypt_key_generate(CRYPT_ED25519, 0);
	struct agent_envelope e;

	assert_true(agent_envelope_read(buf_str(&body), &e));
	assert_true(str_eq(e.id, STR("lusaka")) && e.epoch == 77 && e.seq == 5);
	assert_true(str_eq(e.payload, STR("what it says")));
	assert_true(agent_envelope_is_by(&e, AGENT_PATH_SYNC, key));
	assert_false(agent_envelope_is_by(&e, AGENT_PATH_ENROL, key));
	assert_false(agent_envelope_is_by(&e, AGENT_PATH_SYNC, other));
	crypt_key_free(key);
	crypt_key_free(other);
	buf_done(&body);
}

/* Whichever bit was changed on the way: it is no envelope, or nobody's. */
TEST(a_changed_byte_anywhere_is_noticed)
{
	struct buf body = BUF_INIT(KIB(4));
	struct crypt_key *key = seal(&body, AGENT_PATH_SYNC);
	struct agent_envelope e;

	for (size_t i = 0; i < body.n; i++) {
		body.p[i] ^= 1;
		CHECK(!agent_envelope_read(buf_str(&body), &e) ||
			  !agent_envelope_is_by(&e, AGENT_PATH_SYNC, key),
		    "a bit of it");
		body.p[i] ^= 1;
		CHECK(!agent_envelope_read(str_first(buf_str(&body), i), &e),
		    "a part of it");
	}
	crypt_key_free(key);
	buf_done(&body);
}

TEST(an_enrolment_reads_back)
{
	struct agent_enrol e = { STR("lusaka.0123"),
		STR("0123456789abcdef0123456789abcdef"), STR("mailstead 1") };
	struct buf b = BUF_INIT(KIB(1));
	struct agent_enrol back;

	agent_enrol_put(&b, &e);
	assert_true(agent_enrol_read(buf_str(&b), &back));
	assert_true(str_eq(back.token, e.token) && str_eq(back.key, e.key));
	buf_done(&b);
	e.key = STR("short");
	agent_enrol_put(&b, &e);
	assert_false(agent_enrol_read(buf_str(&b), &back));
	buf_done(&b);
}

static struct agent_result
result(void)
{
	return (struct agent_result){ .key = STR("box/smtp"),
		.age_ms = 86400000,
		.took_ms = 5001,
		.outcome = 2,
		.cause = 1,
		.us = 5000999,
		.days = AGENT_NO_DAYS,
		.text = STR("no answer within 5000 ms") };
}

TEST(results_read_back)
{
	struct buf results = BUF_INIT(KIB(64)), b = BUF_INIT(KIB(64));
	struct agent_sync s = {
		.software = STR("1.0"), .list = 9, .left = 3, .wait_ms = 8000
	};
	struct agent_result r = result(), back;
	struct agent_sync got;
	struct wire w;

	for (s.n = 0; s.n < 10; s.n++) {
		r.age_ms = s.n;
		agent_result_put(&results, &r);
	}
	s.results = buf_str(&results);
	agent_sync_put(&b, &s);
	assert_true(agent_sync_read(buf_str(&b), &got));
	assert_true(got.list == 9 && got.left == 3 && got.n == 10 &&
		    got.wait_ms == 8000);
	/* Without the last two bytes: an agent that does not wait. */
	assert_true(agent_sync_read(str_first(buf_str(&b), b.n - 2), &got));
	assert_true(got.n == 10 && got.wait_ms == 0);
	assert_false(agent_sync_read(str_first(buf_str(&b), b.n - 1), &got));
	assert_true(agent_sync_read(buf_str(&b), &got));
	w = wire_read(got.results);
	for (uint64_t i = 0; i < 10; i++) {
		assert_true(agent_result_read(&w, &back));
		assert_true(back.age_ms == i && back.us == 5000999 &&
			    back.took_ms == 5001 && back.outcome == 2 &&
			    str_eq(back.text, r.text) &&
			    str_eq(back.key, r.key));
	}
	assert_false(agent_result_read(&w, &back) || w.failed);
	/* A number that does not fit what follows. */
	buf_reset(&b, KIB(64));
	s.n = 11;
	agent_sync_put(&b, &s);
	assert_false(agent_sync_read(buf_str(&b), &got));
	buf_done(&b);
	buf_done(&results);
}

TEST(results_that_cannot_be_are_refused)
{
	char longer[AGENT_TEXT_MAX + 50];
	struct buf results = BUF_INIT(KIB(64)), b = BUF_INIT(KIB(64));
	struct agent_result r = result(), back;
	struct agent_sync s = { .n = 1 }, got;
	struct wire w;

	r.outcome = AGENT_OUTCOME_MAX + 1;
	agent_result_put(&results, &r);
	s.results = buf_str(&results);
	agent_sync_put(&b, &s);
	assert_false(agent_sync_read(buf_str(&b), &got));
	buf_done(&results);
	/* A text that is too long is cut by who writes it. */
	memset(longer, 'x', sizeof(longer));
	r = result();
	r.text = str_make(longer, sizeof(longer));
	agent_result_put(&results, &r);
	w = wire_read(buf_str(&results));
	assert_true(agent_result_read(&w, &back));
	assert_int_equal(back.text.n, AGENT_TEXT_MAX);
	buf_done(&results);
	buf_done(&b);
}

TEST(an_answer_reads_back)
{
	struct buf checks = BUF_INIT(KIB(4)), look = BUF_INIT(KIB(4)),
		   b = BUF_INIT(KIB(64));
	struct agent_reply r = { .epoch = 1,
		.seq = 2,
		.time_ms = 3,
		.poll_ms = 10000,
		.list = 4,
		.has_checks = true,
		.n = 1 };
	struct agent_check c;
	struct agent_reply got;
	struct str key;
	struct wire w;

	agent_check_put(
	    &checks, &(struct agent_check){ STR("box/smtp"), STR("a row") });
	wire_put_vstr(&look, STR("box/smtp"));
	r.checks = buf_str(&checks);
	r.look = buf_str(&look);
	agent_reply_put(&b, &r);
	assert_true(agent_reply_read(buf_str(&b), &got));
	assert_true(got.epoch == 1 && got.seq == 2 && got.poll_ms == 10000 &&
		    got.list == 4 && got.has_checks);
	w = wire_read(got.checks);
	assert_true(agent_check_read(&w, &c));
	assert_true(str_eq(c.row, STR("a row")));
	assert_false(agent_check_read(&w, &c));
	w = wire_read(got.look);
	assert_true(agent_look_read(&w, &key));
	assert_true(str_eq(key, STR("box/smtp")));
	assert_false(agent_look_read(&w, &key));
	/* A list that is none, but is there. */
	r.has_checks = false;
	buf_reset(&b, KIB(64));
	agent_reply_put(&b, &r);
	assert_false(agent_reply_read(buf_str(&b), &got));
	buf_done(&checks);
	buf_done(&look);
	buf_done(&b);
}

TEST_MAIN(UNIT(what_was_sealed_is_by_its_key_only),
    UNIT(a_changed_byte_anywhere_is_noticed), UNIT(an_enrolment_reads_back),
    UNIT(results_read_back), UNIT(results_that_cannot_be_are_refused),
    UNIT(an_answer_reads_back))
