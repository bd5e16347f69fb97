/* SPDX-License-Identifier: ISC */
/*
 * view_test.c - untagged responses in legal order: what a session is told
 * when its selected mailbox changed.
 */
#include "../test.h"
#include "imap/view.h"

static void
put_entry(struct buf *b, uint32_t uid, uint32_t flags, uint64_t modseq)
{
	wire_put_u32(b, uid);
	wire_put_u32(b, flags);
	wire_put_u64(b, modseq);
	wire_put_u64(b, 0);
	wire_put_u64(b, 0);
}

/* A view of messages 1..n, all told. */
static struct view *
view_of(uint32_t n)
{
	struct msg_mailbox mb = {
		.id = 1, .name = STR("INBOX"), .uidnext = n + 1, .modseq = 10
	};
	struct view *v = view_new(&mb, false);
	struct buf b = BUF_INIT(KIB(64));

	for (uint32_t uid = 1; uid <= n; uid++)
		put_entry(&b, uid, 0, 10);
	CHECK(view_load(v, buf_str(&b)), "load");
	v->told_exists = n;
	buf_done(&b);
	return v;
}

struct change {
	struct buf entries, vanished, out;
};

static void
change_init(struct change *c)
{
	buf_init(&c->entries, KIB(64));
	buf_init(&c->vanished, KIB(64));
	buf_init(&c->out, KIB(64));
}

static void
change_done(struct change *c)
{
	buf_done(&c->entries);
	buf_done(&c->vanished);
	buf_done(&c->out);
}

static const char *
apply(struct view *v, struct change *c, const struct view_apply_options *o)
{
	struct msg_entries_reply r = { .modseq = 20,
		.entries = buf_str(&c->entries),
		.vanished = buf_str(&c->vanished) };

	buf_reset(&c->out, KIB(64));
	CHECK(view_apply(v, &r, o, &c->out), "apply");
	buf_reset(&c->entries, KIB(64));
	buf_reset(&c->vanished, KIB(64));
	return buf_c(&c->out);
}

TEST(expunges_come_first_and_count_as_they_go)
{
	struct view *v = view_of(5);
	struct view_apply_options o = { .allow_expunge = true };
	struct change c;

	change_init(&c);
	uid_set_add(&c.vanished, 2, 3);
	uid_set_add(&c.vanished, 5, 5);
	put_entry(&c.entries, 6, 0, 12);
	put_entry(&c.entries, 4, IMAP_FLAG_SEEN, 13);
	assert_string_equal(apply(v, &c, &o),
	    "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n* 3 EXPUNGE\r\n"
	    "* 3 EXISTS\r\n* 0 RECENT\r\n"
	    "* 2 FETCH (FLAGS (\\Seen))\r\n");
	CHECK(v->n == 3 && view_seq(v, 6) == 3, "numbers");
	change_done(&c);
	view_free(v);
}

TEST(expunges_are_held_back_while_numbers_must_not_shift)
{
	struct view *v = view_of(3);
	struct view_apply_options hold = { .allow_expunge = false };
	struct view_apply_options tell = { .allow_expunge = true };
	struct change c;

	change_init(&c);
	uid_set_add(&c.vanished, 1, 1);
	assert_string_equal(apply(v, &c, &hold), "");
	CHECK(view_seq(v, 3) == 3, "numbers stay");
	uid_set_add(&c.vanished, 3, 3);
	assert_string_equal(
	    apply(v, &c, &tell), "* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n");
	CHECK(v->n == 1 && v->told_exists == 1, "one is left");
	change_done(&c);
	view_free(v);
}

TEST(a_message_that_came_and_went_untold_is_never_told)
{
	struct view *v = view_of(1);
	struct view_apply_options o = { .allow_expunge = true };
	struct change c;

	change_init(&c);
	uid_set_add(&c.vanished, 2, 2);
	assert_string_equal(apply(v, &c, &o), "");
	CHECK(v->n == 1, "unchanged");
	change_done(&c);
	view_free(v);
}

