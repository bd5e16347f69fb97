/* SPDX-License-Identifier: ISC */
/*
 * cmd_append.c - APPEND and MULTIAPPEND (RFC 3501 6.3.11, RFC 3502, 7889).
 *
 * A message goes from the connection straight into a memory file, in the
 * pieces in which it arrives, and is analysed at its end (this session may
 * put into its own mailboxes whatever it likes). When the command is complete
 * the store takes all of them, or none, in one durable commit.
 *
 * Whoever waits for "+" hears before he sends it that a message will not be
 * taken: no mailbox, no room, too large. So does who sends a large one
 * without waiting (RFC 7888); its bytes are skipped then.
 */
#include "imap/session.h"

#include "proto/mime/mime_structure.h"
#include "proto/pop3/pop3_write.h"

#include <sys/mman.h>
#include <unistd.h>

/* A message up to this size that comes anyway is not asked about first. */
#define APPEND_UNASKED_MAX KIB(64)
#define APPEND_TOTAL_MAX   MIB(512) /* all messages of one command */

#define STRUCTURES_MAX MIB(7) /* of them, what one request can hold */

struct append_message {
	uint64_t offset, size;
	uint64_t crlf_extra;
	size_t structure, structure_size; /* in structures */
};

struct append {
	int fd;
	uint64_t size; /* bytes written, all messages */
	size_t n;
	struct append_message messages[IMAP_MAX_APPENDS];
	uint64_t left;   /* of the message under way */
	char *tag;       /* of the command */
	bool is_sync;    /* the client waits for "+" */
	bool is_waiting; /* for what the store says about the message */
	struct buf structures;
	bool has_failed;  /* no memory for it: answered at the end */
	bool is_too_much; /* structures do not fit a request: likewise */
};

void
append_free(struct session *s)
{
	if (!s->append)
		return;
	s->client.sv->append_bytes -= s->append->size;
	closep(&s->append->fd);
	buf_done(&s->append->structures);
	free(s->append->tag);
	free(s->append);
	s->append = NULL;
	s->client.attempt.is_underway = false;
}

static struct append *
append_new(void)
{
	struct append *a = X_NEW(struct append);

	a->fd = memfd_create("append", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (a->fd < 0)
		a->has_failed = true;
	buf_init(&a->structures, STRUCTURES_MAX);
	return a;
}

bool
append_is_waiting(const struct session *s)
{
	return s->append && s->append->is_waiting;
}

static void
refuse_literal(struct session *s, struct str tag, enum imap_status_word word,
    const char *code, const char *why)
{
	imap_put_status(&s->client.out, tag, word, str_c(code), str_c(why));
	append_free(s);
	imap_framer_reject(&s->framer);
	client_flush(&s->client);
}

static void
accept_literal(struct session *s)
{
	struct append *a = s->append;

	a->left = a->messages[a->n - 1].size;
	imap_framer_stream(&s->framer);
	if (a->is_sync)
		buf_put_c(&s->client.out, "+ OK\r\n");
	client_flush(&s->client);
}

static void
on_room(struct session *s, struct ipc_msg *m)
{
	struct append *a = s->append;
	struct session_failure f;

	a->is_waiting = false;
	if (m->outcome == DONE) {
		accept_literal(s);
	} else if (ipc_reason(m) == REASON_NOT_GRANTED) {
		session_bye(s, "UNAVAILABLE", "The account is gone");
		return;
	} else {
		f = session_failure_of(m, true);
		refuse_literal(s, str_c(a->tag), IMAP_NO, f.code, f.text);
	}
	conn_resume(s->client.conn);
}

/* All messages of the command so far, the new one included. */
static void
ask_for_room(struct session *s, struct str mailbox)
{
	struct append *a = s->append;
	struct msg_append_check q = {
		.name = mailbox,
		.bytes = a->size + a->messages[a->n - 1].size,
		.messages = (uint32_t)a->n,
	};
	struct buf b = BUF_INIT(KIB(4));

	msg_append_check_put(&b, &q);
	a->is_waiting = true;
	imap_session_ask(s, MSG_APPEND_CHECK, &b, -1, on_room);
	buf_done(&b);
}

/* Why the message is not wanted, whatever the store says; NULL: it may be. */
static const char *
judge(struct session *s, uint64_t size, const char **ret_why)
{
	const struct append *a = s->append;

	if (size > server_append_max(s->client.sv) ||
	    (a && size > APPEND_TOTAL_MAX - a->size)) {
		*ret_why = "The message is too large";
		return "TOOBIG";
	}
	if (a && a->n == IMAP_MAX_APPENDS) {
		*ret_why = "Too many messages in one APPEND";
		return "LIMIT";
	}
	return NULL;
}

static void
begin_message(struct session *s, const struct imap_frame_event *ev)
{
	struct append *a = s->append;

	if (!a) {
		a = s->append = append_new();
		s->client.attempt.is_underway = true;
		a->tag = str_dup(imap_command_tag(ev->text));
	}
	a->is_sync = ev->literal.is_sync;
	a->messages[a->n++] = (struct append_message){ .offset = a->size,
		.size = ev->literal.size };
}

void
append_literal(struct session *s, const struct imap_frame_event *ev)
{
	struct str tag = imap_command_tag(ev->text);
	const char *code, *why = NULL;
	struct arena arena;
	struct imap_command c;

	arena_init(&arena, IMAP_COMMAND_ARENA);
	if (imap_command_parse_append(&arena, ev->text, session_utf8(s), &c) !=
	    IMAP_PARSE_OK) {
		refuse_literal(
		    s, tag, IMAP_BAD, NULL, "Syntax error in APPEND");
	} else if ((code = judge(s, ev->literal.size, &why))) {
		refuse_literal(s, tag, IMAP_NO, code, why);
	} else {
		begin_message(s, ev);
		if (ev->literal.is_sync ||
		    ev->literal.size > APPEND_UNASKED_MAX)
			ask_for_room(s, c.u.append.mailbox.name);
		else
			accept_literal(s);
	}
	arena_done(&arena);
}

static bool
write_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t r = write(fd, s.p, s.n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		s = str_from(s, (size_t)r);
	}
	return true;
}

