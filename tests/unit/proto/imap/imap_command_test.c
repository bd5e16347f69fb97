/* SPDX-License-Identifier: ISC */
/*
 * imap_command_test.c - commands, most of them from the examples of the
 * RFCs. verdicts: what is accepted; the other tests look at the values.
 */
#include "../../test.h"
#include "proto/imap/imap_command.h"

#define OK          IMAP_PARSE_OK
#define BAD         IMAP_PARSE_BAD
#define UNKNOWN     IMAP_PARSE_UNKNOWN
#define BAD_NAME    IMAP_PARSE_BAD_NAME
#define BAD_CHARSET IMAP_PARSE_BAD_CHARSET

/* clang-format off */
static const struct {
	const char *in;
	enum imap_parse want;
	enum imap_verb verb;
} verdicts[] = {
	{ "a CAPABILITY", OK, IMAP_CAPABILITY },
	{ "a noop", OK, IMAP_NOOP },
	{ "a NOOP ", BAD, IMAP_NOOP },
	{ "a LOGOUT", OK, IMAP_LOGOUT },
	{ "", BAD, IMAP_NONE },
	{ "a", BAD, IMAP_NONE },
	{ "a ", BAD, IMAP_NONE },
	{ "a+ NOOP", BAD, IMAP_NONE },
	{ "* NOOP", BAD, IMAP_NONE },
	{ "a XYZZY", UNKNOWN, IMAP_NONE },
	{ "a UID NOOP", UNKNOWN, IMAP_NONE },
	{ "a  NOOP", BAD, IMAP_NONE },
	{ "a023 ID (\"name\" \"sodr\" \"version\" NIL)", OK, IMAP_ID },
	{ "a ID NIL", OK, IMAP_ID },
	{ "a ID ()", OK, IMAP_ID },
	{ "a ID (\"name\")", BAD, IMAP_ID },
	{ "a STARTTLS", OK, IMAP_STARTTLS },
	{ "a AUTHENTICATE GSSAPI", OK, IMAP_AUTHENTICATE },
	{ "a AUTHENTICATE PLAIN =", OK, IMAP_AUTHENTICATE },
	{ "a AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=", OK, IMAP_AUTHENTICATE },
	{ "a AUTHENTICATE PLAIN ", BAD, IMAP_AUTHENTICATE },
	{ "a AUTHENTICATE PLAIN x y", BAD, IMAP_AUTHENTICATE },
	{ "a LOGIN mrc secret", OK, IMAP_LOGIN },
	{ "a LOGIN \"m\\\"rc\" {6}\r\nsecret", OK, IMAP_LOGIN },
	{ "a LOGIN {3+}\r\nmrc {2+}\r\n\r\n", OK, IMAP_LOGIN },
	{ "a LOGIN {9}\r\nmrc", BAD, IMAP_LOGIN },
	{ "a LOGIN {3!}\r\n mrc", BAD, IMAP_LOGIN },
	{ "a LOGIN ~{3}\r\nmrc x", BAD, IMAP_LOGIN },
	{ "a LOGIN \"mrc secret", BAD, IMAP_LOGIN },
	{ "a LOGIN \"m\\rc\" secret", BAD, IMAP_LOGIN },
	{ "a LOGIN \"m\xFF\" secret", BAD, IMAP_LOGIN },
	{ "a LOGIN m\xC3\xBC secret", BAD, IMAP_LOGIN },
	{ "a LOGIN mrc", BAD, IMAP_LOGIN },
	{ "a ENABLE CONDSTORE X-GOOD-IDEA", OK, IMAP_ENABLE },
	{ "a ENABLE", BAD, IMAP_ENABLE },
	{ "a SELECT INBOX", OK, IMAP_SELECT },
	{ "a SELECT \"\"", BAD_NAME, IMAP_SELECT },
	{ "a SELECT &AGE-", BAD_NAME, IMAP_SELECT },
	{ "a SELECT \"b/\"", BAD_NAME, IMAP_SELECT },
	{ "a SELECT a*", BAD, IMAP_SELECT },
	{ "a SELECT INBOX (CONDSTORE)", OK, IMAP_SELECT },
	{ "a SELECT INBOX (FROBNICATE)", BAD, IMAP_SELECT },
	{ "A03 SELECT INBOX (QRESYNC (67890007 20050715194045000 "
	  "41,43:211,214:541))", OK, IMAP_SELECT },
	{ "B04 SELECT INBOX (QRESYNC (67890007 90060115194045000 "
	  "1:29997 (5000,7500,9000,9990:9999 15000,22500,27000,29970,29973,"
	  "29976,29979,29982,29985,29988,29991,29994,29997)))", OK,
	    IMAP_SELECT },
	{ "B SELECT I (QRESYNC (1 2 (1:3 5:6)))", BAD, IMAP_SELECT },
	{ "B SELECT I (QRESYNC (1 2 1:*))", BAD, IMAP_SELECT },
	{ "B SELECT I (QRESYNC (0 2))", BAD, IMAP_SELECT },
	{ "B SELECT I (QRESYNC (1 9223372036854775808))", BAD, IMAP_SELECT },
	{ "a EXAMINE blurdybloop", OK, IMAP_EXAMINE },
	{ "a CREATE owatagusiam/", OK, IMAP_CREATE },
	{ "a CREATE /", BAD_NAME, IMAP_CREATE },
	{ "t1 CREATE MySpecial (USE (\\Drafts \\Sent))", OK, IMAP_CREATE },
	{ "t1 CREATE MySpecial (USE (Drafts))", BAD, IMAP_CREATE },
	{ "a DELETE foo", OK, IMAP_DELETE },
	{ "a RENAME blurdybloop sarasoop", OK, IMAP_RENAME },
	{ "a SUBSCRIBE #news.comp.mail.mime", OK, IMAP_SUBSCRIBE },
	{ "a UNSUBSCRIBE #news.comp.mail.mime", OK, IMAP_UNSUBSCRIBE },
	{ "a LIST \"\" \"\"", OK, IMAP_LIST },
	{ "a LIST ~/Mail/ %", OK, IMAP_LIST },
	{ "A LIST (SUBSCRIBED) \"\" \"*\"", OK, IMAP_LIST },
	{ "A LIST () \"\" \"%\" RETURN (CHILDREN)", OK, IMAP_LIST },
	{ "A LIST (REMOTE) \"\" \"%\" RETURN (CHILDREN)", OK, IMAP_LIST },
	{ "A LIST (REMOTE SUBSCRIBED) \"\" \"*\"", OK, IMAP_LIST },
	{ "A LIST \"\" (\"INBOX\" \"Drafts\" \"Sent/%\")", OK, IMAP_LIST },
	{ "A LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\"", OK, IMAP_LIST },
	{ "A LIST (RECURSIVEMATCH) \"\" \"%\"", BAD, IMAP_LIST },
	{ "A LIST (REMOTE RECURSIVEMATCH) \"\" \"%\"", BAD, IMAP_LIST },
	{ "A LIST (NONSENSE) \"\" \"%\"", BAD, IMAP_LIST },
	{ "A LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN))", OK, IMAP_LIST },
	{ "A LIST \"\" % RETURN (STATUS)", BAD, IMAP_LIST },
	{ "A LIST \"\" %  RETURN ()", BAD, IMAP_LIST },
	{ "A LIST \"\" ()", BAD, IMAP_LIST },
	{ "t2 LIST (SPECIAL-USE) \"\" \"*\"", OK, IMAP_LIST },
	{ "a LSUB \"#news.\" \"comp.mail.*\"", OK, IMAP_LSUB },
	{ "a LSUB () \"\" %", BAD, IMAP_LSUB },
	{ "a NAMESPACE", OK, IMAP_NAMESPACE },
	{ "a STATUS blurdybloop (UIDNEXT MESSAGES)", OK, IMAP_STATUS },
	{ "a STATUS b (SIZE DELETED DELETED-STORAGE HIGHESTMODSEQ)", OK,
	    IMAP_STATUS },
	{ "a STATUS b ()", BAD, IMAP_STATUS },
	{ "a STATUS b (NOTHING)", BAD, IMAP_STATUS },
	{ "a APPEND s (\\Seen) {3}\r\nabc", OK, IMAP_APPEND },
	{ "a APPEND s {3!}\r\n", OK, IMAP_APPEND },
	{ "a APPEND s (\\Recent) {3}\r\nabc", BAD, IMAP_APPEND },
	{ "a APPEND s \"x\" {3}\r\nabc", BAD, IMAP_APPEND },
	{ "a APPEND s {3}", BAD, IMAP_APPEND },
	{ "a APPEND s abc", BAD, IMAP_APPEND },
	{ "a APPEND s {1}\r\na ", BAD, IMAP_APPEND },
	{ "a CHECK", OK, IMAP_CHECK },
	{ "a CLOSE", OK, IMAP_CLOSE },
	{ "a UNSELECT", OK, IMAP_UNSELECT },
	{ "a EXPUNGE", OK, IMAP_EXPUNGE },
	{ "a EXPUNGE 1", BAD, IMAP_EXPUNGE },
	{ "a UID EXPUNGE 3000:3002", OK, IMAP_EXPUNGE },
	{ "a UID EXPUNGE", BAD, IMAP_EXPUNGE },
	{ "a FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])", OK,
	    IMAP_FETCH },
	{ "a FETCH 1 ALL", OK, IMAP_FETCH },
	{ "a FETCH 1 (ALL)", BAD, IMAP_FETCH },
	{ "a FETCH 1 ()", BAD, IMAP_FETCH },
	{ "a FETCH 1 BODY[4.2.HEADER]<0.2048>", OK, IMAP_FETCH },
	{ "a FETCH 1 BODY[]<0.0>", BAD, IMAP_FETCH },
	{ "a FETCH 1 BODY[MIME]", BAD, IMAP_FETCH },
	{ "a FETCH 1 BODY[1.]", BAD, IMAP_FETCH },
	{ "a FETCH 1 BODY[0]", BAD, IMAP_FETCH },
	{ "a FETCH 1 BODY[1.HEADER.FIELDS]", BAD, IMAP_FETCH },
	{ "a FETCH 1 BODY.PEEK", BAD, IMAP_FETCH },
	{ "a FETCH 1 BINARY.SIZE[1]", OK, IMAP_FETCH },
	{ "a FETCH 1 BINARY.SIZE[1]<0.1>", BAD, IMAP_FETCH },
	{ "a FETCH 1 BINARY[1.TEXT]", BAD, IMAP_FETCH },
	{ "a FETCH 1 RFC822.TEXT", OK, IMAP_FETCH },
	{ "a FETCH $ FLAGS", OK, IMAP_FETCH },
	{ "s100 UID FETCH 1:* (FLAGS MODSEQ) (CHANGEDSINCE 12345)", OK,
	    IMAP_FETCH },
	{ "s UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)", OK,
	    IMAP_FETCH },
	{ "s FETCH 1 (FLAGS) (CHANGEDSINCE 12345 VANISHED)", BAD,
	    IMAP_FETCH },
	{ "s UID FETCH 1 (FLAGS) (VANISHED)", BAD, IMAP_FETCH },
	{ "a STORE 2:4 +FLAGS (\\Deleted)", OK, IMAP_STORE },
	{ "a STORE 2:4 -FLAGS.SILENT \\Deleted $x", OK, IMAP_STORE },
	{ "a STORE 2:4 FLAGS ()", OK, IMAP_STORE },
	{ "a STORE 2:4 FLAGS", BAD, IMAP_STORE },
	{ "a STORE 2:4 XFLAGS ()", BAD, IMAP_STORE },
	{ "a106 STORE 1 (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT "
	  "(\\Deleted)", OK, IMAP_STORE },
	{ "a UID COPY 2:4 MEETING", OK, IMAP_COPY },
	{ "a MOVE 2:4 foo", OK, IMAP_MOVE },
	{ "a IDLE", OK, IMAP_IDLE },
	{ "a GETQUOTA \"\"", OK, IMAP_GETQUOTA },
	{ "a GETQUOTAROOT INBOX", OK, IMAP_GETQUOTAROOT },
	{ "a SETQUOTA \"\" (STORAGE 512 MESSAGE 1)", OK, IMAP_SETQUOTA },
	{ "a SETQUOTA \"\" (STORAGE)", BAD, IMAP_SETQUOTA },
	{ "a SEARCH CHARSET KOI8-R ALL", BAD_CHARSET, IMAP_SEARCH },
};
/* clang-format on */

