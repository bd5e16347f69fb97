/* SPDX-License-Identifier: ISC */
/* sip.c - OPTIONS and its replies. See sip.h. */
#include "proto/sip/sip.h"

#include <inttypes.h>

/* "2001:db8::1" -> "[2001:db8::1]" */
static void
put_host(struct buf *to, struct str host, uint16_t port)
{
	bool is_v6 = str_find(host, ':') >= 0;

	buf_printf(
	    to, "%s%.*s%s", is_v6 ? "[" : "", STR_ARG(host), is_v6 ? "]" : "");
	if (port != 0)
		buf_printf(to, ":%u", port);
}

void
sip_options_put(struct buf *to, const struct sip_options *o)
{
	bool is_tls = strcmp(o->transport, "TLS") == 0;
	const char *scheme = is_tls ? "sips" : "sip";

	buf_printf(to, "OPTIONS %s:", scheme);
	put_host(to, o->host, o->port);
	buf_printf(to, " SIP/2.0\r\nVia: SIP/2.0/%s ", o->transport);
	put_host(to, o->own, o->own_port);
	/* RFC 3261 section 8.1.1.7: the cookie of this standard. */
	buf_printf(to,
	    ";branch=z9hG4bK%.*s;rport\r\n"
	    "Max-Forwards: 70\r\n"
	    "From: <%s:watch@",
	    STR_ARG(o->tag), scheme);
	put_host(to, o->own, 0);
	buf_printf(to, ">;tag=%.*s\r\nTo: <%s:", STR_ARG(o->tag), scheme);
	put_host(to, o->host, 0);
	buf_printf(to, ">\r\nCall-ID: %.*s\r\nCSeq: 1 OPTIONS\r\nContact: <%s:",
	    STR_ARG(o->tag), scheme);
	put_host(to, o->own, o->own_port);
	buf_put_c(to, ">\r\nAccept: application/sdp\r\n"
		      "User-Agent: Mailstead\r\nContent-Length: 0\r\n\r\n");
}

/* "SIP/2.0 200 OK" */
static bool
read_status(struct str line, unsigned *ret_code, struct str *ret_reason)
{
	uint32_t code;

	if (!str_starts(line, STR("SIP/2.0 ")) || line.n < 11 ||
	    !str_to_u32(str_sub(line, 8, 3), 699, &code) || code < 100 ||
	    (line.n > 11 && line.p[11] != ' '))
		return false;
	*ret_code = code;
	*ret_reason = str_from(line, 12);
	return true;
}

static struct str
next_line(struct str *rest)
{
	struct str line;

	*rest = str_split(*rest, '\n', &line);
	if (str_ends(line, STR("\r")))
		line.n--;
	return line;
}

/* Call-ID, also in its compact form (section 7.3.3). */
static bool
is_call_id(struct str line, struct str *ret)
{
	struct str name, value = str_split(line, ':', &name);

	name = str_trim(name);
	*ret = str_trim(value);
	return str_eq_case(name, STR("Call-ID")) || str_eq_case(name, STR("i"));
}

static size_t
head_length(struct str in)
{
	ptrdiff_t end =
	    str_search(str_first(in, SIP_HEAD_MAX), STR("\r\n\r\n"));

	return end < 0 ? 0 : (size_t)end + 4;
}

enum sip_verdict
sip_reply_read(
    struct str in, struct str tag, unsigned *ret_code, struct str *ret_reason)
{
	size_t n = head_length(in);
	struct str head = str_first(in, n), line, id, reason;
	unsigned code;

	if (!str_starts(in, str_first(STR("SIP/2.0 "), in.n)))
		return SIP_BAD;
	if (n == 0)
		return in.n >= SIP_HEAD_MAX ? SIP_BAD : SIP_MORE;
	line = next_line(&head);
	if (!read_status(line, &code, &reason))
		return SIP_BAD;
	while (head.n > 0) {
		line = next_line(&head);
		if (!is_call_id(line, &id))
			continue;
		if (!str_eq(id, tag))
			return SIP_FOREIGN;
		*ret_code = code;
		*ret_reason = reason;
		return SIP_REPLY;
	}
	return SIP_BAD;
}
