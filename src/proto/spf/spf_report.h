/* SPDX-License-Identifier: ISC */
/*
 * spf_report.h - the result of a check as header fields tell it.
 *
 * Names and mailboxes in them come from the client. They are quoted or
 * replaced so that a field is what it is meant to be, in ASCII and without
 * more line ends than ours.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "proto/spf/spf.h"

/*
 * The value of a Received-SPF field (RFC 7208 section 9.1 with erratum 5436),
 * folded by CRLF and a tab, without a line end behind it. Only after
 * SPF_DONE.
 */
void spf_put_received(const struct spf_check *check, struct buf *out);

/*
 * The part about SPF of an Authentication-Results field (RFC 8601 section
 * 2.7.2) in one line: "spf=pass smtp.mailfrom=example.com". The local part
 * is in it only when the domain's record asked for it. Only after SPF_DONE.
 */
void spf_put_auth_result(const struct spf_check *check, struct buf *out);
