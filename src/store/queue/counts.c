/* SPDX-License-Identifier: ISC */
/*
 * counts.c - how much waits for each domain, for role send, which knows why.
 *
 * A domain whose count changed stands in a list until it is told; so telling costs what
 * changed, whatever the length of the queue. What is held waits for the operator and
 * not for a server: it is counted by itself.
 */
#include "store/queue/queue_internal.h"

/* Of each, besides its name: what msg_queue_count_put() writes. */
#define COUNT_BYTES 48

static uint32_t
held(const struct queue_domain *d)
{
	return d->count - MIN(d->waiting, d->count);
}

static void
note(struct queue *q, struct queue_domain *d)
{
	if (d->is_recounted || q->owner == 0)
		return;
	q->recounted = x_grow(q->recounted, &q->cap_recounted,
	    q->n_recounted + 1, sizeof(struct queue_domain *));
	q->recounted[q->n_recounted++] = d;
	d->is_recounted = true;
}

void
domain_recount(struct queue *q, struct queue_domain *d)
{
	note(q, d);
}

void
domain_wait(struct queue *q, struct queue_domain *d, uint64_t message)
{
	d->waiting++;
	d->began++;
	ages_add(&d->ages, queue_message_time_s(message));
	note(q, d);
}

void
domain_unwait(
    struct queue *q, struct queue_domain *d, uint64_t message, bool has_left)
{
	/* A record that lost its flag is counted once too often at most. */
	if (d->waiting == 0)
		return;
	d->waiting--;
	d->left += has_left;
	ages_remove(&d->ages, queue_message_time_s(message));
	note(q, d);
}

void
queue_counts_anew(struct queue *q)
{
	q->is_counting_anew = true;
	for (size_t i = 0; i < q->cap_domains; i++) {
		struct queue_domain *d = q->domains[i];

		if (d == NULL)
			continue;
		d->told_waiting = d->began = d->left = 0;
		d->told_held = 0;
		if (d->count > 0)
			note(q, d);
	}
}

/* It went, and a new one has its name: what happened to it did to that one. */
static void
hand_over(
    struct queue *q, const struct queue_domain *gone, struct queue_domain *d)
{
	d->told_waiting += gone->told_waiting;
	d->told_held += gone->told_held;
	d->began += gone->began;
	d->left += gone->left;
	note(q, d);
}

static void
put(struct queue_domain *d, struct buf *out)
{
	msg_queue_count_put(
	    out, &(struct msg_queue_count){ .domain = domain_name(d),
		     .was = d->told_waiting,
		     .waiting = d->waiting,
		     .began = d->began,
		     .left = d->left,
		     .oldest = ages_oldest(&d->ages),
		     .held_was = d->told_held,
		     .held = held(d) });
	d->told_waiting = d->waiting;
	d->told_held = held(d);
	d->began = d->left = 0;
}

bool
queue_take_counts(struct queue *q, struct buf *out, size_t max, bool *ret_anew)
{
	size_t had = out->n, i = 0;

	*ret_anew = q->is_counting_anew;
	/* In their order: one that went comes before the next one of its name. */
	for (; i < q->n_recounted; i++) {
		struct queue_domain *d = q->recounted[i];
		struct queue_domain *now = NULL;

		if (out->n - had + d->n + COUNT_BYTES > max)
			break;
		d->is_recounted = false;
		if (d->count == 0)
			now = domain_find(q, domain_name(d));
		if (now != NULL)
			hand_over(q, d, now);
		else if (d->began > 0 || d->left > 0 ||
			 d->told_waiting != d->waiting ||
			 d->told_held != held(d))
			put(d, out);
		domain_free_gone(d);
	}
	q->n_recounted -= i;
	if (q->n_recounted > 0)
		memmove(q->recounted, q->recounted + i,
		    q->n_recounted * sizeof(struct queue_domain *));
	if (out->n == had && !q->is_counting_anew)
		return false;
	q->is_counting_anew = false;
	return true;
}
