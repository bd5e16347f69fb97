/* SPDX-License-Identifier: ISC */
/* system_command.h - the sub-commands of system. Exit codes. */
#pragma once

#include "cli/admin.h"

int system_list(struct admin *a) WARN_UNUSED;
int system_show(struct admin *a, const char *id) WARN_UNUSED;
/* With its planned work and, when they are named, its checks: it is refused while it
 * has some, else. Tells what went, and who is told of it no more. */
int system_remove(
    struct admin *a, const char *id, bool with_checks) WARN_UNUSED;
