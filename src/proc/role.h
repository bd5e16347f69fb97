/* SPDX-License-Identifier: ISC */
/*
 * role.h - the processes of Mailstead, and what a client can connect to.
 *
 * One process each, or N workers (smtp, imap, filter, web). The command line is
 * a role too: it speaks the internal protocol through the control socket.
 */
#pragma once

#include "base/base.h"

enum role {
	ROLE_SUPERVISOR,
	ROLE_STORE,
	ROLE_AUTH,
	ROLE_FILTER,
	ROLE_SMTP,
	ROLE_IMAP,
	ROLE_SEND,
	ROLE_WATCH,
	ROLE_WEB,
	ROLE_ACME,
	ROLE_CLI,
};
#define ROLE_COUNT  11
#define ROLE_BIT(r) (1U << (r))

/* What a listening socket serves. */
enum service {
	SERVICE_MX,          /* smtp: 25 */
	SERVICE_SUBMISSION,  /* smtp: 587, STARTTLS */
	SERVICE_SUBMISSIONS, /* smtp: 465, implicit TLS */
	SERVICE_LMTP,        /* smtp: a Unix socket */
	SERVICE_IMAP,        /* imap: 143 */
	SERVICE_IMAPS,       /* imap: 993 */
	SERVICE_POP3,        /* imap: 110 */
	SERVICE_POP3S,       /* imap: 995 */
	SERVICE_HTTP,        /* web: 80 */
	SERVICE_HTTPS,       /* web: 443 */
};
#define SERVICE_COUNT 10

const char *role_name(enum role r);
bool role_from_name(const char *name, enum role *ret) WARN_UNUSED;
const char *service_name(enum service s);
enum role service_role(enum service s);
bool service_is_implicit_tls(enum service s);
