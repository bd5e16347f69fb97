/* SPDX-License-Identifier: ISC */
/* exporter.c - read an account's mailboxes for export. See exporter.h. */
#include "cli/mailbox/exporter.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/output/progress.h"

#define FETCH_MESSAGES 500 /* UIDs of one FETCH */
#define KEYWORDS_MAX   IPC_KEYWORDS_MAX

struct exporter {
	struct admin *a;
	const struct export_target *target;
	struct progress progress;
	struct export_writer w;
	struct msg_mailbox mailbox; /* of the open one, into open_reply */
	struct buf open_reply, entries, fetched, message;
	struct str keywords[KEYWORDS_MAX];
	size_t n_keywords;
	uint64_t total, done, written, there, corrupt, mailboxes;
	uint64_t lost_keywords;
	int error;
};

static int
fail_errno(struct exporter *x, const char *path, int err)
{
	progress_clear(&x->progress);
	return admin_error(x->a, ADMIN_REFUSED, "%s: %s", path, strerror(-err));
}

/* A request of the session; anything but DONE ends the export. */
static bool
ask(struct exporter *x, enum msg_type type, const struct buf *body,
    struct buf *reply, int *ret_fd)
{
	enum outcome o;

	x->error = mailstore_ask(x->a,
	    &(struct admin_call){ type, 0, buf_str(body), -1 }, &o, reply,
	    ret_fd);
	if (x->error == ADMIN_OK && o != DONE) {
		progress_clear(&x->progress);
		x->error =
		    admin_refused(x->a, o, buf_str(reply), "export stopped");
	}
	return x->error == ADMIN_OK;
}

static void
take_keywords(struct exporter *x, struct str list)
{
	struct wire w = wire_read(list);
	struct msg_text t;

	x->n_keywords = 0;
	while (x->n_keywords < KEYWORDS_MAX && msg_text_read(&w, &t))
		x->keywords[x->n_keywords++] = t.text;
}

static bool
open_mailbox(struct exporter *x, struct str name)
{
	struct buf body = BUF_INIT(KIB(4));
	struct msg_mailbox_open_reply r;
	bool ok;

	msg_mailbox_open_put(&body,
	    &(struct msg_mailbox_open){ .name = name, .is_readonly = 1 });
	ok = ask(x, MSG_MAILBOX_OPEN, &body, &x->open_reply, NULL);
	buf_done(&body);
	if (!ok)
		return false;
	if (!msg_mailbox_open_reply_get(buf_str(&x->open_reply), &r) ||
	    !msg_mailbox_get(r.mailbox, &x->mailbox)) {
		x->error = admin_error(
		    x->a, ADMIN_TEMPFAIL, "the server's answer is no answer");
		return false;
	}
	take_keywords(x, r.keywords);
	return true;
}

/* --- messages -------------------------------------------------------------------- */

static const struct ipc_entry *
entry_at(const struct msg_entries_reply *r, size_t i, struct ipc_entry *to)
{
	memcpy(to, r->entries.p + i * sizeof(*to), sizeof(*to));
	return to;
}

static bool
find_entry(
    const struct msg_entries_reply *r, uint32_t uid, struct ipc_entry *ret)
{
	size_t n = r->entries.n / sizeof(*ret);
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (entry_at(r, mid, ret)->uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && entry_at(r, lo, ret)->uid == uid;
}

static void
put_message(struct exporter *x, const struct msg_fetch_item *item,
    const struct ipc_entry *e, struct str body)
{
	struct str names[KEYWORDS_MAX];
	struct export_message m = { .uid = item->uid,
		.uidvalidity = x->mailbox.uidvalidity,
		.flags = e->flags,
		.internaldate = item->internaldate,
		.keywords = names };
	int r = 0;

	for (size_t i = 0; i < x->n_keywords; i++)
		if (e->keywords[i / 64] >> (i % 64) & 1)
			names[m.n_keywords++] = x->keywords[i];
	buf_reset(&x->message, MIB(1));
	buf_put_str(&x->message, item->prefix);
	buf_put_str(&x->message, body);
	m.bytes = buf_str(&x->message);
	if (x->target->is_mbox)
		r = export_mbox_put(&x->w, &m);
	else
		r = export_maildir_put(&x->w, &m);
	x->written++;
	if (r < 0)
		x->error = fail_errno(x, buf_c(&x->w.path), r);
}

/* A large body comes in a descriptor. */
static void
put_from_fd(struct exporter *x, const struct msg_fetch_item *item,
    const struct ipc_entry *e, int fd)
{
	struct stat st;
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
		p = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		x->error = admin_error(
		    x->a, ADMIN_TEMPFAIL, "cannot read a large message");
		return;
	}
	put_message(
	    x, item, e, str_first(str_make(p, (size_t)st.st_size), item->size));
	munmap(p, (size_t)st.st_size);
}

