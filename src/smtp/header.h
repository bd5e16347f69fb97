/* SPDX-License-Identifier: ISC */
/* header.h - the lines in front of a recipient's copy of a message. */
#pragma once

#include "smtp/session.h"

/* Longest prefix of one recipient. */
#define HEADER_PREFIX_MAX KIB(256)

/* Append all of them: Return-Path, Delivered-To, Received, what the filter
 * said, and what a submitted message lacks. */
void header_prefix(struct buf *b, struct session *s, const struct rcpt *r);
