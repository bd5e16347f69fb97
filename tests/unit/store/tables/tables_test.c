/* SPDX-License-Identifier: ISC */
/*
 * tables_test.c - the ledger: who may do what, portions, ends, limits, and
 * random changes against a plain model, with restarts.
 */
#include "../mail/fixture.h"
#include "store/tables/table_record.h"
#include "store/tables/tables.h"

#define T0 UINT64_C(1790000000)

struct stage {
	struct fixture f;
	struct tables *t;
	uint64_t now;
	unsigned told;
	enum ledger_table told_table;
};

static struct stage st;

static uint64_t
stage_now(UNUSED void *arg)
{
	return st.now;
}

static void
stage_changed(UNUSED void *arg, enum ledger_table table, struct str rows)
{
	ASSERT(rows.n > 0);
	st.told++;
	st.told_table = table;
}

static void
open_tables(void)
{
	const struct tables_config c = { .engine = st.f.engine,
		.now = stage_now,
		.changed = stage_changed };

	ASSERT(tables_open(&c, &st.t) == 0);
}

static void
restart(void)
{
	tables_free(st.t);
	fixture_close(&st.f);
	fixture_open(&st.f);
	open_tables();
}

static int
setup(UNUSED void **state)
{
	st = (struct stage){ .now = T0 };
	fixture_start(&st.f);
	open_tables();
	return 0;
}

static void
show_problem(UNUSED void *arg, const char *text)
{
	print_message("problem: %s\n", text);
}

static uint64_t
problems(void)
{
	struct tables_check check = { .problem = show_problem };
	struct buf from = BUF_INIT(KIB(1)), next = BUF_INIT(KIB(1));

	do {
		ASSERT(verdict_is_done(
		    tables_check_step(st.t, buf_str(&from), &check, &next)));
		buf_reset(&from, KIB(1));
		buf_put_str(&from, buf_str(&next));
	} while (from.n > 0);
	buf_done(&from);
	buf_done(&next);
	return check.problems;
}

static int
teardown(UNUSED void **state)
{
	uint64_t n = problems();

	restart();
	n += problems();
	tables_free(st.t);
	fixture_stop(&st.f);
	return n > 0 ? -1 : 0;
}

/* --- asking ---------------------------------------------------------------------- */

static struct msg_ledger_row
row(const char *key, const char *value)
{
	return (
	    struct msg_ledger_row){ .key = str_c(key), .value = str_c(value) };
}

static struct verdict
put_as(enum role role, enum ledger_table table,
    const struct msg_ledger_row *rows, size_t n)
{
	struct buf b = BUF_INIT(MIB(1));
	struct msg_ledger_put m = { .table = (uint8_t)table };
	struct verdict v;

	for (size_t i = 0; i < n; i++)
		msg_ledger_row_put(&b, &rows[i]);
	m.rows = buf_str(&b);
	v = tables_put(st.t, role, &m);
	buf_done(&b);
	return v;
}

static struct verdict
put(struct msg_ledger_row r)
{
	return put_as(ROLE_SEND, LEDGER_BREAKER, &r, 1);
}

/* "key=value " of one portion; *ret_more. */
static const char *
portion(struct msg_ledger_list m, bool *ret_more)
{
	static char text[20000];
	struct buf out = BUF_INIT(MIB(1)), b = BUF_INIT(sizeof(text) - 1);
	struct msg_list_reply reply;
	struct msg_ledger_row r;

	ASSERT(verdict_is_done(tables_list(st.t, ROLE_SEND, &m, &out)));
	ASSERT(msg_list_reply_get(buf_str(&out), &reply));
	for (struct wire w = wire_read(reply.items);
	     w.in.n > 0 && msg_ledger_row_read(&w, &r);)
		buf_printf(&b, "%.*s=%.*s ", STR_ARG(r.key), STR_ARG(r.value));
	*ret_more = reply.has_more;
	snprintf(text, sizeof(text), "%s", buf_c(&b));
	buf_done(&out);
	buf_done(&b);
	return text;
}

static const char *
list(const char *prefix)
{
	bool has_more;
	const char *text =
	    portion((struct msg_ledger_list){ .table = LEDGER_BREAKER,
			.prefix = str_c(prefix) },
		&has_more);

	ASSERT(!has_more);
	return text;
}

/* --- the tests ---------------------------------------------------------------------- */

