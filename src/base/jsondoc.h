/* SPDX-License-Identifier: ISC */
/*
 * jsondoc.h - read a JSON document that an outsider wrote.
 *
 * A wrapper of jansson, whose names begin with json_. Asking for what is not
 * there, or is of another type, gives nothing: so a reader can ask for a
 * whole path and check once.
 *
 * Layer: base. No I/O.
 */
#pragma once

#include "base/buf.h"

struct jsondoc;  /* a document */
struct jsonnode; /* a value in it; lives as long as the document */

/*
 * Read text (RFC 8259: UTF-8, one value). NULL when it is not JSON, has one
 * name twice in an object or a NUL in a string, nests deeper than some two
 * thousand levels, or is longer than max bytes. The tree takes up to some
 * fifty times the bytes of the text: max has to say so.
 */
struct jsondoc *jsondoc_parse(struct str text, size_t max);
/* NULL is fine; returns NULL. */
struct jsondoc *jsondoc_free(struct jsondoc *doc);

/* All of them take NULL, and answer for it as for a value of no type. */
const struct jsonnode *jsondoc_root(const struct jsondoc *doc);
/* The member of an object, or NULL. */
const struct jsonnode *jsonnode_get(
    const struct jsonnode *node, const char *name);
/* The elements of an array; 0 for others. NULL behind the last. */
size_t jsonnode_count(const struct jsonnode *node);
const struct jsonnode *jsonnode_at(const struct jsonnode *node, size_t i);
/* A string, as UTF-8 without NUL; STR_NONE for others. */
struct str jsonnode_text(const struct jsonnode *node);
/* A whole number that is not negative; false, *ret untouched, for others. */
bool jsonnode_u64(const struct jsonnode *node, uint64_t *ret) WARN_UNUSED;
/* 0 or 1 for false and true; -1 for others. */
int jsonnode_bool(const struct jsonnode *node);
bool jsonnode_is_object(const struct jsonnode *node);
bool jsonnode_is_array(const struct jsonnode *node);
bool jsonnode_is_null(const struct jsonnode *node);
bool jsonnode_is_text(const struct jsonnode *node);
/* The members of an object, in no order that means anything, until fn says
 * false: then that is the answer. True for what is no object. */
bool jsonnode_each(const struct jsonnode *node,
    bool (*fn)(void *arg, struct str name, const struct jsonnode *value),
    void *arg);

/*
 * Append s as a JSON string with its quotes. Bytes that are not UTF-8 become
 * U+FFFD, since a document with them would be none; NUL goes, too.
 */
void jsondoc_put_text(struct buf *to, struct str s);
