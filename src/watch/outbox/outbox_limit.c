/* SPDX-License-Identifier: ISC */
/*
 * outbox_limit.c - how often a receiver is written to on behalf of others.
 *
 * Whoever knows an address can type it into the form for subscriptions, and
 * forms can be filled in by machines. Whatever role web does about that, and
 * if it is taken over: an address gets a few confirmation mails a day, a domain
 * some more, and all together so many that a day fits into the table: nothing
 * that still matters is ever forgotten in favour of something else.
 */
#include "base/hash.h"
#include "watch/outbox/outbox_internal.h"

#define DAY_S              86400
#define CONFIRM_MAX        3
#define CONFIRM_DOMAIN_MAX 100
#define CONFIRM_ALL_MAX    2000
#define OTHER_MAX          20
#define OTHER_ALL_MAX      1000
#define SLOTS              4096

_Static_assert(SLOTS >= CONFIRM_ALL_MAX + OTHER_ALL_MAX, "a day fits");

struct slot {
	uint64_t who, domain;
	uint64_t at_s;
	bool is_confirm;
};

struct outbox_limit {
	const struct suffixes *suffixes;
	uint64_t seed;
	size_t at;
	struct slot slots[SLOTS];
};

struct outbox_limit *
outbox_limit_new(const struct suffixes *suffixes)
{
	struct outbox_limit *l = X_NEW(struct outbox_limit);

	l->suffixes = suffixes;
	l->seed = (uint64_t)server_random(UINT32_MAX) << 32 |
	          server_random(UINT32_MAX);
	return l;
}

static uint64_t
hash_lower(const struct outbox_limit *l, struct str s)
{
	struct buf lower = BUF_INIT(STATUS_URL_MAX + 1);
	uint64_t h;

	for (size_t i = 0; i < s.n; i++)
		buf_put_char(&lower, ascii_lower(s.p[i]));
	h = hash64_seed(lower.p, lower.n, l->seed);
	buf_done(&lower);
	return h;
}

/* One mailbox has many names: the case of letters, dots, "+anything". What is
 * more than one mailbox elsewhere shares its number, for counting only. */
static uint64_t
name_of(const struct outbox_limit *l, const struct status_message *m)
{
	struct buf name = BUF_INIT(STATUS_URL_MAX + 1);
	ptrdiff_t at = str_rfind(m->to, '@');
	uint64_t h;

	if (m->channel != STATUS_BY_MAIL || at < 0)
		return hash_lower(l, m->to);
	for (ptrdiff_t i = 0; i < at && m->to.p[i] != '+'; i++)
		if (m->to.p[i] != '.')
			buf_put_char(&name, m->to.p[i]);
	buf_put_str(&name, str_from(m->to, (size_t)at));
	h = hash_lower(l, buf_str(&name));
	buf_done(&name);
	return h;
}

uint64_t
outbox_limit_domain(
    const struct outbox_limit *l, const struct status_message *m)
{
	struct str host;

	if (m->channel == STATUS_BY_MAIL)
		host = str_from(m->to, (size_t)(str_rfind(m->to, '@') + 1));
	else
		host = status_url_parts(m->to).host;
	return hash_lower(l, suffixes_organisation(l->suffixes, host));
}

bool
outbox_limit_count(struct outbox_limit *l, const struct status_message *m,
    uint64_t at_s, uint64_t now_s)
{
	if (at_s + DAY_S <= now_s)
		return false;
	l->slots[l->at++ % SLOTS] = (struct slot){ .who = name_of(l, m),
		.domain = outbox_limit_domain(l, m),
		.at_s = MIN(at_s, now_s),
		.is_confirm = m->purpose == STATUS_FOR_CONFIRM };
	return true;
}

enum outbox_limit_answer
outbox_limit_ask(const struct outbox_limit *l, const struct status_message *m,
    uint64_t now_s)
{
	bool is_confirm = m->purpose == STATUS_FOR_CONFIRM;
	uint64_t who = name_of(l, m), domain = outbox_limit_domain(l, m);
	unsigned n_who = 0, n_domain = 0, n = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *s = &l->slots[i];

		if (s->is_confirm != is_confirm || s->at_s + DAY_S <= now_s)
			continue;
		n++;
		n_who += s->who == who;
		n_domain += s->domain == domain;
	}
	if (n_who >= (is_confirm ? CONFIRM_MAX : OTHER_MAX))
		return OUTBOX_LIMIT_RECEIVER;
	if (n >= (is_confirm ? CONFIRM_ALL_MAX : OTHER_ALL_MAX) ||
	    (is_confirm && n_domain >= CONFIRM_DOMAIN_MAX))
		return OUTBOX_LIMIT_ALL;
	return OUTBOX_LIMIT_OK;
}
