/* SPDX-License-Identifier: ISC */
/*
 * prepare_test.c - what a message is when it leaves: what it asks of a server,
 * in whose name it goes, what a helper thread makes of it.
 */
#include "../../test.h"

#include "proto/dkim/dkim_verify.h"
#include "proto/smtp/smtp_client_body.h"
#include "send/message/prepare_job.h"

#include <sys/mman.h>
#include <unistd.h>

#define NOW 1790000000

/* --- content ------------------------------------------------------------------ */

#define X100 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X900 X100 X100 X100 X100 X100 X100 X100 X100 X100
#define X98 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define BYTES(s) \
	{ \
		(s), sizeof(s) - 1 \
	}

static const struct {
	const char *name;
	struct str in;
	bool utf8_header, has_8bit, binary, long_line;
} contents[] = {
	{ "nothing", BYTES(""), 0, 0, 0, 0 },
	{ "ASCII", BYTES("A: b\r\n\r\nc\r\n"), 0, 0, 0, 0 },
	{ "UTF-8 above", BYTES("A: \xc3\xa4\r\n\r\nc\r\n"), 1, 0, 0, 0 },
	{ "UTF-8 below", BYTES("A: b\r\n\r\n\xc3\xa4\r\n"), 0, 1, 0, 0 },
	{ "no header", BYTES("\r\n\xc3\xa4"), 0, 1, 0, 0 },
	{ "NUL", BYTES("A: b\r\n\r\nc\0d\r\n"), 0, 0, 1, 0 },
	{ "bare LF", BYTES("A: b\r\n\r\nc\nd\r\n"), 0, 0, 1, 0 },
	{ "bare CR", BYTES("A: b\r\n\r\nc\rd\r\n"), 0, 0, 1, 0 },
	{ "CR twice", BYTES("A: b\r\n\r\nc\r\r\n"), 0, 0, 1, 0 },
	{ "CR at the end", BYTES("A: b\r\n\r\nc\r"), 0, 0, 1, 0 },
	{ "just fits", BYTES("A: b\r\n\r\n" X900 X98 "\r\n"), 0, 0, 0, 0 },
	{ "one too long", BYTES("A: b\r\n\r\n" X900 X98 "x\r\n"), 0, 0, 0, 1 },
	{ "a long field", BYTES("A: " X900 X100 "\r\n\r\nb\r\n"), 0, 0, 0, 0 },
};

static void
check_content(size_t i, size_t step)
{
	struct content c = { 0 };

	for (size_t at = 0; at < contents[i].in.n; at += step)
		content_feed(&c, str_sub(contents[i].in, at, step));
	content_finish(&c);
	CHECK(c.has_utf8_header == contents[i].utf8_header, contents[i].name);
	CHECK(c.has_8bit == contents[i].has_8bit, contents[i].name);
	CHECK(c.has_binary == contents[i].binary, contents[i].name);
	CHECK(c.has_long_line == contents[i].long_line, contents[i].name);
}

TEST(content_is_seen_however_it_is_split)
{
	for (size_t i = 0; i < ARRAY_LEN(contents); i++)
		for (size_t step = 1; step < 12; step++)
			check_content(i, step);
}

/* By eights, and byte by byte: the same. */
TEST(content_is_seen_wherever_it_stands)
{
	static const char odd[] = { '\0', '\t', '\n', '\r', '\x1f', '\x7f',
		'\x80', '\xff' };
	char text[] = "A: b\r\n\r\nThe quick brown fox jumps over it.\r\n";
	const size_t n = sizeof(text) - 1;

	for (size_t at = 0; at < n; at++)
		for (size_t o = 0; o < sizeof(odd); o++) {
			struct content all = { 0 }, each = { 0 };
			char was = text[at];

			text[at] = odd[o];
			content_feed(&all, str_make(text, n));
			for (size_t i = 0; i < n; i++)
				content_feed(&each, str_make(text + i, 1));
			text[at] = was;
			content_finish(&all);
			content_finish(&each);
			CHECK(memcmp(&all, &each, sizeof(all)) == 0, "same");
		}
}

static const struct {
	const char *name;
	struct content c;
	unsigned can;
	bool is_kept, want;
} fits[] = {
	{ "ASCII goes anywhere", { 0 }, 0, false, false },
	{ "8-bit needs 8BITMIME", { .has_8bit = true }, 0, false, true },
	{ "and has it", { .has_8bit = true }, PREPARE_8BIT, false, false },
	{ "a server that lacks it gets no forward either", { .has_8bit = true },
	    0, true, true },
	{ "binary is more", { .has_binary = true }, PREPARE_8BIT, false, true },
	{ "binary", { .has_binary = true }, PREPARE_8BIT | PREPARE_BINARY,
	    false, false },
	{ "long lines break", { .has_long_line = true }, PREPARE_8BIT, false,
	    true },
	{ "but others' stay", { .has_long_line = true }, PREPARE_8BIT, true,
	    false },
};

