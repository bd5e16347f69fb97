/* SPDX-License-Identifier: ISC */
/* status_internal.h - the rules of single values, for status_check.c. */
#pragma once

#include "proto/status/status_check.h"

struct status_opt_rule {
	const char *name;
	unsigned type;
	unsigned kinds; /* bits: 1 << enum status_kind */
	size_t max;
	const char *expected;
	const char *const *words; /* of a type that is one of some words */
	size_t n_words;
};

const struct status_opt_rule *status_opt_rule(enum status_opt o);
bool status_opt_parse(struct str name, enum status_opt *ret) WARN_UNUSED;
bool status_value_is_good(
    const struct status_opt_rule *rule, struct str value) WARN_UNUSED;

/* port stays 0 where the text has none. */
bool status_target_parse(enum status_kind kind, struct str text,
    struct status_target *ret) WARN_UNUSED;
const char *status_target_expected(enum status_kind kind);
/* The port of its kind, and of what its options say; 0: it has none. */
uint16_t status_port_usual(const struct status_check *c);