static enum imap_parse
parse(struct arena *a, const char *in, struct imap_command *ret)
{
	arena_reset(a);
	return imap_command_parse(a, str_c(in), false, ret);
}

TEST(commands_are_accepted_or_refused)
{
	struct imap_command cmd;
	struct arena a;

	arena_init(&a, IMAP_COMMAND_ARENA);
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		enum imap_parse got = parse(&a, verdicts[i].in, &cmd);

		CHECK(got == verdicts[i].want, verdicts[i].in);
		CHECK(cmd.verb == verdicts[i].verb, verdicts[i].in);
		CHECK((got == OK) == (cmd.error == NULL), verdicts[i].in);
	}
	arena_done(&a);
}

TEST(arguments_have_their_values)
{
	struct imap_command cmd;
	struct arena a;

	arena_init(&a, IMAP_COMMAND_ARENA);
	parse(&a, "a LOGIN \"m\\\"rc\" {6+}\r\n\"ecret", &cmd);
	CHECK(str_eq(cmd.u.login.user, STR("m\"rc")), "user");
	CHECK(str_eq(cmd.u.login.password, STR("\"ecret")), "password");
	parse(&a, "a1 AUTHENTICATE PLAIN =", &cmd);
	CHECK(str_eq(cmd.tag, STR("a1")), "tag");
	CHECK(cmd.u.authenticate.has_initial, "initial");
	CHECK(cmd.u.authenticate.initial.n == 0, "empty");
	parse(&a, "a SELECT inBOX/x (QRESYNC (7 8 1:2 (1,3 5:6)))", &cmd);
	CHECK(str_eq(cmd.u.select.mailbox.name, STR("INBOX/x")), "name");
	CHECK(cmd.u.select.qresync && cmd.u.select.uid_validity == 7 &&
		  cmd.u.select.mod_seq == 8,
	    "qresync");
	CHECK(imap_set_count(&cmd.u.select.match_uids) == 2, "match");
	parse(&a, "a CREATE Entw&APw-rfe/ (USE (\\drafts \\X))", &cmd);
	CHECK(
	    str_eq(cmd.u.create.mailbox.name, STR("Entw\xC3\xBCrfe")), "UTF-8");
	CHECK(cmd.u.create.mailbox.has_trailing_separator, "separator");
	CHECK(cmd.u.create.use == (IMAP_USE_DRAFTS | IMAP_USE_UNKNOWN), "use");
	parse(&a, "a STATUS b (UIDNEXT messages)", &cmd);
	CHECK(
	    cmd.u.status.items == (IMAP_STATUS_UIDNEXT | IMAP_STATUS_MESSAGES),
	    "items");
	parse(&a, "a STORE 1:* (UNCHANGEDSINCE 0) -FLAGS.SILENT (\\Seen a A)",
	    &cmd);
	CHECK(cmd.u.store.op == IMAP_STORE_REMOVE && cmd.u.store.is_silent,
	    "store");
	CHECK(cmd.u.store.has_unchanged_since, "unchanged");
	CHECK(cmd.u.store.flags.bits == IMAP_FLAG_SEEN, "bits");
	CHECK(cmd.u.store.flags.n_keywords == 1, "keywords without doubles");
	parse(&a, "a SETQUOTA \"\" (STORAGE 512)", &cmd);
	CHECK(cmd.u.quota.n == 1 && cmd.u.quota.limits[0].limit == 512, "");
	CHECK(imap_command_parse(&a, STR("a SELECT R&D"), true, &cmd) == OK &&
		  str_eq(cmd.u.select.mailbox.name, STR("R&D")),
	    "UTF8=ACCEPT");
	arena_done(&a);
}

