/* SPDX-License-Identifier: ISC */
/*
 * pop3_drop_test.c - the maildrop of a POP3 session: numbers that stay, marks
 * that can be taken back, and exactly the marked UIDs at the end.
 */
#include "../test.h"
#include "imap/pop3_drop.h"
#include "proto/imap/imap_flags.h"

static void
put_entry(struct buf *b, uint32_t uid, uint32_t flags)
{
	wire_put_u32(b, uid);
	wire_put_u32(b, flags);
	wire_put_u64(b, 10);
	wire_put_u64(b, 0);
	wire_put_u64(b, 0);
}

static void
put_size(struct buf *b, uint32_t uid, uint64_t size)
{
	/* A tenth of it is what line ends grow by. */
	struct msg_fetch_item m = {
		.uid = uid, .size = size - size / 10, .crlf_extra = size / 10
	};

	msg_fetch_item_put(b, &m);
}

/* UIDs 2, 4, 5, 9 with sizes of a hundred times that; 4 is seen. */
static struct pop3_drop
drop_of_four(void)
{
	static const uint32_t uids[] = { 2, 4, 5, 9 };
	struct msg_mailbox mb = { .id = 7, .uidvalidity = 1700000000 };
	struct buf entries = BUF_INIT(KIB(4)), sizes = BUF_INIT(KIB(4));
	struct pop3_drop d;

	pop3_drop_init(&d, &mb);
	for (size_t i = 0; i < ARRAY_LEN(uids); i++) {
		put_entry(&entries, uids[i],
		    uids[i] == 4 ? IMAP_FLAG_SEEN : IMAP_FLAG_DELETED);
		put_size(&sizes, uids[i], uids[i] * 100);
	}
	CHECK(pop3_drop_load(&d, buf_str(&entries)), "entries");
	CHECK(pop3_drop_load_sizes(&d, buf_str(&sizes)), "sizes");
	pop3_drop_ready(&d);
	buf_done(&entries);
	buf_done(&sizes);
	return d;
}

TEST(a_loaded_drop_counts_all_messages)
{
	struct pop3_drop d = drop_of_four();

	CHECK(d.n == 4 && d.left == 4 && d.bytes == 2000, "totals");
	CHECK(pop3_drop_get(&d, 2)->is_seen, "seen");
	CHECK(!pop3_drop_get(&d, 1)->is_deleted, "\\Deleted is no mark");
	CHECK(!pop3_drop_get(&d, 0) && !pop3_drop_get(&d, 5), "out of range");
	CHECK(!pop3_drop_get(&d, UINT32_MAX), "far out of range");
	pop3_drop_done(&d);
}

TEST(what_vanished_between_the_answers_has_no_number)
{
	struct msg_mailbox mb = { .id = 7, .uidvalidity = 1 };
	struct buf b = BUF_INIT(KIB(4));
	struct pop3_drop d;

	pop3_drop_init(&d, &mb);
	for (uint32_t uid = 1; uid <= 5; uid++)
		put_entry(&b, uid, 0);
	CHECK(pop3_drop_load(&d, buf_str(&b)), "entries");
	buf_reset(&b, 0);
	put_size(&b, 2, 20);
	put_size(&b, 5, 50);
	put_size(&b, 6, 60); /* came later */
	CHECK(pop3_drop_load_sizes(&d, buf_str(&b)), "sizes");
	pop3_drop_ready(&d);
	CHECK(d.n == 2 && d.left == 2 && d.bytes == 70, "totals");
	CHECK(pop3_drop_get(&d, 1)->uid == 2, "first");
	CHECK(pop3_drop_get(&d, 2)->uid == 5, "second");
	pop3_drop_done(&d);
	buf_done(&b);
}

TEST(sizes_may_come_in_portions)
{
	struct msg_mailbox mb = { .id = 7, .uidvalidity = 1 };
	struct buf b = BUF_INIT(KIB(4));
	struct pop3_drop d;

	pop3_drop_init(&d, &mb);
	for (uint32_t uid = 1; uid <= 3; uid++)
		put_entry(&b, uid, 0);
	CHECK(pop3_drop_load(&d, buf_str(&b)), "entries");
	for (uint32_t uid = 1; uid <= 3; uid++) {
		buf_reset(&b, 0);
		put_size(&b, uid, uid);
		CHECK(pop3_drop_load_sizes(&d, buf_str(&b)), "portion");
	}
	pop3_drop_ready(&d);
	CHECK(d.left == 3 && d.bytes == 6, "totals");
	pop3_drop_done(&d);
	buf_done(&b);
}

