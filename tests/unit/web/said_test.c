/* SPDX-License-Identifier: ISC */
/* said_test.c - what open incidents say, of mail and of other systems. */
#include "web/said.h"

#include "../test.h"
#include "proto/status/status_system.h"

#define BIT(s) STATUS_SERVICE_BIT(STATUS_##s)
#define A(k, i) \
	{ \
		STR(k), STATUS_IMPACT_##i \
	}

static struct msg_watch_system systems[] = {
	{ .key = STR("nc036"),
	    .role = STATUS_ROLE_MAIL,
	    .services = BIT(RECEIVE) | BIT(READ) },
	{ .key = STR("nc037"),
	    .role = STATUS_ROLE_RELAY,
	    .services = BIT(RECEIVE) },
	{ .key = STR("shop"), .role = STATUS_ROLE_WEB },
	{ .key = STR("webmail"),
	    .role = STATUS_ROLE_WEB,
	    .services = BIT(WEBMAIL) },
	{ .key = STR("ldap"),
	    .role = STATUS_ROLE_OTHER,
	    .flags = WATCH_SITE_INTERNAL },
};

static const struct {
	const char *name;
	size_t n; /* incidents */
	struct status_affects open[2];
	enum status_impact mail, others;
	unsigned down, ill;
} cases[] = {
	{ "none is open", 0, { { 0 } }, STATUS_IMPACT_NONE, STATUS_IMPACT_NONE,
	    0, 0 },
	{ "a mail server", 1, { { 1, { A("NC036", DOWN) } } },
	    STATUS_IMPACT_DOWN, STATUS_IMPACT_NONE, BIT(READ), BIT(RECEIVE) },
	{ "all that receive", 1,
	    { { 2, { A("NC036", DOWN), A("nc037", DOWN) } } },
	    STATUS_IMPACT_DOWN, STATUS_IMPACT_NONE, BIT(READ) | BIT(RECEIVE),
	    0 },
	{ "by two incidents", 2,
	    { { 1, { A("NC036", DOWN) } }, { 1, { A("NC037", DOWN) } } },
	    STATUS_IMPACT_DOWN, STATUS_IMPACT_NONE, BIT(READ) | BIT(RECEIVE),
	    0 },
	{ "in part", 1, { { 1, { A("NC036", PARTIAL) } } },
	    STATUS_IMPACT_PARTIAL, STATUS_IMPACT_NONE, 0,
	    BIT(READ) | BIT(RECEIVE) },
	{ "a shop is no mail", 1, { { 1, { A("SHOP", DOWN) } } },
	    STATUS_IMPACT_NONE, STATUS_IMPACT_DOWN, 0, 0 },
	{ "webmail is, by its check", 1, { { 1, { A("webmail", DEGRADED) } } },
	    STATUS_IMPACT_DEGRADED, STATUS_IMPACT_NONE, 0, BIT(WEBMAIL) },
	{ "each for itself", 2,
	    { { 1, { A("shop", DOWN) } }, { 1, { A("nc037", DEGRADED) } } },
	    STATUS_IMPACT_DEGRADED, STATUS_IMPACT_DOWN, 0, BIT(RECEIVE) },
	{ "the worst of two", 2,
	    { { 1, { A("nc036", DOWN) } }, { 1, { A("nc036", DEGRADED) } } },
	    STATUS_IMPACT_DOWN, STATUS_IMPACT_NONE, BIT(READ), BIT(RECEIVE) },
	{ "none says nothing", 1, { { 1, { A("nc036", NONE) } } },
	    STATUS_IMPACT_NONE, STATUS_IMPACT_NONE, 0, 0 },
	{ "internal ones by their role", 1, { { 1, { A("ldap", DOWN) } } },
	    STATUS_IMPACT_NONE, STATUS_IMPACT_DOWN, 0, 0 },
	{ "no system: mail has problems", 1, { { 0 } }, STATUS_IMPACT_DEGRADED,
	    STATUS_IMPACT_NONE, 0, 0 },
	{ "one that is gone, likewise", 1, { { 1, { A("gone", DOWN) } } },
	    STATUS_IMPACT_DEGRADED, STATUS_IMPACT_NONE, 0, 0 },
	{ "but not beside one that is there", 1,
	    { { 2, { A("gone", DOWN), A("shop", DOWN) } } }, STATUS_IMPACT_NONE,
	    STATUS_IMPACT_DOWN, 0, 0 },
	{ "one that is gone and well", 1, { { 1, { A("gone", NONE) } } },
	    STATUS_IMPACT_NONE, STATUS_IMPACT_NONE, 0, 0 },
};

TEST(incidents_are_about_mail_or_about_others)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct site_state t = { .systems = systems,
			.n_systems = ARRAY_LEN(systems) };
		const struct status_affects *open[2] = { &cases[i].open[0],
			&cases[i].open[1] };
		struct said s = said_from(&t, open, cases[i].n);

		CHECK(s.mail == cases[i].mail, cases[i].name);
		CHECK(s.others == cases[i].others, cases[i].name);
		CHECK(s.down == cases[i].down, cases[i].name);
		CHECK(s.ill == cases[i].ill, cases[i].name);
	}
}

TEST(without_a_list_of_systems_all_is_mail)
{
	struct site_state t = { 0 };
	const struct status_affects a = { 1, { A("nc036", DOWN) } };
	const struct status_affects *open[] = { &a };
	struct said s = said_from(&t, open, 1);

	CHECK(s.mail == STATUS_IMPACT_DOWN, "as it was said");
	CHECK(s.others == STATUS_IMPACT_NONE, "nothing of others");
}

TEST_MAIN(UNIT(incidents_are_about_mail_or_about_others),
    UNIT(without_a_list_of_systems_all_is_mail))
