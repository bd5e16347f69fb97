/* SPDX-License-Identifier: ISC */
/*
 * provider.h - which provider runs a mail server, by its host name.
 *
 * Domains of companies say nothing about who refuses our mail; their MX hosts
 * do. A group is a provider, or the part of one that decides by itself. The
 * built-in table is provider.def; an operator's file has the same form and may
 * take the built-in lines in, at the place of his choice:
 *
 *   # name      "title"          suffixes of host names
 *   our-partner "Partner GmbH"   mx.partner.example mail.partner.example
 *   default
 *
 * A suffix fits the host of that name and those below it. The longest that fits
 * counts; of equal ones the first, so lines before "default" take precedence
 * over the built-in ones. A name that comes again gets more suffixes.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "base/str.h"

#define PROVIDER_TABLE_MAX    KIB(256) /* bytes of a table's text */
#define PROVIDER_LINE_MAX     1000
#define PROVIDER_GROUPS_MAX   2000
#define PROVIDER_SUFFIXES_MAX 10000
#define PROVIDER_NAME_MAX     32
#define PROVIDER_TITLE_MAX    100

struct provider_table;

/* Why a table is not one; line counts from 1. */
struct provider_error {
	size_t line;
	const char *text; /* a literal */
};

/* The built-in table. */
struct provider_table *provider_table_new(void);
/* NULL when it has an error, which *ret_error then tells. */
struct provider_table *provider_table_parse(
    struct str text, struct provider_error *ret_error);
/* NULL is allowed. Returns NULL. */
struct provider_table *provider_table_free(struct provider_table *t);

/* The group of a host; empty: none. Lives as the table. */
struct str provider_of(const struct provider_table *t, struct str host);
/* "Microsoft 365"; empty for what is no group. */
struct str provider_title(const struct provider_table *t, struct str name);
size_t provider_count(const struct provider_table *t);
/* Name of the group at position i. */
struct str provider_name(const struct provider_table *t, size_t i);

/* Letters, digits and "-", not too long: what a group may be called. */
bool provider_is_name(struct str s);
/* The text of the built-in table, for operators to start from. */
const char *provider_default_text(void);
