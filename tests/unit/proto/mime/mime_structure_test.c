/* SPDX-License-Identifier: ISC */
/* mime_structure_test.c - trees, sections, structure records. */
#include "../../test.h"
#include "proto/mime/mime_structure.h"

static void
show_part(const struct mime_part *p, struct str message, struct buf *out)
{
	buf_put_str(out, p->subtype);
	if (p->kind == MIME_LEAF) {
		buf_put_char(out, '<');
		buf_put_str(out, mime_part_body(p, message));
		buf_put_char(out, '>');
		return;
	}
	buf_put_char(out, '(');
	for (const struct mime_part *c = p->child; c; c = c->next) {
		show_part(c, message, out);
		if (c->next)
			buf_put_char(out, ' ');
	}
	buf_put_char(out, ')');
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

TEST(messages_are_cut_where_rfc_2046_says)
{
	static const struct {
		const char *in;
		const char *want;
	} cases[] = {
		{ "", "plain<>" },
		{ "a: b\n\nx\n", "plain<x\n>" },
		{ MIXED "pre\n--b\n\none\n--b\n\ntwo\n\n--b--\nepi\n",
		    "mixed(plain<one> plain<two\n>)" },
		{ MIXED "--b\r\n\r\none\r\n--b--\r\n", "mixed(plain<one>)" },
		{ MIXED "--b\n\nno end\n", "mixed(plain<no end\n>)" },
		{ MIXED "--b \t\n\nx\n--b--junk\n", "mixed(plain<x>)" },
		{ MIXED "--b\n--b\n\n--b\n\nx\n--b--\n",
		    "mixed(plain<> plain<> plain<x>)" },
		{ MIXED "no delimiter\n", "plain<no delimiter\n>" },
		{ MIXED "--b--\n", "plain<--b--\n>" },
		{ "Content-Type: multipart/mixed\n\n--b\n\nx\n",
		    "plain<--b\n\nx\n>" },
		{ "Content-Type: garbage\n\nx", "plain<x>" },
		{ "Content-Type: text/html\n\nx", "html<x>" },
		{ "Content-Type: message/rfc822\n\na: b\n\nx",
		    "rfc822(plain<x>)" },
		{ "Content-Type: multipart/digest; boundary=b\n\n"
		  "--b\n\na: b\n\nx\n--b--\n",
		    "digest(rfc822(plain<x>))" },
		/* The outer boundary ends the inner multipart. */
		{ MIXED "--b\nContent-Type: multipart/x; boundary=i\n\n"
			"--i\n\none\n--b\n\ntwo\n--b--\n",
		    "mixed(x(plain<one>) plain<two>)" },
		/* Of two that fit, the longer one is meant. */
		{ MIXED "--b\nContent-Type: multipart/x; boundary=bb\n\n"
			"--bb\n\none\n--bb--\n--b\n\ntwo\n--b--\n",
		    "mixed(x(plain<one>) plain<two>)" },
		/* A header that a delimiter cuts off. */
		{ MIXED "--b\nContent-Type: text/html\n--b--\n",
		    "mixed(html<>)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in);
		struct buf got = BUF_INIT(1000);
		struct mime_tree tree;

		mime_parse(&tree, in, NULL);
		show_part(tree.root, in, &got);
		CHECK(str_eq(buf_str(&got), str_c(cases[i].want)), cases[i].in);
		CHECK(!tree.is_truncated, cases[i].in);
		mime_tree_done(&tree);
		buf_done(&got);
	}
}

/* A message whose parts' numbers RFC 3501 section 6.4.5 has as its example. */
static const char example[] =
    "Subject: top\r\nFrom: Ana <a@b>\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nX: 1\r\n\r\none\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: in\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    "--c\r\n\r\nc1\r\n--c\r\nX: 2\r\n\r\nc2\r\n--c--\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nsingle\r\n"
    "--b--\r\n";

TEST(sections_are_what_imap_numbers)
{
	static const struct {
		const char *section;
		const char *want; /* NULL: no such section */
	} cases[] = {
		{ "", example },
		{ "1", "one" },
		{ "1.MIME", "X: 1\r\n\r\n" },
		{ "1.1", NULL },
		{ "1.HEADER", NULL },
		{ "1.TEXT", NULL },
		{ "2.MIME", "Content-Type: message/rfc822\r\n\r\n" },
		{ "2.1", "c1" },
		{ "2.2", "c2" },
		{ "2.2.MIME", "X: 2\r\n\r\n" },
		{ "2.3", NULL },
		{ "2.HEADER", "Subject: in\r\nContent-Type: multipart/mixed; "
			      "boundary=c\r\n\r\n" },
		{ "2.TEXT", "--c\r\n\r\nc1\r\n--c\r\nX: 2\r\n\r\nc2\r\n--c--" },
		{ "3", "Subject: s\r\n\r\nsingle" },
		{ "3.HEADER", "Subject: s\r\n\r\n" },
		{ "3.TEXT", "single" },
		{ "3.1", "single" },
		{ "3.1.MIME", "Subject: s\r\n\r\n" },
		{ "3.2", NULL },
		{ "3.1.1", NULL },
		{ "4", NULL },
	};
	struct str in = STR("");
	struct buf record = BUF_INIT(MIME_STRUCTURE_MAX);
	struct mime_structure s;

	in = str_c(example);
	CHECK(mime_structure_build(in, NULL, &record), "builds");
	CHECK(mime_structure_view(buf_str(&record), in.n, &s), "views");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_section sec;
		struct mime_range r = { 0 };
		bool ok;

		CHECK(mime_section_parse(str_c(cases[i].section), &sec),
		    cases[i].section);
		ok = mime_structure_find(&s, &sec, 0, &r);
		CHECK(ok == (cases[i].want != NULL), cases[i].section);
		CHECK(!ok || str_eq(str_sub(in, r.off, r.len),
				 str_c(cases[i].want)),
		    cases[i].section);
	}
	buf_done(&record);
}

TEST(sections_are_parsed_strictly)
{
	static const struct {
		const char *in;
		bool ok;
	} cases[] = {
		{ "", true },
		{ "header", true },
		{ "1.2.text", true },
		{ "MIME", false },
		{ "0", false },
		{ "01", false },
		{ "1.", false },
		{ ".1", false },
		{ "1..2", false },
		{ "1.X", false },
		{ "4294967296", false },
		{ "HEADER.FIELDS", false },
	};
	struct mime_section s;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(mime_section_parse(str_c(cases[i].in), &s) == cases[i].ok,
		    cases[i].in);
}

TEST(a_prefix_shifts_parts_and_begins_the_header)
{
	struct str in = STR("A: b\r\n\r\nbody");
	struct buf record = BUF_INIT(MIME_STRUCTURE_MAX);
	struct mime_section all = { 0 }, header = { .what = 1 };
	struct mime_section text = { .what = MIME_SECTION_TEXT };
	struct mime_structure s;
	struct mime_range r;

	CHECK(mime_structure_build(in, NULL, &record), "builds");
	CHECK(mime_structure_view(buf_str(&record), in.n, &s), "views");
	CHECK(mime_structure_size(&s, 20) == 32, "size");
	CHECK(mime_structure_find(&s, &all, 20, &r), "all");
	CHECK(r.off == 0 && r.len == 32, "all");
	CHECK(mime_structure_find(&s, &header, 20, &r), "header");
	CHECK(r.off == 0 && r.len == 28, "header");
	CHECK(mime_structure_find(&s, &text, 20, &r), "text");
	CHECK(r.off == 28 && r.len == 4, "text");
	buf_done(&record);
}

TEST(envelopes_and_structures_are_ready_to_send)
{
	static const struct {
		const char *in;
		const char *envelope;
		const char *structure;
		const char *body;
	} cases[] = {
		{ "\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
		    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		    "\"7bit\" 0 0 NIL NIL NIL NIL)",
		    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		    "\"7bit\" 0 0)" },
		{ "Subject: a \"q\"\nFrom: \xC3\xA4 <a@b>\nTo: g: x;\nCc: ,\n"
		  "Content-Type: image/png; name=\"a\\\\b\"\n"
		  "Content-ID: <i>\nContent-Language: en, de\n"
		  "Content-Disposition: inline\n\nxx\n",
		    "(NIL \"a \\\"q\\\"\" (({2}\r\n\xC3\xA4 NIL \"a\" \"b\")) "
		    "(({2}\r\n\xC3\xA4 NIL \"a\" \"b\")) "
		    "(({2}\r\n\xC3\xA4 NIL \"a\" \"b\")) "
		    "((NIL NIL \"g\" NIL)(NIL NIL \"x\" \"\")"
		    "(NIL NIL NIL NIL)) NIL NIL NIL NIL)",
		    "(\"image\" \"png\" (\"name\" \"a\\\\b\") \"<i>\" NIL "
		    "\"7bit\" 3 NIL (\"inline\" NIL) (\"en\" \"de\") NIL)",
		    "(\"image\" \"png\" (\"name\" \"a\\\\b\") \"<i>\" NIL "
		    "\"7bit\" 3)" },
		/* RFC 5322 section 4.5.3: several destinations are one. */
		{ "To: a@b\nFrom: \"\" <c@d>\nFrom: e@f\nCc:\nTo: g@h\ncc: "
		  "i@j\n"
		  "Content-Type: (a) text (b/c) / (d) html (e); x=y\n"
		  "Content-Transfer-Encoding: (f) Base64 (g)\n"
		  "Content-Language: en (h), , (i) de\n\n",
		    "(NIL NIL ((NIL NIL \"c\" \"d\")) "
		    "((NIL NIL \"c\" \"d\")) ((NIL NIL \"c\" \"d\")) "
		    "((NIL NIL \"a\" \"b\")(NIL NIL \"g\" \"h\")) "
		    "((NIL NIL \"i\" \"j\")) NIL NIL NIL)",
		    "(\"text\" \"html\" (\"x\" \"y\" \"charset\" "
		    "\"us-ascii\") NIL NIL \"Base64\" 0 0 NIL NIL "
		    "(\"en\" \"de\") NIL)",
		    "(\"text\" \"html\" (\"x\" \"y\" \"charset\" "
		    "\"us-ascii\") NIL NIL \"Base64\" 0 0)" },
		/* IMAP4rev1 knows the form of message/rfc822 only. */
		{ "Content-Type: message/global\n\nSubject: s\n\nx\n",
		    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
		    "(\"message\" \"global\" NIL NIL NIL \"7bit\" 14 "
		    "NIL NIL NIL NIL)",
		    "(\"message\" \"global\" NIL NIL NIL \"7bit\" 14)" },
		/* The line in front of the delimiter is the inner header's. */
		{ MIXED "--b\nContent-Type: message/rfc822\n\n\n--b--\n",
		    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
		    "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 1 "
		    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
		    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		    "\"7bit\" 0 0 NIL NIL NIL NIL) 1 NIL NIL NIL NIL) "
		    "\"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
		    "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 1 "
		    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
		    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		    "\"7bit\" 0 0) 1) \"mixed\")" },
		{ MIXED "--b\nContent-Type: message/rfc822\n\n"
			"Subject: s\n\nx\n--b--\n",
		    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
		    "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 13 "
		    "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
		    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		    "\"7bit\" 1 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL) "
		    "\"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
		    "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 13 "
		    "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
		    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		    "\"7bit\" 1 1) 3) \"mixed\")" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_c(cases[i].in);
		struct buf record = BUF_INIT(MIME_STRUCTURE_MAX);
		struct buf body = BUF_INIT(10000);
		struct mime_structure s;

		CHECK(mime_structure_build(in, NULL, &record), cases[i].in);
		CHECK(mime_structure_view(buf_str(&record), in.n, &s),
		    cases[i].in);
		CHECK(
		    str_eq(s.envelope, str_c(cases[i].envelope)), cases[i].in);
		CHECK(str_eq(s.bodystructure, str_c(cases[i].structure)),
		    cases[i].in);
		mime_structure_put_body(&s, &body);
		CHECK(
		    str_eq(buf_str(&body), str_c(cases[i].body)), cases[i].in);
		buf_done(&record);
		buf_done(&body);
	}
}

TEST(thread_fields_and_attachments_are_recorded)
{
	struct str in =
	    STR("Date: 1 Jan 1970 01:00:00 +0100\nMessage-ID: < 1@x >\n"
		"In-Reply-To: your mail <2@x> of today\n"
		"References: <0@x>\n\t<2@x>\n" MIXED
		"--b\nContent-Type: image/png; name=x.png\n\n--b--\n");
	struct buf record = BUF_INIT(MIME_STRUCTURE_MAX);
	struct mime_structure s;

	CHECK(mime_structure_build(in, NULL, &record), "builds");
	CHECK(mime_structure_view(buf_str(&record), in.n, &s), "views");
	CHECK(s.flags == (MIME_HAS_DATE | MIME_HAS_ATTACHMENT), "flags");
	CHECK(s.date.epoch == 0 && s.date.zone_min == 60, "date");
	CHECK(str_eq(s.message_id, STR("1@x")), "message-id");
	CHECK(str_eq(s.in_reply_to, STR("2@x")), "in-reply-to");
	CHECK(s.n_references == 2, "references");
	CHECK(str_eq(wire_get_vstr(&s.references), STR("0@x")), "first");
	CHECK(str_eq(wire_get_vstr(&s.references), STR("2@x")), "second");
	buf_done(&record);
}

TEST(the_first_and_the_last_references_are_kept)
{
	struct buf in = BUF_INIT(KIB(64));
	struct buf record = BUF_INIT(MIME_STRUCTURE_MAX);
	struct mime_structure s;

	buf_put_c(&in, "References:");
	for (int i = 0; i < 200; i++)
		buf_printf(&in, "\r\n <%d@x>", i);
	CHECK(mime_structure_build(buf_str(&in), NULL, &record), "builds");
	CHECK(mime_structure_view(buf_str(&record), in.n, &s), "views");
	CHECK(s.n_references == MIME_STRUCTURE_REFS, "limit");
	CHECK(str_eq(wire_get_vstr(&s.references), STR("0@x")), "first");
	CHECK(str_eq(wire_get_vstr(&s.references), STR("137@x")), "next");
	for (int i = 138; i < 199; i++)
		wire_get_vstr(&s.references);
	CHECK(str_eq(wire_get_vstr(&s.references), STR("199@x")), "last");
	buf_done(&in);
	buf_done(&record);
}

TEST(records_that_do_not_belong_are_refused)
{
	struct str in = str_c(example);
	struct buf record = BUF_INIT(MIME_STRUCTURE_MAX);
	struct mime_structure s;
	char *envelope;

	CHECK(mime_structure_build(in, NULL, &record), "builds");
	CHECK(mime_structure_view(buf_str(&record), in.n, &s), "as it is");
	CHECK(!mime_structure_view(buf_str(&record), in.n - 1, &s), "size");
	for (size_t n = 0; n < record.n; n++)
		CHECK(!mime_structure_view(
			  str_first(buf_str(&record), n), in.n, &s),
		    "cut");
	CHECK(mime_structure_view(buf_str(&record), in.n, &s), "again");
	envelope = record.p + (s.envelope.p - record.p);
	envelope[s.envelope.n - 1] = '\n';
	CHECK(!mime_structure_view(buf_str(&record), in.n, &s), "unbalanced");
	envelope[s.envelope.n - 1] = ')';
	record.p[0]++;
	CHECK(!mime_structure_view(buf_str(&record), in.n, &s), "version");
	buf_done(&record);
}

/* Parts and nestings without end; what they cost is counted in steps. */
TEST(hostile_messages_cost_linear_work_and_bounded_memory)
{
	static const struct {
		const char *name;
		const char *head;
		const char *again;
	} cases[] = {
		{ "parts", MIXED, "--b\n\nx\n" },
		{ "nested messages", "", "Content-Type: message/rfc822\n\n" },
		{ "nested multiparts", "", MIXED "--b\n" },
		{ "parameters", "Content-Type: a/b", "; x*0=y; z=\"\\\"\"" },
		{ "one line", MIXED, "--b--b--b" },
		{ "fields", "", "Content-ID: <a>\n" },
		{ "addresses", "From: a@b", ", <@a,@b:c@d> (e" },
		{ "words", "Subject: ", "=?a?b? " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf in = BUF_INIT(MIB(8));
		struct buf record = BUF_INIT(MIME_STRUCTURE_MAX);
		struct mime_limits limits = MIME_LIMITS_DEFAULT;
		struct mime_structure s;
		struct mime_tree tree;

		buf_put_c(&in, cases[i].head);
		while (in.n < MIB(2))
			buf_put_c(&in, cases[i].again);
		mime_parse(&tree, buf_str(&in), NULL);
		CHECK(tree.n_parts <= limits.parts, cases[i].name);
		CHECK(tree.arena.used <= limits.memory, cases[i].name);
		/* A step for each line, and one for each open boundary. */
		CHECK(tree.work <= in.n * 2, cases[i].name);
		mime_tree_done(&tree);
		CHECK(mime_structure_build(buf_str(&in), NULL, &record),
		    cases[i].name);
		CHECK(mime_structure_view(buf_str(&record), in.n, &s),
		    cases[i].name);
		buf_done(&in);
		buf_done(&record);
	}
}

TEST(what_is_beyond_a_limit_is_one_opaque_leaf)
{
	struct mime_limits two = {
		.parts = 3, .depth = 9, .fields = 9, .boundary = 9
	};
	struct mime_limits flat = {
		.parts = 9, .depth = 0, .fields = 9, .boundary = 9
	};
	struct str in = STR(MIXED "--b\n\n1\n--b\n\n2\n--b\n\n3\n--b--\n");
	struct buf got = BUF_INIT(1000);
	struct mime_tree tree;

	mime_parse(&tree, in, &two);
	show_part(tree.root, in, &got);
	CHECK(tree.is_truncated && tree.n_parts == 3, "parts");
	CHECK(str_eq(buf_str(&got), STR("mixed(plain<1> octet-stream<\n2\n"
					"--b\n\n3\n--b--\n>)")),
	    "parts");
	mime_tree_done(&tree);
	buf_reset(&got, 1000);
	mime_parse(&tree, in, &flat);
	CHECK(tree.is_truncated && tree.root->is_opaque, "depth");
	CHECK(tree.root->kind == MIME_LEAF && tree.n_parts == 1, "depth");
	mime_tree_done(&tree);
	buf_done(&got);
}

TEST_MAIN(UNIT(messages_are_cut_where_rfc_2046_says),
    UNIT(sections_are_what_imap_numbers), UNIT(sections_are_parsed_strictly),
    UNIT(a_prefix_shifts_parts_and_begins_the_header),
    UNIT(envelopes_and_structures_are_ready_to_send),
    UNIT(thread_fields_and_attachments_are_recorded),
    UNIT(the_first_and_the_last_references_are_kept),
    UNIT(records_that_do_not_belong_are_refused),
    UNIT(hostile_messages_cost_linear_work_and_bounded_memory),
    UNIT(what_is_beyond_a_limit_is_one_opaque_leaf))
