/* SPDX-License-Identifier: ISC */
/* dkim_seen_test.c - no DKIM key signs before DNS was seen to have its record. */
#define CHECKS true
#include "dkim_fixture.h"

#include "store/dir/dir_internal.h"
#include "store/dir/dkim_seen.h"

#define HOUR 3600
#define DAY  86400

/* --- DNS ----------------------------------------------------------------------------- */

/* What it has of those selectors; of others it has nothing. */
static const char *dns_same, *dns_other, *dns_silent;

static bool
is_among(const char *list, struct str selector)
{
	struct str rest = str_c(list), one;

	while (rest.n) {
		rest = str_split(rest, ' ', &one);
		if (str_eq(one, selector))
			return true;
	}
	return false;
}

static uint8_t
found_of(struct str selector)
{
	return is_among(dns_same, selector)     ? DKIM_FOUND_SAME
	       : is_among(dns_other, selector)  ? DKIM_FOUND_OTHER
	       : is_among(dns_silent, selector) ? DKIM_FOUND_UNKNOWN
	                                        : DKIM_FOUND_NONE;
}

static void
dns_has(const char *same)
{
	dns_same = same;
	dns_other = dns_silent = "";
}

/* The selectors that are looked for now, and what DNS has of them is told. */
static const char *
look(void)
{
	static char text[1024];
	struct buf to = BUF_INIT(DIR_LOOK_BYTES);
	struct msg_dkim_sought q;
	size_t n = 0;

	text[0] = '\0';
	CHECK(verdict_is_done(dir_dkim_step(f.d)), "step");
	CHECK(verdict_is_done(dir_dkim_look_step(f.d, &to)), "look");
	for (struct wire w = wire_read(buf_str(&to));
	     msg_dkim_sought_read(&w, &q);) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s",
		    n ? " " : "", STR_ARG(q.selector));
		CHECK(verdict_is_done(
			  dir_dkim_saw(f.d, &q, found_of(q.selector))),
		    "saw");
	}
	buf_done(&to);
	return text;
}

#define LOOKED_FOR(want) assert_string_equal(look(), want)

/* Time goes by, and somebody looks each time when it is wanted. */
static void
pass(uint64_t seconds)
{
	uint64_t end = f.now + seconds;

	while (f.now < end) {
		f.now += MIN(end - f.now, (uint64_t)600);
		(void)look();
	}
}

static char turned[1024];

static void
on_turn(UNUSED void *arg, UNUSED struct str domain, struct str selector,
    enum dkim_turn turn, uint8_t found)
{
	static const char *const names[] = { [DKIM_TURN_SEEN] = "seen",
		[DKIM_TURN_LOST] = "lost",
		[DKIM_TURN_SIGNS] = "signs" };
	size_t n = strlen(turned);

	ASSERT(found <= DKIM_FOUND_OTHER);
	snprintf(turned + n, sizeof(turned) - n, "%s%.*s %s", n ? ", " : "",
	    STR_ARG(selector), names[turn]);
}

/* What has been told since the last time. */
#define TOLD(want) \
	do { \
		assert_string_equal(turned, want); \
		turned[0] = '\0'; \
	} while (0)

static unsigned key_changes;

static void
on_change(UNUSED void *arg, UNUSED struct str domain)
{
	key_changes++;
}

static int
setup_dns(void **state)
{
	int r = setup(state);

	dns_has("");
	turned[0] = '\0';
	key_changes = 0;
	f.d->config.key_turned = on_turn;
	f.d->config.keys_changed = on_change;
	return r;
}

static uint64_t
unpublished(void)
{
	for (int i = 0; i < 10; i++)
		CHECK(verdict_is_done(dir_dkim_age_step(f.d)), "walk");
	return dir_dkim_unpublished(f.d);
}

/* --- a first key ------------------------------------------------------------------------ */

TEST(a_first_key_signs_when_it_was_seen)
{
	CHECK(add_to(DOMAIN, "r1 e1", false) == REASON_NONE, "first");
	LISTED("r1 pending, e1 pending");
	SIGNING("");
	LOOKED_FOR("r1 e1");
	SIGNING("");
	CHECK(unpublished() == 1, "told");
	TOLD("");
	dns_has("r1");
	f.now += 60;
	LOOKED_FOR("r1 e1");
	LISTED("r1 active, e1 pending");
	SIGNING("SECRET-r1");
	TOLD("r1 seen, r1 signs");
	CHECK(unpublished() == 1, "the other one is still missing");
	dns_has("r1 e1");
	pass(HOUR);
	SIGNING("SECRET-r1 SECRET-e1");
	TOLD("e1 seen, e1 signs");
	CHECK(unpublished() == 0, "all is well");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_second_key_by_hand_waits_for_the_operator_seen_or_not)
{
	dns_has("r1 r2");
	CHECK(add_to(DOMAIN, "r1", false) == REASON_NONE, "first");
	CHECK(add_to(DOMAIN, "r2", false) == REASON_NONE, "a second");
	pass(10 * WAIT);
	LISTED("r1 active, r2 published");
	dns_has("r1");
	pass(2 * DAY);
	LISTED("r1 active, r2 published");
	CHECK(unpublished() == 0, "it neither signs nor is to");
	CHECK(change("r2", DKIM_ACTIVATE, false) == DONE, "the word");
	LISTED("r1 retired, r2 active");
	CHECK(unpublished() == 1, "now it signs");
	CHECK(count_problems(&f) == 0, "check");
}

