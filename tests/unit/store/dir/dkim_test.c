/* SPDX-License-Identifier: ISC */
/* dkim_test.c - DKIM keys of domains: life, rotation, what is told to whom. */
/* Without looking in DNS; with it: dkim_seen_test.c. */
#define CHECKS false
#include "dkim_fixture.h"

TEST(a_domain_without_keys_is_as_good_as_any)
{
	struct msg_name name = { DOMAIN };

	LISTED("");
	SIGNING("");
	CHECK(strcmp(listed(STR("other.example")), "no-domain") == 0, "other");
	CHECK(strcmp(signing(STR("other.example")), "no-domain") == 0, "get");
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "nothing to do");
	CHECK(verdict_is_done(dir_domain_remove(f.d, &name)), "remove");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_domain_comes_with_its_keys_or_not_at_all)
{
	struct buf b = BUF_INIT(KIB(8));
	struct msg_domain_add q = { STR("New.example"), new_keys(&b, "r1 e1") };
	struct msg_domain_add bad = { STR("bad.example"), STR_NONE };

	CHECK(verdict_is_done(dir_domain_add(f.d, &q)), "add");
	CHECK(strcmp(listed(STR("new.example")), "r1 active, e1 active") == 0,
	    "both sign at once");
	buf_reset(&b, 0);
	bad.keys = new_keys(&b, "r1 r1");
	CHECK(dir_domain_add(f.d, &bad).reason == REASON_EXISTS, "twice");
	CHECK(strcmp(listed(bad.name), "no-domain") == 0, "no half of it");
	reopen();
	CHECK(strcmp(signing(q.name), "SECRET-r1 SECRET-e1") == 0, "restart");
	CHECK(count_problems(&f) == 0, "check");
	buf_done(&b);
}

TEST(a_rotation_goes_by_itself)
{
	CHECK(add_to(DOMAIN, "r1 e1", false) == REASON_NONE, "first");
	CHECK(add_to(DOMAIN, "r2 e2", true) == REASON_NONE, "rotate");
	LISTED("r1 active, e1 active, r2 published, e2 published");
	SIGNING("SECRET-r1 SECRET-e1");
	f.now += WAIT - 1;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "early");
	SIGNING("SECRET-r1 SECRET-e1");
	reopen();
	f.now++;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "in time");
	LISTED("r1 retired, e1 retired, r2 active, e2 active");
	SIGNING("SECRET-r2 SECRET-e2");
	CHECK(count_problems(&f) == 0, "check");
	f.now += KEEP - 1;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "kept");
	LISTED("r1 retired, e1 retired, r2 active, e2 active");
	reopen();
	f.now++;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "gone");
	LISTED("r2 active, e2 active");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_server_that_stood_still_keeps_the_old_key_long_enough)
{
	CHECK(add_to(DOMAIN, "r1", false) == REASON_NONE, "first");
	CHECK(add_to(DOMAIN, "r2", true) == REASON_NONE, "rotate");
	f.now += WAIT + 10 * KEEP;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "late");
	LISTED("r1 retired, r2 active");
	f.now += KEEP;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "gone");
	LISTED("r2 active");
}

/* --- old keys ------------------------------------------------------------------------ */

#define AGE (180 * 86400)

/* Selectors of those that are old. */
static const char *
old_keys(void)
{
	static char text[500];
	struct msg_dkim_list q = { .domain = DOMAIN };
	struct msg_list_reply l;
	struct msg_dkim_row row;
	size_t n = 0;

	ASSERT(verdict_is_done(dir_dkim_list(f.d, &q, fresh(&f))));
	ASSERT(msg_list_reply_get(buf_str(&f.out), &l));
	text[0] = '\0';
	for (struct wire w = wire_read(l.items); msg_dkim_row_read(&w, &row);)
		if (row.is_old)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%.*s ", STR_ARG(row.selector));
	return text;
}

