/* SPDX-License-Identifier: ISC */
/*
 * imap_search_tree.c - what can be done with a search tree before it is
 * evaluated: make it simple, say what it needs, write it.
 */
#include "proto/imap/imap_internal.h"

#include "proto/imap/imap_write.h"

unsigned
imap_search_key_needs(const struct imap_search_key *key)
{
	switch (key->op) {
	case IMAP_SEARCH_FLAG:
	case IMAP_SEARCH_KEYWORD:
		return IMAP_NEED_FLAGS;
	case IMAP_SEARCH_MODSEQ:
		return IMAP_NEED_MODSEQ;
	case IMAP_SEARCH_LARGER:
	case IMAP_SEARCH_SMALLER:
		return IMAP_NEED_SIZE;
	case IMAP_SEARCH_BEFORE:
	case IMAP_SEARCH_ON:
	case IMAP_SEARCH_SINCE:
	case IMAP_SEARCH_OLDER:
	case IMAP_SEARCH_YOUNGER:
		return IMAP_NEED_DATE;
	case IMAP_SEARCH_SENT_BEFORE:
	case IMAP_SEARCH_SENT_ON:
	case IMAP_SEARCH_SENT_SINCE:
		return IMAP_NEED_SENT_DATE;
	case IMAP_SEARCH_HEADER:
		return IMAP_NEED_HEADER;
	case IMAP_SEARCH_BODY:
		return IMAP_NEED_BODY;
	case IMAP_SEARCH_TEXT:
		return IMAP_NEED_HEADER | IMAP_NEED_BODY;
	case IMAP_SEARCH_ALL:
	case IMAP_SEARCH_SEQ:
	case IMAP_SEARCH_UID:
	case IMAP_SEARCH_SAVED:
	case IMAP_SEARCH_NOT:
	case IMAP_SEARCH_AND:
	case IMAP_SEARCH_OR:
		return 0;
	}
	return 0;
}

/* Sort key of a node: that of the dearest leaf below it. */
static enum imap_search_op
cost(const struct imap_search_key *key)
{
	enum imap_search_op max = key->child ? IMAP_SEARCH_ALL : key->op;

	for (key = key->child; key; key = key->next)
		max = MAX(max, cost(key));
	return max;
}

/*
 * Put key where its cost says, behind others of the same cost. Returns where
 * a key that costs at least as much may go: with it a sorted list is merged
 * in one pass, however deep a client nests.
 */
static struct imap_search_key **
insert(struct imap_search_key **list, struct imap_search_key *key)
{
	enum imap_search_op c = cost(key);

	while (*list && cost(*list) <= c)
		list = &(*list)->next;
	key->next = *list;
	*list = key;
	return &key->next;
}

static void
make_all(struct imap_search_key *key)
{
	*key = (struct imap_search_key){ .op = IMAP_SEARCH_ALL };
}

/*
 * AND and OR: children of the same kind are replaced by their children, ALL
 * is dropped from AND and decides OR, and a list of one is that one.
 */
static struct imap_search_key *
simplify_list(struct imap_search_key *key)
{
	struct imap_search_key *child = key->child, *next, *nested, **at;
	enum imap_search_op op = key->op;

	key->child = NULL;
	for (; child; child = next) {
		next = child->next;
		child = imap_search_simplify(child);
		if (child->op == IMAP_SEARCH_ALL) {
			if (op == IMAP_SEARCH_AND)
				continue;
			make_all(key);
			return key;
		}
		if (child->op != op) {
			insert(&key->child, child);
			continue;
		}
		at = &key->child;
		for (child = child->child; child; child = nested) {
			nested = child->next;
			at = insert(at, child);
		}
	}
	if (!key->child)
		make_all(key);
	else if (!key->child->next)
		return key->child;
	return key;
}

static struct imap_search_key *
simplify_not(struct imap_search_key *key)
{
	struct imap_search_key *child = imap_search_simplify(key->child);

	child->next = NULL;
	if (child->op == IMAP_SEARCH_NOT)
		return child->child;
	if (child->op == IMAP_SEARCH_FLAG) {
		child->u.flag.want = !child->u.flag.want;
		return child;
	}
	key->child = child;
	return key;
}

struct imap_search_key *
imap_search_simplify(struct imap_search_key *key)
{
	switch (key->op) {
	case IMAP_SEARCH_AND:
	case IMAP_SEARCH_OR:
		return simplify_list(key);
	case IMAP_SEARCH_NOT:
		return simplify_not(key);
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		/* Every message contains the empty string. */
		if (key->u.text.n == 0)
			make_all(key);
		return key;
	case IMAP_SEARCH_ALL:
	case IMAP_SEARCH_SEQ:
	case IMAP_SEARCH_UID:
	case IMAP_SEARCH_SAVED:
	case IMAP_SEARCH_FLAG:
	case IMAP_SEARCH_KEYWORD:
	case IMAP_SEARCH_MODSEQ:
	case IMAP_SEARCH_LARGER:
	case IMAP_SEARCH_SMALLER:
	case IMAP_SEARCH_BEFORE:
	case IMAP_SEARCH_ON:
	case IMAP_SEARCH_SINCE:
	case IMAP_SEARCH_OLDER:
	case IMAP_SEARCH_YOUNGER:
	case IMAP_SEARCH_SENT_BEFORE:
	case IMAP_SEARCH_SENT_ON:
	case IMAP_SEARCH_SENT_SINCE:
	case IMAP_SEARCH_HEADER:
		return key;
	}
	return key;
}

