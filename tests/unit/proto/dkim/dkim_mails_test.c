/* SPDX-License-Identifier: ISC */
/*
 * dkim_mails_test.c - old and new signed messages of the Perl module
 * Mail::DKIM, when they lie beside the repository.
 *
 * Most are of a time of SHA-1 and of short keys. They are judged twice: as
 * of today, when these are refused, and with these allowed, which shows that
 * canonical forms, selection and hashes are right. DomainKeys and the drafts
 * before RFC 4871 are no DKIM.
 */
#include "../../test.h"
#include "proto/dkim/dkim_verify.h"

#define FOLDER "../shared/testdata/dkim/"
#define NOW    1700000000

static const struct dkim_policy old_policy = {
	.rsa_bits_min = 384,
	.allows_sha1 = true,
	.allows_unsigned_body = true,
	.clock_skew_seconds = 600,
};

static bool
read_file(const char *name, struct buf *out)
{
	char *path = x_asprintf(FOLDER "%s", name);
	FILE *f = fopen(path, "rb");
	char part[4096];
	size_t n;

	free(path);
	if (!f)
		return false;
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(out, part, n);
	fclose(f);
	return true;
}

/* FAKE_DNS.dat: a name, blanks, and a record or how the look-up fails. */
static enum dkim_answer
look_up(struct str dns, struct str name, struct str *ret)
{
	struct str line, head, rest;

	while (dns.n) {
		dns = str_split(dns, '\n', &line);
		rest = str_trim(str_split(line, ' ', &head));
		if (!str_eq_case(head, name))
			continue;
		if (str_eq(rest, STR("NXDOMAIN")))
			return DKIM_ANSWER_NONE;
		if (str_starts(rest, STR("~~")))
			return DKIM_ANSWER_TEMPFAIL;
		*ret = str_eq(rest, STR("\"\"")) ? STR("") : rest;
		return DKIM_ANSWER_RECORD;
	}
	return DKIM_ANSWER_NONE;
}

/* The verdicts of all signatures, as "pass fail", or "none". */
static void
judge(const char *name, struct str dns, const struct dkim_policy *policy,
    struct buf *out)
{
	struct buf mail = BUF_INIT(MIB(1)), query = BUF_INIT(512);
	struct dkim_verifier *v;
	ptrdiff_t end;

	CHECK(read_file(name, &mail), name);
	end = str_search(buf_str(&mail), STR("\r\n\r\n"));
	v = dkim_verifier_new(end < 0
				  ? buf_str(&mail)
				  : str_first(buf_str(&mail), (size_t)end + 2),
	    policy);
	for (size_t i = 0; i < dkim_verifier_count(v); i++) {
		struct str record = STR_NONE;
		enum dkim_answer a;

		buf_reset(&query, 512);
		if (!dkim_verifier_query(v, i, &query))
			continue;
		a = look_up(dns, buf_str(&query), &record);
		dkim_verifier_key(v, i, a, record);
	}
	if (end >= 0)
		dkim_verifier_body(
		    v, str_from(buf_str(&mail), (size_t)end + 4));
	dkim_verifier_finish(v, NOW);
	for (size_t i = 0; i < dkim_verifier_count(v); i++) {
		const struct dkim_result *r = dkim_verifier_result(v, i);

		CHECK((r->verdict == DKIM_PASS) == (r->reason == NULL), name);
		if (i > 0)
			buf_put_char(out, ' ');
		buf_put_c(out, dkim_verdict_str(r->verdict));
	}
	if (dkim_verifier_count(v) == 0)
		buf_put_c(out, "none");
	dkim_verifier_free(v);
	buf_done(&mail);
	buf_done(&query);
}

/*
 * "v=0.5" and no "v=" are drafts: unknown, and broken. The key tag g=, on
 * which badkey_8 and badkey_12 turn, is no more since RFC 6376. Bodies of
 * badkey messages were edited, which is found before their key is read.
 */
/* clang-format off */
static const struct {
	const char *name;
	const char *want;     /* today */
	const char *want_old; /* with SHA-1 and short keys allowed */
} mails[] = {
	{ "bad_1.txt", "permerror", "permerror" },
	{ "bad_dk_1.txt", "none", "none" },
	{ "bad_dk_3.txt", "none", "none" },
	{ "bad_dk_5.txt", "none", "none" },
	{ "bad_ietf01_2.txt", "permerror", "permerror" },
	{ "badkey1_ed25519.txt", "fail", "fail" },
	{ "badkey3_ed25519.txt", "fail", "fail" },
	{ "badkey5_ed25519.txt", "fail", "fail" },
	{ "badkey_10.txt", "policy", "permerror" },
	{ "badkey_12.txt", "policy", "pass" },
	{ "badkey_14.txt", "policy", "fail" },
	{ "badkey_2.txt", "neutral", "neutral" },
	{ "badkey_4.txt", "neutral", "neutral" },
	{ "badkey_6.txt", "neutral", "neutral" },
	{ "badkey_8.txt", "policy", "pass" },
	{ "dk_headers_1.txt", "none", "none" },
	{ "dk_multiple_1.txt", "none", "none" },
	{ "good_83176.txt", "policy", "pass" },
	{ "good_dk_2.txt", "none", "none" },
	{ "good_dk_4.txt", "none", "none" },
	{ "good_dk_6.txt", "none", "none" },
	{ "good_dk_gmail.txt", "none", "none" },
	{ "good_ietf00_1.txt", "permerror", "permerror" },
	{ "good_ietf00_3.txt", "permerror", "permerror" },
	{ "good_ietf00_5.txt", "permerror", "permerror" },
	{ "good_ietf01_2.txt", "permerror", "permerror" },
	{ "good_qp_2.txt", "policy", "pass" },
	{ "good_rfc4871_3.txt", "policy", "pass" },
	{ "goodkey_1.txt", "policy", "pass" },
	{ "goodkey_3.txt", "policy", "pass" },
	{ "goodkey_ed25519.txt", "pass", "pass" },
	{ "ignore_2.txt", "neutral", "neutral" },
	{ "ignore_4.txt", "neutral", "neutral" },
	{ "ignore_6.txt", "neutral", "neutral" },
	{ "ignore_8.txt", "permerror", "permerror" },
	{ "mine_ietf01_2.txt", "permerror", "permerror" },
	{ "mine_ietf01_4.txt", "permerror", "permerror" },
	{ "multiple_1.txt", "permerror permerror permerror permerror", "permerror permerror permerror permerror" },
	{ "no_body_1.txt", "neutral", "neutral" },
	{ "no_body_3.txt", "neutral", "neutral" },
};
/* clang-format on */

TEST(messages_are_judged_as_they_should)
{
	struct buf dns = BUF_INIT(MIB(1));

	if (!read_file("FAKE_DNS.dat", &dns)) {
		print_message("skipped: no " FOLDER "\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_LEN(mails); i++) {
		struct buf got = BUF_INIT(100), got_old = BUF_INIT(100);

		judge(mails[i].name, buf_str(&dns), NULL, &got);
		judge(mails[i].name, buf_str(&dns), &old_policy, &got_old);
		CHECK(
		    str_eq(buf_str(&got), str_c(mails[i].want)), mails[i].name);
		CHECK(str_eq(buf_str(&got_old), str_c(mails[i].want_old)),
		    mails[i].name);
		buf_done(&got);
		buf_done(&got_old);
	}
	buf_done(&dns);
}

TEST_MAIN(UNIT(messages_are_judged_as_they_should))
