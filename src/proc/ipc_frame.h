/* SPDX-License-Identifier: ISC */
/*
 * ipc_frame.h - cut a stream of internal messages into frames and check each
 * one against the table of who may send what.
 *
 * Pure: no I/O, no state. Both ends of ipc.c and its fuzz target use it. The
 * verdict on a frame needs its header only, so that nothing is allocated for
 * a body that will be refused.
 */
#pragma once

#include "proc/ipc_msgs.h"

#define IPC_HEADER_BYTES 16
/* A reply answers what we asked for, but has a limit all the same. */
#define IPC_REPLY_MAX MIB(24)

enum ipc_frame_flag {
	IPC_FLAG_REPLY = 1,
	IPC_FLAG_FD = 2, /* the next descriptor received belongs to it */
};

struct ipc_frame {
	enum msg_type type;
	enum outcome outcome;
	bool is_reply, has_fd;
	uint32_t id, session;
	struct str body; /* points into the input */
};

enum ipc_verdict {
	IPC_FRAME_MORE, /* *ret_need bytes are needed for what comes first */
	IPC_FRAME_OK,   /* *ret and *ret_need: the bytes of the frame */
	IPC_FRAME_BAD,  /* final; *ret_why says what was wrong */
};

struct ipc_ends {
	enum role sender, receiver;
};

/* Look for one frame at the start of in. Nothing but what is named above is
 * set. *ret_need never exceeds the header and the limit of the message. */
enum ipc_verdict ipc_frame_next(struct str in, struct ipc_ends ends,
    struct ipc_frame *ret, size_t *ret_need, const char **ret_why) WARN_UNUSED;

/* The header of a frame; to has room for IPC_HEADER_BYTES. */
void ipc_frame_header(const struct ipc_frame *f, char *to);

/* May this frame be sent? NULL, or why not. For the sender's own check. */
const char *ipc_frame_refusal(
    const struct ipc_frame *f, size_t body_bytes, struct ipc_ends ends);

/*
 * Does an end answer requests of the other, and send none itself? Only such
 * an end may stop reading while its output is not taken: if both did, each
 * could wait for the other for ever.
 */
bool ipc_may_pause(struct ipc_ends self_and_other);
/* Does the table let them speak with each other at all? */
bool ipc_is_linked(enum role a, enum role b);
