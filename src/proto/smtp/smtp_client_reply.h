/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_reply.h - the replies of another server, cut from its bytes.
 *
 * We are strict with what clients send us, but not with what servers answer:
 * nothing can be smuggled through a reply, and a refused reply is a message
 * that comes late or twice. So a bare LF ends a line too, lines may be longer
 * than RFC 5321 allows, any second and third digit will do, and of a reply
 * with several codes the last one counts. What is no reply at all is refused:
 * with pipelining, whoever skips a line takes the next one for its answer.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "proto/smtp/smtp_reply.h"

/* Longest line, its end not counted. */
#define SMTP_CLIENT_LINE_MAX KIB(4)

struct smtp_client_reader {
	struct buf line; /* what came of a line that is not complete */
	struct buf text; /* lines without codes, '\n' between them */
	size_t lines;
	int code;
	bool is_done; /* the next byte begins another reply */
};

void smtp_client_reader_init(struct smtp_client_reader *r);
void smtp_client_reader_done(struct smtp_client_reader *r);
/* Forget a reply that is not complete: what came before TLS. */
void smtp_client_reader_reset(struct smtp_client_reader *r);

/*
 * Take bytes from the front of *in, which is what was received and not yet
 * used; all of it when the answer is MORE. After DONE code and text are the
 * reply, valid until the next call. After BAD and LONG the connection is of
 * no use; after BAD, text is the line that is no reply.
 *
 * The answers do not depend on how the input was split. No more than the
 * limits of smtp_reply.h is ever held.
 */
enum smtp_reply_step smtp_client_reader_feed(
    struct smtp_client_reader *r, struct str *in) WARN_UNUSED;
