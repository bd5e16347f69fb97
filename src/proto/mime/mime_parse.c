/* SPDX-License-Identifier: ISC */
/*
 * mime_parse.c - a message as a tree of parts. See mime_parse.h.
 *
 * One loop over the lines. The stack holds what is open, from the message to
 * the part whose header or content the line belongs to; a delimiter line
 * closes what is above its multipart. Header fields are looked at when their
 * header ends, once for each byte.
 */
#include "proto/mime/mime_parse.h"

#include "proto/mime/mime_token_internal.h"

struct open_part {
	struct mime_part *part, *last_child;
	struct str boundary;  /* n == 0: none, or closed already */
	uint64_t lines_above; /* line ends before the content */
	bool is_digest;       /* children are messages by default */
};

struct parser {
	struct mime_tree *tree;
	struct str in;
	struct mime_limits limits;
	struct open_part *stack;
	size_t n_open;
	size_t pos;     /* start of the line in hand */
	size_t eol;     /* length of the line end before it */
	uint64_t lines; /* line ends before it */
	bool in_header; /* of the part on top */
	bool is_over;   /* a limit was met: what follows is one part's */
};

static struct open_part *
top(struct parser *p)
{
	return &p->stack[p->n_open - 1];
}

/* --- header ------------------------------------------------------------------ */

/* A value on one line: in place when it is, else in the arena. */
static struct str
one_line(struct parser *p, struct str raw)
{
	struct str s = token_skip_blanks(raw), copy = STR_NONE;
	struct buf b;

	while (s.n && token_is_blank(s.p[s.n - 1]))
		s.n--;
	if (str_find(s, '\n') < 0 && str_find(s, '\r') < 0 &&
	    str_find(s, '\0') < 0)
		return s.p ? s : str_make("", 0);
	b = BUF_INIT(s.n);
	mime_header_unfold(s, &b);
	if (!arena_str(&p->tree->arena, buf_str(&b), &copy))
		p->tree->is_truncated = true;
	buf_done(&b);
	return copy;
}

static void
set_type(struct mime_part *part, struct str type, struct str subtype)
{
	part->type = type;
	part->subtype = subtype;
	part->is_text = str_eq_case(type, STR("text"));
}

/* Take a token, and the blanks and comments around it, off *s. */
static struct str
take_token(struct str *s)
{
	struct str token;

	*s = token_skip_cfws(*s);
	token = str_first(*s, token_length(*s));
	*s = token_skip_cfws(str_from(*s, token.n));
	return token;
}

static void
read_type(struct parser *p, struct mime_part *part, struct str value)
{
	struct str head, type, subtype = STR_NONE;
	struct mime_params params;

	mime_param_parse(value, &p->tree->arena, &head, &params);
	type = take_token(&head);
	if (head.n && head.p[0] == '/') {
		head = str_from(head, 1);
		subtype = take_token(&head);
	}
	if (!type.n || !subtype.n || head.n) {
		/* RFC 2045 section 5.2. */
		set_type(part, STR("text"), STR("plain"));
		return;
	}
	set_type(part, type, subtype);
	part->params = params;
}

/* One Content- field; the first of a name counts. */
static void
read_field(
    struct parser *p, struct mime_part *part, struct str name, struct str value)
{
	struct arena *a = &p->tree->arena;

	if (str_eq_case(name, STR("type"))) {
		if (!part->type.p)
			read_type(p, part, value);
	} else if (str_eq_case(name, STR("transfer-encoding"))) {
		if (!part->encoding.p) {
			part->encoding = mime_cte_name(value);
			part->cte = mime_cte_of(value);
		}
	} else if (str_eq_case(name, STR("disposition"))) {
		if (!part->disposition.p)
			mime_param_parse(value, a, &part->disposition,
			    &part->disposition_params);
	} else if (str_eq_case(name, STR("id"))) {
		if (!part->id.p)
			part->id = one_line(p, value);
	} else if (str_eq_case(name, STR("description"))) {
		if (!part->description.p)
			part->description = one_line(p, value);
	} else if (str_eq_case(name, STR("md5"))) {
		if (!part->md5.p)
			part->md5 = one_line(p, value);
	} else if (str_eq_case(name, STR("language"))) {
		if (!part->language.p)
			part->language = one_line(p, value);
	} else if (str_eq_case(name, STR("location"))) {
		if (!part->location.p)
			part->location = one_line(p, value);
	}
}