static void
put_day(struct buf *b, const char *word, int32_t day)
{
	struct buf text = BUF_INIT(IMAP_DATE_TIME_LEN);

	/* The date is the first half of a date-time: "17-Jul-1996 .. */
	imap_put_date_time(
	    &text, (struct imap_time){ (int64_t)day * 86400, 0 });
	buf_put_c(b, word);
	buf_put_str(b, str_sub(buf_str(&text), 1, 11));
	buf_done(&text);
}

/* "OLD" and "UNSEEN" and not "NOT SEEN", which would be two keys. */
static void
put_flag(struct buf *b, const struct imap_search_key *key)
{
	struct buf name = BUF_INIT(64);

	if (!key->u.flag.want && key->u.flag.bit == IMAP_FLAG_RECENT) {
		buf_put_c(b, "OLD");
		return;
	}
	if (!key->u.flag.want)
		buf_put_c(b, "UN");
	imap_put_flags(&name, key->u.flag.bit, NULL, 0);
	for (size_t i = 1; i < name.n; i++) /* without "\" */
		buf_put_char(b, ascii_upper(name.p[i]));
	buf_done(&name);
}

static void
put_word_text(struct buf *b, const char *word, struct str text)
{
	buf_put_c(b, word);
	imap_put_string(b, text);
}

static void
put_word_number(struct buf *b, const char *word, uint64_t number)
{
	buf_put_c(b, word);
	imap_put_number(b, number);
}

static void put_key(struct buf *b, const struct imap_search_key *key);

static void
put_and(struct buf *b, const struct imap_search_key *key)
{
	for (const struct imap_search_key *k = key->child; k; k = k->next) {
		put_key(b, k);
		if (k->next)
			buf_put_char(b, ' ');
	}
}

static void
put_or(struct buf *b, const struct imap_search_key *key)
{
	for (const struct imap_search_key *k = key->child; k; k = k->next) {
		if (k->next)
			buf_put_c(b, "OR ");
		put_key(b, k);
		if (k->next)
			buf_put_char(b, ' ');
	}
}

static void
put_header(struct buf *b, const struct imap_search_key *key)
{
	put_word_text(b, "HEADER ", key->u.header.name);
	put_word_text(b, " ", key->u.header.value);
}

static void
put_key(struct buf *b, const struct imap_search_key *key)
{
	switch (key->op) {
	case IMAP_SEARCH_ALL:
		buf_put_c(b, "ALL");
		return;
	case IMAP_SEARCH_SEQ:
		imap_set_format(b, &key->u.set);
		return;
	case IMAP_SEARCH_UID:
		buf_put_c(b, "UID ");
		imap_set_format(b, &key->u.set);
		return;
	case IMAP_SEARCH_SAVED:
		buf_put_char(b, '$');
		return;
	case IMAP_SEARCH_FLAG:
		put_flag(b, key);
		return;
	case IMAP_SEARCH_KEYWORD:
		buf_put_c(b, "KEYWORD ");
		buf_put_str(b, key->u.text);
		return;
	case IMAP_SEARCH_MODSEQ:
		put_word_number(b, "MODSEQ ", key->u.number);
		return;
	case IMAP_SEARCH_LARGER:
		put_word_number(b, "LARGER ", key->u.number);
		return;
	case IMAP_SEARCH_SMALLER:
		put_word_number(b, "SMALLER ", key->u.number);
		return;
	case IMAP_SEARCH_BEFORE:
		put_day(b, "BEFORE ", key->u.day);
		return;
	case IMAP_SEARCH_ON:
		put_day(b, "ON ", key->u.day);
		return;
	case IMAP_SEARCH_SINCE:
		put_day(b, "SINCE ", key->u.day);
		return;
	case IMAP_SEARCH_OLDER:
		put_word_number(b, "OLDER ", key->u.number);
		return;
	case IMAP_SEARCH_YOUNGER:
		put_word_number(b, "YOUNGER ", key->u.number);
		return;
	case IMAP_SEARCH_SENT_BEFORE:
		put_day(b, "SENTBEFORE ", key->u.day);
		return;
	case IMAP_SEARCH_SENT_ON:
		put_day(b, "SENTON ", key->u.day);
		return;
	case IMAP_SEARCH_SENT_SINCE:
		put_day(b, "SENTSINCE ", key->u.day);
		return;
	case IMAP_SEARCH_HEADER:
		put_header(b, key);
		return;
	case IMAP_SEARCH_BODY:
		put_word_text(b, "BODY ", key->u.text);
		return;
	case IMAP_SEARCH_TEXT:
		put_word_text(b, "TEXT ", key->u.text);
		return;
	case IMAP_SEARCH_NOT:
		buf_put_c(b, "NOT ");
		put_key(b, key->child);
		return;
	case IMAP_SEARCH_AND:
		buf_put_char(b, '(');
		put_and(b, key);
		buf_put_char(b, ')');
		return;
	case IMAP_SEARCH_OR:
		put_or(b, key);
		return;
	}
}

void
imap_search_format(struct buf *b, const struct imap_search_key *key)
{
	/* The outermost list has no parentheses: they would count as depth. */
	if (key->op == IMAP_SEARCH_AND)
		put_and(b, key);
	else
		put_key(b, key);
}
