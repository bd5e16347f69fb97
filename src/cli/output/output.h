/* SPDX-License-Identifier: ISC */
/*
 * output.h - what a command prints: an aligned table for people, or JSON.
 * On a terminal the widest texts of a table are cut until it fits, and end in an
 * ellipsis; what goes elsewhere is whole.
 *
 * The one wrapper of jansson. Both come from the same rows, so that they
 * cannot differ. The JSON keys are documented in mailstead(8) and stay.
 */
#pragma once

#include "base/buf.h"

enum output_kind {
	OUTPUT_TEXT,
	OUTPUT_WORD, /* a text; empty is "-", null in JSON */
	OUTPUT_COUNT,
	OUTPUT_BYTES,       /* people read "4.9G"; JSON has the number */
	OUTPUT_LIMIT_BYTES, /* 0 is "none"; null in JSON */
	OUTPUT_LIMIT_COUNT,
	OUTPUT_TIME, /* seconds since 1970; 0 is "-", null in JSON */
	OUTPUT_LIST, /* lines of a text; an array in JSON */
	OUTPUT_YES,  /* 0 or 1; true or false in JSON */
	OUTPUT_S,    /* seconds; people read "90s" */
	OUTPUT_MS,   /* milliseconds; people read "-14ms" */
	OUTPUT_US,   /* microseconds; people read "12.3 ms"; 0: "-", null */
	OUTPUT_PPM,  /* millionths; people read "99.98 %"; UINT64_MAX: "-",
	              * null */
};

struct output_field {
	const char *key; /* of the JSON object */
	/* Of the column; NULL: for JSON only, and neither the first nor the last. */
	const char *title;
	enum output_kind kind;
};

struct output;

/* A list of things: name is the key that holds them in JSON. */
struct output *output_new(
    const char *name, const struct output_field *fields, size_t n);
void output_free(struct output *o);
/* The values of a row in the order of the fields. */
void output_put_text(struct output *o, struct str s);
void output_put_number(struct output *o, uint64_t n);
/* People read this in place of what was put last, which stays in JSON. */
void output_show(struct output *o, struct str shown);
/* For OUTPUT_COUNT and OUTPUT_MS. */
void output_put_signed(struct output *o, int64_t n);
/* Print the rows so far: for a list that is too long to be held. Columns
 * become wider on the way. output_print() ends it. */
void output_flush(struct output *o, bool is_json);
/* A number beside the list, for JSON only: {"queue": [...], "unknown": 2}. */
void output_beside(struct output *o, const char *key, uint64_t n);
/* Nothing was put, and nothing printed. */
bool output_is_empty(const struct output *o);
/*
 * What people can do without in a list when the terminal is too narrow for all of
 * it, as keys with blanks between, the first to go first. Columns without any
 * value go before them. The text is the caller's. JSON has everything.
 */
void output_spare(struct output *o, const char *keys);
/* Print and be empty again. On a terminal a list that is empty says so. */
void output_print(struct output *o, bool is_json);
/* One thing instead of a list: its fields one below the other. */
void output_print_one(struct output *o, bool is_json);

/* {"error":{"reason":...,"message":...}} on standard output. */
void output_json_error(const char *reason, const char *message);
/* To standard output, as it is; nothing (STR_NONE) is fine. */
void output_write(struct str s);
/*
 * Nothing that a name or another server says may steer a terminal, or turn the
 * words of a line around: each byte of a control becomes "?", of those of C1 and of
 * direction (U+061C, U+200E, U+200F and those of str_turns_around()) as well.
 */
void output_tame(char *p, size_t n);
/* The same of a text of several lines, whose ends stay. */
void output_tame_lines(char *p, size_t n);
/* The same of JSON, which says what it said before: they are escaped. */
void output_escape_json(struct buf *to, struct str json);
/* "4.9G" */
void output_bytes(uint64_t n, char *to, size_t max);
