/* SPDX-License-Identifier: ISC */
/* http_text.c - the small texts of HTTP. See http_text.h. */
#include "proto/http/http_text.h"

#include "proto/http/http_request.h"

/* --- percent-encoding ------------------------------------------------------------ */

static int
hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
decode(struct str s, bool is_form, struct buf *out)
{
	size_t start = out->n;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			int hi, lo;

			if (s.n - i < 3)
				return false;
			hi = hex_digit(s.p[i + 1]);
			lo = hex_digit(s.p[i + 2]);
			if (hi < 0 || lo < 0)
				return false;
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (is_form && c == '+') {
			c = ' ';
		}
		if (c == '\0')
			return false;
		buf_put_char(out, c);
	}
	return !out->failed && str_is_utf8(str_from(buf_str(out), start));
}

bool
http_form_decode(struct str s, struct buf *out)
{
	return decode(s, true, out);
}

void
http_encode(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) ||
		    (c != '\0' && strchr("-._~", c) != NULL))
			buf_put_char(out, c);
		else
			buf_printf(out, "%%%02X", (uint8_t)c);
	}
}

/* --- paths -------------------------------------------------------------------------- */

/* Without its last segment; the root stays. */
static void
go_up(struct buf *out, size_t root)
{
	while (out->n > root && out->p[out->n - 1] != '/')
		out->n--;
	if (out->n > root)
		out->n--;
}

/* Segments of a decoded path, one after the other, each with a "/" before it. */
static void
resolve(struct str path, struct buf *out)
{
	size_t root = out->n;
	bool is_open = false;

	while (path.n > 0) {
		struct str segment;

		path = str_split(str_from(path, 1), '/', &segment);
		if (path.p != NULL)
			path = str_make(path.p - 1, path.n + 1);
		is_open = segment.n == 0 || str_eq(segment, STR(".")) ||
		          str_eq(segment, STR(".."));
		if (str_eq(segment, STR(".."))) {
			go_up(out, root);
		} else if (!is_open) {
			buf_put_char(out, '/');
			buf_put_str(out, segment);
		}
	}
	if (is_open || out->n == root)
		buf_put_char(out, '/');
}

bool
http_path_decode(struct str path, struct buf *out)
{
	struct buf plain = BUF_INIT(HTTP_TARGET_MAX);
	bool ok = path.n > 0 && path.p[0] == '/' &&
	          decode(path, false, &plain) &&
	          !str_has_control(buf_str(&plain), "");

	if (ok)
		resolve(buf_str(&plain), out);
	buf_done(&plain);
	return ok && !out->failed;
}

/* --- forms and cookies ----------------------------------------------------------------- */

bool
http_form_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
	while (rest->n > 0) {
		struct str one;

		*rest = str_split(*rest, '&', &one);
		if (one.n == 0)
			continue;
		*ret_value = str_split(one, '=', ret_name);
		return true;
	}
	return false;
}

bool
http_form_get(struct str form, struct str name, struct buf *out)
{
	struct str key, value;
	struct buf plain = BUF_INIT(KIB(1));
	bool is_found = false;

	while (!is_found && http_form_next(&form, &key, &value)) {
		buf_reset(&plain, KIB(1));
		is_found = http_form_decode(key, &plain) &&
		           str_eq(buf_str(&plain), name);
	}
	buf_done(&plain);
	return is_found && http_form_decode(value, out);
}

bool
http_cookie_get(struct str field, struct str name, struct str *ret)
{
	while (field.n > 0) {
		struct str one, key, value;

		field = str_split(field, ';', &one);
		value = str_split(str_trim(one), '=', &key);
		if (!str_eq(key, name))
			continue;
		if (value.n >= 2 && value.p[0] == '"' &&
		    value.p[value.n - 1] == '"')
			value = str_sub(value, 1, value.n - 2);
		*ret = value;
		return true;
	}
	return false;
}

/* --- entity tags ---------------------------------------------------------------------------- */

static struct str
opaque_tag(struct str etag)
{
	return str_starts(etag, STR("W/")) ? str_from(etag, 2) : etag;
}

/* RFC 9110 section 8.8.3: what may stand between the quotes. */
static bool
is_etag_byte(char c)
{
	uint8_t b = (uint8_t)c;

	return b == 0x21 || (b >= 0x23 && b != 0x7f);
}

/* The next of a list. They may hold commas, so they end with their quote; empty
 * members are passed over (section 5.6.1.2). False at the end, and at what is
 * no tag: *rest is not empty then. */
static bool
next_etag(struct str *rest, struct str *ret)
{
	struct str s = *rest, tag;
	size_t n = 1;

	while (s.n > 0 && (s.p[0] == ',' || s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_from(s, 1);
	*rest = s;
	tag = opaque_tag(s);
	if (tag.n == 0 || tag.p[0] != '"')
		return false;
	while (n < tag.n && is_etag_byte(tag.p[n]))
		n++;
	if (n == tag.n || tag.p[n] != '"')
		return false;
	n += (size_t)(tag.p - s.p) + 1;
	tag = str_trim(str_from(s, n));
	if (tag.n > 0 && tag.p[0] != ',')
		return false;
	*ret = str_first(s, n);
	*rest = tag;
	return true;
}

bool
http_etag_matches(struct str field, struct str etag)
{
	struct str one;

	if (str_eq(str_trim(field), STR("*")))
		return true;
	while (next_etag(&field, &one))
		if (str_eq(opaque_tag(one), opaque_tag(etag)))
			return true;
	return false;
}

enum http_match
http_if_match(struct str field, struct str etag)
{
	enum http_match match = HTTP_MATCH_MALFORMED;
	struct str one;

	if (str_eq(str_trim(field), STR("*")))
		return HTTP_MATCH_YES;
	while (next_etag(&field, &one)) {
		if (match != HTTP_MATCH_YES)
			match = HTTP_MATCH_NO;
		/* With its W/, a weak one is never the same as a strong one. */
		if (str_eq(one, etag) && one.p[0] == '"')
			match = HTTP_MATCH_YES;
	}
	return field.n > 0 ? HTTP_MATCH_MALFORMED : match;
}
