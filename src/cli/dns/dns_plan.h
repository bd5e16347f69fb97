/* SPDX-License-Identifier: ISC */
/*
 * dns_plan.h - what has to change in a zone so that mail of a domain works.
 *
 * Compares sets of records (all of one name and type) that are wanted with
 * those that the primary name server has. What somebody else put there stays:
 * a foreign MX, SPF or DMARC record is left and reported, unless the operator
 * says that it shall be replaced. Ours, and so replaced or removed, is what an
 * update sent before, and whatever stands at the name of a DKIM key of ours.
 *
 * Pure: no I/O.
 */
#pragma once

#include "cli/dns/dns_records.h"
#include "proto/dnsupdate/dnsupdate_message.h"

#define DNS_SET_MAX 256 /* live records of a set that are looked at */
#define DNS_TTL     3600

/* Data of records; each is on the heap. */
struct dns_list {
	struct str *v;
	size_t n, cap;
};
void dns_list_add(struct dns_list *l, struct str data);
bool dns_list_has(const struct dns_list *l, struct str data);
void dns_list_done(struct dns_list *l);

struct dns_set {
	char *name; /* text */
	enum dns_type type;
	/* What is wanted: pointers to records, and their data. Nothing, of a
	 * set that was wanted before. */
	const struct dns_record **wanted;
	size_t n_wanted, cap_wanted;
	struct dns_list data;
	struct dns_list ours; /* what updates sent before */
	const char *skipped;  /* not touched, and why (static); NULL */

	/* As the primary has it. */
	struct dns_list live;
	uint32_t ttl;
	bool is_alias; /* the name has a CNAME, of which live says nothing */
	bool has_addresses; /* the name has A or AAAA records */

	/* Made by dns_plan_set(). */
	struct dns_list add, remove;
	bool is_left;   /* something wanted is not there and will not be */
	struct buf why; /* then: for people */
};

struct dns_plan {
	struct dns_set *v;
	size_t n, cap;
};

/* The set of name and type, made when it is not there. */
struct dns_set *dns_plan_get(
    struct dns_plan *p, struct str name, enum dns_type type);
/* Add a wanted record, which outlives the plan. False when its value cannot
 * be encoded. */
bool dns_plan_want(
    struct dns_plan *p, const struct dns_record *rec) WARN_UNUSED;
/* Forget what is live, and what follows from it. */
void dns_set_reset(struct dns_set *s);
void dns_plan_done(struct dns_plan *p);

/* Compare: fills add, remove, is_left and why. */
void dns_plan_set(struct dns_set *s, bool may_replace);
bool dns_set_changes(const struct dns_set *s);
/* How many sets change. */
size_t dns_plan_changes(const struct dns_plan *p);

/* The changes of all sets as one update, each under the condition that what
 * was seen is still so. */
void dns_plan_put(const struct dns_plan *p, struct dnsupdate *u);
