/* SPDX-License-Identifier: ISC */
/*
 * cmd_append.c - APPEND and MULTIAPPEND (RFC 3501 6.3.11, RFC 3502, 7889).
 *
 * A message goes from the connection straight into a memory file, in the
 * pieces in which it arrives, and is analysed at its end (this session may
 * put into its own mailboxes whatever it likes). When the command is complete
 * the store takes all of them, or none, in one durable commit.
 */
#include "imap/session.h"

#include "proto/mime/mime_structure.h"

#include <sys/mman.h>
#include <unistd.h>

#define APPEND_TOTAL_MAX MIB(512) /* all messages of one command */

#define STRUCTURES_MAX MIB(7) /* of them, what one request can hold */

struct append_message {
	uint64_t offset, size;
	size_t structure, structure_size; /* in structures */
};

struct append {
	int fd;
	uint64_t size; /* bytes written, all messages */
	size_t n;
	struct append_message messages[IMAP_MAX_APPENDS];
	uint64_t left; /* of the message under way */
	struct buf structures;
	bool has_failed;  /* no memory for it: answered at the end */
	bool is_too_much; /* structures do not fit a request: likewise */
};

void
append_free(struct session *s)
{
	if (!s->append)
		return;
	s->sv->append_bytes -= s->append->size;
	closep(&s->append->fd);
	buf_done(&s->append->structures);
	free(s->append);
	s->append = NULL;
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

static bool
refuse_literal(struct session *s, struct str text, enum imap_status_word word,
    struct str code, const char *why)
{
	imap_put_status(
	    &s->out, imap_command_tag(text), word, code, str_c(why));
	append_free(s);
	return false;
}

static enum imap_parse
parse_so_far(struct session *s, struct str text)
{
	struct arena arena;
	struct imap_command c;
	enum imap_parse r;

	arena_init(&arena, IMAP_COMMAND_ARENA);
	r = imap_command_parse_append(&arena, text, session_utf8(s), &c);
	arena_done(&arena);
	return r;
}

bool
append_literal(struct session *s, const struct imap_frame_event *ev)
{
	uint64_t size = ev->literal.size;
	struct append *a = s->append;

	if (parse_so_far(s, ev->text) != IMAP_PARSE_OK)
		return refuse_literal(
		    s, ev->text, IMAP_BAD, STR_NONE, "Syntax error in APPEND");
	if (size > server_append_max(s->sv) ||
	    (a && size > APPEND_TOTAL_MAX - a->size))
		return refuse_literal(s, ev->text, IMAP_NO, STR("TOOBIG"),
		    "The message is too large");
	if (a && a->n == IMAP_MAX_APPENDS)
		return refuse_literal(s, ev->text, IMAP_NO, STR("LIMIT"),
		    "Too many messages in one APPEND");
	if (!a)
		a = s->append = append_new();
	a->messages[a->n++] =
	    (struct append_message){ .offset = a->size, .size = size };
	a->left = size;
	imap_framer_stream(&s->framer);
	return true;
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
	char *bytes = NULL;

	if (a->size) {
		bytes = mmap(NULL, a->size, PROT_READ, MAP_SHARED, a->fd, 0);
		if (bytes == MAP_FAILED) {
			a->has_failed = true;
			return;
		}
	}
	if (!mime_structure_build(
		str_make(bytes ? bytes + m->offset : "", m->size), NULL,
		&record))
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
	if (s->sv->append_bytes + ev->slice.n > SERVER_APPEND_MAX)
		a->has_failed = true;
	if (!a->has_failed && !write_all(a->fd, ev->slice))
		a->has_failed = true;
	if (!a->has_failed) {
		a->size += ev->slice.n;
		s->sv->append_bytes += ev->slice.n;
	}
	a->left = ev->left;
	if (ev->left == 0)
		conn_quick_ack(s->conn);
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
				: loop_time(s->sv->loop),
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
