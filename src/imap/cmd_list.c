/* SPDX-License-Identifier: ISC */
/*
 * cmd_list.c - LIST, LSUB, STATUS (RFC 3501 6.3.8, RFC 5258, 5819, 6154).
 *
 * The store gives all mailboxes of the account in one reply, sorted by name;
 * parents that exist only in the names of others are found here. A client
 * chooses names and patterns, and ten thousand long ones take a while: names
 * are matched, and then told, some at a time, with turns of others between.
 */
#include "imap/session.h"

#include "proto/imap/imap_match.h"

#define TURN_WORK 2000000 /* a few milliseconds; see work_of() */

/* Order of names: level by level, so that children follow their parent. */
static int
name_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n), i = 0;

	/* Names of one folder have much in common. */
	while (n - i >= 16 && memcmp(a.p + i, b.p + i, 16) == 0)
		i += 16;
	for (; i < n; i++) {
		unsigned char x = (unsigned char)a.p[i];
		unsigned char y = (unsigned char)b.p[i];

		if (x == y)
			continue;
		if (x == '/' || y == '/')
			return x == '/' ? -1 : 1;
		return x < y ? -1 : 1;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

static int
mailbox_cmp(const void *a, const void *b)
{
	const struct msg_mailbox *x = a, *y = b;

	return name_cmp(x->name, y->name);
}

struct listing {
	struct session *s;
	const struct imap_list *q;
	struct str reply; /* owned; the names point into it */
	struct msg_mailbox *all;
	size_t n, cap;
	bool *is_match;         /* of all: does a pattern match? */
	size_t at;              /* in all: what comes next */
	size_t work;            /* done in this turn */
	struct str last_parent; /* LSUB: told last */
};

static void
cleanup(struct session *s)
{
	struct listing *l = s->cmd->data;

	str_free(&l->reply);
	free(l->all);
	free(l->is_match);
}

static bool
is_below(struct str name, struct str parent)
{
	return name.n > parent.n && str_starts(name, parent) &&
	       name.p[parent.n] == '/';
}

/* Children follow their parent in the order of name_cmp(). */
static bool
has_children(const struct listing *l, size_t i)
{
	for (size_t k = i + 1;
	     k < l->n && is_below(l->all[k].name, l->all[i].name); k++)
		if (l->all[k].id)
			return true;
	return false;
}

static void
put_status_items(
    struct session *s, unsigned items, const struct msg_mailbox *mb)
{
	const struct {
		unsigned bit;
		const char *name;
		uint64_t value;
	} all[] = {
		{ IMAP_STATUS_MESSAGES, "MESSAGES", mb->messages },
		{ IMAP_STATUS_RECENT, "RECENT", mb->recent },
		{ IMAP_STATUS_UIDNEXT, "UIDNEXT", mb->uidnext },
		{ IMAP_STATUS_UIDVALIDITY, "UIDVALIDITY", mb->uidvalidity },
		{ IMAP_STATUS_UNSEEN, "UNSEEN", mb->unseen },
		{ IMAP_STATUS_HIGHESTMODSEQ, "HIGHESTMODSEQ", mb->modseq },
		{ IMAP_STATUS_SIZE, "SIZE", mb->bytes },
		{ IMAP_STATUS_DELETED, "DELETED", mb->deleted },
		{ IMAP_STATUS_DELETED_STORAGE, "DELETED-STORAGE",
		    mb->deleted_bytes },
		{ IMAP_STATUS_APPENDLIMIT, "APPENDLIMIT",
		    server_append_max(s->client.sv) },
	};
	const char *blank = "";

	buf_put_c(&s->client.out, "* STATUS ");
	imap_put_mailbox(&s->client.out, mb->name, session_utf8(s));
	buf_put_c(&s->client.out, " (");
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (items & all[i].bit) {
			buf_printf(&s->client.out, "%s%s ", blank, all[i].name);
			buf_put_u64(&s->client.out, all[i].value);
			blank = " ";
		}
	buf_put_c(&s->client.out, ")\r\n");
	if (items & IMAP_STATUS_HIGHESTMODSEQ)
		session_enable(s, ENABLED_CONDSTORE);
}

static void
put_attribute(struct buf *b, const char *name, const char **blank)
{
	buf_printf(b, "%s%s", *blank, name);
	*blank = " ";
}

static void
put_attributes(struct listing *l, size_t i)
{
	const struct msg_mailbox *mb = &l->all[i];
	const struct imap_list *q = l->q;
	struct buf *b = &l->s->client.out;
	const char *blank = "";
	bool wants_subscribed = (q->select & IMAP_LIST_SUBSCRIBED) ||
	                        (q->returns & IMAP_LIST_RETURN_SUBSCRIBED);

	if (!mb->id)
		put_attribute(
		    b, q->is_extended ? "\\NonExistent" : "\\Noselect", &blank);
	if (wants_subscribed && mb->is_subscribed)
		put_attribute(b, "\\Subscribed", &blank);
	put_attribute(b,
	    has_children(l, i) ? "\\HasChildren" : "\\HasNoChildren", &blank);
	for (unsigned bit = 1; bit <= MAILBOX_TRASH; bit <<= 1)
		if (mb->special & bit)
			put_attribute(b, imap_special_use_name(bit), &blank);
}

/*
 * RFC 5258 3.5: below it is a subscribed one that is not told by itself.
 */
static bool
has_untold_child(const struct listing *l, size_t i)
{
	for (size_t k = i + 1;
	     k < l->n && is_below(l->all[k].name, l->all[i].name); k++)
		if (l->all[k].is_subscribed && !l->is_match[k])
			return true;
	return false;
}

static bool
is_selected(const struct listing *l, const struct msg_mailbox *mb)
{
	const struct imap_list *q = l->q;

	if (q->select & IMAP_LIST_SUBSCRIBED && !mb->is_subscribed)
		return false;
	if (q->select & IMAP_LIST_SPECIAL_USE && !mb->special)
		return false;
	if (!(q->select & IMAP_LIST_SUBSCRIBED) && !mb->id)
		return false;
	return true;
}

/* What matching costs: see imap_match.h. */
static size_t
work_of(struct str pattern, struct str name)
{
	return (pattern.n / 64 + 1) * (name.n + 256);
}

static bool
match_any(struct listing *l, struct str name)
{
	for (size_t i = 0; i < l->q->n_patterns; i++) {
		l->work += work_of(l->q->patterns[i], name);
		if (imap_match(l->q->patterns[i], name) == IMAP_MATCH_YES)
			return true;
	}
	return false;
}

static void
put_line(struct listing *l, size_t i, const char *childinfo)
{
	struct session *s = l->s;
	const struct msg_mailbox *mb = &l->all[i];

	buf_put_c(&s->client.out, "* LIST (");
	put_attributes(l, i);
	buf_put_c(&s->client.out, ") \"/\" ");
	imap_put_mailbox(&s->client.out, mb->name, session_utf8(s));
	if (childinfo)
		buf_printf(
		    &s->client.out, " (\"CHILDINFO\" (\"%s\"))", childinfo);
	buf_put_c(&s->client.out, "\r\n");
	if (l->q->returns & IMAP_LIST_RETURN_STATUS && mb->id)
		put_status_items(s, l->q->status_items, mb);
}

static void
put_lsub(struct listing *l, struct str name, bool is_noselect)
{
	buf_printf(&l->s->client.out, "* LSUB (%s) \"/\" ",
	    is_noselect ? "\\Noselect" : "");
	imap_put_mailbox(&l->s->client.out, name, session_utf8(l->s));
	buf_put_c(&l->s->client.out, "\r\n");
}

static bool
is_subscribed(const struct listing *l, struct str name)
{
	const struct msg_mailbox want = { .name = name }, *found;

	found = bsearch(&want, l->all, l->n, sizeof(want), mailbox_cmp);
	return found && found->is_subscribed;
}

/*
 * LSUB "%": a level above a subscribed name that is not subscribed itself is
 * told with \Noselect (RFC 3501 6.3.9), once.
 */
static void
lsub_parents(struct listing *l, struct str name)
{
	for (size_t p = 0; p < l->q->n_patterns; p++) {
		struct str parent;

		l->work += work_of(l->q->patterns[p], name);
		if (!imap_match_parent(l->q->patterns[p], name, &parent) ||
		    str_eq(parent, l->last_parent))
			continue;
		l->last_parent = parent;
		if (!is_subscribed(l, parent))
			put_lsub(l, parent, true);
		return;
	}
}

static void
put_lsub_of(struct listing *l, size_t i)
{
	if (!l->all[i].is_subscribed)
		return;
	if (l->is_match[i])
		put_lsub(l, l->all[i].name, false);
	else
		lsub_parents(l, l->all[i].name);
}

static void
put_list_of(struct listing *l, size_t i)
{
	bool is_recursive = l->q->select & IMAP_LIST_RECURSIVE;
	bool below;

	if (!l->is_match[i])
		return;
	below = is_recursive && has_untold_child(l, i);
	if (is_selected(l, &l->all[i]) || below)
		put_line(l, i, below ? "SUBSCRIBED" : NULL);
}

static void
add_mailbox(struct listing *l, const struct msg_mailbox *mb)
{
	l->all = x_grow(l->all, &l->cap, l->n + 1, sizeof(*mb));
	l->all[l->n++] = *mb;
}

/* Names that exist only as parents of subscriptions: found in the sorted
 * list, and added behind it. */
static void
add_parents(struct listing *l)
{
	size_t sorted = l->n;
	struct str last = STR_NONE;

	for (size_t i = 0; i < sorted; i++) {
		struct str name = l->all[i].name;

		for (size_t at = 1; at < name.n; at++) {
			struct msg_mailbox parent = { .name =
							  str_first(name, at) };

			if (name.p[at] != '/' || is_below(last, parent.name) ||
			    bsearch(&parent, l->all, sorted, sizeof(parent),
				mailbox_cmp))
				continue;
			add_mailbox(l, &parent);
		}
		last = name;
	}
	if (l->n > sorted)
		qsort(l->all, l->n, sizeof(*l->all), mailbox_cmp);
}

static bool
read_mailboxes(struct listing *l, struct str list)
{
	struct wire w = wire_read(list);
	struct msg_mailbox mb;

	while (msg_mailbox_read(&w, &mb))
		add_mailbox(l, &mb);
	if (l->n)
		qsort(l->all, l->n, sizeof(*l->all), mailbox_cmp);
	/* Of no use but for what is told of those below them. */
	if (l->q->select & IMAP_LIST_RECURSIVE)
		add_parents(l);
	return wire_is_complete(&w);
}

static void
tell_more(struct session *s)
{
	struct listing *l = s->cmd->data;

	for (l->work = 0; l->at < l->n && l->work < TURN_WORK; l->at++) {
		if (s->client.out.n >= CLIENT_OUT_CHUNK) {
			client_flush(&s->client);
			if (session_wait_drained(s, tell_more))
				return;
		}
		l->work += l->all[l->at].name.n + 256;
		if (s->cmd->c.verb == IMAP_LSUB)
			put_lsub_of(l, l->at);
		else
			put_list_of(l, l->at);
	}
	if (l->at < l->n)
		session_yield(s, tell_more);
	else
		session_ok(s, "Done");
}

static void
match_more(struct session *s)
{
	struct listing *l = s->cmd->data;

	for (l->work = 0; l->at < l->n && l->work < TURN_WORK; l->at++)
		l->is_match[l->at] = match_any(l, l->all[l->at].name);
	if (l->at < l->n) {
		session_yield(s, match_more);
		return;
	}
	l->at = 0;
	tell_more(s);
}

static void
on_list(struct session *s, struct ipc_msg *m)
{
	struct listing *l = s->cmd->data;
	struct msg_mailbox_list_reply r;

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	l->reply = str_copy(m->body);
	if (!msg_mailbox_list_reply_get(l->reply, &r) ||
	    !read_mailboxes(l, r.mailboxes)) {
		session_broken_reply(s);
		return;
	}
	l->is_match = x_calloc(MAX(l->n, 1), sizeof(*l->is_match));
	match_more(s);
}

void
imap_cmd_list(struct session *s)
{
	const struct imap_list *q = &s->cmd->c.u.list;
	struct msg_mailbox_list req = {
		.wants_deleted_bytes =
		    !!(q->status_items & IMAP_STATUS_DELETED_STORAGE),
	};
	struct buf b = BUF_INIT(64);
	struct listing *l;

	if (q->is_root) {
		buf_put_c(
		    &s->client.out, s->cmd->c.verb == IMAP_LSUB
					? "* LSUB (\\Noselect) \"/\" \"\"\r\n"
					: "* LIST (\\Noselect) \"/\" \"\"\r\n");
		session_ok(s, "Done");
		return;
	}
	l = session_cmd_data(s, sizeof(*l));
	l->s = s;
	l->q = q;
	s->cmd->cleanup = cleanup;
	msg_mailbox_list_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_LIST, &b, -1, on_list);
	buf_done(&b);
}

static void
on_status(struct session *s, struct ipc_msg *m)
{
	struct msg_mailbox_status_reply r;
	struct msg_mailbox mb;

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_mailbox_status_reply_get(m->body, &r) ||
	    !msg_mailbox_get(r.mailbox, &mb)) {
		session_broken_reply(s);
		return;
	}
	put_status_items(s, s->cmd->c.u.status.items, &mb);
	session_ok(s, "Done");
}

void
imap_cmd_status(struct session *s)
{
	const struct imap_status *q = &s->cmd->c.u.status;
	struct msg_mailbox_status req = {
		.name = q->mailbox.name,
		.wants_deleted_bytes =
		    !!(q->items & IMAP_STATUS_DELETED_STORAGE),
	};
	struct buf b = BUF_INIT(KIB(4));

	msg_mailbox_status_put(&b, &req);
	imap_session_ask(s, MSG_MAILBOX_STATUS, &b, -1, on_status);
	buf_done(&b);
}
