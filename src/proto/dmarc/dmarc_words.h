/* SPDX-License-Identifier: ISC */
/*
 * dmarc_words.h - the words of aggregate reports, by number. For the reader
 * and the writer of reports alone.
 */
#pragma once

#include "proto/dmarc/dmarc_report.h"

struct dmarc_words {
	const char *const *v;
	size_t n;
};

extern const struct dmarc_words dmarc_words_policy, dmarc_words_alignment,
    dmarc_words_pass, dmarc_words_reason, dmarc_words_dkim, dmarc_words_spf,
    dmarc_words_scope;
