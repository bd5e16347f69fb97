/* SPDX-License-Identifier: ISC */
/*
 * address.h - the form in which the directory knows addresses and domains.
 *
 * Domains in lower case, and as U-labels, whichever way they were written
 * (net/idn.h): one name is one key, and lists show it as people read it.
 * Local parts in lower case too: RFC 5321 lets a receiving system treat its
 * own local parts without regard to case, and people expect it. Pure.
 */
#pragma once

#include "base/buf.h"

#define ADDRESS_MAX 190 /* bytes of an address that can exist here */
#define DOMAIN_MAX  180

/* A domain name: LDH labels and U-labels, into out (emptied first). */
bool domain_clean(struct str domain, struct buf *out) WARN_UNUSED;
/* local@domain; the part after the last @ is the domain. */
bool address_clean(struct str address, struct buf *out) WARN_UNUSED;
/* Is it fit to be made: no blanks, quotes and the like in the local part?
 * address is clean. */
bool address_is_plain(struct str address);
/* "@domain", lower case. */
bool catch_all_clean(struct str address, struct buf *out) WARN_UNUSED;
struct str address_domain(struct str address);
struct str address_local(struct str address);
