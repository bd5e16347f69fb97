/* SPDX-License-Identifier: ISC */
/*
 * route_test.c - routes: their text, their order, and which way a mail takes.
 */
#include "../../test.h"

#include "send/route/plan.h"

/* --- the text --------------------------------------------------------------------- */

TEST(a_route_with_everything)
{
	static const char text[] =
	    "group:microsoft direct source=192.0.2.1 source=2001:db8::1 "
	    "helo=mail1.example.net helo6=mail6.example.net weight=3 or direct "
	    "source=192.0.2.2 "
	    "helo=[192.0.2.2]\tthen smart.example:587,[2001:db8::9]:25 "
	    "tls=must user=us@example.net spf=ignore then hold";
	struct route r;

	CHECK(route_text_parse(str_c(text), &r), "parsed");
	CHECK(r.pattern == ROUTE_GROUP && str_eq(r.name, STR("microsoft")),
	    "group");
	CHECK(r.n_ways == 4, "ways");
	CHECK(r.ways[0].order == 0 && r.ways[1].order == 0 &&
		  r.ways[2].order == 1 && r.ways[3].order == 2,
	    "order");
	CHECK(r.ways[0].weight == 3 && r.ways[1].weight == ROUTE_WEIGHT,
	    "weight");
	CHECK(str_eq(r.ways[0].source4, STR("192.0.2.1")) &&
		  str_eq(r.ways[0].source6, STR("2001:db8::1")) &&
		  r.ways[1].source6.n == 0,
	    "sources");
	CHECK(str_eq(r.ways[0].helo, STR("mail1.example.net")) &&
		  str_eq(r.ways[1].helo, STR("[192.0.2.2]")),
	    "names");
	CHECK(str_eq(r.ways[0].helo6, STR("mail6.example.net")) &&
		  r.ways[0].helo4.n == 0 && r.ways[1].helo6.n == 0,
	    "names of a family");
	CHECK(r.ways[2].kind == ROUTE_RELAY && r.ways[2].n_targets == 2 &&
		  r.ways[2].targets[0].port == 587 &&
		  str_eq(r.ways[2].targets[1].host, STR("2001:db8::9")),
	    "hosts");
	CHECK(str_eq(r.ways[2].login, STR("us@example.net")) &&
		  r.ways[2].ignores_spf && !r.ways[2].allows_cleartext &&
		  r.ways[2].tls == ROUTE_TLS_MUST,
	    "options");
	CHECK(r.ways[3].kind == ROUTE_HOLD, "hold");
}

TEST(what_is_no_route)
{
	static const char *const bad[] = { "", "example.com",
		"example.com relay", "example.com relay:0",
		"example.com relay:65536", "example.com relay:25,",
		"example.com ,relay:25", "a..b relay:25", ". relay:25",
		"*. relay:25", "-a relay:25", "example.com [::1:25",
		"example.com [x]:25", "example.com relay:25 tls=perhaps",
		"from: relay:25", "from:a@ relay:25", "from:@b relay:25",
		"from:a@b@c relay:25", "account:b relay:25",
		"account: relay:25", "mx: relay:25", "mx:* relay:25",
		"group: relay:25", "group:a.b relay:25", "a/b relay:25",
		"* relay:25 extra", "example.com \xFF:25", "* direct,relay:25",
		"* relay:25,direct", "* direct or", "* direct then",
		"* or direct", "* direct or or direct", "* hold tls=must",
		"* hold source=192.0.2.1", "* direct user=a",
		"* direct tls=implicit", "* relay:25 user=a tls=never",
		"* direct weight=0", "* direct weight=1001",
		"* direct weight=", "* direct source=192.0.2.256",
		"* direct source=relay",
		"* direct source=192.0.2.1 source=192.0.2.2",
		"* direct helo=a_b:c", "* direct helo=[192.0.2.1",
		"* direct helo4=a_b:c",
		"* direct helo6=", "* hold helo4=a.example",
		"* direct source=192.0.2.1 helo6=a.example",
		"* direct source=2001:db8::1 helo4=a.example",
		"* direct helo=\xC3\xA4.example", "* direct cleartext=no",
		"* direct spf=no", "* direct tls", "fallback" };
	struct route r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(route_text_check(str_c(bad[i]), &r) != NULL, bad[i]);
	CHECK(route_text_parse(STR(" *\t h:1 "), &r), "blanks");
	CHECK(route_text_parse(STR("* h:1 user=a tls=never cleartext=yes"), &r),
	    "the operator says so");
}