static void
rows_come_back_in_order(UNUSED void **state)
{
	const struct msg_ledger_row rows[] = { row("b", "2"), row("a", "1"),
		row("ab", "3"), row("\xff", "4") };

	assert_int_equal(
	    put_as(ROLE_SEND, LEDGER_BREAKER, rows, 4).outcome, DONE);
	assert_string_equal(list(""), "a=1 ab=3 b=2 \xff=4 ");
	assert_string_equal(list("a"), "a=1 ab=3 ");
	assert_string_equal(list("\xff"), "\xff=4 ");
	assert_string_equal(list("c"), "");
	restart();
	assert_string_equal(list("a"), "a=1 ab=3 ");
	assert_int_equal(tables_rows(st.t, LEDGER_BREAKER), 4);
	assert_int_equal(tables_rows(st.t, LEDGER_ROUTE), 0);
}

static const char *
list_back(const char *prefix, const char *after, uint32_t max)
{
	bool has_more;

	return portion((struct msg_ledger_list){ .table = LEDGER_BREAKER,
			   .prefix = str_c(prefix),
			   .after = str_c(after),
			   .max = max,
			   .is_reverse = true },
	    &has_more);
}

static void
rows_come_back_the_other_way_round(UNUSED void **state)
{
	const struct msg_ledger_row rows[] = { row("b", "2"), row("a", "1"),
		row("ab", "3"), row("\xff", "4") };
	const struct msg_ledger_row other = row("z", "route");

	assert_int_equal(
	    put_as(ROLE_SEND, LEDGER_BREAKER, rows, 4).outcome, DONE);
	assert_int_equal(
	    put_as(ROLE_CLI, LEDGER_ROUTE, &other, 1).outcome, DONE);
	assert_string_equal(list_back("", "", 0), "\xff=4 b=2 ab=3 a=1 ");
	assert_string_equal(list_back("", "b", 0), "ab=3 a=1 ");
	assert_string_equal(list_back("", "b", 1), "ab=3 ");
	assert_string_equal(list_back("", "aa", 0), "a=1 ");
	assert_string_equal(list_back("", "a", 0), "");
	assert_string_equal(list_back("a", "", 0), "ab=3 a=1 ");
	assert_string_equal(list_back("a", "b", 0), "ab=3 a=1 ");
	assert_string_equal(list_back("a", "ab", 0), "a=1 ");
	assert_string_equal(list_back("b", "a", 0), "");
}

static void
tables_do_not_mix(UNUSED void **state)
{
	const struct msg_ledger_row r = row("a", "route");

	assert_int_equal(put(row("a", "breaker")).outcome, DONE);
	assert_int_equal(put_as(ROLE_CLI, LEDGER_ROUTE, &r, 1).outcome, DONE);
	assert_string_equal(list(""), "a=breaker ");
}

static void
the_last_row_of_a_key_counts(UNUSED void **state)
{
	struct msg_ledger_row rows[] = { row("a", "1"), row("b", "1"),
		row("a", "2"), row("b", "") };

	rows[0].until = T0 + 10;
	rows[3].is_gone = 1;
	assert_int_equal(
	    put_as(ROLE_SEND, LEDGER_BREAKER, rows, 4).outcome, DONE);
	assert_string_equal(list(""), "a=2 ");
	assert_int_equal(tables_rows(st.t, LEDGER_BREAKER), 1);
	st.now += 100;
	assert_string_equal(list(""), "a=2 ");
}

static void
a_row_ends_when_its_time_is_over(UNUSED void **state)
{
	struct msg_ledger_row r = row("a", "1");

	r.until = T0 + 10;
	assert_int_equal(put(r).outcome, DONE);
	assert_int_equal(put(row("b", "1")).outcome, DONE);
	assert_string_equal(list(""), "a=1 b=1 ");
	st.now = T0 + 10;
	assert_string_equal(list(""), "b=1 ");
	assert_int_equal(tables_rows(st.t, LEDGER_BREAKER), 2);
	assert_int_equal(tables_purge_step(st.t).outcome, DONE);
	assert_int_equal(tables_rows(st.t, LEDGER_BREAKER), 1);
	assert_string_equal(list(""), "b=1 ");
}

