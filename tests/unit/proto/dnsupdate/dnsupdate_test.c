/* SPDX-License-Identifier: ISC */
/* dnsupdate_test.c - names, messages, key files and signatures. */
#include "../../test.h"
#include "proto/dnsupdate/dnsupdate_tsig.h"

#define NOW 1795392000

static struct arena arena;

static int
setup(UNUSED void **state)
{
	arena_init(&arena, MIB(1));
	return 0;
}

static int
teardown(UNUSED void **state)
{
	arena_done(&arena);
	return 0;
}

/* --- names ---------------------------------------------------------------- */

TEST(names_have_one_text)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "Example.ORG.", "example.org" },
		{ ".", "" },
		{ "_25._tcp.a-b.example", "_25._tcp.a-b.example" },
		{ "a\\046b.example", "a\\046b.example" },
		{ "\\065.\\000", "a.\\000" },
		{ "*.example", "\\042.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf wire = BUF_INIT(300), text = BUF_INIT(1100);
		size_t at = 0;

		CHECK(
		    dnsupdate_name_put(str_c(cases[i].in), &wire), cases[i].in);
		CHECK(dnsupdate_name_read(buf_str(&wire), &at, &text),
		    cases[i].in);
		assert_string_equal(buf_c(&text), cases[i].out);
		assert_int_equal(at, wire.n);
		buf_done(&wire);
		buf_done(&text);
	}
}

TEST(what_is_no_name_is_refused)
{
	static const char *const cases[] = { "a..b", ".a", "a\\", "a\\1",
		"\\256",
		("0123456789012345678901234567890123456789012345678901234567890"
		 "123.example") };
	struct buf wire = BUF_INIT(300), name = BUF_INIT(300);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(!dnsupdate_name_put(str_c(cases[i]), &wire), cases[i]);
	/* 255 bytes are a name, 256 are none. */
	for (int i = 0; i < 126; i++)
		buf_put_c(&name, "a.");
	assert_true(
	    dnsupdate_name_put(str_first(buf_str(&name), name.n - 1), &wire));
	buf_put_c(&name, "a");
	buf_reset(&wire, 300);
	assert_true(dnsupdate_name_put(buf_str(&name), &wire));
	buf_put_c(&name, "a");
	assert_false(dnsupdate_name_put(buf_str(&name), &wire));
	buf_done(&wire);
	buf_done(&name);
}

static bool
reads(const char *bytes, size_t n, size_t at, const char *want)
{
	struct buf text = BUF_INIT(1100);
	bool ok = dnsupdate_name_read(str_make(bytes, n), &at, &text) &&
	          str_eq(buf_str(&text), str_c(want));

	buf_done(&text);
	return ok;
}

TEST(pointers_lead_backwards_only)
{
	static const char good[] = "\1b\0\1a\xc0\0";
	static const char self[] = "\xc0\0";
	static const char forward[] = "\xc0\2\1a\0";
	static const char loop[] = "\1a\xc0\0";
	static const char overlap[] = "\4a\xc0\0b\xc0\2";
	static const char cut[] = "\1b\0\xc0";

	assert_true(reads(good, 7, 3, "a.b"));
	assert_false(reads(self, 2, 0, ""));
	assert_false(reads(forward, 5, 0, "a"));
	assert_false(reads(loop, 4, 0, ""));
	assert_false(reads(overlap, 7, 5, ""));
	assert_false(reads(cut, 4, 3, "b"));
	assert_false(reads("\5abc", 4, 0, "abc"));
	assert_false(reads("\x41"
			   "a\0",
	    3, 0, "a"));
}

TEST(parents_go_up_to_the_root)
{
	struct str s = STR("a.b.c");

	s = dnsupdate_name_parent(s);
	assert_true(str_eq(s, STR("b.c")));
	s = dnsupdate_name_parent(dnsupdate_name_parent(s));
	assert_int_equal(s.n, 0);
	assert_int_equal(dnsupdate_name_parent(s).n, 0);
}

/* --- messages -------------------------------------------------------------- */