TEST(silent_changes_are_told_only_with_their_modseq)
{
	struct view *v = view_of(2);
	struct buf silent = BUF_INIT(100);
	struct change c;
	struct view_apply_options o = { .allow_expunge = true };

	change_init(&c);
	uid_set_add(&silent, 1, 1);
	o.silent = buf_str(&silent);
	put_entry(&c.entries, 1, IMAP_FLAG_SEEN, 12);
	put_entry(&c.entries, 2, IMAP_FLAG_SEEN, 13);
	assert_string_equal(apply(v, &c, &o), "* 2 FETCH (FLAGS (\\Seen))\r\n");
	o.with_modseq = true;
	put_entry(&c.entries, 1, 0, 14);
	assert_string_equal(apply(v, &c, &o), "* 1 FETCH (MODSEQ (14))\r\n");
	buf_done(&silent);
	change_done(&c);
	view_free(v);
}

TEST(malformed_answers_are_refused)
{
	struct view *v = view_of(1);
	struct view_apply_options o = { .allow_expunge = true };
	struct msg_entries_reply r = { .entries = STR("short") };
	struct buf out = BUF_INIT(1000), bad = BUF_INIT(1000);

	CHECK(!view_apply(v, &r, &o, &out), "odd entries");
	wire_put_u32(&bad, 9);
	wire_put_u32(&bad, 3);
	r = (struct msg_entries_reply){ .vanished = buf_str(&bad) };
	CHECK(!view_apply(v, &r, &o, &out), "descending set");
	buf_done(&out);
	buf_done(&bad);
	view_free(v);
}

TEST(a_run_of_messages_is_one_range_whatever_uids_are_missing)
{
	static const struct {
		const char *set;
		bool is_uid, ok;
		const char *want; /* first and last UIDs, as pairs */
	} cases[] = {
		{ "1:2", false, true, "10-11" },
		{ "*", false, true, "30-30" },
		{ "4:5", false, true, "20-30" },
		{ "6", false, false, "" },
		{ "1:*", true, true, "10-30" },
		{ "12:29", true, true, "12-20" },
		{ "1,3:4", false, true, "10-10 12-20" },
		{ "11,30", true, true, "11-11 30-30" },
		{ "99", true, true, "" },
		{ "99:*", true, true, "30-30" },
	};
	static const uint32_t uids[] = { 10, 11, 12, 20, 30 };
	struct view *v = view_of(0);
	struct buf load = BUF_INIT(1000);

	for (size_t i = 0; i < ARRAY_LEN(uids); i++)
		put_entry(&load, uids[i], 0, 1);
	CHECK(view_load(v, buf_str(&load)), "load");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a;
		struct imap_set set;
		struct buf out = BUF_INIT(1000), text = BUF_INIT(1000);
		struct str left;
		uint32_t f, l;

		arena_init(&a, KIB(64));
		CHECK(imap_set_parse(&a, str_c(cases[i].set), &set), "parse");
		CHECK(view_resolve(v, &a, &set, cases[i].is_uid, &out) ==
			  cases[i].ok,
		    cases[i].set);
		left = buf_str(&out);
		while (uid_set_next(&left, &f, &l))
			buf_printf(&text, "%s%u-%u", text.n ? " " : "", f, l);
		assert_string_equal(buf_c(&text), cases[i].want);
		buf_done(&out);
		buf_done(&text);
		arena_done(&a);
	}
	buf_done(&load);
	view_free(v);
}

TEST(a_set_read_in_portions_goes_on_where_it_stopped)
{
	struct buf all = BUF_INIT(100);
	struct str left;

	uid_set_add(&all, 1, 10);
	uid_set_add(&all, 20, 30);
	uid_set_add(&all, 40, 50);
	left = uid_set_after(&all, buf_str(&all), 16, 25);
	CHECK(left.n == 16 && uid_set_has(left, 25) && !uid_set_has(left, 24),
	    "cut inside a range");
	left = uid_set_after(&all, left, 8, 0);
	CHECK(left.n == 8 && uid_set_has(left, 40), "one portion done");
	left = uid_set_after(&all, left, 8, 0);
	CHECK(left.n == 0, "all done");
	buf_done(&all);
}

static const char *
set_text(const struct buf *set, struct buf *text)
{
	struct str left = buf_str(set);
	uint32_t f, l;

	buf_reset(text, KIB(1));
	while (uid_set_next(&left, &f, &l))
		buf_printf(text, "%s%u-%u", text->n ? " " : "", f, l);
	return buf_c(text);
}

