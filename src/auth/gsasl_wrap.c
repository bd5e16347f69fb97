/* SPDX-License-Identifier: ISC */
/* gsasl_wrap.c - SASL exchanges with libgsasl. See gsasl_wrap.h. */
#include "auth/gsasl_wrap.h"

#include <gsasl.h>

#include "base/base64.h"
#include "net/idn.h"

static const char *const names[] = {
	[SASL_PLAIN] = "PLAIN",
	[SASL_LOGIN] = "LOGIN",
	[SASL_SCRAM_SHA_256] = "SCRAM-SHA-256",
	[SASL_SCRAM_SHA_256_PLUS] = "SCRAM-SHA-256-PLUS",
};

struct sasl_server {
	enum sasl_mech mech;
	Gsasl_session *session;
	unsigned steps;
	struct secret binding_type, binding;
	struct secret first; /* SCRAM: the client's first message */
	struct secret login, password;
	bool has_foreign_authzid; /* wants to act as somebody else */
	bool has_verifier;
};

bool
sasl_mech_from_name(struct str name, enum sasl_mech *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_case(name, str_c(names[i]))) {
			*ret = (enum sasl_mech)i;
			return true;
		}
	return false;
}

const char *
sasl_mech_name(enum sasl_mech m)
{
	return names[m];
}

bool
sasl_mech_is_plaintext(enum sasl_mech m)
{
	return m == SASL_PLAIN || m == SASL_LOGIN;
}

static bool
is_scram(const struct sasl_server *s)
{
	return !sasl_mech_is_plaintext(s->mech);
}

bool
sasl_binding_is_usable(const struct sasl_binding *b)
{
	return b->data.n > 0 && (str_eq(b->type, STR("tls-exporter")) ||
				    str_eq(b->type, STR("tls-unique")));
}

bool
sasl_prepare(struct str in, struct secret *ret)
{
	struct secret c = SECRET_NONE;
	char *out = NULL;
	bool ok;

	if (in.n > 0 && memchr(in.p, 0, in.n))
		return false;
	secret_set(&c, in);
	ok =
	    gsasl_saslprep(c.p, GSASL_ALLOW_UNASSIGNED, &out, NULL) == GSASL_OK;
	if (ok) {
		secret_set(ret, str_c(out));
		secret_wipe(out, strlen(out));
	}
	gsasl_free(out);
	secret_done(&c);
	return ok;
}

/* libgsasl asks: we only take down what it found out. */
static int
callback(UNUSED Gsasl *ctx, Gsasl_session *session, Gsasl_property property)
{
	struct sasl_server *s = gsasl_session_hook_get(session);
	const char *password;

	if (property != GSASL_VALIDATE_SIMPLE || !s)
		return GSASL_NO_CALLBACK;
	password = gsasl_property_fast(session, GSASL_PASSWORD);
	if (!password)
		return GSASL_NO_PASSWORD;
	secret_set(&s->password, str_c(password));
	return GSASL_OK;
}

static Gsasl *
library(void)
{
	static Gsasl *ctx;

	if (!ctx) {
		if (gsasl_init(&ctx) != GSASL_OK)
			die("libgsasl does not start");
		gsasl_callback_set(ctx, callback);
	}
	return ctx;
}

static void
put_base64(struct sasl_server *s, Gsasl_property property, struct str bytes)
{
	struct buf b = BUF_INIT(KIB(16));

	base64_encode(&b, bytes);
	gsasl_property_set(s->session, property, buf_c(&b));
	buf_done_secret(&b);
}

/* A new exchange from its beginning, with what is known by now. */
static void
start(struct sasl_server *s)
{
	struct str type = secret_str(&s->binding_type);

	if (s->session)
		gsasl_finish(s->session);
	s->session = NULL;
	if (gsasl_server_start(library(), names[s->mech], &s->session) !=
	    GSASL_OK)
		die("libgsasl has no %s", names[s->mech]);
	gsasl_session_hook_set(s->session, s);
	if (type.n > 0)
		put_base64(s,
		    str_eq(type, STR("tls-unique")) ? GSASL_CB_TLS_UNIQUE
						    : GSASL_CB_TLS_EXPORTER,
		    secret_str(&s->binding));
}

