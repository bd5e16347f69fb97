/* SPDX-License-Identifier: ISC */
/*
 * LINK: status
 *
 * Checks, systems and windows, as words of a person (first byte 'w': KIND,
 * TARGET, NAME=VALUE, a line each) or as a row. Properties: what the words
 * make becomes a row that reads back as the same check; whatever a row is,
 * if it can be read, writing it and reading it again changes nothing; and
 * what a check says of itself is in its ranges.
 */
#include "proto/status/status_check.h"
#include "proto/status/status_system.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_says(const struct status_check *c)
{
	struct status_target t = status_check_target(c);
	uint64_t every = status_check_ms(c, STATUS_OPT_EVERY);

	ASSERT(t.host.n > 0 && status_is_host(t.host));
	ASSERT(c->kind != STATUS_HTTP || t.path.p[0] == '/');
	ASSERT(every >= 2000 && every <= 86400000);
	ASSERT(status_check_ms(c, STATUS_OPT_TIMEOUT) <= every);
	ASSERT(status_check_ms(c, STATUS_OPT_SLOW) <=
	       status_check_ms(c, STATUS_OPT_TIMEOUT));
	ASSERT(status_check_ms(c, STATUS_OPT_LIMIT) <=
	       status_check_ms(c, STATUS_OPT_TIMEOUT));
	ASSERT(
	    status_check_number(c, STATUS_OPT_CONFIRM, 1) - 1 < STATUS_RUN_MAX);
	ASSERT(
	    status_check_number(c, STATUS_OPT_RECOVER, 1) - 1 < STATUS_RUN_MAX);
	ASSERT((unsigned)status_check_tls(c) <= STATUS_TLS_IMPLICIT);
}

static void
check_row(const struct status_check *c)
{
	struct buf one = BUF_INIT(KIB(64)), two = BUF_INIT(KIB(64));
	struct status_check back;

	status_check_encode(c, &one);
	ASSERT(!one.failed && status_check_decode(buf_str(&one), &back));
	ASSERT(back.kind == c->kind && back.n == c->n);
	status_check_encode(&back, &two);
	ASSERT(str_eq(buf_str(&one), buf_str(&two)));
	check_says(&back);
	buf_done(&one);
	buf_done(&two);
}

static void
fuzz_words(struct str in)
{
	struct status_fault fault = { 0 };
	struct status_check c;
	struct str kind, target, word;

	in = str_split(in, '\n', &kind);
	in = str_split(in, '\n', &target);
	if (!status_check_begin(&c, kind, target, &fault)) {
		ASSERT(fault.expected != NULL);
		return;
	}
	while (in.n > 0) {
		in = str_split(in, '\n', &word);
		fault.expected = NULL;
		if (!status_check_put(&c, word, &fault))
			ASSERT(fault.expected != NULL);
	}
	if (status_check_finish(&c, &fault))
		check_row(&c);
}

static void
fuzz_system(struct str in)
{
	struct buf one = BUF_INIT(KIB(8));
	struct status_system s, back;

	if (!status_system_decode(in, &s))
		return;
	status_system_encode(&s, &one);
	ASSERT(status_system_decode(buf_str(&one), &back));
	ASSERT(str_eq(s.id, back.id) && s.n_parents == back.n_parents);
	buf_done(&one);
}

static void
fuzz_window(struct str in)
{
	struct buf key = BUF_INIT(KIB(8)), value = BUF_INIT(KIB(8));
	struct status_window w, back;
	struct str name, rest = str_split(in, '\n', &name);

	if (status_window_decode(name, rest, &w)) {
		status_window_put_key(&key, &w);
		status_window_encode(&w, &value);
		ASSERT(status_window_decode(
		    buf_str(&key), buf_str(&value), &back));
		ASSERT(w.from_s == back.from_s && w.length_s == back.length_s);
	}
	buf_done(&key);
	buf_done(&value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from(str_make(data, size), 1);
	struct status_check c;

	if (size == 0)
		return 0;
	if (data[0] == 'w')
		fuzz_words(in);
	else if (data[0] == 's')
		fuzz_system(in);
	else if (data[0] == 'm')
		fuzz_window(in);
	else if (status_check_decode(in, &c))
		check_row(&c);
	return 0;
}
