/* SPDX-License-Identifier: ISC */
/* idn.h - host names of other scripts in the form that DNS has (RFC 5891). */
#pragma once

#include "base/buf.h"

/*
 * Write name as a C string of ASCII: "bücher.example" becomes
 * "xn--bcher-kva.example"; a name that is ASCII stays as it is. False when it
 * is no possible name, or longer than size - 1 bytes; to is untouched then.
 */
bool idn_to_ascii(struct str name, char *to, size_t size) WARN_UNUSED;

/* Longer names are no domain names, whatever their script. */
#define IDN_NAME_MAX 255

/*
 * Append the one form of a domain name that all its spellings share, as
 * people read it: lower case, U-labels in place of A-labels, mapped and
 * checked by UTS 46 without its transitional rules, so that sharp s keeps its
 * own name. A name in ASCII without A-labels is only put in lower case. False
 * when it is no possible name; nothing is appended then.
 */
bool idn_canonical(struct str name, struct buf *to) WARN_UNUSED;
