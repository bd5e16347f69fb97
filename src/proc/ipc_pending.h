/* SPDX-License-Identifier: ISC */
/*
 * ipc_pending.h - requests under way on one connection, found by their id.
 *
 * An id is the number of a slot and, above it, how often the slot was used:
 * finding is one step, and an answer that comes twice finds nothing.
 */
#pragma once

#include "proc/ipc.h"

#define IPC_PENDING_MAX 65536

struct ipc_pending_entry {
	enum msg_type type;
	uint32_t id, session;
	ipc_reply_fn fn; /* NULL: forgotten, its reply is dropped */
	void *arg;
};

struct ipc_slot {
	struct ipc_pending_entry entry;
	uint32_t next_free; /* number of the next free slot plus one */
	uint16_t uses;
	bool is_used;
};

struct ipc_pending {
	struct ipc_slot *slots;
	size_t n, cap, used;
	uint32_t free; /* number of a free slot plus one; 0: none */
};

void ipc_pending_done(struct ipc_pending *t);
/* More requests are under way than a sane caller has; see ipc_request(). */
bool ipc_pending_is_full(const struct ipc_pending *t);
/* Stores a copy of *e and gives its id, which is never 0. */
uint32_t ipc_pending_add(
    struct ipc_pending *t, const struct ipc_pending_entry *e);
/* False when no request of that id and type is under way. */
bool ipc_pending_take(struct ipc_pending *t, uint32_t id, enum msg_type type,
    struct ipc_pending_entry *ret) WARN_UNUSED;
bool ipc_pending_take_any(
    struct ipc_pending *t, struct ipc_pending_entry *ret) WARN_UNUSED;
void ipc_pending_forget(struct ipc_pending *t, uint32_t id);
