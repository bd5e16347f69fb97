/* SPDX-License-Identifier: ISC */
/*
 * reach_draft.h - mailstead reach draft: the text of a post about a signal, and of
 * the request to a receiver that refuses us.
 */
#pragma once

#include "cli/admin.h"

/* id: as 'reach signals' prints it; language: "en", "fr", "pt", or NULL. An exit
 * code. */
int reach_draft(struct admin *a, const char *id, const char *language);
