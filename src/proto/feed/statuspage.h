/* SPDX-License-Identifier: ISC */
/*
 * statuspage.h - the state of everything in the words of Statuspage's public
 * API (its /api/v2/), which many programs read already.
 *
 * A document is an object with "page" and other members, in this order of calls:
 * statuspage_begin(), then any of the others, then statuspage_end().
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

enum statuspage_state {
	STATUSPAGE_OPERATIONAL,
	STATUSPAGE_MAINTENANCE,
	STATUSPAGE_DEGRADED,
	STATUSPAGE_PARTIAL,
	STATUSPAGE_MAJOR,
	STATUSPAGE_STATES
};

struct statuspage_page {
	struct str id, name, url;
	uint64_t updated_s;
};

struct statuspage_component {
	struct str id, name, description;
	enum statuspage_state state;
	uint64_t created_s, updated_s;
	uint32_t position; /* from 1 on */
};

/* What became of one component by an update. */
struct statuspage_change {
	struct str id, name;
	enum statuspage_state before, after;
};

struct statuspage_update {
	uint32_t number;   /* of its incident's; 0: the first text */
	struct str status; /* "investigating" */
	struct str body;   /* plain text */
	uint64_t created_s, updated_s;
	const struct statuspage_change *changes;
	size_t n_changes;
};

struct statuspage_incident {
	uint32_t number;
	struct str name;
	struct str status;
	enum statuspage_state worst; /* of what it did to components */
	bool is_maintenance;
	uint64_t created_s, updated_s, monitoring_s, resolved_s; /* 0: null */
	uint64_t from_s, to_s; /* of maintenance */
	struct str url;
	const struct statuspage_update *updates; /* the newest first */
	size_t n_updates;
	const struct statuspage_component *components; /* that it affects */
	size_t n_components;
};

/* "operational", ..., as components have it. */
const char *statuspage_state_name(enum statuspage_state s);

void statuspage_begin(struct buf *to, const struct statuspage_page *p);
/* "status": the worst of all. description: in place of the usual one; empty: that
 * one. */
void statuspage_put_status(
    struct buf *to, enum statuspage_state worst, struct str description);
void statuspage_put_components(struct buf *to, const struct statuspage_page *p,
    const struct statuspage_component *v, size_t n);
/* The list name, "incidents" or "scheduled_maintenances", one at a time. */
struct statuspage_list {
	struct buf *to;
	const struct statuspage_page *page;
	size_t n;
};
void statuspage_list_begin(struct statuspage_list *l, struct buf *to,
    const struct statuspage_page *p, const char *name);
void statuspage_list_put(
    struct statuspage_list *l, const struct statuspage_incident *i);
void statuspage_list_end(struct statuspage_list *l);
void statuspage_end(struct buf *to);