static void
take_item(struct exporter *x, const struct msg_entries_reply *entries,
    const struct msg_fetch_item *item, int fd)
{
	struct ipc_entry e;

	if (!find_entry(entries, item->uid, &e))
		return;
	if (item->is_corrupt) {
		progress_clear(&x->progress);
		fprintf(stderr,
		    "mailstead: %.*s: message %u is damaged on disk and was "
		    "left out\n",
		    STR_ARG(x->mailbox.name), item->uid);
		x->corrupt++;
	} else if (fd >= 0) {
		put_from_fd(x, item, &e, fd);
	} else {
		put_message(x, item, &e, item->body);
	}
	progress_set(&x->progress, ++x->done, x->written + x->there);
}

/* UIDs of entries [from, to) that are not there yet. */
static void
wanted_uids(struct exporter *x, const struct msg_entries_reply *r, size_t from,
    size_t to, struct buf *uids)
{
	struct export_message m = { .uidvalidity = x->mailbox.uidvalidity };
	struct ipc_entry e;

	for (size_t i = from; i < to; i++) {
		m.uid = entry_at(r, i, &e)->uid;
		if (!x->target->is_mbox && export_maildir_has(&x->w, &m)) {
			x->there++;
			x->done++;
		} else {
			uid_set_add(uids, m.uid, m.uid);
		}
	}
}

/* One FETCH; the answer is the UID to go on with, 0 at the end. */
static uint32_t
fetch_some(struct exporter *x, const struct msg_entries_reply *entries,
    struct str uids)
{
	struct msg_fetch msg = { .mailbox = x->mailbox.id,
		.uids = uids,
		.want = FETCH_DATES | FETCH_SIZE | FETCH_PREFIX | FETCH_BODY,
		.max_bytes = FETCH_MAX_BYTES };
	struct buf body = BUF_INIT(KIB(64));
	struct msg_fetch_reply r = { 0 };
	struct msg_fetch_item item;
	int fd CLEANUP(closep) = -1;
	bool ok;

	msg_fetch_put(&body, &msg);
	ok = ask(x, MSG_FETCH, &body, &x->fetched, &fd);
	buf_done(&body);
	if (!ok)
		return 0;
	if (!msg_fetch_reply_get(buf_str(&x->fetched), &r)) {
		x->error = admin_error(
		    x->a, ADMIN_TEMPFAIL, "the server's answer is no answer");
		return 0;
	}
	for (struct wire w = wire_read(r.items);
	     x->error == ADMIN_OK && msg_fetch_item_read(&w, &item);)
		take_item(x, entries, &item, r.is_body_in_fd ? fd : -1);
	return r.next_uid;
}

/* Drop the UIDs below next from the front of a set. */
static void
drop_below(struct buf *uids, uint32_t next)
{
	struct buf left = BUF_INIT(KIB(64));
	struct str rest = buf_str(uids);
	uint32_t first, last;

	while (uid_set_next(&rest, &first, &last))
		if (last >= next)
			uid_set_add(&left, MAX(first, next), last);
	buf_done(uids);
	*uids = left;
}

/* Export the messages of one portion of entries. */
static void
export_entries(struct exporter *x, const struct msg_entries_reply *r)
{
	size_t n = r->entries.n / sizeof(struct ipc_entry);

	for (size_t i = 0; i < n && x->error == ADMIN_OK; i += FETCH_MESSAGES) {
		struct buf uids = BUF_INIT(KIB(64));
		uint32_t next;

		wanted_uids(x, r, i, MIN(i + FETCH_MESSAGES, n), &uids);
		while (uids.n > 0 && x->error == ADMIN_OK) {
			next = fetch_some(x, r, buf_str(&uids));
			if (next == 0)
				break;
			drop_below(&uids, next);
		}
		buf_done(&uids);
	}
}

