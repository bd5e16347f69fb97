/* SPDX-License-Identifier: ISC */
/* sip_serve.c - requests of others, and replies. See sip_serve.h. */
#include "proto/sip/sip_serve.h"

#define METHOD_MAX 32

/* --- lines ------------------------------------------------------------------------ */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next field of a head with the lines that go on with it (section 7.3.1), without
 * the CRLF at its end. */
static struct str
next_field(struct str *rest)
{
	size_t n = 0;

	for (;;) {
		ptrdiff_t end = str_search(str_from(*rest, n), STR("\r\n"));
		struct str field;

		if (end < 0) {
			field = *rest;
			*rest = STR_NONE;
			return field;
		}
		n += (size_t)end + 2;
		if (n < rest->n && is_blank(rest->p[n]))
			continue;
		field = str_first(*rest, n - 2);
		*rest = str_from(*rest, n);
		return field;
	}
}

/* Has it this name, or its compact form (section 7.3.3)? */
static bool
is_field(
    struct str field, const char *name, const char *compact, struct str *ret)
{
	struct str found, value = str_split(field, ':', &found);

	found = str_trim(found);
	if (found.n == field.n || (!str_eq_case(found, str_c(name)) &&
				      !str_eq_case(found, str_c(compact))))
		return false;
	*ret = str_trim(value);
	return true;
}

/* What is given back shall not be more than it looks like. */
static bool
is_clean(struct str head)
{
	for (size_t i = 0; i < head.n; i++) {
		unsigned char c = (unsigned char)head.p[i];
		bool is_crlf =
		    c == '\r' && i + 1 < head.n && head.p[i + 1] == '\n';

		if (is_crlf)
			i++;
		else if ((c < ' ' && c != '\t') || c == 0x7F)
			return false;
	}
	return true;
}

/* --- the request -------------------------------------------------------------------- */

static bool
read_method(struct str line, struct str *ret)
{
	struct str method, uri, rest = str_split(line, ' ', &method);

	rest = str_split(rest, ' ', &uri);
	if (method.n == 0 || method.n > METHOD_MAX || uri.n == 0 ||
	    !str_eq_case(rest, STR("SIP/2.0")))
		return false;
	for (size_t i = 0; i < method.n; i++)
		if (!ascii_is_alpha(method.p[i]))
			return false;
	*ret = method;
	return true;
}

/* Once, and not empty. */
static bool
take(struct str value, struct str *to)
{
	if (to->n > 0 || value.n == 0)
		return false;
	*to = value;
	return true;
}

static bool
take_field(
    struct str field, struct sip_request *r, struct str *via, uint32_t *length)
{
	struct str value;

	if (is_field(field, "From", "f", &value))
		return take(value, &r->from);
	if (is_field(field, "To", "t", &value))
		return take(value, &r->to);
	if (is_field(field, "Call-ID", "i", &value))
		return take(value, &r->call_id);
	if (is_field(field, "CSeq", "CSeq", &value))
		return take(value, &r->cseq);
	if (is_field(field, "Content-Length", "l", &value))
		return str_to_u32(value, SIP_BODY_MAX, length);
	if (is_field(field, "Via", "v", &value))
		*via = value;
	return true;
}

/* "1 OPTIONS": the method of the first line. */
static bool
is_cseq(struct str cseq, struct str method)
{
	struct str number, rest = str_split(cseq, ' ', &number);
	uint32_t n;

	return str_to_u32(number, UINT32_MAX, &n) &&
	       str_eq(str_trim(rest), method);
}

static bool
read_head(struct str head, struct sip_request *r)
{
	struct str rest = head, via = STR_NONE;
	uint32_t length = 0;

	if (!is_clean(head) || !read_method(next_field(&rest), &r->method))
		return false;
	while (rest.n > 0)
		if (!take_field(next_field(&rest), r, &via, &length))
			return false;
	r->head = head;
	r->n = head.n + 2 + length;
	return via.n > 0 && r->from.n > 0 && r->to.n > 0 && r->call_id.n > 0 &&
	       is_cseq(r->cseq, r->method);
}

enum sip_asked
sip_request_read(struct str in, struct sip_request *ret)
{
	ptrdiff_t end =
	    str_search(str_first(in, SIP_HEAD_MAX), STR("\r\n\r\n"));
	struct sip_request r = { 0 };

	if (end < 0)
		return in.n >= SIP_HEAD_MAX ? SIP_ASKED_BAD : SIP_ASKED_MORE;
	if (!read_head(str_first(in, (size_t)end + 2), &r))
		return SIP_ASKED_BAD;
	if (in.n < r.n)
		return SIP_ASKED_MORE;
	*ret = r;
	return SIP_ASKED;
}

/* --- the reply ------------------------------------------------------------------------ */

/* The first one says where the request came from, when it asks for that (RFC 3581
 * section 4). */
static void
put_first_via(struct buf *to, struct str via, const struct sip_answer *a)
{
	ptrdiff_t at = str_search(via, STR(";rport"));
	struct str rest = at < 0 ? STR_NONE : str_from(via, (size_t)at + 6);

	if (at < 0 || (rest.n > 0 && rest.p[0] != ';' && rest.p[0] != ',')) {
		buf_printf(to, "Via: %.*s\r\n", STR_ARG(via));
		return;
	}
	buf_put_c(to, "Via: ");
	buf_put_str(to, str_first(via, (size_t)at + 6));
	buf_printf(to, "=%u;received=%s", a->peer_port, a->peer_ip);
	buf_put_str(to, rest);
	buf_put_c(to, "\r\n");
}

static void
put_vias(
    struct buf *to, const struct sip_request *r, const struct sip_answer *a)
{
	struct str rest = r->head, via;
	bool is_first = true;

	while (rest.n > 0) {
		if (!is_field(next_field(&rest), "Via", "v", &via))
			continue;
		if (is_first)
			put_first_via(to, via, a);
		else
			buf_printf(to, "Via: %.*s\r\n", STR_ARG(via));
		is_first = false;
	}
}

void
sip_answer_put(
    struct buf *to, const struct sip_request *r, const struct sip_answer *a)
{
	bool has_tag = str_search(r->to, STR(";tag=")) >= 0;

	buf_printf(to, "SIP/2.0 %u %s\r\n", a->code, a->reason);
	put_vias(to, r, a);
	buf_printf(
	    to, "From: %.*s\r\nTo: %.*s", STR_ARG(r->from), STR_ARG(r->to));
	if (!has_tag)
		buf_printf(to, ";tag=%s", a->tag);
	buf_printf(to, "\r\nCall-ID: %.*s\r\nCSeq: %.*s\r\n",
	    STR_ARG(r->call_id), STR_ARG(r->cseq));
	buf_printf(to, "Allow: %s\r\nContent-Length: 0\r\n\r\n", a->allow);
}
