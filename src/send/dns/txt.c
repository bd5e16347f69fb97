/* SPDX-License-Identifier: ISC */
/* txt.c - TXT records. See txt.h. */
#include "send/dns/txt.h"

void
txt_set_init(struct txt_set *t, const struct dns_answer *a)
{
	size_t n = MIN(a->n, TXT_RECORDS_MAX), at = 0;
	size_t ends[TXT_RECORDS_MAX];

	*t = (struct txt_set){ .bytes = BUF_INIT(TXT_BYTES_MAX) };
	for (size_t i = 0; i < n; i++) {
		dns_join_txt(a->data[i], &t->bytes);
		ends[i] = t->bytes.n;
	}
	if (t->bytes.failed)
		return;
	for (; t->n < n; at = ends[t->n++])
		t->v[t->n] = str_sub(buf_str(&t->bytes), at, ends[t->n] - at);
}

void
txt_set_done(struct txt_set *t)
{
	buf_done(&t->bytes);
}