static void
a_new_end_takes_the_place_of_the_old_one(UNUSED void **state)
{
	struct msg_ledger_row r = row("a", "1");

	r.until = T0 + 10;
	assert_int_equal(put(r).outcome, DONE);
	r.until = T0 + 100;
	assert_int_equal(put(r).outcome, DONE);
	st.now = T0 + 50;
	assert_int_equal(tables_purge_step(st.t).outcome, DONE);
	assert_string_equal(list(""), "a=1 ");
	assert_int_equal(put(row("a", "2")).outcome, DONE);
	st.now = T0 + 500;
	assert_int_equal(tables_purge_step(st.t).outcome, DONE);
	assert_string_equal(list(""), "a=2 ");
}

static void
what_is_gone_is_gone(UNUSED void **state)
{
	struct msg_ledger_row r = row("a", "");

	r.is_gone = 1;
	assert_int_equal(put(r).outcome, DONE); /* it was not there */
	assert_int_equal(put(row("a", "1")).outcome, DONE);
	assert_int_equal(put(r).outcome, DONE);
	assert_string_equal(list(""), "");
	assert_int_equal(tables_rows(st.t, LEDGER_BREAKER), 0);
}

static void
roles_reach_their_tables_only(UNUSED void **state)
{
	const struct msg_ledger_row r = row("a", "1");
	const struct msg_ledger_list m = { .table = LEDGER_ROUTE };
	struct buf out = BUF_INIT(KIB(1));

	assert_int_equal(
	    put_as(ROLE_SEND, LEDGER_ROUTE, &r, 1).reason, REASON_FORBIDDEN);
	assert_int_equal(
	    put_as(ROLE_FILTER, LEDGER_BREAKER, &r, 1).outcome, PERMFAIL);
	assert_int_equal(
	    put_as(ROLE_CLI, LEDGER_TABLES, &r, 1).reason, REASON_FORBIDDEN);
	assert_int_equal(
	    tables_list(st.t, ROLE_FILTER, &m, &out).reason, REASON_FORBIDDEN);
	assert_int_equal(st.told, 0);
	buf_done(&out);
}

static void
sizes_are_limited(UNUSED void **state)
{
	static char big[KIB(8) + 1], no_key[LEDGER_KEY_MAX + 2];
	struct msg_ledger_row r = row("a", "1");

	memset(big, 'x', sizeof(big));
	memset(no_key, 'k', sizeof(no_key) - 1);
	r.value = str_make(big, KIB(8));
	assert_int_equal(put(r).outcome, DONE);
	r.value.n++;
	assert_int_equal(put(r).reason, REASON_TOO_BIG);
	assert_int_equal(put(row(no_key, "")).reason, REASON_TOO_BIG);
	no_key[LEDGER_KEY_MAX] = '\0';
	assert_int_equal(put(row(no_key, "")).outcome, DONE);
	assert_int_equal(put(row("", "1")).reason, REASON_TOO_BIG);
	r = row("a", "1");
	r.is_gone = 1;
	assert_int_equal(put(r).reason, REASON_TOO_BIG);
}

static void
a_full_table_takes_only_what_is_there(UNUSED void **state)
{
	const uint64_t max = ledger_rule(LEDGER_BREAKER)->rows_max;
	struct msg_ledger_row rows[1000];
	char keys[1000][20];

	for (uint64_t i = 0; i < max; i += 1000) {
		for (size_t j = 0; j < 1000; j++) {
			snprintf(keys[j], sizeof(keys[j]), "%08u",
			    (unsigned)(i + j));
			rows[j] = row(keys[j], "1");
		}
		assert_int_equal(
		    put_as(ROLE_SEND, LEDGER_BREAKER, rows, 1000).outcome,
		    DONE);
	}
	assert_int_equal(put(row("new", "1")).outcome, TEMPFAIL);
	assert_int_equal(put(row("new", "1")).reason, REASON_LIMIT);
	assert_int_equal(put(row("00000000", "2")).outcome, DONE);
	rows[0] = row("00000001", "");
	rows[0].is_gone = 1;
	rows[1] = row("new", "1");
	assert_int_equal(
	    put_as(ROLE_SEND, LEDGER_BREAKER, rows, 2).outcome, DONE);
	restart();
	assert_int_equal(put(row("another", "1")).reason, REASON_LIMIT);
}

