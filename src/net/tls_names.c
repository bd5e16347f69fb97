/* SPDX-License-Identifier: ISC */
/*
 * tls_names.c - the certificates of a server by the name that a client asks for
 * (server_name, RFC 6066 section 3).
 *
 * A table of names leads to certificates; one name may have an RSA and an ECDSA
 * certificate side by side, among which the library chooses by what the client
 * can. A certificate is read when the first client wants it, so that thousands
 * of names cost little. Without a name, or with one that is not here, the client
 * gets the first certificate.
 *
 * The same place answers the challenge TLS-ALPN-01 of an authority (RFC 8737):
 * who offers nothing but the protocol "acme-tls/1" gets the challenge's
 * certificate, and nobody else ever does.
 */
#include "net/tls_internal.h"

#include "base/hash.h"
#include "base/hostname.h"
#include "base/secret.h"

#include <openssl/err.h>

#define CHALLENGES_MAX 200

static const unsigned char challenge_protocol[] = "\x0a"
						  "acme-tls/1";
#define PROTOCOL_LEN (sizeof(challenge_protocol) - 1)

struct entry {
	struct str chain, key; /* PEM, until it is read; then empty */
	struct tls_pair pair;
	enum certificate_kind kind;
	bool is_bad;
};

/* A name, and its certificates by kind; entries are counted from 1. */
struct slot {
	struct str name; /* points into texts of names */
	uint32_t entry[CERTIFICATE_KINDS];
};

struct challenge {
	char *name;
	struct tls_pair pair;
};

struct tls_names {
	struct entry *entries;
	size_t n;
	char *texts; /* names of all certificates, lines */
	struct slot *slots;
	size_t mask;
	struct challenge challenges[CHALLENGES_MAX];
	size_t n_challenges;
};

/* --- the table ------------------------------------------------------------------- */