struct sasl_server *
sasl_server_new(enum sasl_mech mech, const struct sasl_binding *binding)
{
	bool has_binding = sasl_binding_is_usable(binding);
	struct sasl_server *s;

	if (mech == SASL_SCRAM_SHA_256_PLUS && !has_binding)
		return NULL;
	s = X_NEW(struct sasl_server);
	s->mech = mech;
	if (has_binding) {
		secret_set(&s->binding_type, binding->type);
		secret_set(&s->binding, binding->data);
	}
	start(s);
	return s;
}

struct sasl_server *
sasl_server_free(struct sasl_server *s)
{
	if (!s)
		return NULL;
	gsasl_finish(s->session);
	secret_done(&s->binding_type);
	secret_done(&s->binding);
	secret_done(&s->first);
	secret_done(&s->login);
	secret_done(&s->password);
	free(s);
	return NULL;
}

/*
 * The flag in front of a SCRAM exchange (RFC 5802 section 6): "p" only with
 * -PLUS and for the binding that we have; "y" says that the client could bind
 * but did not see us offer it: if we did, somebody is in between.
 */
static bool
is_gs2_flag_right(const struct sasl_server *s, struct str in)
{
	struct str type, flag;

	(void)str_split(in, ',', &flag);
	type = str_from(flag, 2);
	if (s->mech == SASL_SCRAM_SHA_256_PLUS)
		return str_starts(flag, STR("p=")) &&
		       str_eq(type, secret_str(&s->binding_type));
	if (str_eq(flag, STR("y")))
		return s->binding.n == 0;
	return str_eq(flag, STR("n"));
}

/* Is it at least of the mechanism's shape? libgsasl works on C strings. */
static bool
is_well_formed(const struct sasl_server *s, struct str in)
{
	size_t nuls = 0;

	if (in.n > SASL_MESSAGE_MAX)
		return false;
	for (size_t i = 0; i < in.n; i++)
		nuls += in.p[i] == '\0';
	return nuls == (s->mech == SASL_PLAIN && in.n > 0 ? 2 : 0);
}

/* One step of libgsasl; its output goes to out, and is wiped. */
static int
run(struct sasl_server *s, struct str in, struct buf *out)
{
	char *p = NULL;
	size_t n = 0;
	int r = gsasl_step(s->session, in.p ? in.p : "", in.n, &p, &n);

	if (p) {
		if (r == GSASL_OK || r == GSASL_NEEDS_MORE)
			buf_put(out, p, n);
		secret_wipe(p, n);
		gsasl_free(p);
	}
	return r;
}

static enum sasl_step
failure(int r)
{
	/* What a client can get wrong by knowing the wrong password. */
	if (r == GSASL_AUTHENTICATION_ERROR || r == GSASL_INTEGRITY_ERROR)
		return SASL_WRONG;
	return SASL_SYNTAX;
}

/* As store/dir/address.h does it. */
static void
fold_login(struct secret *login)
{
	struct buf b = BUF_INIT(SASL_LOGIN_MAX * 4);
	struct str domain = STR_NONE;
	ptrdiff_t at = str_rfind(secret_str(login), '@');

	if (at >= 0)
		domain = str_from(secret_str(login), (size_t)at + 1);
	for (size_t i = 0; i < login->n; i++)
		login->p[i] = ascii_lower(login->p[i]);
	buf_put_str(&b, str_first(secret_str(login), login->n - domain.n));
	if (domain.n > 0 && idn_canonical(domain, &b))
		secret_set(login, buf_str(&b));
	buf_done_secret(&b);
}

/*
 * Take over the login; SASL_SYNTAX when it cannot be one. The directory does
 * not look at the case of letters, nor at how a domain is spelled, so neither
 * may what is told apart by login here: else "Alice" would not share the
 * failures of "alice", and a salt that stays the same for both would tell
 * that alice exists.
 */
