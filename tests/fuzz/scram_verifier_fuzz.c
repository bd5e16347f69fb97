/* SPDX-License-Identifier: ISC */
/*
 * LINK: sasl
 * scram_verifier_fuzz.c - what is parsed is within the limits, and there is
 * exactly one text for it.
 */
#include "proto/sasl/scram_verifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf b = BUF_INIT(KIB(1));
	struct scram_verifier v;

	if (scram_verifier_parse(in, &v)) {
		if (v.iterations < SCRAM_ITERATIONS_MIN ||
		    v.salt_n < SCRAM_SALT_MIN || v.salt_n > SCRAM_SALT_MAX)
			abort();
		scram_verifier_format(&v, &b);
		if (!str_eq(buf_str(&b), in))
			abort();
	}
	buf_done(&b);
	return 0;
}
