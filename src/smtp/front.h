/* SPDX-License-Identifier: ISC */
/*
 * front.h - the ports of an smtp worker: who gets a session (proc/ports.h).
 */
#pragma once

#include "smtp/server.h"

/* Makes sv->ports, at first; takes over the limits of sv->conf. */
void front_configure(struct server *sv);