TEST(list_knows_its_options)
{
	struct imap_command cmd;
	struct imap_list *list = &cmd.u.list;
	struct arena a;

	arena_init(&a, IMAP_COMMAND_ARENA);
	parse(&a, "a LIST \"\" \"\"", &cmd);
	CHECK(list->is_root && !list->is_extended, "root");
	parse(&a, "a LIST foo/ %%", &cmd);
	CHECK(list->n_patterns == 1, "one");
	CHECK(str_eq(list->patterns[0], STR("foo/%")), "joined");
	parse(&a,
	    "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (% &APw-* &bad) RETURN "
	    "(CHILDREN STATUS (SIZE))",
	    &cmd);
	CHECK(list->select == (IMAP_LIST_SUBSCRIBED | IMAP_LIST_RECURSIVE),
	    "select");
	CHECK(list->returns ==
		  (IMAP_LIST_RETURN_SUBSCRIBED | IMAP_LIST_RETURN_CHILDREN |
		      IMAP_LIST_RETURN_STATUS),
	    "return");
	CHECK(list->status_items == IMAP_STATUS_SIZE, "status");
	CHECK(list->n_patterns == 2, "a pattern that is no name matches none");
	CHECK(str_eq(list->patterns[1], STR("\xC3\xBC*")), "UTF-8");
	arena_done(&a);
}