/* The message that has just become complete. */
static void
analyse(struct append *a)
{
	struct append_message *m = &a->messages[a->n - 1];
	struct buf record = BUF_INIT(MIME_STRUCTURE_MAX);
	struct str message;
	char *bytes = NULL;

	if (a->size) {
		bytes = mmap(NULL, a->size, PROT_READ, MAP_SHARED, a->fd, 0);
		if (bytes == MAP_FAILED) {
			a->has_failed = true;
			return;
		}
	}
	message = str_make(bytes ? bytes + m->offset : "", m->size);
	m->crlf_extra = pop3_crlf_extra(message);
	if (!mime_structure_build(message, NULL, &record))
		a->is_too_much = true;
	m->structure = a->structures.n;
	m->structure_size = record.n;
	buf_put_str(&a->structures, buf_str(&record));
	if (a->structures.failed)
		a->is_too_much = true;
	buf_done(&record);
	if (bytes)
		(void)munmap(bytes, a->size);
}

void
append_slice(struct session *s, const struct imap_frame_event *ev)
{
	struct append *a = s->append;

	if (!a)
		return;
	if (s->client.sv->append_bytes + ev->slice.n > SERVER_APPEND_MAX)
		a->has_failed = true;
	if (!a->has_failed && !write_all(a->fd, ev->slice))
		a->has_failed = true;
	if (!a->has_failed) {
		a->size += ev->slice.n;
		s->client.sv->append_bytes += ev->slice.n;
	}
	a->left = ev->left;
	if (ev->left == 0)
		conn_quick_ack(s->client.conn);
	if (a->left == 0 && !a->has_failed)
		analyse(a);
}

/* --- the complete command --------------------------------------------------------------- */

static void
on_append(struct session *s, struct ipc_msg *m)
{
	struct msg_append_reply r;
	struct buf code = BUF_INIT(KIB(1));

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_append_reply_get(m->body, &r) || r.count == 0) {
		session_broken_reply(s);
		return;
	}
	buf_printf(&code, "APPENDUID %u %u", r.uidvalidity, r.first_uid);
	if (r.count > 1)
		buf_printf(&code, ":%u", r.first_uid + r.count - 1);
	session_finish(s, IMAP_OK, buf_str(&code), STR("Stored"));
	buf_done(&code);
}

/* Every message of the command came in as a stream, to its end. */
static bool
is_complete(const struct session *s, const struct imap_append *c)
{
	const struct append *a = s->append;
	size_t streamed = 0;

	for (size_t i = 0; i < c->n; i++)
		streamed += c->messages[i].is_streamed;
	return a && a->n == c->n && streamed == c->n && a->left == 0;
}

static void
put_item(struct buf *items, const struct imap_append_message *msg,
    const struct append_message *where, struct msg_append_item *item)
{
	struct buf keywords = BUF_INIT(KIB(8));

	for (size_t i = 0; i < msg->flags.n_keywords; i++) {
		struct msg_text t = { .text = msg->flags.keywords[i] };

		msg_text_put(&keywords, &t);
	}
	item->offset = where->offset;
	item->size = where->size;
	item->crlf_extra = where->crlf_extra;
	item->flags = msg->flags.bits;
	item->keywords = buf_str(&keywords);
	msg_append_item_put(items, item);
	buf_done(&keywords);
}

static void
put_items(struct session *s, struct buf *items)
{
	const struct imap_append *c = &s->cmd->c.u.append;
	struct append *a = s->append;

	for (size_t i = 0; i < c->n; i++) {
		const struct append_message *w = &a->messages[i];
		struct msg_append_item item = {
			.internaldate =
			    c->messages[i].has_date
				? (uint64_t)MAX(c->messages[i].date.utc, 0)
				: loop_time(s->client.sv->loop),
			.structure = str_sub(buf_str(&a->structures),
			    w->structure, w->structure_size),
		};

		put_item(items, &c->messages[i], w, &item);
	}
}

static void
send_append(struct session *s)
{
	const struct imap_append *c = &s->cmd->c.u.append;
	struct append *a = s->append;
	struct msg_append req = { .name = c->mailbox.name };
	struct buf items = BUF_INIT(MIB(8) - KIB(8)), b = BUF_INIT(MIB(8));

	put_items(s, &items);
	req.items = buf_str(&items);
	msg_append_put(&b, &req);
	if (a->is_too_much || items.failed)
		session_no(s, "TOOBIG", "Too complex");
	else
		imap_session_ask(s, MSG_APPEND, &b, TAKE_FD(a->fd), on_append);
	buf_done(&items);
	buf_done(&b);
}

void
imap_cmd_append(struct session *s)
{
	const struct imap_append *c = &s->cmd->c.u.append;

	if (!is_complete(s, c)) {
		session_bad(s, "The literals do not fit the command");
		return;
	}
	if (s->append->has_failed) {
		session_no(s, "UNAVAILABLE", "Out of memory");
		return;
	}
	if (s->view && str_eq(c->mailbox.name, str_c(s->view->name)))
		s->has_changes = true;
	send_append(s);
}