static void
lists_come_in_portions(UNUSED void **state)
{
	struct msg_ledger_list m = { .table = LEDGER_BREAKER, .max = 2 };
	bool has_more;

	for (char c = 'a'; c <= 'e'; c++)
		put(row((char[]){ 'k', c, '\0' }, "1"));
	assert_string_equal(portion(m, &has_more), "ka=1 kb=1 ");
	assert_true(has_more);
	m.after = STR("kb");
	m.max = 3;
	assert_string_equal(portion(m, &has_more), "kc=1 kd=1 ke=1 ");
	assert_false(has_more);
	m.after = STR("ke");
	assert_string_equal(portion(m, &has_more), "");
	/* Above everything with the prefix, and below it. */
	m.prefix = STR("kb");
	m.after = STR("z");
	assert_string_equal(portion(m, &has_more), "");
	m.after = STR("a");
	assert_string_equal(portion(m, &has_more), "kb=1 ");
}

static void
a_portion_has_a_limit_of_bytes(UNUSED void **state)
{
	static char big[KIB(8)];
	struct msg_ledger_list m = { .table = LEDGER_BREAKER };
	struct buf out = BUF_INIT(MIB(1));
	struct msg_list_reply reply;
	struct msg_ledger_row r = { 0 };
	char last[20] = "";
	unsigned n = 0, portions = 0;

	for (unsigned i = 0; i < 200; i++) {
		char key[20];

		snprintf(key, sizeof(key), "%04u", i);
		assert_int_equal(put((struct msg_ledger_row){ .key = str_c(key),
					 .value = str_make(big, KIB(8)) })
				     .outcome,
		    DONE);
	}
	do {
		m.after = str_c(last);
		buf_reset(&out, MIB(1));
		ASSERT(verdict_is_done(tables_list(st.t, ROLE_CLI, &m, &out)));
		ASSERT(msg_list_reply_get(buf_str(&out), &reply));
		assert_true(reply.items.n <= TABLES_REPLY_MAX);
		for (struct wire w = wire_read(reply.items);
		     w.in.n > 0 && msg_ledger_row_read(&w, &r); n++)
			snprintf(last, sizeof(last), "%.*s", STR_ARG(r.key));
		portions++;
	} while (reply.has_more);
	assert_int_equal(n, 200);
	assert_true(portions > 3);
	buf_done(&out);
}

static void
who_listens_is_told(UNUSED void **state)
{
	assert_int_equal(put(row("a", "1")).outcome, DONE);
	assert_int_equal(st.told, 1);
	assert_int_equal(st.told_table, LEDGER_BREAKER);
	assert_int_equal(put(row("", "1")).outcome, PERMFAIL);
	assert_int_equal(st.told, 1);
}

static void
nonsense_is_refused(UNUSED void **state)
{
	struct msg_ledger_put m = { .table = LEDGER_BREAKER,
		.rows = STR("\x01\x00\x00") };

	assert_int_equal(tables_put(st.t, ROLE_SEND, &m).outcome, PERMFAIL);
	m.rows = STR_NONE;
	assert_int_equal(tables_put(st.t, ROLE_SEND, &m).outcome, DONE);
}

/* --- on a condition ----------------------------------------------------------------- */

/* One row of LEDGER_BREAKER; a request whose answer is "outcome reason". */
static const char *
put_if(enum ledger_if only_if, struct msg_ledger_row r, const char *was,
    const struct msg_ledger_row *also)
{
	static char text[100];
	struct buf b = BUF_INIT(KIB(64)), second = BUF_INIT(KIB(64));
	struct msg_ledger_put m = { .table = LEDGER_BREAKER,
		.only_if = (uint8_t)only_if,
		.was = str_c(was),
		.also = LEDGER_SUPPRESS };
	struct verdict v;

	msg_ledger_row_put(&b, &r);
	if (also != NULL)
		msg_ledger_row_put(&second, also);
	m.rows = buf_str(&b);
	m.also_rows = buf_str(&second);
	v = tables_put(st.t, ROLE_SEND, &m);
	snprintf(text, sizeof(text), "%s%s%s",
	    v.outcome == DONE       ? "done"
	    : v.outcome == PERMFAIL ? "no"
				    : "later",
	    v.outcome == DONE ? "" : " ",
	    v.outcome == DONE ? "" : reason_str(v.reason));
	buf_done(&b);
	buf_done(&second);
	return text;
}

