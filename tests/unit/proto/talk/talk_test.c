/* SPDX-License-Identifier: ISC */
/* talk_test.c - dialogues with IMAP, POP3 and ManageSieve servers. */
#include "../../test.h"
#include "proto/talk/talk.h"

/* A script: lines of the server in front, what we say behind "> ", and the last
 * event. TLS is done where it is asked for. */
struct script {
	const char *name;
	struct talk_config config;
	const char *server;
	const char *said; /* all of it */
	enum talk_event last;
	enum talk_stage stage;
	const char *text;
};

/* clang-format off */
#define LOGIN .login = STR("ann"), .password = STR("pw")
static const struct script scripts[] = {
	{ "imap, nothing but a greeting", { .kind = TALK_IMAP },
	    "* OK hello\r\n", "", TALK_READY, TALK_IDLE, "" },
	{ "imap, STARTTLS and login",
	    { .kind = TALK_IMAP, .starts_tls = true, LOGIN },
	    "* OK hello\r\na1 OK begin\r\n+ \r\n* CAPABILITY x\r\na2 OK in\r\n",
	    "a1 STARTTLS\r\na2 AUTHENTICATE PLAIN\r\nAGFubgBwdw==\r\n",
	    TALK_READY, TALK_IDLE, "" },
	{ "imap, refused", { .kind = TALK_IMAP, .has_tls = true, LOGIN },
	    "* OK hello\r\n+\r\na1 NO [AUTHENTICATIONFAILED] wrong\r\n",
	    "a1 AUTHENTICATE PLAIN\r\nAGFubgBwdw==\r\n",
	    TALK_REFUSED, TALK_OVER, "NO [AUTHENTICATIONFAILED] wrong" },
	{ "imap, a second challenge is nonsense",
	    { .kind = TALK_IMAP, .has_tls = true, LOGIN },
	    "* OK hello\r\n+\r\n+\r\n",
	    "a1 AUTHENTICATE PLAIN\r\nAGFubgBwdw==\r\n",
	    TALK_NONSENSE, TALK_OVER, "+" },
	{ "imap, no sign-in without TLS", { .kind = TALK_IMAP, LOGIN },
	    "* OK hello\r\n", "", TALK_REFUSED, TALK_OVER,
	    "no sign-in without TLS" },
	{ "imap, no TLS to be had",
	    { .kind = TALK_IMAP, .starts_tls = true, LOGIN },
	    "* OK hello\r\na1 BAD what?\r\n", "a1 STARTTLS\r\n",
	    TALK_REFUSED, TALK_OVER, "BAD what?" },
	{ "imap, bye", { .kind = TALK_IMAP }, "* BYE full\r\n", "",
	    TALK_REFUSED, TALK_OVER, "* BYE full" },
	{ "imap, signed in before TLS", { .kind = TALK_IMAP },
	    "* PREAUTH hello\r\n", "", TALK_NONSENSE, TALK_OVER,
	    "* PREAUTH hello" },
	{ "imap, another protocol", { .kind = TALK_IMAP },
	    "220 mail ESMTP\r\n", "", TALK_NONSENSE, TALK_OVER,
	    "220 mail ESMTP" },
	{ "pop3, STLS and login",
	    { .kind = TALK_POP3, .starts_tls = true, LOGIN },
	    "+OK hello\r\n+OK begin\r\n+OK pass?\r\n+OK in\r\n",
	    "STLS\r\nUSER ann\r\nPASS pw\r\n", TALK_READY, TALK_IDLE, "" },
	{ "pop3, refused", { .kind = TALK_POP3, .has_tls = true, LOGIN },
	    "+OK hello\r\n+OK pass?\r\n-ERR wrong\r\n",
	    "USER ann\r\nPASS pw\r\n", TALK_REFUSED, TALK_OVER, "-ERR wrong" },
	{ "pop3, control characters do not come through",
	    { .kind = TALK_POP3 }, "-ERR \033[31m\r\n", "", TALK_REFUSED,
	    TALK_OVER, "-ERR ?[31m" },
	{ "sieve, capabilities twice",
	    { .kind = TALK_SIEVE, .starts_tls = true },
	    "\"SIEVE\" \"fileinto\"\r\n\"X\" {3}\r\nab\r\r\nOK\r\nOK go\r\n"
	    "\"SIEVE\" \"x\"\r\nOK \"done\"\r\n",
	    "STARTTLS\r\n", TALK_READY, TALK_IDLE, "" },
	{ "sieve, no", { .kind = TALK_SIEVE }, "NO \"later\"\r\n", "",
	    TALK_REFUSED, TALK_OVER, "NO \"later\"" },
	{ "sieve, another protocol", { .kind = TALK_SIEVE },
	    "* OK hello\r\n", "", TALK_NONSENSE, TALK_OVER, "* OK hello" },
};
/* clang-format on */

