/* SPDX-License-Identifier: ISC */
/* conf_public_test.c - what the world is told of the mail services. */
#include "../test.h"

#include "conf/conf_public.h"
#include "proto/autoconfig/autoconfig.h"
#include "proto/mtasts/mtasts.h"

static const struct conf_client_service *
find(enum service s)
{
	for (size_t i = 0; i < CONF_CLIENT_SERVICES; i++)
		if (conf_client_services[i].service == s)
			return &conf_client_services[i];
	return NULL;
}

static void
listen_on(struct conf *c, enum service s, uint16_t port)
{
	c->listeners[c->listener_count++] =
	    (struct conf_listener){ .service = s, .port = port };
}

TEST(the_usual_port_goes_before_the_first)
{
	struct conf c = { 0 };

	CHECK(conf_public_port(&c, find(SERVICE_IMAPS)) == 0, "none");
	listen_on(&c, SERVICE_IMAP, 143);
	listen_on(&c, SERVICE_IMAPS, 10993);
	CHECK(conf_public_port(&c, find(SERVICE_IMAPS)) == 10993, "one");
	listen_on(&c, SERVICE_IMAPS, 993);
	listen_on(&c, SERVICE_IMAPS, 20993);
	CHECK(conf_public_port(&c, find(SERVICE_IMAPS)) == 993, "usual");
}

/* As our own senders of mail read it. */
TEST(the_policy_names_this_machine_and_no_other)
{
	char hostname[] = "mail.a.example";
	struct conf c = { .hostname = hostname };
	struct buf out = BUF_INIT(MTASTS_POLICY_MAX);
	struct mtasts_policy p;

	CHECK(conf_put_mtasts(&c, &out), "written");
	CHECK(mtasts_policy_parse(buf_str(&out), &p) == NULL, buf_c(&out));
	CHECK(p.mode == MTASTS_MODE_ENFORCE, "mode");
	CHECK(p.max_age_s == 604800, "age");
	CHECK(mtasts_allows(&p, STR("mail.a.example")), "itself");
	CHECK(!mtasts_allows(&p, STR("mx.a.example")), "another");
	buf_done(&out);
}

TEST(a_name_that_cannot_be_in_DNS_has_no_policy)
{
	static const char *const names[] = { "", "a b", "a..b", "a<b" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *hostname = x_strdup(names[i]);
		struct conf c = { .hostname = hostname };
		struct buf out = BUF_INIT(MTASTS_POLICY_MAX);

		CHECK(!conf_put_mtasts(&c, &out), names[i]);
		CHECK(out.n == 0, buf_c(&out));
		buf_done(&out);
	}
}

TEST(the_id_is_another_when_the_policy_is)
{
	struct buf a = BUF_INIT(64), b = BUF_INIT(64), same = BUF_INIT(64);
	struct buf record = BUF_INIT(KIB(1));

	conf_put_mtasts_id(STR("mx: a"), &a);
	conf_put_mtasts_id(STR("mx: a"), &same);
	conf_put_mtasts_id(STR("mx: b"), &b);
	CHECK(str_eq(buf_str(&a), buf_str(&same)), buf_c(&a));
	CHECK(!str_eq(buf_str(&a), buf_str(&b)), buf_c(&b));
	CHECK(mtasts_put_record(&record, buf_str(&a)), "as a record may have");
	buf_done(&a);
	buf_done(&b);
	buf_done(&same);
	buf_done(&record);
}

TEST(mail_programs_hear_of_services_that_are_there)
{
	static const struct {
		enum service service;
		uint16_t port;
		const char *want;
	} cases[] = {
		{ SERVICE_IMAPS, 993, "<port>993</port>\n<socketType>SSL<" },
		{ SERVICE_IMAP, 143,
		    "<port>143</port>\n<socketType>STARTTLS<" },
		{ SERVICE_POP3S, 995, "<port>995</port>\n<socketType>SSL<" },
		{ SERVICE_POP3, 110,
		    "<port>110</port>\n<socketType>STARTTLS<" },
		{ SERVICE_SUBMISSIONS, 465,
		    "<port>465</port>\n<socketType>SSL<" },
		{ SERVICE_SUBMISSION, 587,
		    "<port>587</port>\n<socketType>STARTTLS<" },
	};
	char hostname[] = "mail.a.example";
	struct conf c = { .hostname = hostname };
	struct buf out = BUF_INIT(AUTOCONFIG_MAX);

	listen_on(&c, SERVICE_MX, 25);
	CHECK(!conf_put_autoconfig(&c, STR("b.example"), &out), "no service");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		listen_on(&c, cases[i].service, cases[i].port);
	CHECK(conf_put_autoconfig(&c, STR("b.example"), &out), "written");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(str_search(buf_str(&out), str_c(cases[i].want)) > 0,
		    cases[i].want);
	CHECK(str_search(buf_str(&out), STR("<port>25<")) < 0, "MX");
	CHECK(
	    str_search(buf_str(&out), STR("<domain>b.example<")) > 0, "whose");
	buf_done(&out);
}

TEST_MAIN(cmocka_unit_test(the_usual_port_goes_before_the_first),
    cmocka_unit_test(the_policy_names_this_machine_and_no_other),
    cmocka_unit_test(a_name_that_cannot_be_in_DNS_has_no_policy),
    cmocka_unit_test(the_id_is_another_when_the_policy_is),
    cmocka_unit_test(mail_programs_hear_of_services_that_are_there))
