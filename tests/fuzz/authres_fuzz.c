/* SPDX-License-Identifier: ISC */
/*
 * LINK: authres
 *
 * authres_fuzz.c - what was read can be written and read again, and is then
 * the same; no field that is ours for the reader is missed by the stripper,
 * which finds nothing when it is run again.
 */
#include "proto/authres/authres.h"

#define ID "mx.example.org"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
format_result(struct authres_writer *w, const struct authres_result *r)
{
	char *method = str_dup(r->method), *result = str_dup(r->result);
	char *reason = r->reason.p ? str_dup(r->reason) : NULL;

	authres_write_result(w, method, result, reason);
	for (size_t i = 0; i < r->props_n; i++) {
		char *type = str_dup(r->props[i].type);
		char *name = str_dup(r->props[i].name);

		authres_write_prop(w, type, name, r->props[i].value);
		free(type);
		free(name);
	}
	free(method);
	free(result);
	free(reason);
}

/* Only the value: behind "A:". */
static struct str
format(const struct authres *a, struct buf *to)
{
	struct authres_writer w;

	authres_write_start(&w, "A", a->id, to);
	for (size_t i = 0; i < a->results_n; i++)
		format_result(&w, &a->results[i]);
	authres_write_finish(&w);
	return str_from(buf_str(to), 2);
}

static void
check_round(const struct authres *a)
{
	struct buf one = BUF_INIT(KIB(12)), two = BUF_INIT(KIB(12));
	struct str text = format(a, &one);
	struct arena arena;
	struct authres b;

	arena_init(&arena, AUTHRES_ARENA_MAX);
	if (!one.failed) {
		ASSERT(authres_parse(text, &arena, &b));
		ASSERT(b.results_n == a->results_n);
		ASSERT(str_eq(text, format(&b, &two)));
	}
	arena_done(&arena);
	buf_done(&one);
	buf_done(&two);
}

static void
check_strip(struct str in)
{
	struct buf one = BUF_INIT(in.n + 1), two = BUF_INIT(in.n + 1);

	(void)authres_strip(in, STR(ID), &one);
	ASSERT(!one.failed && one.n <= in.n);
	ASSERT(authres_strip(buf_str(&one), STR(ID), &two) == 0);
	ASSERT(str_eq(buf_str(&one), buf_str(&two)));
	buf_done(&one);
	buf_done(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size), value = in;
	struct arena arena;
	struct authres a;

	arena_init(&arena, AUTHRES_ARENA_MAX);
	if (str_starts_case(in, STR("Authentication-Results:")))
		value = str_from(in, 23);
	if (authres_parse(value, &arena, &a)) {
		ASSERT(a.results_n <= AUTHRES_RESULTS_MAX);
		ASSERT(authres_claims(value, a.id));
		check_round(&a);
	}
	ASSERT(arena.used <= AUTHRES_ARENA_MAX);
	check_strip(in);
	arena_done(&arena);
	return 0;
}
