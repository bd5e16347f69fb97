/* SPDX-License-Identifier: ISC */
/* dkim_found.h - enum dkim_found in words, for logs and people. */
#pragma once

#include "proc/ipc_msgs.h"

/* "published", "missing", "different"; "unknown" of all else. */
const char *dkim_found_str(uint8_t found);
