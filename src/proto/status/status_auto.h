/* SPDX-License-Identifier: ISC */
/*
 * status_auto.h - posts that the program writes by itself, because nobody else
 * has: what does not work, and how, since when, and that it works again.
 *
 * There is one such post at a time, however much fails and however often it
 * comes and goes. Whoever updates or edits it takes it over; what people have
 * written about is not written about by the program.
 *
 *   - -> investigating  something is down for status_auto.after_s (told)
 *        more of it joins (told), some of it is back (not told)
 *     -> monitoring     all of it answers (not told); down again: back (not told)
 *     -> resolved       it has answered for three times as long (told)
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_post.h"

/* Systems that are named with their time; of more their number is told. */
#define STATUS_AUTO_NAMED 8

enum status_auto_is {
	STATUS_AUTO_UNKNOWN, /* or it comes and goes */
	STATUS_AUTO_UP,
	STATUS_AUTO_DOWN,
};

/* What is wrong with one that is down. Of several things the worst is told: they
 * stand in that order, behind the first, which says that no more is known. */
enum status_auto_how {
	STATUS_AUTO_FAILS,
	STATUS_AUTO_SILENT,
	STATUS_AUTO_NAMELESS, /* its name does not resolve */
	STATUS_AUTO_NO_TLS,
	STATUS_AUTO_CERTIFICATE, /* not trusted, at its end, of another name */
	STATUS_AUTO_LOGIN,
	STATUS_AUTO_WRONG, /* it answers, and not as it should */
	STATUS_AUTO_DISAGREES,
	STATUS_AUTO_LISTED,
	STATUS_AUTO_HOWS
};

struct status_auto_system {
	struct str id;    /* as shown */
	uint64_t since_s; /* it is so */
	enum status_auto_is is;
	enum status_auto_how how; /* of one that is down */
	bool is_excused;          /* planned, or what it depends on is down */
	bool is_spoken_for; /* a person's post is about it, or was since then */
};

struct status_auto {
	const struct status_auto_system *v;
	size_t n;
	/* The program's own, open; NULL: there is none. */
	const struct status_post *post;
	uint64_t now_s, after_s;
	struct str language; /* of the table: en, fr, pt; else en */
};

enum status_auto_step {
	STATUS_AUTO_NOTHING,
	STATUS_AUTO_OPEN, /* a post: status_auto_post() */
	STATUS_AUTO_MORE, /* updates of it: status_auto_update() */
	STATUS_AUTO_FEWER,
	STATUS_AUTO_BACK,
	STATUS_AUTO_AGAIN,
	STATUS_AUTO_RESOLVE,
};

/* Is it one that the program goes on with? */
bool status_auto_owns(const struct status_post *p);
/* *ret: what the post names then, and how it is: down, or not affected any more. */
enum status_auto_step status_auto_judge(
    const struct status_auto *a, struct status_affects *ret);
/* Texts lie in text, which is empty before and lives as long as *ret; its slug is
 * left to the caller. */
void status_auto_post(const struct status_auto *a,
    const struct status_affects *affects, struct buf *text,
    struct status_post *ret);
void status_auto_update(const struct status_auto *a, enum status_auto_step step,
    const struct status_affects *affects, struct buf *text,
    struct status_update *ret);
