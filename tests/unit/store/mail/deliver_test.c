/* SPDX-License-Identifier: ISC */
/* deliver_test.c - deliveries to several accounts, and FETCH. */
#include "fixture.h"

static struct fixture f;
static uint64_t users[3];

static int
setup(UNUSED void **state)
{
	fixture_start(&f);
	users[0] = add_user(&f, "a@demo.example");
	users[1] = add_user(&f, "b@demo.example");
	users[2] = add_user(&f, "c@demo.example");
	return 0;
}

static int
teardown(UNUSED void **state)
{
	fixture_stop(&f);
	return 0;
}

static struct verdict
deliver(struct str bytes, const char *trace, bool is_retry, size_t n)
{
	struct mail_copy_to to[3] = {
		{ .account = users[0], .prefix = STR("P: a\r\n") },
		{ .account = users[1], .prefix = STR("P: bb\r\n") },
		{ .account = users[2] },
	};
	struct mail_delivery d = { .size = bytes.n,
		.received = f.now - 5,
		.trace = str_c(trace),
		.structure = STR("structure"),
		.is_retry = is_retry };
	struct verdict v;

	if (bytes.n)
		d.ticket = ticket_of(&f, bytes);
	v = mail_deliver(f.mail, &d, to, n);
	engine_ticket_free(d.ticket);
	return v;
}

struct got {
	struct mail_fetch mf;
	struct buf *out;
	bool is_done;
};

static void
on_read(void *arg, const struct engine_read_result *r)
{
	struct got *got = arg;

	mail_fetch_finish(&got->mf, r, got->out);
	got->is_done = true;
}

/* One FETCH, as the store process does it. */
static struct verdict
fetch(uint64_t account, struct msg_fetch q, struct msg_fetch_reply *ret,
    int *ret_fd)
{
	struct got got = { .out = fresh(&f) };
	struct buf set = BUF_INIT(KIB(1));
	struct verdict v;
	int fd = -1;

	q.uids = range_set(&set, 1, UINT32_MAX);
	if (q.offset == UINT64_MAX) { /* from the second message on */
		q.offset = 0;
		q.uids = range_set(&set, 2, UINT32_MAX);
	}
	v = mail_fetch_collect(f.mail, account, &q, &got.mf);
	buf_done(&set);
	if (!verdict_is_done(v))
		return v;
	if (got.mf.is_in_fd) {
		char path[80];

		snprintf(path, sizeof(path), "%s/body", f.dir);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	}
	if (got.mf.n_reads)
		engine_blob_read(
		    f.engine, got.mf.reads, got.mf.n_reads, fd, on_read, &got);
	else
		on_read(&got, NULL);
	while (!got.is_done)
		engine_dispatch(f.engine);
	mail_fetch_done(&got.mf);
	*ret_fd = fd;
	CHECK(msg_fetch_reply_get(buf_str(&f.out), ret), "reply");
	return v;
}

TEST(one_message_for_three_is_stored_once)
{
	struct msg_fetch q = { .mailbox = MAIL_INBOX,
		.want = FETCH_PREFIX | FETCH_BODY | FETCH_SIZE | FETCH_DATES |
		        FETCH_STRUCTURE | FETCH_MSGID };
	static const char *const prefixes[] = { "P: a\r\n", "P: bb\r\n", "" };
	struct engine_stats stats;

	CHECK(verdict_is_done(deliver(STR("body\r\n"), "t1", false, 3)),
	    "deliver");
	engine_stats(f.engine, &stats);
	CHECK(stats.blobs == 1, "one blob");
	for (size_t i = 0; i < 3; i++) {
		struct msg_fetch_reply r;
		struct msg_fetch_item item;
		struct wire w;
		int fd;

		CHECK(verdict_is_done(fetch(users[i], q, &r, &fd)), "fetch");
		w = wire_read(r.items);
		CHECK(msg_fetch_item_read(&w, &item), "item");
		CHECK(str_eq(item.prefix, str_c(prefixes[i])), "prefix");
		CHECK(str_eq(item.body, STR("body\r\n")), "body");
		CHECK(str_eq(item.structure, STR("structure")), "structure");
		CHECK(
		    item.size == 6 + item.prefix.n && !item.is_corrupt, "size");
		CHECK(item.internaldate == f.now - 5 &&
			  item.savedate == f.now && item.msgid == 1,
		    "dates");
	}
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_retry_reaches_only_those_who_do_not_have_it)
{
	struct msg_mailbox mb;

	CHECK(verdict_is_done(deliver(STR("x"), "t1", false, 1)), "first");
	CHECK(verdict_is_done(deliver(STR("x"), "t1", true, 3)), "retry");
	CHECK(verdict_is_done(deliver(STR("x"), "t1", true, 3)), "again");
	for (size_t i = 0; i < 3; i++)
		CHECK(status_of(&f, users[i], "INBOX", &mb) && mb.messages == 1,
		    "once");
	CHECK(verdict_is_done(deliver(STR("x"), "t2", true, 3)), "another");
	CHECK(status_of(&f, users[0], "INBOX", &mb) && mb.messages == 2,
	    "not the same message");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_trace_alone_does_not_make_a_retry)
{
	struct msg_mailbox mb;

	CHECK(verdict_is_done(deliver(STR("one\r\n"), "t9", false, 1)), "one");
	CHECK(verdict_is_done(deliver(STR("another\r\n"), "t9", true, 1)),
	    "a worker that repeats an id");
	CHECK(status_of(&f, users[0], "INBOX", &mb) && mb.messages == 2,
	    "both are there");
}

