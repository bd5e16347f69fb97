/* SPDX-License-Identifier: ISC */
/* session_internal.h - what the files of session.h share. */
#pragma once

#include "imap/session.h"

/* What came from the client, as far as it may be looked at now. */
void session_input(struct session *s);
/* The command under way is over, its password wiped; without one: nothing. */
void session_command_free(struct session *s);
/* client_kind.reply() */
void session_reply(void *session, unsigned ask, struct ipc_msg *m);
