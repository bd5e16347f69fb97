/* SPDX-License-Identifier: ISC */
/*
 * mx.c - order the hosts of a domain. See mx.h.
 */
#include "proto/mx/mx.h"

static uint64_t
next_random(uint64_t *seed)
{
	/* splitmix64: any seed will do, zero too. */
	uint64_t z = *seed += 0x9E3779B97F4A7C15U;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
	return z ^ (z >> 31);
}

static void
shuffle(struct mx_record *r, size_t n, uint64_t seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = next_random(&seed) % i;
		struct mx_record tmp = r[i - 1];

		r[i - 1] = r[j];
		r[j] = tmp;
	}
}

/* Stable, so that what was shuffled stays so; there are few. */
static void
sort(struct mx_record *r, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct mx_record tmp = r[i];
		size_t j = i;

		for (; j > 0 && r[j - 1].preference > tmp.preference; j--)
			r[j] = r[j - 1];
		r[j] = tmp;
	}
}

static bool
is_listed(const struct mx_list *list, const char *host)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->hosts[i], host) == 0)
			return true;
	return false;
}

static void
add(struct mx_list *list, const struct mx_record *r)
{
	if (list->n == MX_HOSTS_MAX || is_listed(list, r->host))
		return;
	list->preferences[list->n] = r->preference;
	snprintf(list->hosts[list->n++], MX_NAME_MAX + 1, "%s", r->host);
}

/* How many records stand before us and all our equals. */
static size_t
before_self(const struct mx_record *r, size_t n, struct str self)
{
	for (size_t i = 0; i < n; i++) {
		if (!str_eq_case(str_c(r[i].host), self))
			continue;
		for (size_t j = 0; j < n; j++)
			if (r[j].preference >= r[i].preference)
				return j;
	}
	return n;
}

enum mx_result
mx_order(struct mx_record *records, size_t n, struct str domain,
    struct str self, uint64_t seed, struct mx_list *ret)
{
	struct mx_list list = { 0 };
	size_t usable;

	n = MIN(n, MX_RECORDS_MAX);
	if (n == 0) {
		if (str_eq_case(domain, self))
			return MX_LOOP;
		list.n = 1;
		snprintf(list.hosts[0], sizeof(list.hosts[0]), "%.*s",
		    STR_ARG(domain));
		*ret = list;
		return MX_OK;
	}
	shuffle(records, n, seed);
	sort(records, n);
	usable = before_self(records, n, self);
	if (usable == 0)
		return MX_LOOP;
	for (size_t i = 0; i < usable; i++) {
		/* A root among others means nothing (RFC 7505 section 3). */
		if (records[i].host[0] != '\0')
			add(&list, &records[i]);
	}
	if (list.n == 0)
		return MX_NULL;
	*ret = list;
	return MX_OK;
}

static bool
is_before(const struct mx_list *list, size_t a, size_t b)
{
	if (list->preferences[a] != list->preferences[b])
		return list->preferences[a] < list->preferences[b];
	return strcmp(list->hosts[a], list->hosts[b]) < 0;
}

void
mx_key(const struct mx_list *list, struct buf *to)
{
	size_t order[MX_HOSTS_MAX];

	for (size_t i = 0; i < list->n; i++) {
		size_t j = i;

		for (; j > 0 && is_before(list, i, order[j - 1]); j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	/* Ranks, not numbers: 10, 20 and 1, 2 mean the same. */
	for (size_t i = 0; i < list->n; i++) {
		size_t k = order[i];
		bool is_worse = i > 0 && list->preferences[k] !=
		                             list->preferences[order[i - 1]];

		if (i > 0)
			buf_put_char(to, is_worse ? '>' : ',');
		buf_put_c(to, list->hosts[k]);
	}
}
