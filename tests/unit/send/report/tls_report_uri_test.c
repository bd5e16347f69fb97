/* SPDX-License-Identifier: ISC */
/* tls_report_uri_test.c - where a report may go. */
#include "../../test.h"

#include "send/report/tls_reports.h"

TEST(mailboxes)
{
	static const struct {
		const char *uri, *want; /* NULL: none */
	} cases[] = {
		{ "mailto:a@example.com", "a@example.com" },
		{ "MAILTO:a.b+c@example.com", "a.b+c@example.com" },
		{ "mailto:a%2Bb@example.com", "a+b@example.com" },
		{ "mailto:a@example.com?subject=x", "a@example.com" },
		{ "mailto:a@example.com!10m", "a@example.com" },
		{ "mailto:a@b@example.com", NULL },
		{ "mailto:a,b@example.com", NULL },
		{ "mailto:a%0d%0aX: y@example.com", NULL },
		{ "mailto:a%00@example.com", NULL },
		{ "mailto:a%4", NULL },
		{ "mailto:a@-", NULL },
		{ "mailto:@example.com", NULL },
		{ "mailto:", NULL },
		{ "https://example.com/", NULL },
		{ "a@example.com", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(300);
		bool ok = tls_report_mailbox(str_c(cases[i].uri), &b);

		CHECK(ok == (cases[i].want != NULL), cases[i].uri);
		CHECK(!ok || str_eq(buf_str(&b), str_c(cases[i].want)),
		    cases[i].uri);
		buf_done(&b);
	}
}

TEST(places)
{
	static const struct {
		const char *uri, *host, *path; /* host NULL: none */
		unsigned port;
	} cases[] = {
		{ "https://r.example/x?y=1", "r.example", "/x?y=1", 443 },
		{ "HTTPS://r.example", "r.example", "/", 443 },
		{ "https://r.example:8443/", "r.example", "/", 8443 },
		{ "http://r.example/", NULL, NULL, 0 },
		{ "https://u@r.example/", NULL, NULL, 0 },
		{ "https://[::1]/", NULL, NULL, 0 },
		{ "https://r.example:0/", NULL, NULL, 0 },
		{ "https://r.example:/", NULL, NULL, 0 },
		{ "https://r.example:70000/", NULL, NULL, 0 },
		{ "https://r.example/a b", NULL, NULL, 0 },
		{ "https://r.example/a\r\nb", NULL, NULL, 0 },
		{ "https://r.example/#a", NULL, NULL, 0 },
		{ "https:///", NULL, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tls_report_place p;
		bool ok = tls_report_place(str_c(cases[i].uri), &p);

		CHECK(ok == (cases[i].host != NULL), cases[i].uri);
		CHECK(!ok || (strcmp(p.host, cases[i].host) == 0 &&
				 strcmp(p.path, cases[i].path) == 0 &&
				 p.port == cases[i].port),
		    cases[i].uri);
	}
}

TEST_MAIN(UNIT(mailboxes), UNIT(places))
