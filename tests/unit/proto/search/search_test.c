/* SPDX-License-Identifier: ISC */
/* Searching: words, folding, order, limits. */
#include "../../test.h"
#include "proto/search/search.h"

#define HITS 10

static struct search_hits
find(const struct search *x, const char *query, uint32_t ids[HITS])
{
	struct search_hits h = { .ids = ids, .max = HITS };
	struct search_query q;

	search_query_parse(str_c(query), &q);
	search_find(x, &q, &h);
	return h;
}

static struct search *
make_index(void)
{
	static const struct search_text texts[] = {
		{ STR("Migration update 17"), STR("relay, mail"),
		    STR("The relay in Amsterdam has moved.") },
		{ STR("Café: l'état du réseau"), STR("network"),
		    STR("Straße, Łódź, Ελλάδα, МОСКВА; mx1.example.org") },
		{ STR("Relay"), STR(""),
		    STR("Nothing about that other word.") },
		{ STR("Relays and more"), STR("mail"), STR("東京都の停電") },
		{ STR("Quiet"), STR("relay"), STR("migrationless") },
	};
	struct search *x = search_new();

	for (uint32_t i = 0; i < ARRAY_LEN(texts); i++)
		search_add(x, i, &texts[i]);
	return x;
}

TEST(words_are_found_however_they_are_written)
{
	static const struct {
		const char *query;
		long want; /* the id; -1: nothing */
	} cases[] = {
		{ "migration 17", 0 },
		{ "AMSTERDAM", 0 },
		{ "amst", 0 },
		{ "msterdam", -1 },
		{ "cafe", 1 },
		{ "CAFÉ", 1 },
		{ "Cafe\xCC\x81", 1 },                         /* decomposed */
		{ "\xEF\xBD\x83\xEF\xBD\x81\xEF\xBD\x86", 1 }, /* wide */
		{ "strasse", 1 },
		{ "lodz", 1 },
		{ "ελλαδα", 1 },
		{ "москва", 1 },
		{ "mx1.example.org", 1 },
		{ "reseau etat", 1 },
		{ "京都", 3 },
		{ "停", 3 },
		{ "network relay", -1 },
		{ "", -1 },
		{ "%$ \"' --", -1 },
		{ "\xFF\xC3", -1 },
	};
	struct search *x = make_index();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t ids[HITS];
		struct search_hits h = find(x, cases[i].query, ids);

		CHECK(h.n == (cases[i].want < 0 ? 0 : 1), cases[i].query);
		CHECK(h.n == 0 || ids[0] == (uint32_t)cases[i].want,
		    cases[i].query);
	}
	search_free(x);
}

TEST(titles_come_first_then_the_newest)
{
	static const uint32_t want[] = { 2, 3, 0, 4 };
	struct search *x = make_index();
	uint32_t ids[HITS];
	struct search_hits h = find(x, "relay", ids);

	/* A whole word of the title; its beginning; by tag, the newest first. */
	CHECK(h.n == ARRAY_LEN(want) && h.total == h.n, "how many");
	CHECK(memcmp(ids, want, sizeof(want)) == 0, "order");
	h = (struct search_hits){ .ids = ids, .max = 2 };
	search_find(x,
	    &(struct search_query){ .n = 1, .terms = { { "relay", 5 } } }, &h);
	CHECK(h.n == 2 && h.total == 4 && ids[0] == 2 && ids[1] == 3,
	    "as many as asked for");
	search_free(x);
}

TEST(a_query_has_limits)
{
	struct search_query q;
	struct buf b = BUF_INIT(KIB(64));

	for (int i = 0; i < 5000; i++)
		buf_printf(&b, "w%d ", i);
	search_query_parse(buf_str(&b), &q);
	CHECK(q.n == SEARCH_TERMS, "terms");
	buf_reset(&b, 0);
	for (int i = 0; i < 5000; i++)
		buf_put_c(&b, "x");
	search_query_parse(buf_str(&b), &q);
	CHECK(q.n == 1 && q.terms[0].n == SEARCH_WORD_MAX, "length");
	search_query_parse(STR("mail MAIL Mäil"), &q);
	CHECK(q.n == 1, "each once");
	buf_done(&b);
}

/* A word that everything has, in more documents than one search looks at. */
TEST(a_search_ends_however_much_there_is)
{
	struct search *x = search_new();
	struct buf body = BUF_INIT(KIB(256));
	uint32_t ids[HITS];
	struct search_hits h;

	for (int i = 0; i < 4000; i++)
		buf_printf(&body, "a%d ", i);
	for (uint32_t i = 0; i < 2000; i++)
		search_add(x, i,
		    &(struct search_text){ .title = STR("x"),
			.tags = STR("y"),
			.body = buf_str(&body) });
	CHECK(search_bytes(x) < SEARCH_BYTES + MIB(1), "memory");
	h = find(x, "a", ids);
	CHECK(h.is_partial && h.n == HITS && ids[0] == 0, "the newest of them");
	h = find(x, "x y", ids);
	CHECK(!h.is_partial && h.total == 2000, "titles and tags of all");
	buf_done(&body);
	search_free(x);
}

TEST(a_text_is_cut_at_the_words_looked_for)
{
	struct str rest = STR("Le r\xC3\xA9seau, les Relais (relais2)."), a, w;
	struct search_query q;

	search_query_parse(STR("relais RESEAU"), &q);
	rest = search_cut(&q, rest, &a, &w);
	CHECK(str_eq(a, STR("Le ")) && str_eq(w, STR("r\xC3\xA9seau")), "1");
	rest = search_cut(&q, rest, &a, &w);
	CHECK(str_eq(a, STR(", les ")) && str_eq(w, STR("Relais")), "2");
	rest = search_cut(&q, rest, &a, &w);
	CHECK(str_eq(a, STR(" (")) && str_eq(w, STR("relais2")), "3");
	rest = search_cut(&q, rest, &a, &w);
	CHECK(str_eq(a, STR(").")) && w.n == 0 && rest.n == 0, "end");
}

TEST_MAIN(UNIT(words_are_found_however_they_are_written),
    UNIT(titles_come_first_then_the_newest), UNIT(a_query_has_limits),
    UNIT(a_search_ends_however_much_there_is),
    UNIT(a_text_is_cut_at_the_words_looked_for))
