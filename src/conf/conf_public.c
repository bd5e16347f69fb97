/* SPDX-License-Identifier: ISC */
/* conf_public.c - what the world is told. See conf_public.h. */
#include "conf/conf_public.h"

#include "base/crypt.h"
#include "base/hostname.h"
#include "net/idn.h"
#include "proto/autoconfig/autoconfig.h"
#include "proto/mtasts/mtasts.h"

#define POLICY_AGE_S 604800
#define ID_BYTES     8

/* clang-format off */
/* TLS from the first byte goes first: RFC 8314 section 3. */
const struct conf_client_service conf_client_services[CONF_CLIENT_SERVICES] = {
	{ SERVICE_IMAPS, 993, "_imaps", "IMAP with TLS", 0 },
	{ SERVICE_IMAP, 143, "_imap", "IMAP with STARTTLS", 10 },
	{ SERVICE_SUBMISSIONS, 465, "_submissions", "submission with TLS", 0 },
	{ SERVICE_SUBMISSION, 587, "_submission", "submission with STARTTLS", 10 },
	{ SERVICE_POP3S, 995, "_pop3s", "POP3 with TLS", 20 },
	{ SERVICE_POP3, 110, "_pop3", "POP3 with STLS", 30 },
};
/* clang-format on */

uint16_t
conf_public_port(const struct conf *c, const struct conf_client_service *s)
{
	uint16_t port = 0;

	for (uint32_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].service == s->service &&
		    (!port || c->listeners[i].port == s->usual_port))
			port = c->listeners[i].port;
	return port;
}

bool
conf_public_host(const struct conf *c, char *to, size_t size)
{
	return idn_to_ascii(str_c(c->hostname), to, size);
}

/* --- MTA-STS ------------------------------------------------------------------- */

bool
conf_put_mtasts(const struct conf *c, struct buf *to)
{
	char host[HOSTNAME_MAX + 1];
	struct str mx;

	if (!conf_public_host(c, host, sizeof(host)))
		return false;
	mx = str_c(host);
	return mtasts_put_policy(to, MTASTS_MODE_ENFORCE, POLICY_AGE_S, &mx, 1);
}

void
conf_put_mtasts_id(struct str policy, struct buf *to)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	crypt_digest_put(d, policy);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	for (size_t i = 0; i < ID_BYTES; i++)
		buf_printf(to, "%02x", sum.v[i]);
}

/* --- mail programs ------------------------------------------------------------- */

static enum autoconfig_kind
kind_of(enum service s)
{
	if (s == SERVICE_IMAP || s == SERVICE_IMAPS)
		return AUTOCONFIG_IMAP;
	if (s == SERVICE_POP3 || s == SERVICE_POP3S)
		return AUTOCONFIG_POP3;
	return AUTOCONFIG_SMTP;
}

bool
conf_put_autoconfig(const struct conf *c, struct str domain, struct buf *to)
{
	struct autoconfig_server servers[CONF_CLIENT_SERVICES];
	struct autoconfig a = { .domain = domain, .servers = servers };
	char host[HOSTNAME_MAX + 1];

	if (!conf_public_host(c, host, sizeof(host)))
		return false;
	a.host = str_c(host);
	for (size_t i = 0; i < CONF_CLIENT_SERVICES; i++) {
		const struct conf_client_service *s = &conf_client_services[i];
		uint16_t port = conf_public_port(c, s);

		if (port)
			servers[a.n++] = (struct autoconfig_server){
				.kind = kind_of(s->service),
				.port = port,
				.is_tls = service_is_implicit_tls(s->service)
			};
	}
	return autoconfig_put(to, &a);
}
