/* SPDX-License-Identifier: ISC */
/*
 * conf_cert_read.h - find and check the certificates that a configuration
 * names. For the supervisor and the command line, which may read keys.
 */
#pragma once

#include "conf/conf.h"

/*
 * All of them into *ret, which is empty; the first that can be used is the
 * default. tls.certificate has to be good: else -1 and *ret_error (heap, lines).
 * Others that are not good are in the list with their fault; where old (or NULL)
 * has an older one of the same place, that goes on. When there is none at all
 * but some are to come, one that is signed by itself stands in for them.
 */
int conf_certs_read(const struct conf *c, const struct conf_certs *old,
    struct conf_certs *ret, char **ret_error) WARN_UNUSED;

/* The host names of a line of acme.hosts, a line feed behind each (heap). */
char *conf_acme_names(struct str line);