/* A walk that is due, to its end; the answer is how many domains it counts. */
static uint64_t
count_old(void)
{
	for (int i = 0; i < 10; i++)
		CHECK(verdict_is_done(dir_dkim_age_step(f.d)), "step");
	return dir_dkim_old(f.d);
}

TEST(keys_that_sign_for_long_are_old)
{
	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, AGE, false });
	CHECK(add_to(DOMAIN, "r1 e1", false) == REASON_NONE, "first");
	f.now += AGE - 1;
	assert_string_equal(old_keys(), "");
	CHECK(count_old() == 0, "not yet");
	f.now++;
	assert_string_equal(old_keys(), "r1 e1 ");
	CHECK(count_old() == 0, "the walk was a second ago");
	f.now += 3600;
	CHECK(count_old() == 1, "an hour later");
	/* One that waits for the operator's word follows nobody. */
	CHECK(add_to(DOMAIN, "r2", false) == REASON_NONE, "by hand");
	assert_string_equal(old_keys(), "r1 e1 ");
	CHECK(add_to(DOMAIN, "r3", true) == REASON_NONE, "rotate one");
	assert_string_equal(old_keys(), "e1 ");
	CHECK(count_old() == 1, "the other is old");
	CHECK(add_to(DOMAIN, "e3", true) == REASON_NONE, "rotate the other");
	assert_string_equal(old_keys(), "");
	CHECK(count_old() == 0, "seen at once");
	f.now += WAIT;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "they sign");
	assert_string_equal(old_keys(), "");
	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, 0, false });
	f.now += 10 * AGE;
	assert_string_equal(old_keys(), "");
	CHECK(count_old() == 0, "never");
	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, AGE, false });
	CHECK(count_old() == 1, "another setting counts at once");
}

TEST(old_keys_of_many_domains_are_counted_in_steps)
{
	struct buf b = BUF_INIT(KIB(8));

	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, AGE, false });
	for (int i = 0; i < 600; i++) {
		char name[40];
		struct msg_domain_add q;

		snprintf(name, sizeof(name), "d%d.example", i);
		buf_reset(&b, 0);
		q = (struct msg_domain_add){ str_c(name), new_keys(&b, "r1") };
		ASSERT(verdict_is_done(dir_domain_add(f.d, &q)));
	}
	f.now += AGE;
	CHECK(verdict_is_done(dir_dkim_age_step(f.d)), "256");
	CHECK(verdict_is_done(dir_dkim_age_step(f.d)), "512");
	CHECK(dir_dkim_old(f.d) == 0, "half a walk says nothing");
	CHECK(verdict_is_done(dir_dkim_age_step(f.d)), "all");
	CHECK(dir_dkim_old(f.d) == 600, "each once");
	buf_done(&b);
}

TEST(an_operator_decides_otherwise)
{
	CHECK(add_to(DOMAIN, "r1", false) == REASON_NONE, "first");
	CHECK(add_to(DOMAIN, "r2", false) == REASON_NONE, "another one");
	f.now += 10 * WAIT;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "never by itself");
	LISTED("r1 active, r2 published");
	CHECK(change("r2", DKIM_ACTIVATE, false) == DONE, "activate");
	LISTED("r1 retired, r2 active");
	CHECK(change("r1", DKIM_ACTIVATE, false) == DONE, "and back");
	LISTED("r1 active, r2 retired");
	CHECK(change("r1", DKIM_REMOVE, false) == PERMFAIL, "it signs");
	CHECK(change("r2", DKIM_REMOVE, false) == DONE, "remove");
	CHECK(change("r2", DKIM_REMOVE, false) == NOT_FOUND, "again");
	CHECK(change("r1", DKIM_REMOVE, true) == DONE, "all the same");
	LISTED("");
	f.now += KEEP;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "nothing is left to do");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_domain_that_goes_takes_its_keys_along)
{
	struct msg_name name = { DOMAIN };
	struct msg_domain_add again = { .name = DOMAIN };

	CHECK(add_to(DOMAIN, "r1 e1", false) == REASON_NONE, "first");
	CHECK(add_to(DOMAIN, "r2 e2", true) == REASON_NONE, "rotate");
	CHECK(verdict_is_done(dir_domain_remove(f.d, &name)), "remove");
	CHECK(count_problems(&f) == 0, "check: neither keys nor times");
	CHECK(verdict_is_done(dir_domain_add(f.d, &again)), "again");
	LISTED("");
}

