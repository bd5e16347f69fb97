/* SPDX-License-Identifier: ISC */
/*
 * conf_wire.c - the snapshot: a configuration as bytes, for the roles.
 *
 * In the order of the schema table; both ends are the same program. Decoding
 * checks every value with the same rules as the file, because the supervisor
 * is trusted but a bug in it should not become one everywhere.
 */
#include "conf/schema.h"

#include "base/wire.h"

#define SNAPSHOT_MAGIC 0x4d53434fU

static const void *
member(const struct conf *c, const struct conf_option *o)
{
	return (const char *)c + o->offset;
}

static void
put_option(struct buf *b, const struct conf *c, const struct conf_option *o)
{
	switch (o->type) {
	case CONF_STRING:
	case CONF_NAME:
	case CONF_ADDRESS:
	case CONF_PATH:
	case CONF_LEVEL:
	case CONF_SERVERS:
	case CONF_ROUTES:
	case CONF_NAMES:
	case CONF_NETWORKS:
	case CONF_HOSTS:
	case CONF_LINKS:
	case CONF_RELAYS:
	case CONF_MIRRORS:
		wire_put_str(b, str_c(*(char *const *)member(c, o)));
		return;
	case CONF_COUNT:
	case CONF_TIME:
	case CONF_TIME_DAYS:
		wire_put_u32(b, *(const uint32_t *)member(c, o));
		return;
	case CONF_BIGCOUNT:
	case CONF_SIZE:
		wire_put_u64(b, *(const uint64_t *)member(c, o));
		return;
	case CONF_BOOL:
		wire_put_u8(b, *(const bool *)member(c, o));
		return;
	case CONF_LISTEN:
	case CONF_SOCKETS:
	case CONF_LOOPBACK: /* behind the options */
		return;
	}
}

/* Those that can be used. */
static void
put_certs(struct buf *b, const struct conf_certs *certs)
{
	uint32_t n = 0;

	for (size_t i = 0; certs != NULL && i < certs->n; i++)
		n += conf_cert_is_usable(&certs->v[i]);
	wire_put_u32(b, n);
	for (size_t i = 0; n > 0 && i < certs->n; i++) {
		const struct conf_cert *c = &certs->v[i];

		if (!conf_cert_is_usable(c))
			continue;
		wire_put_u8(b, (uint8_t)c->kind);
		wire_put_str(b, str_c(c->names));
		wire_put_str(b, str_c(c->chain));
		wire_put_str(b, str_c(c->key));
	}
}

bool
conf_serves_tls(enum role role)
{
	return role == ROLE_SMTP || role == ROLE_IMAP || role == ROLE_WEB;
}

void
conf_encode(const struct conf *c, enum role for_role, struct buf *b)
{
	wire_put_u32(b, SNAPSHOT_MAGIC);
	for (size_t i = 0; i < conf_option_count; i++)
		put_option(b, c, &conf_options[i]);
	wire_put_str(b, str_c(c->metrics_address));
	wire_put_u32(b, c->metrics_port);
	wire_put_u32(b, c->listener_count);
	for (uint32_t i = 0; i < c->listener_count; i++) {
		wire_put_u8(b, (uint8_t)c->listeners[i].service);
		wire_put_u16(b, c->listeners[i].port);
		wire_put_str(b, str_c(c->listeners[i].address));
	}
	put_certs(b, conf_serves_tls(for_role) ? &c->certs : NULL);
}

/* A string without a NUL inside, as a C string. */
static bool
get_text(struct wire *w, size_t max, char **to)
{
	struct str s = wire_get_str(w);

	if (w->failed || s.n > max || (s.n && memchr(s.p, 0, s.n) != NULL))
		return false;
	free(*to);
	*to = str_dup(s);
	return true;
}

static bool
get_text_list(struct wire *w, struct conf *c, const struct conf_option *o)
{
	struct str s = wire_get_str(w);

	while (s.n > 0) {
		struct str one;

		s = str_split(s, '\n', &one);
		if (!conf_set(o, c, one))
			return false;
	}
	return !w->failed;
}

