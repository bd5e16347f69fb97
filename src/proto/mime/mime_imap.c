/* SPDX-License-Identifier: ISC */
/*
 * mime_imap.c - ENVELOPE and BODYSTRUCTURE as IMAP sends them (RFC 9051
 * section 7.5.2). See mime_structure.h and mime_imap_internal.h.
 */
#include "proto/mime/mime_address.h"
#include "proto/mime/mime_imap_internal.h"
#include "proto/mime/mime_token_internal.h"

/* Longer strings go as literals: some clients have short line buffers. */
#define QUOTED_MAX 1000
/* One field's addresses; bounds the work of a hostile header. */
#define ADDRESS_MEMORY KIB(512)

static bool
is_quotable(struct str s)
{
	if (s.n > QUOTED_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 127)
			return false;
	return true;
}

static void
put_literal(struct str s, struct buf *out)
{
	size_t from;

	buf_put_char(out, '{');
	buf_put_u64(out, s.n);
	buf_put_c(out, "}\r\n");
	from = out->n;
	buf_put_str(out, s);
	for (size_t i = from; i < out->n; i++)
		if (out->p[i] == '\0')
			out->p[i] = '?';
}

void
mime_structure_put_string(struct str s, struct buf *out)
{
	char *to;
	size_t n = 0;

	if (!s.p) {
		buf_put_c(out, "NIL");
		return;
	}
	if (!is_quotable(s)) {
		put_literal(s, out);
		return;
	}
	to = buf_reserve(out, 2 * s.n + 2);
	if (!to)
		return;
	to[n++] = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			to[n++] = '\\';
		to[n++] = s.p[i];
	}
	to[n++] = '"';
	out->n += n;
}

/* --- envelope -------------------------------------------------------------------- */

enum {
	ENV_DATE,
	ENV_SUBJECT,
	ENV_FROM,
	ENV_SENDER,
	ENV_REPLY_TO,
	ENV_TO,
	ENV_CC,
	ENV_BCC,
	ENV_IN_REPLY_TO,
	ENV_MESSAGE_ID,
	ENV_COUNT,
};

static const struct str env_names[ENV_COUNT] = {
	[ENV_DATE] = { "date", 4 },
	[ENV_SUBJECT] = { "subject", 7 },
	[ENV_FROM] = { "from", 4 },
	[ENV_SENDER] = { "sender", 6 },
	[ENV_REPLY_TO] = { "reply-to", 8 },
	[ENV_TO] = { "to", 2 },
	[ENV_CC] = { "cc", 2 },
	[ENV_BCC] = { "bcc", 3 },
	[ENV_IN_REPLY_TO] = { "in-reply-to", 11 },
	[ENV_MESSAGE_ID] = { "message-id", 10 },
};

struct env {
	struct str header;
	struct str v[ENV_COUNT];     /* first of a name; p is NULL: none */
	bool is_repeated[ENV_COUNT]; /* there are more */
	struct arena *arena;
	struct buf *out;
	size_t end; /* no more addresses when out is longer than this */
};

static bool
is_named(const struct mime_field *f, int which)
{
	return f->name.n == env_names[which].n &&
	       str_eq_case(f->name, env_names[which]);
}

static void
find_fields(struct env *e)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_start(&it, e->header);
	while (mime_header_next(&it, &f))
		for (int i = 0; i < ENV_COUNT; i++) {
			if (!is_named(&f, i))
				continue;
			e->is_repeated[i] = e->v[i].p != NULL;
			if (!e->v[i].p)
				e->v[i] = f.value;
		}
}

/* A whole field value as one string. */
static void
put_value(struct str raw, struct buf *out)
{
	struct buf line = BUF_INIT(MIME_STRUCTURE_VALUE * 2);

	if (!raw.p) {
		buf_put_c(out, "NIL");
		return;
	}
	mime_header_unfold(str_first(raw, MIME_STRUCTURE_VALUE), &line);
	mime_structure_put_string(str_make(line.p ? line.p : "", line.n), out);
	buf_done(&line);
}

static void
put_short(struct str s, struct buf *out)
{
	mime_structure_put_string(str_first(s, MIME_STRUCTURE_VALUE), out);
}

