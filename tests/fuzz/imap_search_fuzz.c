/* SPDX-License-Identifier: ISC */
/*
 * LINK: imap
 * Arguments of SEARCH. Properties: a tree within its limits and in simple
 * form, and one that is the same after it was written and parsed again.
 */
#include "proto/imap/imap_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
parse(
    struct arena *a, struct str args, struct buf *text, struct imap_search *ret)
{
	struct imap_command cmd;

	buf_put_c(text, "a SEARCH ");
	buf_put_str(text, args);
	if (imap_command_parse(a, buf_str(text), false, &cmd) != IMAP_PARSE_OK)
		return false;
	*ret = cmd.u.search;
	return true;
}

static unsigned
check_simple(const struct imap_search_key *key, unsigned depth)
{
	bool is_list = key->op == IMAP_SEARCH_AND || key->op == IMAP_SEARCH_OR;
	unsigned n = 1, children = 0;

	ASSERT(depth <= 2 * IMAP_MAX_SEARCH_DEPTH + 2);
	for (const struct imap_search_key *k = key->child; k; k = k->next) {
		ASSERT(!is_list || k->op != key->op);
		ASSERT(!is_list || k->op != IMAP_SEARCH_ALL);
		ASSERT(key->op != IMAP_SEARCH_NOT ||
		       (k->op != IMAP_SEARCH_NOT && k->op != IMAP_SEARCH_FLAG));
		n += check_simple(k, depth + 1);
		children++;
	}
	if (is_list)
		ASSERT(children >= 2);
	else
		ASSERT(children == (key->op == IMAP_SEARCH_NOT));
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = BUF_INIT(MIB(1)), in2 = BUF_INIT(MIB(1));
	struct buf one = BUF_INIT(MIB(1)), two = BUF_INIT(MIB(1));
	struct imap_search s, t;
	struct arena a;

	if (size > KIB(64))
		return 0;
	arena_init(&a, MIB(8));
	if (parse(&a, str_make(data, size), &in, &s)) {
		ASSERT(s.n_keys <= IMAP_MAX_SEARCH_KEYS);
		ASSERT(check_simple(s.root, 0) == s.n_keys);
		ASSERT(s.root->next == NULL);
		imap_search_format(&one, s.root);
		ASSERT(parse(&a, buf_str(&one), &in2, &t));
		imap_search_format(&two, t.root);
		ASSERT(str_eq(buf_str(&one), buf_str(&two)));
		ASSERT(s.needs == t.needs && s.n_keys == t.n_keys);
	}
	arena_done(&a);
	buf_done(&in);
	buf_done(&in2);
	buf_done(&one);
	buf_done(&two);
	return 0;
}
