/* SPDX-License-Identifier: ISC */
/*
 * ipc.h - the internal message protocol: framed messages between two
 * processes over a Unix stream socket, with descriptors passed along.
 *
 * Each end knows the role of the other from the supervisor, never from the
 * other itself. A message that the table (ipc_msgs.def) does not allow from
 * that role, that is too long, or that carries a descriptor it may not, ends
 * the connection. Requests have ids; a reply repeats the id. When the peer
 * goes away, every request under way is answered TEMPFAIL, REASON_GONE.
 *
 * Frame: u32 body length, u16 type, u8 flags, u8 outcome, u32 id, u32 session,
 * then the body. Output is collected and written at the end of the loop's
 * round. Reading stops while more than IPC_HIGH_WATER bytes wait for writing.
 */
#pragma once

#include "net/loop.h"
#include "proc/ipc_msgs.h"

struct ipc_peer;

#define IPC_HIGH_WATER MIB(8)

struct ipc_msg {
	enum msg_type type;
	enum outcome outcome; /* of a reply */
	bool is_reply;
	uint32_t id;      /* of the request; 0: no reply wanted */
	uint32_t session; /* chosen by the front; 0: none */
	struct str body;  /* valid during the callback only */
	int fd; /* -1 or a descriptor: the receiver takes it by setting
	                   * it to -1, else it is closed after the callback */
};

struct ipc_handlers {
	/* A request or notification (never a reply). */
	void (*message)(void *arg, struct ipc_peer *p, struct ipc_msg *m);
	/* The connection ended; replies were already given to their callbacks.
	 * The peer is freed by ipc once the last reference is gone. May be
	 * NULL. */
	void (*closed)(void *arg, struct ipc_peer *p);
};

struct ipc_config {
	struct loop *loop;
	int fd; /* taken; set non-blocking and close-on-exec */
	enum role self, other;
	uint32_t worker; /* number of the other process, from the supervisor */
	const struct ipc_handlers *handlers;
	void *arg;
};

struct ipc_peer *ipc_peer_new(const struct ipc_config *config);
/* The caller's own reference; the connection itself holds one until closed. */
struct ipc_peer *ipc_peer_ref(struct ipc_peer *p);
struct ipc_peer *ipc_peer_unref(struct ipc_peer *p); /* gives NULL */
/* End the connection; closed() runs from the loop. */
void ipc_peer_close(struct ipc_peer *p);
bool ipc_peer_is_open(const struct ipc_peer *p);
enum role ipc_peer_role(const struct ipc_peer *p);
uint32_t ipc_peer_worker(const struct ipc_peer *p);
/* Bytes that wait for writing. */
size_t ipc_peer_backlog(const struct ipc_peer *p);

/* Runs once, with the reply, or with a made one when the peer goes away. */
typedef void (*ipc_reply_fn)(void *arg, struct ipc_msg *m);

/*
 * Send a notification. body is copied. fd (or -1) is taken: it is closed when
 * it was sent or the peer is gone. Sending to a closed peer does nothing.
 */
void ipc_notify(struct ipc_peer *p, enum msg_type type, uint32_t session,
    struct str body, int fd);
/* Send a request; the answer is its id (never 0), for ipc_cancel(). On a closed
 * peer fn runs from the loop. */
uint32_t ipc_request(struct ipc_peer *p, enum msg_type type, uint32_t session,
    struct str body, int fd, ipc_reply_fn fn, void *arg);
/* Forget the reply of a request: fn will not run. */
void ipc_cancel(struct ipc_peer *p, uint32_t id);

/* What a reply needs to find its way, kept while the work is under way. */
struct ipc_return {
	struct ipc_peer *peer; /* a reference */
	enum msg_type type;
	uint32_t id, session;
};
struct ipc_return ipc_return_new(struct ipc_peer *p, const struct ipc_msg *m);
/* Each of these sends one reply and drops the reference. */
void ipc_reply(struct ipc_return *r, struct str body, int fd);
void ipc_reply_outcome(struct ipc_return *r, enum outcome o, struct str body);
void ipc_reply_error(struct ipc_return *r, enum outcome o, enum reason reason,
    const char *text);                      /* text: for people, may be NULL */
void ipc_return_drop(struct ipc_return *r); /* without a reply */

/* The reason in a reply that is not DONE. */
enum reason ipc_reason(const struct ipc_msg *m);
/* Human text in such a reply, may be empty. Points into the body. */
struct str ipc_error_text(const struct ipc_msg *m);

/*
 * Blocking use, for the command line: one request, one reply. A peer that moves
 * no byte for the connection's patience is given up, so who asks a process that
 * hangs hears of it; an answer may take as long as it likes while it comes.
 */
#define IPC_CLIENT_PATIENCE_S 60
struct ipc_client;
/* fd is taken when the answer is 0; else it is -errno. */
int ipc_client_open(
    int fd, enum role other, struct ipc_client **ret) WARN_UNUSED;
void ipc_client_free(struct ipc_client *c);
/* Another one than IPC_CLIENT_PATIENCE_S, from the next call on. */
void ipc_client_set_patience(struct ipc_client *c, unsigned ms);
unsigned ipc_client_patience(const struct ipc_client *c);
enum role ipc_client_role(const struct ipc_client *c);
struct ipc_call {
	enum msg_type type;
	uint32_t session;
	struct str body;
	int fd; /* borrowed here */
};
/*
 * The reply's body is added to *ret_body, and *ret_fd is its descriptor, the
 * caller's, or -1 (NULL: it is closed). 0 and *ret_outcome; or -errno, and the
 * connection is of no use any more: -ETIMEDOUT when the peer is silent, -EINTR
 * when a signal was handled meanwhile, others when the connection broke.
 */
int ipc_client_call(struct ipc_client *c, const struct ipc_call *call,
    enum outcome *ret_outcome, struct buf *ret_body, int *ret_fd) WARN_UNUSED;
