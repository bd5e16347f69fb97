/* SPDX-License-Identifier: ISC */
/* post_test.c - posts, their updates, slugs, as words and as rows. */
#include "../../test.h"
#include "proto/status/status_post_edit.h"

#define NOW UINT64_C(1790000000)

static struct status_post
incident(void)
{
	struct status_post p = status_post_begin(STATUS_INCIDENT, NOW);
	struct status_fault f;

	p.title = STR("NC036: no mail over MTN");
	p.slug = STR("2026-09-21-nc036-no-mail-over-mtn");
	p.body = STR("We *see* it.\n");
	assert_true(status_post_set_tags(&p, STR("mail, mtn ,Mail"), &f));
	assert_true(status_affects_set(&p.affects,
	    STR("NC036=down, nc023=partial"), STATUS_IMPACT_NONE, &f));
	return p;
}

static bool
is_sane(const struct status_post *p)
{
	struct status_fault f = { 0 };
	bool is = status_post_is_sane(p, &f);

	assert_true(is || f.expected != NULL);
	return is;
}

TEST(a_post_comes_back_as_it_was)
{
	struct status_post p = incident(), back;
	struct buf row = BUF_INIT(STATUS_POST_ROW_MAX);

	p.is_quiet = p.is_auto = true;
	p.next_update_s = NOW + 3600;
	assert_true(is_sane(&p));
	status_post_encode(&p, &row);
	assert_true(status_post_decode(buf_str(&row), &back));
	assert_int_equal(back.kind, STATUS_INCIDENT);
	assert_int_equal(back.state, STATUS_INVESTIGATING);
	assert_true(str_eq(back.title, p.title) && str_eq(back.body, p.body));
	assert_true(back.is_quiet && back.is_auto && !back.is_imported);
	assert_int_equal(back.next_update_s, NOW + 3600);
	assert_int_equal(back.n_tags, 2);
	assert_int_equal(back.affects.n, 2);
	assert_int_equal(
	    status_affects_worst(&back.affects), STATUS_IMPACT_DOWN);
	for (size_t n = 0; n < row.n; n++)
		assert_false(
		    status_post_decode(str_first(buf_str(&row), n), &back));
	row.p[3] = 8; /* a flag that does not exist */
	assert_false(status_post_decode(buf_str(&row), &back));
	buf_done(&row);
}

TEST(the_largest_post_fits_its_row)
{
	static char body[STATUS_BODY_MAX];
	static char tags[STATUS_TAGS_MAX + STATUS_CATEGORIES_MAX]
			[STATUS_TAG_MAX];
	static char systems[STATUS_AFFECTED_MAX][STATUS_ID_MAX];
	static char title[STATUS_TITLE_MAX], slug[STATUS_SLUG_MAX];
	struct status_post p = incident(), back;
	struct buf row = BUF_INIT(STATUS_POST_ROW_MAX);
	struct status_fault f;

	memset(body, 'b', sizeof(body));
	memset(title, 't', sizeof(title));
	memset(slug, 's', sizeof(slug));
	p.body = str_make(body, sizeof(body));
	p.title = p.author = str_make(title, sizeof(title));
	p.slug = str_make(slug, sizeof(slug));
	p.n_tags = p.affects.n = 0;
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		struct str tag = str_make(tags[i], sizeof(tags[i]));

		memset(tags[i], (int)('a' + i), sizeof(tags[i]));
		assert_true(i < STATUS_TAGS_MAX
				? status_post_add_tag(&p, tag, &f)
				: status_post_add_category(&p, tag, &f));
	}
	for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
		memset(systems[i], 'a', sizeof(systems[i]));
		systems[i][i] = 'b';
		assert_true(status_affects_add(&p.affects,
		    str_make(systems[i], sizeof(systems[i])),
		    STATUS_IMPACT_DOWN, &f));
	}
	assert_false(status_post_add_tag(&p, STR("one more"), &f));
	assert_false(status_affects_add(
	    &p.affects, STR("more"), STATUS_IMPACT_DOWN, &f));
	assert_true(is_sane(&p));
	status_post_encode(&p, &row);
	assert_false(row.failed);
	assert_true(status_post_decode(buf_str(&row), &back));
	buf_done(&row);
}

