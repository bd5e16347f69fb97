/* SPDX-License-Identifier: ISC */
/*
 * tls.c - contexts of clients, and sessions of OpenSSL (of servers: tls_server.c).
 *
 * A mail server holds thousands of silent connections, so sessions give their
 * record buffers back while nothing moves (SSL_MODE_RELEASE_BUFFERS) and
 * nothing is cached here: resumption works by tickets, which the client
 * keeps. Renegotiation and compression are off. A call that reads takes one record
 * at most, whatever it holds (no SSL_MODE_AUTO_RETRY): else whoever changes keys
 * without end keeps a process in it.
 */
#include "net/tls_internal.h"

#include "proto/tlsa/tlsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <time.h>

#define SYSTEM_CA_FILE   "/etc/ssl/certs/ca-certificates.crt"
#define TLS_EXPORTER_LEN 32 /* RFC 9266 section 2 */

SSL *
tls_session_new(struct tls_context *t)
{
	SSL *ssl = SSL_new(t->ctx);

	if (ssl == NULL)
		die("SSL_new: %s", tls_error_text(ERR_peek_error()));
	return ssl;
}

void
tls_set_modes(SSL_CTX *ctx)
{
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
}

/*
 * Opportunistic: whoever answers is better than plain text, so a chain that
 * cannot be verified does not end the handshake. TLS 1.0 is not spoken to.
 */
struct tls_context *
tls_client_context_new(const char *ca_file)
{
	struct tls_context *t = X_NEW(struct tls_context);

	t->refs = 1;
	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL)
		die("SSL_CTX_new: %s", tls_error_text(ERR_peek_error()));
	tls_set_modes(t->ctx);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION |
					SSL_OP_NO_COMPRESSION |
					SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1)
		die("OpenSSL refuses TLS 1.2");
	if (SSL_CTX_dane_enable(t->ctx) != 1)
		die("OpenSSL refuses DANE");
	if (ca_file[0] != '\0')
		(void)SSL_CTX_load_verify_file(t->ctx, ca_file);
	ERR_clear_error();
	return t;
}

struct tls_context *
tls_client_context_of(const char *ca_file)
{
	return tls_client_context_new(ca_file[0] ? ca_file : SYSTEM_CA_FILE);
}

void
tls_share_authorities(struct tls_context *t, void *ssl_ctx)
{
	SSL_CTX_set1_cert_store(ssl_ctx, SSL_CTX_get_cert_store(t->ctx));
	SSL_CTX_clear_mode((SSL_CTX *)ssl_ctx, SSL_MODE_AUTO_RETRY);
}

/* Does the library take the record? */
static bool
add_tlsa(SSL *ssl, struct str rdata)
{
	struct tlsa_record r;

	return tlsa_parse(rdata, &r) && tlsa_is_usable(&r) &&
	       SSL_dane_tlsa_add(ssl, r.usage, r.selector, r.matching,
		   (const unsigned char *)r.data.p, r.data.n) > 0;
}

static void
enable_dane(SSL *ssl, const char *base)
{
	if (SSL_dane_enable(ssl, base) <= 0)
		die("SSL_dane_enable: %s", tls_error_text(ERR_peek_error()));
	(void)SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
}

size_t
tls_usable_tlsa(struct tls_context *t, struct str *records, size_t n)
{
	SSL *ssl = tls_session_new(t);
	size_t kept = 0;

	enable_dane(ssl, "invalid");
	for (size_t i = 0; i < n; i++)
		if (add_tlsa(ssl, records[i]))
			records[kept++] = records[i];
	SSL_free(ssl);
	ERR_clear_error();
	return kept;
}

SSL *
tls_client_session_new(struct tls_context *t, const struct tls_expected *peer)
{
	const char *name = peer->name;
	SSL *ssl = tls_session_new(t);

	SSL_set_connect_state(ssl);
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (name != NULL && name[0] != '\0') {
		/* SSL_set_tlsext_host_name(), without its cast. */
		(void)SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		    TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)name);
		(void)SSL_set1_host(ssl, name);
	}
	if (peer->n_tlsa > 0)
		enable_dane(ssl, name);
	for (size_t i = 0; i < peer->n_tlsa; i++)
		(void)add_tlsa(ssl, peer->tlsa[i]);
	return ssl;
}

const char *
tls_session_distrust(const SSL *ssl)
{
	long r = SSL_get_verify_result(ssl);

	if (SSL_get0_peer_certificate(ssl) == NULL)
		return "no certificate";
	return r == X509_V_OK ? NULL : X509_verify_cert_error_string(r);
}

enum tls_trust
tls_session_trust(const SSL *ssl)
{
	if (SSL_get0_peer_certificate(ssl) == NULL)
		return TLS_NO_CERTIFICATE;
	switch (SSL_get_verify_result(ssl)) {
	case X509_V_OK:
		return TLS_TRUSTED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		return TLS_WRONG_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_EXPIRED;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return TLS_UNKNOWN_ISSUER;
	case X509_V_ERR_DANE_NO_MATCH:
		return TLS_NO_TLSA_MATCH;
	default:
		return TLS_BAD_CHAIN;
	}
}

bool
tls_session_expires(const SSL *ssl, uint64_t *ret)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	int n = chain != NULL ? sk_X509_num(chain) : 0;
	uint64_t first = UINT64_MAX;

	for (int i = 0; i < n; i++) {
		struct tm tm;
		time_t t;

		if (ASN1_TIME_to_tm(
			X509_get0_notAfter(sk_X509_value(chain, i)), &tm) != 1)
			return false;
		t = timegm(&tm);
		first = MIN(first, t > 0 ? (uint64_t)t : 0);
	}
	if (n > 0)
		*ret = first;
	return n > 0;
}

