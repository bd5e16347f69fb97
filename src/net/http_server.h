/* SPDX-License-Identifier: ISC */
/*
 * http_server.h - one client of an HTTP/1.1 server: request after request over
 * a connection (RFC 9112).
 *
 * A request is shown when its head is there (refuse it, or say how large a
 * body may be), and again when all of it is there. The answer may come at once
 * or later; the next request is looked at behind it, so a client that
 * pipelines gets its answers in order. A client that dawdles with a request, or with
 * taking an answer, is ended by a deadline, not by silence alone. While an answer is
 * waited for, nothing is: that may take as long as it takes.
 */
#pragma once

#include "net/conn.h"
#include "proto/http/http_request.h"

struct http_visit;

/* Milliseconds; 0 anywhere: the default. */
struct http_times {
	uint64_t idle;  /* between requests; 60 s */
	uint64_t head;  /* for all of a head; 15 s */
	uint64_t body;  /* for all of a body, and a second more for each 4 KiB;
	                   30 s */
	uint64_t write; /* until a client takes some of an answer; 30 s */
	/* Bytes a second: an answer has to be taken at this rate on the whole,
	 * behind the time of write; 1024. So nobody holds a connection, and what
	 * it was lent, for as long as he likes by taking a little now and then. */
	uint64_t rate;
};

struct http_handlers {
	/*
	 * The head is there; the answer is how many bytes of body are taken. A
	 * larger one is refused with 413. http_visit_reply() in here is the
	 * answer without the body having been read: the connection ends.
	 */
	uint64_t (*head)(void *arg, struct http_visit *c);
	/* All of the request is there: http_visit_reply(), now or later. */
	void (*request)(void *arg, struct http_visit *c);
	/* The client is gone, with or without an answer; the last call. */
	void (*closed)(void *arg, struct http_visit *c);
};

struct http_visit_config {
	struct conn_config conn; /* loop, fd, peer, tls: the rest is set here */
	struct http_times times;
	const struct http_handlers *handlers;
	void *arg;
};

struct http_visit *http_visit_new(const struct http_visit_config *config);

/* --- of the present request: from head() until the reply --------------------- */

const struct http_request *http_visit_request(const struct http_visit *c);
struct str http_visit_body(const struct http_visit *c);

struct http_reply {
	unsigned status;
	struct str fields; /* complete lines, with their ends; copied */
	struct str body;   /* copied, unless there is a release */
	/* The body is lent: release(arg) runs when it was sent, or the client
	 * is gone. */
	loop_fn release;
	void *arg;
	bool is_last; /* the connection ends behind it */
};
/* Once for each request. To a HEAD the body stays here. */
void http_visit_reply(struct http_visit *c, const struct http_reply *r);

/* --- of the connection ---------------------------------------------------------- */

struct conn *http_visit_conn(struct http_visit *c);
/* Within closed(): how it ended. */
enum conn_end http_visit_how(const struct http_visit *c);
/* For the handlers' own use; NULL at first. */
void http_visit_set_data(struct http_visit *c, void *data);
void *http_visit_data(const struct http_visit *c);
/* End it: behind the answer that is due, if there is one. */
void http_visit_end(struct http_visit *c);
