/* SPDX-License-Identifier: ISC */
/*
 * imap_search.c - parse SEARCH into a tree (RFC 3501 6.4.4). What makes the
 * tree simple is in imap_search_tree.c.
 */
#include "proto/imap/imap_internal.h"

enum form {
	NO_ARG,   /* ALL, NEW, OLD */
	FLAG,     /* SEEN, UNSEEN ..: op is unused */
	KEYWORD,  /* flag-keyword; want false: UNKEYWORD */
	TEXT_ARG, /* astring */
	FIELD,    /* astring, looked for in the header of this name */
	HEADER,   /* field name and astring */
	DATE,     /* date */
	NUMBER,   /* number */
	INTERVAL, /* nz-number of seconds */
	UID_ARG,  /* sequence-set */
	MODSEQ,   /* [entry-name SP entry-type SP] mod-sequence */
	NOT_ARG,  /* search-key */
	OR_ARG,   /* two search-keys */
};

#define S(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

/* clang-format off */
static const struct key_word {
	struct str word;
	enum form form;
	enum imap_search_op op;
	unsigned bit;
	bool want;
} key_words[] = {
	{ S("ALL"),        NO_ARG,   IMAP_SEARCH_ALL, 0, false },
	{ S("ANSWERED"),   FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_ANSWERED, true },
	{ S("BCC"),        FIELD,    IMAP_SEARCH_HEADER, 0, false },
	{ S("BEFORE"),     DATE,     IMAP_SEARCH_BEFORE, 0, false },
	{ S("BODY"),       TEXT_ARG, IMAP_SEARCH_BODY, 0, false },
	{ S("CC"),         FIELD,    IMAP_SEARCH_HEADER, 0, false },
	{ S("DELETED"),    FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_DELETED, true },
	{ S("DRAFT"),      FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_DRAFT, true },
	{ S("FLAGGED"),    FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_FLAGGED, true },
	{ S("FROM"),       FIELD,    IMAP_SEARCH_HEADER, 0, false },
	{ S("HEADER"),     HEADER,   IMAP_SEARCH_HEADER, 0, false },
	{ S("KEYWORD"),    KEYWORD,  IMAP_SEARCH_KEYWORD, 0, true },
	{ S("LARGER"),     NUMBER,   IMAP_SEARCH_LARGER, 0, false },
	{ S("MODSEQ"),     MODSEQ,   IMAP_SEARCH_MODSEQ, 0, false },
	{ S("NEW"),        NO_ARG,   IMAP_SEARCH_AND, 0, false },
	{ S("NOT"),        NOT_ARG,  IMAP_SEARCH_NOT, 0, false },
	{ S("OLD"),        FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_RECENT, false },
	{ S("OLDER"),      INTERVAL, IMAP_SEARCH_OLDER, 0, false },
	{ S("ON"),         DATE,     IMAP_SEARCH_ON, 0, false },
	{ S("OR"),         OR_ARG,   IMAP_SEARCH_OR, 0, false },
	{ S("RECENT"),     FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_RECENT, true },
	{ S("SEEN"),       FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_SEEN, true },
	{ S("SENTBEFORE"), DATE,     IMAP_SEARCH_SENT_BEFORE, 0, false },
	{ S("SENTON"),     DATE,     IMAP_SEARCH_SENT_ON, 0, false },
	{ S("SENTSINCE"),  DATE,     IMAP_SEARCH_SENT_SINCE, 0, false },
	{ S("SINCE"),      DATE,     IMAP_SEARCH_SINCE, 0, false },
	{ S("SMALLER"),    NUMBER,   IMAP_SEARCH_SMALLER, 0, false },
	{ S("SUBJECT"),    FIELD,    IMAP_SEARCH_HEADER, 0, false },
	{ S("TEXT"),       TEXT_ARG, IMAP_SEARCH_TEXT, 0, false },
	{ S("TO"),         FIELD,    IMAP_SEARCH_HEADER, 0, false },
	{ S("UID"),        UID_ARG,  IMAP_SEARCH_UID, 0, false },
	{ S("UNANSWERED"), FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_ANSWERED, false },
	{ S("UNDELETED"),  FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_DELETED, false },
	{ S("UNDRAFT"),    FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_DRAFT, false },
	{ S("UNFLAGGED"),  FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_FLAGGED, false },
	{ S("UNKEYWORD"),  KEYWORD,  IMAP_SEARCH_KEYWORD, 0, false },
	{ S("UNSEEN"),     FLAG,     IMAP_SEARCH_FLAG, IMAP_FLAG_SEEN, false },
	{ S("YOUNGER"),    INTERVAL, IMAP_SEARCH_YOUNGER, 0, false },
};
/* clang-format on */

