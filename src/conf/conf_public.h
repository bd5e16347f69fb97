/* SPDX-License-Identifier: ISC */
/*
 * conf_public.h - what this machine tells the world of its mail services.
 *
 * It is told in DNS ("mailstead dns"), and over HTTPS to whoever asks for the
 * MTA-STS policy of a domain or for the settings of mail programs (role web).
 * What these say has to agree, so all of it is made here, of nothing but the
 * configuration.
 */
#pragma once

#include "conf/conf.h"

/* What programs of users speak with; the preferred ones first. */
struct conf_client_service {
	enum service service;
	uint16_t usual_port;
	const char *srv;  /* "_imaps": RFC 6186, RFC 8314 */
	const char *what; /* "IMAP with TLS" */
	unsigned priority;
};
#define CONF_CLIENT_SERVICES 6
extern const struct conf_client_service
    conf_client_services[CONF_CLIENT_SERVICES];

/* The port that clients use: the usual one when it is among the listeners; 0:
 * there is no such service. */
uint16_t conf_public_port(
    const struct conf *c, const struct conf_client_service *s);

/* The machine's name as DNS has it. False: it cannot be in DNS, or is longer than
 * size - 1 bytes. */
bool conf_public_host(const struct conf *c, char *to, size_t size) WARN_UNUSED;

/*
 * Append the MTA-STS policy (RFC 8461 section 3.2) of the domains that are hosted
 * here: mail for them comes to this machine, and with TLS. False, and nothing is
 * written, when the machine's name cannot be in one.
 */
bool conf_put_mtasts(const struct conf *c, struct buf *to) WARN_UNUSED;
/* Append the id of such a policy, which changes exactly when the text does. */
void conf_put_mtasts_id(struct str policy, struct buf *to);

/* Append the settings of mail programs for a domain (in ASCII); as
 * autoconfig_put(). */
bool conf_put_autoconfig(
    const struct conf *c, struct str domain, struct buf *to) WARN_UNUSED;
