/* SPDX-License-Identifier: ISC */
/*
 * dns_look.h - look-ups one after the other, by the configuration's resolver.
 */
#pragma once

#include "base/arena.h"
#include "conf/conf.h"
#include "net/resolver.h"

struct dns_look;

/* NULL with *ret_error (heap) when nothing can be looked up. */
struct dns_look *dns_look_new(const struct conf *c, char **ret_error);
void dns_look_free(struct dns_look *l);

/* The answer lives as long as the arena. */
void dns_look_ask(struct dns_look *l, const char *name, enum dns_type type,
    struct arena *arena, struct dns_answer *ret);

#define DNS_LOOK_ADDRS 8
/*
 * Addresses of a host: "mail.example", or an address, with ":port" or in
 * brackets with it. How many; 0 with *ret_error (heap).
 */
size_t dns_look_host(struct dns_look *l, struct str host, uint16_t port,
    struct sockaddr_storage to[DNS_LOOK_ADDRS], char **ret_error);