TEST(what_a_post_may_not_be)
{
	static char long_text[STATUS_BODY_MAX + 1];
	struct status_post p;
	struct status_fault f;

	memset(long_text, 'x', sizeof(long_text));
	p = incident();
	p.title = STR("");
	assert_false(is_sane(&p));
	p.title = STR("two\nlines");
	assert_false(is_sane(&p));
	p.title = str_make(long_text, STATUS_TITLE_MAX + 1);
	assert_false(is_sane(&p));
	p = incident();
	p.body = str_make(long_text, sizeof(long_text));
	assert_false(is_sane(&p));
	p.body = STR("\x1b[2J");
	assert_false(is_sane(&p));
	p.body = STR("\xff");
	assert_false(is_sane(&p));
	p = incident();
	p.state = STATUS_DONE;
	assert_false(is_sane(&p));
	p = incident();
	p.from_s = NOW;
	p.to_s = NOW + 1;
	assert_false(is_sane(&p));
	p = incident();
	p.incident = 3;
	assert_false(is_sane(&p));
	p = incident();
	p.language = STR("english please");
	assert_false(is_sane(&p));
	p = incident();
	p.slug = STR("a/b");
	assert_false(is_sane(&p));
	p = incident();
	assert_false(
	    status_post_set_tags(&p, STR("a,,b"), &f)); /* an empty one */
	assert_false(status_affects_set(
	    &p.affects, STR("NC036=broken"), STATUS_IMPACT_NONE, &f));
	assert_false(
	    status_affects_set(&p.affects, STR("N C"), STATUS_IMPACT_NONE, &f));
}

TEST(planned_work_has_its_times)
{
	struct status_post p = status_post_begin(STATUS_PLANNED, NOW);

	p.title = STR("New disks");
	p.slug = STR("new-disks");
	assert_int_equal(p.state, STATUS_STATE_PLANNED);
	assert_false(is_sane(&p));
	p.from_s = NOW + 10;
	p.to_s = NOW + 10;
	assert_false(is_sane(&p));
	p.to_s++;
	assert_true(is_sane(&p));
	assert_true(status_post_is_open(&p));
	p.state = STATUS_DONE;
	assert_false(status_post_is_open(&p));
}

TEST(only_states_of_its_kind_are_named)
{
	for (unsigned k = 0; k < STATUS_POST_KINDS; k++) {
		const char *text =
		    status_states_expected((enum status_post_kind)k);

		for (unsigned s = STATUS_INVESTIGATING; s < STATUS_STATES; s++)
			CHECK(
			    (strstr(text, status_state_name(
					      (enum status_state)s)) != NULL) ==
				status_state_is_of((enum status_state)s,
				    (enum status_post_kind)k),
			    text);
	}
}

TEST(updates_change_the_post)
{
	struct status_post p = incident();
	struct status_update u = status_update_begin(&p, NOW + 60), back;
	struct buf row = BUF_INIT(STATUS_POST_ROW_MAX);
	enum status_impact impact;
	struct status_fault f;

	u.state = STATUS_IDENTIFIED;
	u.body = STR("A cable.");
	u.next_update_s = NOW + 600;
	assert_true(status_post_apply(&p, &u, &f));
	assert_int_equal(p.last_update, 1);
	assert_int_equal(p.state, STATUS_IDENTIFIED);
	assert_int_equal(p.changed_s, NOW + 60);
	assert_int_equal(p.next_update_s, NOW + 600);
	assert_int_equal(p.resolved_s, 0);
	status_update_encode(&u, &row);
	assert_true(status_update_decode(buf_str(&row), &back));
	assert_true(str_eq(back.body, u.body));
	assert_int_equal(back.affects.n, 2);
	for (size_t n = 0; n < row.n; n++)
		assert_false(
		    status_update_decode(str_first(buf_str(&row), n), &back));

	u = status_update_begin(&p, NOW + 120);
	assert_true(status_update_resolve(&u, &p, &f));
	assert_true(status_post_apply(&p, &u, &f));
	assert_int_equal(p.last_update, 2);
	assert_int_equal(p.resolved_s, NOW + 120);
	assert_int_equal(p.next_update_s, 0);
	assert_true(status_affects_find(&p.affects, STR("nc036"), &impact));
	assert_int_equal(impact, STATUS_IMPACT_NONE);
	assert_false(status_post_is_open(&p));

	/* It came back. */
	u = status_update_begin(&p, NOW + 180);
	u.state = STATUS_INVESTIGATING;
	assert_true(status_post_apply(&p, &u, &f));
	assert_int_equal(p.resolved_s, 0);
	u.state = STATUS_DONE;
	assert_false(status_post_apply(&p, &u, &f));
	assert_int_equal(p.last_update, 3);
	p.last_update = STATUS_UPDATES_MAX;
	u.state = STATUS_RESOLVED;
	assert_false(status_post_apply(&p, &u, &f));
	buf_done(&row);
}