TEST(an_update_is_as_RFC_2136_says)
{
	static const char want[] = "\x12\x34\x28\0\0\1\0\3\0\2\0\0"
				   "\1z\0\0\6\0\1"
				   "\1a\1z\0\0\x10\0\1\0\0\0\0\0\2\1x"
				   "\1b\1z\0\0\x10\0\xfe\0\0\0\0\0\0"
				   "\1c\1z\0\0\xff\0\xfe\0\0\0\0\0\0"
				   "\1a\1z\0\0\x10\0\xfe\0\0\0\0\0\2\1x"
				   "\1a\1z\0\0\x10\0\1\0\0\x0e\x10\0\2\1y";
	struct dnsupdate u;

	dnsupdate_init(&u, 0x1234, STR("z"));
	dnsupdate_if_record(&u, STR("a.z"), 16, STR("\1x"));
	dnsupdate_if_none(&u, STR("b.z"), 16);
	dnsupdate_if_unused(&u, STR("c.z"));
	dnsupdate_delete(&u, STR("a.z"), 16, STR("\1x"));
	dnsupdate_add(&u, STR("a.z"), 16, 3600, STR("\1y"));
	assert_true(dnsupdate_finish(&u));
	assert_int_equal(u.out.n, sizeof(want) - 1);
	assert_memory_equal(u.out.p, want, u.out.n);
	dnsupdate_done(&u);
}

TEST(an_update_that_does_not_fit_fails)
{
	char large[DNSUPDATE_DATA_MAX + 1] = { 0 };
	struct dnsupdate u;

	dnsupdate_init(&u, 1, STR("z"));
	dnsupdate_add(&u, STR("a..z"), 16, 1, STR("x"));
	assert_false(dnsupdate_finish(&u));
	dnsupdate_done(&u);
	dnsupdate_init(&u, 1, STR("z"));
	dnsupdate_add(&u, STR("z"), 16, 1, str_make(large, sizeof(large)));
	assert_false(dnsupdate_finish(&u));
	dnsupdate_done(&u);
	dnsupdate_init(&u, 1, STR("z"));
	for (int i = 0; i < 4; i++)
		dnsupdate_add(
		    &u, STR("z"), 16, 1, str_make(large, DNSUPDATE_DATA_MAX));
	assert_false(dnsupdate_finish(&u));
	dnsupdate_done(&u);
}

/* A reply about z: MX of z with a compressed name, the SOA in authority. */
#define REPLY_HEAD "\x12\x34\x84\0\0\1\0\1\0\1\0\0\1z\0\0\x0f\0\1"
#define REPLY_MX   "\xc0\x0c\0\x0f\0\1\0\0\0\x4d\0\6\0\5\1M\xc0\x0c"
#define REPLY_SOA \
	"\xc0\x0c\0\6\0\1\0\0\0\1\0\x1c\1n\xc0\x0c\1h\xc0\x0c\0\0\0\7" \
	"\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"

static bool
parse(struct str message, struct dnsupdate_reply *r)
{
	arena_reset(&arena);
	return dnsupdate_reply_parse(message, &arena, r);
}

TEST(a_reply_is_read_with_its_names_whole)
{
	struct str message = STR(REPLY_HEAD REPLY_MX REPLY_SOA);
	struct buf primary = BUF_INIT(1100);
	struct dnsupdate_reply r;
	uint32_t serial = 0;

	/* 20 bytes of numbers behind two names of 4 bytes each. */
	assert_true(parse(message, &r));
	assert_int_equal(r.id, 0x1234);
	assert_true(r.is_authoritative && !r.is_cut && !r.has_tsig);
	assert_int_equal(r.n_answer, 1);
	assert_true(str_eq(r.answer[0].name, STR("z")));
	assert_int_equal(r.answer[0].ttl, 77);
	assert_true(str_eq(r.answer[0].data, str_make("\0\5\1m\1z\0", 7)));
	assert_int_equal(r.n_authority, 1);
	assert_true(dnsupdate_read_soa(r.authority[0].data, &primary, &serial));
	assert_string_equal(buf_c(&primary), "n.z");
	assert_int_equal(serial, 7);
	buf_done(&primary);
	for (size_t n = 0; n < message.n; n++)
		assert_false(parse(str_first(message, n), &r));
	assert_false(parse(STR(REPLY_HEAD REPLY_MX REPLY_SOA "x"), &r));
}

