/* SPDX-License-Identifier: ISC */
/*
 * imap_search_test.c - SEARCH programs: what they mean, written again, and
 * that the written form means the same.
 */
#include "../../test.h"
#include "proto/imap/imap_command.h"

/* want NULL: refused. */
/* clang-format off */
static const struct {
	const char *in;
	const char *want;
} cases[] = {
	{ "ALL", "ALL" },
	/* RFC 3501 6.4.4 */
	{ "FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
	    "FLAGGED SINCE 01-Feb-1994 NOT HEADER \"FROM\" \"Smith\"" },
	{ "CHARSET UTF-8 TEXT {6}\r\n\xD0\xA1\xD0\xB0\xD0\xB2",
	    "TEXT {6}\r\n\xD0\xA1\xD0\xB0\xD0\xB2" },
	{ "TEXT \"x\" SEEN", "SEEN TEXT \"x\"" }, /* cheap keys first */
	{ "NEW", "RECENT UNSEEN" },
	{ "OLD", "OLD" },
	{ "UNSEEN UNDRAFT UNANSWERED UNFLAGGED UNDELETED",
	    "UNSEEN UNDRAFT UNANSWERED UNFLAGGED UNDELETED" },
	{ "NOT NOT SEEN", "SEEN" },
	{ "NOT UNSEEN", "SEEN" },
	{ "NOT (NOT (SEEN DRAFT))", "SEEN DRAFT" },
	{ "NOT ALL", "NOT ALL" },
	{ "((SEEN)) (DRAFT (FLAGGED ALL))", "SEEN DRAFT FLAGGED" },
	{ "OR SEEN OR DRAFT FLAGGED", "OR SEEN OR DRAFT FLAGGED" },
	{ "OR OR SEEN DRAFT FLAGGED", "OR SEEN OR DRAFT FLAGGED" },
	{ "OR TEXT x (SEEN DRAFT)", "OR (SEEN DRAFT) TEXT \"x\"" },
	{ "OR SEEN ALL", "ALL" },
	{ "OR SEEN", NULL },
	{ "OR SEEN OR DRAFT", NULL },
	{ "KEYWORD $Forwarded UNKEYWORD x",
	    "KEYWORD $Forwarded NOT KEYWORD x" },
	{ "KEYWORD \\Seen", NULL },
	{ "HEADER Message-ID {3}\r\n<a>", "HEADER \"Message-ID\" \"<a>\"" },
	{ "HEADER \"\" x", NULL },
	{ "SUBJECT \"\"", "HEADER \"SUBJECT\" \"\"" },
	{ "BODY \"\" SEEN", "SEEN" },
	{ "1:3,7 UID 9:*", "1:3,7 UID 9:*" },
	{ "UID $ 1", "1 $" },
	{ "LARGER 5 SMALLER 100", "LARGER 5 SMALLER 100" },
	{ "SENTON \"2-Mar-2001\" ON 2-Mar-2001 BEFORE 3-Mar-2001",
	    "BEFORE 03-Mar-2001 ON 02-Mar-2001 SENTON 02-Mar-2001" },
	{ "ON 30-Feb-2001", NULL },
	{ "YOUNGER 259200 OLDER 1", "OLDER 1 YOUNGER 259200" },
	{ "OLDER 0", NULL },
	/* RFC 7162 3.1.5 */
	{ "MODSEQ 620162338", "MODSEQ 620162338" },
	{ "MODSEQ \"/flags/\\\\draft\" all 620162338", "MODSEQ 620162338" },
	{ "MODSEQ \"/x\" all 1", NULL },
	{ "MODSEQ \"/flags/x\" every 1", NULL },
	{ "TEXT {1}\r\n\xFF", NULL },
	{ "", NULL },
	{ "()", NULL },
	{ "(SEEN", NULL },
	{ "SEEN)", NULL },
	{ "SEEN  DRAFT", NULL },
	{ "FROBNICATE", NULL },
};
/* clang-format on */

