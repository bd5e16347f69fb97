/* SPDX-License-Identifier: ISC */
/* message_test.c - flags, mod-sequences, copy, move, expunge, undelete. */
#include "fixture.h"

#define ALL 1, UINT32_MAX

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

static uint32_t
inbox(void)
{
	return MAIL_INBOX;
}

/* ENTRIES into *ret; false when it fails. */
static bool
entries(uint32_t mailbox, uint64_t since, struct msg_entries_reply *ret)
{
	struct msg_entries q = {
		.mailbox = mailbox, .from_uid = 1, .since_modseq = since
	};

	return verdict_is_done(mail_entries(f.mail, alice, &q, fresh(&f))) &&
	       msg_entries_reply_get(buf_str(&f.out), ret);
}

static struct ipc_entry
nth_entry(const struct msg_entries_reply *r, size_t i)
{
	struct ipc_entry e;

	ASSERT((i + 1) * sizeof(e) <= r->entries.n);
	memcpy(&e, r->entries.p + i * sizeof(e), sizeof(e));
	return e;
}

static size_t
count_entries(const struct msg_entries_reply *r)
{
	return r->entries.n / sizeof(struct ipc_entry);
}

TEST(an_appended_message_has_the_next_uid_and_counts)
{
	struct append_one a = { .mailbox = "inbox",
		.bytes = STR("hello"),
		.flags = IMAP_FLAG_SEEN,
		.keywords = "$Work later" };
	struct msg_entries_reply r;
	struct msg_mailbox mb;

	CHECK(append_to(&f, alice, &a, NULL) == 1, "first uid");
	CHECK(add_message(&f, alice, "INBOX", "unseen") == 2, "second uid");
	CHECK(status_of(&f, alice, "INBOX", &mb), "status");
	CHECK(mb.messages == 2 && mb.unseen == 1 && mb.deleted == 0, "counts");
	CHECK(mb.bytes == 11 && mb.uidnext == 3 && mb.recent == 2, "sizes");
	CHECK(entries(inbox(), 0, &r) && count_entries(&r) == 2, "entries");
	CHECK(nth_entry(&r, 0).flags == IMAP_FLAG_SEEN, "flags");
	CHECK(nth_entry(&r, 0).keywords[0] == 3, "two keywords");
	CHECK(nth_entry(&r, 1).modseq == r.modseq, "modseq");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(flags_change_as_asked_and_only_changes_count)
{
	static const struct {
		const char *name;
		uint8_t op;
		uint32_t before, arg, after;
	} cases[] = {
		{ "set", 0, IMAP_FLAG_SEEN, IMAP_FLAG_DRAFT, IMAP_FLAG_DRAFT },
		{ "set to none", 0, IMAP_FLAG_SEEN, 0, 0 },
		{ "add", 1, IMAP_FLAG_SEEN, IMAP_FLAG_FLAGGED,
		    IMAP_FLAG_SEEN | IMAP_FLAG_FLAGGED },
		{ "add the same", 1, IMAP_FLAG_SEEN, IMAP_FLAG_SEEN,
		    IMAP_FLAG_SEEN },
		{ "remove", 2, IMAP_FLAG_SEEN | IMAP_FLAG_DELETED,
		    IMAP_FLAG_DELETED, IMAP_FLAG_SEEN },
		{ "remove what is not there", 2, IMAP_FLAG_SEEN,
		    IMAP_FLAG_DRAFT, IMAP_FLAG_SEEN },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct append_one a = { .mailbox = "INBOX",
			.bytes = STR("x"),
			.flags = cases[i].before };
		uint32_t uid = append_to(&f, alice, &a, NULL);
		struct msg_entries_reply r;
		struct msg_mailbox before, after;
		struct msg_flags q = { .mailbox = inbox(),
			.op = cases[i].op,
			.flags = cases[i].arg };

		CHECK(status_of(&f, alice, "INBOX", &before), "status");
		CHECK(verdict_is_done(set_flags(&f, alice, q, uid, uid)),
		    cases[i].name);
		CHECK(status_of(&f, alice, "INBOX", &after), "status");
		CHECK((after.modseq != before.modseq) ==
			  (cases[i].before != cases[i].after),
		    cases[i].name);
		CHECK(entries(inbox(), 0, &r), "entries");
		CHECK(nth_entry(&r, uid - 1).flags == cases[i].after,
		    cases[i].name);
	}
	CHECK(count_problems(&f) == 0, "check");
}

TEST(unchangedsince_leaves_newer_entries_and_names_them)
{
	struct msg_flags q = {
		.mailbox = inbox(), .op = 1, .flags = IMAP_FLAG_SEEN
	};
	struct msg_flags_reply r;
	struct msg_mailbox mb;

	for (int i = 0; i < 3; i++)
		add_message(&f, alice, "INBOX", "m");
	CHECK(status_of(&f, alice, "INBOX", &mb), "status");
	CHECK(verdict_is_done(set_flags(&f, alice, q, 2, 2)), "touch 2");
	q.flags = IMAP_FLAG_FLAGGED;
	q.has_unchangedsince = 1;
	q.unchangedsince = mb.modseq;
	CHECK(verdict_is_done(set_flags(&f, alice, q, ALL)), "conditional");
	CHECK(msg_flags_reply_get(buf_str(&f.out), &r), "reply");
	CHECK(r.failed.n == 8 && uid_set_has(r.failed, 2), "2 failed");
	/* RFC 7162 3.1.3: zero never holds for a message that exists. */
	q.unchangedsince = 0;
	q.flags = IMAP_FLAG_DRAFT;
	CHECK(verdict_is_done(set_flags(&f, alice, q, ALL)), "zero");
	CHECK(msg_flags_reply_get(buf_str(&f.out), &r), "reply");
	CHECK(uid_set_has(r.failed, 1) && uid_set_has(r.failed, 3), "all");
}

TEST(keywords_are_limited_and_compare_without_case)
{
	struct buf list = BUF_INIT(KIB(32));
	struct msg_flags q = { .mailbox = inbox(), .op = 1 };
	struct msg_entries_reply r;

	add_message(&f, alice, "INBOX", "m");
	for (int i = 0; i < IPC_KEYWORDS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "k%d", i);
		q.keywords = texts(&list, name);
		CHECK(verdict_is_done(set_flags(&f, alice, q, 1, 1)), name);
	}
	q.keywords = texts(&list, "onemore");
	CHECK(set_flags(&f, alice, q, 1, 1).reason == REASON_LIMIT, "limit");
	q.keywords = texts(&list, "K127");
	q.op = 2;
	CHECK(verdict_is_done(set_flags(&f, alice, q, 1, 1)), "other case");
	CHECK(entries(inbox(), 0, &r), "entries");
	CHECK(nth_entry(&r, 0).keywords[0] == UINT64_MAX, "low ones");
	CHECK(nth_entry(&r, 0).keywords[1] == UINT64_MAX >> 1, "k127 gone");
	q.keywords = texts(&list, "not(legal");
	CHECK(set_flags(&f, alice, q, 1, 1).outcome == PERMFAIL, "syntax");
	CHECK(count_problems(&f) == 0, "check");
	buf_done(&list);
}

