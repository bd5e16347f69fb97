/* SPDX-License-Identifier: ISC */
/*
 * reach_letter.h - a letter to an Internet provider whose customers do not
 * reach this server reliably: what the server is, what was seen, what is asked.
 *
 * It is made of counts by network. There is no address and no account of a
 * customer in it, and there cannot be: what it is made of has none.
 */
#pragma once

#include "cli/reach_rows.h"
#include "conf/conf.h"
#include "proto/reach/reach_origin.h"

#include <arpa/inet.h>

#define REACH_LETTER_PORTS 32
#define REACH_LETTER_HOURS (9 * 24)
#define REACH_LETTER_SIGNS 16
#define REACH_LETTER_ADDRS 32

struct reach_letter_args {
	const char *network, *since,
	    *hosts; /* as typed; the last two or NULL */
};
/* The command. An exit code. */
int reach_letter(struct admin *a, const struct reach_letter_args *args);

/* Sums of a stretch of time. */
struct reach_letter_counts {
	uint64_t at; /* where it begins */
	uint64_t attempts, greeted, tls, signed_in, reset, timeout, tls_failed,
	    left, stalled;
	uint64_t usual; /* in 1/256 */
	bool has_usual;
	uint32_t rtt50_us, rtt95_us; /* of the port with the most connections */
	uint64_t rtt_of;
};
void reach_letter_add(
    struct reach_letter_counts *to, const struct msg_reach_row *row);

/* What the letter says; the writer's input. */
struct reach_letter {
	char network[REACH_NET_TEXT];
	char name[REACH_AS_NAME_MAX + 1]; /* of the AS; "": not known */
	struct str hostname, contact;
	struct str hosts; /* other names of the server, with commas; or "" */
	struct {
		struct str name; /* of ours, that has it; or "" */
		char text[INET6_ADDRSTRLEN];
	} addresses[REACH_LETTER_ADDRS];
	size_t n_addresses;
	uint64_t from, to;
	struct {
		enum service service;
		uint16_t port;
		bool is_offered; /* it is in our configuration now */
		struct reach_letter_counts seen, elsewhere;
	} ports[REACH_LETTER_PORTS];
	size_t n_ports;
	struct reach_letter_counts hours[REACH_LETTER_HOURS];
	size_t n_hours;
	struct {
		uint8_t kind; /* enum reach_signal_kind */
		enum service service;
		uint16_t port;
		uint8_t family;
		uint64_t since, usual;
		uint32_t seen, of, minutes;
	} signals[REACH_LETTER_SIGNS];
	size_t n_signals;
};

/*
 * The addresses of the server: those among the words of hosts (commas between; may be
 * NULL), whose names go to names and into l->hosts; when there are none, what the DNS
 * has of hostname and names. Says so on standard error when that is nothing.
 * (reach_letter_hosts.c)
 */
void reach_letter_find_hosts(struct reach_letter *l, const struct conf *c,
    const char *hosts, struct buf *names);
/* The first half of it. */
void reach_letter_take_hosts(
    struct reach_letter *l, struct str hosts, struct buf *names);
/* An address of ours; one that there is already, or no place for, is left out. */
void reach_letter_add_address(
    struct reach_letter *l, struct str name, const char *text);

/* Plain text, lines of at most 76 characters. */
void reach_letter_put_subject(struct buf *b, const struct reach_letter *l);
void reach_letter_put(struct buf *b, const struct reach_letter *l);
