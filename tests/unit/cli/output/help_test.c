/* SPDX-License-Identifier: ISC */
/* help_test.c - a manual page as the help of a command. */
#include "../../test.h"
#include "cli/output/help.h"

#define PAGE \
	".Sh FIRST\n" \
	".Bl -tag -width Ds\n" \
	".It Cm run\nRun it.\n" \
	".It Cm thing show Ar id\nShow a thing.\n" \
	".El\n" \
	".Sh THINGS\n" \
	"What things are.\n" \
	".Bl -tag -width Ds\n" \
	".It Cm \\&. Ns Ar end , Ar other\nAn end.\n" \
	".El\n" \
	".Pp\n" \
	"The commands are:\n" \
	".Bl -tag -width Ds\n" \
	".It Cm thing add Ar name Oo Fl -long Ar text Oc \\\n" \
	"Oo Fl -more Oc\n" \
	"Add one, with\n.Fl -long Ar text\nor\n.Pq Va a.b , Ql c .\n" \
	"A\n.Ql x\\ \\& .\n" \
	"See\n.Xr other 5 ,\n.Qq two words\nand a backslash: \\e.\n" \
	"JSON:\n.Va added .\n" \
	".It Xo\n.Cm thing change Ar name\n.Op Fl -x\n.Xc\n" \
	".It Cm thing rename Ar name\n" \
	"Call it so.\n" \
	".Bd -literal -offset indent\na  b\n.Ed\n" \
	".Bl -tag -width Ds\n.It Cm within\nDeep.\n.El\n" \
	"More.\n" \
	".El\n" \
	".Sh DEEP\n" \
	".Bl -tag -width Ds\n" \
	".It Cm deep part add Ar name\nAdd a part.\n" \
	".It Cm deep part list\nAll parts.\n" \
	".El\n" \
	".Sh END\n"

static const struct {
	const char *name, *verb, *want;
} items[] = {
	{ "thing", "add",
	    "Add one, with --long TEXT or (a.b, 'c'). A 'x '. See other(5), "
	    "\"two words\" and\na backslash: \\.\nJSON: added.\n" },
	{ "thing", "change", NULL }, /* not the text of the next one */
	{ "thing", "rename",
	    "Call it so.\n    a  b\n  within\n      Deep.\nMore.\n" },
	{ "thing", "show", "Show a thing.\n" },
	{ "run", NULL, "Run it.\n" },
	{ "within", NULL, NULL },
	{ "thing", "nothing", NULL },
	{ "deep", "part list", "All parts.\n" },
	{ "deep", "part", "Add a part.\n\nAll parts.\n" },
	{ "deep", "part remove", NULL },
	{ "thing", NULL, NULL },
	{ "thin", "add", NULL },
};

TEST(an_item_is_what_stands_below_its_head)
{
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		struct buf b = BUF_INIT(KIB(8));
		bool is_found =
		    help_put_item(STR(PAGE), items[i].name, items[i].verb, &b);

		CHECK(is_found == (items[i].want != NULL), items[i].name);
		CHECK(str_eq(buf_str(&b), str_c(items[i].want)), buf_c(&b));
		buf_done(&b);
	}
}

TEST(a_section_is_of_who_begins_its_list)
{
	struct buf b = BUF_INIT(KIB(8));

	CHECK(help_put_section(STR(PAGE), "thing", &b), "found");
	CHECK(str_eq(buf_str(&b),
		  STR("What things are.\n  .END, OTHER\n      An end.\n")),
	    buf_c(&b));
	buf_reset(&b, b.cap);
	CHECK(!help_put_section(STR(PAGE), "run", &b) && b.n == 0, "none");
	buf_done(&b);
}

/* Whatever is cut off: no more than less help. */
TEST(half_a_page_is_read_too)
{
	for (size_t n = 0; n < strlen(PAGE); n++) {
		struct buf b = BUF_INIT(KIB(8));

		(void)help_put_item(
		    str_first(STR(PAGE), n), "thing", "change", &b);
		(void)help_put_section(str_first(STR(PAGE), n), "thing", &b);
		buf_done(&b);
	}
}

TEST(lines_end_before_the_edge)
{
	struct str rest = help_page(), line;
	struct buf b = BUF_INIT(MIB(1));

	CHECK(rest.n > 10000 && str_starts(rest, STR(".\\\"")), "the page");
	CHECK(help_put_item(rest, "queue", "list", &b), "queue list");
	CHECK(help_put_section(rest, "route", &b), "route");
	for (rest = buf_str(&b); rest.n > 0;) {
		rest = str_split(rest, '\n', &line);
		CHECK(line.n < 80, line.p);
		CHECK(line.n == 0 || line.p[line.n - 1] != ' ', line.p);
	}
	buf_done(&b);
}

TEST_MAIN(UNIT(an_item_is_what_stands_below_its_head),
    UNIT(a_section_is_of_who_begins_its_list), UNIT(half_a_page_is_read_too),
    UNIT(lines_end_before_the_edge))
