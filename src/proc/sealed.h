/* SPDX-License-Identifier: ISC */
/* sealed.h - lend a message that was made here to filter and store. */
#pragma once

#include "base/str.h"

/*
 * What goes to the other processes of text: either *ret_data, which is text,
 * or a sealed memory file of its own in *ret_fd (else -1). False: no
 * descriptor or no memory is left.
 */
bool sealed_lend(
    struct str text, struct str *ret_data, int *ret_fd) WARN_UNUSED;
