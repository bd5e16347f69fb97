/* SPDX-License-Identifier: ISC */
/*
 * authres.h - Authentication-Results fields (RFC 8601): read, write, and
 * recognise those that claim to be our own.
 *
 * The reader takes what is seen in real mail (values with characters that
 * should be quoted, empty results); the writer writes only what the grammar
 * has. Whatever an outsider chose is quoted, its controls are replaced, and
 * it is cut at a limit, so that no value can add a result of its own.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* A field beyond these is not read. */
#define AUTHRES_FIELD_MAX   KIB(16)
#define AUTHRES_RESULTS_MAX 64
#define AUTHRES_PROPS_MAX   16
/* Memory that reading one field takes from the arena, at most. */
#define AUTHRES_ARENA_MAX KIB(128)
/* The writer cuts values behind so many bytes. */
#define AUTHRES_VALUE_MAX 512

struct authres_prop {
	struct str type; /* "smtp", "header", "body", "policy", ... */
	struct str name;
	struct str value; /* without quotes */
};

struct authres_result {
	struct str method;
	struct str version; /* of the method; empty when absent */
	struct str result;
	struct str reason; /* without quotes */
	const struct authres_prop *props;
	size_t props_n;
	struct str raw; /* all of it as it stands, comments included */
};

struct authres {
	struct str id;      /* who says so: the authserv-id */
	struct str version; /* empty when absent, which means 1 */
	const struct authres_result *results;
	size_t results_n; /* none for "none" */
};

/*
 * Read the value of a field (behind its colon). False when it is malformed
 * or passes a limit. What was read borrows from value and the arena.
 */
bool authres_parse(
    struct str value, struct arena *arena, struct authres *ret) WARN_UNUSED;
/* The value of a property, or STR_NONE. */
struct str authres_prop(
    const struct authres_result *r, const char *type, const char *name);

/*
 * Does a field of this value claim to be from id? True as well when nobody
 * can tell whom it is from. Looks at the beginning alone, so that what is
 * malformed behind it cannot hide it (RFC 8601 section 5).
 */
bool authres_claims(struct str value, struct str id);

/*
 * Append header without the Authentication-Results fields that claim to be
 * from id, and answer how many these were. Lines end at LF, with or without a
 * CR, whatever the header uses: a forged field must not be hidden by it.
 */
size_t authres_strip(struct str header, struct str id, struct buf *to);

/*
 * The same as ranges: take the next such field at or behind *at, an offset in
 * header, where *at is 0 at first. False when there is none left.
 */
bool authres_next_forged(struct str header, struct str id, size_t *at,
    size_t *ret_from, size_t *ret_n) WARN_UNUSED;

/*
 * Append the results of the first such field of header in one line, without
 * the name: "dmarc=pass ...; spf=pass ...". Of more than max bytes the last results
 * are left out. Nothing when there is no such field.
 */
void authres_brief(struct str header, size_t max, struct buf *to);

/* Writing one field; results come one after the other. */
struct authres_writer {
	struct buf *to;
	size_t column;
	bool has_result;
};

/* Append "name: id"; the name is ours, with its colon and a blank to follow. */
void authres_write_start(
    struct authres_writer *w, const char *name, struct str id, struct buf *to);
/* The next result. reason may be NULL. */
void authres_write_result(struct authres_writer *w, const char *method,
    const char *result, const char *reason);
/* Add to that result; an empty value writes nothing. */
void authres_write_prop(struct authres_writer *w, const char *type,
    const char *name, struct str value);
/* Add a comment behind what was written last. */
void authres_write_comment(struct authres_writer *w, struct str text);
/* End the field with "none" when there is no result, and CRLF. */
void authres_write_finish(struct authres_writer *w);
