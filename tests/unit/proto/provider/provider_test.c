/* SPDX-License-Identifier: ISC */
/* provider_test.c - whose server is it, and the table of providers. */
#include "../../test.h"
#include "base/buf.h"
#include "proto/provider/provider.h"

static const struct {
	const char *host, *group;
} hosts[] = {
	{ "hotmail-com.olc.protection.outlook.com", "microsoft-consumer" },
	{ "eur.olc.protection.outlook.com", "microsoft-consumer" },
	{ "contoso-com.mail.protection.outlook.com", "microsoft" },
	{ "Contoso-COM.Mail.Protection.Outlook.com", "microsoft" },
	{ "contoso-com.o-v1.mx.microsoft", "microsoft" },
	{ "gmail-smtp-in.l.google.com", "google" },
	{ "aspmx.l.google.com", "google" },
	{ "aspmx2.googlemail.com", "google" },
	{ "smtp.google.com", "google" },
	{ "mta5.am0.yahoodns.net", "yahoo" },
	{ "mx01.mail.icloud.com", "apple" },
	{ "mx00.emig.gmx.net", "gmx" },
	{ "mx00.gmx.net", "gmx" },
	{ "mx-ha02.web.de", "webde" },
	{ "mx00.kundenserver.de", "ionos" },
	{ "mxs.mail.ru", "mailru" },
	{ "mx.yandex.net", "yandex" },
	{ "mail.protonmail.ch", "proton" },
	{ "mx1.mail.ovh.net", "ovh" },
	{ "mx.zoho.eu", "zoho" },
	{ "eu-smtp-inbound-1.mimecast.com", "mimecast" },
	{ "mxa-0012ab01.gslb.pphosted.com", "proofpoint" },
	{ "d123.ess.barracudanetworks.com", "barracuda" },
	{ "mx1.hc123-45.eu.iphmx.com", "ironport" },
	{ "mx.example.com", "" },
	{ "notgoogle.com", "" },
	{ "google.com.example.net", "" },
	{ "vps123.ovh.net", "" },
	{ "com", "" },
	{ "", "" },
};

TEST(whose_server_it_is)
{
	struct provider_table *t = provider_table_new();

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		CHECK(str_eq(provider_of(t, str_c(hosts[i].host)),
			  str_c(hosts[i].group)),
		    hosts[i].host);
	CHECK(str_eq(provider_title(t, STR("microsoft")), STR("Microsoft 365")),
	    "title");
	CHECK(provider_title(t, STR("nobody")).n == 0, "no group");
	provider_table_free(t);
}

TEST(each_built_in_name_and_suffix_stands_there_once)
{
	struct str text = str_c(provider_default_text()), line;
	struct provider_table *t = provider_table_new();
	size_t lines = 0;

	while (text.n > 0) {
		struct str name, rest;

		text = str_split(text, '\n', &line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		lines++;
		(void)str_split(line, ' ', &name);
		(void)str_split(line, '"', &rest);
		rest = str_from(line, rest.n + 1);
		(void)str_split(rest, '"', &line);
		rest = str_trim(str_from(rest, line.n + 1));
		while (rest.n > 0) {
			struct str suffix;

			rest = str_split(rest, ' ', &suffix);
			CHECK(str_eq(provider_of(t, suffix), name),
			    "no other line has the suffix");
		}
	}
	CHECK(lines == provider_count(t), "each name once");
	provider_table_free(t);
}

TEST(an_operators_table)
{
	static const char text[] = "# ours first\r\n"
				   "partner \"Partner\" mx.partner.example\n"
				   "mine \"Mine\" special.l.google.com\n"
				   "\tdefault\n"
				   "partner \"again\" partner.example\n"
				   "late \"Late\" google.com\n";
	struct provider_error error = { 0 };
	struct provider_table *t = provider_table_parse(str_c(text), &error);

	assert_non_null(t);
	CHECK(
	    str_eq(provider_of(t, STR("a.special.l.google.com")), STR("mine")),
	    "the longest counts");
	CHECK(str_eq(provider_of(t, STR("smtp.google.com")), STR("google")),
	    "of equal ones the first");
	CHECK(str_eq(provider_of(t, STR("x.partner.example")), STR("partner")),
	    "more suffixes");
	CHECK(str_eq(provider_title(t, STR("partner")), STR("Partner")),
	    "the first title");
	provider_table_free(t);
	t = provider_table_parse(STR(""), &error);
	CHECK(provider_of(t, STR("smtp.google.com")).n == 0, "none built in");
	provider_table_free(t);
}

TEST(what_is_no_table)
{
	static const struct {
		const char *text;
		size_t line;
	} bad[] = {
		{ "a", 1 },
		{ "\n#\na b c.example", 3 },
		{ "a \"b\"", 1 },
		{ "a \"\" c.example", 1 },
		{ "a \"b c.example", 1 },
		{ "a_b \"b\" c.example", 1 },
		{ "a \"b\" .c.example", 1 },
		{ "a \"b\" c.example.", 1 },
		{ "a \"b\" c..example", 1 },
		{ "a \"b\" com", 1 },
		{ "a \"b\" c.example *.d.example", 1 },
		{ "default\ndefault", 2 },
		{ "abcdefghijklmnopqrstuvwxyz-0123456 \"b\" c.example", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct provider_error error = { 0 };

		CHECK(!provider_table_parse(str_c(bad[i].text), &error),
		    bad[i].text);
		CHECK(error.line == bad[i].line && error.text, bad[i].text);
	}
}

TEST(limits_of_tables)
{
	struct buf b = BUF_INIT(PROVIDER_TABLE_MAX * 2);
	struct provider_error error = { 0 };

	buf_put_c(&b, "a \"b\"");
	while (b.n <= PROVIDER_LINE_MAX)
		buf_put_c(&b, " c.example");
	CHECK(!provider_table_parse(buf_str(&b), &error), "line");
	buf_reset(&b, b.cap);
	while (b.n <= PROVIDER_TABLE_MAX)
		buf_put_c(&b, "#\n");
	CHECK(!provider_table_parse(buf_str(&b), &error), "table");
	buf_reset(&b, b.cap);
	for (size_t i = 0; i <= PROVIDER_GROUPS_MAX; i++)
		buf_printf(&b, "g%zu \"x\" a%zu.example\n", i, i);
	CHECK(!provider_table_parse(buf_str(&b), &error), "groups");
	CHECK(error.line == PROVIDER_GROUPS_MAX + 1, "which");
	buf_done(&b);
}

TEST_MAIN(UNIT(whose_server_it_is),
    UNIT(each_built_in_name_and_suffix_stands_there_once),
    UNIT(an_operators_table), UNIT(what_is_no_table), UNIT(limits_of_tables))
