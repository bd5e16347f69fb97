/* SPDX-License-Identifier: ISC */
/* webhook.h - where webhooks may go, for the commands that take one. */
#pragma once

#include "cli/admin.h"

/* A URL of this machine or of a private network would fail at each attempt,
 * unless watch.allow_local is set: ADMIN_REFUSED, and it was printed. url is one. */
int webhook_refuse_local(struct admin *a, struct str url) WARN_UNUSED;
