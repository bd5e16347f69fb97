/* SPDX-License-Identifier: ISC */
/*
 * secret.h - bytes that must not stay in memory: passwords, keys, proofs.
 *
 * A struct secret owns its bytes, is wiped when it ends or is replaced, and
 * has no way to be formatted or logged. It never grows in place, because a
 * moved block would leave a copy behind.
 *
 * Layer: base. Random numbers come from the kernel.
 */
#pragma once

#include "base/str.h"

struct secret {
	char *p;
	size_t n;
};
#define SECRET_NONE ((struct secret){ NULL, 0 })

/* A copy of s; what was held is wiped first. NUL-terminated behind its end. */
void secret_set(struct secret *x, struct str s);
/* Wipe and free; x can be used again. Good for CLEANUP(). */
void secret_done(struct secret *x);
/* Take over from's bytes; from is empty afterwards. */
void secret_move(struct secret *x, struct secret *from);

static inline struct str
secret_str(const struct secret *x)
{
	return (struct str){ x->p, x->n };
}

/* Overwrite n bytes in a way that no compiler leaves out. */
void secret_wipe(void *p, size_t n);
/* Fill with random bytes fit for keys. Ends the process when it cannot. */
void secret_random(void *p, size_t n);
uint32_t secret_random_u32(void);