static void
what_must_be_new_takes_no_place(UNUSED void **state)
{
	struct msg_ledger_row r = row("a", "1");

	r.until = T0 + 10;
	assert_string_equal(put_if(LEDGER_IF_NEW, r, "", NULL), "done");
	assert_string_equal(put_if(LEDGER_IF_NEW, r, "", NULL), "no exists");
	assert_string_equal(
	    put_if(LEDGER_IF_NEW, row("ab", "2"), "", NULL), "done");
	assert_string_equal(list(""), "a=1 ab=2 ");
	/* Its time is over, and it is not purged yet. */
	st.now = T0 + 10;
	assert_string_equal(
	    put_if(LEDGER_IF_NEW, row("a", "3"), "", NULL), "done");
	assert_string_equal(list(""), "a=3 ab=2 ");
	assert_int_equal(tables_purge_step(st.t).outcome, DONE);
	assert_string_equal(list(""), "a=3 ab=2 ");
}

static void
new_rows_come_all_or_none(UNUSED void **state)
{
	const struct msg_ledger_row rows[] = { row("a", "2"), row("b", "2") };
	struct buf b = BUF_INIT(KIB(64));
	struct msg_ledger_put m = { .table = LEDGER_BREAKER,
		.only_if = LEDGER_IF_NEW };
	struct verdict v;

	assert_int_equal(put(row("b", "1")).outcome, DONE);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		msg_ledger_row_put(&b, &rows[i]);
	m.rows = buf_str(&b);
	v = tables_put(st.t, ROLE_SEND, &m);
	assert_int_equal(v.outcome, PERMFAIL);
	assert_int_equal(v.reason, REASON_EXISTS);
	assert_string_equal(list(""), "b=1 ");
	buf_done(&b);
}

static void
what_must_be_the_same_is_compared(UNUSED void **state)
{
	struct msg_ledger_row gone = row("a", "");

	gone.is_gone = 1;
	assert_string_equal(
	    put_if(LEDGER_IF_SAME, row("a", "2"), "", NULL), "no conflict");
	assert_int_equal(put(row("a", "1")).outcome, DONE);
	assert_string_equal(
	    put_if(LEDGER_IF_SAME, row("a", "2"), "1", NULL), "done");
	assert_string_equal(
	    put_if(LEDGER_IF_SAME, row("a", "3"), "1", NULL), "no conflict");
	assert_string_equal(
	    put_if(LEDGER_IF_SAME, gone, "1", NULL), "no conflict");
	assert_string_equal(list(""), "a=2 ");
	assert_string_equal(put_if(LEDGER_IF_SAME, gone, "2", NULL), "done");
	assert_string_equal(list(""), "");
	assert_string_equal(
	    put_if((enum ledger_if)99, row("a", "3"), "", NULL), "no internal");
}

/* The tag of a row of LEDGER_BREAKER into ret; false: there is no such row. */
static bool
get_tag(enum role role, const char *key, char ret[LEDGER_TAG_LEN])
{
	const struct msg_ledger_tag q = { LEDGER_BREAKER, str_c(key) };
	struct buf out = BUF_INIT(KIB(1));
	struct msg_ledger_tag_reply reply;
	struct verdict v = tables_tag(st.t, role, &q, &out);

	if (v.outcome == DONE) {
		ASSERT(msg_ledger_tag_reply_get(buf_str(&out), &reply));
		ASSERT(reply.tag.n == LEDGER_TAG_LEN);
		memcpy(ret, reply.tag.p, LEDGER_TAG_LEN);
	} else {
		ASSERT(v.outcome == NOT_FOUND || v.reason == REASON_FORBIDDEN);
	}
	buf_done(&out);
	return v.outcome == DONE;
}

static enum outcome
put_if_tag(struct msg_ledger_row r, const char *tag, size_t n)
{
	struct buf b = BUF_INIT(KIB(1));
	struct msg_ledger_put m = { .table = LEDGER_BREAKER,
		.only_if = LEDGER_IF_TAG,
		.was = str_make(tag, n) };
	struct verdict v;

	msg_ledger_row_put(&b, &r);
	m.rows = buf_str(&b);
	v = tables_put(st.t, ROLE_SEND, &m);
	ASSERT(v.outcome == DONE || v.reason == REASON_CONFLICT);
	buf_done(&b);
	return v.outcome;
}

