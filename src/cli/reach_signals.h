/* SPDX-License-Identifier: ISC */
/*
 * reach_signals.h - mailstead reach signals|approve|dismiss: what is suspected, and
 * what strangers may hear of it. All return an exit code.
 */
#pragma once

#include "cli/admin.h"

int reach_signals(struct admin *a);
/* id: as reach_signals() prints it. text: own words for the public, or NULL. */
int reach_decide(
    struct admin *a, const char *id, bool is_approved, const char *text);