TEST(a_message_is_converted_where_the_server_needs_it)
{
	for (size_t i = 0; i < ARRAY_LEN(fits); i++)
		CHECK(prepare_is_unfit(&fits[i].c, fits[i].can,
			  fits[i].is_kept) == fits[i].want,
		    fits[i].name);
}

/* --- identity ------------------------------------------------------------------- */

static const struct {
	const char *name, *header, *mail_from, *via;
	uint64_t account;
	bool is_unchecked;
	enum identity_kind kind;
	const char *want; /* domains with blanks between */
} names[] = {
	{ "author first, then sender", "From: A <a@one.example>\r\n\r\n",
	    "a@two.example", "", 7, false, IDENTITY_AUTHOR,
	    "one.example two.example" },
	{ "the same one once", "From: a@One.example\r\n\r\n", "b@one.example",
	    "", 7, false, IDENTITY_AUTHOR, "One.example" },
	{ "several authors", "From: a@one.example, G: b@two.example;\r\n\r\n",
	    "c@z.example", "", 7, false, IDENTITY_AUTHOR,
	    "one.example two.example z.example" },
	{ "an author nobody has checked", "From: a@one.example\r\n\r\n",
	    "b@two.example", "", 7, true, IDENTITY_AUTHOR, "two.example" },
	{ "whose domain is the sender's", "From: a@two.example\r\n\r\n",
	    "b@two.example", "", 7, true, IDENTITY_AUTHOR, "two.example" },
	{ "nothing to check against", "From: a@one.example\r\n\r\n", "", "", 7,
	    true, IDENTITY_AUTHOR, "" },
	{ "no From", "To: a@one.example\r\n\r\n", "b@two.example", "", 7, false,
	    IDENTITY_AUTHOR, "two.example" },
	{ "a bounce of ours", "From: MAILER-DAEMON@mx.host.example\r\n\r\n", "",
	    "", 0, false, IDENTITY_AUTHOR, "mx.host.example host.example" },
	{ "a stranger's, forwarded", "From: a@one.example\r\n\r\n",
	    "a@one.example", "alias.example", 0, false, IDENTITY_FORWARD,
	    "alias.example mx.host.example host.example" },
};

TEST(a_message_goes_in_the_right_name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct identity_input in = {
			.header = str_c(names[i].header),
			.mail_from = str_c(names[i].mail_from),
			.via = str_c(names[i].via),
			.account = names[i].account,
			.hostname = STR("mx.host.example"),
			.is_from_checked = !names[i].is_unchecked,
		};
		struct buf got = BUF_INIT(KIB(1));
		struct identity id;
		struct arena a;

		arena_init(&a, IDENTITY_ARENA);
		identity_find(&in, &a, &id);
		for (size_t k = 0; k < id.n; k++) {
			buf_put_c(&got, k > 0 ? " " : "");
			buf_put_str(&got, id.domains[k]);
		}
		CHECK(id.kind == names[i].kind, names[i].name);
		CHECK(
		    str_eq(buf_str(&got), str_c(names[i].want)), names[i].name);
		buf_done(&got);
		arena_done(&a);
	}
}

/* --- letters -------------------------------------------------------------------- */

static int
file_of(struct str s)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd < 0 || write(fd, s.p, s.n) != (ssize_t)s.n)
		die("no file for the test");
	return fd;
}

/* The first n bytes in memory, the rest in a file. */
static struct letter
letter_of(struct str s, size_t n)
{
	struct letter l = LETTER_NONE;

	l.data = BUF_INIT(KIB(64));
	buf_put_str(&l.data, str_first(s, n));
	if (n < s.n)
		l.fd = file_of(str_from(s, n));
	l.size = s.n;
	return l;
}

TEST(a_letter_reads_the_same_wherever_it_is_cut)
{
	const struct str s = STR("A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore\r\n");

	for (size_t n = 0; n <= s.n; n++) {
		struct buf all = BUF_INIT(KIB(1)), bytes = BUF_INIT(KIB(128));
		struct letter l = letter_of(s, n);
		struct str header;

		CHECK(letter_read(&l, &all) && str_eq(buf_str(&all), s), "all");
		CHECK(letter_header(&l, &bytes, &header), "header");
		CHECK(str_eq(header, STR("A: b\r\nC: d\r\n\r\n")), "header");
		buf_done(&all);
		buf_done(&bytes);
		letter_done(&l);
		CHECK(l.fd < 0 && l.data.p == NULL, "done");
	}
}