TEST(all_or_none_when_an_account_is_gone)
{
	struct msg_mailbox mb;

	users[2] = 99;
	CHECK(deliver(STR("x"), "t", false, 3).outcome == NOT_FOUND, "gone");
	CHECK(status_of(&f, users[0], "INBOX", &mb) && mb.messages == 0,
	    "nothing for the others");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_message_without_bytes_is_a_message)
{
	struct msg_fetch q = { .mailbox = MAIL_INBOX, .want = FETCH_BODY };
	struct msg_fetch_reply r;
	struct msg_fetch_item item;
	struct wire w;
	int fd;

	CHECK(verdict_is_done(deliver(STR(""), "t", false, 2)), "deliver");
	CHECK(verdict_is_done(fetch(users[0], q, &r, &fd)), "fetch");
	w = wire_read(r.items);
	CHECK(msg_fetch_item_read(&w, &item) && item.body.n == 0, "empty");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_fetch_comes_in_portions_of_bounded_size)
{
	struct msg_fetch q = {
		.mailbox = MAIL_INBOX, .want = FETCH_BODY, .max_bytes = 10000
	};
	char body[3000];
	size_t n = 0, portions = 0;
	struct msg_fetch_reply r;

	memset(body, 'x', sizeof(body));
	for (int i = 0; i < 10; i++)
		deliver(str_make(body, sizeof(body)), "t", false, 1);
	do {
		struct msg_fetch_item item;
		struct buf set = BUF_INIT(100);
		struct got got = { .out = fresh(&f) };
		struct wire w;

		q.uids = range_set(&set, (uint32_t)n + 1, UINT32_MAX);
		CHECK(verdict_is_done(
			  mail_fetch_collect(f.mail, users[0], &q, &got.mf)),
		    "collect");
		engine_blob_read(
		    f.engine, got.mf.reads, got.mf.n_reads, -1, on_read, &got);
		while (!got.is_done)
			engine_dispatch(f.engine);
		CHECK(f.out.n < 11000, "bounded");
		CHECK(msg_fetch_reply_get(buf_str(&f.out), &r), "reply");
		w = wire_read(r.items);
		while (msg_fetch_item_read(&w, &item)) {
			n++;
			CHECK(item.uid == n && item.body.n == 3000, "item");
		}
		CHECK(r.next_uid == (n < 10 ? n + 1 : 0), "where to go on");
		portions++;
		mail_fetch_done(&got.mf);
		buf_done(&set);
	} while (r.next_uid);
	CHECK(n == 10 && portions == 4, "portions");
}

TEST(a_part_of_a_body_and_a_large_one_in_a_descriptor)
{
	struct msg_fetch q = { .mailbox = MAIL_INBOX,
		.want = FETCH_BODY,
		.offset = 4,
		.size = 3 };
	size_t n = FETCH_FD_BYTES + 10;
	char *big = x_malloc(n), *back = x_malloc(n);
	struct msg_fetch_reply r;
	struct msg_fetch_item item;
	struct wire w;
	int fd;

	deliver(STR("0123456789"), "t", false, 1);
	CHECK(verdict_is_done(fetch(users[0], q, &r, &fd)), "fetch");
	w = wire_read(r.items);
	CHECK(msg_fetch_item_read(&w, &item) && str_eq(item.body, STR("456")),
	    "part");
	q.offset = 8;
	q.size = 100;
	CHECK(verdict_is_done(fetch(users[0], q, &r, &fd)), "fetch");
	w = wire_read(r.items);
	CHECK(msg_fetch_item_read(&w, &item) && str_eq(item.body, STR("89")),
	    "clamped");
	for (size_t i = 0; i < n; i++)
		big[i] = (char)(i * 7 + i / 256);
	deliver(str_make(big, n), "t", false, 1);
	q = (struct msg_fetch){ .mailbox = MAIL_INBOX, .want = FETCH_BODY };
	CHECK(verdict_is_done(fetch(users[0], q, &r, &fd)), "fetch");
	CHECK(r.next_uid == 2 && !r.is_body_in_fd, "the large one is apart");
	q.offset = UINT64_MAX;
	CHECK(verdict_is_done(fetch(users[0], q, &r, &fd)), "fetch");
	w = wire_read(r.items);
	CHECK(r.is_body_in_fd && fd >= 0 && msg_fetch_item_read(&w, &item) &&
		  item.body.n == 0,
	    "in a descriptor");
	CHECK(pread(fd, back, n, 0) == (ssize_t)n && memcmp(big, back, n) == 0,
	    "bytes");
	close(fd);
	free(big);
	free(back);
}

