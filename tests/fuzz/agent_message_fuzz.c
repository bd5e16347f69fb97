/* SPDX-License-Identifier: ISC */
/*
 * LINK: agent
 *
 * What strangers send to a master, and what a master sends to its agents (first
 * byte: which). Properties: whatever can be read, written and read again is
 * the same; every result and every check of a message that was read can be
 * read, within the limits; nothing is by a key that did not sign it.
 */
#include "proto/agent/agent_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_envelope(struct str in)
{
	static struct crypt_key *key;
	struct agent_envelope e;

	if (key == NULL)
		key = crypt_key_generate(CRYPT_ED25519, 0);
	if (!agent_envelope_read(in, &e))
		return;
	ASSERT(e.id.n > 0 && e.id.n <= AGENT_ID_MAX);
	ASSERT(!agent_envelope_is_by(&e, AGENT_PATH_SYNC, key));
	/* The same words, by who has the key. */
	{
		struct buf b = BUF_INIT(AGENT_BODY_MAX + KIB(1));
		struct agent_envelope back;

		ASSERT(agent_envelope_seal(&b, &e, AGENT_PATH_SYNC, key));
		if (agent_envelope_read(buf_str(&b), &back)) {
			ASSERT(str_eq(back.payload, e.payload));
			ASSERT(
			    agent_envelope_is_by(&back, AGENT_PATH_SYNC, key));
		} else {
			ASSERT(b.n > AGENT_BODY_MAX);
		}
		buf_done(&b);
	}
}

static void
fuzz_enrol(struct str in)
{
	struct buf b = BUF_INIT(KIB(4));
	struct agent_enrol e, back;

	if (agent_enrol_read(in, &e)) {
		agent_enrol_put(&b, &e);
		ASSERT(agent_enrol_read(buf_str(&b), &back));
		ASSERT(str_eq(back.token, e.token) && str_eq(back.key, e.key) &&
		       str_eq(back.software, e.software));
	}
	buf_done(&b);
}

static void
fuzz_sync(struct str in)
{
	struct buf results = BUF_INIT(MIB(1)), b = BUF_INIT(MIB(1));
	struct agent_sync s, back;
	struct agent_result r;
	uint32_t n = 0;

	if (agent_sync_read(in, &s)) {
		struct wire w = wire_read(s.results);

		while (agent_result_read(&w, &r)) {
			ASSERT(r.key.n > 0 && r.key.n <= AGENT_KEY_MAX);
			ASSERT(r.text.n <= AGENT_TEXT_MAX);
			agent_result_put(&results, &r);
			n++;
		}
		ASSERT(!w.failed && n == s.n && n <= AGENT_RESULTS_MAX);
		s.results = buf_str(&results);
		agent_sync_put(&b, &s);
		ASSERT(agent_sync_read(buf_str(&b), &back));
		ASSERT(back.list == s.list && back.left == s.left &&
		       back.wait_ms == s.wait_ms);
		ASSERT(str_eq(back.results, s.results));
	}
	buf_done(&results);
	buf_done(&b);
}

static void
fuzz_reply(struct str in)
{
	struct buf b = BUF_INIT(MIB(2));
	struct agent_reply r, back;
	struct agent_check c;
	struct str key;

	if (agent_reply_read(in, &r)) {
		struct wire checks = wire_read(r.checks);
		struct wire look = wire_read(r.look);
		uint32_t n = 0;

		while (agent_check_read(&checks, &c))
			n++;
		ASSERT(n == r.n && !checks.failed);
		while (agent_look_read(&look, &key))
			ASSERT(key.n > 0 && key.n <= AGENT_KEY_MAX);
		ASSERT(!look.failed);
		agent_reply_put(&b, &r);
		ASSERT(agent_reply_read(buf_str(&b), &back));
		ASSERT(back.epoch == r.epoch && str_eq(back.checks, r.checks));
	}
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from(str_make(data, size), 1);

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'e':
		fuzz_envelope(in);
		break;
	case 'n':
		fuzz_enrol(in);
		break;
	case 's':
		fuzz_sync(in);
		break;
	default:
		fuzz_reply(in);
	}
	return 0;
}
