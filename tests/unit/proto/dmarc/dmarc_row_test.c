/* SPDX-License-Identifier: ISC */
/* dmarc_row_test.c - rows of DMARC's table. */
#include "../../test.h"
#include "proto/dmarc/dmarc_row.h"

static const struct dmarc_published published = {
	.domain = { "example.org", 11 },
	.adkim = DMARC_STRICT,
	.p = DMARC_POLICY_REJECT,
	.sp = DMARC_POLICY_QUARANTINE,
	.percent = 50,
	.failure = DMARC_FAILURE_ANY | DMARC_FAILURE_SPF,
};

static struct dmarc_report_reason reason = { .type = DMARC_REASON_LOCAL_POLICY,
	.comment = { "why", 3 } };
static struct dmarc_report_dkim dkim[] = {
	{ .domain = { "a.example", 9 },
	    .selector = { "s", 1 },
	    .result = DMARC_DKIM_PASS,
	    .next = &dkim[1] },
	{ .domain = { "b.example", 9 }, .result = DMARC_DKIM_PERMERROR },
};
static struct dmarc_report_spf spf = { .domain = { "c.example", 9 },
	.scope = DMARC_SCOPE_HELO,
	.result = DMARC_SPF_SOFTFAIL };

static const struct dmarc_report_row row = {
	.source_ip = { "192.0.2.1", 9 },
	.disposition = DMARC_POLICY_QUARANTINE,
	.is_spf_pass = true,
	.reasons = &reason,
	.envelope_from = { "d.example", 9 },
	.header_from = { "e.example", 9 },
	.dkim = dkim,
	.spf = &spf,
};

static struct buf
encoded(uint64_t count)
{
	struct buf b = BUF_INIT(DMARC_ROW_MAX);

	dmarc_row_put(&published, &row, &b);
	dmarc_row_put_count(count, &b);
	return b;
}

TEST(a_row_is_read_as_it_was_written)
{
	struct buf b = encoded(UINT64_C(1) << 40), again = BUF_INIT(KIB(4));
	struct dmarc_published p;
	struct dmarc_report_row r;
	struct arena a;

	arena_init(&a, KIB(64));
	CHECK(dmarc_row_get(buf_str(&b), &a, &p, &r), "read");
	CHECK(str_eq(p.domain, published.domain) && p.adkim == DMARC_STRICT &&
		  p.aspf == DMARC_RELAXED && p.p == DMARC_POLICY_REJECT &&
		  p.sp == DMARC_POLICY_QUARANTINE && p.percent == 50 &&
		  p.failure == published.failure,
	    "policy");
	CHECK(str_eq(r.source_ip, row.source_ip), "address");
	CHECK(r.is_spf_pass && !r.is_dkim_pass, "results");
	CHECK(r.reasons->type == DMARC_REASON_LOCAL_POLICY &&
		  str_eq(r.reasons->comment, STR("why")) &&
		  r.reasons->next == NULL,
	    "reasons");
	CHECK(str_eq(r.dkim->next->domain, STR("b.example")) &&
		  r.dkim->next->selector.n == 0 && r.dkim->next->next == NULL,
	    "signatures");
	CHECK(r.spf->scope == DMARC_SCOPE_HELO &&
		  r.spf->result == DMARC_SPF_SOFTFAIL && r.spf->next == NULL,
	    "spf");
	CHECK(r.count == UINT64_C(1) << 40, "count");
	dmarc_row_put(&p, &r, &again);
	CHECK(str_eq(buf_str(&again), dmarc_row_identity(buf_str(&b))),
	    "written again it is the same");
	buf_done(&b);
	buf_done(&again);
	arena_done(&a);
}

TEST(a_row_that_is_cut_or_longer_is_refused)
{
	struct buf b = encoded(1);
	struct dmarc_published p;
	struct dmarc_report_row r;
	struct arena a;

	arena_init(&a, MIB(1));
	for (size_t n = 0; n < b.n; n++)
		CHECK(!dmarc_row_get(str_first(buf_str(&b), n), &a, &p, &r),
		    "cut");
	buf_put_char(&b, 0);
	CHECK(!dmarc_row_get(buf_str(&b), &a, &p, &r), "longer");
	b.p[0] = 9;
	CHECK(!dmarc_row_get(buf_str(&b), &a, &p, &r), "version");
	buf_done(&b);
	arena_done(&a);
}