static const struct imap_word return_options[] = {
	{ S("MIN"), IMAP_RETURN_MIN },
	{ S("MAX"), IMAP_RETURN_MAX },
	{ S("ALL"), IMAP_RETURN_ALL },
	{ S("COUNT"), IMAP_RETURN_COUNT },
	{ S("SAVE"), IMAP_RETURN_SAVE },
};

/* One SEARCH being parsed. */
struct program {
	struct imap_cursor *c;
	struct imap_search *search;
	unsigned depth;
};

static struct imap_search_key *get_key(struct program *p);

static struct imap_search_key *
new_key(struct program *p, enum imap_search_op op)
{
	struct imap_search_key *key;

	if (++p->search->n_keys > IMAP_MAX_SEARCH_KEYS) {
		imap_fail(p->c, "Too many search keys");
		return NULL;
	}
	key = ARENA_NEW(p->c->arena, struct imap_search_key);
	if (!key) {
		imap_fail_memory(p->c);
		return NULL;
	}
	key->op = op;
	return key;
}

static struct imap_search_key *
new_flag(struct program *p, unsigned bit, bool want)
{
	struct imap_search_key *key = new_key(p, IMAP_SEARCH_FLAG);

	if (key) {
		key->u.flag.bit = bit;
		key->u.flag.want = want;
	}
	return key;
}

/* NEW is "RECENT UNSEEN". */
static struct imap_search_key *
new_message(struct program *p)
{
	struct imap_search_key *both = new_key(p, IMAP_SEARCH_AND);
	struct imap_search_key *recent = new_flag(p, IMAP_FLAG_RECENT, true);
	struct imap_search_key *unseen = new_flag(p, IMAP_FLAG_SEEN, false);

	if (!both || !recent || !unseen)
		return NULL;
	both->child = recent;
	recent->next = unseen;
	return both;
}

/* A text to look for: UTF-8, because US-ASCII and UTF-8 are what we take. */
static bool
get_search_text(struct imap_cursor *c, struct str *ret)
{
	struct str text;

	if (!imap_get_space(c) || !imap_get_astring(c, &text))
		return false;
	if (text.n > IMAP_MAX_SEARCH_BYTES)
		return imap_fail(c, "Search text is too long");
	if (!str_is_utf8(text))
		return imap_fail(c, "Search text is not UTF-8");
	*ret = text;
	return true;
}

static bool
get_header(struct imap_cursor *c, struct imap_search_key *key)
{
	struct str name;

	if (!get_search_text(c, &name))
		return false;
	if (name.n == 0 || str_find(name, ':') >= 0)
		return imap_fail(c, "Bad header field name");
	key->u.header.name = name;
	return get_search_text(c, &key->u.header.value);
}

/* RFC 7162 3.1.5: the entry, if given, narrows nothing for us. */
static bool
get_mod_seq(struct imap_cursor *c, struct imap_search_key *key)
{
	struct str entry, type;

	if (!imap_get_space(c))
		return false;
	if (imap_peek(c) == '"') {
		if (!imap_get_string(c, &entry) || !imap_get_space(c) ||
		    !imap_get_atom(c, &type) || !imap_get_space(c))
			return false;
		if (!str_starts_case(entry, STR("/flags/")))
			return imap_fail(c, "Unknown entry");
		if (!str_eq_case(type, STR("priv")) &&
		    !str_eq_case(type, STR("shared")) &&
		    !str_eq_case(type, STR("all")))
			return imap_fail(c, "Unknown entry type");
	}
	return imap_get_u64(c, IMAP_MOD_SEQ_MAX, &key->u.number);
}