TEST(what_is_no_reply_is_refused)
{
	struct dnsupdate_reply r;

	/* A question, two questions, too many records. */
	assert_false(
	    parse(str_make("\0\1\0\0\0\1\0\0\0\0\0\0\0\0\1\0\1", 17), &r));
	assert_false(
	    parse(str_make("\0\1\x80\0\0\2\0\0\0\0\0\0\0\0\1\0\1", 17), &r));
	assert_false(parse(str_make("\0\1\x80\0\0\0\xff\xff\0\0\0\0", 12), &r));
	assert_true(parse(str_make("\0\1\x80\5\0\0\0\0\0\0\0\0", 12), &r));
	assert_int_equal(r.rcode, DNSUPDATE_REFUSED);
}

TEST(codes_have_names)
{
	char to[16];

	assert_string_equal(dnsupdate_rcode_name(9, to), "NOTAUTH");
	assert_string_equal(dnsupdate_rcode_name(18, to), "BADTIME");
	assert_string_equal(dnsupdate_rcode_name(11, to), "RCODE 11");
	assert_string_equal(dnsupdate_rcode_name(70000, to), "RCODE 4464");
}

/* --- keys --------------------------------------------------------------------- */

TEST(key_files_of_all_kinds)
{
	static const struct {
		const char *text, *name;
		enum crypt_mac mac;
	} good[] = {
		{ "key \"Up.Date\" {\n\talgorithm hmac-sha256;\n\tsecret "
		  "\"MDEyMzQ1Njc=\";\n};\n",
		    "up.date", CRYPT_MAC_SHA256 },
		{ "// by tsig-keygen\nkey k { /* x */ secret MDEyMzQ1Njc=; "
		  "algorithm \"HMAC-SHA512.\"; };",
		    "k", CRYPT_MAC_SHA512 },
		{ "# hmac-sha384:k.e:MDEyMzQ1Njc=\nkey:\n- id: k.e\n  "
		  "algorithm: hmac-sha384\n  secret: MDEyMzQ1Njc=\n",
		    "k.e", CRYPT_MAC_SHA384 },
		{ "key:\n  - id: 'k'\n    secret: \"MDEyMzQ1Njc=\"\n    "
		  "algorithm: hmac-sha256",
		    "k", CRYPT_MAC_SHA256 },
		{ "hmac-sha512:k.:MDEyMzQ1Njc=\n", "k", CRYPT_MAC_SHA512 },
		{ "\n k:MDEyMzQ1Njc=", "k", CRYPT_MAC_SHA256 },
	};
	struct dnsupdate_key k;
	const char *why = "";

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CHECK(dnsupdate_key_parse(str_c(good[i].text), &k, &why), why);
		assert_string_equal(k.name, good[i].name);
		assert_int_equal(k.mac, good[i].mac);
		assert_true(str_eq(secret_str(&k.secret), STR("01234567")));
		dnsupdate_key_done(&k);
	}
}

TEST(what_is_no_key_file_is_refused_with_a_reason)
{
	static const char *const bad[][2] = {
		{ "", "name" },
		{ "key", "name" },
		{ "key a { algorithm hmac-sha256; };", "base64" },
		{ "key a { secret MDEyMzQ1Njc=; };", "algorithm" },
		{ "key a { algorithm hmac-sha1; secret MDEyMzQ1Njc=; };",
		    "algorithm" },
		{ "a:MDEyMzQ1Ng==", "too short" },
		{ "a:MDEyMzQ1Nj", "base64" },
		{ "hmac-sha256::MDEyMzQ1Njc=", "name" },
		{ "key a { algorithm hmac-sha256; secret MDEyMzQ1Njc=; };\n"
		  "key b { };",
		    "more than one" },
		{ "key:\n- id: a\n  secret: MDEyMzQ1Njc=\n- id: b\n",
		    "more than one" },
		{ "zone \"a\" { };", "no key file" },
		{ "/* without end", "name" },
		{ "\"without end", "no key file" },
	};
	struct dnsupdate_key k = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *why = "";

		CHECK(!dnsupdate_key_parse(str_c(bad[i][0]), &k, &why),
		    bad[i][0]);
		CHECK(strstr(why, bad[i][1]), why);
		assert_null(k.name);
	}
}

