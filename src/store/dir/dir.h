/* SPDX-License-Identifier: ISC */
/*
 * dir.h - the directory: domains, users, aliases, verifiers of passwords.
 *
 * An address that comes in is, in this order: an alias or a user of exactly
 * that address; the same without "+tag"; the domain's catch-all. An alias
 * leads to one or several addresses, which may be aliases again.
 *
 * As in mail.h, what a call answers may not be durable yet: wait for
 * dir_position() before showing it. Account numbers are never used twice.
 */
#pragma once

#include "store/mail/mail.h"

#define DIR_DEPTH_MAX    10   /* aliases of aliases */
#define DIR_ACCOUNTS_MAX 1000 /* one address leads to */
#define DIR_PAGE         500  /* items of one list reply */
#define DIR_REMOVED_MAX  5000 /* removed users in a list */
#define DIR_VERIFIER_MAX KIB(1)

/*
 * The local part, in every domain, of the address to which others send
 * reports about it (DMARC, TLS, abuse). Without a user or alias of that name
 * it is accepted and led to nobody: the filter keeps what is in it.
 */
#define DIR_REPORTS "mail-reports"

struct dir;

struct dir_dkim_times {
	uint32_t wait_s;   /* a new key of a rotation is published for so long
	                    before it signs */
	uint32_t keep_s;   /* and an old one after it did */
	uint32_t rotate_s; /* one that signs for longer is old; 0: never */
	bool checks; /* none signs before DNS was seen to have its record */
};

/* What has become of a key by itself. */
enum dkim_turn {
	DKIM_TURN_SEEN = 1,  /* its record is in DNS, and was not before */
	DKIM_TURN_LOST = 2,  /* it is not, or another one, and was, or signs */
	DKIM_TURN_SIGNS = 4, /* it signs from now on */
};

struct dir_config {
	struct engine *engine;
	struct mail *mail;
	uint64_t (*now)(void *arg);
	void *arg;
	struct mail_quota quota; /* of a new user that is given none */
	uint32_t undelete_days;
	struct dir_dkim_times dkim;
	/* The keys that sign a domain's mail may be others; that may not be
	 * durable yet. May be NULL. */
	void (*keys_changed)(void *arg, struct str domain);
	/* For the log; may be NULL. found: enum dkim_found. */
	void (*key_turned)(void *arg, struct str domain, struct str selector,
	    enum dkim_turn turn, uint8_t found);
};

struct dir *dir_new(const struct dir_config *config);
void dir_free(struct dir *d);
void dir_set_limits(
    struct dir *d, struct mail_quota quota, uint32_t undelete_days);
void dir_set_dkim(struct dir *d, struct dir_dkim_times times);
uint64_t dir_position(const struct dir *d);

/* --- looking up --------------------------------------------------------------- */

/* The accounts that an address leads to, and the addresses of other servers
 * that an alias does, none twice. */
struct dir_accounts {
	uint64_t v[DIR_ACCOUNTS_MAX];
	size_t n;
	struct buf remote; /* n_remote vstrs (base/wire.h) */
	size_t n_remote;
	bool is_reports; /* it is the address for reports */
};
struct dir_accounts *dir_accounts_new(void);
void dir_accounts_free(struct dir_accounts *a);
/*
 * DONE; PERMFAIL REASON_NOT_LOCAL: not our domain; REASON_NAME: nor an address
 * that mail could be sent to; NOT_FOUND REASON_NO_USER;
 * PERMFAIL REASON_LOOP: aliases that lead nowhere but to each other;
 * TEMPFAIL: could not tell. Targets of an alias that no longer exist are left
 * out as long as one is there.
 */
struct verdict dir_resolve(
    struct dir *d, struct str address, struct dir_accounts *ret) WARN_UNUSED;
/* It is certainly of another server: dir_resolve() would say REASON_NOT_LOCAL. */
bool dir_is_remote(struct dir *d, struct str address) WARN_UNUSED;
/*
 * The same for mail that came from sender. A bounce (no sender) to an address
 * that we made for a forwarded message goes back to where that came from; to
 * everything else such an address does not exist.
 */
struct verdict dir_resolve_mail(struct dir *d, struct str address,
    struct str sender, struct dir_accounts *ret) WARN_UNUSED;
/*
 * The sender under which a message is forwarded, by an alias in the domain via
 * (ours), into to. Empty: it stays as it is, since it is ours (whose SPF
 * lists our servers), or none, or cannot be rewritten. sender is a mailbox as
 * SMTP writes it, and so is the answer.
 */
struct verdict dir_srs_forward(struct dir *d, struct str sender, struct str via,
    struct buf *to) WARN_UNUSED;
/* DONE when mail may be sent from the address by this account. */
struct verdict dir_owns(
    struct dir *d, uint64_t account, struct str address) WARN_UNUSED;
struct verdict dir_rcpt_check(
    struct dir *d, const struct msg_rcpt_check *q, struct buf *out) WARN_UNUSED;
