/* SPDX-License-Identifier: ISC */
/*
 * front.h - the ports of an imap worker: who gets a session (proc/ports.h).
 */
#pragma once

#include "imap/server.h"

/* Makes sv->ports, at first; takes over the limits of sv->conf. */
void front_configure(struct server *sv);
