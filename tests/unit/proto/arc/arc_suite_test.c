/* SPDX-License-Identifier: ISC */
/*
 * arc_suite_test.c - the public test suite of ARC (validation and signing),
 * when it lies beside the repository.
 *
 * Signatures with RSA are the same whoever makes them, so what we seal is
 * compared with the expected fields tag by tag.
 */
#include "../../test.h"
#include "proto/arc/arc_seal.h"
#include "proto/arc/arc_verify.h"
#include "proto/authres/authres.h"
#include "proto/dkim/dkim_tag.h"

#include <yaml.h>

#define FOLDER "../shared/testdata/arc/"

/* --- YAML ---------------------------------------------------------------- */

static struct str
scalar(const yaml_node_t *n)
{
	if (!n || n->type != YAML_SCALAR_NODE)
		return STR_NONE;
	return str_make(n->data.scalar.value, n->data.scalar.length);
}

static yaml_node_t *
member(yaml_document_t *d, const yaml_node_t *map, const char *name)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++)
		if (str_eq(
			scalar(yaml_document_get_node(d, p->key)), str_c(name)))
			return yaml_document_get_node(d, p->value);
	return NULL;
}

typedef void (*case_fn)(yaml_document_t *d, const char *name,
    const yaml_node_t *test, struct crypt_key *key);

static size_t
run_document(yaml_document_t *d, case_fn run)
{
	yaml_node_t *root = yaml_document_get_root_node(d);
	yaml_node_t *tests = member(d, root, "tests");
	struct str pem = scalar(member(d, root, "privatekey"));
	struct crypt_key *key = pem.n ? crypt_key_from_pem(pem) : NULL;
	size_t count = 0;

	if (!tests || tests->type != YAML_MAPPING_NODE)
		return 0;
	for (yaml_node_pair_t *p = tests->data.mapping.pairs.start;
	     p < tests->data.mapping.pairs.top; p++) {
		char *name = str_dup(scalar(yaml_document_get_node(d, p->key)));

		run(d, name, yaml_document_get_node(d, p->value), key);
		free(name);
		count++;
	}
	crypt_key_free(key);
	return count;
}

/* Run all cases of a file; 0 when it is not there. */
static size_t
run_file(const char *path, case_fn run)
{
	FILE *f = fopen(path, "rb");
	yaml_parser_t parser;
	size_t count = 0;

	if (!f) {
		print_message("skipped: no %s\n", path);
		return 0;
	}
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_file(&parser, f);
	for (;;) {
		yaml_document_t d;
		bool is_end;

		CHECK(yaml_parser_load(&parser, &d), path);
		is_end = !yaml_document_get_root_node(&d);
		if (!is_end)
			count += run_document(&d, run);
		yaml_document_delete(&d);
		if (is_end)
			break;
	}
	yaml_parser_delete(&parser);
	fclose(f);
	return count;
}

/* --- messages ------------------------------------------------------------ */

/* With CRLF, cut into header (with its last CRLF) and body. */
struct mail {
	struct buf bytes;
	struct str header;
	struct str body;
};

static void
mail_init(struct mail *m, struct str text)
{
	m->bytes = BUF_INIT(MIB(1));
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_put_char(&m->bytes, '\r');
		buf_put_char(&m->bytes, text.p[i]);
	}
	m->header = buf_str(&m->bytes);
	m->body = STR_NONE;
	if (!str_starts(m->header, STR("\r\n"))) {
		ptrdiff_t end = str_search(m->header, STR("\r\n\r\n"));

		if (end >= 0) {
			m->body = str_from(m->header, (size_t)end + 4);
			m->header.n = (size_t)end + 2;
		}
	} else {
		m->body = str_from(m->header, 2);
		m->header.n = 0;
	}
}

static struct arc_result
validate(yaml_document_t *d, const struct mail *m)
{
	yaml_node_t *root = yaml_document_get_root_node(d);
	yaml_node_t *keys = member(d, root, "txt-records");
	struct arc_verifier *v = arc_verifier_new(m->header, NULL);
	struct arc_result r;

	for (size_t i = 0; i < arc_verifier_keys(v); i++) {
		struct buf name = BUF_INIT(300);
		struct str record;

		arc_verifier_query(v, i, &name);
		record = scalar(member(d, keys, buf_c(&name)));
		arc_verifier_key(v, i,
		    record.p ? DKIM_ANSWER_RECORD : DKIM_ANSWER_NONE, record);
		buf_done(&name);
	}
	arc_verifier_body(v, m->body);
	r = arc_verifier_finish(v);
	arc_verifier_free(v);
	return r;
}

static void
check_validation(yaml_document_t *d, const char *name, const yaml_node_t *test,
    UNUSED struct crypt_key *key)
{
	struct str want = dkim_trim(scalar(member(d, test, "cv")));
	struct arc_result r;
	struct mail m;

	mail_init(&m, scalar(member(d, test, "message")));
	r = validate(d, &m);
	/* Where a seal says that the chain has failed, the suite leaves open
	   what to answer; RFC 8617 section 5.2 step 2 says "fail". */
	if (want.n == 0)
		want = STR("fail");
	if (!str_eq_case(want, str_c(arc_cv_str(r.cv))))
		fail_msg("%s: want %.*s, got %s (%s)", name, STR_ARG(want),
		    arc_cv_str(r.cv), r.reason ? r.reason : "-");
	CHECK((r.cv == ARC_FAIL) == (r.reason != NULL), name);
	buf_done(&m.bytes);
}

TEST(chains_are_validated_as_the_suite_expects)
{
	size_t n =
	    run_file(FOLDER "arc-draft-validation-tests.yml", check_validation);

	if (n == 0)
		skip();
	print_message("%zu cases\n", n);
	CHECK(n > 150, "all cases were read");
}

