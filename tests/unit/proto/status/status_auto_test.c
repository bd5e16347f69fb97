/* SPDX-License-Identifier: ISC */
/*
 * status_auto_test.c - posts that the program writes, in simulated time: each
 * second it judges, and what it says is carried out on a post in memory.
 */
#include "../../test.h"
#include "proto/status/status_auto_words.h"
#include "proto/status/status_post_edit.h"

#define T0    UINT64_C(1790000000)
#define AFTER 300
#define HOUR  3600

struct world {
	struct status_auto_system v[40];
	size_t n;
	uint64_t now;
	struct status_post post;
	bool has_post;
	char text[KIB(4)]; /* of the post; the last update's */
	unsigned opened, resolved, told, quiet;
	struct status_affects down;
};

static const char *const ids[40] = { "a0", "a1", "a2", "a3", "a4", "a5", "a6",
	"a7", "a8", "a9", "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8",
	"b9", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "d0",
	"d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9" };

static struct world
world_of(size_t n)
{
	struct world w = { .n = n, .now = T0 };

	for (size_t i = 0; i < n; i++)
		w.v[i] = (struct status_auto_system){ .id = str_c(ids[i]),
			.since_s = T0 - HOUR,
			.is = STATUS_AUTO_UP };
	return w;
}

static void
set(struct world *w, size_t i, enum status_auto_is is)
{
	if (w->v[i].is == is)
		return;
	w->v[i].is = is;
	w->v[i].how = STATUS_AUTO_SILENT;
	w->v[i].since_s = w->now;
}

static void
open_post(struct world *w, const struct status_auto *a)
{
	struct buf text = BUF_INIT(KIB(8)), slug = BUF_INIT(KIB(1));
	struct status_fault fault;

	status_auto_post(a, &w->down, &text, &w->post);
	status_post_make_slug(&w->post, 1, &slug);
	w->post.slug = buf_str(&slug);
	assert_true(!text.failed && status_post_is_sane(&w->post, &fault));
	assert_true(status_auto_owns(&w->post));
	snprintf(w->text, sizeof(w->text), "%.*s|%.*s", STR_ARG(w->post.title),
	    STR_ARG(w->post.body));
	w->post.title = w->post.body = w->post.slug = STR("x");
	w->has_post = true;
	w->opened++;
	w->told += !w->post.is_quiet;
	buf_done(&text);
	buf_done(&slug);
}

static void
update_post(
    struct world *w, const struct status_auto *a, enum status_auto_step step)
{
	struct buf text = BUF_INIT(KIB(8));
	struct status_update u;
	struct status_fault fault;

	status_auto_update(a, step, &w->down, &text, &u);
	assert_true(!text.failed && status_post_apply(&w->post, &u, &fault));
	snprintf(w->text, sizeof(w->text), "%.*s", STR_ARG(u.body));
	if (u.is_quiet)
		w->quiet++;
	else
		w->told++;
	if (step == STATUS_AUTO_RESOLVE) {
		assert_true(!status_auto_owns(&w->post));
		w->has_post = false;
		w->resolved++;
	}
	buf_done(&text);
}

static enum status_auto_step
tick(struct world *w)
{
	struct status_auto a = { w->v, w->n, w->has_post ? &w->post : NULL,
		w->now, AFTER, STR("en") };
	enum status_auto_step step = status_auto_judge(&a, &w->down);

	if (step == STATUS_AUTO_OPEN)
		open_post(w, &a);
	else if (step != STATUS_AUTO_NOTHING)
		update_post(w, &a, step);
	return step;
}

/* Until something is written, or so many seconds are over. */
static enum status_auto_step
run(struct world *w, uint64_t seconds)
{
	for (uint64_t end = w->now + seconds; w->now < end; w->now++) {
		enum status_auto_step step = tick(w);

		if (step != STATUS_AUTO_NOTHING)
			return step;
	}
	return STATUS_AUTO_NOTHING;
}

TEST(an_outage_has_a_post_from_its_beginning_to_its_end)
{
	struct world w = world_of(3);

	assert_int_equal(run(&w, HOUR), STATUS_AUTO_NOTHING);
	set(&w, 1, STATUS_AUTO_DOWN);
	assert_int_equal(run(&w, AFTER), STATUS_AUTO_NOTHING);
	assert_int_equal(run(&w, 2), STATUS_AUTO_OPEN);
	assert_non_null(strstr(w.text, "a1 does not answer|"));
	assert_non_null(strstr(w.text, "- `a1`: no answer, since 1"));
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_NOTHING);
	set(&w, 1, STATUS_AUTO_UP);
	assert_int_equal(run(&w, AFTER / 5), STATUS_AUTO_NOTHING);
	assert_int_equal(run(&w, 2), STATUS_AUTO_BACK);
	assert_int_equal(w.post.state, STATUS_MONITORING);
	assert_true(w.post.affects.n == 1 &&
		    w.post.affects.v[0].impact == STATUS_IMPACT_NONE);
	assert_int_equal(
	    run(&w, 3 * AFTER - AFTER / 5 - 5), STATUS_AUTO_NOTHING);
	assert_int_equal(run(&w, 6), STATUS_AUTO_RESOLVE);
	assert_string_equal(
	    w.text, "All of it has been working for 15 minutes.");
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_NOTHING);
	assert_true(w.told == 2 && w.quiet == 1);
}