TEST(routes_are_the_same_however_they_are_written)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{ "bad.example 127.0.0.1:25", "Bad.Example   127.0.0.1:25",
		    true },
		{ "* [2001:db8::1]:25", "* [2001:DB8:0::1]:25", true },
		{ "* r.example:25 tls=must helo=a.example",
		    "* R.Example:25 helo=A.example tls=must", true },
		{ "* direct", "* direct weight=100 tls=may", true },
		{ "*.a.example direct", ".a.example direct", true },
		{ "* direct source=2001:db8::1",
		    "* direct source=2001:db8:0:0::1", true },
		{ "a.example direct", ".a.example direct", false },
		{ "a.example direct", "from:a.example direct", false },
		{ "a.example direct", "b.example direct", false },
		{ "* r:25", "* r:26", false },
		{ "* r:25,s:25", "* s:25,r:25", false },
		{ "* r:25", "* r:25,s:25", false },
		{ "* direct or hold", "* direct then hold", false },
		{ "* direct", "* direct or hold", false },
		{ "* direct", "* direct tls=must", false },
		{ "* direct", "* direct weight=99", false },
		{ "* direct", "* direct source=192.0.2.1", false },
		{ "* direct", "* direct source=2001:db8::1", false },
		{ "* direct helo=a.example", "* direct helo=b.example", false },
		{ "* direct helo4=a.example", "* direct helo4=A.example",
		    true },
		{ "* direct helo4=a.example", "* direct helo4=b.example",
		    false },
		{ "* direct helo6=a.example", "* direct helo6=b.example",
		    false },
		{ "* direct helo4=a.example", "* direct helo6=a.example",
		    false },
		{ "* r:25 user=a", "* r:25 user=A", false },
		{ "* r:25 user=a", "* r:25 user=a cleartext=yes", false },
		{ "* r:25", "* r:25 spf=ignore", false },
	};
	struct route a, b;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(route_text_parse(str_c(cases[i].a), &a) &&
			  route_text_parse(str_c(cases[i].b), &b),
		    cases[i].a);
		CHECK(route_is_same(&a, &b) == cases[i].is_same, cases[i].b);
		CHECK(route_is_same(&b, &a) == cases[i].is_same, cases[i].b);
	}
}

TEST(limits_of_a_route)
{
	struct buf b = BUF_INIT(KIB(4));
	struct route r;

	buf_put_c(&b, "* direct");
	for (size_t i = 1; i < ROUTE_WAYS_MAX; i++)
		buf_put_c(&b, " or direct");
	CHECK(route_text_parse(buf_str(&b), &r), "just fits");
	buf_put_c(&b, " or direct");
	CHECK(!route_text_parse(buf_str(&b), &r), "ways");
	buf_reset(&b, b.cap);
	buf_put_c(&b, "* h:1");
	for (size_t i = 1; i < ROUTE_TARGETS_MAX; i++)
		buf_put_c(&b, ",h:1");
	CHECK(route_text_parse(buf_str(&b), &r), "just fits");
	buf_put_c(&b, ",h:1");
	CHECK(!route_text_parse(buf_str(&b), &r), "hosts");
	buf_reset(&b, b.cap);
	buf_put_c(&b, "* h:1");
	while (b.n <= ROUTE_TEXT_MAX)
		buf_put_char(&b, ' ');
	CHECK(!route_text_parse(buf_str(&b), &r), "bytes");
	buf_done(&b);
}

TEST(rows_of_the_ledger)
{
	struct route_row row = { STR("* relay:25 user=a"), STR("p w") }, back;
	struct buf b = BUF_INIT(KIB(4)), key = BUF_INIT(64);
	uint32_t number;

	route_row_put(&b, &row);
	CHECK(route_row_get(buf_str(&b), &back) &&
		  str_eq(back.text, row.text) &&
		  str_eq(back.password, row.password),
	    "there and back");
	for (size_t n = 0; n < b.n; n++)
		CHECK(!route_row_get(str_first(buf_str(&b), n), &back), "cut");
	buf_put_char(&b, 'x');
	CHECK(!route_row_get(buf_str(&b), &back), "more");
	buf_reset(&b, b.cap);
	row.text = STR("* nonsense");
	route_row_put(&b, &row);
	CHECK(!route_row_get(buf_str(&b), &back), "no route");
	route_key_put(&key, 77);
	CHECK(route_key_get(buf_str(&key), &number) && number == 77, "key");
	CHECK(!route_key_get(STR("\0\0\0\0"), &number), "no number");
	CHECK(!route_key_get(STR("12345"), &number), "no key");
	buf_done(&b);
	buf_done(&key);
}

/* --- finding ---------------------------------------------------------------------- */

