/* SPDX-License-Identifier: ISC */
/* smtp_client_open_test.c - how sessions are opened and end. */
#include "smtp_client_kit.h"

/* The server's message in brackets; "v" is its proof. */
static bool
fake_step(void *arg, struct str in, struct buf *out)
{
	*(bool *)arg = str_eq(in, STR("v"));
	buf_printf(out, "<%.*s>", STR_ARG(in));
	return true;
}

static bool
fake_is_done(void *arg)
{
	return *(bool *)arg;
}

static bool has_proof;
#define FAKE_SCRAM \
	{ \
		fake_step, fake_is_done, &has_proof \
	}

/* clang-format off */
static const struct dialogue opening[] = {
	{ "greeting refused for good", .script = { "554 5.7.1 no\r\n" },
	  .want = "!closed permfail greeting 554 5.7.1 5.7.1 no\n>QUIT|\n" },
	{ "greeting says later", .script = { "450 later\r\n" },
	  .want = "!closed tempfail greeting 450 4.0.0 later\n>QUIT|\n" },
	{ "greeting 421", .script = { "421 4.3.2 busy\r\n" },
	  .want = "!closed tempfail greeting 421 4.3.2 4.3.2 busy\n" },
	{ "silence", .script = { "220-wait", "<lost>" },
	  .want = "!closed tempfail greeting 0 4.4.2 lost\n" },
	{ "HTTP", .script = { "HTTP/1.1 400 Bad\r\n" },
	  .want = "!closed tempfail greeting 0 4.5.0 proto\n" },
	{ "several lines, bare LF", .script = { "220-a\n220-b\r\n220 c\n" },
	  .want = ">EHLO me|\n" },
	{ "the last code counts", .script = { "220-a\r\n554 b\r\n" },
	  .want = "!closed permfail greeting 554 5.0.0 a|b\n>QUIT|\n" },
	{ "EHLO unknown", .script = { HELLO, "502 what\r\n", "250 ok\r\n" },
	  .want = ">EHLO me|\n>HELO me|\n>QUIT|\n" },
	{ "HELO unknown, too", .script = { HELLO, "502 ?\r\n", "550 no\r\n" },
	  .want = ">EHLO me|\n>HELO me|\n"
		  "!closed permfail HELO 550 5.0.0 no\n>QUIT|\n" },
	{ "LHLO has no HELO", .config = { .is_lmtp = true },
	  .script = { HELLO, "500 ?\r\n" },
	  .want = ">LHLO me|\n!closed permfail EHLO 500 5.0.0 ?\n>QUIT|\n" },
	{ "TLS wanted, not offered", .config = { .tls = SMTP_CLIENT_TLS_MUST },
	  .script = { HELLO, PIPE },
	  .want = ">EHLO me|\n!closed tempfail EHLO 0 4.7.4\n>QUIT|\n" },
	{ "TLS, what came before is dropped, all is asked anew",
	  .config = { .tls = SMTP_CLIENT_TLS_MUST },
	  .script = { HELLO, "250-x\r\n250 STARTTLS\r\n",
		      "220 go\r\n250 injected\r\n", "250 x\r\n", "<tls>",
		      "250 x.org\r\n", "221 bye\r\n" },
	  .want = ">EHLO me|\n>STARTTLS|\n!tls\n>EHLO me|\n>QUIT|\n"
		  "!closed done QUIT 0 0.0.0\n" },
	{ "STARTTLS refused, may", .script = { HELLO,
		"250-x\r\n250 STARTTLS\r\n", "454 4.7.0 no\r\n" },
	  .want = ">EHLO me|\n>STARTTLS|\n>QUIT|\n" },
	{ "STARTTLS refused, must", .config = { .tls = SMTP_CLIENT_TLS_MUST },
	  .script = { HELLO, "250-x\r\n250 STARTTLS\r\n", "554 5.7.3 no\r\n" },
	  .want = ">EHLO me|\n>STARTTLS|\n"
		  "!closed tempfail STARTTLS 554 5.7.3 5.7.3 no\n>QUIT|\n" },
	{ "no TLS by wish", .config = { .tls = SMTP_CLIENT_TLS_NEVER },
	  .script = { HELLO, "250-x\r\n250 STARTTLS\r\n" },
	  .want = ">EHLO me|\n>QUIT|\n" },
	{ "handshake fails", .script = { HELLO, "250-x\r\n250 STARTTLS\r\n",
		"220 go\r\n", "<lost>" },
	  .want = ">EHLO me|\n>STARTTLS|\n!tls\n"
		  "!closed tempfail TLS handshake 0 4.4.2 lost\n" },
	{ "AUTH PLAIN", .config = { .has_tls = true, .login = { "u", 1 },
		.password = { "p", 1 } },
	  .script = { HELLO, "250-x\r\n250 AUTH LOGIN PLAIN\r\n",
		      "235 ok\r\n" },
	  .want = ">EHLO me|\n>AUTH PLAIN AHUAcA==|\n>QUIT|\n" },
	{ "AUTH LOGIN", .config = { .has_tls = true, .login = { "u", 1 },
		.password = { "p", 1 } },
	  .script = { HELLO, "250-x\r\n250 AUTH=LOGIN\r\n",
		      "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n",
		      "535 5.7.8 wrong\r\n" },
	  .want = ">EHLO me|\n>AUTH LOGIN|\n>dQ==|\n>cA==|\n"
		  "!closed tempfail AUTH 535 5.7.8 5.7.8 wrong\n>QUIT|\n" },
	{ "SCRAM comes first", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n",
		      "334 cg==\r\n", "334 dg==\r\n", "235 ok\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n>PHI+|\n>PHY+|\n"
		  ">QUIT|\n" },
	{ "SCRAM without the server's proof", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
		      "334 cg==\r\n", "235 ok\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n>PHI+|\n"
		  "!closed tempfail AUTH 0 4.7.0\n>QUIT|\n" },
	{ "SCRAM without end", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
		      "334 cg==\r\n", "334 cg==\r\n", "334 cg==\r\n",
		      "334 cg==\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n>PHI+|\n>PHI+|\n"
		  ">PHI+|\n!closed tempfail AUTH 0 4.7.0\n>QUIT|\n" },
	{ "SCRAM with nonsense", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
		      "334 =\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n"
		  "!closed tempfail AUTH 0 4.7.0\n>QUIT|\n" },
	{ "SCRAM refused", .config = { .has_tls = true,
		.login = { "u", 1 }, .scram = FAKE_SCRAM },
	  .script = { HELLO, "250-x\r\n250 AUTH SCRAM-SHA-256\r\n",
		      "334 cg==\r\n", "535 5.7.8 wrong\r\n" },
	  .want = ">EHLO me|\n>AUTH SCRAM-SHA-256 PD4=|\n>PHI+|\n"
		  "!closed tempfail AUTH 535 5.7.8 5.7.8 wrong\n>QUIT|\n" },
	{ "no password in the clear", .config = { .login = { "u", 1 } },
	  .script = { HELLO, "250-x\r\n250 AUTH PLAIN\r\n" },
	  .want = ">EHLO me|\n!closed tempfail AUTH 0 4.7.11\n>QUIT|\n" },
	{ "no common mechanism", .config = { .has_tls = true,
		.login = { "u", 1 } },
	  .script = { HELLO, "250-x\r\n250 AUTH GSSAPI\r\n" },
	  .want = ">EHLO me|\n!closed tempfail AUTH 0 4.7.4\n>QUIT|\n" },
	{ "closed after QUIT without 221", .script = { HELLO, PIPE, "<lost>" },
	  .want = ">EHLO me|\n>QUIT|\n!closed done QUIT 0 0.0.0\n" },
};
/* clang-format on */

