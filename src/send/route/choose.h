/* SPDX-License-Identifier: ISC */
/*
 * choose.h - which way a mail takes: routes, breakers, what its sender allows.
 */
#pragma once

#include "send/route/plan.h"
#include "send/server.h"

/*
 * Hand the mail to a destination, or settle it, or let it wait for a look-up.
 * l: the look-up of its domain.
 */
void choose_way(struct server *sv, struct lookup *l, struct mail *m);
