/* SPDX-License-Identifier: ISC */
/* scram_verifier_test.c - the text form of RFC 5803 is read strictly. */
#include "../../test.h"
#include "proto/sasl/scram_verifier.h"

#define SALT   "W22ZaJ0SNY7soEsUEjb6gQ=="
#define STORED "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static const struct {
	const char *name, *in;
	bool ok;
} cases[] = {
	{ "good", "SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER, true },
	{ "empty", "", false },
	{ "scheme alone", "SCRAM-SHA-256$", false },
	{ "other scheme", "SCRAM-SHA-1$4096:" SALT "$" STORED ":" SERVER,
	    false },
	{ "too few rounds", "SCRAM-SHA-256$4095:" SALT "$" STORED ":" SERVER,
	    false },
	{ "too many rounds",
	    "SCRAM-SHA-256$10000001:" SALT "$" STORED ":" SERVER, false },
	{ "leading zero", "SCRAM-SHA-256$04096:" SALT "$" STORED ":" SERVER,
	    false },
	{ "short salt", "SCRAM-SHA-256$4096:AAAA$" STORED ":" SERVER, false },
	{ "short key", "SCRAM-SHA-256$4096:" SALT "$AAAA:" SERVER, false },
	{ "no server key", "SCRAM-SHA-256$4096:" SALT "$" STORED, false },
	{ "trailing", "SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER "=",
	    false },
	{ "loose base64",
	    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gR==$" STORED ":" SERVER,
	    false },
};

TEST(only_the_canonical_form_is_read)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scram_verifier v = { .iterations = 7 };
		struct buf b = BUF_INIT(KIB(1));

		CHECK(
		    scram_verifier_parse(str_c(cases[i].in), &v) == cases[i].ok,
		    cases[i].name);
		CHECK(cases[i].ok || v.iterations == 7, cases[i].name);
		if (cases[i].ok) {
			scram_verifier_format(&v, &b);
			CHECK(str_eq(buf_str(&b), str_c(cases[i].in)), "same");
		}
		buf_done(&b);
	}
}

TEST_MAIN(UNIT(only_the_canonical_form_is_read))
