/* SPDX-License-Identifier: ISC */
/* author.c - whom our mail is from. See author.h. */
#include "watch/outbox/author.h"

bool
author_is_for_readers(enum status_purpose purpose)
{
	return purpose == STATUS_FOR_NEWS || purpose == STATUS_FOR_CONFIRM;
}

static char *
from_of(const struct conf *c, bool is_of_site)
{
	if (is_of_site && c->site_from[0] != '\0')
		return x_strdup(c->site_from);
	if (c->report_from[0] != '\0')
		return x_strdup(c->report_from);
	return x_asprintf("postmaster@%s", c->hostname);
}

/* An address is none: it ends with a number, or has colons. */
static bool
is_name(struct str host)
{
	return host.n > 0 && ascii_is_alpha(host.p[host.n - 1]) &&
	       str_find(host, ':') < 0;
}

/* The host of the status site is ours, as a list's name has to be, and stays the same
 * when relays and senders change; where it has no name, this server has one. */
static char *
list_of(const struct conf *c)
{
	struct str host = STR_NONE, url = str_c(c->site_url);

	if (status_is_url(url))
		host = status_url_parts(url).host;
	if (!is_name(host))
		host = str_c(c->hostname);
	if (!is_name(host))
		return NULL;
	return x_asprintf("news.%.*s", STR_ARG(host));
}

void
author_init(struct author *a, const struct conf *c, enum status_purpose purpose)
{
	bool is_of_site = author_is_for_readers(purpose);

	*a = (struct author){ .from = from_of(c, is_of_site) };
	if (!is_of_site) {
		a->name = x_asprintf("Monitoring of %s", c->hostname);
		return;
	}
	a->name = x_strdup(c->site_title[0] ? c->site_title : c->hostname);
	if (status_is_mailbox(str_c(c->site_contact)))
		a->reply_to = x_strdup(c->site_contact);
	if (purpose == STATUS_FOR_NEWS)
		a->list = list_of(c);
}

void
author_done(struct author *a)
{
	free(a->name);
	free(a->from);
	free(a->reply_to);
	free(a->list);
	*a = (struct author){ 0 };
}

struct letter_stamp
author_stamp(const struct author *a, const struct conf *c, const char *id)
{
	return (struct letter_stamp){ .id = id,
		.from = str_c(a->from),
		.name = str_c(a->name),
		.host = str_c(c->hostname),
		.reply_to = a->reply_to != NULL ? str_c(a->reply_to) : STR_NONE,
		.list = a->list != NULL ? str_c(a->list) : STR_NONE };
}
