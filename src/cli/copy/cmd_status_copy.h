/* SPDX-License-Identifier: ISC */
/* cmd_status_copy.h - static copies of the status site, for cmd_status(). */
#pragma once

#include "cli/cli.h"

#define STATUS_USAGE_EXPORT "status export DIR [--json]"
#define STATUS_USAGE_PUSH   "status push [--continuous] [--user NAME] [--json]"

/* argv: behind the verb. Exit codes. */
int status_export(struct admin *a, int argc, char **argv);
int status_push(struct admin *a, int argc, char **argv);
