/* SPDX-License-Identifier: ISC */
/*
 * supervisor.h - the process that starts all others. See main.c.
 */
#pragma once

#include "base/base.h"

/* Run the server of a configuration file, in the foreground, until SIGTERM or
 * SIGINT. The exit status. */
int supervisor_run(const char *config_path);
