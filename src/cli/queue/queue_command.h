/* SPDX-License-Identifier: ISC */
/*
 * queue_command.h - what the sub-commands of queue share: which messages they are
 * about, and the way through the whole queue, which the store tells in portions, so
 * that it can do other work between them.
 */
#pragma once

#include "cli/admin.h"

#define QUEUE_SELECTORS \
	"[--sender A] [--recipient A] [--domain D] [--mx HOST] [--state S] " \
	"[--account A]"
#define QUEUE_USAGE_LIST \
	"queue list [--all] " QUEUE_SELECTORS " [ID...] [--json]"
#define QUEUE_USAGE_SHOW         "queue show ID [--json]"
#define QUEUE_USAGE_DESTINATIONS "queue destinations [--json]"
#define QUEUE_USAGE_LATENCY      "queue latency [--since TIME] [--json]"
#define QUEUE_USAGE_REROUTE \
	"queue reroute --all | " QUEUE_SELECTORS " [ID...] WAY|- [--json]"

struct output;

/* What was said on the command line. */
struct queue_words {
	const char *sender, *recipient, *domain, *mx, *state, *account;
	const char *since;
	bool is_all, is_bounce;
	struct args args;
	struct msg_queue_filter filter;
	struct buf address, name; /* clean forms, which filter points to */
};

/* Something was said of which messages. */
bool queue_has_selector(const struct queue_words *w) WARN_UNUSED;
/* Fill in the filter, but for the id. False after an error was printed. */
bool queue_make_filter(struct admin *a, struct queue_words *w) WARN_UNUSED;

/* What --mx needs to know, and what it could not. Zeroed at first. */
struct queue_hosts {
	bool is_asked, is_send_gone;
	uint64_t n_unknown; /* recipients of whom it is not known */
	struct buf domain;  /* of one of them */
	struct buf failed;  /* look-ups that failed: mx_found */
};
/*
 * Tell the store the mail servers of all domains that the filter may be about; nothing is done
 * without --mx. An exit code, after an error was printed; that role send is not there is none.
 */
int queue_learn_hosts(struct admin *a, const struct queue_words *w,
    struct queue_hosts *h) WARN_UNUSED;
/* What a portion of the store's answer says. */
void queue_note_unknown(struct queue_hosts *h, uint64_t n, struct str domain);
/* Say on standard error what is not known, and why. ADMIN_TEMPFAIL: something is not. */
int queue_tell_unknown(struct admin *a, struct queue_hosts *h) WARN_UNUSED;
void queue_hosts_done(struct queue_hosts *h);

struct queue_listing {
	struct output *o; /* NULL: only count them */
	bool is_all, is_one_by_one;
	uint64_t n;
	struct queue_hosts hosts;
};

/* All that the filter fits, into the listing. An exit code. */
int queue_list_filter(struct admin *a, struct queue_listing *l,
    const struct msg_queue_filter *filter) WARN_UNUSED;

/* The sub-commands. Exit codes. */
int queue_list(struct admin *a, struct queue_words *w) WARN_UNUSED;
int queue_show(struct admin *a, struct queue_words *w) WARN_UNUSED;
/* What waits for whom, and why. */
int queue_destinations(struct admin *a, struct queue_words *w) WARN_UNUSED;
/* How long mail to others took. */
int queue_latency(struct admin *a, struct queue_words *w) WARN_UNUSED;
int queue_change(struct admin *a, struct queue_words *w, const char *verb,
    enum queue_action action) WARN_UNUSED;
