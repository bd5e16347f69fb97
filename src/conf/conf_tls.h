/* SPDX-License-Identifier: ISC */
/* conf_tls.h - the TLS context that a snapshot's certificates make. */
#pragma once

#include "conf/conf.h"
#include "net/tls.h"

/*
 * A role's way: true: *tls is a new one, made of the snapshot's certificates,
 * whose texts and keys are gone from c then. False: there are none, or they
 * cannot be used, which is in the log: the former one, if any, goes on.
 */
bool conf_tls_renew(struct conf *c, struct tls_context **tls);
