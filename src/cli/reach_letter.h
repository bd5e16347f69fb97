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
#include "proto/reach/reach_origin.h"

#define REACH_LETTER_PORTS 32
#define REACH_LETTER_HOURS (9 * 24)
#define REACH_LETTER_SIGNS 16

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

/* Plain text, lines of at most 76 characters. */
void reach_letter_put_subject(struct buf *b, const struct reach_letter *l);
void reach_letter_put(struct buf *b, const struct reach_letter *l);
