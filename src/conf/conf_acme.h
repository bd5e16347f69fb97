/* SPDX-License-Identifier: ISC */
/* conf_acme.h - what the configuration lets role acme do. */
#pragma once

#include "conf/conf.h"

/* Which challenges can be answered, by what listens and what is wanted? */
struct conf_acme_kinds {
	bool http_01, tls_alpn_01;
};
struct conf_acme_kinds conf_acme_kinds(const struct conf *c);
/* What has to be there, for people (a literal); NULL: nothing is lacking. */
const char *conf_acme_lack(const struct conf *c);
