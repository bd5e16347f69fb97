/* SPDX-License-Identifier: ISC */
/*
 * document.h - what the site gives to programs: feeds, calendars, badges, JSON.
 *
 * As pages: written once for each change of what it shows, compressed once,
 * and lent to as many as ask. Its language is the one in the address
 * (?lang=), else that of the site: a program's Accept-Language is nobody's wish.
 */
#pragma once

#include "base/arena.h"
#include "web/visit.h"
#include "web/page/words.h"

#define DOCUMENT_MAX MIB(4)

struct document {
	struct server *sv;
	enum language lang;
	/* "https://status.example.org", for what needs whole addresses. */
	struct str base;
	struct str name; /* of the site */
	struct buf b;
	struct arena arena;
	uint64_t changed_s; /* for Last-Modified; 0: it has none */
};

struct document_kind {
	const char *type;
	const char *fields; /* further lines of the head; NULL */
	uint32_t max_age;   /* seconds that others may keep it without asking */
};

/* False: there is no such thing (404). */
typedef bool (*document_fn)(struct document *d, const void *arg);

/* key: everything that it is made of but the language; of whatever length. */
void document_serve(struct visit *v, const struct document_kind *kind,
    struct str key, document_fn fn, const void *arg);

/* Both, one behind the other; lives as long as the document. */
struct str document_join(struct document *d, struct str a, struct str b);
/* "https://status.example.org/posts/7"; lives as long as the document. */
struct str document_url(struct document *d, struct str path);
/* A post's address, as it is called now; and the one that stays. */
struct status_post;
struct str document_post_url(
    struct document *d, const struct status_post *post);
struct str document_post_id(struct document *d, uint32_t number);
