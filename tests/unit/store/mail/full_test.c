/* SPDX-License-Identifier: ISC */
/* full_test.c - reading and deleting mail go on while the disk is full. */
#include "fixture.h"
#include "../local/faultfs.h"

#define RESERVE MIB(16)

static struct fixture f;
static struct faultfs fs;
static char save[64];
static uint64_t alice;

static int
setup(UNUSED void **state)
{
	f = (struct fixture){
		.now = 1790000000, .fs = &fs.ops, .reserve_bytes = RESERVE
	};
	snprintf(f.dir, sizeof(f.dir), "/tmp/mailstead-full-XXXXXX");
	ASSERT(mkdtemp(f.dir));
	snprintf(save, sizeof(save), "%s.saved", f.dir);
	ASSERT(mkdir(save, 0700) == 0);
	buf_init(&f.out, MIB(8));
	faultfs_init(&fs, save, 0);
	fixture_open(&f);
	alice = add_user(&f, "alice@demo.example");
	for (int i = 0; i < 3; i++)
		add_message(&f, alice, "INBOX", "text");
	return 0;
}

static int
teardown(UNUSED void **state)
{
	fixture_stop(&f);
	faultfs_done(&fs);
	remove_tree(save);
	return 0;
}

static void
set_free(uint64_t bytes)
{
	fs.free_bytes = bytes;
	engine_tick(f.engine);
}

/* How many messages were recent to who opened it so; UINT32_MAX: it failed. */
static uint32_t
open_inbox(bool is_readonly)
{
	struct msg_mailbox_open q = { .name = STR("INBOX"),
		.is_readonly = is_readonly };
	struct msg_mailbox_open_reply r;
	struct msg_mailbox mb;
	uint32_t id;

	if (!verdict_is_done(mail_open(f.mail, alice, &q, &id, fresh(&f))) ||
	    !msg_mailbox_open_reply_get(buf_str(&f.out), &r) ||
	    !msg_mailbox_get(r.mailbox, &mb))
		return UINT32_MAX;
	return mb.recent;
}

static void
check_full(uint64_t free_bytes)
{
	struct append_one a = { .mailbox = "INBOX", .bytes = STR("more") };
	struct msg_flags deleted = {
		.mailbox = MAIL_INBOX, .op = 1, .flags = IMAP_FLAG_DELETED
	};
	struct msg_mailbox mb;
	struct verdict v;

	set_free(free_bytes);
	CHECK(append_to(&f, alice, &a, &v) == 0 && v.reason == REASON_DISK_FULL,
	    "no new mail");
	CHECK(open_inbox(true) == 3, "read-only");
	CHECK(open_inbox(false) == 3, "to write");
	CHECK(verdict_is_done(set_flags(&f, alice, deleted, 1, 2)), "flags");
	CHECK(verdict_is_done(expunge(&f, alice, MAIL_INBOX, 1, 2, false)),
	    "expunge");
	CHECK(status_of(&f, alice, "INBOX", &mb) && mb.messages == 1, "gone");
	set_free(2 * RESERVE);
	CHECK(open_inbox(false) == 1, "they were left to be recent");
	CHECK(open_inbox(false) == 0, "and are taken now");
	CHECK(count_problems(&f) == 0, "the store is whole");
}

TEST(below_half_of_the_reserve_mail_can_be_opened_and_deleted)
{
	check_full(RESERVE / 4);
}

TEST(with_next_to_nothing_free_mail_can_be_opened_and_deleted)
{
	check_full(KIB(4));
}

TEST_MAIN(CASE(below_half_of_the_reserve_mail_can_be_opened_and_deleted),
    CASE(with_next_to_nothing_free_mail_can_be_opened_and_deleted))
