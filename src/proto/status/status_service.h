/* SPDX-License-Identifier: ISC */
/*
 * status_service.h - what customers do, and which checks tell of it.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_check.h"

enum status_service {
	STATUS_RECEIVE,
	STATUS_SEND,
	STATUS_READ,
	STATUS_WEBMAIL,
	STATUS_SIGN_IN,
	STATUS_SERVICES
};

#define STATUS_SERVICE_BIT(s) (1U << (s))

/* "receive", "send", "read", "webmail", "sign-in" */
const char *status_service_name(enum status_service s);
/*
 * The bits of those that a check tells of: what service= says; else receive for
 * smtp, send for submission, read for imap and pop3, with a login
 * sign-in as well; both receive and send for roundtrip; nothing for other kinds. Of a
 * relay, smtp is about sending.
 */
unsigned status_check_services(const struct status_check *c, bool is_relay);