/* (name adl mailbox host); a host of NIL would make it a group's mark. */
static void
put_address(const struct mime_address *a, struct buf *out)
{
	bool is_mailbox = a->kind == MIME_ADDRESS_MAILBOX;

	buf_put_char(out, '(');
	/* A client that is given no name shows the address. */
	put_short(is_mailbox && a->name.n ? a->name : STR_NONE, out);
	buf_put_char(out, ' ');
	put_short(a->route, out);
	buf_put_char(out, ' ');
	put_short(is_mailbox ? a->local : a->name, out);
	buf_put_char(out, ' ');
	put_short(
	    is_mailbox && !a->domain.p ? str_make("", 0) : a->domain, out);
	buf_put_char(out, ')');
}

/* Append at most *left addresses of one field. */
static void
put_some(struct env *e, struct str raw, size_t *left)
{
	const struct mime_address *a;

	arena_reset(e->arena);
	a = mime_address_parse(raw, *left, e->arena, NULL);
	for (; a && e->out->n < e->end; a = a->next) {
		put_address(a, e->out);
		*left -= 1;
	}
}

/*
 * False when there is no address: then the list is NIL. Several fields of one
 * destination count as one (RFC 5322 section 4.5.3), of others the first.
 */
static bool
put_addresses(struct env *e, int which)
{
	size_t from = e->out->n, left = MIME_STRUCTURE_ADDRS;
	bool is_destination =
	    which == ENV_TO || which == ENV_CC || which == ENV_BCC;
	struct mime_header_iter it;
	struct mime_field f;

	if (!e->v[which].p)
		return false;
	buf_put_char(e->out, '(');
	if (is_destination && e->is_repeated[which]) {
		mime_header_start(&it, e->header);
		while (mime_header_next(&it, &f))
			if (is_named(&f, which))
				put_some(e, f.value, &left);
	} else {
		put_some(e, e->v[which], &left);
	}
	if (left < MIME_STRUCTURE_ADDRS || e->out->failed) {
		buf_put_char(e->out, ')');
		return true;
	}
	e->out->n = from;
	return false;
}

static void
put_address_field(struct env *e, int which)
{
	buf_put_char(e->out, ' ');
	if (put_addresses(e, which))
		return;
	/* RFC 9051: a server must default these from the From field. */
	if ((which == ENV_SENDER || which == ENV_REPLY_TO) &&
	    put_addresses(e, ENV_FROM))
		return;
	buf_put_c(e->out, "NIL");
}

void
mime_structure_put_envelope(
    struct str header, struct arena *arena, struct buf *out)
{
	struct env e = {
		.header = header,
		.arena = arena,
		.out = out,
		.end = out->n + IMAP_TEXT_BUDGET,
	};

	find_fields(&e);
	buf_put_char(out, '(');
	put_value(e.v[ENV_DATE], out);
	buf_put_char(out, ' ');
	put_value(e.v[ENV_SUBJECT], out);
	for (int i = ENV_FROM; i <= ENV_BCC; i++)
		put_address_field(&e, i);
	buf_put_char(out, ' ');
	put_value(e.v[ENV_IN_REPLY_TO], out);
	buf_put_char(out, ' ');
	put_value(e.v[ENV_MESSAGE_ID], out);
	buf_put_char(out, ')');
}

/* --- body structure ---------------------------------------------------------------- */

struct writer {
	struct buf *out;
	struct str message;
	size_t end; /* no optional values when out is longer than this */
	struct arena arena;
};

static void
put_optional(struct writer *w, struct str s)
{
	put_short(w->out->n < w->end ? s : STR_NONE, w->out);
}

/* Strings that must be there are short when there is no room. */
static void
put_needed(struct writer *w, struct str s)
{
	mime_structure_put_string(
	    str_first(s, w->out->n < w->end ? MIME_STRUCTURE_VALUE : 32),
	    w->out);
}

/* needs_charset: text without a charset is US-ASCII, and said to be. */
static void
put_params(
    struct writer *w, const struct mime_params *params, bool needs_charset)
{
	const char *sep = "(";

	for (size_t i = 0; i < params->n && w->out->n < w->end; i++) {
		const struct mime_param *p = &params->v[i];

		buf_put_c(w->out, sep);
		put_short(p->name, w->out);
		buf_put_char(w->out, ' ');
		put_short(p->value.p ? p->value : str_make("", 0), w->out);
		sep = " ";
		if (str_eq_case(p->name, STR("charset")))
			needs_charset = false;
	}
	if (needs_charset) {
		buf_put_c(w->out, sep);
		buf_put_c(w->out, "\"charset\" \"us-ascii\"");
		sep = " ";
	}
	buf_put_c(w->out, sep[0] == '(' ? "NIL" : ")");
}

