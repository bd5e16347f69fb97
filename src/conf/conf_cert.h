/* SPDX-License-Identifier: ISC */
/*
 * conf_cert.h - the certificates of a configuration, with their keys.
 *
 * They come from three places: tls.certificate and tls.key; the folders below
 * tls.folder (NAME/fullchain.pem, NAME/privkey.pem, as certbot leaves them); and
 * what role acme obtained for acme.hosts. Who owns what: a list owns its texts.
 */
#pragma once

#include "base/certificate.h"

enum conf_cert_source {
	CONF_CERT_FILES,  /* tls.certificate */
	CONF_CERT_FOLDER, /* tls.folder */
	CONF_CERT_ACME,
	CONF_CERT_OWN, /* signed by itself, while there is no other */
};
#define CONF_CERT_SOURCES 4
const char *conf_cert_source_str(enum conf_cert_source s);

#define CONF_CERTS_MAX 20000

struct conf_cert {
	enum conf_cert_source source;
	char *label; /* the folder's name, or the first host; may be empty */
	/* PEM; empty: there is none that can be used. The key is wiped. */
	char *chain, *key;
	char *names; /* lines, as of struct certificate_facts */
	char *issuer;
	enum certificate_kind kind;
	uint64_t begins, ends;
	/* What is wrong with what is on disk; with a chain, an older one is in
	 * use. NULL: nothing. */
	char *fault;
	bool is_missing; /* there has not been one yet */
};

struct conf_certs {
	struct conf_cert *v;
	size_t n;
};

/* A new one at the end, all zero. The address is good until the next. */
struct conf_cert *conf_certs_add(struct conf_certs *list);
/* Frees all; list is empty then. */
void conf_certs_done(struct conf_certs *list);
/* A copy of what can be used: chain, key, names, facts. */
void conf_cert_copy(struct conf_cert *to, const struct conf_cert *from);
static inline bool
conf_cert_is_usable(const struct conf_cert *c)
{
	return c->chain != NULL && c->chain[0] != '\0';
}

/* Is host one of the names, by itself or by a wildcard? Lower case. */
bool conf_cert_covers(const struct conf_cert *c, struct str host);
