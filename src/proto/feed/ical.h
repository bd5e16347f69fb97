/* SPDX-License-Identifier: ISC */
/*
 * ical.h - planned work as a calendar (RFC 5545).
 *
 * Times are in UTC, so that no definition of a time zone is needed. Lines are
 * folded at 75 bytes, never inside of a character (section 3.1).
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"

struct ical_event {
	struct str uid; /* the same for ever; as an address: "x@example.org" */
	uint32_t sequence; /* larger with each change */
	struct str summary;
	struct str description, url; /* may be empty */
	struct str location;         /* may be empty */
	uint64_t from_s, to_s;
	uint64_t changed_s; /* of what it says: DTSTAMP */
	uint64_t every_s;   /* 0: once */
	bool is_cancelled;
};

/* Append to to, whose failed flag says whether it fits. name: as calendars show
 * it. */
void ical_begin(struct buf *to, struct str name);
void ical_put(struct buf *to, const struct ical_event *e);
void ical_end(struct buf *to);
