/* SPDX-License-Identifier: ISC */
/*
 * api.h - the HTTP API, /api/v1: one request, from the key that came with it to
 * the answer.
 *
 *   api.c         finds what is asked for, and reads key and body
 *   api_call.c    reads and puts rows for it, and answers
 *   api_row.c     one row, found by its key, and deleted
 *   api_watch.c   asks role watch
 *   api_*.c       what is asked for
 *
 * Whatever a request needs of the store comes later. The client may be gone by
 * then: the call lives until what was asked for has come, and answers to
 * nobody. So a call keeps copies of what it needs of the request.
 *
 * Errors are problem details (RFC 9457). Every change puts a line into the
 * table AUDIT, in the same batch.
 */
#pragma once

#include "base/jsondoc.h"
#include "proto/status/status_json.h"
#include "proto/status/status_json_read.h"
#include "proto/status/status_key.h"
#include "proto/status/status_post.h"
#include "proto/status/status_systems.h"
#include "web/visit.h"

#define API_BODY_MAX  KIB(256) /* bytes of a request: 32 KiB, all escaped */
#define API_REPLY_MAX MIB(8)
#define API_QUERY_MAX 1000 /* bytes of a value behind the "?" */
#define API_PAGE_MAX  100  /* things in one answer */
#define API_PAGE      20

struct api_call;
struct api_import;
struct api_row;

struct api_route {
	unsigned method; /* of route.h */
	const char *path;
	unsigned scopes;
	unsigned has_body;
	const char *query; /* names of what may be behind the "?" */
	void (*run)(struct api_call *c);
};

struct api_call {
	struct server *sv;
	struct visit *v; /* NULL: the client is gone */
	const struct api_route *route;
	struct buf path;     /* what is behind /api/v1 */
	struct buf query;    /* as it was sent */
	struct buf if_match; /* all its lines, as one list */
	bool has_if_match;
	bool must_be_new;    /* If-None-Match: * */
	struct str names[2]; /* {s} of the path, in order */
	uint32_t numbers[2]; /* {n} */
	struct buf peer;     /* the client's address */
	struct str secret;   /* while the key is looked for, in token */
	struct buf token;
	struct buf who;  /* of the log: "key 12ab34cd (billing)" */
	bool is_known;   /* the key was the right one */
	bool is_allowed; /* and may do this */
	unsigned scopes; /* that the key has */
	struct buf body;
	struct jsondoc *doc; /* of the body; NULL: there is none */
	const struct jsonnode *json;

	/* What is read for it. */
	bool (*row)(struct api_call *c, const struct msg_ledger_row *row);
	void (*then)(struct api_call *c);
	void (*done)(struct api_call *c, enum reason reason);
	void (*with_post)(struct api_call *c);
	void (*with_row)(struct api_call *c);
	const struct api_row *deleted;
	const char *missing; /* 404 of what watch does not know; NULL: none */

	/* Of the thing in hand. */
	struct buf out; /* the answer */
	uint64_t hash;  /* of its rows: the entity tag */
	bool is_found;
	struct buf row_now;          /* the value of the row that is changed */
	struct buf other;            /* another one, of the same change */
	struct buf slug;             /* or the key of the row */
	struct status_post post;     /* points into row_now and doc */
	struct status_update update; /* likewise into other */
	struct status_system system;
	struct status_systems *systems; /* all; NULL: they were not read */
	uint32_t number;
	unsigned tries, slug_taken;
	unsigned retry_s;          /* of 429 */
	struct api_import *import; /* NULL: none is going on */
	unsigned count, limit;
	bool is_taken, makes_slug; /* of its title */
	/* What a list shows. */
	struct {
		enum status_post_kind kind;
		bool has_kind, is_open;
		struct buf text; /* a tag, or a system as the start of keys */
	} only;
	struct buf next; /* where the next page begins */
	struct buf keys; /* keys of rows, each behind its length */
	struct buf held; /* of a list: what belongs behind what comes later */
};

/* --- api_call.c ----------------------------------------------------------------- */

void api_call_free(struct api_call *c);

/*
 * Read rows in order; row says false when there are enough. Then then runs, if
 * the client is still there; errors of the store are answered here.
 */
