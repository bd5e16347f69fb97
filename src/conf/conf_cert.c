/* SPDX-License-Identifier: ISC */
/* conf_cert.c - lists of certificates. See conf_cert.h. */
#include "conf/conf_cert.h"

#include "base/secret.h"

const char *
conf_cert_source_str(enum conf_cert_source s)
{
	static const char *const names[CONF_CERT_SOURCES] = {
		[CONF_CERT_FILES] = "tls.certificate",
		[CONF_CERT_FOLDER] = "tls.folder",
		[CONF_CERT_ACME] = "acme",
		[CONF_CERT_OWN] = "self-signed",
	};

	ASSERT((unsigned)s < CONF_CERT_SOURCES);
	return names[s];
}

struct conf_cert *
conf_certs_add(struct conf_certs *list)
{
	ASSERT(list->n < CONF_CERTS_MAX);
	if ((list->n & (list->n - 1)) == 0) {
		struct conf_cert *v =
		    x_calloc(MAX(list->n * 2, (size_t)1), sizeof(*v));

		if (list->n > 0)
			memcpy(v, list->v, list->n * sizeof(*v));
		free(list->v);
		list->v = v;
	}
	list->v[list->n] = (struct conf_cert){ 0 };
	return &list->v[list->n++];
}

static void
clear(struct conf_cert *c)
{
	if (c->key != NULL)
		secret_wipe(c->key, strlen(c->key));
	free(c->key);
	free(c->label);
	free(c->chain);
	free(c->names);
	free(c->issuer);
	free(c->fault);
}

void
conf_certs_done(struct conf_certs *list)
{
	for (size_t i = 0; i < list->n; i++)
		clear(&list->v[i]);
	free(list->v);
	*list = (struct conf_certs){ 0 };
}

void
conf_cert_copy(struct conf_cert *to, const struct conf_cert *from)
{
	struct conf_cert c = *from;

	c.label = x_strdup(from->label ? from->label : "");
	c.chain = x_strdup(from->chain);
	c.key = x_strdup(from->key);
	c.names = x_strdup(from->names ? from->names : "");
	c.issuer = x_strdup(from->issuer ? from->issuer : "");
	c.fault = NULL;
	clear(to);
	*to = c;
}

bool
conf_cert_covers(const struct conf_cert *c, struct str host)
{
	struct str names = str_c(c->names), one;
	ptrdiff_t dot = str_find(host, '.');

	while (names.n > 0) {
		names = str_split(names, '\n', &one);
		if (str_eq(one, host))
			return true;
		if (dot > 0 && str_starts(one, STR("*.")) &&
		    str_eq(str_from(one, 1), str_from(host, (size_t)dot)))
			return true;
	}
	return false;
}