TEST(an_update_says_something)
{
	struct status_post p = incident(), was;
	struct status_update u = status_update_begin(&p, NOW + 60);
	struct status_fault f;

	u.next_update_s = p.next_update_s = NOW + 600;
	u.body = STR(" \n");
	was = p;
	assert_false(status_post_apply(&p, &u, &f));
	assert_true(str_eq(f.part, STR("body")));
	assert_int_equal(p.last_update, was.last_update);
	assert_int_equal(p.changed_s, was.changed_s);
	u.next_update_s = 0;
	assert_false(status_post_apply(&p, &u, &f));
	/* The same systems, written in another order. */
	u.affects.v[0] = p.affects.v[1];
	u.affects.v[1] = p.affects.v[0];
	assert_false(status_post_apply(&p, &u, &f));
	u.affects.v[0].impact = STATUS_IMPACT_DOWN;
	assert_true(status_post_apply(&p, &u, &f));
	u.next_update_s = NOW + 900;
	assert_true(status_post_apply(&p, &u, &f));
	u.body = STR("x");
	assert_true(status_post_apply(&p, &u, &f));
	assert_int_equal(p.last_update, 3);
}

TEST(a_notice_has_no_end)
{
	struct status_post p = status_post_begin(STATUS_NOTICE, NOW);
	struct status_update u = status_update_begin(&p, NOW + 1);
	struct status_fault f;

	p.title = STR("Merry Christmas");
	p.slug = STR("merry-christmas");
	assert_true(is_sane(&p));
	assert_false(status_post_is_open(&p));
	assert_false(status_update_resolve(&u, &p, &f));
	u.body = STR("And a happy new year.");
	assert_true(status_post_apply(&p, &u, &f));
	assert_int_equal(p.resolved_s, 0);
}

TEST(drafts_and_the_future_are_not_public)
{
	struct status_post p = incident();

	assert_true(status_post_is_public(&p, NOW));
	assert_false(status_post_is_public(&p, NOW - 1));
	p.published_s = 0;
	assert_false(status_post_is_public(&p, NOW));
}

TEST(keys_are_of_one_length)
{
	struct buf key = BUF_INIT(100);
	uint32_t number = 0, update = 0;

	status_post_put_key(&key, 17, 3);
	assert_string_equal(buf_c(&key), "00000017/0003");
	assert_int_equal(key.n, STATUS_POST_KEY_LEN);
	assert_true(status_post_key_parse(buf_str(&key), &number, &update));
	assert_int_equal(number, 17);
	assert_int_equal(update, 3);
	assert_false(
	    status_post_key_parse(STR("00000000/0000"), &number, &update));
	assert_false(
	    status_post_key_parse(STR("00000017/003"), &number, &update));
	assert_false(
	    status_post_key_parse(STR("00000017/1000"), &number, &update));
	assert_false(
	    status_post_key_parse(STR("0000001x/0000"), &number, &update));
	assert_false(status_post_key_parse(STR("00000017"), &number, &update));
	buf_done(&key);
}

