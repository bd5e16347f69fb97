/* SPDX-License-Identifier: ISC */
/*
 * spf_suite_test.c - the test suites of the SPF community for RFC 7208 and
 * RFC 4408, when they lie beside the repository.
 *
 * A suite is a series of YAML documents: a zone, and tests with one result or
 * several acceptable ones. Records of type SPF stand for TXT records, unless
 * their name has TXT records of its own ("TXT: NONE" is none at all); the
 * word TIMEOUT makes questions fail that no other record answers.
 */
#include "spf_zone.h"

#include <yaml.h>

#define FOLDER "../shared/testdata/spf/"

/* One document, and what is found in it. */
struct scenario {
	yaml_document_t doc;
	struct zone zone;
	struct buf texts; /* joined strings; never grows past its start */
	unsigned run;
	unsigned failed;
};

static struct str
scalar(yaml_node_t *node)
{
	ASSERT(node && node->type == YAML_SCALAR_NODE);
	return str_make(node->data.scalar.value, node->data.scalar.length);
}

/* libyaml ends scalars with NUL. */
static const char *
scalar_c(yaml_node_t *node)
{
	return scalar(node).p;
}

static yaml_node_t *
member(struct scenario *s, yaml_node_t *map, const char *key)
{
	yaml_node_pair_t *p;

	ASSERT(map && map->type == YAML_MAPPING_NODE);
	for (p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++)
		if (strcmp(scalar_c(yaml_document_get_node(&s->doc, p->key)),
			key) == 0)
			return yaml_document_get_node(&s->doc, p->value);
	return NULL;
}

/* A string, or a list of strings that are one text. */
static struct str
joined(struct scenario *s, yaml_node_t *node)
{
	size_t from = s->texts.n;

	if (node->type == YAML_SCALAR_NODE)
		return scalar(node);
	for (yaml_node_item_t *i = node->data.sequence.items.start;
	     i < node->data.sequence.items.top; i++)
		buf_put_str(
		    &s->texts, scalar(yaml_document_get_node(&s->doc, *i)));
	ASSERT(!s->texts.failed);
	return str_from(buf_str(&s->texts), from);
}

/* MX has a preference and a name. */
static struct str
second(struct scenario *s, yaml_node_t *node)
{
	ASSERT(node->type == YAML_SEQUENCE_NODE);
	return scalar(yaml_document_get_node(
	    &s->doc, node->data.sequence.items.start[1]));
}

static bool
has_own_txt(struct scenario *s, yaml_node_t *records)
{
	for (yaml_node_item_t *i = records->data.sequence.items.start;
	     i < records->data.sequence.items.top; i++) {
		yaml_node_t *r = yaml_document_get_node(&s->doc, *i);

		if (r->type == YAML_MAPPING_NODE && member(s, r, "TXT"))
			return true;
	}
	return false;
}

static void
add_record(
    struct scenario *s, const char *name, yaml_node_t *record, bool has_txt)
{
	yaml_node_pair_t *pair;
	const char *type;
	yaml_node_t *value;

	if (record->type == YAML_SCALAR_NODE) {
		ASSERT(str_eq(scalar(record), STR("TIMEOUT")));
		zone_add(&s->zone, name, ZONE_TIMEOUT, STR_NONE);
		return;
	}
	pair = record->data.mapping.pairs.start;
	type = scalar_c(yaml_document_get_node(&s->doc, pair->key));
	value = yaml_document_get_node(&s->doc, pair->value);
	if (strcmp(type, "SPF") == 0 && !has_txt)
		type = "TXT";
	if (strcmp(type, "MX") == 0)
		zone_add(&s->zone, name, type, second(s, value));
	else if (!str_eq(joined(s, value), STR("NONE")))
		zone_add(&s->zone, name, type, joined(s, value));
}

static void
add_zone(struct scenario *s, yaml_node_t *map)
{
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++) {
		yaml_node_t *name = yaml_document_get_node(&s->doc, p->key);
		yaml_node_t *list = yaml_document_get_node(&s->doc, p->value);
		bool has_txt = has_own_txt(s, list);

		for (yaml_node_item_t *i = list->data.sequence.items.start;
		     i < list->data.sequence.items.top; i++)
			add_record(s, scalar_c(name),
			    yaml_document_get_node(&s->doc, *i), has_txt);
	}
}

