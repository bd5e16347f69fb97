/* SPDX-License-Identifier: ISC */
/*
 * resolver.h - DNS look-ups, with DNSSEC. The one wrapper of libunbound.
 *
 * The library resolves and validates in a thread of its own; answers come back
 * in the loop's thread. A name that does not exist, one without such records, a
 * server that does not answer and an answer that was forged are four different
 * things here: mail is lost where they are mixed up.
 *
 * What was answered a moment ago comes from dns_cache.h.
 *
 * When no server answers, the library goes on for minutes before it says so. Who
 * cannot wait for that says how long it may take, and looks beforehand whether
 * servers are silent.
 */
#pragma once

#include "base/buf.h"
#include "net/loop.h"

#include <sys/socket.h>

#define DNS_NAME_MAX 255
/* Records of one answer that are handed out. */
#define DNS_RECORDS_MAX 256

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_TLSA = 52,
};

enum dns_status {
	DNS_FOUND,    /* at least one record */
	DNS_NO_NAME,  /* the name does not exist */
	DNS_NO_DATA,  /* it exists, without records of this type */
	DNS_TEMPFAIL, /* could not tell */
	DNS_BOGUS,    /* DNSSEC says that the answer is not genuine */
};

struct dns_answer {
	enum dns_status status;
	bool is_secure;         /* validated; also of NO_NAME and NO_DATA */
	bool is_alias;          /* the name has a CNAME */
	const struct str *data; /* record data in wire format */
	size_t n;
	uint32_t ttl; /* seconds; 0 when there is none */
	/* Of FOUND that is secure: when its signature ends; 0: that is not known. */
	uint64_t signed_until_s;
	const char *name; /* of the records, at the end of all CNAMEs */
	const char *why;  /* for people, when status is TEMPFAIL or BOGUS */
};

struct resolver;
struct resolver_query;

struct resolver_config {
	struct loop *loop;
	/* Ask these: "192.0.2.53", "2001:db8::53", "192.0.2.53@5353". None: ask
	 * the servers of the root, and so on. */
	const char *const *servers;
	size_t n_servers;
	/* Resource records of trust anchors as text, one a line, comments
	 * allowed (/usr/share/dns/root.key). Empty: nothing is validated. */
	struct str trust_anchors;
};

/* Before the sandbox, which the library's thread then inherits: 0, or -EINVAL
 * with *ret_error (heap). */
int resolver_new(const struct resolver_config *config, struct resolver **ret,
    char **ret_error) WARN_UNUSED;
/* All queries are forgotten. */
void resolver_free(struct resolver *r);

/* Runs once, from the loop; the answer is valid during the call. */
typedef void (*resolver_fn)(void *arg, const struct dns_answer *a);
/* name: ASCII, without or with a dot at its end. */
struct resolver_query *resolver_ask(struct resolver *r, const char *name,
    enum dns_type type, resolver_fn fn, void *arg);
/*
 * The same, but fn hears DNS_TEMPFAIL when there is no answer within that time
 * (0: as long as it takes). The question goes on without it: its answer is known to
 * who asks next.
 */
struct resolver_query *resolver_ask_within(struct resolver *r, const char *name,
    enum dns_type type, uint64_t limit_ms, resolver_fn fn, void *arg);
/* For so long somebody has been asked, and nobody has answered anything. */
bool resolver_is_silent(const struct resolver *r, uint64_t ms);
/* fn will not run. Not after fn ran, or within it. */
void resolver_cancel(struct resolver_query *q);

/*
 * Read record data. False when it is malformed. Names are in lower case,
 * without a dot at the end; "" is the root. A name with a byte in it that no
 * host name has is malformed.
 */
bool dns_read_mx(struct str data, uint16_t *ret_preference,
    char ret_host[DNS_NAME_MAX + 1]) WARN_UNUSED;
/* The data of a CNAME or PTR record. */
bool dns_read_name(
    struct str data, char ret_name[DNS_NAME_MAX + 1]) WARN_UNUSED;
/* Append the strings of a TXT record as one (RFC 7208 section 3.3). */
void dns_join_txt(struct str data, struct buf *to);
bool dns_read_srv(struct str data, uint16_t *ret_port,
    char ret_host[DNS_NAME_MAX + 1]) WARN_UNUSED;
/* An A or AAAA record as a socket address. */
bool dns_read_address(enum dns_type type, struct str data, uint16_t port,
    struct sockaddr_storage *ret) WARN_UNUSED;
