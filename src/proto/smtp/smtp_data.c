/* SPDX-License-Identifier: ISC */
/*
 * smtp_data.c - the DATA phase. See smtp_data.h.
 *
 *   LINE_START --"."--> DOT --CR--> DOT_CR --LF--> AT_END
 *        |               |             |
 *       any             any           any but LF: a bare CR
 *        v               v             v
 *      TEXT <------------+-------------+
 *        |  --CR--> CR --LF--> LINE_START
 *
 * No byte is ever held back: the dot of DOT is dropped in either case, and
 * the CR of DOT_CR either belongs to the end or makes the message bad.
 */
#include "proto/smtp/smtp_data.h"

void
smtp_data_init(struct smtp_data *d)
{
	*d = (struct smtp_data){ 0 };
}

static void
line_grows(struct smtp_data *d, size_t n)
{
	d->line += n;
	if (d->line > d->line_max)
		d->line_max = d->line;
}

/*
 * Text up to a CR. Two searches of the same bytes, both at the speed of the
 * C library, beat one loop of our own many times over.
 */
static size_t
scan_text(struct smtp_data *d, struct str in)
{
	const char *cr = memchr(in.p, '\r', in.n);
	size_t n = cr ? (size_t)(cr - in.p) : in.n;

	if (n > 0 && !d->has_bad_eol && memchr(in.p, '\n', n))
		d->has_bad_eol = true;
	line_grows(d, n);
	if (!cr)
		return n;
	d->state = SMTP_DATA_CR;
	return n + 1;
}

/* Take bytes that belong to the message, if any; a state at a time. */
static size_t
step_text(struct smtp_data *d, struct str in)
{
	if (d->state == SMTP_DATA_TEXT)
		return scan_text(d, in);
	if (d->state == SMTP_DATA_CR && in.p[0] == '\n') {
		d->state = SMTP_DATA_LINE_START;
		d->line = 0;
		return 1;
	}
	if (d->state != SMTP_DATA_LINE_START)
		d->has_bad_eol = true;
	d->state = SMTP_DATA_TEXT;
	return 0;
}

/* Take the byte c when it is dropped: the dot, or what makes it the end. */
static bool
step_dot(struct smtp_data *d, char c)
{
	if (d->state == SMTP_DATA_LINE_START && c == '.')
		d->state = SMTP_DATA_DOT;
	else if (d->state == SMTP_DATA_DOT && c == '\r')
		d->state = SMTP_DATA_DOT_CR;
	else if (d->state == SMTP_DATA_DOT_CR && c == '\n')
		d->state = SMTP_DATA_AT_END;
	else
		return false;
	return true;
}

/*
 * The slice that ends here, when there is one. A bad message has none, so
 * that its size cannot grow past any limit either.
 */
static bool
take_slice(
    struct smtp_data *d, const char *from, const char *to, struct str *ret)
{
	if (from == to || d->has_bad_eol)
		return false;
	*ret = str_make(from, (size_t)(to - from));
	d->size += ret->n;
	return true;
}

enum smtp_data_step
smtp_data_next(struct smtp_data *d, struct str *in, struct str *ret)
{
	const char *from = in->p;

	ASSERT(d->state != SMTP_DATA_AT_END);
	while (in->n > 0) {
		const char *here = in->p;

		if (!step_dot(d, here[0])) {
			if (d->state == SMTP_DATA_DOT)
				d->state = SMTP_DATA_TEXT;
			*in = str_from(*in, step_text(d, *in));
			continue;
		}
		*in = str_from(*in, 1);
		if (d->state == SMTP_DATA_AT_END)
			return SMTP_DATA_END;
		if (take_slice(d, from, here, ret))
			return SMTP_DATA_SLICE;
		from = in->p;
	}
	return take_slice(d, from, in->p, ret) ? SMTP_DATA_SLICE
	                                       : SMTP_DATA_MORE;
}
