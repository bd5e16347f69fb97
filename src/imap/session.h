/* SPDX-License-Identifier: ISC */
/*
 * session.h - an IMAP connection and the command it is running.
 *
 * One command runs at a time; what is pipelined waits in the connection's
 * buffer. A command is a start function and callbacks: replies of the store
 * (imap_session_ask), drained output (session_wait_drained), lines of the client
 * (SASL, IDLE). It ends with session_finish(), which first tells what changed
 * in the selected mailbox, then sends the tagged reply.
 *
 *   NOT_AUTHENTICATED --LOGIN, AUTHENTICATE (cmd_auth.c)--> AUTHENTICATED
 *   AUTHENTICATED --SELECT, EXAMINE (cmd_select.c)--> SELECTED
 *   SELECTED --CLOSE, UNSELECT, failed SELECT--> AUTHENTICATED
 *   any --LOGOUT, time-out, store gone--> LOGOUT (nothing more is read)
 */
#pragma once

#include "imap/client.h"
#include "imap/view.h"
#include "proto/imap/imap_command.h"
#include "proto/imap/imap_framer.h"
#include "proto/imap/imap_write.h"

/* Bytes of one response code: COPYUID and MODIFIED of the largest mailbox. */
#define SESSION_CODE_MAX MIB(64)

enum session_state {
	SESSION_NOT_AUTHENTICATED,
	SESSION_AUTHENTICATED,
	SESSION_SELECTED,
	SESSION_LOGOUT,
};

enum session_enabled {
	ENABLED_CONDSTORE = 1,
	ENABLED_QRESYNC = 2,
	ENABLED_UTF8 = 4,
};

typedef void (*session_reply_fn)(struct session *s, struct ipc_msg *m);
typedef void (*session_fn)(struct session *s);

/* The command under way. Freed as a whole when it ends. */
struct command {
	struct arena arena;
	struct imap_command c;
	struct buf text;    /* owned copy: c points into it */
	void *data;         /* of the command; freed with it */
	session_fn cleanup; /* before the arena goes; may be NULL */
	session_fn drained; /* waiting for output to drain; may be NULL */
	void (*line)(struct session *s, struct str line); /* SASL, IDLE */
	/* While the tagged reply waits for the view to be synchronised. */
	bool is_finishing;
	enum imap_status_word word;
	struct buf code, reply_text;
};

struct session {
	struct client client; /* its bad commands: in a row */
	LIST_ENTRY(session) id_link;
	enum session_state state;
	unsigned enabled;
	bool is_in_input;   /* session_input() is on the stack */
	bool has_changes;   /* the store said that the mailbox changed */
	session_fn yielded; /* runs in the loop's next round; NULL: none */
	bool is_yield_queued;
	struct imap_framer framer;
	struct view *view;     /* NULL unless selected */
	struct command *cmd;   /* NULL between commands */
	struct append *append; /* messages that were streamed in */
	session_reply_fn replies[CLIENT_ASKS];
	session_fn sync_then; /* session_sync() is under way */
	bool sync_expunge;
	struct resync *resync; /* the view is read anew; NULL: it is not */
	struct str silent;     /* UIDs that STORE .SILENT does not tell; of the
	                        * command, gone with it */
};

/* A new connection, taken. */
void imap_session_new(
    struct server *sv, struct conn_config *cc, enum service svc, uint16_t port);
/* MAILBOX_CHANGED arrived. */
void session_changed(struct session *s, uint32_t mailbox);
struct session *imap_session_find(struct server *sv, uint32_t id);

/* --- for commands ----------------------------------------------------------- */

/* Ask the store; fn runs when the reply is there, never after the session's
 * end. See client_ask(). */
void imap_session_ask(struct session *s, enum msg_type type, struct buf *body,
    int fd, session_reply_fn fn);

/* True: output is above the high-water mark; cmd->drained was set to fn and
 * runs when there is room again. */
bool session_wait_drained(struct session *s, session_fn fn);

