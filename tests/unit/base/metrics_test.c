/* SPDX-License-Identifier: ISC */
/* metrics_test.c - counters, pages that outlive a process, Prometheus text. */
#include "../test.h"
#include "base/metrics.h"

/* The first test: afterwards this process counts on its page. */
TEST(a_page_goes_on_where_the_process_before_stopped)
{
	static struct metrics_page page;

	page.values[M_CONNECTIONS] = 40;
	page.values[M_SESSIONS] = 9; /* of the process that died */
	page.events[EV_SMTP_ACCEPT] = 5;
	metric_add(M_CONNECTIONS, 2);
	metric_set(M_SESSIONS, 1);
	metric_event(EV_SMTP_ACCEPT);
	metrics_attach(&page);
	CHECK(page.values[M_CONNECTIONS] == 42, "counters add up");
	CHECK(page.values[M_SESSIONS] == 1, "gauges start anew");
	CHECK(page.events[EV_SMTP_ACCEPT] == 6, "events add up");
	metric_add(M_CONNECTIONS, 1);
	metric_add(M_SESSIONS, (uint64_t)-1);
	CHECK(page.values[M_CONNECTIONS] == 43, "on the page");
	CHECK(page.values[M_SESSIONS] == 0, "gauges go down");
}

static size_t
count(struct str text, const char *what)
{
	size_t n = 0;
	ptrdiff_t at;

	while ((at = str_search(text, str_c(what))) >= 0) {
		text = str_from(text, (size_t)at + 1);
		n++;
	}
	return n;
}

TEST(the_text_is_in_prometheus_format)
{
	struct metrics_page one = { 0 }, two = { 0 };
	struct metrics_source sources[] = {
		{ &one, "smtp", 3 },
		{ &two, "imap", 4 },
	};
	struct buf b = BUF_INIT(MIB(1));
	struct str rest, line;

	one.values[M_CONNECTIONS] = 17;
	two.values[M_SESSIONS] = UINT64_MAX;
	one.events[EV_SMTP_RCPT_REJECT] = 2;
	metrics_format(&b, sources, 2);
	CHECK(!b.failed, "fits");
	CHECK(count(buf_str(&b),
		  "\nmailstead_connections_total{role=\"smtp\",worker=\"3\"} "
		  "17\n") == 1,
	    "value");
	CHECK(count(buf_str(&b), "{role=\"imap\",worker=\"4\"} "
				 "18446744073709551615\n") == 1,
	    "largest");
	CHECK(count(buf_str(&b),
		  "mailstead_events_total{role=\"smtp\",worker=\"3\","
		  "event=\"smtp.rcpt.reject\",level=\"info\"} 2\n") == 1,
	    "event");
	CHECK(count(buf_str(&b), "# TYPE ") == METRIC_COUNT + 1, "types");
	CHECK(count(buf_str(&b), "# HELP ") == METRIC_COUNT + 1, "help");
	/* Each line is a comment or "name{labels} number"; nothing else. */
	for (rest = buf_str(&b); rest.n > 0;) {
		rest = str_split(rest, '\n', &line);
		CHECK(str_starts(line, STR("# ")) ||
			  (str_starts(line, STR("mailstead_")) &&
			      str_search(line, STR("\"} ")) > 0),
		    "a comment or a sample");
	}
	buf_done(&b);
}

TEST_MAIN(UNIT(a_page_goes_on_where_the_process_before_stopped),
    UNIT(the_text_is_in_prometheus_format))
