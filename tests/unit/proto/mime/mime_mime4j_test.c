/* SPDX-License-Identifier: ISC */
/*
 * mime_mime4j_test.c - our trees against the expected ones of Apache
 * Mime4j's test messages, when they lie beside the repository. Compared is
 * the nesting of messages, multiparts and bodies.
 */
#include "../../test.h"
#include "proto/mime/mime_parse.h"

#include <dirent.h>

#define FOLDER "../shared/testdata/mime4j/"

static bool
read_file(const char *name, const char *suffix, struct buf *out)
{
	char *path =
	    x_asprintf(FOLDER "%.*s%s", (int)strlen(name) - 4, name, suffix);
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

/* "(" and ")" around messages and multiparts, "b" for a body. */
static void
show_expected(struct str xml, struct buf *out)
{
	static const struct {
		const char *line;
		const char *show;
	} tags[] = {
		{ "<message>", "(M" },
		{ "</message>", ")" },
		{ "<multipart>", "(P" },
		{ "</multipart>", ")" },
		{ "<body>", "b" },
	};
	struct str line;

	while (xml.n) {
		xml = str_split(xml, '\n', &line);
		for (size_t i = 0; i < ARRAY_LEN(tags); i++)
			if (str_starts(line, str_c(tags[i].line)) ||
			    str_ends(line, str_c(tags[i].line)))
				buf_put_c(out, tags[i].show);
	}
}

static void
show_ours(const struct mime_part *p, struct buf *out)
{
	if (p->kind == MIME_LEAF) {
		buf_put_char(out, 'b');
		return;
	}
	buf_put_c(out, p->kind == MIME_MESSAGE ? "(M" : "(P");
	for (const struct mime_part *c = p->child; c; c = c->next)
		show_ours(c, out);
	buf_put_char(out, ')');
}

/* Where we mean something else, and why. */
/* clang-format off */
static const struct {
	const char *name;
	const char *why;
} differs[] = {
	{ "missing-inner-start-boundary", "no delimiter inside: text" },
	{ "missing-inner-boundary", "no delimiter inside: text" },
	{ "missing-boundary", "no delimiter: text" },
	{ "multipartnopart", "only a close delimiter: text" },
	{ "weird-boundary", "a boundary cannot end in blanks (RFC 2046)" },
	{ "very-long-boundary", "a boundary cannot end in blanks (RFC 2046)" },
	{ "very-very-long-boundary", "longer than the limit: opaque" },
	{ "base64encoded-rfc822message-nested", "messages are not decoded to be parsed" },
	{ "bad-newlines-multiple-parts-base64", "messages are not decoded to be parsed" },
};
/* clang-format on */

static bool
is_known_to_differ(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(differs); i++)
		if (strncmp(name, differs[i].name, strlen(name) - 4) == 0 &&
		    strlen(differs[i].name) == strlen(name) - 4)
			return true;
	return false;
}

static void
check_file(const char *name)
{
	struct buf msg = BUF_INIT(MIB(1)), xml = BUF_INIT(MIB(1));
	struct buf want = BUF_INIT(KIB(4)), got = BUF_INIT(KIB(4));
	struct mime_tree tree;
	bool is_same;

	CHECK(read_file(name, ".msg", &msg), name);
	CHECK(read_file(name, ".xml", &xml), name);
	show_expected(buf_str(&xml), &want);
	mime_parse(&tree, buf_str(&msg), NULL);
	buf_put_c(&got, "(M");
	show_ours(tree.root, &got);
	buf_put_char(&got, ')');
	is_same = str_eq(buf_str(&got), buf_str(&want));
	if (is_same == is_known_to_differ(name))
		fail_msg("%s: got %s want %s", name, buf_c(&got), buf_c(&want));
	mime_tree_done(&tree);
	buf_done(&msg);
	buf_done(&xml);
	buf_done(&want);
	buf_done(&got);
}

TEST(trees_are_those_of_mime4j)
{
	DIR *d = opendir(FOLDER);
	struct dirent *e;
	size_t n = 0;

	if (!d) {
		print_message("skipped: no " FOLDER "\n");
		skip();
	}
	while ((e = readdir(d)))
		if (str_ends(str_c(e->d_name), STR(".msg"))) {
			check_file(e->d_name);
			n++;
		}
	closedir(d);
	CHECK(n >= 30, "all of them");
}

TEST_MAIN(UNIT(trees_are_those_of_mime4j))
