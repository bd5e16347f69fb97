/* SPDX-License-Identifier: ISC */
/*
 * autoconfig.h - the file by which Thunderbird and others set up an account:
 * "config-v1.1.xml".
 *
 * Nothing in it is secret, or of one user: a program puts the address that it
 * asks for in the place of "%EMAILADDRESS%", which is how people sign in here.
 * Passwords are only ever sent within TLS: every server in it has TLS, from the
 * first byte or by STARTTLS.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "base/buf.h"

#define AUTOCONFIG_MAX KIB(16) /* bytes of a file */

enum autoconfig_kind { AUTOCONFIG_IMAP, AUTOCONFIG_POP3, AUTOCONFIG_SMTP };

struct autoconfig_server {
	enum autoconfig_kind kind;
	uint16_t port;
	bool is_tls; /* from the first byte; else STARTTLS or STLS */
};

struct autoconfig {
	struct str domain; /* of the addresses that it is for; in ASCII */
	struct str host;   /* that all servers have; in ASCII */
	/* Of each kind, what is preferred comes first. */
	const struct autoconfig_server *servers;
	size_t n;
};

/*
 * Append the file. Texts are escaped; what XML cannot hold, or is no UTF-8, is
 * replaced. False, and nothing is written, when there is nothing to read mail
 * with or nothing to send it with (programs refuse such a file), or it does not
 * fit.
 */
bool autoconfig_put(struct buf *to, const struct autoconfig *a) WARN_UNUSED;
