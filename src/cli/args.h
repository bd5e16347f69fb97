/* SPDX-License-Identifier: ISC */
/*
 * args.h - options and words of a command, sizes and times as people write
 * them. Options may stand anywhere; "--" ends them.
 */
#pragma once

#include "base/str.h"

struct arg_option {
	const char *name;   /* "--json" */
	const char **value; /* not NULL: takes a value */
	bool *flag;         /* else: set when it is there */
};

struct args {
	const struct arg_option *options;
	size_t n_options;
	const char *words[1024];
	size_t n_words;
	char error[200]; /* when parsing failed, for a person */
};

/*
 * argv holds the words behind the command's name. Of the options only those count
 * that stand in usage (NULL: all): so one list serves all sub-commands, and none
 * takes what it does not do.
 */
bool args_parse(
    struct args *a, int argc, char **argv, const char *usage) WARN_UNUSED;

/* "5G", "500M", "1.5 GB", "1024"; K, M, G, T are powers of 1024. "none" and
 * "unlimited" are 0. */
bool args_size(const char *s, uint64_t *ret) WARN_UNUSED;
bool args_count(const char *s, uint64_t *ret) WARN_UNUSED;
/*
 * "2026-11-20", "2026-11-20 18:30[:21]" (a T instead of the space, a Z at the
 * end for UTC; else local time), or "3d", "12h", "30m" before now.
 */
bool args_time(const char *s, uint64_t now, uint64_t *ret) WARN_UNUSED;
/* The same of something to come: "now" and "+30m" (from now) as well. */
bool args_when(const char *s, uint64_t now, uint64_t *ret) WARN_UNUSED;
/* "90s", "3m", "2h", "5d", or "0", as seconds. */
bool args_duration(struct str s, uint64_t *ret) WARN_UNUSED;