static bool
rewrite(struct arena *a, struct str program, struct buf *out,
    struct imap_command *cmd)
{
	struct buf in = BUF_INIT(KIB(64));
	bool ok;

	buf_put_c(&in, "a SEARCH ");
	buf_put_str(&in, program);
	ok = imap_command_parse(a, buf_str(&in), false, cmd) == IMAP_PARSE_OK;
	if (ok)
		imap_search_format(out, cmd->u.search.root);
	buf_done(&in);
	return ok;
}

TEST(programs_become_simple)
{
	struct imap_command cmd;
	struct arena a;

	arena_init(&a, IMAP_COMMAND_ARENA);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf once = BUF_INIT(KIB(4)), twice = BUF_INIT(KIB(4));
		bool ok = rewrite(&a, str_c(cases[i].in), &once, &cmd);

		CHECK(ok == (cases[i].want != NULL), cases[i].in);
		if (ok) {
			CHECK(str_eq(buf_str(&once), str_c(cases[i].want)),
			    buf_c(&once));
			CHECK(rewrite(&a, buf_str(&once), &twice, &cmd),
			    cases[i].in);
			CHECK(str_eq(buf_str(&once), buf_str(&twice)),
			    cases[i].in);
		}
		buf_done(&once);
		buf_done(&twice);
	}
	arena_done(&a);
}

TEST(results_and_needs_are_noted)
{
	struct imap_command cmd;
	struct imap_search *s = &cmd.u.search;
	struct buf out = BUF_INIT(KIB(4));
	struct arena a;

	arena_init(&a, IMAP_COMMAND_ARENA);
	CHECK(rewrite(&a, STR("RETURN (MIN COUNT) CHARSET US-ASCII SEEN"), &out,
		  &cmd),
	    "esearch");
	CHECK(s->is_esearch &&
		  s->returns == (IMAP_RETURN_MIN | IMAP_RETURN_COUNT),
	    "returns");
	CHECK(s->needs == IMAP_NEED_FLAGS && s->n_keys == 1, "needs");
	CHECK(rewrite(&a, STR("RETURN () TEXT x MODSEQ 5"), &out, &cmd), "()");
	CHECK(s->returns == IMAP_RETURN_ALL && s->has_modseq, "modseq");
	CHECK(
	    s->needs == (IMAP_NEED_HEADER | IMAP_NEED_BODY | IMAP_NEED_MODSEQ),
	    "needs");
	CHECK(rewrite(&a, STR("RETURN (SAVE) ALL"), &out, &cmd), "SAVE");
	CHECK(s->returns == IMAP_RETURN_SAVE, "save");
	CHECK(!rewrite(&a, STR("RETURN (SOME) ALL"), &out, &cmd), "SOME");
	buf_done(&out);
	arena_done(&a);
}

static bool
nested(const char *part, size_t n, const char *leaf)
{
	struct buf in = BUF_INIT(KIB(64)), out = BUF_INIT(KIB(64));
	struct imap_command cmd;
	struct arena a;
	bool ok;

	arena_init(&a, IMAP_COMMAND_ARENA);
	for (size_t i = 0; i < n; i++)
		buf_put_c(&in, part);
	buf_put_c(&in, leaf);
	ok = rewrite(&a, buf_str(&in), &out, &cmd);
	buf_done(&in);
	buf_done(&out);
	arena_done(&a);
	return ok;
}

TEST(depth_and_size_are_limited)
{
	CHECK(nested("NOT ", IMAP_MAX_SEARCH_DEPTH, "SEEN"), "deepest");
	CHECK(!nested("NOT ", IMAP_MAX_SEARCH_DEPTH + 1, "SEEN"), "deeper");
	CHECK(!nested("(", 60000, "SEEN"), "much deeper");
	CHECK(nested("OR SEEN ", 200, "DRAFT"), "a chain of OR is no nesting");
	CHECK(!nested("SEEN ", IMAP_MAX_SEARCH_KEYS, "SEEN"), "too many");
}

TEST_MAIN(UNIT(programs_become_simple), UNIT(results_and_needs_are_noted),
    UNIT(depth_and_size_are_limited))
