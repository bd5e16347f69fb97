/* SPDX-License-Identifier: ISC */
/*
 * tls_probe.h - look up what mail for a domain meets, as role send would:
 * hosts, DNSSEC, TLSA records. Nobody is connected to.
 */
#pragma once

#include "conf/conf.h"
#include "proto/mx/mx.h"
#include "send/tls/dane.h"

struct tls_probe_host {
	char name[MX_NAME_MAX + 1];
	uint16_t preference;
	bool has_address;
	bool is_secure; /* its addresses came with DNSSEC */
	enum dane_state dane;
	size_t n_tlsa;
	char why[300]; /* what could not be looked up */
};

struct tls_probe {
	bool validates;  /* there is a trust anchor */
	bool is_secure;  /* the MX records came with DNSSEC */
	char sts_id[64]; /* of the record "_mta-sts"; "": none */
	size_t n;
	struct tls_probe_host hosts[MX_HOSTS_MAX];
	char trouble[400]; /* why there are no hosts */
	bool is_temporary; /* that may be otherwise later */
};

/* domain: ASCII. False with *ret_error (heap): there is no resolver. */
bool tls_probe(const struct conf *c, const char *domain, struct tls_probe *ret,
    char **ret_error) WARN_UNUSED;
