/* SPDX-License-Identifier: ISC */
/*
 * dkim_record.h - the DKIM keys of a domain as the directory keeps them.
 *
 * All keys of a domain are one record, so that a rotation, which makes one key
 * active and retires another one, is one change. The keys' own bytes are
 * opaque here: whoever made them says what is to be published. Pure; decoders
 * check everything.
 */
#pragma once

#include "base/wire.h"

#define DKIM_KEYS_MAX         12 /* of one domain */
#define DKIM_SELECTOR_MAX     63
#define DKIM_PEM_MAX          4096 /* bytes; 4096 bits of RSA need 3300 */
#define DKIM_KEY_RECORD_MAX   1024 /* of the text that is published */
#define DKIM_RECORD_BYTES_MAX KIB(64)

struct dkim_entry {
	struct str selector;
	uint8_t kind;        /* enum crypt_kind */
	uint8_t state;       /* enum dkim_state */
	uint64_t created;    /* times in seconds since 1970; 0: never */
	uint64_t changes_at; /* active or removed by itself then */
	uint64_t activated;
	uint64_t retired;
	uint8_t found;     /* enum dkim_found: what DNS has of the record, */
	uint64_t looked;   /* as it said then; 0: it has not said anything */
	uint64_t seen;     /* since when the record is there; 0: it is not */
	uint64_t look_at;  /* look again then; 0: never */
	struct str record; /* the TXT record */
	struct str pem;    /* the private key */
};

struct dkim_record {
	struct dkim_entry v[DKIM_KEYS_MAX];
	size_t n;
};

/* Is it within the limits, with a selector that can be a name in DNS? */
bool dkim_entry_is_valid(const struct dkim_entry *e);
void dkim_record_encode(struct buf *b, const struct dkim_record *r);
/* Strings point into val; on false *ret is undefined. */
bool dkim_record_decode(struct str val, struct dkim_record *ret) WARN_UNUSED;

/* NULL when there is none. */
struct dkim_entry *dkim_record_find(struct dkim_record *r, struct str selector);
/* When something is to be done next, besides looking; 0: never. */
uint64_t dkim_record_due(const struct dkim_record *r);
/* When to look next what DNS has of a key; 0: never. */
uint64_t dkim_record_look_at(const struct dkim_record *r);
/*
 * Let entry i sign. What signed with that kind of key before stays published
 * for keep_s seconds: its signatures are still under way.
 */
void dkim_record_activate(
    struct dkim_record *r, size_t i, uint64_t now, uint32_t keep_s);
void dkim_record_remove(struct dkim_record *r, size_t i);
/* Does any key of this kind sign? */
bool dkim_record_signs(const struct dkim_record *r, uint8_t kind);
/* Will it sign by itself? */
bool dkim_entry_is_next(const struct dkim_entry *e);
/* Will any of this kind? */
bool dkim_record_has_next(const struct dkim_record *r, uint8_t kind);
/* Entry i signs for rotate_s seconds or longer (0: whatever its age, it is not old), and no
 * rotation that is under way brings another one of its kind. */
bool dkim_record_is_old(
    const struct dkim_record *r, size_t i, uint64_t now, uint32_t rotate_s);
/* Do what is due, the earliest first. checks: nothing signs unseen, so a key whose time has
 * come is looked for. True when that was anything. */
bool dkim_record_advance(
    struct dkim_record *r, uint64_t now, uint32_t keep_s, bool checks);
