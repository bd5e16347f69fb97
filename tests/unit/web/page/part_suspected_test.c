/* SPDX-License-Identifier: ISC */
/*
 * part_suspected_test.c - what strangers read of signals: each kind in words of its own, the
 * provider by name or none at all, never as if it were confirmed.
 */
#include "../../test.h"
#include "web/page/parts.h"

/* 12 June 2026, 14:02 UTC; and an hour later. */
#define SINCE UINT64_C(1781272920)
#define NOW   (SINCE + 3600)

#define SAID(what) "Suspected, not confirmed: " what ", since 14:02 UTC\n"

/* A provider of a name that does not fit into HTML as it is. */
#define PROVIDER STR("A<b>&C")
#define AS_HTML  "A&lt;b&gt;&amp;C"

/* Paragraphs become lines, and other elements nothing; static. */
static const char *
text_of(struct str html)
{
	static char text[4000];
	bool is_inside = false;
	size_t n = 0;

	for (size_t i = 0; i < html.n && n + 2 < sizeof(text); i++) {
		if (str_starts(str_from(html, i), STR("</p>")))
			text[n++] = '\n';
		if (html.p[i] == '<')
			is_inside = true;
		else if (html.p[i] == '>')
			is_inside = false;
		else if (!is_inside)
			text[n++] = html.p[i];
	}
	text[n] = '\0';
	return text;
}

static const char *
shown(const struct site_state *t, enum language lang)
{
	struct page p = { .lang = lang, .now_s = NOW, .b = BUF_INIT(KIB(64)) };
	const char *text;

	arena_init(&p.arena, KIB(64));
	part_suspected(&p, t);
	CHECK(!p.b.failed, "room");
	text = text_of(buf_str(&p.b));
	arena_done(&p.arena);
	buf_done(&p.b);
	return text;
}

static const struct {
	struct msg_watch_suspected s;
	const char *want;
} cases[] = {
	{ { .kind = REACH_QUIET, .service = SERVICE_IMAPS },
	    SAID("fewer connections than usual (IMAP)") },
	{ { .kind = REACH_QUIET, .service = SERVICE_MX, .is_network = 1 },
	    SAID("fewer connections than usual from one network (SMTP)") },
	{ { .kind = REACH_STUCK, .service = SERVICE_SUBMISSION },
	    SAID("connections are not encrypted and end (SMTP)") },
	{ { .kind = REACH_STUCK, .service = SERVICE_POP3S, .is_network = 1 },
	    SAID("connections from one network are not encrypted and end "
		 "(POP3)") },
	{ { .kind = REACH_ALERTS, .service = SERVICE_HTTPS },
	    SAID("more devices than usual refuse our certificate or "
		 "encryption (HTTPS)") },
	{ { .kind = REACH_SIGN_IN, .service = SERVICE_POP3 },
	    SAID("signing in fails more often than usual (POP3)") },
	{ { .kind = REACH_TLS_FAILS, .service = SERVICE_SUBMISSIONS },
	    SAID("encrypted connections fail more often than usual (SMTP)") },
	{ { .kind = REACH_CUT_OFF, .service = SERVICE_IMAP },
	    SAID("connections break off more often than usual (IMAP)") },
	{ { .kind = REACH_CUT_OFF, .service = SERVICE_POP3S, .is_network = 1 },
	    SAID("connections from one network break off more often than "
		 "usual (POP3)") },
	{ { .kind = REACH_FEW, .service = SERVICE_SUBMISSION },
	    SAID("fewer customers than usual get to their mail (SMTP)") },
	{ { .kind = REACH_FEW, .service = SERVICE_IMAPS, .is_network = 1 },
	    SAID("fewer customers than usual get to their mail from one "
		 "network (IMAP)") },
	{ { .kind = REACH_REFUSED, .service = 255, .name = PROVIDER },
	    SAID(
		"mail to " AS_HTML " is refused, waits or takes another way") },
	{ { .kind = REACH_REFUSED, .service = 255 },
	    SAID("mail to one other provider is refused, waits or takes "
		 "another way") },
	{ { .kind = REACH_SLOW, .service = 255, .name = PROVIDER },
	    SAID("mail to " AS_HTML " takes longer than usual") },
	{ { .kind = REACH_SLOW, .service = 255 },
	    SAID("mail to other servers takes longer than usual") },
	{ { .kind = REACH_REFUSALS, .service = 255, .name = PROVIDER },
	    SAID(AS_HTML " refuses more mail than usual") },
	{ { .kind = REACH_REFUSALS, .service = 255 },
	    SAID("other servers refuse more mail than usual") },
	{ { .kind = REACH_BACKLOG, .service = 255, .name = PROVIDER },
	    SAID("mail to " AS_HTML " waits") },
	{ { .kind = REACH_BACKLOG, .service = 255 },
	    SAID("mail to other servers waits") },
	{ { .kind = REACH_BACKLOG, .service = 255, .text = STR("We <call>") },
	    SAID("We &lt;call&gt;") },
};

TEST(each_signal_has_words_of_its_own)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct site_state t = { .is_known = true, .n_suspected = 1 };

		kinds |= 1U << cases[i].s.kind;
		t.suspected[0] = cases[i].s;
		t.suspected[0].since_s = SINCE;
		assert_string_equal(shown(&t, ENGLISH), cases[i].want);
		for (unsigned l = 0; l < LANGUAGES; l++)
			CHECK(strstr(shown(&t, (enum language)l), "()") == NULL,
			    "what it is about");
	}
	CHECK(kinds == (1U << REACH_KINDS) - 1, "all kinds");
}

TEST(what_reads_the_same_is_said_once)
{
	struct site_state t = { .is_known = true, .n_suspected = 5 };

	/* All mail and that of no known provider; one provider; own words. */
	t.suspected[0] = t.suspected[1] = (struct msg_watch_suspected){
		.kind = REACH_SLOW, .service = 255, .since_s = SINCE
	};
	t.suspected[2] = t.suspected[3] = t.suspected[4] = t.suspected[0];
	t.suspected[2].name = PROVIDER;
	t.suspected[3].text = t.suspected[4].text = STR("Ours");
	assert_string_equal(shown(&t, ENGLISH),
	    SAID("mail to other servers takes longer than usual")
		SAID("mail to " AS_HTML " takes longer than usual") SAID("Ours")
		    SAID("Ours"));
	t.suspected[1].kind = REACH_BACKLOG;
	t.n_suspected = 2;
	assert_string_equal(shown(&t, ENGLISH),
	    SAID("mail to other servers takes longer than usual")
		SAID("mail to other servers waits"));
}

TEST(of_what_is_not_known_any_more_nothing_is_said)
{
	struct site_state t = { .is_known = true, .n_suspected = 1 };

	t.suspected[0] = (struct msg_watch_suspected){
		.kind = REACH_BACKLOG, .service = 255, .since_s = SINCE
	};
	CHECK(shown(&t, ENGLISH)[0] != '\0', "fresh");
	t.is_stale = true;
	assert_string_equal(shown(&t, ENGLISH), "");
}

TEST_MAIN(UNIT(each_signal_has_words_of_its_own),
    UNIT(what_reads_the_same_is_said_once),
    UNIT(of_what_is_not_known_any_more_nothing_is_said))
