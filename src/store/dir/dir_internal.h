/* SPDX-License-Identifier: ISC */
/*
 * dir_internal.h - what the files of store/dir share.
 */
#pragma once

#include "store/dir/address.h"
#include "store/dir/dir.h"
#include "store/dir/dir_record.h"

/* dkim_age.c: the walk through the keys that counts old and unpublished ones. */
struct dkim_ages {
	bool is_walking;
	bool is_due; /* something changed since the walk began */
	char after[DOMAIN_MAX];
	size_t n_after;
	uint64_t counted, counted_unpublished;
	uint64_t old, unpublished; /* domains, by the last whole walk */
	uint64_t next_at;          /* the walk after that */
};

struct dir {
	struct dir_config config;
	struct engine *engine;
	uint64_t position; /* of the last commit to the directory */
	struct dkim_ages ages;
};

#define DIR_SHARD ((struct engine_shard){ 'd', 0 })

/* A key: the kind and a name, or an account's number. */
struct dir_key {
	char b[ENGINE_KEY_MAX];
	size_t n;
};
struct dir_key dir_key(char kind, struct str name);
struct dir_key dir_key_account(char kind, uint64_t account);

static inline struct str
dir_key_str(const struct dir_key *k)
{
	return (struct str){ k->b, k->n };
}

static inline uint64_t
dir_now(const struct dir *d)
{
	return d->config.now(d->config.arg);
}

/* 1 found, 0 not there, or an engine error, also when it does not decode. */
int dir_get_domain(
    struct dir *d, struct str domain, struct domain_record *ret) WARN_UNUSED;
int dir_get_user(
    struct dir *d, struct str login, struct user_record *ret) WARN_UNUSED;
int dir_get_alias(
    struct dir *d, struct str address, struct alias_record *ret) WARN_UNUSED;

/* A change of the directory: a batch, and a scratch buffer for values. */
struct dir_change {
	struct dir *d;
	struct engine_batch *b;
	struct buf val;
};
struct dir_change dir_change_begin(struct dir *d);
void dir_change_put(struct dir_change *c, struct dir_key key);
void dir_change_del(struct dir_change *c, struct dir_key key);
/* Either of them ends the change. */
struct verdict dir_change_commit(struct dir_change *c) WARN_UNUSED;
void dir_change_abort(struct dir_change *c);

/* PERMFAIL REASON_EXISTS when a user or an alias has that address. */
struct verdict dir_is_free(struct dir *d, struct str address) WARN_UNUSED;
/* As dir_resolve(), for an address that is a target at that depth. */
struct verdict dir_resolve_from(struct dir *d, struct str address,
    unsigned depth, struct dir_accounts *ret) WARN_UNUSED;
/* Change the counters of the domain by so many, into the batch. */
struct verdict dir_count(struct dir_change *c, struct str domain, int users,
    int aliases) WARN_UNUSED;

/* Give the keys of a domain that is being added into the batch, or take those
 * of one that is being removed with it. */
struct verdict dir_dkim_first(
    struct dir_change *c, struct str domain, struct str keys) WARN_UNUSED;
struct verdict dir_dkim_drop(
    struct dir_change *c, struct str domain) WARN_UNUSED;
/* A change of its keys was committed: tell who uses them. */
void dir_dkim_changed(struct dir *d, struct str domain);

/* Key bytes that are made once, DIR_SECRET_BYTES of them. */
struct verdict dir_secret(
    struct dir *d, const char *name, uint8_t *ret) WARN_UNUSED;
/* Append where a bounce to that address goes back to: local@domain. NOT_FOUND:
 * it is none of ours, forged, or too old. */
struct verdict dir_srs_reverse(
    struct dir *d, struct str address, struct buf *to) WARN_UNUSED;

/* A page of a list: names of a kind of key after one. */
struct dir_page {
	struct dir_item {
		char *name;
		char *val;
		size_t val_n;
	} * v;
	size_t n, cap, max;
	struct str filter;
	bool has_more;
};
struct verdict dir_page_read(struct dir *d, char kind, struct str after,
    struct dir_page *page) WARN_UNUSED;
void dir_page_done(struct dir_page *page);