static bool
get_option(struct wire *w, struct conf *c, const struct conf_option *o)
{
	void *to = (char *)c + o->offset;
	uint64_t v;

	switch (o->type) {
	case CONF_STRING:
	case CONF_NAME:
	case CONF_ADDRESS:
	case CONF_PATH:
	case CONF_LEVEL:
		return conf_set(o, c, wire_get_str(w)) && !w->failed;
	case CONF_COUNT:
	case CONF_TIME:
	case CONF_TIME_DAYS:
		v = wire_get_u32(w);
		*(uint32_t *)to = (uint32_t)v;
		return conf_in_range(o, v);
	case CONF_BIGCOUNT:
	case CONF_SIZE:
		v = wire_get_u64(w);
		*(uint64_t *)to = v;
		return conf_in_range(o, v);
	case CONF_BOOL:
		v = wire_get_u8(w);
		*(bool *)to = v != 0;
		return v <= 1;
	case CONF_LISTEN:
	case CONF_SOCKETS:
	case CONF_LOOPBACK:
		return true;
	case CONF_SERVERS:
	case CONF_ROUTES:
	case CONF_NAMES:
	case CONF_NETWORKS:
	case CONF_HOSTS:
	case CONF_LINKS:
	case CONF_RELAYS:
	case CONF_MIRRORS:
		return get_text_list(w, c, o);
	}
	return false;
}

static bool
get_listeners(struct wire *w, struct conf *c)
{
	uint32_t n = wire_get_u32(w);

	if (n > CONF_LISTENERS_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct conf_listener *l = &c->listeners[i];
		unsigned service = wire_get_u8(w);

		l->port = wire_get_u16(w);
		if (service >= SERVICE_COUNT || !get_text(w, 107, &l->address))
			return false;
		l->service = (enum service)service;
		c->listener_count++;
	}
	return true;
}

static bool
get_certs(struct wire *w, struct conf_certs *certs)
{
	uint32_t n = wire_get_u32(w);

	if (n > CONF_CERTS_MAX)
		return false;
	for (uint32_t i = 0; i < n && !w->failed; i++) {
		struct conf_cert *c = conf_certs_add(certs);
		unsigned kind = wire_get_u8(w);

		if (kind >= CERTIFICATE_KINDS ||
		    !get_text(w, CERTIFICATE_CHAIN_MAX, &c->names) ||
		    !get_text(w, CERTIFICATE_CHAIN_MAX, &c->chain) ||
		    !get_text(w, CERTIFICATE_KEY_MAX, &c->key) ||
		    !conf_cert_is_usable(c))
			return false;
		c->kind = (enum certificate_kind)kind;
	}
	return !w->failed;
}

static bool
get_all(struct wire *w, struct conf *c)
{
	if (wire_get_u32(w) != SNAPSHOT_MAGIC)
		return false;
	for (size_t i = 0; i < conf_option_count; i++)
		if (!get_option(w, c, &conf_options[i]))
			return false;
	if (!get_text(w, 64, &c->metrics_address))
		return false;
	c->metrics_port = wire_get_u32(w);
	if (c->metrics_port > 65535 || !get_listeners(w, c))
		return false;
	return get_certs(w, &c->certs) && wire_is_complete(w);
}

int
conf_decode(struct str snapshot, struct conf **ret)
{
	struct wire w = wire_read(snapshot);
	struct conf *c = conf_new();

	if (!get_all(&w, c)) {
		conf_free(c);
		return -EBADMSG;
	}
	*ret = c;
	return 0;
}

void
conf_take(struct conf **c, struct str snapshot)
{
	struct conf *fresh;

	if (conf_decode(snapshot, &fresh) < 0)
		die("the supervisor sent a configuration that is none");
	conf_free(*c);
	*c = fresh;
}
