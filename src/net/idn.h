/* SPDX-License-Identifier: ISC */
/* idn.h - host names of other scripts in the form that DNS has (RFC 5891). */
#pragma once

#include "base/str.h"

/*
 * Write name as a C string of ASCII: "bücher.example" becomes
 * "xn--bcher-kva.example"; a name that is ASCII stays as it is. False when it
 * is no possible name, or longer than size - 1 bytes; to is untouched then.
 */
bool idn_to_ascii(struct str name, char *to, size_t size) WARN_UNUSED;