TEST(changes_since_are_what_a_full_reading_shows)
{
	struct msg_flags q = {
		.mailbox = inbox(), .op = 1, .flags = IMAP_FLAG_DELETED
	};
	struct msg_entries_reply r;
	struct msg_mailbox mb;

	for (int i = 0; i < 10; i++)
		add_message(&f, alice, "INBOX", "m");
	CHECK(status_of(&f, alice, "INBOX", &mb), "status");
	CHECK(verdict_is_done(set_flags(&f, alice, q, 3, 5)), "flags");
	CHECK(verdict_is_done(expunge(&f, alice, inbox(), 4, 5, false)),
	    "expunge");
	add_message(&f, alice, "INBOX", "new");
	CHECK(entries(inbox(), mb.modseq, &r), "since");
	CHECK(count_entries(&r) == 2, "3 and 11");
	CHECK(nth_entry(&r, 0).uid == 3 && nth_entry(&r, 1).uid == 11, "uids");
	CHECK(r.vanished.n == 8 && uid_set_has(r.vanished, 4) &&
		  uid_set_has(r.vanished, 5),
	    "vanished");
	CHECK(!r.is_too_old && !r.has_more, "whole");
	CHECK(entries(inbox(), r.modseq, &r) && r.entries.n == 0 &&
		  r.vanished.n == 0,
	    "nothing since");
}