static void
read_header(struct parser *p, struct mime_part *part)
{
	struct str prefix = STR("content-");
	struct mime_header_iter it;
	struct mime_field f;
	uint32_t n = 0;

	mime_header_start(&it, mime_part_header(part, p->in));
	while (mime_header_next(&it, &f)) {
		if (n++ == p->limits.fields) {
			p->tree->is_truncated = true;
			break;
		}
		if (str_starts_case(f.name, prefix))
			read_field(
			    p, part, str_from(f.name, prefix.n), f.value);
	}
	p->tree->work += n;
}

/* --- opening and closing -------------------------------------------------------- */

static void
make_opaque(struct parser *p, struct mime_part *part)
{
	part->kind = MIME_LEAF;
	part->is_opaque = true;
	part->params = (struct mime_params){ 0 };
	set_type(part, STR("application"), STR("octet-stream"));
	p->tree->is_truncated = true;
}

/* Begin a part at an offset, as a child of what is on top. */
static void
open_part(struct parser *p, size_t at)
{
	struct mime_part *parent = p->n_open ? top(p)->part : NULL;
	struct mime_part *part = ARENA_NEW(&p->tree->arena, struct mime_part);

	if (!part) {
		p->tree->is_truncated = p->is_over = true;
		p->in_header = false;
		return;
	}
	part->parent = parent;
	part->header = part->body = at;
	if (parent) {
		struct mime_part *last = top(p)->last_child;

		*(last ? &last->next : &parent->child) = part;
		top(p)->last_child = part;
		parent->n_children++;
	} else {
		p->tree->root = part;
	}
	p->tree->n_parts++;
	p->stack[p->n_open++] = (struct open_part){
		.part = part,
		.lines_above = p->lines,
	};
	p->in_header = true;
	if (p->tree->n_parts >= p->limits.parts && parent) {
		make_opaque(p, part);
		p->is_over = true;
		p->in_header = false;
	}
}

static void
begin_multipart(struct parser *p, struct mime_part *part)
{
	const struct mime_param *b =
	    mime_param_find(&part->params, STR("boundary"));
	struct open_part *open = top(p);

	if (!b || !b->value.n) {
		set_type(part, STR("text"), STR("plain"));
		part->params = (struct mime_params){ 0 };
		return;
	}
	if (p->n_open > p->limits.depth || b->value.n > p->limits.boundary ||
	    p->tree->n_parts >= p->limits.parts) {
		make_opaque(p, part);
		return;
	}
	part->kind = MIME_MULTIPART;
	open->boundary = b->value;
	/* No line has blanks at its end that count: section 5.1.1. */
	while (open->boundary.n &&
	       token_is_blank(open->boundary.p[open->boundary.n - 1]))
		open->boundary.n--;
	open->is_digest = str_eq_case(part->subtype, STR("digest"));
}

static void
begin_message(struct parser *p, struct mime_part *part)
{
	if (p->n_open > p->limits.depth ||
	    p->tree->n_parts >= p->limits.parts) {
		make_opaque(p, part);
		return;
	}
	part->kind = MIME_MESSAGE;
	open_part(p, part->body);
}

static bool
is_in_digest(const struct parser *p)
{
	return p->n_open >= 2 && p->stack[p->n_open - 2].is_digest;
}

/* The header of the part on top ends, its content begins at at. */
static void
end_header(struct parser *p, size_t at)
{
	struct mime_part *part = top(p)->part;

	part->body = at;
	top(p)->lines_above = p->lines;
	p->in_header = false;
	read_header(p, part);
	if (!part->type.p && is_in_digest(p))
		set_type(part, STR("message"), STR("rfc822"));
	else if (!part->type.p)
		set_type(part, STR("text"), STR("plain"));

	if (str_eq_case(part->type, STR("multipart")))
		begin_multipart(p, part);
	else if (str_eq_case(part->type, STR("message")) &&
		 (str_eq_case(part->subtype, STR("rfc822")) ||
		     str_eq_case(part->subtype, STR("global"))))
		begin_message(p, part);
}

/*
 * The part on top ends at end. lines are the line ends before it. A part
 * that is cut off in its header has no content.
 */
static void
close_part(struct parser *p, size_t end, uint64_t lines)
{
	struct open_part *open;
	struct mime_part *part;

	while (p->in_header)
		/* A message in it may begin, and end, right here. */
		end_header(p, MAX(end, top(p)->part->header));
	open = top(p);
	part = open->part;
	part->end = MAX(end, part->body);
	/* A child without content ends behind the line end in front of the
	 * delimiter, which is its header's. */
	if (open->last_child)
		part->end = MAX(part->end, open->last_child->end);
	/* Then that line end is in here. */
	lines += part->end > end;
	if (lines > open->lines_above)
		part->lines = lines - open->lines_above;
	if (part->end > part->body && p->in.p[part->end - 1] != '\n')
		part->lines++;
	if (part->kind != MIME_LEAF && !part->child) {
		if (part->kind == MIME_MESSAGE || p->is_over) {
			make_opaque(p, part);
		} else {
			part->kind = MIME_LEAF;
			part->params = (struct mime_params){ 0 };
			set_type(part, STR("text"), STR("plain"));
		}
	}
	p->n_open--;
}

