/* SPDX-License-Identifier: ISC */
/*
 * reply_internal.h - rules as values, for reply.c and reply_table.c.
 */
#pragma once

#include "proto/reply/reply.h"

#include "base/buf.h"

#define REPLY_ANY UINT16_MAX

struct reply_status {
	bool is_any;
	uint16_t class, subject; /* REPLY_ANY: any */
	uint16_t first, last;    /* details */
};

struct reply_rule {
	struct str name;
	struct str groups; /* words; empty: any host */
	enum reply_class class;
	uint16_t codes[REPLY_CODES_MAX]; /* 4 and 5: 4xx and 5xx */
	size_t n_codes;                  /* 0: any */
	struct reply_status status;
	unsigned stages;
	struct str texts[REPLY_TEXTS_MAX]; /* in lower case */
	size_t n_texts;
	struct str link;
};

struct reply_table {
	struct reply_rule *rules;
	size_t n, cap;
	/* Strings of the rules are in here, one allocation for each text. */
	char *texts[2];
	size_t n_texts;
};

/* "blocked" to REPLY_BLOCKED. */
bool reply_class_parse(struct str s, enum reply_class *ret) WARN_UNUSED;
bool reply_stage_parse(struct str s, unsigned *ret) WARN_UNUSED;
