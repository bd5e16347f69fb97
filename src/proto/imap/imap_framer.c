/* SPDX-License-Identifier: ISC */
/*
 * imap_framer.c - cut the byte stream of an IMAP client into commands.
 *
 *	LINE -CR-> LINE_CR -LF-> literal header? no:  COMMAND, then FRESH
 *	                                         yes: LITERAL, then ASK
 *	ASK -accept-> COLLECT -all read-> LINE
 *	ASK -stream-> STREAM  -all read-> LINE
 *	ASK -reject-> FRESH (synchronising) or SKIP_LITERAL
 *	any error  -> SKIP_LINE or SKIP_LITERAL, which alternate until a line
 *	              without a non-synchronising literal ends -> FRESH
 *
 * While skipping, only the end of the current line is kept: enough to see
 * the header of a literal there.
 */
#include "proto/imap/imap_framer.h"

enum state {
	FRESH, /* the text is still lent; start afresh */
	LINE,
	LINE_CR, /* the CR is not part of the text */
	ASK,
	COLLECT,
	STREAM,
	SKIP_LINE,
	SKIP_CR,
	SKIP_LITERAL,
	SKIP_STREAM, /* of a literal that was accepted: not counted */
	FATAL,
};

/* The longest literal header is "~{", 20 digits and "+}". */
#define HEADER_DIGITS 20
#define HEADER_BYTES  24
#define SKIP_WINDOW   1024 /* kept of a line that is skipped, at most */
#define KEEP_BYTES    4096 /* text memory kept from command to command */

/* One call of imap_framer_next(). */
struct run {
	struct imap_framer *f;
	struct str in; /* what is not yet used */
	struct imap_frame_event *event;
};

void
imap_framer_init(struct imap_framer *f, const struct imap_framer_limits *limits)
{
	*f = (struct imap_framer){ .limits = *limits, .state = FRESH };
}

void
imap_framer_done(struct imap_framer *f)
{
	buf_done_secret(&f->text);
}

static void
start_command(struct imap_framer *f)
{
	buf_reset(&f->text, KEEP_BYTES);
	/* Room also for "!" and CRLF of a header and for keep_tail(). */
	f->text.max = f->limits.command + 2 * SKIP_WINDOW;
	f->line_start = 0;
	f->literals = 0;
	f->left = 0;
	f->skipped = 0;
	f->state = LINE;
}

static void
start_line(struct imap_framer *f)
{
	f->line_start = f->text.n;
	f->state = LINE;
}

static struct str
take(struct run *r, uint64_t n)
{
	struct str part = str_first(r->in, n < r->in.n ? (size_t)n : r->in.n);

	r->in = str_from(r->in, part.n);
	return part;
}

/* Skip n bytes of a literal, or end the connection if that is too much. */
static void
skip_literal(struct imap_framer *f, uint64_t n)
{
	if (n > f->limits.skip - f->skipped) {
		f->state = FATAL;
		return;
	}
	f->skipped += n;
	f->left = n;
	f->state = n ? SKIP_LITERAL : SKIP_LINE;
	f->text.n = 0;
	f->line_start = 0;
}

/*
 * Does the line end with the header of a literal? *ret_start is where the
 * header starts in the line. Sizes past 64 bits become UINT64_MAX, which is
 * above every limit.
 */
static bool
parse_header(struct str line, struct imap_literal *ret, size_t *ret_start)
{
	struct imap_literal lit = { .is_sync = true };
	size_t end = line.n, start;

	if (end == 0 || line.p[end - 1] != '}')
		return false;
	end--;
	if (end > 0 && line.p[end - 1] == '+') {
		lit.is_sync = false;
		end--;
	}
	start = end;
	while (start > 0 && ascii_is_digit(line.p[start - 1]))
		start--;
	if (start == end || end - start > HEADER_DIGITS || start == 0 ||
	    line.p[start - 1] != '{')
		return false;

	if (!str_to_u64(
		str_sub(line, start, end - start), UINT64_MAX, &lit.size))
		lit.size = UINT64_MAX;
	start--;
	lit.is_binary = start > 0 && line.p[start - 1] == '~';
	*ret = lit;
	*ret_start = start - lit.is_binary;
	return true;
}

/*
 * Is a literal behind this text a message of APPEND? Directly behind
 * "tag APPEND " it would be the mailbox name.
 */
static bool
is_append(struct str before)
{
	struct str tag, verb;
	struct str rest = str_split(before, ' ', &tag);

	rest = str_split(rest, ' ', &verb);
	return tag.n > 0 && str_eq_case(verb, STR("APPEND")) && rest.n > 0;
}

/* An error inside a line: what follows up to its end is skipped. */
static enum imap_frame
fail_line(struct run *r, enum imap_frame error)
{
	r->event->text = buf_str(&r->f->text);
	r->f->state = SKIP_LINE;
	return error;
}