TEST(a_short_failure_has_none)
{
	struct world w = world_of(1);

	for (unsigned i = 0; i < 100; i++) {
		set(&w, 0, STATUS_AUTO_DOWN);
		assert_int_equal(run(&w, AFTER), STATUS_AUTO_NOTHING);
		set(&w, 0, STATUS_AUTO_UP);
		assert_int_equal(run(&w, 5), STATUS_AUTO_NOTHING);
	}
}

/* Minutes of either, from a small generator. */
TEST(what_comes_and_goes_has_one_post)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct world w = world_of(2);
		uint64_t x = seed, end = T0 + 8 * HOUR;

		while (w.now < end) {
			uint64_t until;

			x = x * UINT64_C(6364136223846793005) +
			    1442695040888963407;
			set(&w, 0,
			    w.v[0].is == STATUS_AUTO_UP ? STATUS_AUTO_DOWN
							: STATUS_AUTO_UP);
			until = w.now + 30 + (x >> 33) % 600;
			for (; w.now < until; w.now++)
				(void)tick(&w);
		}
		assert_true(w.opened == 1 && w.told == 1);
		set(&w, 0, STATUS_AUTO_UP);
		while (w.now < end + HOUR) {
			(void)tick(&w);
			w.now++;
		}
		assert_true(w.opened == 1 && w.resolved == 1 && w.told == 2);
		assert_true(w.post.last_update < STATUS_UPDATES_MAX / 4);
	}
}

TEST(others_join_the_post_and_leave_it)
{
	struct world w = world_of(4);

	set(&w, 0, STATUS_AUTO_DOWN);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_OPEN);
	set(&w, 2, STATUS_AUTO_DOWN);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_MORE);
	assert_int_equal(w.post.affects.n, 2);
	set(&w, 0, STATUS_AUTO_UP);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_FEWER);
	assert_true(w.post.affects.n == 2 && w.opened == 1 &&
		    w.post.affects.v[0].impact == STATUS_IMPACT_NONE);
	assert_null(strstr(w.text, "`a0`"));
	set(&w, 2, STATUS_AUTO_UNKNOWN);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_NOTHING);
	set(&w, 2, STATUS_AUTO_UP);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_BACK);
	set(&w, 1, STATUS_AUTO_DOWN);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_AGAIN);
	assert_int_equal(w.post.state, STATUS_INVESTIGATING);
}

TEST(what_is_planned_or_told_by_people_is_not_written_about)
{
	struct world w = world_of(3);

	set(&w, 0, STATUS_AUTO_DOWN);
	w.v[0].is_excused = true;
	set(&w, 1, STATUS_AUTO_DOWN);
	w.v[1].is_spoken_for = true;
	set(&w, 2, STATUS_AUTO_UNKNOWN);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_NOTHING);
	w.v[0].is_excused = false;
	assert_int_equal(run(&w, 2), STATUS_AUTO_OPEN);
	w.v[0].is_excused = true; /* work begins on what is broken */
	assert_int_equal(run(&w, 2), STATUS_AUTO_BACK);
}

TEST(whoever_touches_a_post_takes_it_over)
{
	struct world w = world_of(1);
	struct status_update u;
	struct status_fault fault;
	struct status_post p;

	set(&w, 0, STATUS_AUTO_DOWN);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_OPEN);
	p = w.post;
	p.edited_s = w.now;
	assert_false(status_auto_owns(&p));
	p = w.post;
	u = status_update_begin(&p, w.now);
	u.body = STR("It is the disk.");
	assert_true(status_post_apply(&p, &u, &fault));
	assert_false(status_auto_owns(&p));
}

TEST(of_many_the_first_are_named)
{
	struct world w = world_of(40);

	for (size_t i = 0; i < w.n; i++)
		set(&w, i, STATUS_AUTO_DOWN);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_OPEN);
	assert_int_equal(w.post.affects.n, STATUS_AFFECTED_MAX);
	assert_non_null(strstr(w.text, "a0 and 31 more do not answer|"));
	assert_non_null(strstr(w.text, "- and 24 more\n"));
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_NOTHING);
}