/* What is a language tag, without comments; else the item as it came. */
static struct str
language_of(struct str item)
{
	struct str rest = token_skip_cfws(item);
	struct str tag = str_first(rest, token_length(rest));

	rest = token_skip_cfws(str_from(rest, tag.n));
	return rest.n ? str_trim(item) : tag;
}

/* Content-Language is a list (RFC 3282 section 2); empty items are none. */
static void
put_languages(struct writer *w, struct str s)
{
	struct str one;
	const char *sep = "(";

	s = str_first(s, MIME_STRUCTURE_VALUE);
	while (s.n && w->out->n < w->end) {
		s = str_split(s, ',', &one);
		one = language_of(one);
		if (!one.n)
			continue;
		buf_put_c(w->out, sep);
		put_short(one, w->out);
		sep = " ";
	}
	buf_put_c(w->out, sep[0] == '(' ? "NIL" : ")");
}

/* body disposition, language and location: the end of both forms. */
static void
put_extension(struct writer *w, const struct mime_part *part)
{
	buf_put_char(w->out, ' ');
	if (part->disposition.n) {
		buf_put_char(w->out, '(');
		put_needed(w, part->disposition);
		buf_put_char(w->out, ' ');
		put_params(w, &part->disposition_params, false);
		buf_put_char(w->out, ')');
	} else {
		buf_put_c(w->out, "NIL");
	}
	buf_put_char(w->out, ' ');
	put_languages(w, part->language);
	buf_put_char(w->out, ' ');
	put_optional(w, part->location);
}

static void put_part(struct writer *w, const struct mime_part *part);

static void
put_multipart(struct writer *w, const struct mime_part *part)
{
	for (const struct mime_part *c = part->child; c; c = c->next)
		put_part(w, c);
	buf_put_char(w->out, ' ');
	put_needed(w, part->subtype);
	buf_put_char(w->out, ' ');
	put_params(w, &part->params, false);
}

/* The nested message's envelope and structure, between octets and lines. */
static void
put_nested(struct writer *w, const struct mime_part *nested)
{
	struct str header = w->out->n < w->end
	                        ? mime_part_header(nested, w->message)
	                        : STR_NONE;

	buf_put_char(w->out, ' ');
	mime_structure_put_envelope(header, &w->arena, w->out);
	buf_put_char(w->out, ' ');
	put_part(w, nested);
}

/*
 * message/global has the form of message/rfc822 only in IMAP4rev2 (RFC 9051
 * section 9, media-message); a client of IMAP4rev1 would take the envelope
 * for extension data. Its parts can be fetched all the same.
 */
static void
put_single(struct writer *w, const struct mime_part *part)
{
	bool is_message = part->kind == MIME_MESSAGE &&
	                  str_eq_case(part->subtype, STR("rfc822"));

	put_needed(w, part->type);
	buf_put_char(w->out, ' ');
	put_needed(w, part->subtype);
	buf_put_char(w->out, ' ');
	put_params(w, &part->params, part->is_text);
	buf_put_char(w->out, ' ');
	put_optional(w, part->id);
	buf_put_char(w->out, ' ');
	put_optional(w, part->description);
	buf_put_char(w->out, ' ');
	put_needed(w, part->encoding.n ? part->encoding : STR("7bit"));
	buf_put_char(w->out, ' ');
	buf_put_u64(w->out, part->end - part->body);
	if (is_message)
		put_nested(w, part->child);
	if (is_message || part->is_text) {
		buf_put_char(w->out, ' ');
		buf_put_u64(w->out, part->lines);
	}
	buf_put_char(w->out, ' ');
	put_optional(w, part->md5);
}

/* Recursion is bounded by the depth limit of the tree. */
static void
put_part(struct writer *w, const struct mime_part *part)
{
	buf_put_char(w->out, '(');
	if (part->kind == MIME_MULTIPART)
		put_multipart(w, part);
	else
		put_single(w, part);
	put_extension(w, part);
	buf_put_char(w->out, ')');
}

void
imap_put_bodystructure(
    const struct mime_part *part, struct str message, struct buf *out)
{
	struct writer w = {
		.out = out,
		.message = message,
		.end = out->n + IMAP_TEXT_BUDGET,
	};

	arena_init(&w.arena, ADDRESS_MEMORY);
	put_part(&w, part);
	arena_done(&w.arena);
}
