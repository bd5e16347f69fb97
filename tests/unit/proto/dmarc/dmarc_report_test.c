/* SPDX-License-Identifier: ISC */
/* dmarc_report_test.c - aggregate reports written, and read from anybody. */
#include "../../test.h"
#include "proto/dmarc/dmarc_report.h"
#include "proto/dmarc/dmarc_xml.h"

/* As large receivers write them: attributes, comments, unknown elements. */
static const char foreign[] =
    "\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\r\n"
    "<!-- made by hand -->\n"
    "<feedback xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
    "xsi:noNamespaceSchemaLocation='rua.xsd'>\n"
    "  <version>1.0</version>\n"
    "  <report_metadata>\n"
    "    <org_name>M&#252;ller &amp; S&#xF6;hne</org_name>\n"
    "    <email> noreply@mail.example </email>\n"
    "    <report_id>1234<!-- x -->5</report_id>\n"
    "    <date_range><begin>1700000000</begin><end>1700086399</end>\n"
    "    </date_range>\n"
    "    <error>one</error><error>two</error>\n"
    "  </report_metadata>\n"
    "  <policy_published><domain>a.example</domain><adkim>S</adkim>\n"
    "    <p>reject</p><np>none</np><pct/></policy_published>\n"
    "  <record><row><source_ip>2001:db8::1</source_ip><count>7</count>\n"
    "    <policy_evaluated><disposition>quarantine</disposition>\n"
    "      <dkim>pass</dkim><spf>fail</spf>\n"
    "      <reason><type>mailing_list</type><comment>c</comment></reason>\n"
    "      <reason><type>invented</type></reason>\n"
    "    </policy_evaluated></row>\n"
    "    <identifiers><header_from>a.example</header_from>\n"
    "      <extra><header_from>wrong</header_from></extra></identifiers>\n"
    "    <auth_results><dkim><domain>a.example</domain>\n"
    "      <selector>s1</selector><result>pass</result></dkim>\n"
    "      <dkim><domain>b.example</domain><result>fail</result>\n"
    "      <human_result>bad &lt;hash&gt;</human_result></dkim>\n"
    "      <spf><domain>c.example</domain><scope>helo</scope>\n"
    "      <result>SoftFail</result></spf></auth_results>\n"
    "  </record>\n"
    "  <record><row/></record>\n"
    "</feedback>\n";

TEST(a_foreign_report_is_read_whole)
{
	struct arena arena;
	struct dmarc_report *r = NULL;
	struct dmarc_report_row *row;

	arena_init(&arena, KIB(64));
	CHECK(!dmarc_report_read(str_c(foreign), &arena, &r), "right");
	CHECK(str_eq(r->org_name, STR("M\xc3\xbcller & S\xc3\xb6hne")), "org");
	CHECK(str_eq(r->email, STR("noreply@mail.example")), "email");
	CHECK(str_eq(r->report_id, STR("12345")), "id");
	CHECK(r->begin == 1700000000 && r->end == 1700086399, "time");
	CHECK(str_eq(r->errors->next->text, STR("two")), "errors");
	CHECK(!r->errors->next->next, "errors");
	CHECK(str_eq(r->domain, STR("a.example")), "domain");
	CHECK(r->adkim == DMARC_STRICT && r->aspf == DMARC_RELAXED, "align");
	CHECK(r->p == DMARC_POLICY_REJECT && r->sp == DMARC_POLICY_REJECT, "p");
	CHECK(r->pct == 100 && r->n_rows == 2, "numbers");
	row = r->rows;
	CHECK(str_eq(row->source_ip, STR("2001:db8::1")), "ip");
	CHECK(row->count == 7, "count");
	CHECK(row->disposition == DMARC_POLICY_QUARANTINE, "disposition");
	CHECK(row->is_dkim_pass && !row->is_spf_pass, "aligned");
	CHECK(row->reasons->type == DMARC_REASON_MAILING_LIST, "reason");
	CHECK(str_eq(row->reasons->comment, STR("c")), "comment");
	CHECK(row->reasons->next->type == DMARC_REASON_OTHER, "unknown");
	CHECK(str_eq(row->header_from, STR("a.example")), "from");
	CHECK(str_eq(row->dkim->selector, STR("s1")), "selector");
	CHECK(row->dkim->next->result == DMARC_DKIM_FAIL, "dkim");
	CHECK(str_eq(row->dkim->next->human_result, STR("bad <hash>")), "text");
	CHECK(row->spf->scope == DMARC_SCOPE_HELO, "scope");
	CHECK(row->spf->result == DMARC_SPF_SOFTFAIL, "spf");
	CHECK(!row->next->next && !row->next->dkim, "second row");
	arena_done(&arena);
}