TEST(malformed_answers_are_refused)
{
	struct msg_mailbox mb = { .id = 7, .uidvalidity = 1 };
	struct buf b = BUF_INIT(KIB(4));
	struct pop3_drop d;

	pop3_drop_init(&d, &mb);
	put_entry(&b, 5, 0);
	CHECK(!pop3_drop_load(&d, str_first(buf_str(&b), 31)), "cut short");
	put_entry(&b, 5, 0);
	CHECK(!pop3_drop_load(&d, buf_str(&b)), "the same UID twice");
	CHECK(!pop3_drop_load_sizes(&d, STR("\5\0\0")), "sizes cut short");
	pop3_drop_done(&d);
	buf_done(&b);
}

TEST(marks_change_the_totals_and_can_be_taken_back)
{
	struct pop3_drop d = drop_of_four();

	pop3_drop_delete(&d, pop3_drop_get(&d, 1));
	pop3_drop_delete(&d, pop3_drop_get(&d, 4));
	CHECK(d.left == 2 && d.bytes == 900, "after two");
	CHECK(d.n == 4 && pop3_drop_get(&d, 3)->uid == 5, "numbers stay");
	pop3_drop_reset(&d);
	CHECK(d.left == 4 && d.bytes == 2000, "after RSET");
	pop3_drop_reset(&d);
	CHECK(d.left == 4 && d.bytes == 2000, "after RSET of nothing");
	pop3_drop_done(&d);
}

TEST(exactly_the_marked_uids_are_removed)
{
	struct pop3_drop d = drop_of_four();
	struct buf uids = BUF_INIT(KIB(1));
	size_t at = 0;

	CHECK(!pop3_drop_marked(&d, &at, &uids, KIB(1)), "none");
	CHECK(uids.n == 0, "empty set");
	pop3_drop_delete(&d, pop3_drop_get(&d, 2));
	pop3_drop_delete(&d, pop3_drop_get(&d, 3));
	pop3_drop_delete(&d, pop3_drop_get(&d, 4));
	at = 0;
	CHECK(pop3_drop_marked(&d, &at, &uids, KIB(1)), "some");
	for (uint32_t uid = 1; uid < 12; uid++)
		CHECK(uid_set_has(buf_str(&uids), uid) ==
			  (uid == 4 || uid == 5 || uid == 9),
		    "set");
	CHECK(!pop3_drop_marked(&d, &at, &uids, KIB(1)), "no more");
	buf_done(&uids);
	pop3_drop_done(&d);
}

TEST(removal_in_portions_leaves_nothing_out)
{
	struct pop3_drop d = drop_of_four();
	struct buf uids = BUF_INIT(KIB(1));
	size_t at = 0, rounds = 0, seen = 0;

	for (uint32_t i = 1; i <= 4; i++)
		pop3_drop_delete(&d, pop3_drop_get(&d, i));
	while (pop3_drop_marked(&d, &at, &uids, 8)) {
		for (uint32_t uid = 1; uid < 12; uid++)
			seen += uid_set_has(buf_str(&uids), uid);
		buf_reset(&uids, 0);
		rounds++;
	}
	CHECK(rounds == 4 && seen == 4, "each once");
	buf_done(&uids);
	pop3_drop_done(&d);
}

TEST(unique_ids_fit_the_protocol)
{
	struct pop3_drop d = { .uidvalidity = UINT32_MAX };
	struct pop3_message m = { .uid = UINT32_MAX };
	struct buf b = BUF_INIT(70);

	pop3_drop_put_uidl(&d, &m, &b);
	CHECK(str_eq(buf_str(&b), STR("4294967295.4294967295")), "longest");
	buf_done(&b);
}

TEST_MAIN(UNIT(a_loaded_drop_counts_all_messages),
    UNIT(what_vanished_between_the_answers_has_no_number),
    UNIT(sizes_may_come_in_portions), UNIT(malformed_answers_are_refused),
    UNIT(marks_change_the_totals_and_can_be_taken_back),
    UNIT(exactly_the_marked_uids_are_removed),
    UNIT(removal_in_portions_leaves_nothing_out),
    UNIT(unique_ids_fit_the_protocol))
