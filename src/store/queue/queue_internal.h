/* SPDX-License-Identifier: ISC */
/*
 * queue_internal.h - domains and leases in memory, for store/queue only.
 */
#pragma once

#include "store/map.h"
#include "store/queue/ages.h"
#include "store/queue/arrival_record.h"
#include "store/queue/queue.h"

#define QUEUE_SHARD ((struct engine_shard){ 'q', 1 })
/* In the place of a recipient's number: an event of the whole message. */
#define QUEUE_NO_RCPT UINT32_MAX

/* The summary of a domain. */
struct queue_domain {
	uint32_t count;   /* entries, held and leased ones too */
	uint32_t n;       /* bytes of name */
	uint64_t due_ms;  /* no entry that may be leased is due before */
	uint64_t told_ms; /* send knows of this time, or an earlier one */
	struct lease *leases;
	/* No entry that may be leased stands before it in the due index: what
	 * is lent need not be passed over each time. */
	struct queue_place first;
	bool is_changed; /* in queue.changed */
	/* counts.c: entries that are not held; as send was told last, and what
	 * happened since. */
	bool is_recounted; /* in queue.recounted */
	uint32_t waiting, told_waiting, began, left;
	uint32_t told_held; /* of all others */
	struct ages ages;   /* of those that wait */
	/* hosts.c: its mail servers, with blanks between; none when !has_hosts. */
	bool has_hosts;
	struct str hosts;
	char name[];
};

struct lease_item {
	struct lease *lease;
	struct queue_lease_item i;
	bool is_open;
};

struct lease {
	uint64_t id, owner, until_ms;
	struct queue_domain *domain;
	struct lease *next, **prev; /* of the domain */
	uint32_t n, open;
	uint32_t closing; /* items that the batch under way closes */
	struct lease_item items[];
};

struct queue {
	struct queue_config config;
	struct engine *engine;
	/* Domains: open addressing, by name. */
	struct queue_domain **domains;
	size_t n_domains, cap_domains;
	uint64_t seed;
	struct queue_domain **changed;
	size_t n_changed, cap_changed;
	struct queue_domain **recounted;
	size_t n_recounted, cap_recounted;
	bool is_counting_anew; /* send shall forget what it was told */
	struct map accounts;   /* number of entries, as a pointer */
	struct map leased;     /* entry number: struct lease_item */
	struct map damaged;    /* entries that cannot be read; told once */
	uint64_t n_entries, n_leases;
	uint64_t host_bytes; /* hosts.c */
	uint64_t next_message, next_lease;
	uint64_t owner;
	uint64_t purge_after, purge_in_after;
	/* It could not be read as a whole: nothing of it is changed. */
	bool is_damaged;
};

static inline struct str
domain_name(const struct queue_domain *d)
{
	return (struct str){ d->name, d->n };
}

/* Numbers of messages leave room for their recipients: the sum is unique. */
static inline uint64_t
entry_number(uint64_t message, uint32_t rcpt)
{
	return message + rcpt;
}

/* Numbers of messages are made of the time (queue_number()). */
#define QUEUE_NUMBERS_PER_MS (1U << 20)
static inline uint64_t
queue_message_time_s(uint64_t message)
{
	return message / QUEUE_NUMBERS_PER_MS / 1000;
}

static inline uint64_t
queue_now_ms(const struct queue *q)
{
	return q->config.now_ms(q->config.arg);
}

/* --- domain.c --------------------------------------------------------------------- */

/* As messages have it: 0 is never; what is due since ever (a time of 0) is due. */
static inline uint64_t
domain_told_due(uint64_t due_ms)
{
	return due_ms == QUEUE_NEVER ? 0 : MAX(due_ms, (uint64_t)1);
}
struct queue_domain *domain_find(const struct queue *q, struct str name);
struct queue_domain *domain_get(struct queue *q, struct str name);
/* An entry more, at that place. */
void domain_add_entry(
    struct queue *q, struct queue_domain *d, const struct queue_place *p);
/* One less; the domain is gone with the last one. */
void domain_remove_entry(struct queue *q, struct queue_domain *d);
/* Free it when it is gone and nobody has to be told of it any more. */
void domain_free_gone(struct queue_domain *d);
/* An entry at that place may be leased when it is due. */
void domain_due(
    struct queue *q, struct queue_domain *d, const struct queue_place *p);
/* Some entries that were lent may be leased at once. */
void domain_due_again(struct queue *q, struct queue_domain *d);
void domains_done(struct queue *q);
/* Entries of an account, more or fewer. */
void account_count(struct queue *q, uint64_t account, int64_t delta);
uint64_t account_entries(const struct queue *q, uint64_t account);

/* --- counts.c --------------------------------------------------------------------- */

/* An entry of that message waits for its server from now on: it is new, or not held any
 * more. */
void domain_wait(struct queue *q, struct queue_domain *d, uint64_t message);
/* It waits no more: it left the queue, or is held. */
void domain_unwait(
    struct queue *q, struct queue_domain *d, uint64_t message, bool has_left);
/* An entry comes or goes, held or not. */
void domain_recount(struct queue *q, struct queue_domain *d);
/* A sender took over, who knows nothing. */
void queue_counts_anew(struct queue *q);