TEST(a_session_is_opened)
{
	check_dialogues(opening, ARRAY_LEN(opening));
}

TEST(an_idle_session_hears_what_nobody_asked_for)
{
	static const struct {
		const char *line;
		unsigned flags;
		int code;
	} cases[] = {
		{ "421 4.4.2 idle for too long\r\n", 0, 421 },
		{ "550 go away\r\n", 0, 550 },
		{ "250 ok\r\n", SMTP_CLIENT_IS_LOCAL | SMTP_CLIENT_IS_PROTOCOL,
		    0 },
		{ "what\r\n", SMTP_CLIENT_IS_LOCAL | SMTP_CLIENT_IS_PROTOCOL,
		    0 },
	};
	const struct smtp_client_config config = { .helo = STR("me") };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = STR(HELLO PIPE), line = str_c(cases[i].line);
		struct smtp_client *c = smtp_client_new(&config);
		struct smtp_client_event e;

		CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_READY,
		    "ready");
		CHECK(smtp_client_next(c, &in, &e) == SMTP_CLIENT_EVENT_NONE,
		    "idle");
		CHECK(
		    smtp_client_next(c, &line, &e) == SMTP_CLIENT_EVENT_CLOSED,
		    cases[i].line);
		CHECK(e.flags == cases[i].flags && e.code == cases[i].code,
		    cases[i].line);
		CHECK(e.outcome != DONE && e.stage == SMTP_CLIENT_READY,
		    cases[i].line);
		CHECK(smtp_client_next(c, &line, &e) == SMTP_CLIENT_EVENT_NONE,
		    "the last event");
		/* What comes later is no trouble. */
		smtp_client_lost(c, SMTP_CLIENT_LOSS_CLOSED, 0);
		CHECK(smtp_client_next(c, &line, &e) == SMTP_CLIENT_EVENT_NONE,
		    "the last event");
		smtp_client_free(c);
	}
}

TEST_MAIN(UNIT(a_session_is_opened),
    UNIT(an_idle_session_hears_what_nobody_asked_for))
