/* SPDX-License-Identifier: ISC */
/* mailbox_test.c - the tree of mailboxes: names, rename, delete, subscribe. */
#include "fixture.h"

static struct fixture f;
static uint64_t alice;

static int
setup(UNUSED void **state)
{
	fixture_start(&f);
	alice = add_user(&f, "alice@demo.example");
	return 0;
}

static int
teardown(UNUSED void **state)
{
	fixture_stop(&f);
	return 0;
}

static struct verdict
create(const char *name)
{
	struct msg_mailbox_create q = { .name = str_c(name) };

	return mail_create(f.mail, alice, &q, fresh(&f));
}

static struct verdict delete (const char *name)
{
	struct msg_mailbox_delete q = { .name = str_c(name) };

	return mail_delete(f.mail, alice, &q);
}

static struct verdict
rename_to(const char *name, const char *to)
{
	struct msg_mailbox_rename q = { .name = str_c(name), .to = str_c(to) };

	return mail_rename(f.mail, alice, &q);
}

/* Names in LIST order, "+" behind those that are subscribed to, "-" behind
 * those that are only that; the six usual ones left out. */
static const char *
tree(void)
{
	static char text[4000];
	struct msg_mailbox_list_reply r;
	struct msg_mailbox mb;
	struct wire w;
	size_t n = 0;

	ASSERT(verdict_is_done(mail_list(
	    f.mail, alice, &(struct msg_mailbox_list){ 0 }, fresh(&f))));
	ASSERT(msg_mailbox_list_reply_get(buf_str(&f.out), &r));
	text[0] = '\0';
	w = wire_read(r.mailboxes);
	while (msg_mailbox_read(&w, &mb)) {
		if (mb.id && mb.id <= 6 && mb.is_subscribed)
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s%s",
		    n ? " " : "", STR_ARG(mb.name),
		    mb.id == 0         ? "-"
		    : mb.is_subscribed ? "+"
				       : "");
	}
	return text;
}

TEST(names_are_checked)
{
	static const struct {
		const char *name;
		enum reason want;
	} cases[] = {
		{ "plain", REASON_NONE },
		{ "a/b/c", REASON_NONE },
		{ "trailing/", REASON_NONE },
		{ "Gr\xC3\xBC\xC3\x9F"
		  "e",
		    REASON_NONE },
		{ "", REASON_NAME },
		{ "/", REASON_NAME },
		{ "/a", REASON_NAME },
		{ "x//y", REASON_NAME },
		{ "bell\a", REASON_NAME },
		{ "not utf8 \xFF", REASON_NAME },
		{ "INBOX", REASON_EXISTS },
		{ "inbox", REASON_EXISTS },
		{ "Inbox/x", REASON_NONE },
		{ "INBOX/x", REASON_EXISTS },
		{ "plain", REASON_EXISTS },
		{ "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0"
		  "/1/2",
		    REASON_NONE },
		{ "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0"
		  "/1/2/3",
		    REASON_NAME },
	};
	char name[MAIL_NAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(create(cases[i].name).reason == cases[i].want,
		    cases[i].name);
	memset(name, 'x', sizeof(name));
	name[MAIL_NAME_MAX + 1] = '\0';
	CHECK(create(name).reason == REASON_NAME, "one too long");
	name[MAIL_NAME_MAX] = '\0';
	CHECK(create(name).reason == REASON_NONE, "just fits");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_new_account_has_the_usual_mailboxes)
{
	static const struct {
		const char *name;
		uint32_t special;
	} usual[] = {
		{ "INBOX", 0 },
		{ "Drafts", MAILBOX_DRAFTS },
		{ "Sent", MAILBOX_SENT },
		{ "Junk", MAILBOX_JUNK },
		{ "Trash", MAILBOX_TRASH },
		{ "Archive", MAILBOX_ARCHIVE },
	};
	uint32_t last = 0;

	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		struct msg_mailbox mb;

		CHECK(status_of(&f, alice, usual[i].name, &mb), usual[i].name);
		CHECK(mb.special == usual[i].special && mb.is_subscribed &&
			  mb.uidnext == 1,
		    usual[i].name);
		CHECK(mb.uidvalidity > last, "uidvalidity is unique");
		last = mb.uidvalidity;
	}
	CHECK(strcmp(tree(), "") == 0, "nothing else");
}

TEST(parents_are_made_and_protected)
{
	CHECK(verdict_is_done(create("a/b/c")), "create");
	CHECK(strcmp(tree(), "a a/b a/b/c") == 0, tree());
	CHECK(delete ("a").reason == REASON_HAS_CHILDREN, "a has children");
	CHECK(verdict_is_done(create("a-z")), "sorts between");
	CHECK(delete ("a/b").reason == REASON_HAS_CHILDREN, "a/b too");
	CHECK(verdict_is_done(delete ("a/b/c")), "leaf");
	CHECK(verdict_is_done(delete ("a/b")), "now a leaf");
	CHECK(strcmp(tree(), "a a-z") == 0, tree());
	CHECK(delete ("INBOX").reason == REASON_FORBIDDEN, "INBOX");
	CHECK(delete ("nothing").reason == REASON_NO_MAILBOX, "nothing");
}