/* An error at a literal. One that the client holds back is not skipped. */
static enum imap_frame
fail_literal(struct run *r, enum imap_frame error)
{
	struct imap_framer *f = r->f;
	struct str text = buf_str(&f->text);

	r->event->text = text;
	r->event->literal = f->literal;
	if (f->literal.is_sync) {
		f->state = FRESH;
		return error;
	}
	skip_literal(f, f->literal.size);
	return error;
}

static enum imap_frame
end_line(struct run *r)
{
	struct imap_framer *f = r->f;
	struct imap_literal lit;
	size_t start;
	bool fits;

	if (!parse_header(
		str_from(buf_str(&f->text), f->line_start), &lit, &start)) {
		f->state = FRESH;
		r->event->text = buf_str(&f->text);
		return IMAP_FRAME_COMMAND;
	}

	lit.can_stream =
	    is_append(str_first(buf_str(&f->text), f->line_start + start));
	fits = f->text.n + 2 <= f->limits.command &&
	       lit.size <= f->limits.command - f->text.n - 2;
	lit.can_collect = lit.size <= f->limits.literal && fits;
	f->literal = lit;
	if (f->literals >= f->limits.literals)
		return fail_literal(r, IMAP_FRAME_TOO_MANY);
	if (!lit.is_sync && lit.size > f->limits.non_sync)
		return fail_literal(r, IMAP_FRAME_LITERAL_BIG);
	if (!lit.can_stream && lit.size > f->limits.literal)
		return fail_literal(r, IMAP_FRAME_LITERAL_BIG);
	if (!lit.can_stream && !fits)
		return fail_literal(r, IMAP_FRAME_COMMAND_LONG);

	f->literals++;
	f->state = ASK;
	r->event->text = buf_str(&f->text);
	r->event->literal = lit;
	return IMAP_FRAME_LITERAL;
}

/* How many bytes at the start of in need no look: no CR, LF or NUL. */
static size_t
plain_run(struct str in)
{
	size_t n = 0;

	while (n < in.n && in.p[n] != '\r' && in.p[n] != '\n' && in.p[n])
		n++;
	return n;
}

static enum imap_frame
step_line(struct run *r)
{
	struct imap_framer *f = r->f;
	size_t line = f->text.n - f->line_start;
	size_t room = MIN(f->limits.line - MIN(line, f->limits.line),
	    f->limits.command - MIN(f->text.n, f->limits.command));
	size_t n = plain_run(r->in);

	buf_put_str(&f->text, take(r, MIN(n, room)));
	if (n > room)
		return fail_line(r, line + room >= f->limits.line
					? IMAP_FRAME_LINE_LONG
					: IMAP_FRAME_COMMAND_LONG);
	if (r->in.n == 0)
		return IMAP_FRAME_MORE;
	switch (take(r, 1).p[0]) {
	case '\r':
		f->state = LINE_CR;
		return IMAP_FRAME_MORE;
	case '\n':
		return fail_line(r, IMAP_FRAME_BARE_EOL);
	default:
		return fail_line(r, IMAP_FRAME_BAD_CHAR);
	}
}

static enum imap_frame
step_line_cr(struct run *r)
{
	/* What follows a bare CR may be the CR of the real end: leave it. */
	if (r->in.p[0] != '\n')
		return fail_line(r, IMAP_FRAME_BARE_EOL);
	(void)take(r, 1);
	return end_line(r);
}

static enum imap_frame
step_collect(struct run *r)
{
	struct imap_framer *f = r->f;
	struct str part = take(r, f->left);

	buf_put_str(&f->text, part);
	f->left -= part.n;
	if (f->left == 0)
		start_line(f);
	return IMAP_FRAME_MORE;
}

static enum imap_frame
step_stream(struct run *r)
{
	struct imap_framer *f = r->f;

	r->event->slice = take(r, f->left);
	f->left -= r->event->slice.n;
	r->event->left = f->left;
	if (f->left == 0)
		start_line(f);
	return IMAP_FRAME_SLICE;
}

/* Remember the end of a skipped line, in bounded memory. */
static void
keep_tail(struct imap_framer *f, struct str part)
{
	if (part.n > HEADER_BYTES)
		part = str_from(part, part.n - HEADER_BYTES);
	if (f->text.n - f->line_start > SKIP_WINDOW) {
		buf_drop(&f->text, f->text.n - HEADER_BYTES);
		f->line_start = 0;
	}
	buf_put_str(&f->text, part);
}

static void
end_skipped_line(struct imap_framer *f)
{
	struct imap_literal lit;
	size_t start;

	/* A client that waits for "+" reads the error instead of it. */
	if (parse_header(
		str_from(buf_str(&f->text), f->line_start), &lit, &start) &&
	    !lit.is_sync)
		skip_literal(f, lit.size);
	else
		start_command(f);
}

