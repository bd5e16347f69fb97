/* SPDX-License-Identifier: ISC */
/*
 * mime_received.h - the way that a message went, as its Received fields tell it
 * (RFC 5322 section 3.6.7, RFC 5321 section 4.4).
 *
 * Each host puts its field in front of those that are there, and writes what it
 * likes: its name for itself, and the time by its own clock. So the differences are
 * what the hosts say, negative where their clocks disagree.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "proto/mime/mime_date.h"
#include "proto/mime/mime_header.h"

/* Of one message; hops behind these, which come later, are left out. */
#define MIME_HOPS_MAX 12

struct mime_received {
	struct str
	    by; /* in the input: who took it; empty when it does not say */
	bool has_date;
	struct mime_date date;
};

/* Read the value of a field, in which anything may stand. False, and *ret
 * untouched: it says neither who nor when. */
bool mime_received_parse(struct str value, struct mime_received *ret);

struct mime_way_hop {
	struct str by; /* in the input */
	int64_t
	    took_s; /* since the hop before it; the first: since it was sent */
	bool is_absurd; /* negative, or longer than the whole way took */
};

struct mime_way {
	size_t n;
	struct mime_way_hop
	    hops[MIME_HOPS_MAX]; /* in the order in which it went */
	/* From the last hop until it was found; absurd likewise. */
	int64_t rest_s;
	bool is_rest_absurd;
};

/*
 * The way of a message with this header, which was sent and found at these times,
 * in seconds since 1970 by one clock. A hop without a name or without a time is
 * none: its time is part of the next one's.
 */
void mime_way_read(
    struct str header, int64_t sent_s, int64_t found_s, struct mime_way *ret);