/* --- a rotation ---------------------------------------------------------------------------- */

static void
start_rotation(void)
{
	dns_has("r1");
	CHECK(add_to(DOMAIN, "r1", false) == REASON_NONE, "first");
	LOOKED_FOR("r1");
	SIGNING("SECRET-r1");
	CHECK(add_to(DOMAIN, "r2", true) == REASON_NONE, "rotate");
	turned[0] = '\0';
}

TEST(a_rotated_key_signs_when_it_was_seen_for_long_enough)
{
	start_rotation();
	pass(10 * WAIT);
	LISTED("r1 active, r2 pending");
	SIGNING("SECRET-r1");
	CHECK(unpublished() == 1, "nobody publishes it");
	TOLD("");
	key_changes = 0;
	dns_has("r1 r2");
	pass(HOUR);
	LISTED("r1 active, r2 published");
	CHECK(unpublished() == 0, "published");
	TOLD("r2 seen");
	CHECK(key_changes == 0, "who signs has nothing new to hear");
	pass(WAIT - HOUR - 1);
	SIGNING("SECRET-r1");
	reopen();
	pass(2 * HOUR);
	LISTED("r1 retired, r2 active");
	SIGNING("SECRET-r2");
	/* r1 is not missed in DNS any more. */
	dns_has("r2");
	f.now += DAY;
	LOOKED_FOR("r2");
	CHECK(unpublished() == 0, "the old one may go from DNS");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_record_that_goes_again_is_waited_for_anew)
{
	start_rotation();
	dns_has("r1 r2");
	pass(WAIT / 2);
	LISTED("r1 active, r2 published");
	TOLD("r2 seen");
	dns_has("r1");
	dns_other = "r2";
	pass(HOUR);
	LISTED("r1 active, r2 pending");
	TOLD("r2 lost");
	CHECK(unpublished() == 1, "gone");
	pass(WAIT);
	dns_has("r1 r2");
	pass(WAIT - 1);
	SIGNING("SECRET-r1");
	pass(HOUR);
	SIGNING("SECRET-r2");
	TOLD("r2 seen, r2 signs");
}

TEST(it_is_looked_at_again_in_the_end)
{
	uint64_t wait = WAIT + 100, last;

	start_rotation();
	/* Else the end would be at a full hour, when it is looked at anyway. */
	dir_set_dkim(f.d, (struct dir_dkim_times){ wait, KEEP, 0, true });
	dns_has("r1 r2");
	f.now += 5;
	LOOKED_FOR("r2");
	last = f.now;
	pass(wait - 10);
	LISTED("r1 active, r2 published");
	f.now = last + wait;
	(void)look();
	LISTED("r1 retired, r2 active");
}

TEST(what_is_gone_in_the_end_does_not_sign)
{
	start_rotation();
	dns_has("r1 r2");
	f.now += 5;
	LOOKED_FOR("r2");
	pass(WAIT - 10);
	dns_has("r1");
	pass(HOUR);
	LISTED("r1 active, r2 pending");
}

/* When DNS said something of a key. */
static uint64_t
looked_at(const char *selector)
{
	struct msg_dkim_list q = { .domain = DOMAIN };
	struct msg_list_reply l;
	struct msg_dkim_row row;

	ASSERT(verdict_is_done(dir_dkim_list(f.d, &q, fresh(&f))));
	ASSERT(msg_list_reply_get(buf_str(&f.out), &l));
	for (struct wire w = wire_read(l.items); msg_dkim_row_read(&w, &row);)
		if (str_eq(row.selector, str_c(selector)))
			return row.looked;
	return 0;
}

