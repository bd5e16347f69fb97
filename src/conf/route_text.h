/* SPDX-License-Identifier: ISC */
/*
 * route_text.h - one route of outgoing mail, as it is written in the
 * configuration and given to 'mailstead route add':
 *
 *   PATTERN WAY [or WAY]... [then WAY [or WAY]...]...
 *
 *   PATTERN  example.com       recipients of this domain
 *            .example.com      and of all domains below it; also *.example.com
 *            from:example.com  senders of this domain; also with a dot
 *            from:a@example.com  this sender
 *            account:a@example.com  who signed in as that, whatever the sender
 *            mx:mx.example.com recipients whose domain has this MX host, and
 *            mx:.example.com   one below this name
 *            group:NAME        whose best MX host is a provider's
 *                              (proto/provider)
 *            *                 everybody
 *            fallback          nobody; its ways stand behind those of every
 *                              other route, and of mail without one
 *   WAY      TARGET[,TARGET...] [OPTION...]
 *   TARGET   direct            the MX hosts of the domain
 *            hold              nowhere: it waits in the queue
 *            host:port         192.0.2.1:25 or [2001:db8::1]:25; several: in
 *                              this order
 *   OPTION   tls=may|must|verify|never|implicit  (may)
 *            source=ADDRESS    come from this address of ours; one of each
 *                              family. With one, only its family is used
 *            helo=NAME         our name in EHLO, for these addresses
 *            helo4=NAME, helo6=NAME  the same for connections of one family
 *            weight=N          1 to 1000 (100): among ways joined by "or"
 *            user=LOGIN        sign in; the password is kept apart
 *            cleartext=yes     sign in without TLS, too
 *            spf=ignore        a fall-back for all senders, whatever their SPF
 *                              records say
 *
 * Ways joined by "or" are chosen from by weight; those behind "then" are for
 * mail that none of those before takes.
 *
 * Pure: no I/O, nothing is allocated; strings point into the text.
 */
#pragma once

#include "base/str.h"

#define ROUTE_TEXT_MAX    1000
#define ROUTE_TARGETS_MAX 8 /* of one way */
#define ROUTE_WAYS_MAX    8 /* of one route */
#define ROUTE_LOGIN_MAX   320
#define ROUTE_WEIGHT      100

enum route_pattern {
	ROUTE_ANY,
	ROUTE_DOMAIN,
	ROUTE_SENDER,
	ROUTE_ADDRESS,
	ROUTE_ACCOUNT,
	ROUTE_MX,
	ROUTE_GROUP,
	ROUTE_FALLBACK,
};

enum route_target_kind {
	ROUTE_DIRECT,
	ROUTE_HOLD,
	ROUTE_RELAY,
};

enum route_tls {
	ROUTE_TLS_MAY,
	ROUTE_TLS_MUST,
	ROUTE_TLS_NEVER,
	ROUTE_TLS_IMPLICIT,
	ROUTE_TLS_VERIFY, /* a good certificate with the relay's name */
};

struct route_target {
	struct str host; /* a name, or an address without brackets */
	uint16_t port;
};

struct route_way {
	enum route_target_kind kind;
	struct route_target targets[ROUTE_TARGETS_MAX]; /* of ROUTE_RELAY */
	size_t n_targets;
	enum route_tls tls;
	uint16_t order; /* 0, and one more behind each "then" */
	uint16_t weight;
	struct str source4, source6; /* empty: the configuration's */
	struct str helo;             /* empty: the configuration's */
	struct str helo4, helo6;     /* before helo; empty: that */
	struct str login;            /* empty: no sign-in */
	bool allows_cleartext;
	bool ignores_spf;
};

struct route {
	enum route_pattern pattern;
	struct str name; /* "example.com"; empty for ANY and FALLBACK */
	bool is_suffix;  /* names below it, not itself */
	struct route_way ways[ROUTE_WAYS_MAX];
	size_t n_ways; /* at least one */
};

/* A name of ours in EHLO: a host name in ASCII, or an address literal. */
bool route_is_helo(struct str s);
/* False when text is not one; *ret is untouched then. */
bool route_text_parse(struct str text, struct route *ret) WARN_UNUSED;
/* The same; why not, for people (a literal), NULL when it is one. */
const char *route_text_check(struct str text, struct route *ret) WARN_UNUSED;
/* Do they say the same, whatever the blanks, cases, order of options and texts of
 * addresses that they are written with? (route_same.c) */
bool route_is_same(const struct route *a, const struct route *b) WARN_UNUSED;
/* Only the pattern, which ends at the first blank: for tables of routes. */
bool route_text_pattern(struct str text, struct route *ret) WARN_UNUSED;