TEST(append_takes_several_messages)
{
	static const struct str text =
	    STR("a APPEND b (\\Seen x) \" 7-Feb-1994 21:52:25 -0800\" {3!}\r\n "
		"~{2+}\r\nx\0 {5!}\r\n");
	const struct imap_append_message *m;
	struct imap_command cmd;
	struct arena a;

	arena_init(&a, IMAP_COMMAND_ARENA);
	CHECK(imap_command_parse(&a, text, false, &cmd) == OK, cmd.error);
	m = cmd.u.append.messages;
	CHECK(cmd.u.append.n == 3, "three");
	CHECK(m[0].has_date && m[0].date.utc == 760686745, "date");
	CHECK(m[0].flags.bits == IMAP_FLAG_SEEN, "flags");
	CHECK(m[0].is_streamed && m[0].size == 3 && !m[0].data.n, "streamed");
	CHECK(m[1].is_binary && str_eq(m[1].data, STR("x\0")), "collected");
	CHECK(m[2].size == 5, "third");
	arena_done(&a);
}

TEST(the_beginning_of_an_append_can_be_judged)
{
	static const struct {
		const char *in;
		enum imap_parse want;
	} cases[] = {
		{ "a APPEND b {3}", OK },
		{ "a APPEND b ~{3+}", OK },
		{ "a APPEND b {9!}\r\n (\\Seen) {3}", OK },
		{ "a APPEND {1}\r\nb {3}", OK },
		{ "a APPEND b (\\Recent) {3}", BAD },
		{ "a APPEND &bad {3}", BAD_NAME },
		{ "a APPEND {3}", BAD },
		{ "a APPEND b {3!}", BAD },
		{ "a APPEND b x {3}", BAD },
		{ "a LOGIN b {3}", BAD },
	};
	struct imap_command cmd;
	struct arena a;

	arena_init(&a, IMAP_COMMAND_ARENA);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		arena_reset(&a);
		CHECK(imap_command_parse_append(
			  &a, str_c(cases[i].in), false, &cmd) == cases[i].want,
		    cases[i].in);
		if (cases[i].want == OK)
			CHECK(
			    cmd.u.append.messages[cmd.u.append.n - 1].size == 3,
			    cases[i].in);
	}
	arena_done(&a);
}