TEST(the_expunge_log_forgets_and_says_so)
{
	struct msg_entries_reply r;
	struct msg_mailbox mb;

	f.undelete_days = 0;
	mail_set_undelete_days(f.mail, 0);
	add_message(&f, alice, "INBOX", "m");
	CHECK(status_of(&f, alice, "INBOX", &mb), "status");
	for (int i = 0; i < 2100; i++) {
		uint32_t uid = add_message(&f, alice, "INBOX", "m");

		CHECK(verdict_is_done(
			  expunge(&f, alice, inbox(), uid, uid, true)),
		    "expunge");
	}
	CHECK(entries(inbox(), mb.modseq, &r) && r.is_too_old, "too old");
	CHECK(status_of(&f, alice, "INBOX", &mb), "status");
	CHECK(entries(inbox(), mb.modseq - 100, &r) && !r.is_too_old &&
		  r.vanished.n == 8,
	    "recent ones are known");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(copies_share_the_message_and_moves_leave_nothing)
{
	struct msg_copy_reply r;
	struct msg_mailbox from, to;
	struct engine_stats before, after;

	add_message(&f, alice, "INBOX", "one");
	add_message(&f, alice, "INBOX", "two");
	engine_stats(f.engine, &before);
	CHECK(verdict_is_done(copy_to(&f, alice, inbox(), "Archive", false)),
	    "copy");
	CHECK(msg_copy_reply_get(buf_str(&f.out), &r), "reply");
	CHECK(r.from.n == 8 && uid_set_has(r.to, 2) && r.uidvalidity, "uids");
	engine_stats(f.engine, &after);
	CHECK(after.blobs == before.blobs, "no new blob");
	CHECK(verdict_is_done(copy_to(&f, alice, inbox(), "INBOX", false)),
	    "into itself");
	CHECK(status_of(&f, alice, "INBOX", &from) && from.messages == 4,
	    "twice");
	CHECK(verdict_is_done(copy_to(&f, alice, inbox(), "Trash", true)),
	    "move");
	CHECK(status_of(&f, alice, "INBOX", &from) && from.messages == 0 &&
		  from.bytes == 0,
	    "empty");
	CHECK(status_of(&f, alice, "Trash", &to) && to.messages == 4, "there");
	CHECK(copy_to(&f, alice, to.id, "nowhere", false).reason ==
		  REASON_NO_MAILBOX,
	    "no such mailbox");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(keywords_follow_a_copy_by_name)
{
	struct append_one a = { .mailbox = "Archive",
		.bytes = STR("x"),
		.keywords = "first second" };
	struct append_one b = { .mailbox = "INBOX",
		.bytes = STR("y"),
		.keywords = "second third" };
	struct msg_entries_reply r;

	append_to(&f, alice, &a, NULL);
	append_to(&f, alice, &b, NULL);
	CHECK(verdict_is_done(copy_to(&f, alice, inbox(), "Archive", true)),
	    "move");
	CHECK(entries(mailbox_id(&f, alice, "Archive"), 0, &r), "entries");
	CHECK(nth_entry(&r, 1).keywords[0] == 6, "second, third");
}

TEST(what_was_expunged_comes_back_within_the_window)
{
	struct msg_flags q = { .mailbox = inbox(),
		.op = 1,
		.flags = IMAP_FLAG_DELETED | IMAP_FLAG_SEEN };
	struct msg_mailbox_create create = { .name = STR("a/b") };
	struct msg_mailbox_delete del = { .name = STR("a/b") };
	struct append_one in_b = {
		.mailbox = "a/b", .bytes = STR("x"), .keywords = "kw"
	};
	struct msg_mailbox mb;
	uint64_t count;

	add_message(&f, alice, "INBOX", "one");
	CHECK(verdict_is_done(set_flags(&f, alice, q, ALL)), "flags");
	CHECK(verdict_is_done(expunge(&f, alice, inbox(), ALL, false)),
	    "expunge");
	CHECK(verdict_is_done(mail_create(f.mail, alice, &create, fresh(&f))),
	    "create");
	append_to(&f, alice, &in_b, NULL);
	f.now += 3600;
	CHECK(verdict_is_done(mail_delete(f.mail, alice, &del)), "delete");
	CHECK(count_problems(&f) == 0, "check while lost");
	CHECK(verdict_is_done(
		  mail_undelete(f.mail, alice, f.now - 60, STR(""), &count)) &&
		  count == 1,
	    "the mailbox's");
	CHECK(
	    status_of(&f, alice, "a/b", &mb) && mb.messages == 1, "made again");
	CHECK(verdict_is_done(
		  mail_undelete(f.mail, alice, 0, STR("Back"), &count)) &&
		  count == 1,
	    "the other into a new one");
	CHECK(status_of(&f, alice, "Back", &mb) && mb.messages == 1 &&
		  mb.deleted == 0 && mb.unseen == 0,
	    "not deleted any more");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(the_window_closes)
{
	struct engine_stats stats;
	uint64_t count;

	add_message(&f, alice, "INBOX", "one");
	CHECK(verdict_is_done(copy_to(&f, alice, inbox(), "Trash", false)),
	    "copy");
	CHECK(verdict_is_done(expunge(&f, alice, inbox(), ALL, true)), "1");
	CHECK(verdict_is_done(expunge(
		  &f, alice, mailbox_id(&f, alice, "Trash"), ALL, true)),
	    "2");
	f.now += 13 * 24 * 3600;
	CHECK(verdict_is_done(mail_purge_step(f.mail)), "too early");
	engine_stats(f.engine, &stats);
	CHECK(stats.blobs == 1, "still there");
	f.now += 2 * 24 * 3600;
	CHECK(verdict_is_done(mail_purge_step(f.mail)), "purge");
	engine_stats(f.engine, &stats);
	CHECK(stats.blobs == 0, "gone");
	CHECK(
	    verdict_is_done(mail_undelete(f.mail, alice, 0, STR(""), &count)) &&
		count == 0,
	    "nothing to bring back");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(an_import_is_not_done_twice)
{
	struct append_one a = {
		.mailbox = "INBOX", .bytes = STR("x"), .dedupe = "maildir:1234"
	};
	struct msg_mailbox mb;

	CHECK(append_to(&f, alice, &a, NULL) == 1, "first");
	CHECK(append_to(&f, alice, &a, NULL) == 0, "seen");
	f.now += 20 * 24 * 3600;
	CHECK(append_to(&f, alice, &a, NULL) == 0, "seen weeks ago");
	CHECK(status_of(&f, alice, "INBOX", &mb) && mb.messages == 1, "one");
	f.now += 60 * 24 * 3600;
	CHECK(verdict_is_done(mail_purge_step(f.mail)), "purge");
	CHECK(append_to(&f, alice, &a, NULL) == 2, "forgotten");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(quotas_hold_for_append_and_copy)
{
	struct mail_quota quota = { .bytes_limit = 100, .messages_limit = 3 };
	struct append_one big = { .mailbox = "INBOX" };
	struct verdict v;
	char bytes[101] = { 0 };
	uint64_t room;
	bool is_over;

	CHECK(verdict_is_done(mail_account_quota(f.mail, alice, quota)), "set");
	big.bytes = str_make(bytes, 101);
	CHECK(append_to(&f, alice, &big, &v) == 0 &&
		  v.reason == REASON_OVERQUOTA && v.outcome == PERMFAIL,
	    "one byte too many");
	big.bytes.n = 60;
	CHECK(append_to(&f, alice, &big, &v) == 1, "fits");
	CHECK(copy_to(&f, alice, inbox(), "Sent", false).reason ==
		  REASON_OVERQUOTA,
	    "copy counts");
	CHECK(verdict_is_done(copy_to(&f, alice, inbox(), "Sent", true)),
	    "move does not");
	CHECK(verdict_is_done(mail_room(f.mail, alice, &room, &is_over)) &&
		  room == 40 && !is_over,
	    "room");
	add_message(&f, alice, "INBOX", "2");
	add_message(&f, alice, "INBOX", "3");
	big.bytes.n = 1;
	CHECK(
	    append_to(&f, alice, &big, &v) == 0 && v.reason == REASON_OVERQUOTA,
	    "messages");
	CHECK(verdict_is_done(mail_room(f.mail, alice, &room, &is_over)) &&
		  is_over,
	    "over");
	CHECK(count_problems(&f) == 0, "check");
}

static struct verdict
check_append(const char *const *dedupe, size_t n, uint64_t size)
{
	struct buf items = BUF_INIT(KIB(64));
	struct msg_append q = { .name = STR("INBOX") };
	struct verdict v;

	for (size_t i = 0; i < n; i++)
		msg_append_item_put(
		    &items, &(struct msg_append_item){
				.size = size, .dedupe = str_c(dedupe[i]) });
	q.items = buf_str(&items);
	v = mail_append_check(f.mail, alice, &q);
	buf_done(&items);
	return v;
}

TEST(what_an_import_leaves_out_needs_no_room)
{
	static const char *const same[] = { "a", "a", "a" };
	static const char *const mixed[] = { "seen", "b", "c" };
	struct mail_quota quota = { .bytes_limit = 100, .messages_limit = 3 };
	struct append_one seen = {
		.mailbox = "INBOX", .bytes = STR("x"), .dedupe = "seen"
	};

	CHECK(verdict_is_done(mail_account_quota(f.mail, alice, quota)), "set");
	CHECK(append_to(&f, alice, &seen, NULL) == 1, "first");
	CHECK(verdict_is_done(check_append(same, 3, 90)), "one of them");
	CHECK(check_append(same, 3, 100).reason == REASON_OVERQUOTA, "bytes");
	CHECK(verdict_is_done(check_append(mixed, 3, 40)), "two of them");
	CHECK(check_append(mixed, 3, 50).reason == REASON_OVERQUOTA, "bytes");
	seen.dedupe = "another";
	CHECK(append_to(&f, alice, &seen, NULL) != 0, "second");
	CHECK(check_append(mixed, 3, 1).reason == REASON_OVERQUOTA, "messages");
	CHECK(verdict_is_done(check_append(mixed, 2, 1)), "messages");
}

static struct verdict
room_for(const char *name, uint64_t bytes, uint32_t messages)
{
	struct msg_append_check q = { str_c(name), bytes, messages };

	return mail_append_room(f.mail, alice, &q);
}

TEST(room_is_told_before_the_message_comes)
{
	struct mail_quota quota = { .bytes_limit = 100, .messages_limit = 3 };

	CHECK(verdict_is_done(room_for("inbox", UINT64_C(1) << 30, 5)),
	    "no limit");
	CHECK(room_for("INBOX", 1, MAIL_APPEND_MAX + 1).reason == REASON_LIMIT,
	    "messages of one command");
	CHECK(room_for("INBOX", UINT64_MAX, 1).reason == REASON_TOO_BIG,
	    "no overflow");
	CHECK(room_for("Nowhere", 1, 1).outcome == NOT_FOUND &&
		  room_for("Nowhere", 1, 1).reason == REASON_NO_MAILBOX,
	    "no mailbox");
	CHECK(verdict_is_done(mail_account_quota(f.mail, alice, quota)), "set");
	CHECK(verdict_is_done(room_for("INBOX", 100, 3)), "fits");
	CHECK(room_for("INBOX", 101, 1).reason == REASON_OVERQUOTA, "bytes");
	CHECK(room_for("INBOX", 1, 4).reason == REASON_OVERQUOTA, "messages");
}

/* A random set of ranges, and which UIDs are in it. */
static void
random_set(uint64_t *rng, struct buf *set, bool *has, size_t n)
{
	uint32_t uid = 1;

	buf_reset(set, KIB(8));
	memset(has, 0, n);
	while (uid < n) {
		uint32_t first, last;

		*rng = *rng * 6364136223846793005u + 1442695040888963407u;
		first = uid + (uint32_t)(*rng >> 33) % 90;
		last = first + (uint32_t)(*rng >> 50) % 12;
		uid_set_add(set, first, last);
		for (uint32_t i = first; i <= last && i < n; i++)
			has[i] = true;
		uid = last + 2;
	}
}

TEST(a_set_of_uids_is_read_exactly)
{
	struct buf set = BUF_INIT(KIB(8)), out = BUF_INIT(MIB(1));
	struct msg_fetch q = { .mailbox = MAIL_INBOX, .want = FETCH_SIZE };
	bool exists[700] = { false }, has[700];
	uint64_t rng = 7;

	for (uint32_t uid = 1; uid < ARRAY_LEN(exists); uid++) {
		add_message(&f, alice, "INBOX", "m");
		exists[uid] = uid % 3 != 0 && uid / 50 % 2 == 0;
		if (!exists[uid])
			CHECK(verdict_is_done(
				  expunge(&f, alice, inbox(), uid, uid, true)),
			    "hole");
	}
	for (int round = 0; round < 200; round++) {
		struct msg_fetch_reply r;
		struct msg_fetch_item item;
		struct mail_fetch mf;
		struct wire w;

		random_set(&rng, &set, has, ARRAY_LEN(has));
		q.uids = buf_str(&set);
		CHECK(
		    verdict_is_done(mail_fetch_collect(f.mail, alice, &q, &mf)),
		    "collect");
		buf_reset(&out, KIB(64));
		mail_fetch_finish(&mf, NULL, &out);
		mail_fetch_done(&mf);
		CHECK(msg_fetch_reply_get(buf_str(&out), &r), "reply");
		w = wire_read(r.items);
		for (uint32_t uid = 1; uid < ARRAY_LEN(has); uid++)
			if (exists[uid] && has[uid])
				CHECK(msg_fetch_item_read(&w, &item) &&
					  item.uid == uid,
				    "the next one");
		CHECK(wire_is_complete(&w) && r.next_uid == 0, "no more");
	}
	buf_done(&set);
	buf_done(&out);
}

TEST(a_front_s_nonsense_is_refused)
{
	struct msg_flags q = { .mailbox = inbox(), .op = 1 };
	struct msg_fetch fetch = { .mailbox = inbox(), .want = 4096 };
	struct mail_fetch mf;
	struct buf set = BUF_INIT(100);

	q.uids = STR("odd");
	CHECK(mail_flags(f.mail, alice, &q, fresh(&f)).outcome == PERMFAIL,
	    "set");
	q.op = 9;
	CHECK(set_flags(&f, alice, q, ALL).outcome == PERMFAIL, "op");
	q.op = 1;
	q.flags = 1 << 20;
	CHECK(set_flags(&f, alice, q, ALL).outcome == PERMFAIL, "flags");
	q.flags = 1;
	q.mailbox = 999;
	CHECK(set_flags(&f, alice, q, ALL).reason == REASON_NO_MAILBOX,
	    "mailbox");
	CHECK(set_flags(&f, 77, q, ALL).reason == REASON_NO_USER, "account");
	fetch.uids = range_set(&set, ALL);
	CHECK(
	    mail_fetch_collect(f.mail, alice, &fetch, &mf).outcome == PERMFAIL,
	    "want");
	buf_done(&set);
}

TEST_MAIN(CASE(an_appended_message_has_the_next_uid_and_counts),
    CASE(flags_change_as_asked_and_only_changes_count),
    CASE(unchangedsince_leaves_newer_entries_and_names_them),
    CASE(keywords_are_limited_and_compare_without_case),
    CASE(changes_since_are_what_a_full_reading_shows),
    CASE(the_expunge_log_forgets_and_says_so),
    CASE(copies_share_the_message_and_moves_leave_nothing),
    CASE(keywords_follow_a_copy_by_name),
    CASE(what_was_expunged_comes_back_within_the_window),
    CASE(the_window_closes), CASE(an_import_is_not_done_twice),
    CASE(quotas_hold_for_append_and_copy),
    CASE(what_an_import_leaves_out_needs_no_room),
    CASE(room_is_told_before_the_message_comes),
    CASE(a_set_of_uids_is_read_exactly), CASE(a_front_s_nonsense_is_refused))
