/* SPDX-License-Identifier: ISC */
/*
 * status_post.h - what the provider tells its customers: rows of the ledger's
 * table POST.
 *
 * The key is NNNNNNNN/SSSS in decimal: the number of the post, which never
 * changes and is never used again, and of its update. Row 0000 is the post itself,
 * and always says how things are now: who adds an update puts its row and row
 * 0000 in one LEDGER_PUT, on the condition that row 0000 is still what was read.
 *
 * A post is public when it has been published and that time has come; one
 * without such a time is a draft. Bodies are Markdown (base/markdown.h).
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_text.h"

#define STATUS_POST_MAX       99999999 /* the highest number */
#define STATUS_UPDATES_MAX    999      /* of one post */
#define STATUS_TITLE_MAX      STATUS_TEXT_MAX
#define STATUS_BODY_MAX       KIB(32) /* bytes of Markdown */
#define STATUS_AFFECTED_MAX   32
#define STATUS_TAGS_MAX       16
#define STATUS_CATEGORIES_MAX 8
#define STATUS_TAG_MAX        60
#define STATUS_SLUG_MAX       100
#define STATUS_LANGUAGE_MAX   12
#define STATUS_POST_KEY_LEN   13
/* Of an encoded row. */
#define STATUS_POST_ROW_MAX KIB(40)

enum status_post_kind {
	STATUS_INCIDENT,
	STATUS_NOTICE,
	STATUS_PLANNED, /* maintenance */
	STATUS_POSTMORTEM,
	STATUS_POST_KINDS
};

enum status_state {
	STATUS_STATE_NONE, /* of a notice or post-mortem */
	STATUS_INVESTIGATING,
	STATUS_IDENTIFIED,
	STATUS_MONITORING,
	STATUS_RESOLVED,
	STATUS_STATE_PLANNED,
	STATUS_IN_PROGRESS,
	STATUS_DONE,
	STATUS_STATES
};

/* The worst is the highest. */
enum status_impact {
	STATUS_IMPACT_NONE,
	STATUS_IMPACT_MAINTENANCE,
	STATUS_IMPACT_DEGRADED,
	STATUS_IMPACT_PARTIAL,
	STATUS_IMPACT_DOWN,
	STATUS_IMPACTS
};

struct status_affected {
	struct str system; /* an id; whether there is one is not known here */
	enum status_impact impact;
};

struct status_affects {
	size_t n;
	struct status_affected v[STATUS_AFFECTED_MAX];
};

struct status_post {
	enum status_post_kind kind;
	enum status_state state;
	struct str title, slug;
	struct str body;     /* Markdown */
	struct str author;   /* as shown; may be empty */
	struct str language; /* "en", "pt-BR" */
	/* Seconds since 1970; 0: none. */
	uint64_t created_s, published_s, edited_s;
	uint64_t changed_s; /* the last update or edit */
	uint64_t resolved_s;
	uint64_t next_update_s;
	uint64_t from_s, to_s; /* of planned work */
	uint32_t incident;     /* number of the post that this is about; 0 */
	uint32_t last_update;  /* number of the last one ever made; 0 */
	bool is_imported;      /* from an archive: nobody is told of it */
	bool is_quiet;         /* subscribers are not told */
	bool is_auto; /* the last word is the program's (status_auto.h) */
	struct status_affects affects; /* how it is now */
	size_t n_tags;
	struct str tags[STATUS_TAGS_MAX];
	size_t n_categories;
	struct str categories[STATUS_CATEGORIES_MAX];
};

struct status_update {
	enum status_state state; /* from then on */
	struct str body, author;
	uint64_t created_s, edited_s, next_update_s;
	bool is_quiet, is_auto;
	struct status_affects affects; /* from then on */
};

/* "incident", "notice", "maintenance", "post-mortem" */
const char *status_post_kind_name(enum status_post_kind k);
bool status_post_kind_parse(
    struct str word, enum status_post_kind *ret) WARN_UNUSED;
/* "none", "investigating", ..., "in-progress", "done" */
const char *status_state_name(enum status_state s);
bool status_state_parse(struct str word, enum status_state *ret) WARN_UNUSED;
/* Is it a state that posts of this kind can have? */
bool status_state_is_of(enum status_state s, enum status_post_kind k);
/* Those that posts of this kind can have, for people. */
const char *status_states_expected(enum status_post_kind k);
/* "none", "maintenance", "degraded", "partial", "down" */
const char *status_impact_name(enum status_impact i);
bool status_impact_parse(struct str word, enum status_impact *ret) WARN_UNUSED;

/* An incident that is not resolved, planned work that is not done. */
bool status_post_is_open(const struct status_post *p);
bool status_post_is_public(const struct status_post *p, uint64_t now_s);
/* The worst of all; and that of one system (NONE: it is not affected). */
enum status_impact status_affects_worst(const struct status_affects *a);
/* False: it is not named. */
bool status_affects_find(const struct status_affects *a, struct str system,
    enum status_impact *ret) WARN_UNUSED;
bool status_post_has_tag(const struct status_post *p, struct str tag);

/* Do the parts go together, and is each within its limits? */
bool status_post_is_sane(
    const struct status_post *p, struct status_fault *ret) WARN_UNUSED;
bool status_update_is_sane(const struct status_update *u,
    enum status_post_kind kind, struct status_fault *ret) WARN_UNUSED;

/* update 0 is the post itself. */
void status_post_put_key(struct buf *to, uint32_t number, uint32_t update);
bool status_post_key_parse(
    struct str key, uint32_t *ret_number, uint32_t *ret_update) WARN_UNUSED;

/*
 * The one row of number 0 (status_post_key_parse() does not take it) counts the
 * numbers that were given: a new post is put together with it, on the
 * condition that it is still what was read. So no number is given twice.
 */
#define STATUS_COUNTER_KEY "00000000/0000"
void status_counter_encode(uint32_t last, struct buf *to);
/* Empty: 0, for there was no post yet. */
bool status_counter_decode(struct str value, uint32_t *ret_last) WARN_UNUSED;

/* What is encoded is sane. Texts of what was decoded point into the value.
 * False: it is not sane, or of another version. */
void status_post_encode(const struct status_post *p, struct buf *to);
bool status_post_decode(struct str value, struct status_post *ret) WARN_UNUSED;
void status_update_encode(const struct status_update *u, struct buf *to);
bool status_update_decode(
    struct str value, struct status_update *ret) WARN_UNUSED;

/* UTF-8, no controls but line feed and tab, at most STATUS_BODY_MAX bytes. */
bool status_is_body(struct str s) WARN_UNUSED;
/* 1 to STATUS_TAG_MAX bytes of text without a comma, no space at its ends. */
bool status_is_tag(struct str s) WARN_UNUSED;
bool status_is_slug(struct str s) WARN_UNUSED;
bool status_is_language(struct str s) WARN_UNUSED;
/*
 * What a text is in a URL: letters a to z, digits, single dashes, at most
 * STATUS_SLUG_MAX bytes; accents of Latin letters are left out, everything else
 * is a dash. Nothing is put when nothing is left.
 */
void status_put_slug(struct buf *to, struct str text);
