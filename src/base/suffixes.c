/* SPDX-License-Identifier: ISC */
/*
 * suffixes.c - where the registered part of a domain begins, by libpsl.
 */
#include "base/suffixes.h"

#include "base/hostname.h"

#include <libpsl.h>

struct suffixes {
	psl_ctx_t *psl;
};

static struct suffixes *
take(psl_ctx_t *psl)
{
	struct suffixes *s = psl ? X_NEW(struct suffixes) : NULL;

	if (s)
		s->psl = psl;
	return s;
}

struct suffixes *
suffixes_load(void)
{
	return take(psl_latest(NULL));
}

struct suffixes *
suffixes_parse(struct str text)
{
	FILE *f;
	psl_ctx_t *psl;
	char *copy;

	if (text.n == 0)
		return NULL;
	copy = str_dup(text);
	f = fmemopen(copy, text.n, "r");
	psl = f ? psl_load_fp(f) : NULL;
	if (f)
		fclose(f);
	free(copy);
	return take(psl);
}

struct suffixes *
suffixes_free(struct suffixes *s)
{
	if (!s)
		return NULL;
	psl_free(s->psl);
	free(s);
	return NULL;
}

struct str
suffixes_organisation(const struct suffixes *s, struct str domain)
{
	char name[HOSTNAME_MAX + 1];
	const char *found;

	if (!hostname_is_valid(domain))
		return domain;
	/* The library compares bytes. */
	for (size_t i = 0; i < domain.n; i++)
		name[i] = ascii_lower(domain.p[i]);
	name[domain.n] = '\0';
	found = s ? psl_registrable_domain(s->psl, name) : NULL;
	return found ? str_from(domain, (size_t)(found - name)) : domain;
}
