/* SPDX-License-Identifier: ISC */
/*
 * spf_zone.h - a little DNS for tests of SPF: records in memory, CNAMEs
 * followed, time-outs where a record says so. Include it once a program.
 */
#pragma once

#include "../../test.h"
#include "proto/spf/spf.h"

#define ZONE_MAX 400
/* Type of a record that makes all other questions to its name fail. */
#define ZONE_TIMEOUT "TIMEOUT"

struct zone_record {
	const char *name;
	const char *type; /* of the DNS, or ZONE_TIMEOUT */
	struct str data;  /* as text */
};

struct zone {
	struct zone_record records[ZONE_MAX];
	size_t n;
};

static void
zone_add(struct zone *z, const char *name, const char *type, struct str data)
{
	ASSERT(z->n < ZONE_MAX);
	z->records[z->n++] = (struct zone_record){ name, type, data };
}

/* The bytes that a resolver hands out for the text. */
static struct str
zone_data(enum spf_type type, struct str text, struct spf_address *room)
{
	if (type != SPF_TYPE_A && type != SPF_TYPE_AAAA)
		return text;
	ASSERT(spf_address_parse(text, room));
	return str_make(room->bytes, room->is_v6 ? 16 : 4);
}

static const struct zone_record *
zone_find(const struct zone *z, struct str name, const char *type)
{
	for (size_t i = 0; i < z->n; i++)
		if (str_eq_case(name, str_c(z->records[i].name)) &&
		    strcmp(z->records[i].type, type) == 0)
			return &z->records[i];
	return NULL;
}

/* Where the CNAMEs end; a loop fails, as resolvers say. */
static bool
zone_follow(const struct zone *z, struct str *name)
{
	const struct zone_record *alias;

	for (int hops = 0; hops < 8; hops++) {
		alias = zone_find(z, *name, "CNAME");
		if (!alias)
			return true;
		*name = alias->data;
		if (str_ends(*name, STR(".")))
			name->n--;
	}
	return false;
}

static void
zone_answer(
    const struct zone *z, struct spf_check *c, const struct spf_question *q)
{
	const char *type = spf_type_str(q->type);
	static struct spf_address room[ZONE_MAX];
	static struct str records[ZONE_MAX];
	struct spf_answer a = { SPF_DNS_NONE, records, 0 };
	struct str name = q->name;

	if (!zone_follow(z, &name)) {
		a.status = SPF_DNS_FAILED;
		spf_answer(c, &a);
		return;
	}
	for (size_t i = 0; i < z->n; i++) {
		const struct zone_record *r = &z->records[i];

		if (!str_eq_case(name, str_c(r->name)) ||
		    strcmp(r->type, type) != 0)
			continue;
		a.status = SPF_DNS_FOUND;
		records[a.n] = zone_data(q->type, r->data, &room[a.n]);
		a.n++;
	}
	if (a.n == 0 && zone_find(z, name, ZONE_TIMEOUT))
		a.status = SPF_DNS_FAILED;
	spf_answer(c, &a);
}

/* The whole check; the caller frees it. */
static struct spf_check *
zone_check(const struct zone *z, const struct spf_request *request)
{
	struct spf_check *c = spf_start(request);
	struct spf_question q;

	while (spf_step(c, &q) == SPF_ASK)
		zone_answer(z, c, &q);
	return c;
}