struct verdict dir_verifier(struct dir *d, const struct msg_verifier_get *q,
    struct buf *out) WARN_UNUSED;
/* The key of the salts of users who do not exist; made at first use. */
#define DIR_SECRET_BYTES 32
struct verdict dir_salt_key(struct dir *d, struct buf *out) WARN_UNUSED;
/* The account of a login; NOT_FOUND REASON_NO_USER. */
struct verdict dir_account(
    struct dir *d, struct str login, uint64_t *ret) WARN_UNUSED;
/* DONE, or NOT_FOUND REASON_NO_DOMAIN. name is clean. */
struct verdict dir_has_domain(struct dir *d, struct str name) WARN_UNUSED;
/* The same of a name as strangers write it; one that cannot be a domain is none of
 * ours. */
struct verdict dir_domain_check(
    struct dir *d, const struct msg_name *q) WARN_UNUSED;
/* The login of an account, into out (emptied first); of one that is removed
 * for good: NOT_FOUND. */
struct verdict dir_login(
    struct dir *d, uint64_t account, struct buf *out) WARN_UNUSED;
/* Is this the account of a user who is not removed? */
struct verdict dir_has_account(struct dir *d, uint64_t account) WARN_UNUSED;

/* --- administration ------------------------------------------------------------- */

struct verdict dir_domain_add(
    struct dir *d, const struct msg_domain_add *q) WARN_UNUSED;
struct verdict dir_domain_list(
    struct dir *d, const struct msg_list *q, struct buf *out) WARN_UNUSED;
struct verdict dir_domain_remove(
    struct dir *d, const struct msg_name *q) WARN_UNUSED;
struct verdict dir_user_add(
    struct dir *d, const struct msg_user_add *q) WARN_UNUSED;
struct verdict dir_user_list(
    struct dir *d, const struct msg_list *q, struct buf *out) WARN_UNUSED;
struct verdict dir_user_passwd(
    struct dir *d, const struct msg_user_passwd *q) WARN_UNUSED;
struct verdict dir_user_quota(
    struct dir *d, const struct msg_user_quota *q) WARN_UNUSED;
struct verdict dir_user_remove(
    struct dir *d, const struct msg_name *q) WARN_UNUSED;
struct verdict dir_user_undelete(
    struct dir *d, const struct msg_name *q) WARN_UNUSED;
struct verdict dir_alias_add(
    struct dir *d, const struct msg_alias *q) WARN_UNUSED;
struct verdict dir_alias_list(
    struct dir *d, const struct msg_list *q, struct buf *out) WARN_UNUSED;
struct verdict dir_alias_remove(
    struct dir *d, const struct msg_name *q) WARN_UNUSED;

/* Keys of DKIM. In lists they are without the private part. */
struct verdict dir_dkim_add(
    struct dir *d, const struct msg_dkim_add *q) WARN_UNUSED;
struct verdict dir_dkim_change(
    struct dir *d, const struct msg_dkim_change *q) WARN_UNUSED;
struct verdict dir_dkim_list(
    struct dir *d, const struct msg_dkim_list *q, struct buf *out) WARN_UNUSED;
/* The private keys that sign for a domain now. */
struct verdict dir_dkim_keys(struct dir *d, const struct msg_dkim_keys_get *q,
    struct buf *out) WARN_UNUSED;
/* What is due of rotations, of a bounded number of domains. */
struct verdict dir_dkim_step(struct dir *d) WARN_UNUSED;
/*
 * A small step of counting the domains that sign with old keys (dkim_rotate_s): all of them
 * after the start, after changes, and once an hour.
 */
struct verdict dir_dkim_age_step(struct dir *d) WARN_UNUSED;
/* Their number, by the last walk. */
uint64_t dir_dkim_old(const struct dir *d);
/* Likewise of domains with keys that sign, or are to, and are not in DNS, or otherwise. */
uint64_t dir_dkim_unpublished(const struct dir *d);
/*
 * Append (a list of dkim_sought, DKIM_LOOK_MAX and DIR_LOOK_BYTES at most) the keys of a
 * bounded number of domains for which somebody is to look in DNS now. What he finds is told
 * by dir_dkim_saw(); if it is not, they come again later.
 */
#define DIR_LOOK_BYTES KIB(60)
struct verdict dir_dkim_look_step(struct dir *d, struct buf *to) WARN_UNUSED;
/* found: enum dkim_found. DONE as well when there is no such key any more. */
struct verdict dir_dkim_saw(
    struct dir *d, const struct msg_dkim_sought *q, uint8_t found) WARN_UNUSED;

/* A small step of removing the mail of users who are gone for good. */
struct verdict dir_purge_step(struct dir *d) WARN_UNUSED;
uint64_t dir_user_count(struct dir *d);

/* --- checking --------------------------------------------------------------------- */

/* The directory's own records, counts and links. */
struct verdict dir_check(struct dir *d, struct mail_check *check) WARN_UNUSED;
/* Is the account to be checked (not removed for good)? */
bool dir_is_checked(struct dir *d, uint64_t account);