TEST(sections_are_named_as_the_client_asked)
{
	static const struct {
		const char *item, *want;
		bool seen;
	} cases[] = {
		{ "BODY[]", "BODY[]", true },
		{ "BODY.PEEK[]", "BODY[]", false },
		{ "body[1.2.mime]", "BODY[1.2.MIME]", true },
		{ "BODY[header]<5.10>", "BODY[HEADER]<5>", true },
		{ "BODY.PEEK[3.TEXT]", "BODY[3.TEXT]", false },
		{ "BODY.PEEK[HEADER.FIELDS (Date \"X Y\")]",
		    "BODY[HEADER.FIELDS (Date \"X Y\")]", false },
		{ "BODY[2.HEADER.FIELDS.NOT (A)]",
		    "BODY[2.HEADER.FIELDS.NOT (A)]", true },
		{ "BINARY.PEEK[1]<0.5>", "BINARY[1]<0>", false },
		{ "BINARY.SIZE[1.2]", "BINARY.SIZE[1.2]", false },
		{ "RFC822", "RFC822", true },
		{ "RFC822.HEADER", "RFC822.HEADER", false },
		{ "RFC822.TEXT", "RFC822.TEXT", true },
	};
	struct imap_command cmd;
	struct arena a;

	arena_init(&a, IMAP_COMMAND_ARENA);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf in = BUF_INIT(256), out = BUF_INIT(256);

		buf_printf(&in, "a FETCH 1 (UID %s FLAGS)", cases[i].item);
		CHECK(parse(&a, buf_c(&in), &cmd) == OK, cases[i].item);
		CHECK(cmd.u.fetch.n_sections == 1, cases[i].item);
		CHECK(cmd.u.fetch.attrs == (IMAP_FETCH_UID | IMAP_FETCH_FLAGS),
		    cases[i].item);
		CHECK(cmd.u.fetch.sets_seen == cases[i].seen, cases[i].item);
		imap_put_section_name(&out, &cmd.u.fetch.sections[0]);
		CHECK(str_eq(buf_str(&out), str_c(cases[i].want)), buf_c(&out));
		buf_done(&in);
		buf_done(&out);
	}
	parse(&a, "a UID FETCH 1:* FULL (CHANGEDSINCE 5)", &cmd);
	CHECK(cmd.u.fetch.attrs ==
		  (IMAP_FETCH_UID | IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE |
		      IMAP_FETCH_SIZE | IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY |
		      IMAP_FETCH_MODSEQ),
	    "macro, UID and MODSEQ");
	arena_done(&a);
}

