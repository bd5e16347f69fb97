/* SPDX-License-Identifier: ISC */
/* tlsrpt_report_test.c - TLS reports written, and read from anybody. */
#include "../../test.h"
#include "proto/tlsrpt/tlsrpt_report.h"

/* The report of RFC 8460 appendix B. */
static const char example[] =
    "{\n \"organization-name\": \"Company-X\",\n"
    " \"date-range\": { \"start-datetime\": \"2016-04-01T00:00:00Z\",\n"
    "  \"end-datetime\": \"2016-04-01T23:59:59Z\" },\n"
    " \"contact-info\": \"sts-reporting@company-x.example\",\n"
    " \"report-id\": \"5065427c-23d3-47ca-b6e0-946ea0e8c4be\",\n"
    " \"policies\": [{\n"
    "  \"policy\": { \"policy-type\": \"sts\",\n"
    "   \"policy-string\": [\"version: STSv1\", \"mode: testing\",\n"
    "    \"mx: *.mail.company-y.example\", \"max_age: 86400\"],\n"
    "   \"policy-domain\": \"company-y.example\",\n"
    "   \"mx-host\": \"*.mail.company-y.example\" },\n"
    "  \"summary\": { \"total-successful-session-count\": 5326,\n"
    "   \"total-failure-session-count\": 303 },\n"
    "  \"failure-details\": [\n"
    "   { \"result-type\": \"certificate-expired\",\n"
    "    \"sending-mta-ip\": \"2001:db8:abcd:0012::1\",\n"
    "    \"receiving-mx-hostname\": \"mx1.mail.company-y.example\",\n"
    "    \"failed-session-count\": 100 },\n"
    "   { \"result-type\": \"starttls-not-supported\",\n"
    "    \"sending-mta-ip\": \"2001:db8:abcd:0013::1\",\n"
    "    \"receiving-mx-hostname\": \"mx2.mail.company-y.example\",\n"
    "    \"receiving-ip\": \"203.0.113.56\",\n"
    "    \"failed-session-count\": 200,\n"
    "    \"additional-information\": \"https://reports.company-x.example/"
    "report_info?id=5065427c-23d3#StarttlsNotSupported\" },\n"
    "   { \"result-type\": \"validation-failure\",\n"
    "    \"sending-mta-ip\": \"198.51.100.62\",\n"
    "    \"receiving-ip\": \"203.0.113.58\",\n"
    "    \"receiving-mx-hostname\": \"mx-backup.mail.company-y.example\",\n"
    "    \"failed-session-count\": 3,\n"
    "    \"failure-error-code\": "
    "\"X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED\",\n"
    "    \"additional-information\": \"\" }] }] }\n";

TEST(the_example_of_the_rfc_is_read_whole)
{
	struct tlsrpt_report *r = NULL;
	struct tlsrpt_failure *f;
	struct tlsrpt_policy *p;
	struct arena arena;

	arena_init(&arena, KIB(64));
	CHECK(!tlsrpt_read_report(str_c(example), &arena, &r), "right");
	CHECK(str_eq(r->organisation, STR("Company-X")), "name");
	CHECK(str_eq(r->contact, STR("sts-reporting@company-x.example")), "to");
	CHECK(str_starts(r->report_id, STR("5065427c-")), "id");
	CHECK(r->begin == 1459468800 && r->end == 1459555199, "time");
	p = r->policies;
	CHECK(p->type == TLSRPT_STS && !p->next, "type");
	CHECK(str_eq(p->domain, STR("company-y.example")), "domain");
	CHECK(str_eq(p->strings->next->text, STR("mode: testing")), "strings");
	CHECK(str_eq(p->mx_hosts->text, STR("*.mail.company-y.example")), "mx");
	CHECK(!p->mx_hosts->next, "one");
	CHECK(p->successful == 5326 && p->failed == 303, "counts");
	f = p->failures;
	CHECK(f->result == TLSRPT_CERTIFICATE_EXPIRED, "1");
	CHECK(str_eq(f->sending_mta_ip, STR("2001:db8:abcd:0012::1")), "1");
	CHECK(f->sessions == 100 && f->receiving_ip.n == 0, "1");
	f = f->next;
	CHECK(f->result == TLSRPT_STARTTLS_NOT_SUPPORTED, "2");
	CHECK(str_eq(f->receiving_ip, STR("203.0.113.56")), "2");
	CHECK(str_ends(f->additional_information, STR("NotSupported")), "2");
	f = f->next;
	CHECK(f->result == TLSRPT_VALIDATION_FAILURE && !f->next, "3");
	CHECK(str_eq(
		  f->reason_code, STR("X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED")),
	    "3");
	arena_done(&arena);
}

