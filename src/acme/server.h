/* SPDX-License-Identifier: ISC */
/*
 * server.h - the state of role acme, and who of its files does what:
 *
 *   files.c      its folder: keys, certificates, orders under way
 *   call.c       one signed request to the authority, nonces, the directory
 *   account.c    our account there
 *   challenge.c  what role web has to answer
 *   order.c      one order, from its beginning to the certificate
 *   hosts.c      the lines of acme.hosts: which is due, and what came of it
 *   list.c       answers to the command line
 *
 * One order is under way at a time, and one request of it: an authority is not
 * to be hurried, and a provider's thousand certificates are not due on one day.
 */
#pragma once

#include "base/log.h"
#include "base/secret.h"
#include "conf/conf.h"
#include "net/http_client.h"
#include "net/resolver.h"
#include "proc/runtime.h"
#include "proto/acme/acme.h"

struct account;
struct calls;
struct challenges;
struct hosts;
struct order;

struct server {
	struct runtime *rt;
	struct loop *loop;
	struct conf *conf;
	char *path; /* DATA/acme */
	int dir;
	struct secret binding; /* acme.external_account, as it was read */
	struct resolver *resolver;
	struct tls_context *tls; /* as a client */
	struct http_client *http;
	struct calls *calls;
	struct account *account;
	struct challenges *challenges;
	struct hosts *hosts;
	bool is_stopping;
};

/* Why something did not come to its end. */
#define FAILURE_TEXT_MAX 1500
struct failure {
	char text
	    [FAILURE_TEXT_MAX]; /* the authority's words where it has some */
	bool is_limited;        /* we asked for too much */
	uint32_t retry_after_s; /* what it asks for; 0: nothing */
};
void failure_set(struct failure *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* f: NULL when all is well; valid during the call. */
typedef void (*failure_fn)(void *arg, const struct failure *f);

/* --- files.c --------------------------------------------------------------------- */

/* Open the folder and make what is missing in it. 0 or -errno. */
int files_open(struct server *sv) WARN_UNUSED;
/* The key of the account at the authority with this directory; made when there
 * is none. 0 or -errno. */
int files_account_key(struct server *sv, const char *directory,
    struct es256_key **ret) WARN_UNUSED;
/* The certificate of a line of acme.hosts, when it is whole. Either may be NULL;
 * certificate_facts_done(), secret_done(). */
bool files_certificate(struct server *sv, const char *host,
    struct certificate_facts *ret, struct secret *ret_key) WARN_UNUSED;
/* Both files at once, durably: 0 or -errno. */
int files_save(struct server *sv, const char *host, struct str chain,
    struct str key) WARN_UNUSED;

/* An order that is under way: its address, for which names, with which key. */
struct files_order {
	char url[ACME_URL_MAX + 1];
	char *names; /* lines; the heap's */
	struct secret key;
};
void files_order_done(struct files_order *o);
bool files_order_read(
    struct server *sv, const char *host, struct files_order *ret) WARN_UNUSED;
bool files_order_is_there(struct server *sv, const char *host);
int files_order_write(struct server *sv, const char *host,
    const struct files_order *o) WARN_UNUSED;
void files_order_drop(struct server *sv, const char *host);

/* --- call.c ------------------------------------------------------------------------ */

struct calls *calls_new(struct server *sv);
/* Another authority: its directory and nonces are not this one's. */
void calls_reset(struct calls *c);

/* Valid during the call. */
struct call_result {
	const struct failure *failure; /* NULL: 2xx */
	const struct acme_problem
	    *problem; /* NULL: it did not answer with one */
	struct str body, location;
	uint32_t retry_after_s; /* 0: none */
};
typedef void (*call_fn)(void *arg, const struct call_result *r);

/* The directory is known: before anything else. */
void call_open(struct server *sv, failure_fn fn, void *arg);
/* Good after call_open(). */
const struct acme_directory *call_directory(const struct server *sv);

struct call_request {
	const char *url;
	struct str payload; /* copied; empty: POST-as-GET */
	bool is_by_key;     /* signed with the key itself: new accounts */
	size_t reply_max;   /* 0: ACME_BODY_MAX */
};
/* One at a time. fn runs once, from the loop. */
void call_post(struct server *sv, const struct call_request *request,
    call_fn fn, void *arg);
/* What is under way is forgotten: its fn does not run. */
void call_cancel(struct server *sv);

/* --- account.c ---------------------------------------------------------------------- */

/* For the authority of the configuration: 0 or -errno. */
int account_load(struct server *sv) WARN_UNUSED;
const struct es256_key *account_key(const struct server *sv);
/* Its address; empty: it is not known. */
struct str account_url(const struct server *sv);
/* The account is there: found, or made. */
void account_ensure(struct server *sv, failure_fn fn, void *arg);
/* The authority says that it does not exist. */
void account_forget(struct server *sv);

/* --- challenge.c -------------------------------------------------------------------- */

struct challenges *challenges_new(struct server *sv);
/* A process of role web is there, or gone. */
void challenges_peer(struct challenges *c, struct ipc_peer *p);
void challenges_peer_gone(struct challenges *c, const struct ipc_peer *p);

/* All of role web answer for it from when fn runs without a failure, until
 * challenges_drop(). At most ACME_NAMES_MAX, one after the other. */
void challenge_put(struct server *sv, enum acme_kind kind, const char *host,
    const char *token, failure_fn fn, void *arg);
/* All of them, also one that fn still waits for. */
void challenges_drop(struct server *sv);

/* --- order.c ------------------------------------------------------------------------- */

struct order_config {
	const char *host;       /* first of names */
	const char *names;      /* lines */
	bool kinds[ACME_KINDS]; /* that can be answered */
	enum acme_kind first;   /* the one to try */
	bool has_new_key;
	/* What is being done, for people; the text is ours. */
	void (*step)(void *arg, const char *text);
	failure_fn done; /* the last call; the certificate is in use */
	void *arg;
};
struct order *order_start(struct server *sv, const struct order_config *config);
/* Neither step() nor done() any more. */
void order_cancel(struct order *o);

/* --- hosts.c -------------------------------------------------------------------------- */

struct hosts *hosts_new(struct server *sv);
/* The configuration changed, or is there for the first time. */
void hosts_configure(struct hosts *h);
/* Look what is due. */
void hosts_wake(struct hosts *h);
void hosts_stop(struct hosts *h);
size_t hosts_count(const struct hosts *h);
/* Texts point into h. */
void hosts_row(const struct hosts *h, size_t i, struct msg_acme_row *ret);
/* Obtain it now, or all (empty). False: there is no such line. */
bool hosts_renew(
    struct hosts *h, struct str host, bool has_new_key) WARN_UNUSED;

/* --- list.c ---------------------------------------------------------------------------- */

/* A request of the command line. False: it is malformed. */
bool list_request(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;