static void
a_tag_stands_for_a_value(UNUSED void **state)
{
	char one[LEDGER_TAG_LEN], two[LEDGER_TAG_LEN], other[LEDGER_TAG_LEN];
	struct msg_ledger_row ending = row("b", "1");

	assert_false(get_tag(ROLE_SEND, "a", one));
	assert_int_equal(put(row("a", "1")).outcome, DONE);
	assert_true(get_tag(ROLE_SEND, "a", one));
	assert_false(get_tag(ROLE_WEB, "a", other));
	assert_int_equal(
	    put_if_tag(row("a", "2"), one, LEDGER_TAG_LEN - 1), PERMFAIL);
	assert_int_equal(put_if_tag(row("a", "2"), "", 0), PERMFAIL);
	assert_int_equal(put_if_tag(row("z", "2"), one, sizeof(one)), PERMFAIL);
	assert_int_equal(put_if_tag(row("a", "2"), one, sizeof(one)), DONE);
	assert_true(get_tag(ROLE_SEND, "a", two));
	assert_memory_not_equal(one, two, LEDGER_TAG_LEN);
	assert_int_equal(put_if_tag(row("a", "3"), one, sizeof(one)), PERMFAIL);
	assert_string_equal(list(""), "a=2 ");
	/* Nobody can try values: it is another one each time. */
	restart();
	assert_true(get_tag(ROLE_SEND, "a", other));
	assert_memory_not_equal(two, other, LEDGER_TAG_LEN);
	ending.until = T0 + 10;
	assert_int_equal(put(ending).outcome, DONE);
	st.now = T0 + 10;
	assert_false(get_tag(ROLE_SEND, "b", other));
}

static void
rows_of_two_tables_come_together(UNUSED void **state)
{
	const struct msg_ledger_row also = row("who", "what");
	const struct msg_ledger_row no_key = row("", "");

	assert_string_equal(
	    put_if(LEDGER_IF_NEW, row("a", "1"), "", &also), "done");
	assert_int_equal(st.told, 2);
	assert_int_equal(tables_rows(st.t, LEDGER_SUPPRESS), 1);
	assert_string_equal(
	    put_if(LEDGER_IF_NEW, row("a", "1"), "", &also), "no exists");
	assert_string_equal(
	    put_if(LEDGER_IF_NEW, row("b", "1"), "", &no_key), "no too-big");
	assert_int_equal(st.told, 2);
	restart();
	assert_string_equal(list(""), "a=1 ");
	assert_int_equal(tables_rows(st.t, LEDGER_SUPPRESS), 1);
}

static void
a_second_table_needs_rights_of_its_own(UNUSED void **state)
{
	struct buf b = BUF_INIT(KIB(64));
	const struct msg_ledger_row r = row("a", "1");
	struct msg_ledger_put m = { .table = LEDGER_BREAKER };
	struct verdict v;

	msg_ledger_row_put(&b, &r);
	m.rows = m.also_rows = buf_str(&b);
	m.also = LEDGER_ROUTE;
	v = tables_put(st.t, ROLE_SEND, &m);
	assert_int_equal(v.outcome, PERMFAIL);
	assert_int_equal(v.reason, REASON_FORBIDDEN);
	m.also = LEDGER_BREAKER;
	assert_int_equal(tables_put(st.t, ROLE_SEND, &m).outcome, PERMFAIL);
	assert_string_equal(list(""), "");
	buf_done(&b);
}

static void
a_log_is_added_to_only(UNUSED void **state)
{
	struct msg_ledger_row r = row("1", "a"), other = row("2", "b");
	struct verdict v;

	assert_int_equal(put_as(ROLE_WEB, LEDGER_AUDIT, &r, 1).outcome, DONE);
	r.value = STR("c");
	v = put_as(ROLE_CLI, LEDGER_AUDIT, &r, 1);
	assert_int_equal(v.outcome, PERMFAIL);
	assert_int_equal(v.reason, REASON_EXISTS);
	r.is_gone = 1;
	r.value = STR_NONE;
	v = put_as(ROLE_CLI, LEDGER_AUDIT, &r, 1);
	assert_int_equal(v.reason, REASON_FORBIDDEN);
	assert_int_equal(
	    put_as(ROLE_CLI, LEDGER_AUDIT, &other, 1).outcome, DONE);
	assert_int_equal(tables_rows(st.t, LEDGER_AUDIT), 2);
}

