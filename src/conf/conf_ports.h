/* SPDX-License-Identifier: ISC */
/* conf_ports.h - the limits on clients that the configuration asks for. */
#pragma once

#include "conf/conf.h"
#include "proc/ports.h"

/* They count for those who come from now on. */
void conf_ports(const struct conf *c, struct ports *p);