static void
export_all(struct exporter *x)
{
	struct msg_entries ask_for = { .mailbox = x->mailbox.id,
		.from_uid = 1 };
	struct buf body = BUF_INIT(KIB(1));
	struct msg_entries_reply r;

	do {
		buf_reset(&body, KIB(1));
		ask_for.known_keywords = (uint32_t)x->n_keywords;
		msg_entries_put(&body, &ask_for);
		if (!ask(x, MSG_ENTRIES, &body, &x->entries, NULL))
			break;
		if (!msg_entries_reply_get(buf_str(&x->entries), &r)) {
			x->error = admin_error(x->a, ADMIN_TEMPFAIL,
			    "the server's answer is no answer");
			break;
		}
		export_entries(x, &r);
		ask_for.from_uid = r.next_uid;
	} while (r.next_uid && x->error == ADMIN_OK);
	buf_done(&body);
}

/* --- mailboxes --------------------------------------------------------------------- */

static void
export_mailbox(struct exporter *x, struct str name)
{
	int r;

	if (!open_mailbox(x, name))
		return;
	x->w = (struct export_writer){ .target = x->target,
		.mailbox = name,
		.path = BUF_INIT(KIB(8)),
		.fd = -1,
		.out = BUF_INIT(SIZE_MAX / 4) };
	r = x->target->is_mbox ? export_mbox_open(&x->w)
	                       : export_maildir_open(&x->w);
	if (r < 0)
		x->error = fail_errno(x, buf_c(&x->w.path), r);
	else
		export_all(x);
	r = x->target->is_mbox ? export_mbox_close(&x->w, x->error == ADMIN_OK)
	                       : export_maildir_close(&x->w);
	if (r < 0 && x->error == ADMIN_OK)
		x->error = fail_errno(x, buf_c(&x->w.path), r);
	x->lost_keywords += x->w.lost_keywords;
	x->mailboxes++;
	buf_done(&x->w.path);
	buf_done(&x->w.out);
}

static void
export_mailboxes(struct exporter *x)
{
	struct buf body = BUF_INIT(64), list = BUF_INIT(MIB(16));
	struct str only = x->target->mailbox;
	struct msg_mailbox_list_reply r;
	struct msg_mailbox m;
	bool found = false;

	if (!ask(x, MSG_MAILBOX_LIST, &body, &list, NULL) ||
	    !msg_mailbox_list_reply_get(buf_str(&list), &r)) {
		buf_done(&list);
		return;
	}
	for (struct wire w = wire_read(r.mailboxes); msg_mailbox_read(&w, &m);)
		if (m.id && (only.n == 0 || str_eq(m.name, only))) {
			x->total += m.messages;
			found = true;
		}
	if (!found)
		x->error = admin_error(x->a, ADMIN_REFUSED,
		    "there is no mailbox \"%.*s\"", STR_ARG(only));
	progress_start(&x->progress, x->total, !x->a->is_json);
	for (struct wire w = wire_read(r.mailboxes);
	     x->error == ADMIN_OK && msg_mailbox_read(&w, &m);)
		if (m.id && (only.n == 0 || str_eq(m.name, only)))
			export_mailbox(x, m.name);
	buf_done(&list);
}

static void
print_summary(struct exporter *x)
{
	static const struct output_field fields[] = {
		{ "exported", "exported", OUTPUT_COUNT },
		{ "already_there", "already there", OUTPUT_COUNT },
		{ "damaged", "damaged", OUTPUT_COUNT },
		{ "mailboxes", "mailboxes", OUTPUT_COUNT },
		{ "lost_keywords", "lost keywords", OUTPUT_COUNT },
		{ "seconds", "seconds", OUTPUT_COUNT },
	};
	struct output *o = output_new("", fields, ARRAY_LEN(fields));

	output_put_number(o, x->written);
	output_put_number(o, x->there);
	output_put_number(o, x->corrupt);
	output_put_number(o, x->mailboxes);
	output_put_number(o, x->lost_keywords);
	output_put_number(o, progress_elapsed_ms(&x->progress) / 1000);
	output_print_one(o, x->a->is_json);
	output_free(o);
}

int
export_mail(struct admin *a, const struct export_target *t)
{
	struct exporter *x = X_NEW(struct exporter);
	int r;

	x->a = a;
	x->target = t;
	x->open_reply = x->entries = x->fetched = BUF_INIT(MIB(16));
	x->message = BUF_INIT(MIB(512));
	export_mailboxes(x);
	progress_clear(&x->progress);
	if (x->error == ADMIN_OK)
		print_summary(x);
	r = x->error == ADMIN_OK && x->corrupt ? ADMIN_REFUSED : x->error;
	buf_done(&x->open_reply);
	buf_done(&x->entries);
	buf_done(&x->fetched);
	buf_done(&x->message);
	free(x);
	return r;
}