TEST(the_longest_row_fits)
{
	char text[DMARC_ROW_TEXT_MAX + 100];
	struct dmarc_report_dkim many[DMARC_ROW_DKIM_MAX + 1] = { 0 };
	struct dmarc_published p = published;
	struct dmarc_report_row r = row, got;
	struct buf b = BUF_INIT(DMARC_ROW_MAX);
	struct arena a;

	memset(text, 'x', sizeof(text));
	p.domain = r.source_ip = r.envelope_from = r.header_from =
	    str_make(text, sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i].domain = many[i].selector =
		    str_make(text, sizeof(text));
		many[i].next = i + 1 < ARRAY_LEN(many) ? &many[i + 1] : NULL;
	}
	r.dkim = many;
	dmarc_row_put(&p, &r, &b);
	dmarc_row_put_count(1, &b);
	CHECK(!b.failed, "fits");
	arena_init(&a, KIB(64));
	CHECK(dmarc_row_get(buf_str(&b), &a, &p, &got), "read");
	CHECK(got.header_from.n == DMARC_ROW_TEXT_MAX, "cut");
	arena_done(&a);
	buf_done(&b);
}

TEST(keys_sort_by_period_and_hold_the_domain)
{
	struct dmarc_row_key k = { DMARC_ROW_COUNT, 300, STR("example.org"),
		STR("part") };
	struct buf early = BUF_INIT(DMARC_ROW_KEY_MAX),
		   late = BUF_INIT(DMARC_ROW_KEY_MAX),
		   group = BUF_INIT(DMARC_ROW_KEY_MAX);
	struct dmarc_row_key got;

	dmarc_row_key_put(&k, &early);
	dmarc_row_key_group(&k, &group);
	CHECK(str_starts(buf_str(&early), buf_str(&group)), "its group");
	k.begin = 70000;
	dmarc_row_key_put(&k, &late);
	CHECK(str_cmp(buf_str(&early), buf_str(&late)) < 0, "order");
	CHECK(dmarc_row_key_get(buf_str(&late), &got), "read");
	CHECK(got.kind == DMARC_ROW_COUNT && got.begin == 70000 &&
		  str_eq(got.part, STR("part")),
	    "parts");
	CHECK(str_eq(got.domain, str_sub(buf_str(&early), 9, 16)), "domain");
	CHECK(!dmarc_row_key_get(str_first(buf_str(&late), 24), &got), "cut");
	CHECK(!dmarc_row_key_get(STR("x012345678901234567890123456"), &got),
	    "kind");
	buf_done(&early);
	buf_done(&late);
	buf_done(&group);
}

TEST(a_note_on_a_report_is_read_as_it_was_written)
{
	struct dmarc_sent s = { STR("a.example"), STR("b@c.example"), STR("id"),
		1, 2, 3, 4, 5, DMARC_TOO_BIG },
			  got;
	struct buf b = BUF_INIT(KIB(1));

	dmarc_sent_put(&s, &b);
	CHECK(dmarc_sent_get(buf_str(&b), &got), "read");
	CHECK(str_eq(got.domain, s.domain) &&
		  str_eq(got.receiver, s.receiver) &&
		  str_eq(got.trace_id, s.trace_id) && got.end == 1 &&
		  got.time == 2 && got.messages == 3 && got.rows == 4 &&
		  got.size == 5 && got.state == DMARC_TOO_BIG,
	    "the same");
	for (size_t n = 0; n < b.n; n++)
		CHECK(!dmarc_sent_get(str_first(buf_str(&b), n), &got), "cut");
	buf_done(&b);
}

TEST_MAIN(UNIT(a_row_is_read_as_it_was_written),
    UNIT(a_row_that_is_cut_or_longer_is_refused), UNIT(the_longest_row_fits),
    UNIT(keys_sort_by_period_and_hold_the_domain),
    UNIT(a_note_on_a_report_is_read_as_it_was_written))
