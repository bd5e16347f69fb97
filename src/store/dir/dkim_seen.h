/* SPDX-License-Identifier: ISC */
/*
 * dkim_seen.h - what DNS has of a domain's keys, and what becomes of them for it.
 *
 * Nothing signs by itself before its record was seen; what signs goes on whatever DNS
 * says, for a signature that fails is worth as much as none (RFC 6376 section 6.1). When
 * DNS does not say anything, nothing changes. Pure.
 */
#pragma once

#include "store/dir/dir.h"
#include "store/dir/dkim_record.h"

/* Entry i is new. is_rotation: it is to sign instead of what signs now; else it is when
 * there is none of its kind that signs, or will. */
void dkim_record_begin(struct dkim_record *r, size_t i, uint64_t now,
    const struct dir_dkim_times *t, bool is_rotation);
/*
 * DNS was asked for entry i, and has (enum dkim_found) that of it. What has come of it but
 * that it signs (enum dkim_turn), as bits; when to look again is set in any case.
 */
unsigned dkim_record_saw(struct dkim_record *r, size_t i, uint8_t found,
    uint64_t now, const struct dir_dkim_times *t);
/* Somebody goes to look for entry i: when to do it again if nothing is heard of him. */
void dkim_record_look(struct dkim_record *r, size_t i, uint64_t now);
/*
 * Do what the setting wants that was not so before: keys are looked for, or none is waited
 * for. False: all is as it should be.
 */
bool dkim_record_settle(
    struct dkim_record *r, uint64_t now, const struct dir_dkim_times *t);
/* A key that signs, or will, is not in DNS, or otherwise; or DNS has not said for an hour
 * what it has of a new one. */
bool dkim_record_is_unpublished(const struct dkim_record *r, uint64_t now);