TEST(what_is_missing_is_what_the_view_has_not)
{
	static const uint32_t uids[] = { 3, 4, 8, 20 };
	static const struct {
		struct imap_range known[2];
		size_t n;
		const char *among, *want;
	} cases[] = {
		{ { { 0, 0 } }, 0, NULL, "1-2 5-7 9-19 21-21" },
		{ { { 4, 8 }, { 19, 99 } }, 2, NULL, "5-7 19-19 21-21" },
		{ { { 0, 0 } }, 0, "2-9 15-16", "2-2 5-7 9-9 15-16" },
		{ { { 1, 5 }, { 7, 15 } }, 2, "2-9 15-16",
		    "2-2 5-5 7-7 9-9 15-15" },
		{ { { 90, 99 } }, 1, NULL, "" },
	};
	struct view *v = view_of(0);
	struct buf load = BUF_INIT(1000), text = BUF_INIT(KIB(1));

	for (size_t i = 0; i < ARRAY_LEN(uids); i++)
		put_entry(&load, uids[i], 0, 1);
	CHECK(view_load(v, buf_str(&load)), "load");
	v->uidnext = 22;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct imap_set known = { .ranges = cases[i].known,
			.n = cases[i].n };
		struct buf among = BUF_INIT(100), out = BUF_INIT(1000);
		struct str set;

		if (cases[i].among) {
			uid_set_add(&among, 2, 9);
			uid_set_add(&among, 15, 16);
		}
		set = buf_str(&among);
		view_missing(v, known.n ? &known : NULL,
		    cases[i].among ? &set : NULL, &out);
		assert_string_equal(set_text(&out, &text), cases[i].want);
		buf_done(&among);
		buf_done(&out);
	}
	buf_done(&load);
	buf_done(&text);
	view_free(v);
}

TEST(vanished_takes_the_place_of_expunge)
{
	struct view *v = view_of(6);
	struct view_apply_options o = { .allow_expunge = true,
		.with_vanished = true,
		.with_modseq = true,
		.with_uid = true };
	struct change c;

	change_init(&c);
	uid_set_add(&c.vanished, 1, 2);
	uid_set_add(&c.vanished, 5, 5);
	put_entry(&c.entries, 6, IMAP_FLAG_SEEN, 13);
	assert_string_equal(apply(v, &c, &o),
	    "* VANISHED 1:2,5\r\n"
	    "* 3 FETCH (UID 6 MODSEQ (13) FLAGS (\\Seen))\r\n");
	CHECK(v->n == 3 && v->told_exists == 3, "three are left");
	change_done(&c);
	view_free(v);
}

TEST(merged_sets_ascend)
{
	struct buf a = BUF_INIT(1000), b = BUF_INIT(1000);
	struct buf text = BUF_INIT(KIB(1));

	uid_set_add(&a, 2, 3);
	uid_set_add(&a, 10, 11);
	uid_set_add(&b, 1, 1);
	uid_set_add(&b, 5, 6);
	uid_set_add(&b, 12, 20);
	uid_set_merge(&a, buf_str(&b));
	assert_string_equal(set_text(&a, &text), "1-3 5-6 10-20");
	CHECK(uid_set_is_valid(buf_str(&a)), "valid");
	uid_set_merge(&b, STR_NONE);
	assert_string_equal(set_text(&b, &text), "1-1 5-6 12-20");
	buf_done(&a);
	buf_done(&b);
	buf_done(&text);
}

TEST_MAIN(UNIT(what_is_missing_is_what_the_view_has_not),
    UNIT(vanished_takes_the_place_of_expunge), UNIT(merged_sets_ascend),
    UNIT(expunges_come_first_and_count_as_they_go),
    UNIT(expunges_are_held_back_while_numbers_must_not_shift),
    UNIT(a_message_that_came_and_went_untold_is_never_told),
    UNIT(silent_changes_are_told_only_with_their_modseq),
    UNIT(malformed_answers_are_refused),
    UNIT(a_run_of_messages_is_one_range_whatever_uids_are_missing),
    UNIT(a_set_read_in_portions_goes_on_where_it_stopped))
