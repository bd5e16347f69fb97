/* SPDX-License-Identifier: ISC */
/*
 * txt.h - the TXT records of a name, each with its strings joined.
 */
#pragma once

#include "net/resolver.h"

#define TXT_RECORDS_MAX 64 /* more are not looked at */
#define TXT_BYTES_MAX   KIB(64)

struct txt_set {
	struct str v[TXT_RECORDS_MAX];
	size_t n;
	struct buf bytes; /* of all */
};

/* Copies; no records when they are too large together. */
void txt_set_init(struct txt_set *t, const struct dns_answer *a);
void txt_set_done(struct txt_set *t);