/* --- queue.c ------------------------------------------------------------------------ */

/* A record; it points into the engine: valid until its next call. NOT_FOUND
 * when it is not there, TEMPFAIL REASON_CORRUPT when it is damaged. */
struct verdict queue_get_message(struct queue *q, uint64_t message,
    struct queue_message_record *ret) WARN_UNUSED;
struct verdict queue_get_gone(struct queue *q, uint64_t message,
    struct queue_gone_record *ret) WARN_UNUSED;
struct verdict queue_get_entry(struct queue *q, uint64_t message, uint32_t rcpt,
    struct queue_entry_record *ret) WARN_UNUSED;
void queue_log_damage(void);
/* A number for a new thing: the time, and above the last one. */
uint64_t queue_number(struct queue *q, uint64_t *next, uint64_t room);

/* --- tx.c ---------------------------------------------------------------------------- */

struct qtx_entry {
	uint64_t message;
	uint32_t rcpt;
};

/*
 * A change of entries: one batch, and what is to be done in memory when it
 * was accepted. An entry is changed at most once in it.
 */
struct qtx {
	struct queue *q;
	struct engine_batch *b;
	struct buf val; /* scratch for one value */
	struct qtx_step *steps;
	size_t n, cap;
	struct map removed; /* entry numbers */
	uint64_t *messages; /* that lost an entry */
	size_t n_messages, cap_messages;
	uint64_t now_ms;
};

/* Where the entry stands in the due index. */
struct queue_key qtx_place(
    struct qtx_entry e, const struct queue_entry_record *r);

void qtx_begin(struct qtx *t, struct queue *q, uint64_t now_ms);
void qtx_put(struct qtx *t, struct queue_key key); /* the scratch buffer */
void qtx_del(struct qtx *t, struct queue_key key);
/* The entry is replaced by now: its record, and its place in the index. */
void qtx_change(struct qtx *t, struct qtx_entry e,
    const struct queue_entry_record *was, const struct queue_entry_record *now);
void qtx_remove(
    struct qtx *t, struct qtx_entry e, const struct queue_entry_record *was);
/* The lease of this item ends; its record goes with its last item. */
void qtx_close(struct qtx *t, struct lease_item *item);
void qtx_event(struct qtx *t, struct qtx_entry e, uint8_t state,
    const struct queue_event_record *r);
/* Messages whose last entry goes are put into the history; commit. */
struct verdict qtx_commit(struct qtx *t) WARN_UNUSED;
void qtx_abort(struct qtx *t);

/* --- hosts.c --------------------------------------------------------------------------- */

enum hosts_fit {
	HOSTS_FIT,
	HOSTS_OTHERS,
	HOSTS_UNKNOWN, /* nobody has told */
};
/* One of its mail servers is that host, or one below it ("*.mail.example"). NULL is fine. */
enum hosts_fit domain_hosts_fit(
    const struct queue_domain *d, struct str wanted);
bool queue_host_fits(struct str wanted, struct str host);
void domain_forget_hosts(struct queue *q, struct queue_domain *d);

/* --- arrival.c ------------------------------------------------------------------------ */

/* What is noted of how a message came. r points into head. */
struct arrival {
	struct arrival_record r;
	struct buf head, copies; /* as they lie; of further parts */
};
struct arrival_walk {
	struct wire first, rest;
	bool is_begun;
};
/* NOT_FOUND: nothing is; TEMPFAIL REASON_CORRUPT: it is damaged. *ret is to be freed in
 * any case. */
struct verdict arrival_read(
    struct queue *q, uint64_t message, struct arrival *ret) WARN_UNUSED;
void arrival_done(struct arrival *a);
/* The next one; *w is zero at first. False: there is none left. */
bool arrival_next_copy(
    const struct arrival *a, struct arrival_walk *w, struct arrival_copy *ret);
/* Put its end into the batch, with its look-ups; *keys counts these. */
struct verdict arrival_forget(struct queue *q, struct engine_batch *b,
    uint64_t message, size_t *keys) WARN_UNUSED;

/* --- history.c ------------------------------------------------------------------------ */

/* What the queue, or its history, knows of a message itself: its strings are copied to keep.
 * NOT_FOUND: nothing. */
struct verdict history_head(struct queue *q, uint64_t message,
    struct msg_queue_life *ret, struct buf *keep) WARN_UNUSED;

/* --- lease.c --------------------------------------------------------------------------- */

/* Reads the leases; the domains are there. */
int leases_load(struct queue *q) WARN_UNUSED;
struct lease_item *lease_find(
    const struct queue *q, uint64_t message, uint32_t rcpt);
/* Room for n items, which are all open. */
struct lease *lease_new(struct queue_domain *d, uint32_t n);
/* In memory from now on, with its items that are open. Takes it. */
void lease_add(struct queue *q, struct lease *l);
/* The leases of the domain whose time is over end. */
struct verdict leases_end_old(
    struct queue *q, struct queue_domain *d, uint64_t now_ms) WARN_UNUSED;
/* In memory: the item is nobody's any more. */
void lease_item_close(struct queue *q, struct lease_item *item);
void lease_free(struct queue *q, struct lease *l);
void leases_done(struct queue *q);
