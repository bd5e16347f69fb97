/* SPDX-License-Identifier: ISC */
/* http_answer.c - heads of responses. See http_answer.h. */
#include "proto/http/http_answer.h"

static struct str
next_line(struct str *rest)
{
	struct str line;

	*rest = str_split(*rest, '\n', &line);
	if (str_ends(line, STR("\r")))
		line.n--;
	return line;
}

static bool
read_status(struct str line, unsigned *ret)
{
	uint32_t status;

	if (!str_starts(line, STR("HTTP/1.")) || line.n < 12 ||
	    !ascii_is_digit(line.p[7]) || line.p[8] != ' ' ||
	    !str_to_u32(str_sub(line, 9, 3), 599, &status) || status < 100 ||
	    (line.n > 12 && line.p[12] != ' '))
		return false;
	*ret = status;
	return true;
}

static bool
read_fields(struct str rest, struct http_answer *a)
{
	while (rest.n > 0) {
		struct str line = next_line(&rest), name, value;

		if (line.n == 0)
			break;
		value = str_split(line, ':', &name);
		if (name.n == line.n || !http_is_token(name) ||
		    a->n_fields == HTTP_FIELDS_MAX)
			return false;
		a->fields[a->n_fields++] =
		    (struct http_field){ name, str_trim(value) };
	}
	return true;
}

bool
http_answer_field(const struct http_answer *a, struct str name, struct str *ret)
{
	for (size_t i = 0; i < a->n_fields; i++)
		if (str_eq_case(a->fields[i].name, name)) {
			*ret = a->fields[i].value;
			return true;
		}
	return false;
}

static bool
has_no_body(unsigned status, bool is_head)
{
	return is_head || status < 200 || status == 204 || status == 304;
}

/* RFC 9112 section 6.3. Several lengths may only be the same one. */
static bool
read_body(struct http_answer *a)
{
	struct str coding;
	bool has_length = false;

	for (size_t i = 0; i < a->n_fields; i++) {
		uint64_t n;

		if (!str_eq_case(a->fields[i].name, STR("Content-Length")))
			continue;
		if (!str_to_u64(a->fields[i].value, INT64_MAX, &n) ||
		    (has_length && n != a->length))
			return false;
		has_length = true;
		a->length = n;
	}
	if (http_answer_field(a, STR("Transfer-Encoding"), &coding)) {
		if (!str_eq_case(coding, STR("chunked")) || has_length)
			return false;
		a->body = HTTP_BODY_CHUNKED;
	} else if (has_length) {
		a->body = a->length > 0 ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
	} else {
		a->ends_with_connection = true;
	}
	return true;
}

bool
http_answer_parse(struct str head, bool is_head, struct http_answer *ret)
{
	struct str rest = head, line = next_line(&rest);

	*ret = (struct http_answer){ 0 };
	if (!read_status(line, &ret->status) || !read_fields(rest, ret))
		return false;
	return has_no_body(ret->status, is_head) || read_body(ret);
}