/* Where name is, or would be. */
static struct slot *
find_slot(const struct tls_names *t, struct str name)
{
	size_t i = (size_t)hash64(name.p, name.n) & t->mask;

	while (t->slots[i].name.n > 0 && !str_eq(t->slots[i].name, name))
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

/* The first certificate of a kind that has the name keeps it. */
static void
put_names(struct tls_names *t, struct str names, uint32_t number)
{
	enum certificate_kind kind = t->entries[number - 1].kind;
	struct str one;

	while (names.n > 0) {
		struct slot *s;

		names = str_split(names, '\n', &one);
		if (one.n == 0)
			continue;
		s = find_slot(t, one);
		s->name = one;
		if (s->entry[kind] == 0)
			s->entry[kind] = number;
	}
}

static size_t
count_lines(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static void
fill_table(struct tls_names *t, const struct tls_certificate *certs, size_t n)
{
	size_t count = 1, size = 2, bytes = 1, at = 0;

	for (size_t i = 0; i < n; i++) {
		count += count_lines(certs[i].names);
		bytes += certs[i].names.n;
	}
	while (size < count * 2)
		size *= 2;
	t->slots = x_calloc(size, sizeof(t->slots[0]));
	t->mask = size - 1;
	t->texts = x_malloc(bytes);
	for (size_t i = 0; i < n; i++) {
		struct str names = certs[i].names;

		if (names.n > 0)
			memcpy(t->texts + at, names.p, names.n);
		put_names(t, str_make(t->texts + at, names.n), (uint32_t)i + 1);
		at += names.n;
	}
}

static const struct slot *
find_name(const struct tls_names *t, struct str name)
{
	struct slot *s = find_slot(t, name);
	char wild[HOSTNAME_MAX + 2] = "*";
	ptrdiff_t dot;

	if (s->name.n > 0)
		return s;
	dot = str_find(name, '.');
	if (dot <= 0)
		return NULL;
	/* One label, the first (RFC 6125 section 6.4.3). */
	name = str_from(name, (size_t)dot);
	memcpy(wild + 1, name.p, name.n);
	s = find_slot(t, str_make(wild, name.n + 1));
	return s->name.n > 0 ? s : NULL;
}

/* What the client asks for, in lower case; empty: nothing that can be. */
static struct str
asked_name(const SSL *ssl, char to[HOSTNAME_MAX + 1])
{
	struct str s = hostname_trim(
	    str_c(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)));

	if (s.n == 0 || s.n > HOSTNAME_MAX)
		return STR_NONE;
	for (size_t i = 0; i < s.n; i++)
		to[i] = ascii_lower(s.p[i]);
	return str_make(to, s.n);
}

static struct challenge *
find_challenge(struct tls_names *t, struct str name)
{
	for (size_t i = 0; i < t->n_challenges; i++)
		if (str_eq(str_c(t->challenges[i].name), name))
			return &t->challenges[i];
	return NULL;
}

/* --- choosing --------------------------------------------------------------------- */

static void
wipe_text(struct str *s)
{
	if (s->p != NULL)
		secret_wipe((void *)(uintptr_t)s->p, s->n);
	str_free(s);
	*s = STR_NONE;
}

/* It was looked at before it came here, so one that cannot be read is a bug
 * that costs this name only. */
static bool
read_entry(struct entry *e)
{
	char *error = NULL;

	if (e->pair.leaf != NULL || e->is_bad)
		return !e->is_bad;
	e->is_bad = tls_pair_read(e->chain, e->key, &e->pair, &error) < 0;
	free(error);
	wipe_text(&e->chain);
	wipe_text(&e->key);
	return !e->is_bad;
}

static bool
use_pair(SSL *ssl, const struct tls_pair *p)
{
	bool ok = SSL_use_cert_and_key(ssl, p->leaf, p->key, p->chain, 1) == 1;

	ERR_clear_error();
	return ok;
}

static bool
is_challenged(const SSL *ssl)
{
	return SSL_get_app_data(ssl) == challenge_protocol;
}

/* The library is about to use a certificate. 1: go on; 0: end the handshake. */
static int
on_certificate(SSL *ssl, void *arg)
{
	struct tls_names *t = arg;
	char room[HOSTNAME_MAX + 1];
	struct str name = asked_name(ssl, room);
	const struct slot *s = name.n > 0 ? find_name(t, name) : NULL;
	bool has_one = false;

	if (is_challenged(ssl)) {
		struct challenge *c = find_challenge(t, name);

		SSL_certs_clear(ssl);
		return c != NULL && use_pair(ssl, &c->pair);
	}
	for (size_t k = 0; s != NULL && k < CERTIFICATE_KINDS; k++) {
		struct entry *e =
		    s->entry[k] > 0 ? &t->entries[s->entry[k] - 1] : NULL;

		if (e == NULL || !read_entry(e))
			continue;
		if (!has_one)
			SSL_certs_clear(ssl);
		has_one = true;
		if (!use_pair(ssl, &e->pair))
			return 0;
	}
	return 1;
}

static int
on_name(SSL *ssl, UNUSED int *alert, void *arg)
{
	char room[HOSTNAME_MAX + 1];
	struct str name = asked_name(ssl, room);

	return is_challenged(ssl) ||
	               (name.n > 0 && find_name(arg, name) != NULL)
	           ? SSL_TLSEXT_ERR_OK
	           : SSL_TLSEXT_ERR_NOACK;
}

/* Before anything else of a client: does an authority check a challenge? It
 * offers that one protocol (RFC 8737 section 3). */
static int
on_hello(SSL *ssl, UNUSED int *alert, UNUSED void *arg)
{
	const unsigned char *list = NULL;
	size_t n = 0;

	if (SSL_client_hello_get0_ext(ssl,
		TLSEXT_TYPE_application_layer_protocol_negotiation, &list,
		&n) == 1 &&
	    n == PROTOCOL_LEN + 2 &&
	    memcmp(list + 2, challenge_protocol, PROTOCOL_LEN) == 0)
		SSL_set_app_data(ssl, (void *)(uintptr_t)challenge_protocol);
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* Other protocols are not negotiated: what a port speaks is known. */
static int
on_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_n,
    UNUSED const unsigned char *list, UNUSED unsigned n, UNUSED void *arg)
{
	if (!is_challenged(ssl))
		return SSL_TLSEXT_ERR_NOACK;
	*ret = challenge_protocol + 1;
	*ret_n = (unsigned char)(PROTOCOL_LEN - 1);
	return SSL_TLSEXT_ERR_OK;
}

bool
tls_session_is_challenge(const SSL *ssl)
{
	return is_challenged(ssl);
}

/* --- challenges --------------------------------------------------------------------- */

static void
free_challenge(struct challenge *c)
{
	free(c->name);
	tls_pair_done(&c->pair);
}

int
tls_names_put_challenge(struct tls_names *t, SSL_CTX *ctx, struct str name,
    const struct tls_pair *pair)
{
	struct challenge *c;

	tls_names_drop_challenge(t, name);
	if (t->n_challenges == CHALLENGES_MAX)
		return -ENOSPC;
	c = &t->challenges[t->n_challenges++];
	c->name = str_dup(name);
	c->pair = *pair;
	SSL_CTX_set_client_hello_cb(ctx, on_hello, t);
	SSL_CTX_set_alpn_select_cb(ctx, on_protocol, t);
	return 0;
}

void
tls_names_drop_challenge(struct tls_names *t, struct str name)
{
	struct challenge *c = find_challenge(t, name);

	if (c == NULL)
		return;
	free_challenge(c);
	*c = t->challenges[--t->n_challenges];
}

/* --- life ---------------------------------------------------------------------------- */

static void
free_names(UNUSED void *parent, void *mine, UNUSED CRYPTO_EX_DATA *ad,
    UNUSED int index, UNUSED long argl, UNUSED void *argp)
{
	struct tls_names *t = mine;

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++) {
		wipe_text(&t->entries[i].chain);
		wipe_text(&t->entries[i].key);
		tls_pair_done(&t->entries[i].pair);
	}
	for (size_t i = 0; i < t->n_challenges; i++)
		free_challenge(&t->challenges[i]);
	free(t->entries);
	free(t->slots);
	free(t->texts);
	free(t);
}

/* The library's number for our data of contexts, asked for once a process. */
static int
names_index(void)
{
	static int index = -1;

	if (index < 0)
		index =
		    SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_names);
	return index;
}

struct tls_names *
tls_names_attach(SSL_CTX *ctx, const struct tls_certificate *certs, size_t n)
{
	struct tls_names *t = X_NEW(struct tls_names);

	t->entries = x_calloc(MAX(n, (size_t)1), sizeof(t->entries[0]));
	t->n = n;
	for (size_t i = 0; i < n; i++) {
		t->entries[i].chain = str_copy(certs[i].chain);
		t->entries[i].key = str_copy(certs[i].key);
		t->entries[i].kind = certs[i].kind;
	}
	fill_table(t, certs, n);
	if (SSL_CTX_set_ex_data(ctx, names_index(), t) != 1)
		die("SSL_CTX_set_ex_data: out of memory");
	SSL_CTX_set_cert_cb(ctx, on_certificate, t);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, t);
	return t;
}
