/* SPDX-License-Identifier: ISC */
/*
 * LINK: spf
 *
 * A client, two names and a list of answers from the input; the answers are
 * used in order and again from the start. Properties: the check ends within
 * its limits, whatever is answered; every question is a name that the DNS
 * can have; asking for the same step again changes nothing; a second run
 * with the same answers asks the same and ends the same; terms of a record
 * that was accepted read back to it; fields are folded lines of ASCII.
 *
 * Input: a byte of flags, then parts separated by NUL: sender, HELO, answers.
 * The first byte of an answer says how it failed or not; its records are
 * separated by line feeds.
 */
#include "base/hash.h"
#include "proto/spf/spf_report.h"

#define PARTS_MAX   64
#define RECORDS_MAX 32

struct input {
	struct spf_request request;
	struct str answers[PARTS_MAX];
	size_t n;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_input(struct str in, struct input *ret)
{
	uint8_t flags = in.n > 0 ? (uint8_t)in.p[0] : 0;
	struct spf_request *r = &ret->request;
	struct str rest;

	*ret = (struct input){ .request.receiver = STR("mx.receiver.test") };
	r->identity = flags & 1 ? SPF_HELO : SPF_MAIL_FROM;
	r->now = flags;
	r->client = (struct spf_address){ .bytes = { 192, 0, 2, 1 } };
	if (flags & 2)
		r->client = (struct spf_address){ true,
			{ 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	rest = str_split(str_from(in, 1), '\0', &r->mail_from);
	rest = str_split(rest, '\0', &r->helo);
	while (rest.p && ret->n < PARTS_MAX)
		rest = str_split(rest, '\0', &ret->answers[ret->n++]);
}

static void
check_question(const struct spf_question *q)
{
	struct str rest = q->name, label;

	ASSERT(q->name.n > 0 && q->name.n <= 253);
	while (rest.p) {
		rest = str_split(rest, '.', &label);
		ASSERT(label.n > 0 && label.n <= 63);
		for (size_t i = 0; i < label.n; i++)
			ASSERT(label.p[i] >= ' ' && label.p[i] <= '~');
	}
}

static void
answer(struct spf_check *c, const struct spf_question *q, struct str part)
{
	static const uint8_t client4[] = { 192, 0, 2, 1 };
	static const uint8_t client6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct str records[RECORDS_MAX], rest = str_from(part, 1);
	struct spf_answer a = { SPF_DNS_FOUND, records, 0 };
	char kind = part.n > 0 ? part.p[0] : '-';

	if (kind == '-')
		a.status = SPF_DNS_NONE;
	else if (kind == '!')
		a.status = SPF_DNS_FAILED;
	while (rest.p && a.n < RECORDS_MAX)
		rest = str_split(rest, '\n', &records[a.n++]);
	/* A short way to an address that matches. */
	if (a.n > 0 && kind == '=' && q->type == SPF_TYPE_A)
		records[0] = str_make(client4, 4);
	if (a.n > 0 && kind == '=' && q->type == SPF_TYPE_AAAA)
		records[0] = str_make(client6, 16);
	spf_answer(c, &a);
}

static void
check_terms(struct str text)
{
	struct spf_record r;
	struct spf_term t;
	struct str bad;
	size_t n = 0;

	if (!spf_record_is_spf(text) || spf_record_parse(text, &r, &bad))
		return;
	while (spf_record_next(&r.terms, &t)) {
		ASSERT(t.prefix4 <= 32 && t.prefix6 <= 128);
		ASSERT(t.text.p >= text.p + 6 && t.text.n > 0);
		ASSERT(t.text.p + t.text.n <= text.p + text.n);
		ASSERT(str_find(t.text, ' ') < 0);
		n += t.text.n;
	}
	/* Only spaces lie between the terms. */
	for (size_t i = 6; i < text.n; i++)
		n += text.p[i] == ' ';
	ASSERT(n == text.n - 6);
}

static void
check_field(struct str field)
{
	struct str line, rest = field;

	while (rest.p) {
		rest = str_split(rest, '\n', &line);
		ASSERT(line.n <= 998);
		if (rest.p) {
			ASSERT(str_ends(line, STR("\r")));
			ASSERT(str_starts(rest, STR("\t")));
			line.n--;
		}
		for (size_t i = 0; i < line.n; i++)
			ASSERT((line.p[i] >= ' ' && line.p[i] <= '~') ||
			       (i == 0 && line.p[i] == '\t'));
	}
}

static void
check_verdict(const struct spf_check *c)
{
	const struct spf_verdict *v = spf_verdict(c);
	bool has_problem = v->result == SPF_NONE ||
	                   v->result == SPF_TEMPERROR ||
	                   v->result == SPF_PERMERROR;
	struct buf b = BUF_INIT(KIB(16));

	ASSERT((v->problem != NULL) == has_problem);
	ASSERT((v->mechanism.n > 0) != has_problem);
	ASSERT(v->explanation.n == 0 || v->result == SPF_FAIL);
	ASSERT(v->explanation.n <= SPF_EXPLANATION_MAX);
	ASSERT(v->lookups <= SPF_LOOKUPS_MAX);
	ASSERT(v->voids <= SPF_VOIDS_MAX + 1);
	spf_put_received(c, &b);
	spf_put_auth_result(c, &b);
	ASSERT(!b.failed);
	check_field(buf_str(&b));
	buf_done(&b);
}

/* The whole check, and a number that stands for all that it said. */
static uint64_t
run(const struct input *in, bool steps_twice)
{
	struct spf_check *c = spf_start(&in->request);
	const struct spf_verdict *v;
	struct spf_question q, again;
	uint64_t sum = 0;
	unsigned n = 0;

	while (spf_step(c, &q) == SPF_ASK) {
		struct str part = in->n ? in->answers[n % in->n] : STR_NONE;

		check_question(&q);
		if (steps_twice) {
			ASSERT(spf_step(c, &again) == SPF_ASK);
			ASSERT(again.type == q.type);
			ASSERT(str_eq(again.name, q.name));
		}
		sum = hash64_seed(q.name.p, q.name.n, sum + q.type);
		ASSERT(++n <= SPF_QUESTIONS_MAX);
		answer(c, &q, part);
	}
	v = spf_verdict(c);
	ASSERT(v->questions == n);
	check_verdict(c);
	sum = hash64_seed(v->mechanism.p, v->mechanism.n, sum + v->result);
	sum = hash64_seed(v->explanation.p, v->explanation.n, sum);
	spf_free(c);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;

	read_input(str_make(data, size), &in);
	for (size_t i = 0; i < in.n; i++)
		check_terms(str_from(in.answers[i], 1));
	ASSERT(run(&in, false) == run(&in, true));
	return 0;
}
