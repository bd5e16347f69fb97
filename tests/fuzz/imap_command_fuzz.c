/* SPDX-License-Identifier: ISC */
/*
 * LINK: imap
 * The first byte chooses the dialect, the rest is a command. Properties: the
 * arena's limit holds, the same answer twice, and values of an accepted
 * command survive being written and parsed again.
 */
#include "proto/imap/imap_command.h"
#include "proto/imap/imap_utf7.h"
#include "proto/imap/imap_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA KIB(128)

static void
reparse(struct arena *a, struct buf *text, bool utf8_names,
    struct imap_command *ret)
{
	ASSERT(!text->failed);
	ASSERT(imap_command_parse(a, buf_str(text), utf8_names, ret) ==
	       IMAP_PARSE_OK);
}

static void
check_mailbox(struct str name, bool utf8_names)
{
	struct buf text = BUF_INIT(KIB(32));
	struct imap_command again;
	struct arena a;

	ASSERT(imap_name_check(name) == IMAP_NAME_OK);
	arena_init(&a, ARENA);
	buf_put_c(&text, "a SELECT ");
	imap_put_mailbox(&text, name, utf8_names);
	reparse(&a, &text, utf8_names, &again);
	ASSERT(str_eq(again.u.select.mailbox.name, name));
	arena_done(&a);
	buf_done(&text);
}

static void
check_flags(const struct imap_flags *flags)
{
	struct buf text = BUF_INIT(KIB(32));
	struct imap_command again;
	struct arena a;

	ASSERT((flags->bits & ~IMAP_FLAGS_STORED) == 0);
	ASSERT(flags->n_keywords <= IMAP_MAX_KEYWORDS);
	arena_init(&a, ARENA);
	buf_put_c(&text, "a STORE 1 FLAGS (");
	imap_put_flags(&text, flags->bits, flags->keywords, flags->n_keywords);
	buf_put_c(&text, ")");
	reparse(&a, &text, false, &again);
	ASSERT(again.u.store.flags.bits == flags->bits);
	ASSERT(again.u.store.flags.n_keywords == flags->n_keywords);
	arena_done(&a);
	buf_done(&text);
}

static void
put_section(struct buf *text, const struct imap_section *s)
{
	buf_put_c(text, "a FETCH 1 ");
	imap_put_section_name(text, s);
	if (s->has_partial) {
		text->n--; /* ">" */
		buf_printf(text, ".%u>", s->partial_count);
	}
}

static void
check_sections(const struct imap_fetch *fetch)
{
	ASSERT(fetch->n_sections <= IMAP_MAX_FETCH_SECTIONS);
	for (size_t i = 0; i < fetch->n_sections; i++) {
		const struct imap_section *s = &fetch->sections[i], *t;
		struct buf one = BUF_INIT(MIB(1)), two = BUF_INIT(MIB(1));
		struct imap_command again;
		struct arena a;

		arena_init(&a, ARENA);
		put_section(&one, s);
		reparse(&a, &one, false, &again);
		t = &again.u.fetch.sections[0];
		ASSERT(again.u.fetch.n_sections == 1);
		ASSERT(t->form == s->form && t->kind == s->kind);
		put_section(&two, t);
		ASSERT(str_eq(buf_str(&one), buf_str(&two)));
		arena_done(&a);
		buf_done(&one);
		buf_done(&two);
	}
}

static void
check_list(const struct imap_list *list)
{
	ASSERT(list->n_patterns <= IMAP_MAX_PATTERNS);
	for (size_t i = 0; i < list->n_patterns; i++)
		ASSERT(str_is_utf8(list->patterns[i]));
}

static void
check_append(const struct imap_append *append, bool utf8_names)
{
	check_mailbox(append->mailbox.name, utf8_names);
	ASSERT(append->n >= 1 && append->n <= IMAP_MAX_APPENDS);
	for (size_t i = 0; i < append->n; i++)
		check_flags(&append->messages[i].flags);
}

static void
check_values(const struct imap_command *cmd, bool utf8_names)
{
	switch ((unsigned)cmd->verb) { /* only some verbs have more to check */
	case IMAP_SELECT:
	case IMAP_EXAMINE:
		check_mailbox(cmd->u.select.mailbox.name, utf8_names);
		return;
	case IMAP_CREATE:
		check_mailbox(cmd->u.create.mailbox.name, utf8_names);
		return;
	case IMAP_COPY:
	case IMAP_MOVE:
		check_mailbox(cmd->u.copy.mailbox.name, utf8_names);
		return;
	case IMAP_STORE:
		check_flags(&cmd->u.store.flags);
		return;
	case IMAP_FETCH:
		check_sections(&cmd->u.fetch);
		return;
	case IMAP_LIST:
	case IMAP_LSUB:
		check_list(&cmd->u.list);
		return;
	case IMAP_APPEND:
		check_append(&cmd->u.append, utf8_names);
		return;
	case IMAP_SEARCH:
		ASSERT(cmd->u.search.root);
		ASSERT(cmd->u.search.n_keys <= IMAP_MAX_SEARCH_KEYS);
		return;
	default:
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imap_command cmd, again;
	bool utf8_names;
	enum imap_parse result;
	struct arena a;
	struct str in;
	size_t used;

	if (size < 1 || size > KIB(64))
		return 0;
	utf8_names = data[0] & 1;
	in = str_make(data + 1, size - 1);
	arena_init(&a, data[0] & 4 ? 256 : ARENA);
	result = data[0] & 2
	             ? imap_command_parse_append(&a, in, utf8_names, &cmd)
	             : imap_command_parse(&a, in, utf8_names, &cmd);
	ASSERT(a.used <= a.max);
	used = a.used;
	ASSERT((result == IMAP_PARSE_OK) == (cmd.error == NULL));
	ASSERT(str_eq(cmd.tag, imap_command_tag(in)));
	if (result == IMAP_PARSE_OK) {
		ASSERT(imap_verb_name(cmd.verb)[0]);
		check_values(&cmd, utf8_names);
	}
	if (!(data[0] & 2)) {
		arena_reset(&a);
		ASSERT(
		    imap_command_parse(&a, in, utf8_names, &again) == result);
		ASSERT(a.used == used && again.verb == cmd.verb);
	}
	arena_done(&a);
	return 0;
}
