/* SPDX-License-Identifier: ISC */
/*
 * dkim_rotate_all.h - mailstead dkim rotate --all: new keys for all domains whose keys are old.
 */
#pragma once

#include "cli/admin.h"

/*
 * Begin a rotation of each kind of key that signs since age_s seconds or longer (0: for as
 * long as the server's dkim.rotate says) where none is under way, and print of which domains. One
 * that fails does not keep the others from it. An exit code.
 */
int dkim_rotate_all(struct admin *a, uint64_t age_s) WARN_UNUSED;