/* A certificate that is not trusted is no silence. */
TEST(the_words_are_those_of_what_is_wrong)
{
	static const struct {
		enum status_auto_how how;
		const char *title, *item;
	} cases[] = {
		{ STATUS_AUTO_FAILS, "a0 does not work|", "`a0`: it does" },
		{ STATUS_AUTO_SILENT, "a0 does not answer|",
		    "`a0`: no answer" },
		{ STATUS_AUTO_NAMELESS, "The name of a0 is not found|",
		    "`a0`: its name" },
		{ STATUS_AUTO_NO_TLS, "a0 takes no encrypted connections|",
		    "`a0`: no encrypted connection, since" },
		{ STATUS_AUTO_CERTIFICATE,
		    "The certificate of a0 is not accepted|",
		    "`a0`: its certificate is not accepted, since" },
		{ STATUS_AUTO_LOGIN, "Signing in to a0 fails|",
		    "`a0`: signing in fails" },
		{ STATUS_AUTO_WRONG, "a0 gives wrong answers|",
		    "`a0`: wrong answers" },
		{ STATUS_AUTO_DISAGREES, "a0 and other name servers disagree|",
		    "`a0`: it and other name servers" },
		{ STATUS_AUTO_LISTED, "a0 is on a block list|",
		    "`a0`: it is on a block list" },
	};

	assert_int_equal(ARRAY_LEN(cases), STATUS_AUTO_HOWS);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w = world_of(1);

		set(&w, 0, STATUS_AUTO_DOWN);
		w.v[0].how = cases[i].how;
		assert_int_equal(run(&w, HOUR), STATUS_AUTO_OPEN);
		CHECK(strstr(w.text, cases[i].title) == w.text, w.text);
		CHECK(strstr(w.text, cases[i].item) != NULL, w.text);
		CHECK(cases[i].how == STATUS_AUTO_SILENT ||
			  strstr(w.text, "answer") == NULL ||
			  cases[i].how == STATUS_AUTO_WRONG,
		    w.text);
	}
}

TEST(what_differs_is_told_of_each)
{
	struct world w = world_of(2);

	set(&w, 0, STATUS_AUTO_DOWN);
	set(&w, 1, STATUS_AUTO_DOWN);
	w.v[1].how = STATUS_AUTO_CERTIFICATE;
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_OPEN);
	assert_non_null(strstr(w.text, "a0 and one more do not work|"));
	assert_non_null(strstr(w.text, "- `a0`: no answer, since "));
	assert_non_null(strstr(w.text, "- `a1`: its certificate is not "));
	/* It is not seen any more: nobody says how it is. */
	w.v[1].is = STATUS_AUTO_UNKNOWN;
	set(&w, 0, STATUS_AUTO_UP);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_FEWER);
	assert_non_null(strstr(w.text, "- `a1`: it does not work\n"));
}

TEST(one_is_not_several)
{
	struct world w = world_of(STATUS_AUTO_NAMED + 1);
	struct status_auto a = { w.v, 1, NULL, T0 + 60, 20, STR("fr") };
	struct status_post p = { .is_auto = true };
	struct buf text = BUF_INIT(KIB(8));
	struct status_update u;

	for (size_t i = 0; i < w.n; i++)
		set(&w, i, STATUS_AUTO_DOWN);
	assert_int_equal(run(&w, HOUR), STATUS_AUTO_OPEN);
	assert_non_null(strstr(w.text, "- and one more\n"));
	w.v[0] = (struct status_auto_system){
		.id = STR("a0"), .since_s = T0, .is = STATUS_AUTO_UP
	};
	p.affects.n = 1;
	p.affects.v[0].system = STR("a0");
	a.post = &p;
	status_auto_update(
	    &a, STATUS_AUTO_RESOLVE, &(struct status_affects){ 0 }, &text, &u);
	assert_true(str_eq(u.body, STR("Tout fonctionne depuis une minute.")));
	buf_done(&text);
}

TEST(all_languages_say_all)
{
	static const char *const codes[] = { "en", "fr", "pt" };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		const struct status_auto_language *l =
		    status_auto_language(str_c(codes[i]));

		assert_string_equal(l->code, codes[i]);
		for (size_t k = 0; k < STATUS_AUTO_WORDS; k++)
			CHECK(l->words[k] != NULL, codes[i]);
		for (size_t k = 0; k < STATUS_AUTO_HOWS; k++)
			CHECK(l->how[k].title != NULL &&
				  strchr(l->how[k].title, '@') != NULL &&
				  strstr(l->how[k].item, "`@`") != NULL,
			    codes[i]);
	}
}

TEST(it_is_written_in_the_language_of_the_site)
{
	struct world w = world_of(1);
	struct status_auto a = { w.v, 1, NULL, T0 + HOUR, AFTER, STR("pt-BR") };
	struct buf text = BUF_INIT(KIB(8));
	struct status_affects down;
	struct status_post p;

	set(&w, 0, STATUS_AUTO_DOWN);
	assert_int_equal(status_auto_judge(&a, &down), STATUS_AUTO_OPEN);
	status_auto_post(&a, &down, &text, &p);
	assert_true(str_eq(p.title, STR("a0 não responde")));
	assert_true(str_eq(p.language, STR("pt")));
	buf_done(&text);
}

TEST_MAIN(UNIT(an_outage_has_a_post_from_its_beginning_to_its_end),
    UNIT(a_short_failure_has_none), UNIT(what_comes_and_goes_has_one_post),
    UNIT(others_join_the_post_and_leave_it),
    UNIT(what_is_planned_or_told_by_people_is_not_written_about),
    UNIT(whoever_touches_a_post_takes_it_over),
    UNIT(of_many_the_first_are_named),
    UNIT(the_words_are_those_of_what_is_wrong),
    UNIT(what_differs_is_told_of_each), UNIT(one_is_not_several),
    UNIT(all_languages_say_all),
    UNIT(it_is_written_in_the_language_of_the_site))