TEST(a_silent_name_server_says_nothing)
{
	uint64_t looked;

	start_rotation();
	dns_silent = "r2";
	pass(2 * WAIT);
	LISTED("r1 active, r2 pending");
	TOLD("");
	CHECK(unpublished() == 1, "it should be known by now");
	dns_has("r1 r2");
	pass(HOUR);
	LISTED("r1 active, r2 published");
	/* Nor does it take away what was seen: the time goes on. */
	dns_has("");
	dns_silent = "r1 r2";
	looked = looked_at("r2");
	pass(WAIT / 2);
	LISTED("r1 active, r2 published");
	CHECK(looked_at("r2") == looked, "it was not told anything then");
	pass(WAIT);
	LISTED("r1 active, r2 published");
	SIGNING("SECRET-r1");
	CHECK(unpublished() == 0, "nothing is known to be wrong");
	dns_has("r1 r2");
	pass(HOUR);
	SIGNING("SECRET-r2");
	TOLD("r2 seen, r2 signs");
}

TEST(without_anybody_to_look_it_waits_and_asks_again)
{
	struct buf to = BUF_INIT(DIR_LOOK_BYTES);
	size_t asked = 0;

	start_rotation();
	for (int i = 0; i < 1000; i++) {
		buf_reset(&to, to.cap);
		CHECK(verdict_is_done(dir_dkim_step(f.d)) &&
			  verdict_is_done(dir_dkim_look_step(f.d, &to)),
		    "step");
		asked += to.n > 0;
		f.now++;
	}
	CHECK(asked > 5 && asked < 100, "again and again, not each second");
	LISTED("r1 active, r2 pending");
	CHECK(count_problems(&f) == 0, "check");
	buf_done(&to);
}

/* --- a key that signs -------------------------------------------------------------------- */

TEST(a_key_that_vanishes_signs_on_and_is_told)
{
	start_rotation();
	CHECK(change("r2", DKIM_REMOVE, false) == DONE, "no rotation");
	dns_has("");
	pass(HOUR);
	CHECK(unpublished() == 0, "it is looked at once a day");
	pass(DAY);
	SIGNING("SECRET-r1");
	CHECK(unpublished() == 1, "gone");
	TOLD("r1 lost");
	pass(3 * DAY);
	SIGNING("SECRET-r1");
	TOLD("");
	/* What was mended is seen soon. */
	dns_has("r1");
	pass(HOUR);
	CHECK(unpublished() == 0, "there");
	TOLD("r1 seen");
	dns_has("");
	dns_other = "r1";
	pass(DAY + HOUR);
	CHECK(unpublished() == 1, "somebody edited the zone");
	SIGNING("SECRET-r1");
	TOLD("r1 lost");
}

TEST(what_is_seen_belongs_to_the_key_that_was_looked_for)
{
	struct msg_dkim_sought q = { DOMAIN, STR("r1"), STR("v=DKIM1; p=old") };

	CHECK(add_to(DOMAIN, "r1", false) == REASON_NONE, "first");
	CHECK(verdict_is_done(dir_dkim_saw(f.d, &q, DKIM_FOUND_SAME)),
	    "another key had this name");
	LISTED("r1 pending");
	q.selector = STR("r9");
	CHECK(verdict_is_done(dir_dkim_saw(f.d, &q, DKIM_FOUND_SAME)), "gone");
	q.domain = STR("other.example");
	CHECK(verdict_is_done(dir_dkim_saw(f.d, &q, DKIM_FOUND_SAME)),
	    "gone with its domain");
	LISTED("r1 pending");
}

/* --- settings, versions, many of them ------------------------------------------------------ */

TEST(the_setting_counts_at_once)
{
	start_rotation();
	CHECK(add_to(DOMAIN, "e1", false) == REASON_NONE, "first");
	pass(WAIT / 2);
	LISTED("r1 active, r2 pending, e1 pending");
	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, 0, false });
	CHECK(unpublished() == 0, "nobody looks");
	LISTED("r1 active, r2 published, e1 active");
	LOOKED_FOR("");
	TOLD("e1 signs");
	f.now += WAIT / 2;
	LOOKED_FOR("");
	LISTED("r1 retired, r2 active, e1 active");
	CHECK(count_problems(&f) == 0, "check");
	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, 0, true });
	CHECK(unpublished() == 0, "nothing is known yet");
	LOOKED_FOR("r2 e1");
	LISTED("r1 retired, r2 active, e1 active");
	CHECK(unpublished() == 1, "they sign, and are not there");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(what_signs_and_was_never_answered_for_is_looked_for_soon)
{
	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, 0, false });
	CHECK(add_to(DOMAIN, "r1", false) == REASON_NONE, "add");
	LISTED("r1 active");
	set_times();
	(void)unpublished();
	dns_has("");
	dns_silent = "r1";
	LOOKED_FOR("r1");
	LOOKED_FOR("");
	f.now += 60;
	LOOKED_FOR("r1");
	dns_has("r1");
	f.now += 60;
	LOOKED_FOR("r1");
	f.now += HOUR;
	LOOKED_FOR("");
}

