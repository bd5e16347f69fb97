/* SPDX-License-Identifier: ISC */
/* identity.c - in whose name a message leaves. See identity.h. */
#include "send/message/identity.h"

#include "proto/mime/mime_address.h"
#include "proto/mime/mime_header.h"

/* Authors whose domains are looked at; names of our host above it. */
#define AUTHORS_MAX 4
#define PARENTS_MAX 3

static void
add(struct identity *id, struct str domain)
{
	if (domain.n == 0 || id->n == IDENTITY_DOMAINS_MAX)
		return;
	for (size_t i = 0; i < id->n; i++)
		if (str_eq_case(id->domains[i], domain))
			return;
	id->domains[id->n++] = domain;
}

static struct str
domain_of(struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');

	return at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
}

/* mail.example.net may have no keys, while example.net has. */
static void
add_host(struct identity *id, struct str host)
{
	struct str label;

	for (unsigned i = 0; i <= PARENTS_MAX && str_find(host, '.') > 0; i++) {
		add(id, host);
		host = str_split(host, '.', &label);
	}
}

/* The authors in From; only: of that domain, when it is not empty. */
static void
add_authors(struct identity *id, const struct identity_input *in,
    struct arena *a, struct str only)
{
	struct mime_field from;
	struct mime_address *author;

	if (!mime_header_find(in->header, STR("From"), &from))
		return;
	author = mime_address_parse(from.value, AUTHORS_MAX, a, NULL);
	for (; author != NULL; author = author->next)
		if (author->kind == MIME_ADDRESS_MAILBOX &&
		    (only.n == 0 || str_eq_case(author->domain, only)))
			add(id, author->domain);
}

void
identity_find(
    const struct identity_input *in, struct arena *a, struct identity *ret)
{
	struct str sender = domain_of(in->mail_from);

	*ret = (struct identity){ .kind = IDENTITY_AUTHOR };
	if (in->via.n > 0) {
		ret->kind = IDENTITY_FORWARD;
		add(ret, in->via);
		add_host(ret, in->hostname);
	} else if (in->account != 0) {
		if (in->is_from_checked || sender.n > 0)
			add_authors(ret, in, a,
			    in->is_from_checked ? STR_NONE : sender);
		add(ret, sender);
	} else {
		add_authors(ret, in, a, STR_NONE);
		add(ret, sender);
		add_host(ret, in->hostname);
	}
}
