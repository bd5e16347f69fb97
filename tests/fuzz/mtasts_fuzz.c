/* SPDX-License-Identifier: ISC */
/*
 * LINK: mtasts
 *
 * The input as a policy and as a record. Properties: a right policy, written
 * again from what was read, reads the same and allows the same hosts; each
 * pattern allows the host that it is; views stay inside; limits hold.
 */
#include "base/hostname.h"
#include "proto/mtasts/mtasts.h"

#define PATTERNS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_allows(const struct mtasts_policy *p, struct str pattern)
{
	char below[HOSTNAME_MAX + 3];
	struct str name = pattern, deep = str_make(below, pattern.n + 2);

	/* A wildcard allows a label in its place, and not two. */
	ASSERT(pattern.n <= HOSTNAME_MAX + 2);
	below[0] = 'x';
	below[1] = '.';
	memcpy(below + 2, pattern.p, pattern.n);
	if (str_starts(pattern, STR("*."))) {
		below[2] = 'y';
		name = str_from(deep, 2);
	}
	ASSERT(hostname_is_valid(name));
	ASSERT(mtasts_allows(p, name));
}

static void
check_policy(const struct mtasts_policy *p)
{
	struct str patterns[PATTERNS_MAX], rest = p->text;
	struct buf b = BUF_INIT(MTASTS_POLICY_MAX);
	struct mtasts_policy again;
	size_t n = 0;

	ASSERT(p->max_age_s <= MTASTS_AGE_MAX);
	while (n < PATTERNS_MAX && mtasts_next_mx(&rest, &patterns[n])) {
		ASSERT(patterns[n].p >= p->text.p);
		ASSERT(patterns[n].p + patterns[n].n <= p->text.p + p->text.n);
		check_allows(p, patterns[n++]);
	}
	ASSERT(n > 0 || p->mode == MTASTS_MODE_NONE);
	ASSERT(mtasts_put_policy(&b, p->mode, p->max_age_s, patterns, n));
	ASSERT(!mtasts_policy_parse(buf_str(&b), &again));
	ASSERT(again.mode == p->mode && again.max_age_s == p->max_age_s);
	for (size_t i = 0; i < n; i++)
		ASSERT(mtasts_allows(&again, patterns[i]));
	if (rest.n == 0 && p->mode != MTASTS_MODE_NONE)
		ASSERT(mtasts_allows(p, STR("mx.example.com")) ==
		       mtasts_allows(&again, STR("mx.example.com")));
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size), id;
	struct buf b = BUF_INIT(KIB(1));
	struct mtasts_policy p;

	if (!mtasts_policy_parse(in, &p))
		check_policy(&p);
	if (mtasts_find_record(&in, 1, &id) == MTASTS_FOUND) {
		struct str text, got;

		ASSERT(mtasts_put_record(&b, id));
		text = buf_str(&b);
		ASSERT(mtasts_find_record(&text, 1, &got) == MTASTS_FOUND);
		ASSERT(str_eq(got, id));
	}
	buf_done(&b);
	return 0;
}