#define META \
	"<feedback><report_metadata><report_id>i</report_id>" \
	"<date_range><begin>1</begin></date_range></report_metadata>" \
	"<policy_published><domain>d</domain></policy_published>"

TEST(what_is_no_report_is_refused)
{
	static const char *const cases[] = {
		"",
		"text",
		"<feedback/>",
		"<other/>",
		META,
		META "</feedback",
		META "</feedback>x",
		META "</feedback><feedback/>",
		META "</Feedback>",
		META "<record></feedback></record>",
		"x" META "</feedback>",
		"<!DOCTYPE feedback [<!ENTITY x \"y\">]>" META "</feedback>",
		META "<![CDATA[x]]></feedback>",
		META "<x a=b/></feedback>",
		META "<x a=\"b/></feedback>",
		META "<x a=\"<\"/></feedback>",
		META "<x a/></feedback>",
		META "<x =\"b\"/></feedback>",
		META "<x a=/></feedback>",
		META "<x a",
		META "<x a='1'b='2'/></feedback>",
		META "<1x/></feedback>",
		META "< x/></feedback>",
		META "<x / ></feedback>",
		META "<!-- x ></feedback>",
		META "<? x ></feedback>",
		META "\xff</feedback>",
		META "<report_metadata><email>&x;</email></report_metadata>"
		     "</feedback>",
		META "<report_metadata><email>&amp</email></report_metadata>"
		     "</feedback>",
		META "<report_metadata><email>&#0;</email></report_metadata>"
		     "</feedback>",
		META "<report_metadata><email>&#xd800;</email>"
		     "</report_metadata></feedback>",
		META "<report_metadata><email>&#x110000;</email>"
		     "</report_metadata></feedback>",
		META "<report_metadata><email>&#x;</email>"
		     "</report_metadata></feedback>",
		META "<report_metadata><email>\x01</email></report_metadata>"
		     "</feedback>",
		META "<policy_published><pct>x</pct></policy_published>"
		     "</feedback>",
		META "<policy_published><pct>-1</pct></policy_published>"
		     "</feedback>",
		META "<record><row><count>9223372036854775808</count></row>"
		     "</record></feedback>",
		META "<policy_published><domain></domain></policy_published>"
		     "</feedback>",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dmarc_report *r = NULL;
		struct arena arena;

		arena_init(&arena, KIB(64));
		CHECK(dmarc_report_read(str_c(cases[i]), &arena, &r), cases[i]);
		CHECK(!r, "untouched");
		arena_done(&arena);
	}
}

