/* SPDX-License-Identifier: ISC */
/*
 * hosts.c - the mail servers of domains, as the operator's command had them looked up.
 *
 * The store does no look-ups. What it is told stands with the domain, in memory, until the
 * domain has no entries any more: so one walk through the queue finds all mail for a host,
 * also what was never tried. Strangers decide what is told: there is a limit of bytes, and
 * what is beyond it stays unknown, which the command says.
 */
#include "store/queue/queue_internal.h"

#include "proto/mx/mx.h"

#define HOSTS_BYTES_MAX MIB(64) /* of all domains */
#define HOSTS_MAX       (MX_HOSTS_MAX * (MX_NAME_MAX + 1))

void
domain_forget_hosts(struct queue *q, struct queue_domain *d)
{
	if (d->has_hosts)
		q->host_bytes -= d->hosts.n;
	str_free(&d->hosts);
	d->has_hosts = false;
}

bool
queue_host_fits(struct str wanted, struct str host)
{
	if (str_starts(wanted, STR("*.")))
		return str_ends_case(host, str_from(wanted, 1));
	return str_eq_case(wanted, host);
}

enum hosts_fit
domain_hosts_fit(const struct queue_domain *d, struct str wanted)
{
	struct str rest, host;

	if (d == NULL || !d->has_hosts)
		return HOSTS_UNKNOWN;
	rest = d->hosts;
	while (rest.n > 0) {
		rest = str_split(rest, ' ', &host);
		if (queue_host_fits(wanted, host))
			return HOSTS_FIT;
	}
	return HOSTS_OTHERS;
}

/*
 * What could not be looked up now leaves the hosts that were known before, but not that there
 * are none: that may have been for a setting, and nobody would look at this mail again.
 */
static void
take(struct queue *q, const struct msg_mx_found *m)
{
	struct queue_domain *d = domain_find(q, m->domain);

	if (d == NULL || (!m->is_known && d->hosts.n > 0))
		return;
	domain_forget_hosts(q, d);
	if (!m->is_known)
		return;
	if (m->hosts.n > HOSTS_BYTES_MAX - q->host_bytes)
		return;
	d->hosts = str_copy(m->hosts);
	d->has_hosts = true;
	q->host_bytes += d->hosts.n;
}

struct verdict
queue_hosts(struct queue *q, const struct msg_list_reply *m)
{
	struct wire w = wire_read(m->items);
	struct msg_mx_found found;

	while (w.in.n > 0) {
		if (!msg_mx_found_read(&w, &found) || found.hosts.n > HOSTS_MAX)
			return verdict_permfail(REASON_INTERNAL);
		take(q, &found);
	}
	return VERDICT_DONE;
}
