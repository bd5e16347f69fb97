/* SPDX-License-Identifier: ISC */
/*
 * suffixes.h - where the part of a domain that somebody registered begins.
 *
 * The one wrapper of libpsl: the Public Suffix List says that below
 * "co.uk" everybody can have a domain. What it calls the registrable domain
 * is the organisational domain of DMARC (RFC 7489 section 3.2).
 *
 * Layer: base. Only suffixes_load() reads a file.
 */
#pragma once

#include "base/str.h"

struct suffixes;

/*
 * The newest list of this machine, or the one that the library was built
 * with. NULL when there is neither. A process that is to be locked in calls
 * this before.
 */
struct suffixes *suffixes_load(void);
/* A list from its text, as publicsuffix.org has it. NULL when it is none. */
struct suffixes *suffixes_parse(struct str text);
/* NULL is fine; returns NULL. */
struct suffixes *suffixes_free(struct suffixes *s);

/*
 * The organisational domain of domain, as a part of it. It is domain itself
 * when that is a public suffix or no host name; a name at the top that the
 * list does not know counts as a suffix. ASCII and any case. Without a list
 * (NULL) every domain is its own.
 */
struct str suffixes_organisation(const struct suffixes *s, struct str domain);