TEST(tags_are_found_in_broken_commands)
{
	CHECK(str_eq(imap_command_tag(STR("a1 FOO \"")), STR("a1")), "tag");
	CHECK(str_eq(imap_command_tag(STR("a1")), STR("a1")), "only a tag");
	CHECK(imap_command_tag(STR("a(1 FOO")).n == 0, "bad byte");
	CHECK(imap_command_tag(STR("")).n == 0, "nothing");
	CHECK(imap_command_tag(STR("0123456789012345678901234567890123456789"
				   "0123456789012345678901234 NOOP"))
		      .n == 0,
	    "too long");
	CHECK(imap_is_done(STR("done")) && !imap_is_done(STR("done ")), "");
}

TEST(the_arena_limits_a_command)
{
	struct imap_command cmd;
	struct arena a;

	arena_init(&a, 32);
	CHECK(parse(&a, "a SELECT a-mailbox-of-a-certain-length/and/more",
		  &cmd) == BAD,
	    "too much memory");
	CHECK(str_eq(cmd.tag, STR("a")), "the tag is known");
	CHECK(a.used <= 32, "used");
	arena_done(&a);
}

TEST(every_verb_has_a_name_and_states)
{
	for (enum imap_verb v = IMAP_CAPABILITY; v <= IMAP_MOVE; v++) {
		CHECK(imap_verb_name(v)[0], "name");
		CHECK(imap_verb_flags(v) & IMAP_IN_ANY, "states");
	}
	CHECK(imap_verb_flags(IMAP_NONE) == 0, "none");
	CHECK(imap_verb_flags(IMAP_LOGIN) & IMAP_HAS_SECRET, "secret");
}

TEST_MAIN(UNIT(commands_are_accepted_or_refused),
    UNIT(arguments_have_their_values), UNIT(list_knows_its_options),
    UNIT(append_takes_several_messages),
    UNIT(the_beginning_of_an_append_can_be_judged),
    UNIT(sections_are_named_as_the_client_asked),
    UNIT(tags_are_found_in_broken_commands), UNIT(the_arena_limits_a_command),
    UNIT(every_verb_has_a_name_and_states))
