/* SPDX-License-Identifier: ISC */
/* header.h - the lines in front of a recipient's copy of a message. */
#pragma once

#include "smtp/session.h"

/* Longest prefix of one recipient. */
#define HEADER_PREFIX_MAX KIB(256)

/* Append all of them: Return-Path, Delivered-To, Received, and what the
 * filter said. */
void header_prefix(struct buf *b, struct session *s, const struct rcpt *r);
/* Append the fields among missing (MIME_LACKS_*) that a submission server
 * adds: From, Date, Message-ID. Nothing when it lacks none. */
void header_missing(struct buf *b, struct session *s, unsigned missing);