/* Close what is open above the first keep of the stack. */
static void
close_down_to(struct parser *p, size_t keep, size_t end, uint64_t lines)
{
	/* Ending a header may open a part: n_open is looked at each time. */
	while (p->n_open > keep)
		close_part(p, end, lines);
}

/* --- lines ------------------------------------------------------------------------ */

/*
 * The multipart whose delimiter the line is, as its place in the stack; -1
 * when it is none. RFC 2046 section 5.1.1: a line that begins with it is one,
 * so of several the longest is meant.
 */
static ptrdiff_t
find_delimiter(struct parser *p, struct str line)
{
	struct str rest = str_from(line, 2);
	ptrdiff_t found = -1;
	size_t longest = 0;

	for (size_t i = p->n_open; i-- > 0;) {
		struct str b = p->stack[i].boundary;

		if (b.n <= longest)
			continue;
		p->tree->work++;
		if (str_starts(rest, b)) {
			found = (ptrdiff_t)i;
			longest = b.n;
		}
	}
	return found;
}

static void
take_delimiter(struct parser *p, size_t at, struct str line, size_t next)
{
	struct open_part *open = &p->stack[at];
	bool is_last =
	    str_starts(str_from(line, 2 + open->boundary.n), STR("--"));
	size_t end = p->pos - p->eol;

	close_down_to(p, at + 1, end, p->lines - (p->eol > 0));
	p->lines += next > p->pos && p->in.p[next - 1] == '\n';
	if (is_last)
		open->boundary.n = 0;
	else if (!p->is_over) /* closing may have made the last part */
		open_part(p, next);
}

static void
take_line(struct parser *p, struct str line)
{
	size_t next = p->pos + line.n;
	ptrdiff_t at = -1;

	p->tree->work++;
	if (line.n > 2 && line.p[0] == '-' && line.p[1] == '-' && !p->is_over)
		at = find_delimiter(p, line);
	if (at >= 0) {
		take_delimiter(p, (size_t)at, line, next);
		return;
	}
	p->lines += line.p[line.n - 1] == '\n';
	if (p->in_header && line.n <= 2 &&
	    (str_eq(line, STR("\n")) || str_eq(line, STR("\r\n"))))
		end_header(p, next);
}

static size_t
line_end_length(struct str line)
{
	if (!line.n || line.p[line.n - 1] != '\n')
		return 0;
	return line.n > 1 && line.p[line.n - 2] == '\r' ? 2 : 1;
}

static void
take_all(struct parser *p)
{
	open_part(p, 0);
	while (p->pos < p->in.n) {
		const char *start = p->in.p + p->pos;
		const char *lf = memchr(start, '\n', p->in.n - p->pos);
		struct str line = str_make(
		    start, lf ? (size_t)(lf - start) + 1 : p->in.n - p->pos);

		take_line(p, line);
		p->pos += line.n;
		p->eol = line_end_length(line);
	}
	close_down_to(p, 0, p->in.n, p->lines);
}

void
mime_parse(struct mime_tree *tree, struct str message,
    const struct mime_limits *limits)
{
	struct parser p = {
		.tree = tree,
		.in = message,
		.limits = limits ? *limits : MIME_LIMITS_DEFAULT,
	};

	p.limits.depth = MIN(p.limits.depth, MIME_DEPTH_MAX);
	p.limits.memory = MAX(p.limits.memory, MIME_MEMORY_MIN);
	*tree = (struct mime_tree){ .size = message.n };
	arena_init(&tree->arena, p.limits.memory);
	p.stack = x_calloc((size_t)p.limits.depth + 3, sizeof(*p.stack));
	take_all(&p);
	free(p.stack);
}

void
mime_tree_done(struct mime_tree *tree)
{
	arena_done(&tree->arena);
	tree->root = NULL;
}

const struct mime_part *
mime_part_next(const struct mime_part *part)
{
	if (part->child)
		return part->child;
	while (part && !part->next)
		part = part->parent;
	return part ? part->next : NULL;
}

struct str
mime_part_header(const struct mime_part *part, struct str message)
{
	return str_sub(message, part->header, part->body - part->header);
}

struct str
mime_part_body(const struct mime_part *part, struct str message)
{
	return str_sub(message, part->body, part->end - part->body);
}
