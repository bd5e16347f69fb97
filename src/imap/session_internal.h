/* SPDX-License-Identifier: ISC */
/* session_internal.h - what the files of session.h share. */
#pragma once

#include "imap/session.h"

/* What came from the client, as far as it may be looked at now. */
void session_input(struct session *s);
/* The command under way is over, its password wiped; without one: nothing. */
void session_command_free(struct session *s);
/* Nobody hears any more of what was asked. */
void session_asks_cancel(struct session *s);
