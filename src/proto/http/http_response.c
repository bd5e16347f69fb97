/* SPDX-License-Identifier: ISC */
/* http_response.c - heads of responses. See http_response.h. */
#include "proto/http/http_response.h"

#include "proto/http/http_text.h"

const char *
http_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} reasons[] = {
		{ 100, "Continue" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Unknown";
}

void
http_response_begin(struct buf *out, const struct http_response *r)
{
	ASSERT(r->status >= 100 && r->status <= 999);
	buf_printf(
	    out, "HTTP/1.1 %u %s\r\n", r->status, http_reason(r->status));
	if (r->status < 200)
		return;
	buf_put_c(out, "Date: ");
	http_date_format(out, r->now);
	buf_put_c(out, "\r\n");
	if (r->status != 204 && r->status != 304) {
		buf_put_c(out, "Content-Length: ");
		buf_put_u64(out, r->length);
		buf_put_c(out, "\r\n");
	}
	if (!r->is_kept)
		buf_put_c(out, "Connection: close\r\n");
}

void
http_response_field(struct buf *out, const char *name, struct str value)
{
	size_t from = 0;

	buf_put_c(out, name);
	buf_put_c(out, ": ");
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (((uint8_t)c >= ' ' && c != 0x7f) || c == '\t')
			continue;
		buf_put(out, value.p + from, i - from);
		from = i + 1;
	}
	buf_put_str(out, str_from(value, from));
	buf_put_c(out, "\r\n");
}

void
http_response_end(struct buf *out)
{
	buf_put_c(out, "\r\n");
}