/* --- signatures ------------------------------------------------------------------ */

static struct dnsupdate_key
test_key(const char *text)
{
	struct dnsupdate_key k = { 0 };
	const char *why = "";

	CHECK(dnsupdate_key_parse(str_c(text), &k, &why), why);
	return k;
}

#define MAC_AT 66 /* in the question */
/* By dnspython, with the same key and time. */
static const char signed_question[104] =
    "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01\x61\x07\x65"
    "\x78\x61\x6d\x70\x6c\x65\x00\x00\x0f\x00\x01\x03\x6b\x65\x79\xc0"
    "\x0e\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x3d\x0b\x68\x6d\x61\x63"
    "\x2d\x73\x68\x61\x32\x35\x36\x00\x00\x00\x6b\x03\x82\x00\x01\x2c"
    "\x00\x20\xb6\x2d\xa2\x0f\xda\xe0\x6c\xe7\x7d\xdd\xc1\x25\x66\xe4"
    "\x6e\x3f\x08\x2d\x55\xd4\xe8\xff\x2b\xcd\x32\xda\xc0\x28\x73\x59"
    "\x4d\x23\x12\x34\x00\x00\x00\x00";

static const char signed_reply[122] =
    "\x12\x34\x85\x00\x00\x01\x00\x01\x00\x00\x00\x01\x01\x61\x07\x65"
    "\x78\x61\x6d\x70\x6c\x65\x00\x00\x0f\x00\x01\xc0\x0c\x00\x0f\x00"
    "\x01\x00\x00\x00\x3c\x00\x06\x00\x0a\x01\x62\xc0\x0e\x03\x6b\x65"
    "\x79\xc0\x0e\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x3d\x0b\x68\x6d"
    "\x61\x63\x2d\x73\x68\x61\x32\x35\x36\x00\x00\x00\x6b\x03\x82\x00"
    "\x01\x2c\x00\x20\xa9\x2f\x70\x17\x21\xbf\x25\xdf\xac\x89\x8c\x8c"
    "\xcd\x25\xb8\x00\x23\xd0\xb1\xbf\x59\xdd\x50\xe7\xe9\x90\xdb\x37"
    "\xae\xfb\x6e\x89\x12\x34\x00\x00\x00\x00";

TEST(a_signature_is_that_of_another_implementation)
{
	struct dnsupdate_key k =
	    test_key("hmac-sha256:key.example:MDEyMzQ1Njc4OWFiY2RlZg==");
	struct buf message = BUF_INIT(KIB(4));
	struct dnsupdate_reply r;
	struct crypt_sum mac;
	struct str reply = str_make(signed_reply, sizeof(signed_reply));

	assert_true(
	    dnsupdate_put_question(0x1234, STR("a.example"), 15, &message));
	/* dnspython asks for recursion. */
	message.p[2] = 1;
	assert_true(dnsupdate_sign(&k, NOW, &message, &mac));
	/* It compresses the key's name, which is not signed that way. */
	assert_int_equal(
	    message.n, sizeof(signed_question) + strlen("example"));
	assert_memory_equal(mac.v, signed_question + MAC_AT, mac.n);
	assert_true(parse(reply, &r));
	assert_int_equal(
	    dnsupdate_verify(&k, NOW, reply, &r, &mac), DNSUPDATE_SIGNED);
	assert_int_equal(
	    dnsupdate_verify(&k, NOW + 300, reply, &r, &mac), DNSUPDATE_SIGNED);
	assert_int_equal(dnsupdate_verify(&k, NOW + 301, reply, &r, &mac),
	    DNSUPDATE_OTHER_TIME);
	assert_int_equal(dnsupdate_verify(&k, NOW - 301, reply, &r, &mac),
	    DNSUPDATE_OTHER_TIME);
	/* The reply to another question. */
	mac.v[0] ^= 1;
	assert_int_equal(dnsupdate_verify(&k, NOW, reply, &r, &mac),
	    DNSUPDATE_BAD_SIGNATURE);
	dnsupdate_key_done(&k);
	buf_done(&message);
}

