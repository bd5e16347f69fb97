/* SPDX-License-Identifier: ISC */
/* dns_texts.c - records as texts. See dns_texts.h. */
#include "net/dns_texts.h"

static void
add(struct dns_texts *to, struct str s)
{
	if (to->n < ARRAY_LEN(to->v) && arena_str(&to->arena, s, &to->v[to->n]))
		to->n++;
}

static void
add_name(struct dns_texts *to, enum dns_type type, struct str data)
{
	char name[DNS_NAME_MAX + 1];
	uint16_t preference;
	bool is_ok = type == DNS_MX ? dns_read_mx(data, &preference, name)
	                            : dns_read_name(data, name);

	if (is_ok && name[0] != '\0')
		add(to, str_c(name));
}

static void
add_text(struct dns_texts *to, struct str data)
{
	struct buf joined = BUF_INIT(KIB(64));

	dns_join_txt(data, &joined);
	add(to, buf_str(&joined));
	buf_done(&joined);
}

void
dns_texts_read(
    const struct dns_answer *a, enum dns_type type, struct dns_texts *ret)
{
	ret->n = 0;
	arena_init(&ret->arena, KIB(256));
	for (size_t i = 0; a->status == DNS_FOUND && i < a->n; i++) {
		if (type == DNS_TXT)
			add_text(ret, a->data[i]);
		else if (type == DNS_MX || type == DNS_PTR)
			add_name(ret, type, a->data[i]);
		else if (a->data[i].n == (type == DNS_A ? 4 : 16))
			add(ret, a->data[i]);
	}
}

void
dns_texts_done(struct dns_texts *t)
{
	arena_done(&t->arena);
}

/* --- SPF ---------------------------------------------------------------------------- */

enum dns_type
dns_type_of_spf(enum spf_type t)
{
	switch (t) {
	case SPF_TYPE_TXT:
		return DNS_TXT;
	case SPF_TYPE_A:
		return DNS_A;
	case SPF_TYPE_AAAA:
		return DNS_AAAA;
	case SPF_TYPE_MX:
		return DNS_MX;
	case SPF_TYPE_PTR:
		break;
	}
	return DNS_PTR;
}

static enum spf_dns
spf_status_of(enum dns_status s)
{
	switch (s) {
	case DNS_FOUND:
		return SPF_DNS_FOUND;
	case DNS_NO_NAME:
	case DNS_NO_DATA:
		return SPF_DNS_NONE;
	case DNS_TEMPFAIL:
	case DNS_BOGUS:
		break;
	}
	return SPF_DNS_FAILED;
}

void
dns_answer_spf(struct spf_check *check, const struct spf_question *q,
    const struct dns_answer *a)
{
	struct spf_answer answer = { .status = spf_status_of(a->status) };
	struct dns_texts texts;

	dns_texts_read(a, dns_type_of_spf(q->type), &texts);
	answer.records = texts.v;
	answer.n = texts.n;
	spf_answer(check, &answer);
	dns_texts_done(&texts);
}
