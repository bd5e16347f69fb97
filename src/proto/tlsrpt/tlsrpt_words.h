/* SPDX-License-Identifier: ISC */
/*
 * tlsrpt_words.h - the words of TLS reports, by number. For the reader and
 * the writer of reports alone.
 */
#pragma once

#include "proto/tlsrpt/tlsrpt_report.h"

struct tlsrpt_words {
	const char *const *v;
	size_t n;
};

extern const struct tlsrpt_words tlsrpt_words_result, tlsrpt_words_type;
