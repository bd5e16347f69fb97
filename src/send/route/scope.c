/* SPDX-License-Identifier: ISC */
/* scope.c - how much a refusal shuts. See scope.h. */
#include "send/route/scope.h"

#define DOMAIN_SCOPE STR("domain:")

void
scope_put(
    const struct provider_table *t, const struct scope_host *h, struct buf *to)
{
	struct str group = h->is_relay ? STR_NONE : provider_of(t, h->host);

	if (h->is_relay)
		buf_printf(to, "relay:%.*s:%u", STR_ARG(h->host), h->port);
	else if (group.n > 0)
		buf_put_str(to, group);
	else
		buf_printf(to, "mx:%.*s", STR_ARG(h->host));
}

void
scope_put_domain(struct str domain, struct buf *to)
{
	buf_put_str(to, DOMAIN_SCOPE);
	buf_put_str(to, domain);
}

struct str
scope_domain(struct str scope)
{
	if (!str_starts(scope, DOMAIN_SCOPE))
		return STR_NONE;
	return str_from(scope, DOMAIN_SCOPE.n);
}

bool
scope_is_shared(const struct provider_table *t, const struct scope_host *h)
{
	return !h->is_relay && provider_of(t, h->host).n > 0;
}

bool
scope_agree(const struct provider_table *t, const struct suffixes *s,
    const struct scope_witness *a, const struct scope_witness *b)
{
	struct str group = provider_of(t, a->mx);

	return group.n > 0 && str_eq(group, provider_of(t, b->mx)) &&
	       !str_eq_case(suffixes_organisation(s, a->domain),
		   suffixes_organisation(s, b->domain));
}