TEST(what_is_no_key_is_refused)
{
	static const struct {
		const char *selector;
		enum reason want;
	} cases[] = {
		{ "ms202611r", REASON_NONE },
		{ "a.b-c._x", REASON_NONE },
		{ "ms202611r", REASON_EXISTS },
		{ "Big", REASON_NAME },
		{ "a..b", REASON_NAME },
		{ ".a", REASON_NAME },
		{ "a.", REASON_NAME },
		{ "-a", REASON_NAME },
		{ "a-", REASON_NAME },
		{ "a-.b", REASON_NAME },
		{ "a/b", REASON_NAME },
		{ "a\"b", REASON_NAME },
		{ "a;b", REASON_NAME },
		{ "", REASON_INTERNAL },
	};
	char name[8] = "r?";

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(add_to(DOMAIN, cases[i].selector, false) == cases[i].want,
		    cases[i].selector);
	for (int i = 2; i < DKIM_KEYS_MAX; i++) {
		name[1] = (char)('a' + i);
		CHECK(add_to(DOMAIN, name, false) == REASON_NONE, name);
	}
	CHECK(add_to(DOMAIN, "rz", false) == REASON_LIMIT, "one too many");
	CHECK(add_to(STR("other.example"), "r", false) == REASON_NO_DOMAIN,
	    "domain");
}

TEST(a_full_record_can_be_kept)
{
	static char pem[DKIM_PEM_MAX], record[DKIM_KEY_RECORD_MAX];
	char selector[DKIM_SELECTOR_MAX];
	struct buf b = BUF_INIT(KIB(64));
	struct msg_dkim_new key = { .kind = CRYPT_RSA };
	struct msg_dkim_add q = { .domain = DOMAIN };

	memset(pem, 'x', sizeof(pem));
	memset(record, 'x', sizeof(record));
	memset(selector, 'x', sizeof(selector));
	key.pem = str_make(pem, sizeof(pem));
	key.record = str_make(record, sizeof(record));
	key.selector = str_make(selector, sizeof(selector));
	for (int i = 0; i < DKIM_KEYS_MAX; i++) {
		selector[0] = (char)('a' + i);
		buf_reset(&b, b.cap);
		msg_dkim_new_put(&b, &key);
		q.keys = buf_str(&b);
		CHECK(verdict_is_done(dir_dkim_add(f.d, &q)), "add");
	}
	CHECK(count_problems(&f) == 0, "check");
	buf_done(&b);
}

TEST(no_list_has_a_private_key)
{
	struct msg_dkim_list q = { .domain = DOMAIN };

	CHECK(add_to(DOMAIN, "r1 e1", false) == REASON_NONE, "add");
	for (int i = 0; i < 2; i++, q.domain = STR_NONE) {
		CHECK(verdict_is_done(dir_dkim_list(f.d, &q, fresh(&f))) &&
			  str_search(buf_str(&f.out), STR("r1")) >= 0,
		    "list");
		CHECK(str_search(buf_str(&f.out), STR("SECRET")) < 0, "key");
	}
}

