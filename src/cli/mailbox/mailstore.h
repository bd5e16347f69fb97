/* SPDX-License-Identifier: ISC */
/*
 * mailstore.h - an account's mailboxes as import and export use them: one
 * session of the administrator, blocking calls.
 */
#pragma once

#include "cli/admin.h"

#define MAILSTORE_SESSION 1

/* Grant our session to the account of login. An exit code. */
int mailstore_open(struct admin *a, const char *login) WARN_UNUSED;
/* A request of that session; exit code, and the outcome. A temporary failure
 * of the server is tried again for some seconds. */
int mailstore_ask(struct admin *a, const struct admin_call *call,
    enum outcome *ret_outcome, struct buf *reply, int *ret_fd) WARN_UNUSED;
/* Make the mailbox unless it exists. An exit code. */
int mailstore_create(struct admin *a, struct str name) WARN_UNUSED;
/* A sealed memory file with these bytes: for APPEND. */
int mailstore_memfd(struct str bytes) WARN_UNUSED;