static const char routes_text[] =
    "vip.example hold\n"
    "from:.cust.example relay.example.net:587 tls=must\n"
    ".sub.example [2001:db8::1]:26,192.0.2.1:25 tls=never\n"
    "*.star.example direct source=192.0.2.9\n"
    "mx:.mail.protection.outlook.com smart.example:25\n"
    "from:Boss@Firm.example boss.example:25\n"
    "group:google g.example:25\n"
    "plain.example direct\n";

static struct provider_table *providers;

static const struct route_item *
find(const struct routes *r, const char *domain, const char *sender,
    const char *mx, enum route_answer want)
{
	struct str hosts[] = { str_c(mx), STR("mx.second.example") };
	struct route_query q = { .domain = str_c(domain),
		.sender = str_c(sender),
		.knows_mx = mx != NULL,
		.mx = hosts,
		.n_mx = mx != NULL ? 2 : 0,
		.providers = providers };
	const struct route_item *item = NULL;

	CHECK(route_find(r, &q, &item) == want, domain);
	return item;
}

static void
check_line(const struct route_item *item, uint32_t line)
{
	CHECK(item != NULL && item->number == line, "which");
}

TEST(an_account_is_one_whatever_it_sends_as)
{
	struct routes r = { .is_direct = true };
	struct route_query q = { .domain = STR("a.example"),
		.sender = STR("sales@firm.example"),
		.login = STR("Boss@firm.example") };
	const struct route_item *item = NULL;

	CHECK(routes_write(&r, STR("from:boss@firm.example hold\n"
				   "account:boss@firm.example h:25\n")),
	    "parsed");
	CHECK(route_find(&r, &q, &item) == ROUTE_FOUND, "found");
	check_line(item, 2);
	q.login = STR("sales@firm.example");
	CHECK(route_find(&r, &q, &item) == ROUTE_NONE, "another account");
	q.login = STR_NONE;
	CHECK(route_find(&r, &q, &item) == ROUTE_NONE, "nobody's");
	routes_done(&r);
}

TEST(the_first_route_that_fits)
{
	struct routes r = { .is_direct = true };

	providers = provider_table_new();
	CHECK(routes_write(&r, str_c(routes_text)), "parsed");
	check_line(
	    find(&r, "vip.example", "u@x.cust.example", NULL, ROUTE_FOUND), 1);
	check_line(
	    find(&r, "a.example", "u@x.cust.example", NULL, ROUTE_FOUND), 2);
	check_line(find(&r, "A.SUB.example", "", NULL, ROUTE_FOUND), 3);
	find(&r, "sub.example", "", NULL, ROUTE_NEEDS_MX);
	find(&r, "xsub.example", "", "mx.sub.example", ROUTE_NONE);
	check_line(find(&r, "a.star.example", "", NULL, ROUTE_FOUND), 4);
	check_line(find(&r, "a.example", "",
		       "a-example.mail.protection.outlook.com", ROUTE_FOUND),
	    5);
	find(&r, "a.example", "", "mail.protection.outlook.com", ROUTE_NONE);
	check_line(find(&r, "a.example", "boss@firm.example", "mx.a.example",
		       ROUTE_FOUND),
	    6);
	find(&r, "a.example", "x@firm.example", "mx.a.example", ROUTE_NONE);
	check_line(
	    find(&r, "a.example", "", "ASPMX.l.google.com", ROUTE_FOUND), 7);
	check_line(
	    find(&r, "plain.example", "", "mx.plain.example", ROUTE_FOUND), 8);
	r.is_direct = false;
	find(&r, "a.example", "", "mx.a.example", ROUTE_NOWHERE);
	routes_done(&r);
	providers = provider_table_free(providers);
}

TEST(made_routes_come_first_and_in_order)
{
	struct routes r = { .is_direct = true };
	struct route_row row = { .text = STR("a.example x:25") };
	uint32_t generation;

	CHECK(routes_write(&r, STR("a.example hold\n")), "written");
	CHECK(routes_make(&r, 20, &row) && routes_make(&r, 10, &row), "made");
	check_line(find(&r, "a.example", "", NULL, ROUTE_FOUND), 10);
	CHECK(routes_at(&r, 1)->number == 20 && routes_at(&r, 2)->is_written &&
		  routes_at(&r, 3) == NULL,
	    "order");
	generation = r.generation;
	row.text = STR("b.example x:25");
	CHECK(
	    routes_make(&r, 10, &row) && r.generation != generation, "changed");
	check_line(find(&r, "a.example", "", NULL, ROUTE_FOUND), 20);
	routes_unmake(&r, 20);
	routes_unmake(&r, 99);
	CHECK(find(&r, "a.example", "", NULL, ROUTE_FOUND)->is_written,
	    "removed");
	CHECK(!routes_write(&r, STR("a.example direct\nnonsense\n")), "bad");
	CHECK(find(&r, "a.example", "", NULL, ROUTE_FOUND)->is_written,
	    "as it was");
	row.text = STR("nonsense");
	CHECK(!routes_make(&r, 30, &row), "no route");
	routes_done(&r);
}