/* Feed the first n bytes at once, then the rest by step. */
static enum talk_event
play(struct talk *t, const char *server, size_t step, struct buf *said)
{
	struct str all = str_c(server), in;
	enum talk_event e = TALK_MORE;
	size_t have = MIN(step, all.n);

	in = str_first(all, have);
	for (;;) {
		size_t before = in.n;

		e = talk_next(t, &in);
		all = str_from(all, before - in.n);
		have -= before - in.n;
		buf_put_str(said, buf_str(talk_out(t)));
		buf_reset(talk_out(t), KIB(4));
		if (e == TALK_START_TLS) {
			talk_secured(t);
		} else if (e != TALK_MORE) {
			break;
		} else if (have == all.n) {
			break;
		}
		have = MIN(have + step, all.n);
		in = str_first(all, have);
	}
	return e;
}

TEST(dialogues_end_as_they_should_however_input_is_split)
{
	static const size_t steps[] = { 1, 2, 7, 10000 };

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
			const struct script *s = &scripts[i];
			struct buf said = BUF_INIT(KIB(4));
			struct talk t;
			enum talk_event e;

			talk_init(&t, &s->config);
			e = play(&t, s->server, steps[k], &said);
			CHECK(e == s->last, s->name);
			CHECK(talk_stage(&t) == s->stage, s->name);
			CHECK(strcmp(talk_text(&t), s->text) == 0, s->name);
			CHECK(str_eq(buf_str(&said), str_c(s->said)), s->name);
			talk_done(&t);
			buf_done(&said);
		}
}

TEST(commands_bring_untagged_lines)
{
	struct str in = STR("* OK hi\r\n");
	struct buf *out;
	struct talk t;

	talk_init(&t, &(struct talk_config){ .kind = TALK_IMAP });
	assert_int_equal(talk_next(&t, &in), TALK_READY);
	talk_command(&t, STR("UID SEARCH ALL"));
	out = talk_out(&t);
	assert_true(str_eq(buf_str(out), STR("a1 UID SEARCH ALL\r\n")));
	buf_reset(out, KIB(4));
	in =
	    STR("* SEARCH 4 5\r\n* 1 FETCH (X {5}\r\na1 NO)\r\na1 OK done\r\n");
	assert_int_equal(talk_next(&t, &in), TALK_ANSWER);
	assert_true(
	    str_eq(talk_untagged(&t), STR("SEARCH 4 5\n1 FETCH (X {5}\n")));
	/* A refused command is not the end. */
	talk_command(&t, STR("NOOP"));
	in = STR("a2 NO later\r\n");
	assert_int_equal(talk_next(&t, &in), TALK_REFUSED);
	assert_int_equal(talk_stage(&t), TALK_IDLE);
	talk_done(&t);
}

TEST(literals_are_kept_up_to_a_limit)
{
	struct buf big = BUF_INIT(KIB(64));
	struct talk t;
	struct str in;

	talk_init(
	    &t, &(struct talk_config){ .kind = TALK_IMAP, .has_tls = true });
	in = STR("* OK hi\r\n");
	assert_int_equal(talk_next(&t, &in), TALK_READY);
	talk_command(&t, STR("FETCH 1 X"));
	/* However it is split. */
	in = STR("* 1 FETCH (X {5}\r\nab");
	assert_int_equal(talk_next(&t, &in), TALK_MORE);
	in = STR("\r\nc FLAGS ())\r\n* 2 FETCH (X {3}\r\n123)\r\na1 OK\r\n");
	assert_int_equal(talk_next(&t, &in), TALK_ANSWER);
	assert_true(str_eq(talk_literals(&t), STR("ab\r\nc123")));
	talk_command(&t, STR("FETCH 1 X"));
	assert_int_equal(talk_literals(&t).n, 0);
	buf_printf(&big, "* 1 FETCH (X {%zu}\r\n", (size_t)TALK_KEPT_MAX + 10);
	while (big.n < TALK_KEPT_MAX + 40)
		buf_put_char(&big, 'x');
	in = buf_str(&big);
	assert_int_equal(talk_next(&t, &in), TALK_MORE);
	assert_int_equal(talk_literals(&t).n, TALK_KEPT_MAX);
	talk_done(&t);
	buf_done(&big);
}

TEST(passwords_are_marked)
{
	struct str in = STR("* OK hi\r\n+\r\n");
	struct talk t;

	talk_init(&t,
	    &(struct talk_config){ .kind = TALK_IMAP, .has_tls = true, LOGIN });
	assert_int_equal(talk_next(&t, &in), TALK_MORE);
	assert_true(t.is_secret);
	talk_done(&t);
}

TEST(long_lines_and_literals_are_refused)
{
	struct buf big = BUF_INIT(KIB(32));
	struct talk t;
	struct str in;

	while (big.n < TALK_LINE_MAX)
		buf_put_char(&big, 'x');
	talk_init(&t, &(struct talk_config){ .kind = TALK_IMAP });
	in = buf_str(&big);
	assert_int_equal(talk_next(&t, &in), TALK_NONSENSE);
	talk_done(&t);
	talk_init(&t, &(struct talk_config){ .kind = TALK_SIEVE });
	in = STR("\"X\" {99999999}\r\n");
	assert_int_equal(talk_next(&t, &in), TALK_NONSENSE);
	talk_done(&t);
	buf_done(&big);
}

TEST_MAIN(UNIT(dialogues_end_as_they_should_however_input_is_split),
    UNIT(commands_bring_untagged_lines), UNIT(literals_are_kept_up_to_a_limit),
    UNIT(passwords_are_marked), UNIT(long_lines_and_literals_are_refused))
