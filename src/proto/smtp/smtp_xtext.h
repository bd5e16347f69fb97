/* SPDX-License-Identifier: ISC */
/*
 * smtp_xtext.h - the encoding of parameter values (RFC 3461 section 4).
 *
 * "+" and two upper-case hexadecimal digits stand for a byte that must not
 * stand for itself in an SMTP parameter. Layer: proto.
 */
#pragma once

#include "base/buf.h"

/* Append the encoding of any bytes. */
void smtp_xtext_encode(struct buf *to, struct str in);
/*
 * Append the decoded bytes; false (and nothing appended) when in is not
 * xtext, false with to->failed when they do not fit. They may be anything,
 * CR and LF included: whoever prints them checks them first.
 */
bool smtp_xtext_decode(struct buf *to, struct str in) WARN_UNUSED;