/* --- sealing ------------------------------------------------------------- */

/* Same tags with the same values, blanks in these aside. */
static void
check_tags(struct str want, struct str got, const char *name)
{
	struct dkim_tags w, g;

	CHECK(dkim_tags_parse(want, &w), name);
	CHECK(dkim_tags_parse(got, &g), name);
	CHECK(w.n == g.n, name);
	for (size_t i = 0; i < w.n; i++) {
		struct buf a = BUF_INIT(2000), b = BUF_INIT(2000);
		const struct dkim_tag *t = NULL;

		for (size_t k = 0; k < g.n; k++)
			if (str_eq(w.v[i].name, g.v[k].name))
				t = &g.v[k];
		CHECK(t, name);
		for (size_t k = 0; k < w.v[i].value.n; k++)
			if (!strchr(" \r\n\t", w.v[i].value.p[k]))
				buf_put_char(&a, w.v[i].value.p[k]);
		for (size_t k = 0; k < t->value.n; k++)
			if (!strchr(" \r\n\t", t->value.p[k]))
				buf_put_char(&b, t->value.p[k]);
		if (!str_eq(buf_str(&a), buf_str(&b)))
			fail_msg("%s: %.*s= should be %.*s, is %.*s", name,
			    STR_ARG(t->name), STR_ARG(buf_str(&a)),
			    STR_ARG(buf_str(&b)));
		buf_done(&a);
		buf_done(&b);
	}
}

static void
put_buf(void *arg, struct str bytes)
{
	buf_put_str(arg, bytes);
}

static void
check_results(struct str want, const struct dkim_field *got, const char *name)
{
	struct buf a = BUF_INIT(2000), b = BUF_INIT(2000), f = BUF_INIT(2000);
	struct dkim_sink to_a = { put_buf, &a }, to_b = { put_buf, &b };
	struct mail m;

	mail_init(&m, dkim_trim(want));
	buf_put_c(&f, "ARC-Authentication-Results: ");
	buf_put_str(&f, m.header);
	dkim_canon_field(DKIM_RELAXED, buf_str(&f), false, &to_a);
	dkim_canon_field(DKIM_RELAXED, got->whole, false, &to_b);
	CHECK(str_eq(buf_str(&a), buf_str(&b)), name);
	buf_done(&m.bytes);
	buf_done(&a);
	buf_done(&b);
	buf_done(&f);
}

/* "a:b:c" as the names to sign. */
static size_t
split_names(struct str list, struct dkim_sign_name *names, struct buf *text)
{
	struct str one;
	size_t n = 0, off[20];

	while (dkim_list_next(&list, ':', &one)) {
		assert_true(n < 20);
		off[n++] = text->n;
		buf_put_str(text, one);
		buf_put_char(text, '\0');
	}
	for (size_t i = 0; i < n; i++)
		names[i] = (struct dkim_sign_name){ text->p + off[i], false };
	return n;
}

/* What "arc=" the message says of itself. */
static bool
agrees_with_message(struct str results, enum arc_cv cv)
{
	struct buf want = BUF_INIT(20);
	bool ok;

	buf_printf(&want, "arc=%s", arc_cv_str(cv));
	ok = str_starts(results, buf_str(&want));
	buf_done(&want);
	return ok;
}

static void
check_sealing(yaml_document_t *d, const char *name, const yaml_node_t *test,
    struct crypt_key *key)
{
	yaml_node_t *root = yaml_document_get_root_node(d);
	struct buf results = BUF_INIT(4000), out = BUF_INIT(KIB(64));
	struct buf text = BUF_INIT(1000);
	struct dkim_sign_name names[20];
	struct arc_seal_options o = { 0 };
	struct arc_sealer *s;
	struct dkim_header h;
	uint64_t now = 0;
	struct mail m;

	mail_init(&m, scalar(member(d, test, "message")));
	CHECK(str_to_u64(scalar(member(d, test, "t")), UINT64_MAX, &now), name);
	o.domain = scalar(member(d, root, "domain"));
	o.selector = scalar(member(d, root, "sel"));
	o.authserv_id = scalar(member(d, test, "srv-id"));
	o.key = key;
	o.now = now;
	o.names = names;
	o.names_n =
	    split_names(scalar(member(d, test, "sig-headers")), names, &text);
	o.cv = validate(d, &m).cv;
	CHECK(arc_collect_results(m.header, o.authserv_id, &results), name);
	o.results = buf_str(&results);
	s = arc_sealer_new(m.header, &o);
	if (dkim_trim(scalar(member(d, test, "AS"))).n == 0) {
		CHECK(!s, name);
	} else {
		CHECK(s, name);
		CHECK(agrees_with_message(o.results, o.cv), name);
		arc_sealer_body(s, m.body);
		CHECK(arc_sealer_finish(s, &out), name);
		CHECK(dkim_header_parse(buf_str(&out), &h) && h.n == 3, name);
		check_results(scalar(member(d, test, "AAR")), &h.v[2], name);
		check_tags(scalar(member(d, test, "AMS")), h.v[1].value, name);
		check_tags(scalar(member(d, test, "AS")), h.v[0].value, name);
		dkim_header_done(&h);
	}
	arc_sealer_free(s);
	buf_done(&m.bytes);
	buf_done(&text);
	buf_done(&out);
	buf_done(&results);
}

TEST(seals_are_those_that_the_suite_expects)
{
	size_t n = run_file(FOLDER "arc-draft-sign-tests.yml", check_sealing);

	if (n == 0)
		skip();
	print_message("%zu cases\n", n);
	CHECK(n > 10, "all cases were read");
}

TEST_MAIN(UNIT(chains_are_validated_as_the_suite_expects),
    UNIT(seals_are_those_that_the_suite_expects))
