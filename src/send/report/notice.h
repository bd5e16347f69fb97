/* SPDX-License-Identifier: ISC */
/*
 * notice.h - mail of this program's own to a postmaster here.
 *
 * It is small, plain text, from the null sender, and goes to the first of
 * some addresses that exists here: never to another server.
 */
#pragma once

#include "send/server.h"

#define NOTICE_TEXT_MAX KIB(16)

/* DONE: it is on disk. NOT_FOUND: none of the addresses exists here. Else it
 * may be tried again later, with the same trace id. */
typedef void (*notice_fn)(void *arg, enum outcome outcome);

struct notice {
	struct str trace;   /* the same text always has the same */
	struct str domain;  /* of whom it is about: its postmaster comes last */
	struct str subject; /* ASCII */
	struct str text;    /* UTF-8, lines that end with CRLF */
};

/* All of it is copied. fn runs from the loop, not inside this call. */
void notice_send(
    struct server *sv, const struct notice *notice, notice_fn fn, void *arg);

/* MSG_LIMIT_TELL: an account is held. Answers when the notice is on disk.
 * False: it is malformed. */
bool notice_limit(
    struct server *sv, struct ipc_peer *p, const struct ipc_msg *m) WARN_UNUSED;