TEST(a_large_structure_is_kept_whole)
{
	size_t n = KIB(300);
	char *structure = x_malloc(n);
	struct mail_copy_to to = { .account = users[0],
		.prefix = STR("prefix") };
	struct mail_delivery d = { .structure = { structure, n } };
	struct msg_fetch q = { .mailbox = MAIL_INBOX,
		.want = FETCH_STRUCTURE | FETCH_PREFIX };
	struct msg_fetch_reply r;
	struct msg_fetch_item item;
	struct wire w;
	int fd;

	for (size_t i = 0; i < n; i++)
		structure[i] = (char)(i * 31 + i / 1000);
	CHECK(verdict_is_done(mail_deliver(f.mail, &d, &to, 1)), "deliver");
	CHECK(verdict_is_done(fetch(users[0], q, &r, &fd)), "fetch");
	w = wire_read(r.items);
	CHECK(msg_fetch_item_read(&w, &item), "item");
	CHECK(str_eq(item.structure, d.structure), "structure");
	CHECK(str_eq(item.prefix, STR("prefix")), "prefix");
	CHECK(count_problems(&f) == 0, "check");
	mail_set_undelete_days(f.mail, 0);
	CHECK(verdict_is_done(expunge(&f, users[0], MAIL_INBOX, 1, 1, true)),
	    "expunge");
	CHECK(count_problems(&f) == 0, "nothing left behind");
	d.structure.n = MAIL_STRUCTURE_MAX + 1;
	CHECK(mail_deliver(f.mail, &d, &to, 1).reason == REASON_TOO_BIG,
	    "over the limit");
	free(structure);
}

TEST(junk_is_not_delivered_into_inbox)
{
	struct mail_copy_to to = { .account = users[0], .prefix = STR("p") };
	struct mail_delivery d = { .structure = STR("structure"),
		.trace = STR("junk"),
		.is_junk = true };
	struct msg_fetch q = { .mailbox = MAIL_INBOX, .want = FETCH_PREFIX };
	struct msg_fetch_reply r;
	struct msg_mailbox_list_reply l;
	struct msg_mailbox mb;
	struct wire w;
	unsigned found = 0;
	int fd;

	CHECK(verdict_is_done(mail_deliver(f.mail, &d, &to, 1)), "deliver");
	CHECK(verdict_is_done(fetch(users[0], q, &r, &fd)), "fetch");
	CHECK(r.items.n == 0, "not in INBOX");
	CHECK(verdict_is_done(mail_list(f.mail, users[0],
		  &(struct msg_mailbox_list){ 0 }, fresh(&f))),
	    "list");
	CHECK(msg_mailbox_list_reply_get(buf_str(&f.out), &l), "list");
	w = wire_read(l.mailboxes);
	while (msg_mailbox_read(&w, &mb))
		if (mb.special & MAILBOX_JUNK) {
			q.mailbox = mb.id;
			found++;
		}
	CHECK(found == 1, "there is a Junk");
	CHECK(verdict_is_done(fetch(users[0], q, &r, &fd)), "fetch");
	CHECK(r.items.n > 0, "but there");
	d.is_retry = true;
	CHECK(verdict_is_done(mail_deliver(f.mail, &d, &to, 1)), "again");
	CHECK(to.is_skipped, "it is known there, too");
	CHECK(count_problems(&f) == 0, "check");
}

TEST_MAIN(CASE(one_message_for_three_is_stored_once),
    CASE(junk_is_not_delivered_into_inbox),
    CASE(a_retry_reaches_only_those_who_do_not_have_it),
    CASE(a_trace_alone_does_not_make_a_retry),
    CASE(all_or_none_when_an_account_is_gone),
    CASE(a_message_without_bytes_is_a_message),
    CASE(a_fetch_comes_in_portions_of_bounded_size),
    CASE(a_part_of_a_body_and_a_large_one_in_a_descriptor),
    CASE(a_large_structure_is_kept_whole))