/* --- which way ---------------------------------------------------------------------- */

static struct plan
plan_of(struct routes *r, const char *domain)
{
	struct route_query q = { .domain = str_c(domain), .knows_mx = true };
	struct plan p;

	(void)!plan_make(r, &q, &p);
	return p;
}

TEST(the_fallback_stands_behind_every_way)
{
	struct routes r = { .is_direct = true };
	struct plan p;

	CHECK(routes_write(&r, STR("fallback last:25\n"
				   "two.example x:25 then y:25\n"
				   "held.example hold\n")),
	    "parsed");
	p = plan_of(&r, "one.example");
	CHECK(p.n == 2 && p.item == NULL &&
		  p.ways[0].way.kind == ROUTE_DIRECT && p.ways[1].is_fallback &&
		  p.ways[1].way.order == 1,
	    "straight");
	p = plan_of(&r, "two.example");
	CHECK(p.n == 3 && p.ways[2].way.order == 2 &&
		  str_eq(p.ways[2].way.targets[0].host, STR("last")),
	    "route");
	p = plan_of(&r, "held.example");
	CHECK(p.n == 1, "held on purpose");
	r.is_direct = false;
	p = plan_of(&r, "one.example");
	CHECK(p.n == 0, "nothing leaves by accident");
	routes_done(&r);
}

TEST(ways_of_one_order_are_chosen_by_weight)
{
	struct routes r = { 0 };
	struct plan p;
	enum way_state s[PLAN_WAYS_MAX] = { WAY_FREE };
	unsigned n[3] = { 0 };
	size_t way;

	CHECK(routes_write(&r, STR("* a:1 weight=1 or b:1 weight=3 or c:1 "
				   "weight=6 then d:1\n")),
	    "parsed");
	p = plan_of(&r, "x.example");
	for (uint32_t random = 0; random < 1000; random++) {
		CHECK(plan_pick(&p, s, random, &way) == PLAN_GO && way < 3,
		    "not behind");
		n[way]++;
	}
	CHECK(n[0] == 100 && n[1] == 300 && n[2] == 600, "weights");
	s[1] = WAY_SHUT;
	for (uint32_t random = 0; random < 1000; random++)
		CHECK(plan_pick(&p, s, random, &way) == PLAN_DETOUR &&
			  (way == 0 || way == 2),
		    "another one");
	s[0] = s[2] = WAY_SHUT;
	CHECK(plan_pick(&p, s, 5, &way) == PLAN_DETOUR && way == 3, "then");
	s[3] = WAY_FORBIDDEN;
	CHECK(plan_pick(&p, s, 5, &way) == PLAN_WAIT, "none");
	s[2] = WAY_CANARY;
	CHECK(plan_pick(&p, s, 5, &way) == PLAN_CANARY && way == 2, "canary");
	s[0] = WAY_FREE;
	s[2] = WAY_SHUT;
	CHECK(plan_pick(&p, s, 5, &way) == PLAN_DETOUR && way == 0, "again");
	routes_done(&r);
}

TEST(ways_in_words)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "* direct", "direct" },
		{ "* direct source=192.0.2.1", "direct from 192.0.2.1" },
		{ "* direct source=2001:db8::1 source=192.0.2.1",
		    "direct from 192.0.2.1,2001:db8::1" },
		{ "* a.example:25,[2001:db8::2]:587 user=me",
		    "a.example:25,[2001:db8::2]:587" },
		{ "* hold", "hold" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(KIB(1));
		struct route r;

		CHECK(
		    route_text_parse(str_c(cases[i].text), &r), cases[i].text);
		route_way_put(&r.ways[0], &b);
		CHECK(str_eq(buf_str(&b), str_c(cases[i].want)), cases[i].text);
		buf_done(&b);
	}
}

TEST_MAIN(UNIT(a_route_with_everything), UNIT(what_is_no_route),
    UNIT(routes_are_the_same_however_they_are_written), UNIT(limits_of_a_route),
    UNIT(rows_of_the_ledger), UNIT(an_account_is_one_whatever_it_sends_as),
    UNIT(the_first_route_that_fits), UNIT(made_routes_come_first_and_in_order),
    UNIT(the_fallback_stands_behind_every_way),
    UNIT(ways_of_one_order_are_chosen_by_weight), UNIT(ways_in_words))
