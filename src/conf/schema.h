/* SPDX-License-Identifier: ISC */
/*
 * schema.h - the table of options, and how one value is read and written.
 *
 * Pure: no files. conf_file.c uses it for the text, conf_wire.c for the
 * snapshot, the command line for the manual page.
 */
#pragma once

#include "conf/conf.h"

enum conf_type {
	CONF_STRING,
	CONF_NAME,
	CONF_ADDRESS,
	CONF_PATH,
	CONF_LEVEL,
	CONF_COUNT,
	CONF_BIGCOUNT,
	CONF_TIME,
	CONF_TIME_DAYS,
	CONF_SIZE,
	CONF_BOOL,
	CONF_LISTEN,
	CONF_SOCKETS,
	CONF_LOOPBACK,
	CONF_SERVERS,
	CONF_ROUTES,
	CONF_NAMES,
	CONF_NETWORKS,
	CONF_HOSTS,
	CONF_LINKS,
	CONF_RELAYS,
	CONF_MIRRORS,
};

struct conf_option {
	const char *section, *key;
	enum conf_type type;
	size_t offset; /* into struct conf; or the service of a listener */
	const char *fallback;
	uint64_t min, max;
	const char *help;
};

#define CONF_OPTIONS_MAX 200
/* Names of one certificate (an authority takes 100). */
#define CONF_HOST_NAMES_MAX 100
/* Bytes of a list that is kept as text. */
#define CONF_TEXT_LIST_MAX KIB(256)
extern const struct conf_option conf_options[];
extern const size_t conf_option_count;

/* Is it a list? */
bool conf_is_list(const struct conf_option *o);
/* A list that is kept as one text, in which a line feed ends each element. */
bool conf_is_text_list(const struct conf_option *o);
/* Read one value (of a list: one element) into c. False when text is not one;
 * c is untouched then. */
bool conf_set(
    const struct conf_option *o, struct conf *c, struct str text) WARN_UNUSED;
/* What conf_set() accepts, in words: "a size such as 10M, from 64K to 1G". */
void conf_expected(const struct conf_option *o, struct buf *b);
/* A struct conf of nothing but defaults. */
struct conf *conf_new(void);
/* Is this number one that the option may have? For decoding. */
bool conf_in_range(const struct conf_option *o, uint64_t v);
bool conf_is_text(const struct conf_option *o);