static enum imap_frame
step_skip_line(struct run *r)
{
	struct imap_framer *f = r->f;
	ptrdiff_t cr = str_find(r->in, '\r');
	uint64_t room = f->limits.skip - f->skipped;
	struct str part = take(r, cr < 0 ? r->in.n : (size_t)cr);

	if (part.n > room) {
		f->state = FATAL;
		return IMAP_FRAME_MORE;
	}
	f->skipped += part.n;
	keep_tail(f, part);
	if (cr >= 0) {
		(void)take(r, 1);
		f->state = SKIP_CR;
	}
	return IMAP_FRAME_MORE;
}

static enum imap_frame
step_skip_cr(struct run *r)
{
	struct imap_framer *f = r->f;

	if (r->in.p[0] == '\n') {
		(void)take(r, 1);
		end_skipped_line(f);
		return IMAP_FRAME_MORE;
	}
	/* A bare CR: part of the line, so that "{1+}" before it ends nothing. */
	f->state = SKIP_LINE;
	if (f->skipped == f->limits.skip)
		f->state = FATAL;
	else
		f->skipped++;
	keep_tail(f, STR("\r"));
	return IMAP_FRAME_MORE;
}

static enum imap_frame
step_skip_literal(struct run *r)
{
	struct imap_framer *f = r->f;

	f->left -= take(r, f->left).n;
	if (f->left == 0)
		f->state = SKIP_LINE;
	return IMAP_FRAME_MORE;
}

static enum imap_frame
step(struct run *r)
{
	switch ((enum state)r->f->state) {
	case FRESH:
		start_command(r->f);
		return IMAP_FRAME_MORE;
	case LINE:
		return step_line(r);
	case LINE_CR:
		return step_line_cr(r);
	case COLLECT:
		return step_collect(r);
	case STREAM:
		return step_stream(r);
	case SKIP_LINE:
		return step_skip_line(r);
	case SKIP_CR:
		return step_skip_cr(r);
	case SKIP_LITERAL:
	case SKIP_STREAM:
		return step_skip_literal(r);
	case FATAL:
		return IMAP_FRAME_FATAL;
	case ASK:
		break;
	}
	/* A literal was announced, and the caller did not answer. */
	ASSERT(r->f->state != ASK);
	return IMAP_FRAME_FATAL;
}

enum imap_frame
imap_framer_next(struct imap_framer *f, struct str in, size_t *ret_used,
    struct imap_frame_event *ret_event)
{
	struct run r = { .f = f, .in = in, .event = ret_event };
	enum imap_frame frame = IMAP_FRAME_MORE;

	*ret_event = (struct imap_frame_event){ 0 };
	while (frame == IMAP_FRAME_MORE) {
		/* These two have something to say without input. */
		bool is_ready =
		    f->state == FATAL || (f->state == STREAM && f->left == 0);

		if (r.in.n == 0 && !is_ready)
			break;
		frame = step(&r);
	}
	*ret_used = in.n - r.in.n;
	return frame;
}

void
imap_framer_accept(struct imap_framer *f)
{
	ASSERT(f->state == ASK && f->literal.can_collect);
	buf_put_c(&f->text, "\r\n");
	f->left = f->literal.size;
	f->state = COLLECT;
	if (f->left == 0)
		start_line(f);
}

void
imap_framer_stream(struct imap_framer *f)
{
	ASSERT(f->state == ASK && f->literal.can_stream);
	f->text.n -= f->literal.is_sync ? 1 : 2;
	buf_put_c(&f->text, "!}\r\n");
	f->left = f->literal.size;
	f->state = STREAM;
}

void
imap_framer_reject(struct imap_framer *f)
{
	switch ((enum state)f->state) {
	case ASK:
		if (f->literal.is_sync)
			f->state = FRESH;
		else
			skip_literal(f, f->literal.size);
		return;
	case STREAM:
		f->text.n = 0;
		f->line_start = 0;
		f->state = f->left ? SKIP_STREAM : SKIP_LINE;
		return;
	case LINE:
		f->state = SKIP_LINE;
		return;
	case LINE_CR:
		f->state = SKIP_CR;
		return;
	case COLLECT:
		f->text.n = 0;
		f->line_start = 0;
		f->state = SKIP_STREAM;
		return;
	case FRESH:
	case SKIP_LINE:
	case SKIP_CR:
	case SKIP_LITERAL:
	case SKIP_STREAM:
	case FATAL:
		return;
	}
}

bool
imap_framer_is_idle(const struct imap_framer *f)
{
	return f->state == FRESH ||
	       (f->state == LINE && f->text.n == 0 && f->literals == 0);
}

void
imap_framer_shrink(struct imap_framer *f)
{
	if (!imap_framer_is_idle(f))
		return;
	buf_done_secret(&f->text);
	f->state = FRESH;
}
