/* SPDX-License-Identifier: ISC */
/* systems_test.c - what names systems, held against those that there are. */
#include "../../test.h"
#include "proto/status/status_post_edit.h"
#include "proto/status/status_systems.h"

static void
add(struct status_systems *all, const char *id, uint32_t order,
    const char *parent, const char *other)
{
	struct status_system s = { .id = str_c(id), .order = order };
	struct buf row = BUF_INIT(KIB(4));

	if (parent != NULL)
		s.parents[s.n_parents++] = str_c(parent);
	if (other != NULL)
		s.parents[s.n_parents++] = str_c(other);
	status_system_encode(&s, &row);
	status_systems_add(all, buf_str(&row));
	buf_done(&row);
}

/* a <- b <- c, and d of none; not in the order of their names. */
static struct status_systems *
some(void)
{
	struct status_systems *all = status_systems_new();

	add(all, "C", 5, "b", NULL);
	add(all, "a", 30, NULL, NULL);
	add(all, "d", 7, NULL, NULL);
	add(all, "B", 1, "A", NULL);
	status_systems_add(all, STR("no row"));
	return all;
}

TEST(names_are_found_in_any_case)
{
	struct status_systems *all = some();
	struct str ids[] = { STR("A"), STR("c"), STR("e") };
	struct status_fault f;

	CHECK(status_systems_have(all, STR("b")), "b");
	CHECK(status_systems_have(all, STR("D")), "D");
	CHECK(!status_systems_have(all, STR("e")), "e");
	CHECK(!status_systems_have(all, STR("")), "empty");
	CHECK(!status_systems_have(all, STR("a/b")), "no id");
	CHECK(status_systems_have_all(all, ids, 2, &f), "both");
	CHECK(str_eq(ids[0], STR("a")) && str_eq(ids[1], STR("C")),
	    "as the systems write themselves");
	CHECK(!status_systems_have_all(all, ids, 3, &f), "not all");
	CHECK(str_eq(f.part, STR("e")), "which");
	(void)status_systems_free(all);
}

TEST(a_post_names_systems_that_there_are_or_were)
{
	struct status_systems *all = some();
	struct status_affects was = { 0 }, now = { 0 };
	struct status_fault f;

	CHECK(status_affects_set(&was, STR("gone"), STATUS_IMPACT_DOWN, &f) &&
		  status_affects_set(
		      &now, STR("A, Gone"), STATUS_IMPACT_DOWN, &f),
	    "set");
	CHECK(!status_systems_fit_affects(all, &now, NULL, &f), "new");
	CHECK(str_eq(f.part, STR("Gone")), "which");
	CHECK(status_systems_fit_affects(all, &now, &was, &f), "as before");
	CHECK(str_eq(now.v[0].system, STR("a")), "its own spelling");
	CHECK(str_eq(now.v[1].system, STR("Gone")), "nobody knows any more");
	(void)status_systems_free(all);
}

static const struct {
	const char *id, *parent, *other, *wrong;
} cases[] = {
	{ "new", "a", "c", NULL },
	{ "new", "a", "nobody", "nobody" },
	{ "a", "d", NULL, NULL },
	{ "A", "b", NULL, "B" },  /* a child */
	{ "a", "d", "C", "C" },   /* a grandchild */
	{ "c", "a", "b", NULL },  /* a second way is no circle */
	{ "b", "d", NULL, NULL }, /* what it had before does not count */
	{ "d", "c", NULL, NULL },
};

TEST(nothing_depends_on_itself)
{
	struct status_systems *all = some();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct status_system s = { .id = str_c(cases[i].id),
			.n_parents = cases[i].other ? 2 : 1,
			.parents = {
			    str_c(cases[i].parent), str_c(cases[i].other) } };
		struct status_fault f = { STR_NONE, "" };

		CHECK(status_systems_fit_parents(all, &s, &f) ==
			  (cases[i].wrong == NULL),
		    cases[i].id);
		CHECK(str_eq(f.part, str_c(cases[i].wrong)), cases[i].id);
		CHECK(cases[i].wrong != NULL || !str_eq(s.parents[0], STR("c")),
		    "the spelling of C");
	}
	(void)status_systems_free(all);
}

/* What is stored may have circles from before this was looked at. */
TEST(a_circle_that_is_there_ends)
{
	struct status_systems *all = some();
	struct status_system s = {
		.id = STR("d"), .n_parents = 1, .parents = { STR("a") }
	};
	struct status_fault f;

	add(all, "a", 1, "c", "gone");
	CHECK(status_systems_fit_parents(all, &s, &f), "d below the circle");
	(void)status_systems_free(all);
}

TEST(a_new_one_comes_last)
{
	struct status_systems *all = status_systems_new();

	CHECK(status_systems_next_order(all) == 10, "the first");
	add(all, "a", 30, NULL, NULL);
	add(all, "b", 2, NULL, NULL);
	CHECK(status_systems_next_order(all) == 40, "behind all");
	add(all, "c", UINT32_MAX - 3, NULL, NULL);
	CHECK(status_systems_next_order(all) == UINT32_MAX, "no overflow");
	(void)status_systems_free(all);
}

TEST_MAIN(UNIT(names_are_found_in_any_case),
    UNIT(a_post_names_systems_that_there_are_or_were),
    UNIT(nothing_depends_on_itself), UNIT(a_circle_that_is_there_ends),
    UNIT(a_new_one_comes_last))
