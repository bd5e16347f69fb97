/* SPDX-License-Identifier: ISC */
/* status_service.c - which check tells of what. See status_service.h. */
#include "proto/status/status_service.h"

#define BIT STATUS_SERVICE_BIT

static const char *const names[STATUS_SERVICES] = {
	[STATUS_RECEIVE] = "receive",
	[STATUS_SEND] = "send",
	[STATUS_READ] = "read",
	[STATUS_WEBMAIL] = "webmail",
	[STATUS_SIGN_IN] = "sign-in",
};

const char *
status_service_name(enum status_service s)
{
	ASSERT((unsigned)s < STATUS_SERVICES);
	return names[s];
}

static unsigned
of_kind(enum status_kind kind, bool is_relay)
{
	if (kind == STATUS_SMTP)
		return is_relay ? BIT(STATUS_SEND) : BIT(STATUS_RECEIVE);
	if (kind == STATUS_SUBMISSION)
		return BIT(STATUS_SEND);
	if (kind == STATUS_IMAP || kind == STATUS_POP3)
		return BIT(STATUS_READ);
	if (kind == STATUS_ROUNDTRIP)
		return BIT(STATUS_RECEIVE) | BIT(STATUS_SEND);
	return 0;
}

unsigned
status_check_services(const struct status_check *c, bool is_relay)
{
	size_t n = status_check_count(c, STATUS_OPT_SERVICE);
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++) {
		/* "none" is none of them. */
		int s = status_word_find(names, STATUS_SERVICES,
		    status_check_text(c, STATUS_OPT_SERVICE, i));

		if (s >= 0)
			bits |= BIT(s);
	}
	if (n > 0)
		return bits;
	bits = of_kind(c->kind, is_relay);
	if (c->kind != STATUS_ROUNDTRIP && bits != 0 &&
	    status_check_count(c, STATUS_OPT_LOGIN) > 0)
		bits |= BIT(STATUS_SIGN_IN);
	return bits;
}
