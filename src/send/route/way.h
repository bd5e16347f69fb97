/* SPDX-License-Identifier: ISC */
/*
 * way.h - how connections of a destination are made: from which address of
 * ours, under which name, and how they sign in.
 */
#pragma once

#include "conf/conf.h"
#include "conf/route_text.h"

#include <sys/socket.h>

struct buf;

struct way {
	struct sockaddr_storage source4, source6; /* AF_UNSPEC: any */
	bool uses4, uses6;
	char *helo4, *helo6;
	char *login, *password; /* login "": none */
	bool allows_cleartext;
	char *source; /* way_source_put() */
	char *label;  /* for results and people: "direct from 192.0.2.1" */
};

/* w: NULL is straight to the MX hosts. Everything is copied. */
void way_init(struct way *ret, const struct conf *c, const struct route_way *w,
    struct str password);
void way_done(struct way *w);

/* Our name in EHLO for a connection of this family (AF_INET, AF_INET6), by what the way, the
 * configuration for its own addresses, and the host are called; it lives as long as these. */
struct str way_helo(
    const struct conf *c, const struct route_way *w, int family);

/*
 * The name of the address that it comes from, the same for all ways from there:
 * "192.0.2.1", "192.0.2.1,2001:db8::1", or "default" when the system chooses.
 */
void way_source_put(
    const struct conf *c, const struct route_way *w, struct buf *to);
