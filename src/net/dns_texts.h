/* SPDX-License-Identifier: ISC */
/*
 * dns_texts.h - the records of an answer in the form that proto/ wants: strings
 * of TXT joined, addresses as bytes, names as text; and the DNS questions of SPF
 * (proto/spf/spf.h) put to the resolver.
 *
 * Records that are malformed are left out. Layer: net.
 */
#pragma once

#include "base/arena.h"
#include "net/resolver.h"
#include "proto/spf/spf.h"

struct dns_texts {
	struct arena arena; /* they live here */
	struct str v[DNS_RECORDS_MAX];
	size_t n;
};

void dns_texts_read(
    const struct dns_answer *a, enum dns_type type, struct dns_texts *ret);
void dns_texts_done(struct dns_texts *t);

/* What to ask the resolver. */
enum dns_type dns_type_of_spf(enum spf_type t);
/* The answer to q, which is what spf_step() asked last. */
void dns_answer_spf(struct spf_check *check, const struct spf_question *q,
    const struct dns_answer *a);