TEST(a_bit_that_changed_is_seen)
{
	struct dnsupdate_key k =
	    test_key("hmac-sha256:key.example:MDEyMzQ1Njc4OWFiY2RlZg==");
	char copy[sizeof(signed_reply)];
	struct str reply = str_make(copy, sizeof(copy));
	struct buf message = BUF_INIT(KIB(4));
	struct dnsupdate_reply r;
	struct crypt_sum mac;
	size_t passed = 0;

	assert_true(
	    dnsupdate_put_question(0x1234, STR("a.example"), 15, &message));
	message.p[2] = 1;
	assert_true(dnsupdate_sign(&k, NOW, &message, &mac));
	for (size_t bit = 0; bit < 8 * sizeof(copy); bit++) {
		memcpy(copy, signed_reply, sizeof(copy));
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		passed += parse(reply, &r) && dnsupdate_verify(&k, NOW, reply,
						  &r, &mac) == DNSUPDATE_SIGNED;
	}
	/* The id, in whose place the signature has its own, and the case of
	 * the letters in the key's and the algorithm's names. */
	assert_int_equal(passed, 16 + strlen("keyhmacsha"));
	dnsupdate_key_done(&k);
	buf_done(&message);
}

TEST(other_keys_and_none_are_told_apart)
{
	struct dnsupdate_key other =
	    test_key("hmac-sha256:other:MDEyMzQ1Njc4OWFiY2RlZg==");
	struct dnsupdate_key longer =
	    test_key("hmac-sha512:key.example:MDEyMzQ1Njc4OWFiY2RlZg==");
	struct dnsupdate_key secret =
	    test_key("hmac-sha256:key.example:MDEyMzQ1Njc4OWFiY2RlZw==");
	struct str reply = str_make(signed_reply, sizeof(signed_reply));
	struct str plain = str_make("\x12\x34\x84\0\0\0\0\0\0\0\0\0", 12);
	struct crypt_sum mac = { .n = 32 };
	struct dnsupdate_reply r;

	assert_true(parse(reply, &r));
	assert_int_equal(dnsupdate_verify(&other, NOW, reply, &r, &mac),
	    DNSUPDATE_OTHER_KEY);
	assert_int_equal(dnsupdate_verify(&longer, NOW, reply, &r, &mac),
	    DNSUPDATE_OTHER_KEY);
	assert_int_equal(dnsupdate_verify(&secret, NOW, reply, &r, &mac),
	    DNSUPDATE_BAD_SIGNATURE);
	assert_true(parse(plain, &r));
	assert_int_equal(dnsupdate_verify(&other, NOW, plain, &r, &mac),
	    DNSUPDATE_NOT_SIGNED);
	dnsupdate_key_done(&other);
	dnsupdate_key_done(&longer);
	dnsupdate_key_done(&secret);
}

TEST(the_servers_time_is_read)
{
	struct dnsupdate_tsig t = { .error = DNSUPDATE_BADTIME,
		.other = STR("\0\1\0\0\0\2") };
	uint64_t time = 0;

	assert_true(dnsupdate_server_time(&t, &time));
	assert_int_equal(time, (UINT64_C(1) << 32) + 2);
	t.other = STR("\0\1");
	assert_false(dnsupdate_server_time(&t, &time));
	t = (struct dnsupdate_tsig){ .error = DNSUPDATE_BADSIG,
		.other = STR("\0\1\0\0\0\2") };
	assert_false(dnsupdate_server_time(&t, &time));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { UNIT(names_have_one_text),
		UNIT(what_is_no_name_is_refused),
		UNIT(pointers_lead_backwards_only),
		UNIT(parents_go_up_to_the_root),
		UNIT(an_update_is_as_RFC_2136_says),
		UNIT(an_update_that_does_not_fit_fails),
		UNIT(a_reply_is_read_with_its_names_whole),
		UNIT(what_is_no_reply_is_refused), UNIT(codes_have_names),
		UNIT(key_files_of_all_kinds),
		UNIT(what_is_no_key_file_is_refused_with_a_reason),
		UNIT(a_signature_is_that_of_another_implementation),
		UNIT(a_bit_that_changed_is_seen),
		UNIT(other_keys_and_none_are_told_apart),
		UNIT(the_servers_time_is_read) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
