/* SPDX-License-Identifier: ISC */
/*
 * dns_update.h - mailstead dns DOMAIN --update: send the records that a domain
 * needs to its primary name server (RFC 2136, signed as RFC 8945 says).
 */
#pragma once

#include "cli/admin.h"
#include "cli/dns/dns_records.h"

struct dns_update_options {
	const char *key_file;
	const char *server; /* NULL: the primary that the SOA record names */
	bool is_dry;        /* say what would be done, do nothing */
	bool may_replace;   /* what others put there */
	bool has_web;       /* a web server answers for the domain */
	uint32_t wait_s;    /* for the other name servers */
};

/* An exit code. */
int dns_update(struct admin *a, const struct dns_update_options *o,
    const struct dns_records *r, const struct conf *c) WARN_UNUSED;
