/* SPDX-License-Identifier: ISC */
/* conf_acme.c - what the configuration lets role acme do. See conf_acme.h. */
#include "conf/conf_acme.h"

static bool
is_wanted(const struct conf *c, const char *kind)
{
	return strcmp(c->acme_challenge, "any") == 0 ||
	       strcmp(c->acme_challenge, kind) == 0;
}

static bool
listens(const struct conf *c, enum service service)
{
	for (uint32_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].service == service)
			return true;
	return false;
}

struct conf_acme_kinds
conf_acme_kinds(const struct conf *c)
{
	return (struct conf_acme_kinds){
		.http_01 = is_wanted(c, "http-01") && listens(c, SERVICE_HTTP),
		.tls_alpn_01 =
		    is_wanted(c, "tls-alpn-01") && listens(c, SERVICE_HTTPS),
	};
}

const char *
conf_acme_lack(const struct conf *c)
{
	struct conf_acme_kinds kinds = conf_acme_kinds(c);

	if (kinds.http_01 || kinds.tls_alpn_01)
		return NULL;
	if (strcmp(c->acme_challenge, "http-01") == 0)
		return "acme.challenge = http-01 needs listen.http";
	if (strcmp(c->acme_challenge, "tls-alpn-01") == 0)
		return "acme.challenge = tls-alpn-01 needs listen.https";
	return "acme.hosts needs listen.http or listen.https";
}
