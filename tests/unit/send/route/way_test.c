/* SPDX-License-Identifier: ISC */
/*
 * way_test.c - our side of connections: the name that belongs to each address.
 */
#include "../../test.h"

#include "send/route/way.h"

static char empty[1], host[] = "mail.example", c4[] = "four.example",
		      c6[] = "six.example", ours[] = "192.0.2.9";

static const struct conf bare = { .hostname = host,
	.send_source4 = empty,
	.send_source6 = empty,
	.send_helo4 = empty,
	.send_helo6 = empty };
static const struct conf named = { .hostname = host,
	.send_source4 = ours,
	.send_source6 = empty,
	.send_helo4 = c4,
	.send_helo6 = c6 };

TEST(each_address_has_its_name)
{
	static const struct {
		const char *way; /* NULL: none */
		const struct conf *c;
		const char *helo4, *helo6;
	} cases[] = {
		{ NULL, &bare, host, host },
		{ NULL, &named, c4, c6 },
		{ "direct", &named, c4, c6 },
		{ "direct tls=must", &bare, host, host },
		{ "direct helo=a.example", &named, "a.example", "a.example" },
		{ "direct helo4=b.example", &named, "b.example", c6 },
		{ "direct helo6=b.example", &bare, host, "b.example" },
		{ "r.example:25 helo=a.example helo6=b.example", &named,
		    "a.example", "b.example" },
		{ "direct helo4=a.example helo6=b.example", &named, "a.example",
		    "b.example" },
		/* Addresses of its own are not those that are named there. */
		{ "direct source=192.0.2.1", &named, host, host },
		{ "direct source=192.0.2.1 source=2001:db8::1 helo6=b.example",
		    &named, host, "b.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep)
		char *text = x_asprintf(
		    "* %s", cases[i].way != NULL ? cases[i].way : "direct");
		struct route r;
		struct way w;

		ASSERT(route_text_parse(str_c(text), &r));
		way_init(&w, cases[i].c,
		    cases[i].way != NULL ? &r.ways[0] : NULL, STR_NONE);
		CHECK(strcmp(w.helo4, cases[i].helo4) == 0, text);
		CHECK(strcmp(w.helo6, cases[i].helo6) == 0, text);
		way_done(&w);
	}
}

TEST_MAIN(UNIT(each_address_has_its_name))
