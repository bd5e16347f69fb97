/* SPDX-License-Identifier: ISC */
/*
 * outbox_internal.h - the parts of the outbox:
 *
 *   outbox.c       which messages there are, and whose turn it is
 *   outbox_place.c how many are held, and may be under way
 *   outbox_send.c  one round of attempts of one message
 *   outbox_save.c  what became of it, into the ledger
 *   outbox_list.c  what is under way, for the command line
 *   still.c        whether what waits is still wanted (still.h)
 *   outbox_limit.c how often a receiver is written to on behalf of others
 *
 *	(row) -> WAITING -> BUSY -> WAITING, later
 *	                     |
 *	                     +----> over -> saved -> forgotten
 */
#pragma once

#include "watch/outbox/outbox.h"

/* Held in memory; more stay in the ledger for the time being. */
#define OUTBOX_PARCELS_MAX 100000
/* Of these, rows of OUTBOX: strangers cause them, and shall leave room. */
#define OUTBOX_ASKED_MAX 20000
#define OUTBOX_BUSY_MAX  20
/* All but alerts: the other places are theirs alone. */
#define OUTBOX_OTHERS_MAX 16
/* Including those that were taken, or refused, of which the ledger does not know yet:
 * so many may go twice when we die. */
#define OUTBOX_NEWS_MAX 12
/* Strangers cause them, and to servers of their choice: at the same time so many,
 * and one to a registrable domain. */
#define OUTBOX_CONFIRM_MAX 4
#define OUTBOX_READY       64
/* So long a row stays when it is over. */
#define OUTBOX_LOG_S (14ULL * 86400)

struct dispatch;
struct round;

struct parcel {
	enum ledger_table table;
	struct str key;   /* owned */
	struct str value; /* owned; empty: it is in the ledger */
	uint64_t next_ms; /* wall clock */
	enum status_purpose purpose;
	uint64_t domain; /* of its receiver; of rows of OUTBOX only */
	bool is_busy;
	bool is_counted; /* by the limits; what its row says may be forged */
	bool is_over;    /* forgotten as soon as it is saved */
	bool is_held;  /* likewise; until then it keeps its place of the news */
	bool is_dirty; /* value is newer than the row */
	bool is_saving; /* a put is under way, of version saved */
	bool is_new;    /* never saved: it waits for that, but not for long */
	uint32_t version;
	struct dispatch *trying; /* its present round; NULL: there is none */
};

struct outbox_limit;

struct outbox {
	struct server *sv;
	struct parcel **v; /* in the order of tables and keys */
	size_t n, cap;
	size_t n_asked; /* rows of OUTBOX among them */
	size_t n_busy, n_busy_others, n_busy_news, n_dirty;
	struct round
	    *rounds[OUTBOX_BUSY_MAX]; /* under way; NULL: a free place */
	size_t n_busy_confirm, n_held;
	uint64_t confirming[OUTBOX_CONFIRM_MAX]; /* domains */
	struct parcel *ready[OUTBOX_READY]; /* whose turn it is, first last */
	size_t n_ready;
	unsigned loading; /* tables that are being read */
	bool is_loaded, has_failed, is_filling, is_saving, will_save;
	bool has_more, has_more_asked; /* that were not held, of either table */
	struct loop_timer *again;
	struct outbox_limit *limit;
};

/* --- outbox.c ------------------------------------------------------------------- */

/* There may be room for another. */
void outbox_fill(struct outbox *o);
void outbox_forget(struct outbox *o, struct parcel *p);
/* It has a new value, which is taken over. */
void outbox_update(
    struct outbox *o, struct parcel *p, const struct status_message *m);

/* --- outbox_place.c -------------------------------------------------------------- */

/* May another row of this table be held? Those that are held already may stay. */
bool outbox_can_hold(const struct outbox *o, enum ledger_table table);
/* One was not. */
void outbox_leave_row(struct outbox *o, enum ledger_table table);
/* There are such, and half of what their table may hold is free again. */
bool outbox_wants_rows(const struct outbox *o);

/* May one of its kind begin now? */
bool outbox_has_room(const struct outbox *o, const struct parcel *p);
/* It begins, and there has to be room; it ends. */
void outbox_take_place(struct outbox *o, struct parcel *p);
void outbox_leave_place(struct outbox *o, struct parcel *p);
/* Its outcome is not in the ledger yet; it is now (or it is forgotten). */
void outbox_hold(struct outbox *o, struct parcel *p);
void outbox_let_go(struct outbox *o, struct parcel *p);

/* --- outbox_send.c ---------------------------------------------------------------- */

/* Its turn. */
void outbox_send(struct outbox *o, struct parcel *p);

/* --- outbox_save.c ----------------------------------------------------------------- */

/* Put what is dirty, as long as a put is not under way. */
void outbox_save(struct outbox *o);
/* The same behind this round of the loop. */
void outbox_save_soon(struct outbox *o);

/* --- outbox_limit.c ----------------------------------------------------------------- */

enum outbox_limit_answer {
	OUTBOX_LIMIT_OK,
	OUTBOX_LIMIT_RECEIVER, /* this one got enough */
	OUTBOX_LIMIT_ALL       /* its domain did, or all together: later */
};

/* The list is borrowed for good; NULL: every domain is its own. */
struct outbox_limit *outbox_limit_new(const struct suffixes *suffixes);
/* Its first attempt begins, or began at that time (of the wall clock, in seconds).
 * False: it is older than a day, and not held. */
bool outbox_limit_count(struct outbox_limit *l, const struct status_message *m,
    uint64_t at_s, uint64_t now_s);
/* May another one go to this receiver? */
enum outbox_limit_answer outbox_limit_ask(const struct outbox_limit *l,
    const struct status_message *m, uint64_t now_s);
/* The registrable domain of its receiver, as a number. */
uint64_t outbox_limit_domain(
    const struct outbox_limit *l, const struct status_message *m);
