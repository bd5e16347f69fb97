/* SPDX-License-Identifier: ISC */
/* webhook.c - where webhooks may go. See webhook.h. */
#include "cli/webhook.h"

#include "cli/cli.h"
#include "conf/conf.h"
#include "net/connect.h"
#include "proto/status/status_message.h"

/* Of the file: what the server was started with may be older. */
static bool
is_local_allowed(void)
{
	CLEANUP(freep) char *error = NULL;
	struct conf *c = NULL;
	bool is = false;

	if (conf_load(cli_config_path(), &c, &error) >= 0)
		is = c->watch_allow_local;
	conf_free(c);
	return is;
}

int
webhook_refuse_local(struct admin *a, struct str url)
{
	struct status_url u = status_url_parts(url);

	if (!connect_host_is_private(u.host) || is_local_allowed())
		return ADMIN_OK;
	return admin_error(a, ADMIN_REFUSED,
	    "%.*s: webhooks are not sent to addresses of this machine or of "
	    "private networks; watch.allow_local = yes in the configuration "
	    "permits it, for tests",
	    STR_ARG(u.host));
}