TEST(the_keys_of_all_domains_come_in_pages)
{
	static const char *const names = "r1 r2 r3 r4 r5 r6 r7 r8 r9 ra rb rc";
	struct buf after = BUF_INIT(KIB(1)), b = BUF_INIT(KIB(64));
	struct msg_list_reply l = { .has_more = true };
	unsigned rows = 0, pages = 0;
	struct msg_dkim_row row;

	CHECK(verdict_is_done(dir_salt_key(f.d, fresh(&f))),
	    "another key of the directory");
	for (int i = 0; i < 700; i++) {
		char domain[32];
		struct msg_domain_add q = { .name = { domain, 0 } };

		q.name.n =
		    (size_t)snprintf(domain, sizeof(domain), "d%d.example", i);
		buf_reset(&b, b.cap);
		q.keys = new_keys(&b, names);
		CHECK(verdict_is_done(dir_domain_add(f.d, &q)), domain);
	}
	for (; l.has_more; pages++) {
		struct msg_dkim_list q = { .after = buf_str(&after) };

		CHECK(verdict_is_done(dir_dkim_list(f.d, &q, fresh(&f))) &&
			  msg_list_reply_get(buf_str(&f.out), &l),
		    "page");
		for (struct wire w = wire_read(l.items);
		     msg_dkim_row_read(&w, &row); rows++) {
			buf_reset(&after, after.cap);
			buf_put_str(&after, row.domain);
		}
	}
	CHECK(rows == 700 * 12 && pages > 1, "all of them");
	buf_done(&after);
	buf_done(&b);
}

TEST(many_rotations_are_done_in_steps)
{
	for (int i = 0; i < 100; i++) {
		char name[32];
		struct msg_domain_add q = { .name = { name, 0 } };

		q.name.n =
		    (size_t)snprintf(name, sizeof(name), "d%d.example", i);
		CHECK(verdict_is_done(dir_domain_add(f.d, &q)), name);
		CHECK(add_to(q.name, "r1", false) == REASON_NONE, "first");
		CHECK(add_to(q.name, "r2", true) == REASON_NONE, "rotate");
	}
	f.now += WAIT;
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "64");
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "the rest");
	for (int i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d%d.example", i);
		CHECK(strcmp(listed(str_c(name)), "r1 retired, r2 active") == 0,
		    name);
	}
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_damaged_record_is_noticed)
{
	struct dkim_record in = { .n = 1 }, out;
	struct buf b = BUF_INIT(KIB(8));

	in.v[0] = (struct dkim_entry){ .selector = STR("r1"),
		.kind = CRYPT_ED25519,
		.state = DKIM_STATE_RETIRED,
		.created = 1,
		.changes_at = UINT64_MAX,
		.record = STR("x"),
		.pem = STR("y") };
	dkim_record_encode(&b, &in);
	CHECK(dkim_record_decode(buf_str(&b), &out) && out.n == 1 &&
		  out.v[0].changes_at == UINT64_MAX &&
		  str_eq(out.v[0].pem, STR("y")),
	    "whole");
	for (size_t n = 0; n < b.n; n++)
		CHECK(!dkim_record_decode(str_first(buf_str(&b), n), &out),
		    "cut short");
	buf_put_char(&b, 'x');
	CHECK(!dkim_record_decode(buf_str(&b), &out), "something behind it");
	buf_reset(&b, b.cap);
	in.v[in.n++] = in.v[0];
	dkim_record_encode(&b, &in);
	CHECK(!dkim_record_decode(buf_str(&b), &out), "the same twice");
	buf_done(&b);
}

TEST_MAIN(CASE(a_domain_without_keys_is_as_good_as_any),
    CASE(a_domain_comes_with_its_keys_or_not_at_all),
    CASE(a_rotation_goes_by_itself),
    CASE(a_server_that_stood_still_keeps_the_old_key_long_enough),
    CASE(keys_that_sign_for_long_are_old),
    CASE(old_keys_of_many_domains_are_counted_in_steps),
    CASE(an_operator_decides_otherwise),
    CASE(a_domain_that_goes_takes_its_keys_along),
    CASE(what_is_no_key_is_refused), CASE(a_full_record_can_be_kept),
    CASE(no_list_has_a_private_key),
    CASE(the_keys_of_all_domains_come_in_pages),
    CASE(many_rotations_are_done_in_steps), CASE(a_damaged_record_is_noticed))
