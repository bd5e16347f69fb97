/* SPDX-License-Identifier: ISC */
/* search_test.c - evaluation of SEARCH in turns. */
#include "../test.h"
#include "imap/search.h"

#define KEYS 5

struct world {
	struct arena arena;
	struct imap_search_key root, not_[KEYS], key[KEYS];
	struct imap_search search;
	struct search_program program;
	struct ipc_entry entry;
	struct msg_fetch_item item;
	struct search_message msg;
};

/* None of some strings is in the text: all of them have to be looked for. */
static void
setup(struct world *w, const char *const strings[KEYS])
{
	*w = (struct world){ .root = { .op = IMAP_SEARCH_AND,
				 .child = &w->not_[0] },
		.search = { .root = &w->root, .needs = IMAP_NEED_BODY },
		.entry = { .uid = 7 },
		.item = { .uid = 7,
		    .body = STR("Subject: x\r\n\r\none two three\r\n") } };
	for (size_t i = 0; i < KEYS; i++) {
		w->key[i].op = IMAP_SEARCH_BODY;
		w->key[i].u.text = str_c(strings[i]);
		w->not_[i].op = IMAP_SEARCH_NOT;
		w->not_[i].child = &w->key[i];
		w->not_[i].next = i + 1 < KEYS ? &w->not_[i + 1] : NULL;
	}
	w->msg = (struct search_message){
		.entry = &w->entry, .seq = 1, .m = &w->item, .has_body = true
	};
	arena_init(&w->arena, KIB(64));
	assert_true(search_prepare(&w->program, &w->arena, &w->search, NULL));
	assert_int_equal(w->program.needles, KEYS);
}

static void
teardown(struct world *w)
{
	search_done(&w->program);
	arena_done(&w->arena);
}

static const char *const absent[KEYS] = { "a1", "b2", "c3", "d4", "e5" };
static const char *const third[KEYS] = { "a1", "b2", "three", "d4", "e5" };

TEST(without_a_budget_one_turn_is_enough)
{
	struct world w;

	setup(&w, absent);
	assert_int_equal(search_eval(&w.program, &w.msg), VERDICT_YES);
	assert_false(w.program.is_paused);
	teardown(&w);
}

TEST(each_turn_asks_at_least_one_key_and_forgets_none)
{
	struct world w;

	setup(&w, absent);
	for (size_t i = 1; i < KEYS; i++) {
		w.program.budget = 1;
		assert_int_equal(
		    search_eval(&w.program, &w.msg), VERDICT_UNKNOWN);
		assert_true(w.program.is_paused);
	}
	w.program.budget = 1;
	assert_int_equal(search_eval(&w.program, &w.msg), VERDICT_YES);
	assert_false(w.program.is_paused);
	teardown(&w);
}

TEST(what_decides_ends_it_early)
{
	struct world w;
	unsigned turns = 1;

	setup(&w, third);
	for (;; turns++) {
		w.program.budget = 1;
		if (search_eval(&w.program, &w.msg) != VERDICT_UNKNOWN)
			break;
		assert_true(w.program.is_paused);
	}
	assert_int_equal(turns, 3);
	assert_int_equal(search_eval(&w.program, &w.msg), VERDICT_NO);
	teardown(&w);
}

TEST(answers_are_those_of_their_message)
{
	struct world w;

	setup(&w, absent);
	assert_int_equal(search_eval(&w.program, &w.msg), VERDICT_YES);
	w.entry.uid = w.item.uid = 8;
	w.item.body = STR("Subject: x\r\n\r\nb2\r\n");
	assert_int_equal(search_eval(&w.program, &w.msg), VERDICT_NO);
	teardown(&w);
}

TEST(without_the_text_nothing_is_paused)
{
	struct world w;

	setup(&w, absent);
	w.program.budget = 0;
	w.msg.has_body = false;
	assert_int_equal(search_eval(&w.program, &w.msg), VERDICT_UNKNOWN);
	assert_false(w.program.is_paused);
	teardown(&w);
}

TEST_MAIN(UNIT(without_a_budget_one_turn_is_enough),
    UNIT(each_turn_asks_at_least_one_key_and_forgets_none),
    UNIT(what_decides_ends_it_early), UNIT(answers_are_those_of_their_message),
    UNIT(without_the_text_nothing_is_paused))
