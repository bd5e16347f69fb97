/* SPDX-License-Identifier: ISC */
/*
 * certificate_rows.h - what the supervisor says of certificates, and role acme
 * of those that it looks after.
 */
#pragma once

#include "cli/admin.h"

typedef void (*certificate_row_fn)(void *arg, const struct msg_cert_row *row);
/* All of them; fn may be NULL. *ret_has_acme: role acme looks after some. An exit
 * code; what is wrong was printed. */
int certificate_rows_each(struct admin *a, certificate_row_fn fn, void *arg,
    bool *ret_has_acme) WARN_UNUSED;

/* One line of acme.hosts. */
struct certificate_state {
	char *host, *names, *step, *error; /* the list's */
	const char *state;
	bool is_running; /* or waits for its turn */
	uint64_t ends, next, runs;
};
struct certificate_states;
struct certificate_states *certificate_states_new(void);
void certificate_states_free(struct certificate_states *s);
/* From role acme, anew. As certificate_rows_each(). */
int certificate_states_read(
    struct admin *a, struct certificate_states *s) WARN_UNUSED;
size_t certificate_states_count(const struct certificate_states *s);
const struct certificate_state *certificate_states_at(
    const struct certificate_states *s, size_t i);
/* NULL: there is none. */
const struct certificate_state *certificate_states_find(
    const struct certificate_states *s, struct str host);

/* cmd_certificate_renew.c: of one host, or all (""); waits for the end, and says
 * how far it is. An exit code. */
int certificate_renew(struct admin *a, const char *host, bool has_new_key);