TEST(results_have_the_words_of_the_rfc)
{
	static const char *const words[] = { "other", "starttls-not-supported",
		"certificate-host-mismatch", "certificate-expired",
		"certificate-not-trusted", "validation-failure", "tlsa-invalid",
		"dnssec-invalid", "dane-required", "sts-policy-fetch-error",
		"sts-policy-invalid", "sts-webpki-invalid" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		CHECK(strcmp(tlsrpt_result_str((enum tlsrpt_result)i),
			  words[i]) == 0,
		    words[i]);
	CHECK(strcmp(tlsrpt_policy_type_str(TLSRPT_NO_POLICY),
		  "no-policy-found") == 0,
	    "type");
}

#define HEAD \
	"{\"report-id\":\"i\",\"date-range\":{\"start-datetime\":" \
	"\"2016-04-01T00:00:00Z\",\"end-datetime\":\"2016-04-01T23:59:59Z\"}," \
	"\"policies\":"
#define POLICY "{\"policy\":{\"policy-domain\":\"d\"}}"

TEST(what_is_no_report_is_refused)
{
	static const struct {
		const char *in;
		bool ok;
	} cases[] = {
		{ HEAD "[" POLICY "]}", true },
		{ HEAD "[" POLICY "," POLICY "]}", true },
		{ HEAD "[{\"policy\":{\"policy-domain\":\"d\",\"policy-type\":"
		       "7,\"policy-string\":[7,null,{}],\"mx-host\":{}},"
		       "\"failure-details\":[7,{}]}]}",
		    true },
		{ "", false },
		{ "[]", false },
		{ "{}", false },
		{ HEAD "[]}", false },
		{ HEAD "{}}", false },
		{ HEAD "7}", false },
		{ HEAD "[{}]}", false },
		{ HEAD "[7]}", false },
		{ HEAD "[" POLICY "]", false },
		{ HEAD "[" POLICY "],\"report-id\":\"j\"}", false },
		{ HEAD "[{\"policy\":{\"policy-domain\":\"\"}}]}", false },
		{ HEAD "[{\"policy\":{\"policy-domain\":\"d\"},\"summary\":{"
		       "\"total-failure-session-count\":-1}}]}",
		    false },
		{ HEAD "[{\"policy\":{\"policy-domain\":\"d\"},\"summary\":{"
		       "\"total-failure-session-count\":\"1\"}}]}",
		    false },
		{ HEAD "[{\"policy\":{\"policy-domain\":\"d\"},"
		       "\"failure-details\":[{\"failed-session-count\":1.5}]}"
		       "]}",
		    false },
		{ "{\"report-id\":\"i\",\"policies\":[" POLICY "]}", false },
		{ "{\"report-id\":\"i\",\"date-range\":{\"start-datetime\":"
		  "\"2016-04-01\",\"end-datetime\":\"2016-04-02\"},"
		  "\"policies\":[" POLICY "]}",
		    false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tlsrpt_report *r = NULL;
		struct arena arena;

		arena_init(&arena, KIB(64));
		CHECK(!tlsrpt_read_report(str_c(cases[i].in), &arena, &r) ==
			  cases[i].ok,
		    cases[i].in);
		CHECK((r != NULL) == cases[i].ok, cases[i].in);
		arena_done(&arena);
	}
}

/* HEAD, n times part with commas, and the end; is it read? */
static bool
is_read(const char *before, const char *part, size_t n, const char *behind,
    size_t arena_max)
{
	struct buf b = BUF_INIT(MIB(4));
	struct tlsrpt_report *r;
	struct arena arena;
	bool ok;

	buf_put_c(&b, HEAD "[");
	buf_put_c(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i > 0 ? "," : "", part);
	buf_put_c(&b, behind);
	buf_put_c(&b, "]}");
	arena_init(&arena, arena_max);
	ok = !tlsrpt_read_report(buf_str(&b), &arena, &r);
	arena_done(&arena);
	buf_done(&b);
	return ok;
}

TEST(limits_hold)
{
	const char *strings =
	    "{\"policy\":{\"policy-domain\":\"d\",\"policy-string\":[";
	const char *details = "{\"policy\":{\"policy-domain\":\"d\"},"
			      "\"failure-details\":[";
	size_t max = TLSRPT_LIST_MAX;

	CHECK(is_read("", POLICY, TLSRPT_POLICIES_MAX, "", MIB(1)), "policies");
	CHECK(!is_read("", POLICY, TLSRPT_POLICIES_MAX + 1, "", MIB(1)),
	    "policies");
	CHECK(!is_read("", POLICY, TLSRPT_POLICIES_MAX, "", KIB(16)), "arena");
	CHECK(is_read(strings, "\"\"", max, "]}}", MIB(1)), "strings");
	CHECK(!is_read(strings, "\"\"", max + 1, "]}}", MIB(1)), "strings");
	CHECK(is_read(details, "{}", max, "]}", MIB(1)), "details");
	CHECK(!is_read(details, "{}", max + 1, "]}", MIB(1)), "details");
	CHECK(is_read(POLICY ",", POLICY, 1, "", KIB(4)), "so it can be read");
	CHECK(!is_read(POLICY, " ", TLSRPT_REPORT_MAX, "", KIB(4)), "bytes");
}

TEST(what_is_written_is_read_back)
{
	struct tlsrpt_text mx2 = { STR("b"), NULL };
	struct tlsrpt_text mx = { STR("*.a"), &mx2 };
	struct tlsrpt_failure f2 = { .result = TLSRPT_TLSA_INVALID,
		.sessions = UINT64_C(5) };
	struct tlsrpt_failure f = { .result = TLSRPT_STS_WEBPKI_INVALID,
		.receiving_mx_helo = STR("\"quoted\"\\\n"),
		.sessions = 2,
		.next = &f2 };
	struct tlsrpt_policy none = { .domain = STR("n.example") };
	struct tlsrpt_policy p = { .type = TLSRPT_STS,
		.domain = STR("a.example"),
		.strings = &mx,
		.mx_hosts = &mx,
		.successful = 7,
		.failed = 7,
		.failures = &f,
		.next = &none };
	struct tlsrpt_report in = { .organisation = STR("Us\xff"),
		.contact = STR("tls@us.example"),
		.report_id = STR("1 <2>"),
		.begin = 1459468800,
		.end = 1459555199,
		.policies = &p };
	static const char want[] =
	    "{\"organization-name\":\"Us\xef\xbf\xbd\",\"date-range\":{"
	    "\"start-datetime\":\"2016-04-01T00:00:00Z\",\"end-datetime\":"
	    "\"2016-04-01T23:59:59Z\"},\"contact-info\":\"tls@us.example\","
	    "\"report-id\":\"1 <2>\",\"policies\":[{\"policy\":{"
	    "\"policy-type\":\"sts\",\"policy-string\":[\"*.a\",\"b\"],"
	    "\"policy-domain\":\"a.example\",\"mx-host\":[\"*.a\",\"b\"]},"
	    "\"summary\":{\"total-successful-session-count\":7,"
	    "\"total-failure-session-count\":7},\"failure-details\":[{"
	    "\"result-type\":\"sts-webpki-invalid\",\"receiving-mx-helo\":"
	    "\"\\\"quoted\\\"\\\\\\n\",\"failed-session-count\":2},{"
	    "\"result-type\":\"tlsa-invalid\",\"failed-session-count\":5}]},{"
	    "\"policy\":{\"policy-type\":\"no-policy-found\","
	    "\"policy-domain\":\"n.example\"},\"summary\":{"
	    "\"total-successful-session-count\":0,"
	    "\"total-failure-session-count\":0}}]}";
	struct buf b = BUF_INIT(KIB(8));
	struct tlsrpt_report *r;
	struct arena arena;

	tlsrpt_put_report(&in, &b);
	CHECK(str_eq(buf_str(&b), str_c(want)), buf_c(&b));
	arena_init(&arena, KIB(64));
	CHECK(!tlsrpt_read_report(buf_str(&b), &arena, &r), "reads back");
	CHECK(str_eq(r->policies->failures->receiving_mx_helo,
		  f.receiving_mx_helo),
	    "helo");
	CHECK(r->policies->next->type == TLSRPT_NO_POLICY, "second");
	buf_reset(&b, KIB(8));
	tlsrpt_put_subject(&in, STR("us.example"), STR("a.example"), &b);
	CHECK(str_eq(buf_str(&b),
		  STR("Report Domain: a.example Submitter: us.example "
		      "Report-ID: <1__2_>")),
	    buf_c(&b));
	buf_reset(&b, KIB(8));
	tlsrpt_put_name(&in, STR("us.example"), STR("a.example"), &b);
	CHECK(str_eq(buf_str(&b),
		  STR("us.example!a.example!1459468800!1459555199")),
	    buf_c(&b));
	arena_done(&arena);
	buf_done(&b);
}

TEST_MAIN(UNIT(the_example_of_the_rfc_is_read_whole),
    UNIT(results_have_the_words_of_the_rfc), UNIT(what_is_no_report_is_refused),
    UNIT(limits_hold), UNIT(what_is_written_is_read_back))