static const struct {
	const char *text, *slug;
} slugs[] = {
	{ "NC036: Migration update 17", "nc036-migration-update-17" },
	{ "  -- Plan B \xe2\x80\x94 now! ", "plan-b-now" },
	{ "We don\xe2\x80\x99t, don't", "we-dont-dont" },
	{ "R\xc3\xa9seau indisponible \xc3\xa0 \xc5\x81\xc3\xb3"
	  "d\xc5\xba",
	    "reseau-indisponible-a-lodz" },
	{ "\xe9\x82\xae\xe4\xbb\xb6", "" },
	{ "bad \xff utf8", "bad-utf8" },
	{ "cut \xc3", "cut" },
	{ ".co.zm domains", "co-zm-domains" },
	{ "<script>alert(1)</script>", "script-alert-1-script" },
	{ "", "" },
};

TEST(slugs_are_plain_words)
{
	struct buf b = BUF_INIT(KIB(1));

	for (size_t i = 0; i < ARRAY_LEN(slugs); i++) {
		buf_reset(&b, KIB(1));
		status_put_slug(&b, str_c(slugs[i].text));
		CHECK(str_eq(buf_str(&b), str_c(slugs[i].slug)), slugs[i].text);
		CHECK(b.n == 0 || status_is_slug(buf_str(&b)), slugs[i].text);
	}
	buf_reset(&b, KIB(1));
	for (unsigned i = 0; i < 99; i++)
		buf_put_char(&b, 'x');
	buf_put_c(&b, " yy");
	{
		struct buf slug = BUF_INIT(KIB(1));

		status_put_slug(&slug, buf_str(&b));
		assert_int_equal(slug.n, 99);
		buf_done(&slug);
	}
	buf_done(&b);
}

TEST(a_slug_has_the_day_and_the_title)
{
	static char title[STATUS_TITLE_MAX];
	struct status_post p = incident();
	struct buf b = BUF_INIT(KIB(1));

	status_post_make_slug(&p, 1, &b);
	assert_string_equal(buf_c(&b), "2026-09-21-nc036-no-mail-over-mtn");
	buf_reset(&b, KIB(1));
	status_post_make_slug(&p, 2, &b);
	assert_string_equal(buf_c(&b), "2026-09-21-nc036-no-mail-over-mtn-2");
	memset(title, 'y', sizeof(title));
	p.title = str_make(title, sizeof(title));
	buf_reset(&b, KIB(1));
	status_post_make_slug(&p, 4000000000U, &b);
	assert_int_equal(b.n, STATUS_SLUG_MAX);
	assert_true(status_is_slug(buf_str(&b)));
	p.title = STR("\xe9\x82\xae");
	p.published_s = 0;
	buf_reset(&b, KIB(1));
	status_post_make_slug(&p, 1, &b);
	assert_string_equal(buf_c(&b), "2026-09-21");
	buf_done(&b);
}

TEST(the_slugs_that_others_took_are_known)
{
	static const struct {
		const char *slug;
		unsigned n;
	} cases[] = {
		{ "2026-09-21-nc036-no-mail-over-mtn", 1 },
		{ "2026-09-21-nc036-no-mail-over-mtn-2", 2 },
		{ "2026-09-21-nc036-no-mail-over-mtn-4000000000", 4000000000U },
		{ "2026-09-21-nc036-no-mail-over-mtn-4294967295", 0 },
		{ "2026-09-21-nc036-no-mail-over-mtn-1", 0 },
		{ "2026-09-21-nc036-no-mail-over-mtn-02", 0 },
		{ "2026-09-21-nc036-no-mail-over-mtn-x2", 0 },
		{ "2026-09-22-nc036-no-mail-over-mtn-2", 0 },
		{ "2026-09-21", 0 },
		{ "2", 0 },
		{ "", 0 },
	};
	struct status_post p = incident();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(status_post_slug_number(&p, str_c(cases[i].slug)) ==
			  cases[i].n,
		    cases[i].slug);
}

TEST_MAIN(UNIT(a_post_comes_back_as_it_was),
    UNIT(the_largest_post_fits_its_row), UNIT(what_a_post_may_not_be),
    UNIT(planned_work_has_its_times), UNIT(only_states_of_its_kind_are_named),
    UNIT(updates_change_the_post), UNIT(an_update_says_something),
    UNIT(a_notice_has_no_end), UNIT(drafts_and_the_future_are_not_public),
    UNIT(keys_are_of_one_length), UNIT(slugs_are_plain_words),
    UNIT(a_slug_has_the_day_and_the_title),
    UNIT(the_slugs_that_others_took_are_known))
