/* SPDX-License-Identifier: ISC */
/*
 * reach_origin.h - which AS a prefix belongs to, asked of the DNS.
 *
 * The zones of Team Cymru, and others of the same form, answer TXT records:
 *
 *	0.0.90.216.origin.asn.cymru.com  "23028 | 216.90.108.0/24 | US | ..."
 *	AS23028.asn.cymru.com            "23028 | US | arin | ... | TEAMCYMRU, US"
 *
 * Only the prefix of a network as in reach_net.h is in the question, never a
 * client's address: so an AS that has a part of a /16 only is told as that of
 * its first address. Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/buf.h"
#include "proto/reach/reach_net.h"

#define REACH_AS_NAME_MAX 64

/* The name to ask for; false: this network has no prefix. */
bool reach_origin_question(
    struct buf *b, const struct reach_net *n, const char *zone) WARN_UNUSED;
/* The AS; the first when there are several. False: the text is no answer. */
bool reach_origin_answer(struct str text, uint32_t *ret_as) WARN_UNUSED;

void reach_as_question(struct buf *b, uint32_t as, const char *zone);
/* Its name, printable, cut to REACH_AS_NAME_MAX; false: there is none. */
bool reach_as_answer(
    struct str text, char ret[REACH_AS_NAME_MAX + 1]) WARN_UNUSED;
/* Any outsider's name as we keep it: printable UTF-8, no controls, cut. */
void reach_as_name(struct str name, char ret[REACH_AS_NAME_MAX + 1]);
