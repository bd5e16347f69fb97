/* SPDX-License-Identifier: ISC */
/*
 * session_internal.h - a session's state, shared by its files: the dialogue
 * and the end (session.c), finding a server (session_open.c), TLS with it
 * (session_tls.c), the mail that is under way (session_mail.c).
 */
#pragma once

#include "base/log.h"
#include "net/sasl_client.h"
#include "proto/reply/reply.h"
#include "proto/smtp/smtp_client.h"
#include "send/tls/dane.h"
#include "send/message/prepare.h"
#include "send/session/session.h"
#include "send/tls/tls_policy.h"

#define TEXT_MAX (VERDICT_TEXT_MAX + 1)

enum session_state {
	ADDRESS, /* addresses of a host are being looked up */
	CONNECT,
	OPENING, /* connected: up to READY of the dialogue */
	READY,   /* idle, kept for the next mail */
	READ,    /* the mail's bytes are asked for, and made ready */
	SEND,
	QUIT,
	GONE, /* told the destination; freed after this round */
};

struct session {
	struct session *next; /* of the destination */
	TAILQ_ENTRY(session) idle_link;
	bool is_listed; /* among the idle */
	struct server *sv;
	struct dest *dest;
	enum session_state state;
	size_t host; /* the present one */
	/* look-up */
	struct resolver_query *query4, *query6;
	struct sockaddr_storage addrs[CONNECT_ADDRS_MAX];
	size_t n_addrs;
	bool has_dns_trouble, has_local;
	bool has_any_address;            /* of any host, or one may have some */
	bool has_insecure_address;       /* without DNSSEC */
	char canonical[MX_NAME_MAX + 2]; /* where its CNAMEs lead; "": none */
	/* TLS with the present host */
	struct dane *dane; /* NULL: not asked for */
	struct tls_need need;
	bool is_verified;
	enum tlsrpt_result tls_result; /* what is wrong with the certificate */
	struct domain *counted; /* whose mail it carried last, for reports */
	char tls_trouble[TEXT_MAX]; /* a handshake that is not good enough */
	/* connection */
	struct connect *connect;
	struct conn *conn;
	struct smtp_client *client;
	struct sasl_client *sasl; /* where we sign in; of the client */
	struct sockaddr_storage addr;
	uint64_t put_bytes;
	bool is_without_tls; /* TLS was tried, and failed */
	bool is_in_tls_handshake;
	bool was_ready;
	bool wants_tls; /* STARTTLS was granted */
	/* READY: when it ends politely. Else: when all patience ends, also with a
	 * server that sends a byte now and then. */
	struct loop_timer *timer;
	/* The reply that is waited for: a part of one is none (RFC 5321 section
	 * 4.5.3.2 has a time for each command). */
	struct loop_timer *reply_timer;
	bool waits_for_reply;
	enum smtp_client_stage
	    waits_at; /* for what, and the replies before it */
	uint32_t waits_behind;
	/* the mail under way */
	struct mail *mail;
	uint64_t born_ms;   /* wall clock */
	struct mail *rest;  /* its recipients that were too many */
	struct mail *moved; /* those that have to take another way */
	uint32_t read_id;   /* the request, while it is under way */
	struct ipc_peer *read_peer;
	struct preparing *preparing; /* NULL: not now */
	struct letter letter;
	uint64_t sent;
	struct buf texts; /* addresses as they are written */
	struct smtp_client_rcpt *rcpts;
	size_t *index; /* of rcpts: of the mail's entries */
	struct smtp_client_mail env;
	uint32_t mails;
	/* what went wrong last, for all that wait */
	struct judgement verdict;
	bool has_verdict;
	char text[TEXT_MAX];
	/* What the rules say about the last reply that was judged. */
	struct reply_verdict said;
	bool is_said_of_host; /* before it knew a recipient */
	/* A host refused our address before there was any mail. */
	bool is_refused;
	const char *refused_host;
	int refused_code;
	struct reply_verdict refused_said;
	char refused_text[TEXT_MAX], refused_ip[INET6_ADDRSTRLEN];
	char refused_source[INET6_ADDRSTRLEN];
	/* for results */
	char ip[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN], tls[160];
};

extern const struct conn_handlers session_handlers;

/* --- session.c --- */

/* The host of the present attempt. */
const char *session_host(const struct session *s);
struct trip session_trip(const struct session *s);
void session_enter_idle(struct session *s);
void session_leave_idle(struct session *s);
/* No longer than this, whatever happens. */
void session_set_deadline(struct session *s, uint64_t ms);
/* The one way out. is_fault: verdict is the server's or the network's. */
void session_leave(struct session *s, bool is_fault);
/* Take what the dialogue wants to send. */
void session_put_output(struct session *s);
/* Feed the dialogue, act on what it says, send what it wants sent. */
void session_step(struct session *s, struct str in);
void session_set_timeout(struct session *s);
/* No reply is waited for. */
void session_stop_waiting(struct session *s);

/* --- session_judge.c --- */

/* Of a RESULT or CLOSED; its text lives as that of the event. */
struct judgement session_judge(
    struct session *s, const struct smtp_client_event *ev);

/* --- session_refused.c --- */

/* The session's end: it refuses our address. */
void session_note_refusal(
    struct session *s, const struct smtp_client_event *ev);
/* Tell of it, when no other host was ready. */
void session_tell_refusal(struct session *s);
/*
 * A recipient's result: what it says about the way is told. True: the
 * recipient does not have to be settled, it takes another way when the mail
 * is done.
 */
bool session_moves(struct session *s, size_t i, const struct judgement *j);
/* The mail is done: those that move, move. */
void session_move_rest(struct session *s);

/* --- session_open.c --- */

/* Keep what went wrong; the text is copied. */
void session_blame(struct session *s, struct judgement j);
void session_blame_locally(
    struct session *s, struct smtp_status status, const char *text);
void session_log_trouble(const struct session *s, enum event_id event);
void session_try_host(struct session *s);
/* The present host is of no use: the next one, or the end. */
void session_next_host(struct session *s);
/* The same address once more, without TLS. */
void session_connect_plain(struct session *s);

/* To the addresses of the present host. */
void session_connect(struct session *s);

/* --- session_tls.c --- */

/* The addresses are known: find out what TLS has to be, then connect, or go to
 * the next host. */
void session_tls_look_up(struct session *s);
enum smtp_client_tls session_tls_rule(const struct session *s);
/* Lives until the next host. */
struct tls_expected session_tls_expected(const struct session *s);
/* The handshake is done. False: it is not what is needed; end the connection,
 * session_tls_failed() knows why. */
bool session_tls_check(struct session *s) WARN_UNUSED;
/* The connection ended within the handshake, or after that check. */
void session_tls_failed(struct session *s, const char *detail);
/* Did the dialogue end because TLS is needed and not there? Say so. */
bool session_tls_is_missing(
    const struct session *s, const struct smtp_client_event *ev);
void session_tls_blame_missing(struct session *s);

/* --- session_count.c --- */

/* Remember what came of the check of the certificate. */
void session_count_trust(struct session *s);
/* The present host did not give the TLS that is needed, or none. */
void session_count_failed(
    struct session *s, enum tlsrpt_result result, const char *information);
/* It carries the mail under way. */
void session_count_mail(struct session *s);

/* --- session_mail.c --- */

/* Ask the destination for a mail and begin it, or be idle. */
void session_next_mail(struct session *s);
/* As much of the message as the connection takes now. */
void session_pump(struct session *s);
/* The mail's bytes are not wanted any more. */
void session_stop_reading(struct session *s);
/* What belongs to the mail under way. */
void session_drop_data(struct session *s);