/* With TLS 1.3 every record looks like data, but for the type inside of it. */
static void
on_message(int is_written, UNUSED int version, int what, const void *bytes,
    size_t n, UNUSED SSL *ssl, void *arg)
{
	const struct tls_watch *w = arg;

	if (is_written || n == 0 ||
	    (what != SSL3_RT_HEADER && what != SSL3_RT_INNER_CONTENT_TYPE))
		return;
	if (*(const unsigned char *)bytes != SSL3_RT_APPLICATION_DATA)
		w->fn(w->arg);
}

void
tls_session_watch(SSL *ssl, const struct tls_watch *w)
{
	SSL_set_msg_callback(ssl, w != NULL ? on_message : NULL);
	SSL_set_msg_callback_arg(ssl, (void *)(uintptr_t)w);
}

void
tls_session_free(SSL *ssl)
{
	SSL_free(ssl);
}

void
tls_session_shutdown(SSL *ssl)
{
	if (SSL_is_init_finished(ssl))
		SSL_shutdown(ssl);
	ERR_clear_error();
}

const char *
tls_session_version(const SSL *ssl)
{
	return SSL_get_version(ssl);
}

const char *
tls_session_cipher(const SSL *ssl)
{
	return SSL_get_cipher_name(ssl);
}

/* The library's number for the alert of a session, asked for once a process. */
static int
alert_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/* Of what: the alert's level, and its number (RFC 8446 section 6). */
static void
on_info(const SSL *ssl, int where, int what)
{
	uintptr_t alert = (unsigned)what & 0xff;

	if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT &&
	    what >> 8 == SSL3_AL_FATAL)
		(void)SSL_set_ex_data(
		    (SSL *)(uintptr_t)ssl, alert_index(), (void *)alert);
}

void
tls_note_alerts(SSL_CTX *ctx)
{
	(void)alert_index();
	SSL_CTX_set_info_callback(ctx, on_info);
}

uint8_t
tls_session_own_alert(const SSL *ssl)
{
	return (uint8_t)(uintptr_t)SSL_get_ex_data(ssl, alert_index());
}

/* Until a version is agreed on, SSL_version() is the newest that we speak. */
uint16_t
tls_session_reached(const SSL *ssl)
{
	int asked = SSL_client_version(ssl), now = SSL_version(ssl);

	if (asked <= 0 || asked >= TLS_ANY_VERSION)
		return 0; /* as the library has it before a hello */
	return (uint16_t)(asked < TLS1_2_VERSION ? asked : now);
}

uint8_t
tls_error_alert(unsigned long code)
{
	int reason = ERR_GET_REASON(code);

	if (code == 0 || ERR_GET_LIB(code) != ERR_LIB_SSL ||
	    reason < SSL_AD_REASON_OFFSET ||
	    reason > SSL_AD_REASON_OFFSET + UINT8_MAX)
		return 0;
	return (uint8_t)(reason - SSL_AD_REASON_OFFSET);
}

bool
tls_error_is_of_socket(unsigned long code)
{
	return code == SSL_ERROR_SYSCALL || ERR_SYSTEM_ERROR(code);
}

const char *
tls_error_text(unsigned long code)
{
	const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;

	return text != NULL ? text : "";
}

/* --- channel bindings --------------------------------------------------------- */

static bool
binding_exporter(SSL *ssl, struct buf *ret)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char out[TLS_EXPORTER_LEN];

	/* RFC 9266 section 4.2: unique only with extended master secrets. */
	if (SSL_version(ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(ssl) != 1)
		return false;
	if (SSL_export_keying_material(ssl, out, sizeof(out), label,
		sizeof(label) - 1, NULL, 0, 1) != 1)
		return false;
	buf_put(ret, out, sizeof(out));
	return !ret->failed;
}

/* The first Finished message of the handshake (RFC 5929 section 3.1). */
static bool
binding_unique(SSL *ssl, struct buf *ret)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	size_t n;

	if (SSL_version(ssl) != TLS1_2_VERSION ||
	    SSL_get_extms_support(ssl) != 1)
		return false;
	if (SSL_session_reused(ssl))
		n = SSL_get_finished(ssl, out, sizeof(out));
	else
		n = SSL_get_peer_finished(ssl, out, sizeof(out));
	if (n == 0 || n > sizeof(out))
		return false;
	buf_put(ret, out, n);
	return !ret->failed;
}

/* A hash of our certificate (RFC 5929 section 4.1). */
static bool
binding_end_point(SSL *ssl, struct buf *ret)
{
	X509 *cert = SSL_get_certificate(ssl);
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int md_nid = NID_undef;

	if (cert == NULL || OBJ_find_sigid_algs(X509_get_signature_nid(cert),
				&md_nid, NULL) != 1)
		return false;
	if (md_nid == NID_md5 || md_nid == NID_sha1)
		md_nid = NID_sha256;
	/* Signatures without a hash of their own, as Ed25519: undefined. */
	if (md_nid == NID_undef ||
	    X509_digest(cert, EVP_get_digestbynid(md_nid), out, &n) != 1)
		return false;
	buf_put(ret, out, n);
	return !ret->failed;
}

bool
tls_session_binding(SSL *ssl, const char *type, struct buf *ret)
{
	bool ok = false;

	if (!SSL_is_init_finished(ssl))
		return false;
	if (strcmp(type, "tls-exporter") == 0)
		ok = binding_exporter(ssl, ret);
	else if (strcmp(type, "tls-unique") == 0)
		ok = binding_unique(ssl, ret);
	else if (strcmp(type, "tls-server-end-point") == 0)
		ok = binding_end_point(ssl, ret);
	ERR_clear_error();
	return ok;
}
