/* SPDX-License-Identifier: ISC */
/*
 * dnsupdate_key.h - the shared key of TSIG, as files have it.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/crypt.h"
#include "base/secret.h"

#define DNSUPDATE_KEY_FILE_MAX KIB(16)
#define DNSUPDATE_SECRET_MIN   8 /* bytes: less is a mistake */

struct dnsupdate_key {
	char *name; /* text of dnsupdate_name.h */
	enum crypt_mac mac;
	struct secret secret;
};

/*
 * Read a file that holds one key, in the form of
 *   BIND and nsupdate -k   key "name" { algorithm hmac-sha256; secret "..."; };
 *   knot                   key: / - id: name / algorithm: ... / secret: ...
 *   nsupdate -y, kdig -y   hmac-sha256:name:secret on a line of its own
 * with comments. False with *ret_why (for people, static) when it is not that.
 */
bool dnsupdate_key_parse(struct str text, struct dnsupdate_key *ret,
    const char **ret_why) WARN_UNUSED;
void dnsupdate_key_done(struct dnsupdate_key *k);

/* "hmac-sha256" */
const char *dnsupdate_algorithm_name(enum crypt_mac mac);
