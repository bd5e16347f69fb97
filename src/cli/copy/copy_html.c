/* SPDX-License-Identifier: ISC */
/* copy_html.c - links of a static copy. See copy_html.h. */
#include "cli/copy/copy_html.h"

#include "proto/http/http_text.h"

#define PATH_MAX_BYTES KIB(8)
#define INDEX          "index.html"

/* --- finding ------------------------------------------------------------------------ */

/* Where the first of several stands; s.n: none of them does. */
static size_t
first_of(struct str s, const char *const *what, size_t n, size_t *ret_which)
{
	size_t best = s.n;

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t at = str_search(str_first(s, best), str_c(what[i]));

		if (at >= 0) {
			best = (size_t)at;
			*ret_which = i;
		}
	}
	return best;
}

bool
copy_link_next(struct str *rest, struct str *ret_before, struct str *ret_value)
{
	static const char *const marks[] = { " href=\"/", " action=\"/",
		"<script", "<style" };
	static const char *const ends[] = { NULL, NULL, "</script>",
		"</style>" };
	struct str s = *rest;
	size_t which = 0, at;
	ptrdiff_t end;

	for (;;) {
		at = first_of(s, marks, ARRAY_LEN(marks), &which);
		if (at == s.n)
			return false;
		s = str_from(s, at + strlen(marks[which]));
		if (ends[which] == NULL) {
			/* "//" is another host. */
			if (s.n > 0 && s.p[0] == '/')
				continue;
			end = str_find(s, '"');
			if (end < 0)
				return false;
			break;
		}
		end = str_search(s, str_c(ends[which]));
		if (end < 0)
			return false;
		s = str_from(s, (size_t)end);
	}
	/* With its first slash. */
	*ret_value = str_make(s.p - 1, (size_t)end + 1);
	*ret_before = str_make(rest->p, (size_t)(ret_value->p - rest->p));
	*rest = str_from(*rest, ret_before->n + ret_value->n);
	return true;
}

/* --- reading ------------------------------------------------------------------------ */

/* What answers to what somebody typed, or to who he is. */
static bool
needs_server(struct str path)
{
	static const char *const whole[] = { "/check", "/search", "/subscribe",
		"/unsubscribe" };
	static const char *const begins[] = { "/check/", "/subscribe/",
		"/unsubscribe/", "/api/v1" };

	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (str_eq(path, str_c(whole[i])))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (str_starts(path, str_c(begins[i])))
			return true;
	return false;
}

bool
copy_link_parse(struct str value, struct copy_link *ret)
{
	ptrdiff_t hash = str_find(value, '#');
	struct str query, path, rest = value;

	*ret = (struct copy_link){ .path = BUF_INIT(PATH_MAX_BYTES) };
	if (hash >= 0) {
		ret->fragment = str_from(value, (size_t)hash);
		rest = str_first(value, (size_t)hash);
	}
	query = str_split(rest, '?', &path);
	if (str_starts(query, STR("lang=")))
		ret->language = str_from(query, 5);
	else if (query.n > 0)
		return false;
	for (size_t i = 0; i < ret->language.n; i++)
		if (!ascii_is_alpha(ret->language.p[i]))
			return false;
	return http_path_decode(path, &ret->path) &&
	       !needs_server(buf_str(&ret->path));
}

/* --- files ---------------------------------------------------------------------------- */

/* What is not a page has a name of its own. */
static bool
is_document(struct str path)
{
	static const char *const ends[] = { "/feed.rss", "/feed.atom",
		"/feed.json", ".ics", ".svg", ".txt" };

	if (str_starts(path, STR("/api/v2/")))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_ends(path, str_c(ends[i])))
			return true;
	return false;
}

void
copy_put_file(struct buf *to, struct str path)
{
	buf_put_str(to, str_from(path, 1));
	if (is_document(path))
		return;
	if (path.n > 1 && path.p[path.n - 1] != '/')
		buf_put_char(to, '/');
	buf_put_c(to, INDEX);
}

bool
copy_has_language(struct str path)
{
	return !str_starts(path, STR("/api/v2/")) &&
	       !str_eq(path, STR("/robots.txt")) &&
	       !str_eq(path, STR("/favicon.svg"));
}

static void
put_file_in(struct buf *to, const struct copy_place *p, struct str language,
    struct str path)
{
	if (!str_eq(language, p->usual) && copy_has_language(path)) {
		buf_put_str(to, language);
		buf_put_char(to, '/');
	}
	copy_put_file(to, path);
}

void
copy_put_place(struct buf *to, const struct copy_place *p)
{
	put_file_in(to, p, p->language, p->path);
}

/* From where the page is; a '/' of a name is one of a path. */
static void
put_way(struct buf *to, const struct copy_place *p, struct str language,
    struct str path)
{
	struct buf here = BUF_INIT(PATH_MAX_BYTES * 2);
	struct buf there = BUF_INIT(PATH_MAX_BYTES * 2);
	struct str rest, part;

	copy_put_place(&here, p);
	put_file_in(&there, p, language, path);
	for (size_t i = 0; i < here.n; i++)
		if (here.p[i] == '/')
			buf_put_c(to, "../");
	rest = buf_str(&there);
	while (rest.p != NULL) {
		rest = str_split(rest, '/', &part);
		http_encode(to, part);
		if (rest.p != NULL)
			buf_put_char(to, '/');
	}
	buf_done(&here);
	buf_done(&there);
}

/* A link that stands in a page already: its quotes are references. */
static void
put_link(struct buf *to, const struct copy_place *p, struct str value)
{
	struct copy_link l;

	if (!copy_link_parse(value, &l)) {
		for (size_t i = 0; i < p->site.n; i++)
			if (strchr("\"<>&' ", p->site.p[i]) == NULL)
				buf_put_char(to, p->site.p[i]);
		buf_put_str(to, value);
	} else {
		put_way(to, p, l.language.n > 0 ? l.language : p->language,
		    buf_str(&l.path));
		buf_put_str(to, l.fragment);
	}
	buf_done(&l.path);
}

void
copy_put_html(struct buf *to, const struct copy_place *p, struct str html)
{
	struct str before, value;

	while (copy_link_next(&html, &before, &value)) {
		buf_put_str(to, before);
		put_link(to, p, value);
	}
	buf_put_str(to, html);
}

void
copy_put_redirect(struct buf *to, const struct copy_place *p, struct str path)
{
	struct buf way = BUF_INIT(PATH_MAX_BYTES * 4);

	put_link(&way, p, path);
	buf_put_c(to, "<!DOCTYPE html>\n<html lang=\"");
	buf_put_str(to, p->language);
	buf_put_c(to, "\"><head><meta charset=\"utf-8\"><title>");
	buf_put_str(to, buf_str(&way));
	buf_put_c(to, "</title><meta http-equiv=\"refresh\" content=\"0;url=");
	buf_put_str(to, buf_str(&way));
	buf_put_c(to, "\"></head><body><a href=\"");
	buf_put_str(to, buf_str(&way));
	buf_put_c(to, "\">");
	buf_put_str(to, buf_str(&way));
	buf_put_c(to, "</a></body></html>\n");
	buf_done(&way);
}