/* One key below NOT, or as first operand of OR: it nests. */
static struct imap_search_key *
get_operand(struct program *p)
{
	struct imap_search_key *key;

	if (!imap_get_space(p->c))
		return NULL;
	if (++p->depth > IMAP_MAX_SEARCH_DEPTH) {
		imap_fail(p->c, "Search is nested too deeply");
		return NULL;
	}
	key = get_key(p);
	p->depth--;
	return key;
}

/*
 * Behind "OR". "OR a OR b OR c d" is how clients write a long list, so a
 * second operand that is an OR again is no nesting.
 */
static struct imap_search_key *
get_or(struct program *p)
{
	struct imap_search_key * or = new_key(p, IMAP_SEARCH_OR);
	struct imap_search_key **end;
	bool is_more;

	if (! or)
		return NULL;
	end = & or->child;
	do {
		*end = get_operand(p);
		if (!*end)
			return NULL;
		end = &(*end)->next;
		is_more = str_starts_case(p->c->in, STR(" OR "));
		if (is_more)
			p->c->in = str_from(p->c->in, 3);
	} while (is_more);
	*end = get_operand(p);
	return *end ? or : NULL;
}

static bool
get_keyword(struct imap_cursor *c, struct str *ret)
{
	if (!imap_get_space(c) || !imap_get_atom(c, ret))
		return false;
	return imap_keyword_is_valid(*ret) || imap_fail(c, "Bad keyword");
}

static struct imap_search_key *
negate(struct program *p, struct imap_search_key *child)
{
	struct imap_search_key *key =
	    child ? new_key(p, IMAP_SEARCH_NOT) : NULL;

	if (key)
		key->child = child;
	return key;
}

/* The arguments of a key whose node has been made. */
static bool
get_argument(struct imap_cursor *c, const struct key_word *w,
    struct imap_search_key *key)
{
	uint32_t number;

	switch (w->form) {
	case KEYWORD:
		return get_keyword(c, &key->u.text);
	case TEXT_ARG:
		return get_search_text(c, &key->u.text);
	case FIELD:
		key->u.header.name = w->word;
		return get_search_text(c, &key->u.header.value);
	case HEADER:
		return get_header(c, key);
	case DATE:
		return imap_get_space(c) && imap_get_date(c, &key->u.day);
	case NUMBER:
		return imap_get_space(c) &&
		       imap_get_u64(c, INT64_MAX, &key->u.number);
	case INTERVAL:
		if (!imap_get_space(c) || !imap_get_u32(c, 1, &number))
			return false;
		key->u.number = number;
		return true;
	case UID_ARG:
		if (!imap_get_space(c) || !imap_get_set(c, &key->u.set))
			return false;
		if (key->u.set.is_saved)
			key->op = IMAP_SEARCH_SAVED;
		return true;
	case MODSEQ:
		return get_mod_seq(c, key);
	case NO_ARG:
	case FLAG:
	case NOT_ARG:
	case OR_ARG:
		return true;
	}
	return false;
}

static struct imap_search_key *
get_named_key(struct program *p, const struct key_word *w)
{
	struct imap_search_key *key;

	if (w->form == FLAG)
		return new_flag(p, w->bit, w->want);
	if (w->form == NOT_ARG)
		return negate(p, get_operand(p));
	if (w->form == OR_ARG)
		return get_or(p);
	if (w->op == IMAP_SEARCH_AND)
		return new_message(p);

	key = new_key(p, w->op);
	if (!key || !get_argument(p->c, w, key))
		return NULL;
	if (w->form == MODSEQ)
		p->search->has_modseq = true;
	return w->form == KEYWORD && !w->want ? negate(p, key) : key;
}