static void
a_front_changes_nothing_without_a_line_in_the_log(UNUSED void **state)
{
	const struct msg_ledger_row r = row("1", "a");
	struct buf b = BUF_INIT(KIB(1));
	struct msg_ledger_put m = { .table = LEDGER_POST,
		.also = LEDGER_AUDIT };

	msg_ledger_row_put(&b, &r);
	m.rows = buf_str(&b);
	assert_int_equal(
	    tables_put(st.t, ROLE_WEB, &m).reason, REASON_FORBIDDEN);
	assert_int_equal(tables_put(st.t, ROLE_CLI, &m).outcome, DONE);
	m.also_rows = buf_str(&b);
	assert_int_equal(tables_put(st.t, ROLE_WEB, &m).outcome, DONE);
	m.also = LEDGER_OUTBOX;
	assert_int_equal(
	    tables_put(st.t, ROLE_WEB, &m).reason, REASON_FORBIDDEN);
	assert_int_equal(tables_rows(st.t, LEDGER_AUDIT), 1);
	buf_done(&b);
}

/* --- against a model -------------------------------------------------------------------- */

#define MODEL_KEYS 40

struct model_row {
	bool is_there;
	uint64_t until;
	unsigned value;
};

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static const char *
model_text(const struct model_row *model)
{
	static char text[2000];
	struct buf b = BUF_INIT(sizeof(text) - 1);

	for (unsigned i = 0; i < MODEL_KEYS; i++)
		if (model[i].is_there &&
		    (model[i].until == 0 || model[i].until > st.now))
			buf_printf(&b, "k%02u=%u ", i, model[i].value);
	snprintf(text, sizeof(text), "%s", buf_c(&b));
	buf_done(&b);
	return text;
}

static void
change_some(struct model_row *model, uint64_t *seed)
{
	struct msg_ledger_row rows[8];
	char keys[8][8], values[8][16];
	size_t n = 1 + next_random(seed) % 8;

	for (size_t i = 0; i < n; i++) {
		unsigned key = (unsigned)(next_random(seed) % MODEL_KEYS);
		struct model_row *m = &model[key];

		*m = (struct model_row){ next_random(seed) % 4 != 0,
			next_random(seed) % 2 ? 0
					      : st.now + next_random(seed) % 20,
			(unsigned)next_random(seed) };
		snprintf(keys[i], sizeof(keys[i]), "k%02u", key);
		snprintf(values[i], sizeof(values[i]), "%u", m->value);
		rows[i] = row(keys[i], m->is_there ? values[i] : "");
		rows[i].until = m->until;
		rows[i].is_gone = !m->is_there;
	}
	assert_int_equal(
	    put_as(ROLE_SEND, LEDGER_BREAKER, rows, n).outcome, DONE);
}

static void
it_is_what_a_plain_model_is(UNUSED void **state)
{
	struct model_row model[MODEL_KEYS] = { 0 };
	uint64_t seed = 7;

	for (unsigned i = 0; i < 3000; i++) {
		change_some(model, &seed);
		st.now += next_random(&seed) % 3;
		if (next_random(&seed) % 5 == 0)
			assert_int_equal(tables_purge_step(st.t).outcome, DONE);
		if (next_random(&seed) % 200 == 0)
			restart();
		assert_string_equal(list(""), model_text(model));
	}
	assert_int_equal(problems(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(rows_come_back_in_order),
		CASE(rows_come_back_the_other_way_round),
		CASE(tables_do_not_mix),
		CASE(the_last_row_of_a_key_counts),
		CASE(a_row_ends_when_its_time_is_over),
		CASE(a_new_end_takes_the_place_of_the_old_one),
		CASE(what_is_gone_is_gone),
		CASE(roles_reach_their_tables_only),
		CASE(sizes_are_limited),
		CASE(a_full_table_takes_only_what_is_there),
		CASE(lists_come_in_portions),
		CASE(a_portion_has_a_limit_of_bytes),
		CASE(who_listens_is_told),
		CASE(nonsense_is_refused),
		CASE(what_must_be_new_takes_no_place),
		CASE(new_rows_come_all_or_none),
		CASE(what_must_be_the_same_is_compared),
		CASE(a_tag_stands_for_a_value),
		CASE(rows_of_two_tables_come_together),
		CASE(a_second_table_needs_rights_of_its_own),
		CASE(a_log_is_added_to_only),
		CASE(a_front_changes_nothing_without_a_line_in_the_log),
		CASE(it_is_what_a_plain_model_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
