/* SPDX-License-Identifier: ISC */
/* tlsrpt_tally_test.c - sessions are counted, kept, and added up. */
#include "../../test.h"

#include "proto/tlsrpt/tlsrpt_tally.h"

static const struct tlsrpt_session good = { .type = TLSRPT_STS,
	.domain = STR("a.example"),
	.strings = STR("version: STSv1\nmode: enforce"),
	.mx_hosts = STR("*.a.example\nb.example"),
	.is_good = true };
static const struct tlsrpt_session bad = { .type = TLSRPT_STS,
	.domain = STR("a.example"),
	.strings = STR("version: STSv1\nmode: enforce"),
	.mx_hosts = STR("*.a.example\nb.example"),
	.result = TLSRPT_CERTIFICATE_EXPIRED,
	.sending_ip = STR("192.0.2.1"),
	.mx = STR("mx.a.example"),
	.receiving_ip = STR("192.0.2.2"),
	.information = STR("since 2020") };
static const struct tlsrpt_session plain = { .type = TLSRPT_NO_POLICY,
	.domain = STR("a.example"),
	.result = TLSRPT_STARTTLS_NOT_SUPPORTED };

static struct tlsrpt_tally *
sample(void)
{
	struct tlsrpt_tally *t = tlsrpt_tally_new();

	tlsrpt_tally_add(t, &good);
	tlsrpt_tally_add(t, &bad);
	tlsrpt_tally_add(t, &plain);
	tlsrpt_tally_add(t, &good);
	tlsrpt_tally_add(t, &bad);
	tlsrpt_tally_add(t, &good);
	return t;
}

static void
check_sample(const struct tlsrpt_tally *t, uint64_t times, const char *name)
{
	const struct tlsrpt_policy *p;
	struct arena arena;

	arena_init(&arena, KIB(64));
	p = tlsrpt_tally_policies(t, &arena);
	CHECK(p != NULL && p->type == TLSRPT_STS, name);
	CHECK(p->successful == 3 * times && p->failed == 2 * times, name);
	CHECK(str_eq(p->strings->next->text, STR("mode: enforce")), name);
	CHECK(str_eq(p->mx_hosts->next->text, STR("b.example")), name);
	CHECK(p->failures != NULL && p->failures->next == NULL, name);
	CHECK(p->failures->sessions == 2 * times &&
		  p->failures->result == TLSRPT_CERTIFICATE_EXPIRED &&
		  str_eq(p->failures->receiving_ip, STR("192.0.2.2")),
	    name);
	p = p->next;
	CHECK(
	    p != NULL && p->type == TLSRPT_NO_POLICY && p->next == NULL, name);
	CHECK(p->successful == 0 && p->failed == times, name);
	arena_done(&arena);
}

TEST(sessions_are_counted_and_rows_added_up)
{
	struct tlsrpt_tally *t = sample(), *sum = tlsrpt_tally_new();
	struct buf row = BUF_INIT(TLSRPT_TALLY_BYTES);

	check_sample(t, 1, "counted");
	tlsrpt_tally_encode(t, &row);
	for (uint64_t i = 1; i <= 3; i++) {
		CHECK(tlsrpt_tally_decode(buf_str(&row), sum), "a row");
		check_sample(sum, i, "added");
	}
	for (size_t n = 0; n < row.n; n++)
		CHECK(!tlsrpt_tally_decode(str_first(buf_str(&row), n), sum),
		    "cut");
	check_sample(sum, 3, "what is no row adds nothing");
	tlsrpt_tally_free(t);
	tlsrpt_tally_free(sum);
	tlsrpt_tally_free(NULL);
	buf_done(&row);
}

TEST(whatever_comes_a_row_has_room_and_nothing_is_lost)
{
	static char text[5000];
	struct tlsrpt_tally *t = tlsrpt_tally_new(), *back;
	struct buf row = BUF_INIT(TLSRPT_TALLY_BYTES);
	const struct tlsrpt_policy *p;
	uint64_t failed = 0, fine = 0;
	struct arena arena;

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 1000; i++) {
		struct tlsrpt_session s = bad;

		text[0] = (char)('a' + i % 23);
		text[1] = (char)('a' + i / 23 % 26);
		s.is_good = i % 2;
		s.strings = s.information = str_make(text, sizeof(text));
		s.mx = str_make(text, 200);
		tlsrpt_tally_add(t, &s);
	}
	tlsrpt_tally_encode(t, &row);
	CHECK(!row.failed, "it fits");
	back = tlsrpt_tally_new();
	CHECK(tlsrpt_tally_decode(buf_str(&row), back), "and reads");
	arena_init(&arena, MIB(1));
	for (p = tlsrpt_tally_policies(back, &arena); p; p = p->next) {
		failed += p->failed;
		fine += p->successful;
	}
	CHECK(failed == 500 && fine == 500, "every session counts");
	arena_done(&arena);
	tlsrpt_tally_free(t);
	tlsrpt_tally_free(back);
	buf_done(&row);
}

TEST(keys)
{
	static const char *const wrong[] = { "", "/", "000001790000/a.example",
		"1790000000/a.example/0123456789abcdef",
		"001790000000//0123456789abcdef",
		"001790000000/a.example/0123456789ABCDEF",
		"001790000000/a.example/0123456789abcde",
		"001790000000/a.example/0123456789abcdef0",
		"00179000000x/a.example/0123456789abcdef",
		"001790000000/a b/0123456789abcdef" };
	const struct tlsrpt_key key = { 1790000000, STR("a.example"),
		0x0123456789abcdefU };
	struct buf b = BUF_INIT(200);
	struct tlsrpt_key back;

	tlsrpt_key_put(&key, &b);
	CHECK(
	    str_eq(buf_str(&b), STR("001790000000/a.example/0123456789abcdef")),
	    "as text");
	CHECK(tlsrpt_key_parse(buf_str(&b), &back) && back.begin == key.begin &&
		  back.process == key.process &&
		  str_eq(back.domain, key.domain),
	    "and back");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		CHECK(!tlsrpt_key_parse(str_c(wrong[i]), &back), wrong[i]);
	buf_done(&b);
}

TEST_MAIN(UNIT(sessions_are_counted_and_rows_added_up),
    UNIT(whatever_comes_a_row_has_room_and_nothing_is_lost), UNIT(keys))