static bool
take_login(struct sasl_server *s)
{
	const char *id = gsasl_property_fast(s->session, GSASL_AUTHID);
	const char *as = gsasl_property_fast(s->session, GSASL_AUTHZID);

	if (!id || !*id || strlen(id) > SASL_LOGIN_MAX)
		return false;
	s->has_foreign_authzid = as && *as && strcmp(as, id) != 0;
	if (!sasl_prepare(str_c(id), &s->login))
		return false;
	fold_login(&s->login);
	return s->login.n > 0 && s->login.n <= SASL_LOGIN_MAX;
}

static enum sasl_step
step_plaintext(
    struct sasl_server *s, const struct sasl_input *in, struct buf *out)
{
	struct buf ignored = BUF_INIT(SASL_OUT_MAX);
	int r;

	/* libgsasl answers the first step of LOGIN without reading it, but
	 * clients send the login along with the command. */
	if (s->mech == SASL_LOGIN && s->steps == 1 && in->has_in) {
		(void)run(s, STR_NONE, &ignored);
		buf_done(&ignored);
	}
	r = run(s, in->in, out);
	if (r == GSASL_NEEDS_MORE)
		return SASL_CHALLENGE;
	if (r != GSASL_OK)
		return failure(r);
	buf_reset(out, SASL_OUT_MAX);
	if (!take_login(s) || s->password.n == 0 ||
	    s->password.n > SASL_PASSWORD_MAX)
		return SASL_SYNTAX;
	return s->has_foreign_authzid ? SASL_WRONG : SASL_HAS_PASSWORD;
}

/* The first run of a SCRAM exchange: only to learn the login. */
static enum sasl_step
scout(struct sasl_server *s, struct str in)
{
	struct buf ignored = BUF_INIT(SASL_OUT_MAX + SASL_MESSAGE_MAX);
	int r;

	if (!is_gs2_flag_right(s, in))
		return SASL_WRONG;
	r = run(s, in, &ignored);
	buf_done(&ignored);
	if (r != GSASL_NEEDS_MORE)
		return failure(r);
	if (!take_login(s))
		return SASL_SYNTAX;
	if (s->has_foreign_authzid)
		return SASL_WRONG;
	secret_set(&s->first, in);
	return SASL_WANT_VERIFIER;
}

enum sasl_step
sasl_server_step(
    struct sasl_server *s, const struct sasl_input *in, struct buf *out)
{
	int r;

	if (++s->steps > SASL_STEPS_MAX || !is_well_formed(s, in->in))
		return SASL_SYNTAX;
	if (!is_scram(s))
		return step_plaintext(s, in, out);
	if (!s->has_verifier) {
		if (!in->has_in)
			return SASL_CHALLENGE; /* an empty one */
		return scout(s, in->in);
	}
	r = run(s, in->in, out);
	if (r == GSASL_OK)
		return SASL_PROVEN;
	return r == GSASL_NEEDS_MORE ? SASL_SYNTAX : failure(r);
}

enum sasl_step
sasl_server_set_verifier(
    struct sasl_server *s, const struct scram_verifier *v, struct buf *out)
{
	char iterations[16];

	ASSERT(is_scram(s) && s->first.n > 0 && !s->has_verifier);
	s->has_verifier = true;
	start(s);
	snprintf(iterations, sizeof(iterations), "%u", v->iterations);
	gsasl_property_set(s->session, GSASL_SCRAM_ITER, iterations);
	put_base64(s, GSASL_SCRAM_SALT, str_make(v->salt, v->salt_n));
	put_base64(
	    s, GSASL_SCRAM_STOREDKEY, str_make(v->stored_key, SCRAM_KEY_BYTES));
	put_base64(
	    s, GSASL_SCRAM_SERVERKEY, str_make(v->server_key, SCRAM_KEY_BYTES));
	if (run(s, secret_str(&s->first), out) != GSASL_NEEDS_MORE)
		return SASL_SYNTAX;
	return SASL_CHALLENGE;
}

struct str
sasl_server_login(const struct sasl_server *s)
{
	return secret_str(&s->login);
}

struct str
sasl_server_password(const struct sasl_server *s)
{
	return secret_str(&s->password);
}
