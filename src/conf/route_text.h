/* SPDX-License-Identifier: ISC */
/*
 * route_text.h - one static route of outgoing mail, as it is written in the
 * configuration: PATTERN TARGET[,TARGET...] [OPTION...]
 *
 *   PATTERN  example.com       recipients of this domain
 *            .example.com      and of all domains below it
 *            from:example.com  senders of this domain; also with a dot
 *            mx:mx.example.com recipients whose domain has this MX host, and
 *            mx:.example.com   one below this name
 *            *                 everybody
 *   TARGET   direct            the MX hosts of the domain
 *            hold              nowhere: it waits in the queue
 *            host:port         192.0.2.1:25 or [2001:db8::1]:25
 *   OPTION   tls=may|must|never|implicit  (may)
 *
 * Pure: no I/O, nothing is allocated; strings point into the text.
 */
#pragma once

#include "base/str.h"

#define ROUTE_TEXT_MAX    1000
#define ROUTE_TARGETS_MAX 8

enum route_pattern {
	ROUTE_ANY,
	ROUTE_DOMAIN,
	ROUTE_SENDER,
	ROUTE_MX,
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
};

struct route_target {
	enum route_target_kind kind;
	struct str host; /* a name, or an address without brackets */
	uint16_t port;
};

struct route {
	enum route_pattern pattern;
	struct str name; /* "example.com"; empty for ROUTE_ANY */
	bool is_suffix;  /* names below it, not itself */
	struct route_target targets[ROUTE_TARGETS_MAX];
	size_t n_targets;
	enum route_tls tls;
};

/* False when text is not one; *ret is untouched then. */
bool route_text_parse(struct str text, struct route *ret) WARN_UNUSED;