TEST(a_header_over_the_limit_is_none)
{
	struct letter l = LETTER_NONE;
	struct buf bytes = BUF_INIT(LETTER_HEADER_MAX + KIB(64));
	struct buf big = BUF_INIT(LETTER_HEADER_MAX + KIB(1));
	struct str header;

	while (big.n <= LETTER_HEADER_MAX)
		buf_put_c(&big, "A: b\r\n");
	l.fd = file_of(buf_str(&big));
	l.size = big.n;
	CHECK(!letter_header(&l, &bytes, &header), "too long");
	buf_done(&bytes);
	buf_done(&big);
	letter_done(&l);
}

TEST(a_letter_is_counted_until_it_is_done)
{
	struct letter l = letter_of(STR("A: b\r\n\r\nc\r\n"), 4);
	uint64_t counter = 100;

	letter_count(&l, &counter);
	CHECK(counter == 111, "counted");
	letter_done(&l);
	CHECK(counter == 100, "done");
	letter_done(&l);
	CHECK(counter == 100, "once");
}

/* --- the work -------------------------------------------------------------------- */

static struct keyset
make_keys(void)
{
	struct keyset k = { .refs = 1, .n = 2 };

	k.domain = x_strdup("one.example");
	k.keys[0] = (struct dkim_sign_key){ STR("r"),
		crypt_key_generate(CRYPT_RSA, 1024) };
	k.keys[1] = (struct dkim_sign_key){ STR("e"),
		crypt_key_generate(CRYPT_ED25519, 0) };
	return k;
}

static void
done_keys(struct keyset *k)
{
	for (size_t i = 0; i < k->n; i++)
		crypt_key_free((struct crypt_key *)(uintptr_t)k->keys[i].key);
	free(k->domain);
}

/* Both signatures of what went out, as a server with DATA sees it. */
static bool
is_verified(const struct letter *l, const struct keyset *keys)
{
	struct buf all = BUF_INIT(MIB(2)), seen = BUF_INIT(MIB(4));
	struct smtp_client_body lines = { .has_no_dots = true };
	struct dkim_verifier *v;
	ptrdiff_t body;
	bool ok;

	buf_put_str(&all, buf_str(&l->top));
	ok = letter_read(l, &all);
	smtp_client_body_put(&lines, buf_str(&all), &seen);
	body = str_search(buf_str(&seen), STR("\r\n\r\n")) + 4;
	v = dkim_verifier_new(str_first(buf_str(&seen), (size_t)body), NULL);
	ok = ok && dkim_verifier_count(v) == keys->n;
	for (size_t i = 0; ok && i < keys->n; i++) {
		struct buf record = BUF_INIT(KIB(4));

		dkim_key_format(keys->keys[i].key, &record);
		dkim_verifier_key(v, i, DKIM_ANSWER_RECORD, buf_str(&record));
		buf_done(&record);
	}
	dkim_verifier_body(v, str_from(buf_str(&seen), (size_t)body));
	dkim_verifier_finish(v, NOW);
	for (size_t i = 0; ok && i < keys->n; i++)
		ok = dkim_verifier_result(v, i)->verdict == DKIM_PASS;
	dkim_verifier_free(v);
	buf_done(&all);
	buf_done(&seen);
	return ok;
}

static const struct {
	const char *name;
	struct str in;
	unsigned can;
	bool is_converted;
} works[] = {
	{ "plain", BYTES("From: a@one.example\r\n\r\n.dots\r\n..\r\n"), 0,
	    false },
	{ "no body", BYTES("From: a@one.example\r\n\r\n"), 0, false },
	{ "no end of the line", BYTES("From: a@one.example\r\n\r\nc"), 0,
	    false },
	{ "8-bit", BYTES("From: a@one.example\r\n\r\n\xc3\xa4\r\n"),
	    PREPARE_8BIT, false },
	{ "down to 7", BYTES("From: a@one.example\r\n\r\n\xc3\xa4\r\n"), 0,
	    true },
	{ "a long line", BYTES("From: a@one.example\r\n\r\n" X900 X100 "\r\n"),
	    PREPARE_8BIT, true },
	{ "bare line ends", BYTES("From: a@one.example\r\n\r\nb\nc\rd\r\n"), 0,
	    true },
};

