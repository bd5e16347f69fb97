/* SPDX-License-Identifier: ISC */
/* http_request.c - heads of requests. See http_request.h. */
#include "proto/http/http_request.h"

#include "base/accept.h"

/* --- framing ------------------------------------------------------------------ */

static size_t
empty_lines(struct str in)
{
	size_t n = 0;

	while (in.n >= n + 2 && in.p[n] == '\r' && in.p[n + 1] == '\n')
		n += 2;
	return n;
}

enum http_frame
http_frame_head(
    struct str in, size_t *seen, struct str *ret_head, size_t *ret_used)
{
	size_t start = empty_lines(in);
	/* The end may have begun in what was seen. */
	size_t from = MAX(start, *seen > 3 ? *seen - 3 : 0);
	ptrdiff_t end = str_search(str_from(in, from), STR("\r\n\r\n"));

	if (end >= 0 && from + (size_t)end + 4 <= HTTP_HEAD_MAX) {
		*ret_used = from + (size_t)end + 4;
		*ret_head = str_sub(in, start, *ret_used - start);
		*seen = 0;
		return HTTP_FRAME_HEAD;
	}
	if (end >= 0 || in.n >= HTTP_HEAD_MAX)
		return HTTP_FRAME_TOO_LONG;
	*seen = in.n;
	return HTTP_FRAME_MORE;
}

/* --- grammar ------------------------------------------------------------------- */

static bool
is_tchar(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool
http_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_tchar(s.p[i]))
			return false;
	return s.n > 0;
}

/* Visible characters, blanks and what is not ASCII (RFC 9110 section 5.5). */
static bool
is_value(struct str s)
{
	return !str_has_control(s, "\t");
}

static bool
is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

/* Take a line with its CRLF; the head ends with one. A CR or LF by itself
 * stays in the line, where it is an error. */
static bool
take_line(struct str *rest, struct str *ret)
{
	ptrdiff_t end = str_search(*rest, STR("\r\n"));

	if (end < 0)
		return false;
	*ret = str_first(*rest, (size_t)end);
	*rest = str_from(*rest, (size_t)end + 2);
	return true;
}

static enum http_method
read_method(struct str s)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET",
		[HTTP_HEAD] = "HEAD",
		[HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT",
		[HTTP_PATCH] = "PATCH",
		[HTTP_DELETE] = "DELETE",
		[HTTP_OPTIONS] = "OPTIONS",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(s, str_c(names[i])))
			return (enum http_method)i;
	return HTTP_OTHER;
}

/* Scheme and authority in front of the path; the authority counts as Host
 * (RFC 9112 section 3.2.2). */
static bool
take_authority(struct str *target, struct str *ret_host)
{
	ptrdiff_t slash;

	if (str_starts_case(*target, STR("http://")))
		*target = str_from(*target, 7);
	else if (str_starts_case(*target, STR("https://")))
		*target = str_from(*target, 8);
	else
		return false;
	slash = str_find(*target, '/');
	if (slash < 1)
		return false;
	*ret_host = str_first(*target, (size_t)slash);
	*target = str_from(*target, (size_t)slash);
	return true;
}

static int
read_target(struct str target, struct http_request *r)
{
	if (target.n > HTTP_TARGET_MAX)
		return 414;
	if (!is_visible(target) || str_find(target, '#') >= 0)
		return 400;
	if (str_eq(target, STR("*")) && r->method == HTTP_OPTIONS) {
		r->path = target;
		return 0;
	}
	if (target.p[0] != '/' && !take_authority(&target, &r->host))
		return 400;
	r->query = str_split(target, '?', &r->path);
	return 0;
}

static int
read_version(struct str s, uint8_t *ret_minor)
{
	if (s.n != 8 || !str_starts(s, STR("HTTP/")) ||
	    !ascii_is_digit(s.p[5]) || s.p[6] != '.' || !ascii_is_digit(s.p[7]))
		return 400;
	if (s.p[5] != '1')
		return 505;
	*ret_minor = (uint8_t)(s.p[7] - '0');
	return 0;
}

static int
read_request_line(struct str line, struct http_request *r)
{
	struct str method, target, version;
	int status;

	target = str_split(line, ' ', &method);
	version = str_split(target, ' ', &target);
	if (!http_is_token(method) || method.n > HTTP_METHOD_MAX)
		return 400;
	r->method = read_method(method);
	status = read_version(version, &r->minor);
	if (status == 0)
		status = read_target(target, r);
	return status;
}