static struct imap_search_key *
get_set_key(struct program *p)
{
	struct imap_search_key *key = new_key(p, IMAP_SEARCH_SEQ);

	if (!key || !imap_get_set(p->c, &key->u.set))
		return NULL;
	if (key->u.set.is_saved)
		key->op = IMAP_SEARCH_SAVED;
	return key;
}

/* search-key *(SP search-key), up to ")" or the end. */
static struct imap_search_key *
get_keys(struct program *p)
{
	struct imap_search_key *and = new_key(p, IMAP_SEARCH_AND);
	struct imap_search_key **end;

	if (!and)
		return NULL;
	end = &and->child;
	do {
		*end = get_key(p);
		if (!*end)
			return NULL;
		end = &(*end)->next;
	} while (imap_try(p->c, ' '));
	return and->child->next ? and : and->child;
}

static struct imap_search_key *
get_list(struct program *p)
{
	struct imap_search_key *key;

	if (++p->depth > IMAP_MAX_SEARCH_DEPTH) {
		imap_fail(p->c, "Search is nested too deeply");
		return NULL;
	}
	key = get_keys(p);
	p->depth--;
	return key && imap_get(p->c, ')') ? key : NULL;
}

static struct imap_search_key *
get_key(struct program *p)
{
	char first = imap_peek(p->c);
	struct str word;

	if (ascii_is_digit(first) || first == '*' || first == '$')
		return get_set_key(p);
	if (imap_try(p->c, '('))
		return get_list(p);
	if (!imap_get_name(p->c, &word))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(key_words); i++) {
		if (str_eq_case(word, key_words[i].word))
			return get_named_key(p, &key_words[i]);
	}
	imap_fail(p->c, "Unknown search key");
	return NULL;
}

/* SP "RETURN" SP "(" [option *(SP option)] ")" of RFC 4731 and RFC 5182. */
static bool
get_return(struct imap_cursor *c, struct imap_search *search)
{
	search->is_esearch = true;
	if (!imap_get_space(c) || !imap_get(c, '('))
		return false;
	if (!imap_try(c, ')')) {
		do {
			if (!imap_get_word_bit(c, return_options,
				ARRAY_LEN(return_options), &search->returns))
				return false;
		} while (imap_try(c, ' '));
		if (!imap_get(c, ')'))
			return false;
	}
	if (search->returns == 0)
		search->returns = IMAP_RETURN_ALL;
	return imap_get_space(c);
}

static bool
get_charset(struct imap_cursor *c)
{
	struct str name;

	if (!imap_get_space(c) || !imap_get_astring(c, &name) ||
	    !imap_get_space(c))
		return false;
	if (str_eq_case(name, STR("UTF-8")) ||
	    str_eq_case(name, STR("US-ASCII")))
		return true;
	return imap_fail_as(c, IMAP_PARSE_BAD_CHARSET, "Unknown charset");
}

static void
count(struct imap_search *search, const struct imap_search_key *key)
{
	search->n_keys++;
	search->needs |= imap_search_key_needs(key);
	for (key = key->child; key; key = key->next)
		count(search, key);
}

bool
imap_parse_search(struct imap_cursor *c, struct imap_command *cmd)
{
	struct imap_search *search = &cmd->u.search;
	struct program p = { .c = c, .search = search };
	struct imap_search_key *root;

	if (!imap_get_space(c))
		return false;
	if (imap_try_word(c, STR("RETURN")) && !get_return(c, search))
		return false;
	if (imap_try_word(c, STR("CHARSET")) && !get_charset(c))
		return false;
	root = get_keys(&p);
	if (!root || !imap_get_end(c))
		return false;
	root = imap_search_simplify(root);
	search->root = root;
	search->n_keys = 0;
	count(search, root);
	return true;
}