/* META, n times part, and the end; is it read? */
static bool
is_read(const char *before, const char *part, size_t n, const char *behind,
    size_t arena_max)
{
	struct buf b = BUF_INIT(2 * DMARC_REPORT_MAX);
	struct dmarc_report *r;
	struct arena arena;
	bool ok;

	buf_put_c(&b, META);
	buf_put_c(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_put_c(&b, part);
	buf_put_c(&b, behind);
	buf_put_c(&b, "</feedback>");
	arena_init(&arena, arena_max);
	ok = !dmarc_report_read(buf_str(&b), &arena, &r);
	arena_done(&arena);
	buf_done(&b);
	return ok;
}

TEST(limits_hold)
{
	size_t max = DMARC_REPORT_LIST_MAX;
	size_t rows = DMARC_REPORT_ROWS_MAX;
	const char *text = "<policy_published><fo>";
	const char *end = "</fo></policy_published>";
	const char *results = "<record><auth_results>";
	const char *results_end = "</auth_results></record>";

	CHECK(is_read("", "", 0, "", KIB(4)), "so it can be read");
	CHECK(is_read("", "<record/>", rows, "", MIB(64)), "rows");
	CHECK(!is_read("", "<record/>", rows + 1, "", MIB(64)), "rows");
	CHECK(!is_read("", "<record/>", 1000, "", KIB(64)), "arena");
	CHECK(is_read(text, "x", DMARC_REPORT_TEXT_MAX, end, KIB(8)), "text");
	CHECK(!is_read(text, "x", DMARC_REPORT_TEXT_MAX + 1, end, KIB(8)),
	    "text");
	CHECK(is_read(results, "<dkim/>", max, results_end, MIB(1)), "dkim");
	CHECK(
	    !is_read(results, "<dkim/>", max + 1, results_end, MIB(1)), "dkim");
	CHECK(!is_read(results, "<spf/>", max + 1, results_end, MIB(1)), "spf");
	/* The limit is one of each row. */
	CHECK(
	    is_read("", "<record><auth_results><spf/></auth_results></record>",
		max + 1, "", MIB(1)),
	    "rows with one each");
	CHECK(!is_read("<report_metadata>", "<error/>", max + 1,
		  "</report_metadata>", MIB(1)),
	    "errors");
	CHECK(is_read("", "<x>", 15,
		  "</x></x></x></x></x></x></x></x></x></x>"
		  "</x></x></x></x></x>",
		  KIB(4)),
	    "depth");
	CHECK(!is_read("", "<x>", 16,
		  "</x></x></x></x></x></x></x></x></x>"
		  "</x></x></x></x></x></x></x>",
		  KIB(4)),
	    "depth");
	CHECK(
	    is_read("", " ", DMARC_REPORT_MAX - sizeof(META) - 10, "", KIB(4)),
	    "bytes");
	CHECK(!is_read("", " ", DMARC_REPORT_MAX, "", KIB(4)), "bytes");
}

static struct dmarc_report_dkim dkim = { STR("a.example"), STR("s<1>"),
	DMARC_DKIM_PASS,
	STR("a\x01"
	    "b\xff"),
	NULL };
static struct dmarc_report_spf spf = { STR("b.example"), DMARC_SCOPE_MFROM,
	DMARC_SPF_FAIL, NULL };
static struct dmarc_report_reason reason = { DMARC_REASON_SAMPLED_OUT, STR_NONE,
	NULL };
static struct dmarc_report_row row = { .source_ip = STR("192.0.2.1"),
	.count = 3,
	.disposition = DMARC_POLICY_QUARANTINE,
	.is_dkim_pass = true,
	.reasons = &reason,
	.header_from = STR("a.example"),
	.dkim = &dkim,
	.spf = &spf };
static struct dmarc_report report = { .org_name = STR("Us & Co"),
	.email = STR("dmarc@us.example"),
	.report_id = STR("2026 <1>@us.example"),
	.begin = 1795305600,
	.end = 1795391999,
	.domain = STR("a.example"),
	.adkim = DMARC_STRICT,
	.p = DMARC_POLICY_REJECT,
	.sp = DMARC_POLICY_NONE,
	.pct = 50 };

/* The order of elements is that of the schema in appendix C. */
TEST(what_is_written_is_the_schema)
{
	static const char want[] =
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback>\n"
	    "<version>1.0</version>\n<report_metadata>\n"
	    "<org_name>Us &amp; Co</org_name>\n"
	    "<email>dmarc@us.example</email>\n"
	    "<report_id>2026 &lt;1&gt;@us.example</report_id>\n"
	    "<date_range>\n<begin>1795305600</begin>\n<end>1795391999</end>\n"
	    "</date_range>\n</report_metadata>\n<policy_published>\n"
	    "<domain>a.example</domain>\n<adkim>s</adkim>\n<aspf>r</aspf>\n"
	    "<p>reject</p>\n<sp>none</sp>\n<pct>50</pct>\n<fo>0</fo>\n"
	    "</policy_published>\n<record>\n<row>\n"
	    "<source_ip>192.0.2.1</source_ip>\n<count>3</count>\n"
	    "<policy_evaluated>\n<disposition>quarantine</disposition>\n"
	    "<dkim>pass</dkim>\n<spf>fail</spf>\n<reason>\n"
	    "<type>sampled_out</type>\n</reason>\n</policy_evaluated>\n"
	    "</row>\n<identifiers>\n<envelope_from></envelope_from>\n"
	    "<header_from>a.example</header_from>\n</identifiers>\n"
	    "<auth_results>\n<dkim>\n<domain>a.example</domain>\n"
	    "<selector>s&lt;1&gt;</selector>\n<result>pass</result>\n"
	    "<human_result>a?b?</human_result>\n</dkim>\n<spf>\n"
	    "<domain>b.example</domain>\n<scope>mfrom</scope>\n"
	    "<result>fail</result>\n</spf>\n</auth_results>\n</record>\n"
	    "</feedback>\n";
	struct buf b = BUF_INIT(KIB(8));
	struct dmarc_report *r;
	struct arena arena;

	dmarc_report_begin(&report, &b);
	dmarc_report_put_row(&row, &b);
	dmarc_report_end(&b);
	CHECK(str_eq(buf_str(&b), str_c(want)), buf_c(&b));
	arena_init(&arena, KIB(64));
	CHECK(!dmarc_report_read(buf_str(&b), &arena, &r), "reads back");
	CHECK(str_eq(r->report_id, report.report_id), "id");
	CHECK(r->rows->reasons->type == DMARC_REASON_SAMPLED_OUT, "reason");
	arena_done(&arena);
	buf_done(&b);
}

TEST(the_message_around_it_has_a_name_and_a_subject)
{
	struct buf b = BUF_INIT(500);

	dmarc_report_put_name(&report, STR("mx.us.example"), &b);
	CHECK(str_eq(buf_str(&b),
		  STR("mx.us.example!a.example!1795305600!1795391999")),
	    "name");
	buf_reset(&b, 500);
	dmarc_report_put_subject(&report, STR("us.example"), &b);
	CHECK(str_eq(buf_str(&b),
		  STR("Report Domain: a.example Submitter: us.example "
		      "Report-ID: <2026__1_@us.example>")),
	    buf_c(&b));
	buf_done(&b);
}

TEST(references_are_replaced)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "&lt;&gt;&amp;&quot;&apos;", "<>&\"'" },
		{ "a&#65;&#x42;&#x63;d", "aABcd" },
		{ "&#127;&#128;&#x7ff;", "\x7f\xc2\x80\xdf\xbf" },
		{ "&#x800;&#8364;", "\xe0\xa0\x80\xe2\x82\xac" },
		{ "&#xfffd;&#xE000;", "\xef\xbf\xbd\xee\x80\x80" },
		{ "&#xd7ff;", "\xed\x9f\xbf" },
		{ "&#x10000;&#x1F4EC;", "\xf0\x90\x80\x80\xf0\x9f\x93\xac" },
		{ "&#1114111;&#9;", "\xf4\x8f\xbf\xbf\t" },
		{ "&#x0010ffff;", "\xf4\x8f\xbf\xbf" },
		{ "&#xdfff;", NULL },
		{ "&#xfffe;", NULL },
		{ "&#1114112;", NULL },
		{ "&#x000000041;", NULL },
		{ "&#31;", NULL },
		{ "&#;", NULL },
		{ "&#-1;", NULL },
		{ "&#xg;", NULL },
		{ "&;", NULL },
		{ "&LT;", NULL },
		{ "&nbsp;", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);

		CHECK(dmarc_xml_decode(str_c(cases[i].in), &b) ==
			  (cases[i].want != NULL),
		    cases[i].in);
		CHECK(
		    !cases[i].want || str_eq(buf_str(&b), str_c(cases[i].want)),
		    cases[i].in);
		buf_done(&b);
	}
}

TEST(any_bytes_become_text_of_xml)
{
	static const struct {
		struct str in, want;
	} cases[] = {
		{ STR("a<b>&c\"'"), STR("a&lt;b&gt;&amp;c\"'") },
		{ STR("\0\x01\n\x7f"), STR("????") },
		{ STR("\xc3\xbc\xf0\x9f\x93\xac"),
		    STR("\xc3\xbc\xf0\x9f\x93\xac") },
		{ STR("\xc3("), STR("?(") },
		{ STR("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd"),
		    STR("??\xef\xbf\xbd") },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);

		dmarc_xml_put_text(&b, cases[i].in);
		CHECK(str_eq(buf_str(&b), cases[i].want), cases[i].want.p);
		buf_done(&b);
	}
}

TEST_MAIN(UNIT(a_foreign_report_is_read_whole),
    UNIT(what_is_no_report_is_refused), UNIT(limits_hold),
    UNIT(what_is_written_is_the_schema),
    UNIT(the_message_around_it_has_a_name_and_a_subject),
    UNIT(references_are_replaced), UNIT(any_bytes_become_text_of_xml))
