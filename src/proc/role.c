/* SPDX-License-Identifier: ISC */
/*
 * role.c - names and properties of roles and services. See role.h.
 */
#include "proc/role.h"

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_SUPERVISOR] = "supervisor",
	[ROLE_STORE] = "store",
	[ROLE_AUTH] = "auth",
	[ROLE_FILTER] = "filter",
	[ROLE_SMTP] = "smtp",
	[ROLE_IMAP] = "imap",
	[ROLE_SEND] = "send",
	[ROLE_WATCH] = "watch",
	[ROLE_WEB] = "web",
	[ROLE_ACME] = "acme",
	[ROLE_CLI] = "cli",
};

static const struct {
	const char *name;
	enum role role;
	bool is_implicit_tls;
} services[SERVICE_COUNT] = {
	[SERVICE_MX] = { "mx", ROLE_SMTP, false },
	[SERVICE_SUBMISSION] = { "submission", ROLE_SMTP, false },
	[SERVICE_SUBMISSIONS] = { "submissions", ROLE_SMTP, true },
	[SERVICE_LMTP] = { "lmtp", ROLE_SMTP, false },
	[SERVICE_IMAP] = { "imap", ROLE_IMAP, false },
	[SERVICE_IMAPS] = { "imaps", ROLE_IMAP, true },
	[SERVICE_POP3] = { "pop3", ROLE_IMAP, false },
	[SERVICE_POP3S] = { "pop3s", ROLE_IMAP, true },
	[SERVICE_HTTP] = { "http", ROLE_WEB, false },
	[SERVICE_HTTPS] = { "https", ROLE_WEB, true },
};

const char *
role_name(enum role r)
{
	ASSERT((unsigned)r < ROLE_COUNT);
	return role_names[r];
}

bool
role_from_name(const char *name, enum role *ret)
{
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if (strcmp(role_names[i], name) == 0) {
			*ret = (enum role)i;
			return true;
		}
	return false;
}

const char *
service_name(enum service s)
{
	ASSERT((unsigned)s < SERVICE_COUNT);
	return services[s].name;
}

enum role
service_role(enum service s)
{
	ASSERT((unsigned)s < SERVICE_COUNT);
	return services[s].role;
}

bool
service_is_implicit_tls(enum service s)
{
	ASSERT((unsigned)s < SERVICE_COUNT);
	return services[s].is_implicit_tls;
}
