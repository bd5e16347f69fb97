/* SPDX-License-Identifier: ISC */
/* dkim_list.h - mailstead dkim list: each key, its state, and whether DNS has it. */
#pragma once

#include "cli/admin.h"

/* Of a domain (the first word), or all. An exit code. */
int dkim_list(struct admin *a, struct args *args) WARN_UNUSED;
