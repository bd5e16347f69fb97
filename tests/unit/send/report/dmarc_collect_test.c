/* SPDX-License-Identifier: ISC */
/* dmarc_collect_test.c - the rows of a report, and when it is due. */
#include "../../test.h"
#include "send/report/dmarc_collect.h"
#include "send/report/dmarc_reports.h"

static void
add(struct dmarc_collection *c, const char *key, const char *ip, uint64_t count)
{
	struct dmarc_published p = { .domain = STR("example.org"),
		.p = DMARC_POLICY_REJECT,
		.percent = 100,
		.failure = DMARC_FAILURE_ALL | DMARC_FAILURE_DKIM };
	struct dmarc_report_row row = { .source_ip = str_c(ip),
		.header_from = STR("example.org") };
	struct buf b = BUF_INIT(DMARC_ROW_MAX);

	dmarc_row_put(&p, &row, &b);
	dmarc_row_put_count(count, &b);
	CHECK(dmarc_collection_add(c, str_c(key), buf_str(&b)), "added");
	buf_done(&b);
}

static struct dmarc_report *
read_back(struct str xml, struct arena *a)
{
	struct dmarc_report *r = NULL;
	const char *error = dmarc_report_read(xml, a, &r);

	CHECK(error == NULL, error ? error : "");
	return r;
}

TEST(rows_of_several_processes_are_added_up)
{
	struct dmarc_report meta = { .org_name = STR("mx.example"),
		.email = STR("a@mx.example"),
		.report_id = STR("1"),
		.begin = 100,
		.end = 199 };
	struct dmarc_collection *c = dmarc_collection_new();
	struct buf xml = BUF_INIT(DMARC_COLLECT_XML_MAX);
	struct dmarc_report *r;
	struct arena a;

	add(c, "one", "192.0.2.9", 3);
	add(c, "two", "192.0.2.1", 1);
	add(c, "three", "192.0.2.9", 4);
	CHECK(dmarc_collection_add(c, STR("four"), STR("damaged")), "kept");
	dmarc_collection_finish(c);
	CHECK(dmarc_collection_messages(c) == 8, "messages");
	CHECK(dmarc_collection_rows(c) == 2, "rows");
	CHECK(dmarc_collection_keys(c) == 4 &&
		  str_eq(dmarc_collection_key(c, 3), STR("four")),
	    "all keys, to be removed");
	CHECK(dmarc_collection_write(c, &meta, &xml) == 2, "written");
	arena_init(&a, MIB(1));
	r = read_back(buf_str(&xml), &a);
	CHECK(r->n_rows == 2 && r->rows->count == 1 &&
		  str_eq(r->rows->source_ip, STR("192.0.2.1")) &&
		  r->rows->next->count == 7,
	    "as it is read");
	CHECK(str_eq(r->fo, STR("0:d")) && r->p == DMARC_POLICY_REJECT &&
		  r->begin == 100 && r->end == 199,
	    "policy and time");
	arena_done(&a);
	buf_done(&xml);
	dmarc_collection_free(c);
}

TEST(a_collection_is_bounded)
{
	struct dmarc_collection *c = dmarc_collection_new();
	char key[16];

	for (unsigned i = 0; i < DMARC_COLLECT_ROWS_MAX; i++) {
		snprintf(key, sizeof(key), "%u", i);
		add(c, key, key, 1);
	}
	CHECK(!dmarc_collection_add(c, STR("x"), STR("")), "full");
	dmarc_collection_finish(c);
	CHECK(dmarc_collection_rows(c) == DMARC_COLLECT_ROWS_MAX, "all");
	dmarc_collection_free(c);
	c = dmarc_collection_new();
	dmarc_collection_finish(c);
	CHECK(dmarc_collection_policy(c) == NULL, "nothing");
	dmarc_collection_free(c);
}

TEST(reports_are_due_behind_their_period_and_not_all_at_once)
{
	struct str host = STR("mx.example");
	uint64_t day = 20000 * UINT64_C(86400);
	uint64_t due = dmarc_reports_due(day, 86400, host);

	CHECK(due >= day + 86400 + 120 && due < day + 86400 + 120 + 3600,
	    "within an hour behind midnight");
	CHECK(due == dmarc_reports_due(day, 86400, host), "the same each time");
	CHECK(due != dmarc_reports_due(day, 86400, STR("mx2.example")),
	    "not when another's is");
	CHECK(dmarc_reports_due(100, 10, host) == 120, "short periods");
}

TEST_MAIN(UNIT(rows_of_several_processes_are_added_up),
    UNIT(a_collection_is_bounded),
    UNIT(reports_are_due_behind_their_period_and_not_all_at_once))
