/* SPDX-License-Identifier: ISC */
/*
 * tls_policy_test.c - what TLS has to be: every rule with every state of DANE
 * and of MTA-STS, against a table and against what must never be.
 */
#include "../../test.h"

#include "send/tls/tls_policy.h"

#define R(x) TLS_RULE_##x
#define D(x) DANE_##x
#define L(x) TLS_LEVEL_##x

/* clang-format off */
static const struct {
	enum tls_rule rule;
	enum dane_state dane;
	enum sts_fit sts;
	enum tls_level level;
	enum tls_source source;
	bool is_blocked;
} cases[] = {
	{ R(AUTO), D(ABSENT), STS_NONE, L(MAY), TLS_BY_DEFAULT, false },
	{ R(AUTO), D(USABLE), STS_NONE, L(DANE), TLS_BY_DANE, false },
	{ R(AUTO), D(UNUSABLE), STS_NONE, L(MUST), TLS_BY_DANE, false },
	{ R(AUTO), D(FAILED), STS_NONE, L(DANE), TLS_BY_DANE, true },
	{ R(AUTO), D(ABSENT), STS_ENFORCE, L(VERIFY), TLS_BY_STS, false },
	{ R(AUTO), D(ABSENT), STS_ENFORCE_MISFIT, L(VERIFY), TLS_BY_STS, true },
	{ R(AUTO), D(ABSENT), STS_TESTING, L(MAY), TLS_BY_DEFAULT, false },
	{ R(AUTO), D(ABSENT), STS_TESTING_MISFIT, L(MAY), TLS_BY_DEFAULT, false },
	{ R(AUTO), D(UNUSABLE), STS_ENFORCE, L(VERIFY), TLS_BY_STS, false },
	{ R(AUTO), D(UNUSABLE), STS_TESTING, L(MUST), TLS_BY_DANE, false },
	/* RFC 8461 section 2: DANE decides alone. */
	{ R(AUTO), D(USABLE), STS_ENFORCE, L(DANE), TLS_BY_DANE, false },
	{ R(AUTO), D(USABLE), STS_ENFORCE_MISFIT, L(DANE), TLS_BY_DANE, false },
	{ R(AUTO), D(FAILED), STS_ENFORCE, L(DANE), TLS_BY_DANE, true },
	{ R(MAY), D(USABLE), STS_ENFORCE_MISFIT, L(MAY), TLS_BY_RULE, false },
	{ R(MAY), D(FAILED), STS_NONE, L(MAY), TLS_BY_RULE, false },
	{ R(MUST), D(ABSENT), STS_NONE, L(MUST), TLS_BY_RULE, false },
	{ R(MUST), D(USABLE), STS_NONE, L(DANE), TLS_BY_DANE, false },
	{ R(MUST), D(ABSENT), STS_ENFORCE, L(VERIFY), TLS_BY_STS, false },
	{ R(VERIFY), D(ABSENT), STS_NONE, L(VERIFY), TLS_BY_RULE, false },
	{ R(VERIFY), D(UNUSABLE), STS_NONE, L(VERIFY), TLS_BY_RULE, false },
	{ R(VERIFY), D(USABLE), STS_NONE, L(DANE), TLS_BY_DANE, false },
	{ R(DANE), D(USABLE), STS_NONE, L(DANE), TLS_BY_DANE, false },
	{ R(DANE), D(ABSENT), STS_NONE, L(DANE), TLS_BY_RULE, true },
	{ R(DANE), D(UNUSABLE), STS_ENFORCE, L(DANE), TLS_BY_RULE, true },
	{ R(NEVER), D(USABLE), STS_ENFORCE, L(NEVER), TLS_BY_RULE, false },
};
/* clang-format on */

TEST(who_has_a_say)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tls_facts f = { cases[i].rule, cases[i].dane,
			cases[i].sts };
		struct tls_need need = tls_need_of(&f);
		char name[100];

		snprintf(name, sizeof(name), "%s, %s, %d", tls_rule_str(f.rule),
		    dane_state_str(f.dane), (int)f.sts);
		CHECK(need.level == cases[i].level, name);
		CHECK(need.source == cases[i].source, name);
		CHECK((need.blocked != NULL) == cases[i].is_blocked, name);
		CHECK(tls_level_str(need.level)[0] != '\0', name);
		CHECK(tls_source_str(need.source)[0] != '\0', name);
	}
}

TEST(nothing_weakens_but_the_rules_that_say_so)
{
	for (int rule = TLS_RULE_AUTO; rule <= TLS_RULE_NEVER; rule++)
		for (int dane = DANE_ABSENT; dane <= DANE_FAILED; dane++)
			for (int sts = STS_NONE; sts <= STS_ENFORCE_MISFIT;
			     sts++) {
				const struct tls_facts f = {
					(enum tls_rule)rule,
					(enum dane_state)dane, (enum sts_fit)sts
				};
				struct tls_need n = tls_need_of(&f);

				if (rule == TLS_RULE_MAY ||
				    rule == TLS_RULE_NEVER)
					continue;
				CHECK(dane != DANE_USABLE ||
					  n.level == TLS_LEVEL_DANE,
				    "DANE");
				CHECK(dane != DANE_FAILED || n.blocked != NULL,
				    "who cannot tell is not used");
				CHECK(dane == DANE_ABSENT ||
					  n.level >= TLS_LEVEL_MUST,
				    "records: never plainly");
				CHECK(sts < STS_ENFORCE ||
					  n.level >= TLS_LEVEL_VERIFY,
				    "MTA-STS");
				CHECK(rule != TLS_RULE_VERIFY ||
					  n.level >= TLS_LEVEL_VERIFY,
				    "verify");
				CHECK(rule != TLS_RULE_MUST ||
					  n.level >= TLS_LEVEL_MUST,
				    "must");
			}
}

TEST_MAIN(UNIT(who_has_a_say), UNIT(nothing_weakens_but_the_rules_that_say_so))
