/* SPDX-License-Identifier: ISC */
/* relays.h - the relays of our own mail: which there are, how to sign in. */
#pragma once

#include "net/connect.h"
#include "watch/server.h"
#include "watch/outbox/way.h"

struct relays;

/* Reads the file of logins. What is wrong with it was printed; it does not count
 * then. Before the sandbox. */
struct relays *relays_new(const char *logins_file);
/* Both are empty when there is none. They live as long as relays does. */
void relays_login(const struct relays *r, struct str host, uint16_t port,
    struct str *ret_login, struct str *ret_password);

/* The relays of a list of the configuration, which the hosts point into; whether
 * they are down is what the checks say now. */
size_t relays_list(
    struct server *sv, struct str list, struct way ret[WAY_RELAYS_MAX]);

/*
 * What a check says of a relay; of several the greatest counts. A check of its own
 * port knows best: who cannot be pinged may well take mail, and another port of its
 * host says nothing.
 */
enum relay_sign {
	RELAY_UNSEEN,
	RELAY_HOST_DOWN, /* its host is, or what is in front of it */
	RELAY_WORKS,
	RELAY_DOWN,
};
/* is_masked: something that the check depends on fails. */
enum relay_sign relays_sign(const struct way *relay,
    const struct status_check *c, enum watch_status status, bool is_masked);

/*
 * Where a relay was when its name was last looked up: it is still there when no
 * name server answers. relays_tick() looks all of them up from time to time, so that
 * it is known when it is needed; it is called each second.
 */
void relays_tick(struct server *sv);
void relays_remember(struct relays *r, const char *host, uint16_t port,
    const struct sockaddr_storage *addrs, size_t n);
/* 0: it was never known. */
size_t relays_recall(const struct relays *r, const char *host, uint16_t port,
    struct sockaddr_storage ret[CONNECT_ADDRS_MAX]);

/* "HOST[:PORT] LOGIN PASSWORD": the password is the rest. False: it is not. */
struct relay_login {
	struct str host;
	uint16_t port; /* 0: any */
	struct str login, password;
};
bool relays_parse_line(struct str line, struct relay_login *ret) WARN_UNUSED;
