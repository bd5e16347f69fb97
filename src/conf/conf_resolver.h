/* SPDX-License-Identifier: ISC */
/*
 * conf_resolver.h - the resolver that the configuration's section dns asks for.
 */
#pragma once

#include "conf/conf.h"
#include "net/resolver.h"

/*
 * Opens the file of trust anchors, so it comes before the sandbox. 0, or
 * -EINVAL with *ret_error (heap). *ret_validates: signatures are wanted, and
 * there are anchors to check them against.
 */
int conf_resolver_new(const struct conf *c, struct loop *loop,
    struct resolver **ret, bool *ret_validates, char **ret_error) WARN_UNUSED;

/* The same for a process that starts: what went wrong is printed, with its name.
 * ret_validates may be NULL. */
int conf_resolver_start(const struct conf *c, struct loop *loop,
    const char *process, struct resolver **ret,
    bool *ret_validates) WARN_UNUSED;

/* "192.0.2.1:53" or "[2001:db8::1]:53", the port may be missing, in the form
 * of resolver_config.servers (heap). */
char *conf_resolver_server(struct str s) WARN_UNUSED;