TEST(a_tree_is_renamed_with_all_below_it)
{
	static const struct {
		const char *from, *to;
		enum reason want;
		const char *tree;
	} cases[] = {
		{ "a", "n", REASON_NONE, "a-x n n/b n/b/c" },
		{ "n/b", "p/q/r", REASON_NONE, "a-x n p p/q p/q/r p/q/r/c" },
		{ "p", "p/q/s", REASON_NAME, NULL },
		{ "p", "n", REASON_EXISTS, NULL },
		{ "gone", "n2", REASON_NO_MAILBOX, NULL },
		{ "p", "bad//name", REASON_NAME, NULL },
		{ "p/q", "inbox/deep", REASON_NONE,
		    "INBOX/deep INBOX/deep/r INBOX/deep/r/c a-x n p" },
	};
	uint32_t id, uidvalidity;
	struct msg_mailbox mb;

	CHECK(verdict_is_done(create("a/b/c")), "create");
	CHECK(verdict_is_done(create("a-x")), "create");
	add_message(&f, alice, "a/b/c", "mail");
	CHECK(status_of(&f, alice, "a/b/c", &mb), "status");
	id = mb.id;
	uidvalidity = mb.uidvalidity;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(rename_to(cases[i].from, cases[i].to).reason ==
			  cases[i].want,
		    cases[i].to);
		if (cases[i].tree)
			CHECK(strcmp(tree(), cases[i].tree) == 0, tree());
	}
	CHECK(status_of(&f, alice, "INBOX/deep/r/c", &mb) && mb.id == id &&
		  mb.uidvalidity == uidvalidity && mb.messages == 1,
	    "the same mailbox");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(renaming_inbox_moves_its_messages)
{
	struct msg_mailbox mb;

	add_message(&f, alice, "INBOX", "one");
	add_message(&f, alice, "INBOX", "two");
	CHECK(verdict_is_done(rename_to("INBOX", "old/mail")), "rename");
	CHECK(status_of(&f, alice, "INBOX", &mb) && mb.messages == 0 &&
		  mb.uidnext == 3,
	    "INBOX is empty and goes on");
	CHECK(status_of(&f, alice, "old/mail", &mb) && mb.messages == 2,
	    "there they are");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_name_used_again_gets_a_greater_uidvalidity)
{
	struct msg_mailbox first, again;

	CHECK(verdict_is_done(create("x")), "create");
	CHECK(status_of(&f, alice, "x", &first), "status");
	CHECK(verdict_is_done(delete ("x")), "delete");
	f.now -= 1000; /* the clock was put back */
	CHECK(verdict_is_done(create("x")), "again");
	CHECK(status_of(&f, alice, "x", &again) &&
		  again.uidvalidity > first.uidvalidity,
	    "greater");
}

TEST(subscriptions_are_by_name_and_outlive_the_mailbox)
{
	struct msg_mailbox_subscribe q = { .name = STR("x/y"),
		.is_subscribed = 1 };

	CHECK(verdict_is_done(create("x/y")), "create");
	CHECK(verdict_is_done(mail_subscribe(f.mail, alice, &q)), "sub");
	CHECK(verdict_is_done(mail_subscribe(f.mail, alice, &q)), "twice");
	CHECK(strcmp(tree(), "x x/y+") == 0, tree());
	CHECK(verdict_is_done(delete ("x/y")), "delete");
	CHECK(strcmp(tree(), "x x/y-") == 0, tree());
	fixture_close(&f);
	fixture_open(&f);
	CHECK(strcmp(tree(), "x x/y-") == 0, tree());
	q.is_subscribed = 0;
	CHECK(verdict_is_done(mail_subscribe(f.mail, alice, &q)), "unsub");
	CHECK(strcmp(tree(), "x") == 0, tree());
}

TEST(recent_messages_are_taken_by_the_first_who_may_write)
{
	struct msg_mailbox_open q = { .name = STR("INBOX"), .is_readonly = 1 };
	struct msg_mailbox_open_reply r;
	struct msg_mailbox mb;
	uint32_t id;

	add_message(&f, alice, "INBOX", "one");
	for (int i = 0; i < 3; i++) {
		q.is_readonly = i < 1;
		CHECK(verdict_is_done(
			  mail_open(f.mail, alice, &q, &id, fresh(&f))),
		    "open");
		CHECK(msg_mailbox_open_reply_get(buf_str(&f.out), &r) &&
			  msg_mailbox_get(r.mailbox, &mb),
		    "reply");
		CHECK(r.recent_from == (i < 2 ? 1 : 2), "recent from");
		CHECK(mb.recent == (i < 2 ? 1 : 0), "recent");
	}
}

TEST(the_number_of_mailboxes_is_limited)
{
	char name[32];

	for (unsigned i = 7; i <= MAIL_MAILBOXES_MAX; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		CHECK(verdict_is_done(create(name)), name);
	}
	CHECK(create("onemore").reason == REASON_LIMIT, "limit");
	CHECK(create("deep/er").reason == REASON_LIMIT, "limit");
	CHECK(status_of(&f, alice, "m7", &(struct msg_mailbox){ 0 }), "alive");
	CHECK(mailbox_id(&f, alice, "deep") == 0, "nothing half made");
}

TEST_MAIN(CASE(names_are_checked), CASE(a_new_account_has_the_usual_mailboxes),
    CASE(parents_are_made_and_protected),
    CASE(a_tree_is_renamed_with_all_below_it),
    CASE(renaming_inbox_moves_its_messages),
    CASE(a_name_used_again_gets_a_greater_uidvalidity),
    CASE(subscriptions_are_by_name_and_outlive_the_mailbox),
    CASE(recent_messages_are_taken_by_the_first_who_may_write),
    CASE(the_number_of_mailboxes_is_limited))
