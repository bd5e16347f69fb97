/* SPDX-License-Identifier: ISC */
/*
 * status_signal.h - what a person decided about a signal: rows of the ledger's
 * table SIGNAL.
 *
 * The key is the signal's name (reach_signal_put_id() and others). A row is
 * about the signal that is on now: role watch ends it when that is over.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_text.h"

#define STATUS_SIGNAL_ROW_MAX KIB(1)

struct status_signal {
	bool is_approved; /* the public may know; else: not at all */
	uint64_t at_s;
	struct str text; /* in place of ours; status_is_text(), or empty */
};

void status_signal_encode(const struct status_signal *s, struct buf *to);
/* The text points into the value. False: it is not one. */
bool status_signal_decode(
    struct str value, struct status_signal *ret) WARN_UNUSED;
