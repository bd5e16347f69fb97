/* SPDX-License-Identifier: ISC */
/*
 * feedback_sum.h - reports of others, added up: of DMARC by domain, source and
 * who signed, of TLS by domain, policy and what failed.
 */
#pragma once

#include "cli/admin.h"
#include "proto/feedback/feedback.h"

struct feedback_dmarc_sum {
	char *domain, *source, *dkim_domain, *envelope_from;
	uint64_t count, dkim_aligned, spf_aligned, none_aligned;
	uint64_t quarantined, rejected;
};

struct feedback_tls_sum {
	char *domain, *policy, *result, *mx, *sending_ip, *reporter, *detail;
	uint64_t successful, failed;
};

struct feedback_sum;

struct feedback_sum *feedback_sum_new(void);
void feedback_sum_free(struct feedback_sum *s);
void feedback_sum_dmarc(struct feedback_sum *s, const struct feedback_head *h,
    const struct feedback_dmarc *d);
void feedback_sum_tls(struct feedback_sum *s, const struct feedback_head *h,
    const struct feedback_tls *t);
/* The i-th sum, by domain and then the largest first; NULL: no more. Nothing
 * is added after the first of these. */
const struct feedback_dmarc_sum *feedback_sum_dmarc_at(
    struct feedback_sum *s, size_t i);
const struct feedback_tls_sum *feedback_sum_tls_at(
    struct feedback_sum *s, size_t i);

/* Complaints that are kept about an account. An exit code. */
int feedback_count_complaints(
    struct admin *a, struct str login, uint64_t *ret) WARN_UNUSED;
