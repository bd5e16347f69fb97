/* SPDX-License-Identifier: ISC */
/* secret.c - bytes that must not stay in memory. See secret.h. */
#include "base/secret.h"

#include <sys/random.h>

void
secret_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void
secret_done(struct secret *x)
{
	if (x->p) {
		secret_wipe(x->p, x->n);
		free(x->p);
	}
	*x = SECRET_NONE;
}

void
secret_set(struct secret *x, struct str s)
{
	char *copy = x_malloc(s.n + 1);

	/* s may point into what x holds: copy before wiping. */
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	secret_done(x);
	*x = (struct secret){ copy, s.n };
}

void
secret_move(struct secret *x, struct secret *from)
{
	struct secret taken = *from;

	*from = SECRET_NONE;
	secret_done(x);
	*x = taken;
}

void
secret_random(void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			die("no random numbers: %s", strerror(errno));
		at += got;
		n -= (size_t)got;
	}
}

uint32_t
secret_random_u32(void)
{
	uint32_t v;

	secret_random(&v, sizeof(v));
	return v;
}
