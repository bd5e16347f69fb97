/* SPDX-License-Identifier: ISC */
/*
 * signatures.c - DKIM signatures and the ARC chain: keys are looked up, all at
 * once. The body is hashed at the beginning, so that it need not be kept.
 */
#include "filter/check_internal.h"

static enum dkim_answer
answer_of(const struct dns_answer *a)
{
	switch (a->status) {
	case DNS_FOUND:
		return DKIM_ANSWER_RECORD;
	case DNS_NO_NAME:
	case DNS_NO_DATA:
		return DKIM_ANSWER_NONE;
	case DNS_TEMPFAIL:
	case DNS_BOGUS:
		break;
	}
	return DKIM_ANSWER_TEMPFAIL;
}

static void
on_dkim_key(struct check *c, unsigned which, const struct dns_answer *a)
{
	struct dns_texts records;

	if (a->status != DNS_FOUND) {
		dkim_verifier_key(c->dkim, which, answer_of(a), STR_NONE);
		return;
	}
	dns_texts_read(a, DNS_TXT, &records);
	for (size_t i = 0; i < records.n; i++)
		dkim_verifier_key(
		    c->dkim, which, DKIM_ANSWER_RECORD, records.v[i]);
	dns_texts_done(&records);
}

static void
on_arc_key(struct check *c, unsigned which, const struct dns_answer *a)
{
	struct dns_texts records;

	if (a->status != DNS_FOUND) {
		arc_verifier_key(c->arc, which, answer_of(a), STR_NONE);
		return;
	}
	dns_texts_read(a, DNS_TXT, &records);
	for (size_t i = 0; i < records.n; i++)
		arc_verifier_key(
		    c->arc, which, DKIM_ANSWER_RECORD, records.v[i]);
	dns_texts_done(&records);
}

void
check_signatures_start(struct check *c, struct str body)
{
	c->dkim = dkim_verifier_new(buf_str(&c->header), NULL);
	c->arc = arc_verifier_new(buf_str(&c->header), NULL);
	if (dkim_verifier_count(c->dkim) > 0)
		dkim_verifier_body(c->dkim, body);
	if (arc_verifier_hops(c->arc) > 0)
		arc_verifier_body(c->arc, body);
}

void
check_signatures_ask(struct check *c)
{
	struct buf name = BUF_INIT(KIB(2));

	for (size_t i = 0; i < dkim_verifier_count(c->dkim); i++) {
		buf_reset(&name, name.cap);
		if (dkim_verifier_query(c->dkim, i, &name))
			check_ask(
			    c, buf_c(&name), DNS_TXT, on_dkim_key, (unsigned)i);
	}
	for (size_t i = 0; i < arc_verifier_keys(c->arc); i++) {
		buf_reset(&name, name.cap);
		arc_verifier_query(c->arc, i, &name);
		check_ask(c, buf_c(&name), DNS_TXT, on_arc_key, (unsigned)i);
	}
	buf_done(&name);
}

void
check_signatures_finish(struct check *c)
{
	dkim_verifier_finish(c->dkim, loop_time(c->sv->loop));
	c->arc_result = arc_verifier_finish(c->arc);
}
