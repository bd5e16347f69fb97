/* SPDX-License-Identifier: ISC */
/*
 * alert_text.h - what operators are told, in words and as JSON.
 *
 * Pure: facts go in, texts come out.
 */
#pragma once

#include "base/buf.h"
#include "proto/watch/watch_alert.h"

struct alert_facts {
	enum watch_told now, before;
	bool is_new;
	bool
	    is_removed; /* nobody watches it any more: now is fine, but not known */
	uint32_t incident;
	struct str check;  /* "box/smtp" */
	struct str system; /* "Box" */
	struct str role;   /* "Mail server" */
	struct str place;  /* "Lusaka, Zambia"; may be empty */
	struct str kind, target;
	struct str reason;   /* why it was decided */
	struct str found;    /* by the last probe; of the other side, too */
	struct str silenced; /* other checks, "a, b and 3 more"; may be empty */
	struct str site;     /* URL of the status page; may be empty */
	enum watch_cause cause;
	uint64_t since_ms;  /* of what is now; wall clock */
	uint64_t bad_ms;    /* when the incident began; 0: not known */
	uint32_t outages;   /* of the incident, with this one; 0: not known */
	uint64_t outage_ms; /* when this one began */
	uint64_t at_ms;
};

/* "fine", "down", "unstable", "degraded" */
const char *alert_told_name(enum watch_told t);
/* "UP", "DOWN", as it stands in front of subjects */
const char *alert_tag(enum watch_told t, bool is_removed);
void alert_subject(const struct alert_facts *f, struct buf *to);
/* In front of the key of a message: what is wrong, well again, not watched any more. */
#define ALERT_KEY_BAD     "a/"
#define ALERT_KEY_WELL    "w/"
#define ALERT_KEY_REMOVED "r/"
const char *alert_key_prefix(const struct alert_facts *f);
/* Lines with LF. */
void alert_body(const struct alert_facts *f, struct buf *to);
/* Parts of that: "box/smtp is down since ...", and "NAME:   VALUE", unless it is empty. */
void alert_first_line(const struct alert_facts *f, struct buf *to);
void alert_put_line(struct buf *to, const char *name, struct str value);
void alert_json(const struct alert_facts *f, const char *id, struct buf *to);

/* "2026-11-30 08:12:03 UTC"; JSON: "2026-11-30T08:12:03Z" */
void alert_time(struct buf *to, uint64_t ms, bool is_json);
/* "2 h 5 min", "40 s" */
void alert_duration(struct buf *to, uint64_t ms);
