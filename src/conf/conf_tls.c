/* SPDX-License-Identifier: ISC */
/* conf_tls.c - a TLS context of the configuration. See conf_tls.h. */
#include "conf/conf_tls.h"

#include "base/log.h"

/* 1; 0 when there are none; -EINVAL with *ret_error (heap). */
static int
new_context(struct conf *c, struct tls_context **ret, char **ret_error)
{
	struct tls_certificate *all;
	int r;

	if (c->certs.n == 0)
		return 0;
	all = x_calloc(c->certs.n, sizeof(all[0]));
	for (size_t i = 0; i < c->certs.n; i++) {
		const struct conf_cert *from = &c->certs.v[i];

		all[i] = (struct tls_certificate){ .chain = str_c(from->chain),
			.key = str_c(from->key),
			.names = str_c(from->names),
			.kind = from->kind };
	}
	r = tls_server_context_new(all, c->certs.n, ret, ret_error);
	free(all);
	conf_certs_done(&c->certs);
	return r < 0 ? r : 1;
}

bool
conf_tls_renew(struct conf *c, struct tls_context **tls)
{
	struct tls_context *fresh = NULL;
	char *error = NULL;
	int r = new_context(c, &fresh, &error);

	if (r < 0) {
		log_event(EV_CONF_TLS_FAIL, LC("error", error));
		free(error);
	}
	if (r <= 0)
		return false;
	tls_context_unref(*tls);
	*tls = fresh;
	return true;
}
