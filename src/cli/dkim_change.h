/* SPDX-License-Identifier: ISC */
/*
 * dkim_change.h - mailstead dkim activate|remove.
 *
 * A key that DNS does not have is activated only with --force: what it signs would fail.
 */
#pragma once

#include "cli/admin.h"

/* Words: the domain and the selector. An exit code. */
int dkim_change(struct admin *a, struct args *args, enum dkim_action action,
    bool is_forced) WARN_UNUSED;
