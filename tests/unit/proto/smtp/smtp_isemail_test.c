/* SPDX-License-Identifier: ISC */
/*
 * smtp_isemail_test.c - the isemail collection of addresses, when it is there.
 *
 * The collection says of each address which standard it is right by. Those
 * that are right by RFC 5321 must pass, all others (comments, folding white
 * space, obsolete forms and errors) must not. It is not part of this tree:
 * the test is skipped without it.
 */
#include "../../test.h"
#include "proto/smtp/smtp_path.h"

#include <stdio.h>

static const char *const collection = "../shared/testdata/isemail/tests.xml";

static bool
read_collection(struct buf *to)
{
	FILE *f = fopen(collection, "rb");
	char part[4096];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(to, part, n);
	fclose(f);
	return true;
}

/* The text of the first element <name> in xml; *ret_rest is behind it. */
static struct str
element(struct str xml, const char *name, struct str *ret_rest)
{
	struct buf tag = BUF_INIT(100);
	struct str text = STR_NONE;
	ptrdiff_t from, to;

	buf_printf(&tag, "<%s>", name);
	from = str_search(xml, buf_str(&tag));
	if (from >= 0) {
		xml = str_from(xml, (size_t)from + tag.n);
		to = str_find(xml, '<');
		text = str_first(xml, to < 0 ? 0 : (size_t)to);
		*ret_rest = str_from(xml, text.n);
	}
	buf_done(&tag);
	return text;
}

static void
put_char(struct buf *to, unsigned long c)
{
	/* Pictures of controls stand for the controls. */
	if (c >= 0x2400 && c < 0x2420)
		c -= 0x2400;
	if (c < 0x80) {
		buf_put_char(to, (char)c);
	} else if (c < 0x800) {
		buf_put_char(to, (char)(0xC0 | c >> 6));
		buf_put_char(to, (char)(0x80 | (c & 0x3F)));
	} else {
		buf_put_char(to, (char)(0xE0 | c >> 12));
		buf_put_char(to, (char)(0x80 | (c >> 6 & 0x3F)));
		buf_put_char(to, (char)(0x80 | (c & 0x3F)));
	}
}

static void
put_entity(struct buf *to, struct str name)
{
	static const struct {
		const char *name;
		char c;
	} named[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' },
		{ "quot", '"' }, { "apos", '\'' } };
	char digits[16] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (str_eq(name, str_c(named[i].name)))
			buf_put_char(to, named[i].c);
	if (str_starts(name, STR("#x")) && name.n < sizeof(digits)) {
		memcpy(digits, name.p + 2, name.n - 2);
		put_char(to, strtoul(digits, NULL, 16));
	}
}

static void
put_text(struct buf *to, struct str xml)
{
	while (xml.n > 0) {
		struct str head;

		xml = str_split(xml, '&', &head);
		buf_put_str(to, head);
		if (!xml.p)
			return;
		xml = str_split(xml, ';', &head);
		put_entity(to, head);
	}
}

static bool
is_right(struct str category, struct str diagnosis)
{
	return str_eq(category, STR("ISEMAIL_VALID_CATEGORY")) ||
	       str_eq(category, STR("ISEMAIL_DNSWARN")) ||
	       str_starts(diagnosis, STR("ISEMAIL_RFC5321_"));
}

static void
check_address(struct str address, struct str category, struct str diagnosis)
{
	struct buf text = BUF_INIT(KIB(4));
	struct smtp_path path;
	struct arena a;
	bool ok;

	arena_init(&a, KIB(8));
	put_text(&text, address);
	ok = smtp_mailbox_parse(&a, buf_str(&text), 0, &path) == SMTP_PATH_OK;
	if (ok != is_right(category, diagnosis))
		fail_msg("%.*s: %s, but %.*s", STR_ARG(address),
		    ok ? "passed" : "refused", STR_ARG(diagnosis));
	buf_done(&text);
	arena_done(&a);
}

TEST(addresses_of_the_collection_get_its_verdicts)
{
	struct buf xml = BUF_INIT(MIB(1));
	struct str rest;
	size_t n = 0;

	if (!read_collection(&xml))
		skip();
	rest = buf_str(&xml);
	for (;; n++) {
		struct str address = element(rest, "address", &rest);
		struct str category, diagnosis;

		if (!address.p)
			break;
		category = element(rest, "category", &rest);
		diagnosis = element(rest, "diagnosis", &rest);
		check_address(address, category, diagnosis);
	}
	CHECK(n > 150, "the collection was read");
	buf_done(&xml);
}

TEST_MAIN(UNIT(addresses_of_the_collection_get_its_verdicts))
