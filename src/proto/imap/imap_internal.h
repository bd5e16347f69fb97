/* SPDX-License-Identifier: ISC */
/*
 * imap_internal.h - the cursor that all command parsers share.
 *
 * Every imap_get_x() consumes x or fails; the first failure is kept with its
 * reason and nothing is consumed after it. Failing returns false, so that
 * grammar rules are chains of &&.
 *
 * Layer: proto, this folder only.
 */
#pragma once

#include "proto/imap/imap_command.h"

struct imap_cursor {
	struct arena *arena;
	struct str in; /* what is left */
	bool utf8_names;
	bool is_prefix;         /* the text ends with the header of a literal */
	enum imap_parse result; /* OK until something failed */
	const char *error;
};

/* Note the first failure; always false. */
bool imap_fail(struct imap_cursor *c, const char *reason);
bool imap_fail_as(
    struct imap_cursor *c, enum imap_parse result, const char *reason);
bool imap_fail_memory(struct imap_cursor *c);

/* The next byte, '\0' at the end. */
static inline char
imap_peek(const struct imap_cursor *c)
{
	return c->in.n ? c->in.p[0] : '\0';
}

/* Consume ch if it comes next. */
bool imap_try(struct imap_cursor *c, char ch);
bool imap_get(struct imap_cursor *c, char ch);
bool imap_get_space(struct imap_cursor *c);
bool imap_get_end(struct imap_cursor *c);
/* Consume the word, in any case, if a whole token of that name is next. */
bool imap_try_word(struct imap_cursor *c, struct str word);

bool imap_get_atom(struct imap_cursor *c, struct str *ret);
/* Letters, digits, "-" and ".": the name of an item. */
bool imap_get_name(struct imap_cursor *c, struct str *ret);
bool imap_get_u32(struct imap_cursor *c, uint32_t min, uint32_t *ret);
bool imap_get_u64(struct imap_cursor *c, uint64_t max, uint64_t *ret);
/* Of the arena or the text; without NUL; 8-bit only as UTF-8 in quotes. */
bool imap_get_string(struct imap_cursor *c, struct str *ret);
bool imap_get_astring(struct imap_cursor *c, struct str *ret);
/* list-mailbox: like astring, with wildcards. */
bool imap_get_pattern(struct imap_cursor *c, struct str *ret);

struct imap_literal_arg {
	uint64_t size;
	bool is_binary, is_streamed;
	struct str data;
};
bool imap_get_literal(struct imap_cursor *c, struct imap_literal_arg *ret);

bool imap_get_set(struct imap_cursor *c, struct imap_set *ret);
bool imap_get_mailbox(struct imap_cursor *c, struct imap_mailbox *ret);
/* For CREATE and RENAME: one separator at the end is taken off. */
bool imap_get_new_mailbox(struct imap_cursor *c, struct imap_mailbox *ret);
/* Name from the wire to UTF-8; false without a failure: not a name. */
bool imap_decode_name(struct imap_cursor *c, struct str wire, struct str *ret);
bool imap_get_flag_list(struct imap_cursor *c, struct imap_flags *ret);
/* The same without parentheses: at least one flag. */
bool imap_get_flags(struct imap_cursor *c, struct imap_flags *ret);
/* date or DQUOTE date DQUOTE. */
bool imap_get_date(struct imap_cursor *c, int32_t *ret_day);

/* An array that grows in the arena, up to max elements. */
struct imap_vec {
	void *p;
	size_t n, cap, elem, max;
};
#define IMAP_VEC(type, max_) \
	((struct imap_vec){ .elem = sizeof(type), .max = (max_) })
/* A zeroed element at the end, or NULL after a failure. */
void *imap_vec_add(struct imap_cursor *c, struct imap_vec *v);

/* One word of a table of words and bits. */
struct imap_word {
	struct str word;
	unsigned bit;
};
/* The bit of name in any case, or 0. */
unsigned imap_word_bit(
    const struct imap_word *words, size_t n, struct str name);
/* Read one token and OR its bit to *bits; unknown ones fail. */
bool imap_get_word_bit(struct imap_cursor *c, const struct imap_word *words,
    size_t n, unsigned *bits);

/* The arguments of each verb, from behind its name to the end. */
bool imap_parse_select(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_create(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_mailbox(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_rename(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_list(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_lsub(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_status(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_append(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_getquota(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_getquotaroot(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_setquota(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_expunge(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_search(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_fetch(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_store(struct imap_cursor *c, struct imap_command *cmd);
bool imap_parse_copy(struct imap_cursor *c, struct imap_command *cmd);

/* "(" item *(SP item) ")" of STATUS. */
bool imap_get_status_items(struct imap_cursor *c, unsigned *ret);

/*
 * Simplify a search tree; see imap_search.h. The result replaces root. The
 * tree has at most IMAP_MAX_SEARCH_DEPTH levels.
 */
struct imap_search_key *imap_search_simplify(struct imap_search_key *root);