static int
read_field(struct str line, struct http_request *r)
{
	struct http_field f;
	ptrdiff_t colon = str_find(line, ':');

	if (colon < 0)
		return 400;
	f.name = str_first(line, (size_t)colon);
	f.value = str_trim(str_from(line, (size_t)colon + 1));
	if (!http_is_token(f.name) || !is_value(f.value))
		return 400;
	if (r->n_fields == HTTP_FIELDS_MAX)
		return 431;
	r->fields[r->n_fields++] = f;
	return 0;
}

/* --- what fields mean ------------------------------------------------------------ */

static size_t
count_fields(const struct http_request *r, struct str name, struct str *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_fields; i++)
		if (str_eq_case(r->fields[i].name, name) && n++ == 0)
			*ret = r->fields[i].value;
	return n;
}

bool
http_request_field(
    const struct http_request *r, struct str name, struct str *ret)
{
	return count_fields(r, name, ret) > 0;
}

bool
http_request_next_field(
    const struct http_request *r, struct str name, size_t *i, struct str *ret)
{
	for (; *i < r->n_fields; (*i)++) {
		if (!str_eq_case(r->fields[*i].name, name))
			continue;
		*ret = r->fields[(*i)++].value;
		return true;
	}
	return false;
}

static bool
has_member(const struct http_request *r, struct str name, struct str member)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		struct str rest = r->fields[i].value, one;

		if (!str_eq_case(r->fields[i].name, name))
			continue;
		while (accept_list_next(&rest, &one))
			if (str_eq_case(one, member))
				return true;
	}
	return false;
}

/* Letters, digits, "-", ".", and an address in brackets; a port behind it. */
static bool
is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
		    (s.p[i] == '\0' || strchr("-._:[]", s.p[i]) == NULL))
			return false;
	return s.n <= 300;
}

static int
read_host(struct http_request *r)
{
	struct str host = STR_NONE;
	size_t n = count_fields(r, STR("Host"), &host);

	if (n > 1 || (n == 0 && r->minor > 0))
		return 400;
	if (r->host.p == NULL)
		r->host = host;
	return is_host(host) && is_host(r->host) ? 0 : 400;
}

/* RFC 9112 section 6.3: two lengths are how requests are smuggled. */
static int
read_body(struct http_request *r)
{
	struct str length = STR_NONE, coding = STR_NONE;
	size_t n_lengths = count_fields(r, STR("Content-Length"), &length);
	size_t n_codings = count_fields(r, STR("Transfer-Encoding"), &coding);

	if (n_codings > 0) {
		if (n_lengths > 0 || r->minor == 0)
			return 400;
		if (n_codings > 1 || !str_eq_case(coding, STR("chunked")))
			return 501;
		r->body = HTTP_BODY_CHUNKED;
		return 0;
	}
	if (n_lengths == 0)
		return 0;
	if (n_lengths > 1 || !str_to_u64(length, UINT64_MAX, &r->length))
		return 400;
	r->body = r->length > 0 ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
	return 0;
}

static void
read_connection(struct http_request *r)
{
	bool wants_end = has_member(r, STR("Connection"), STR("close"));

	r->is_kept = !wants_end &&
	             (r->minor > 0 ||
			 has_member(r, STR("Connection"), STR("keep-alive")));
	r->expects_continue =
	    r->minor > 0 && has_member(r, STR("Expect"), STR("100-continue"));
}

int
http_request_parse(struct str head, struct http_request *ret)
{
	struct str line;
	int status;

	ret->path = ret->query = ret->host = STR_NONE;
	ret->n_fields = 0;
	ret->body = HTTP_BODY_NONE;
	ret->length = 0;
	if (head.n > HTTP_HEAD_MAX || !take_line(&head, &line))
		return 400;
	status = read_request_line(line, ret);
	while (status == 0) {
		if (!take_line(&head, &line))
			return 400;
		if (line.n == 0)
			break;
		status = read_field(line, ret);
	}
	if (status == 0 && head.n > 0)
		status = 400;
	if (status == 0)
		status = read_host(ret);
	if (status == 0)
		status = read_body(ret);
	if (status == 0)
		read_connection(ret);
	return status;
}