static bool
is_acceptable(struct scenario *s, yaml_node_t *want, const char *got)
{
	if (want->type == YAML_SCALAR_NODE)
		return strcmp(scalar_c(want), got) == 0;
	for (yaml_node_item_t *i = want->data.sequence.items.start;
	     i < want->data.sequence.items.top; i++)
		if (strcmp(scalar_c(yaml_document_get_node(&s->doc, *i)),
			got) == 0)
			return true;
	return false;
}

/* "DEFAULT" stands for the words of the receiver: the domain has none. */
static bool
is_explained(struct scenario *s, yaml_node_t *test, struct str got)
{
	yaml_node_t *want = member(s, test, "explanation");

	if (!want)
		return true;
	if (str_eq(scalar(want), STR("DEFAULT")))
		return got.n == 0;
	return str_eq(scalar(want), got);
}

static void
run_case(struct scenario *s, const char *name, yaml_node_t *test)
{
	struct spf_request request = {
		.helo = scalar(member(s, test, "helo")),
		.mail_from = scalar(member(s, test, "mailfrom")),
		.receiver = STR("mx.receiver.example"),
	};
	const struct spf_verdict *v;
	struct spf_check *c;
	bool ok;

	ASSERT(spf_address_parse(
	    scalar(member(s, test, "host")), &request.client));
	c = zone_check(&s->zone, &request);
	v = spf_verdict(c);
	ok = is_acceptable(
		 s, member(s, test, "result"), spf_result_str(v->result)) &&
	     is_explained(s, test, v->explanation);
	s->run++;
	if (!ok) {
		s->failed++;
		print_error("%s: %s, explanation \"%.*s\", %s\n", name,
		    spf_result_str(v->result), STR_ARG(v->explanation),
		    v->problem ? v->problem : "no problem");
	}
	spf_free(c);
}

static void
run_scenario(struct scenario *s)
{
	yaml_node_t *root = yaml_document_get_root_node(&s->doc);
	yaml_node_t *tests = member(s, root, "tests");

	s->zone.n = 0;
	s->texts = BUF_INIT(KIB(64));
	ASSERT(buf_reserve(&s->texts, KIB(64)));
	add_zone(s, member(s, root, "zonedata"));
	for (yaml_node_pair_t *p = tests->data.mapping.pairs.start;
	     p < tests->data.mapping.pairs.top; p++)
		run_case(s, scalar_c(yaml_document_get_node(&s->doc, p->key)),
		    yaml_document_get_node(&s->doc, p->value));
	buf_done(&s->texts);
}

static void
run_suite(const char *path, unsigned want_tests)
{
	struct scenario *s = X_NEW(struct scenario);
	FILE *f = fopen(path, "rb");
	unsigned run, failed;
	yaml_parser_t parser;
	bool is_end = false;

	if (!f) {
		free(s);
		print_message("%s is not there: skipped\n", path);
		skip();
	}
	ASSERT(yaml_parser_initialize(&parser));
	yaml_parser_set_input_file(&parser, f);
	while (!is_end) {
		ASSERT(yaml_parser_load(&parser, &s->doc));
		is_end = !yaml_document_get_root_node(&s->doc);
		if (!is_end)
			run_scenario(s);
		yaml_document_delete(&s->doc);
	}
	yaml_parser_delete(&parser);
	fclose(f);
	run = s->run;
	failed = s->failed;
	free(s);
	print_message("%s: %u tests, %u failed\n", path, run, failed);
	CHECK(failed == 0, "all tests have an acceptable result");
	CHECK(run >= want_tests, "the whole suite was read");
}

TEST(the_suite_of_rfc7208_passes)
{
	run_suite(FOLDER "rfc7208-tests.yml", 203);
}

/* Its lists of results leave room for the newer RFC wherever that differs. */
TEST(the_suite_of_rfc4408_passes_too)
{
	run_suite(FOLDER "rfc4408-tests.yml", 191);
}

TEST_MAIN(
    UNIT(the_suite_of_rfc7208_passes), UNIT(the_suite_of_rfc4408_passes_too))