/* Give other sessions a turn: fn runs in the loop's next round, unless the
 * session ends before. */
void session_yield(struct session *s, session_fn fn);

/* Allocate the command's own data; zeroed, freed with the command. */
void *session_cmd_data(struct session *s, size_t n);

/* End the command. Text is for people. */
void session_ok(struct session *s, const char *text);
void session_no(struct session *s, const char *code, const char *text);
void session_bad(struct session *s, const char *text);
void session_finish(struct session *s, enum imap_status_word word,
    struct str code, struct str text);
/* What a store reply that is not DONE means: a response code (or NULL) and a
 * text. may_create: a mailbox that is missing can be made (RFC 3501, 7.1). */
struct session_failure {
	const char *code, *text;
};
struct session_failure session_failure_of(
    const struct ipc_msg *m, bool may_create);
/* End it with that. */
void session_failed(struct session *s, const struct ipc_msg *m);
/* The reply could not be decoded: a bug on one side. */
void session_broken_reply(struct session *s);

/*
 * Bring the view up to date, put the untagged responses into the client's out,
 * then run fn. Expunges are held back while allow_expunge is false.
 */
void session_sync(struct session *s, bool allow_expunge, session_fn fn);
/* May message numbers shift in the answer to the present command? */
bool session_may_expunge(const struct session *s);
/* End the read of all entries that is under way, if there is one. */
void resync_free(struct session *s);

/* "* BYE", then close. */
void session_bye(struct session *s, const char *code, const char *text);
/* An untagged line that is complete: "* ..." CRLF. */
void session_untagged(struct session *s, const char *fmt, ...)
    PRINTF_LIKE(2, 3);
bool session_utf8(const struct session *s);
/* The client showed that it knows extensions (bits of session_enabled). */
void session_enable(struct session *s, unsigned bits);
void session_put_capability(struct session *s, struct buf *b);
/* Sign-in succeeded. */
void session_signed_in(struct session *s, const struct auth_answer *a);
/* Leave the selected mailbox. */
void session_deselect(struct session *s);

/* --- the commands, one file each ---------------------------------------------- */
void imap_cmd_capability(struct session *s);
void imap_cmd_noop(struct session *s);
void imap_cmd_logout(struct session *s);
void imap_cmd_id(struct session *s);
void imap_cmd_starttls(struct session *s);
void imap_cmd_authenticate(struct session *s);
void imap_cmd_login(struct session *s);
void imap_cmd_enable(struct session *s);
void imap_cmd_select(struct session *s);
void imap_cmd_create(struct session *s);
void imap_cmd_delete(struct session *s);
void imap_cmd_rename(struct session *s);
void imap_cmd_subscribe(struct session *s);
void imap_cmd_list(struct session *s);
void imap_cmd_namespace(struct session *s);
void imap_cmd_status(struct session *s);
void imap_cmd_append(struct session *s);
void imap_cmd_idle(struct session *s);
void idle_tell(struct session *s); /* what session_changed() runs in IDLE */
void imap_cmd_getquota(struct session *s);
void imap_cmd_getquotaroot(struct session *s);
void imap_cmd_setquota(struct session *s);
void imap_cmd_check(struct session *s);
void imap_cmd_close(struct session *s);
void imap_cmd_unselect(struct session *s);
void imap_cmd_expunge(struct session *s);
void imap_cmd_search(struct session *s);
void imap_cmd_fetch(struct session *s);
void imap_cmd_store(struct session *s);
void imap_cmd_copy(struct session *s);

/*
 * Messages of APPEND arrive before the command is complete. literal: decide
 * about one that was announced, maybe later: the store knows whether there is
 * room (is_waiting until then); slice: its bytes.
 */
bool append_is_waiting(const struct session *s);
void append_literal(struct session *s, const struct imap_frame_event *ev);
void append_slice(struct session *s, const struct imap_frame_event *ev);
void append_free(struct session *s);
