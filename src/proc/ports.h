/* SPDX-License-Identifier: ISC */
/*
 * ports.h - the listening sockets of a front: who comes in, and who is too much.
 *
 * A worker that has all the clients it may have leaves new ones in the kernel's
 * queue, for the other workers or for later. A client whose address is over its
 * limits hears why in its own protocol and costs no session.
 */
#pragma once

#include "base/log.h"
#include "net/limits.h"
#include "proc/reach_report.h"

struct ports;

struct ports_limits {
	uint64_t clients; /* of this worker */
	struct limits_config address;
	bool is_watched; /* somebody hears how connections went */
};

struct ports_client {
	enum service service;
	uint16_t port; /* 0: none */
	int fd;
	const struct sockaddr_storage *peer; /* AF_UNSPEC: unknown */
	/* Of a client that is refused: another one of its address was, less than a
	 * minute ago. One line of the log is enough: strangers choose how many. */
	bool is_known;
	bool is_proxy; /* by is_proxy(), when it came */
};

struct ports_handlers {
	/* A client: fd is taken, and ports_left() follows when it is gone.
	 * False: it was not wanted; fd is closed behind this call. */
	bool (*open)(void *arg, const struct ports_client *c);
	/* Over a limit: a last word, as far as the socket takes it. */
	void (*refuse)(
	    void *arg, const struct ports_client *c, enum limits_answer why);
	/* Does this peer speak for others? Then its address has no limits. May be
	 * NULL: none does. */
	bool (*is_proxy)(void *arg, const struct sockaddr_storage *peer);
};

/* Nobody comes in before ports_configure(). */
struct ports *ports_new(
    struct runtime *rt, const struct ports_handlers *handlers, void *arg);
void ports_free(struct ports *p); /* NULL is fine */
/* New limits; they count for those who come. */
void ports_configure(struct ports *p, const struct ports_limits *limits);
/* A listening socket; taken. */
void ports_listen(struct ports *p, enum service service, int fd);
/* A connection that is there already; fd, non-blocking, is taken. peer: as of
 * accept(2), AF_UNSPEC when unknown; copied. */
void ports_take(struct ports *p, enum service service, uint16_t port, int fd,
    const struct sockaddr_storage *peer);
/* Accept no more. */
void ports_stop(struct ports *p);
/* A client that open() took is gone: its place is free. peer: NULL of a proxy. */
void ports_left(struct ports *p, const struct sockaddr_storage *peer);
uint64_t ports_clients(const struct ports *p);
/* Whom to tell how a connection went; as long as p lives. */
struct reach_report *ports_reach(struct ports *p);

/* A last word to who gets no session, as far as the socket takes it. With implicit
 * TLS there is nothing to say it in. */
void ports_say(const struct ports_client *c, struct str text);
/* The same, and a line of the log unless the client is known. */
void ports_turn_away(const struct ports_client *c, enum event_id event,
    const char *what, const char *text);
/* Descriptor and TLS of a client. False: it wants TLS, and there is no
 * certificate. */
bool ports_conn_config(const struct ports_client *c, struct tls_context *tls,
    struct conn_config *ret) WARN_UNUSED;

/* An address for the log; "" when it has none. */
#define PORTS_ADDRESS_MAX 46
void ports_address(
    const struct sockaddr_storage *a, char ret[PORTS_ADDRESS_MAX]);