/* As an older version has left it: a rotation is under way. */
TEST(what_an_older_version_began_is_looked_for)
{
	start_rotation();
	CHECK(change("r2", DKIM_REMOVE, false) == DONE, "not so");
	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, 0, false });
	(void)unpublished();
	CHECK(add_to(DOMAIN, "r2", true) == REASON_NONE, "but so");
	LISTED("r1 active, r2 published");
	set_times();
	/* Before the walk came by. */
	f.now += WAIT;
	LOOKED_FOR("r2");
	LISTED("r1 active, r2 pending");
	(void)unpublished();
	LOOKED_FOR("r1");
	dns_has("r1 r2");
	pass(HOUR);
	LISTED("r1 active, r2 published");
	pass(WAIT);
	LISTED("r1 retired, r2 active");
	CHECK(count_problems(&f) == 0, "check");
}

/* A record of version 1: its entries end with the private key. */
TEST(records_of_before_can_be_read)
{
	const struct dkim_entry e = { .selector = STR("r1"),
		.kind = CRYPT_RSA,
		.state = DKIM_STATE_ACTIVE,
		.created = 5,
		.activated = 6,
		.record = STR("x"),
		.pem = STR("y") };
	struct buf b = BUF_INIT(KIB(4));
	struct dkim_record r;

	wire_put_u8(&b, 1);
	wire_put_varint(&b, 1);
	wire_put_vstr(&b, e.selector);
	wire_put_u8(&b, e.kind);
	wire_put_u8(&b, e.state);
	wire_put_varint(&b, e.created);
	wire_put_varint(&b, e.changes_at);
	wire_put_varint(&b, e.activated);
	wire_put_varint(&b, e.retired);
	wire_put_vstr(&b, e.record);
	wire_put_vstr(&b, e.pem);
	CHECK(dkim_record_decode(buf_str(&b), &r) && r.n == 1 &&
		  r.v[0].activated == 6 && r.v[0].look_at == 0 &&
		  r.v[0].seen == 0 && str_eq(r.v[0].pem, e.pem),
	    "read");
	CHECK(dkim_record_settle(
		  &r, 100, &(struct dir_dkim_times){ WAIT, KEEP, 0, true }) &&
		  r.v[0].look_at == 100,
	    "and looked for");
	b.p[0] = 3;
	CHECK(!dkim_record_decode(buf_str(&b), &r), "a later version");
	buf_done(&b);
}

TEST(many_domains_are_looked_for_in_portions)
{
	struct buf to = BUF_INIT(DIR_LOOK_BYTES);
	struct msg_dkim_sought q;
	size_t n = 0, portions = 0;

	for (int i = 0; i < 300; i++) {
		struct buf b = BUF_INIT(KIB(8));
		char name[40];
		struct msg_domain_add add;

		snprintf(name, sizeof(name), "d%d.example", i);
		add = (struct msg_domain_add){ str_c(name),
			new_keys(&b, "r1 e1") };
		ASSERT(verdict_is_done(dir_domain_add(f.d, &add)));
		buf_done(&b);
	}
	do {
		buf_reset(&to, to.cap);
		CHECK(verdict_is_done(dir_dkim_look_step(f.d, &to)), "step");
		for (struct wire w = wire_read(buf_str(&to));
		     msg_dkim_sought_read(&w, &q);)
			n++;
		portions++;
	} while (to.n > 0);
	CHECK(n == 600, "each once");
	CHECK(portions > 5, "and some at a time");
	CHECK(count_problems(&f) == 0, "check");
	buf_done(&to);
}

#define CASE_DNS(name) \
	cmocka_unit_test_setup_teardown(name, setup_dns, teardown)

TEST_MAIN(CASE_DNS(a_first_key_signs_when_it_was_seen),
    CASE_DNS(a_second_key_by_hand_waits_for_the_operator_seen_or_not),
    CASE_DNS(a_rotated_key_signs_when_it_was_seen_for_long_enough),
    CASE_DNS(a_record_that_goes_again_is_waited_for_anew),
    CASE_DNS(it_is_looked_at_again_in_the_end),
    CASE_DNS(what_is_gone_in_the_end_does_not_sign),
    CASE_DNS(a_silent_name_server_says_nothing),
    CASE_DNS(without_anybody_to_look_it_waits_and_asks_again),
    CASE_DNS(a_key_that_vanishes_signs_on_and_is_told),
    CASE_DNS(what_is_seen_belongs_to_the_key_that_was_looked_for),
    CASE_DNS(the_setting_counts_at_once),
    CASE_DNS(what_signs_and_was_never_answered_for_is_looked_for_soon),
    CASE_DNS(what_an_older_version_began_is_looked_for),
    CASE_DNS(records_of_before_can_be_read),
    CASE_DNS(many_domains_are_looked_for_in_portions))