/* Wherever it is cut between memory and file. */
TEST(what_is_signed_verifies_as_it_goes_out)
{
	struct keyset keys = make_keys();

	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		for (size_t n = 0; n <= works[i].in.n; n += 9) {
			struct prepare_work w = { .can = works[i].can,
				.signs = true,
				.keys = &keys,
				.hostname = STR("mx.example"),
				.now = NOW };

			w.letter = letter_of(works[i].in, n);
			prepare_work(&w);
			CHECK(w.result == PREPARE_OK, works[i].name);
			CHECK(w.is_converted == works[i].is_converted,
			    works[i].name);
			CHECK(is_verified(&w.letter, &keys), works[i].name);
			letter_done(&w.letter);
		}
	done_keys(&keys);
}

TEST(without_keys_a_message_goes_as_it_is)
{
	struct prepare_work w = { .signs = true };

	w.letter = letter_of(STR("From: a@one.example\r\n\r\nb\r\n"), 10);
	prepare_work(&w);
	CHECK(w.result == PREPARE_OK && w.letter.top.n == 0, "unsigned");
	letter_done(&w.letter);
}

TEST(a_message_that_cannot_be_read_is_not_signed)
{
	struct keyset keys = make_keys();
	struct prepare_work w = { .signs = true, .keys = &keys };

	w.letter = letter_of(STR("From: a@one.example\r\n\r\nb\r\n"), 10);
	w.letter.size += 100;
	prepare_work(&w);
	CHECK(w.result == PREPARE_UNREADABLE && w.letter.top.n == 0, "cut");
	letter_done(&w.letter);
	done_keys(&keys);
}

/* --- sealing ---------------------------------------------------------------------- */

static const struct {
	const char *name, *prefix, *rest;
	const char *cv; /* NULL: no seal */
	const char *results;
} seals[] = {
	{ "nothing known", "Received: x\r\n", "From: a@b.c\r\n\r\nd\r\n",
	    "cv=none", "mx.example; none" },
	{ "our results", "Authentication-Results: mx.example; spf=pass\r\n",
	    "From: a@b.c\r\n\r\nd\r\n", "cv=none", "spf=pass" },
	{ "a stranger's claim to be us", "Received: x\r\n",
	    "Authentication-Results: mx.example; spf=pass\r\n"
	    "From: a@b.c\r\n\r\nd\r\n",
	    "cv=none", "mx.example; none" },
	{ "another server's", "Authentication-Results: b.example; spf=pass\r\n",
	    "From: a@b.c\r\n\r\nd\r\n", "cv=none", "mx.example; none" },
	{ "a chain we know nothing of", "Received: x\r\n",
	    "ARC-Seal: i=1; cv=none\r\nFrom: a@b.c\r\n\r\nd\r\n", NULL, NULL },
	{ "a broken chain", "Authentication-Results: mx.example; arc=fail\r\n",
	    "ARC-Seal: i=1; cv=none\r\nFrom: a@b.c\r\n\r\nd\r\n", "cv=fail",
	    "arc=fail" },
};

TEST(a_seal_says_what_our_filter_found)
{
	struct keyset keys = make_keys();

	for (size_t i = 0; i < ARRAY_LEN(seals); i++) {
		struct prepare_work w = { .signs = true,
			.kind = IDENTITY_FORWARD,
			.keys = &keys,
			.hostname = STR("mx.example"),
			.now = NOW };
		struct buf all = BUF_INIT(KIB(4));
		struct str top;

		buf_put_c(&all, seals[i].prefix);
		buf_put_c(&all, seals[i].rest);
		w.letter = letter_of(buf_str(&all), all.n);
		w.letter.prefix = strlen(seals[i].prefix);
		prepare_work(&w);
		top = buf_str(&w.letter.top);
		CHECK(w.result == PREPARE_OK, seals[i].name);
		CHECK((seals[i].cv == NULL) == (top.n == 0), seals[i].name);
		if (seals[i].cv != NULL)
			CHECK(str_search(top, str_c(seals[i].cv)) >= 0 &&
				  str_search(top, str_c(seals[i].results)) >= 0,
			    seals[i].name);
		CHECK(str_search(top, STR("DKIM-Signature")) < 0, "not ours");
		buf_done(&all);
		letter_done(&w.letter);
	}
	done_keys(&keys);
}

TEST_MAIN(UNIT(content_is_seen_however_it_is_split),
    UNIT(content_is_seen_wherever_it_stands),
    UNIT(a_message_is_converted_where_the_server_needs_it),
    UNIT(a_message_goes_in_the_right_name),
    UNIT(a_letter_reads_the_same_wherever_it_is_cut),
    UNIT(a_header_over_the_limit_is_none),
    UNIT(a_letter_is_counted_until_it_is_done),
    UNIT(what_is_signed_verifies_as_it_goes_out),
    UNIT(without_keys_a_message_goes_as_it_is),
    UNIT(a_message_that_cannot_be_read_is_not_signed),
    UNIT(a_seal_says_what_our_filter_found))
