/* SPDX-License-Identifier: ISC */
/* jsondoc.c - read JSON by jansson, and write its strings. */
#include "base/jsondoc.h"

#include <jansson.h>

/* They are never made: a pointer to one is a pointer of the library. */
static const json_t *
of_node(const struct jsonnode *node)
{
	return (const json_t *)(const void *)node;
}

static const struct jsonnode *
to_node(const json_t *value)
{
	return (const struct jsonnode *)(const void *)value;
}

struct jsondoc *
jsondoc_parse(struct str text, size_t max)
{
	json_t *value;

	if (text.n == 0 || text.n > max)
		return NULL;
	value = json_loadb(
	    text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	return (struct jsondoc *)(void *)value;
}

struct jsondoc *
jsondoc_free(struct jsondoc *doc)
{
	json_decref((json_t *)(void *)doc);
	return NULL;
}

const struct jsonnode *
jsondoc_root(const struct jsondoc *doc)
{
	return (const struct jsonnode *)(const void *)doc;
}

const struct jsonnode *
jsonnode_get(const struct jsonnode *node, const char *name)
{
	return to_node(json_object_get(of_node(node), name));
}

size_t
jsonnode_count(const struct jsonnode *node)
{
	return json_array_size(of_node(node));
}

const struct jsonnode *
jsonnode_at(const struct jsonnode *node, size_t i)
{
	return to_node(json_array_get(of_node(node), i));
}

struct str
jsonnode_text(const struct jsonnode *node)
{
	const json_t *v = of_node(node);

	return json_is_string(v)
	           ? str_make(json_string_value(v), json_string_length(v))
	           : STR_NONE;
}

bool
jsonnode_u64(const struct jsonnode *node, uint64_t *ret)
{
	const json_t *v = of_node(node);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return true;
}

int
jsonnode_bool(const struct jsonnode *node)
{
	const json_t *v = of_node(node);

	return json_is_boolean(v) ? json_is_true(v) : -1;
}

bool
jsonnode_is_object(const struct jsonnode *node)
{
	return json_is_object(of_node(node));
}

bool
jsonnode_is_array(const struct jsonnode *node)
{
	return json_is_array(of_node(node));
}

bool
jsonnode_is_null(const struct jsonnode *node)
{
	return json_is_null(of_node(node));
}

bool
jsonnode_is_text(const struct jsonnode *node)
{
	return json_is_string(of_node(node));
}

bool
jsonnode_each(const struct jsonnode *node,
    bool (*fn)(void *arg, struct str name, const struct jsonnode *value),
    void *arg)
{
	/* The library wants it writable to walk it, and does not change it. */
	json_t *o = (json_t *)(uintptr_t)(const void *)node;

	for (void *i = json_object_iter(o); i != NULL;
	     i = json_object_iter_next(o, i)) {
		const char *name = json_object_iter_key(i);

		if (!fn(arg, str_c(name), to_node(json_object_iter_value(i))))
			return false;
	}
	return true;
}

/* Length of the character at the start of s; 0 when it is not UTF-8. */
static size_t
utf8_length(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	return n <= s.n && str_is_utf8(str_first(s, n)) ? n : 0;
}

static void
put_ascii(struct buf *to, char c)
{
	if (c == '"' || c == '\\')
		buf_printf(to, "\\%c", c);
	else if (c == '\n')
		buf_put_c(to, "\\n");
	else if ((unsigned char)c < ' ' || c == 0x7f)
		buf_printf(to, "\\u%04x", (unsigned)c);
	else
		buf_put_char(to, c);
}

void
jsondoc_put_text(struct buf *to, struct str s)
{
	buf_put_char(to, '"');
	while (s.n > 0) {
		size_t n = utf8_length(s);

		if (n == 0 || s.p[0] == '\0')
			buf_put_c(to, "\xef\xbf\xbd");
		else if (n == 1)
			put_ascii(to, s.p[0]);
		else
			buf_put(to, s.p, n);
		s = str_from(s, MAX(n, (size_t)1));
	}
	buf_put_char(to, '"');
}