struct api_read {
	enum ledger_table table;
	struct str prefix, after;
	bool is_reverse;
	bool (*row)(struct api_call *c, const struct msg_ledger_row *row);
	void (*then)(struct api_call *c);
};
void api_read(struct api_call *c, const struct api_read *r);

/* Put rows, with a line of the log. done gets REASON_NONE, REASON_EXISTS or
 * REASON_CONFLICT; other errors are answered here. */
struct api_change {
	enum ledger_table table;
	const struct msg_ledger_row *rows;
	size_t n;
	enum ledger_if only_if;
	struct str was;
	const char *what;
	struct str object, detail;
	void (*done)(struct api_call *c, enum reason reason);
};
void api_put(struct api_call *c, const struct api_change *ch);

/* Answers end the call. */
void api_fail(struct api_call *c, unsigned status, const char *detail);
/* 422, with the member and what was expected of it. */
void api_fail_fault(struct api_call *c, const struct status_fault *f);
/* 400, for a parameter of the query. */
void api_fail_query(struct api_call *c, struct str name, const char *fault);
/* c->out as JSON, with c->hash as its tag when it has one. */
void api_reply(struct api_call *c, unsigned status);
/* 201 with its place below /api/v1. */
void api_reply_created(struct api_call *c, const char *location);
/* 204 */
void api_reply_nothing(struct api_call *c);

/* --- what handlers share ------------------------------------------------------------ */

/* A value of the query, decoded, into ret. False: it is not there. */
bool api_query(struct api_call *c, const char *name, struct buf *ret);
/* c->limit and c->next from limit= and after=. False: 400 was answered. */
bool api_query_page(struct api_call *c);
/* c->only.text, the start of keys, from system=; empty: all. False: 400 was
 * answered. */
bool api_query_system(struct api_call *c);
/* Does If-Match allow to change what has c->hash? False: 412 was answered. */
bool api_if_match(struct api_call *c);
/* The same for what is put, and may not be there (c->is_found); and If-None-Match. */
bool api_may_put(struct api_call *c);
/* The hash of another row on top of those before. */
void api_hash_row(struct api_call *c, struct str value);
/* The end of a list in c->out: "],"next":...}" */
void api_end_page(struct api_call *c);
/* One of {s} as a key of the ledger; false: 404 was answered. */
bool api_key(struct api_call *c, size_t i, struct buf *ret);
uint64_t api_now(void);
/* Then then runs, if the system of names[0] has no checks; else 409. */
void api_checks_none(struct api_call *c, void (*then)(struct api_call *c));
/* Read all systems into c->systems; then then runs. */
void api_systems_read(struct api_call *c, void (*then)(struct api_call *c));

/* --- api_row.c -------------------------------------------------------------------- */

/*
 * Find the row of a table whose key is c->slug: c->is_found, its tag in c->hash, its value
 * in c->row_now. Of LEDGER_CHECK, which this process may not read, that is
 * what stands for it (LEDGER_TAG). Then then runs.
 */
void api_row_find(struct api_call *c, enum ledger_table table,
    void (*then)(struct api_call *c));
/* For a change of what was found: it is still the same. */
enum ledger_if api_row_same(enum ledger_table table);

struct api_row {
	enum ledger_table table;
	const char *what;    /* of the log: "subscriber.remove" */
	const char *missing; /* of 404 */
};
/* Delete the row with the key c->slug, which heeds If-Match, and answer. row is
 * static. */
void api_row_delete(struct api_call *c, const struct api_row *row);

/* --- api_watch.c ------------------------------------------------------------------ */

/*
 * Ask role watch; then then runs, with the answer in c->keys. What it does not know is
 * 404 with missing; when that is NULL, then finds nothing in c->keys.
 */
void api_watch_ask(struct api_call *c, enum msg_type type, struct str body,
    const char *missing, void (*then)(struct api_call *c));
/* The member "stages" of a list of msg_watch_stage. */
void api_put_stages(struct buf *to, struct str stages);
/* The key of the check in the path, into c->slug. False: 404 was answered. */
bool api_check_key(struct api_call *c);
extern const struct api_row api_check_row;

/* --- api_import.c ----------------------------------------------------------------- */

/* NULL is fine. */
void api_import_free(struct api_import *im);

/* --- the requests ---------------------------------------------------------------------- */

#define API(method, path, scopes, has_body, query, run) \
	void run(struct api_call *c);
#include "web/api/api_routes.def"
#undef API
