/* SPDX-License-Identifier: ISC */
/*
 * req_append.c - APPEND: one or several messages into a mailbox, all or none.
 */
#include "store/server.h"

struct append {
	struct server *s;
	struct ipc_return ret;
	uint64_t account;
	struct str body; /* owned; the items point into it */
	int fd;
	struct msg_append q;
	struct mail_append_item *items;
	size_t n;
	size_t left; /* blobs on their way */
	int err;     /* the first failure among them */
};

struct append_blob {
	struct append *a;
	size_t index;
};

static void
append_free(struct append *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->items[i].ticket)
			engine_ticket_free(a->items[i].ticket);
	closep(&a->fd);
	str_free(&a->body);
	free(a->items);
	free(a);
}

static void
finish(struct append *a)
{
	struct buf out = BUF_INIT(MAIL_REPLY_MAX);
	struct verdict v = a->err < 0 ? verdict_engine(a->err)
	                              : mail_append(a->s->mail, a->account,
					    a->q.name, a->items, a->n, &out);

	reply_at(
	    a->s, mail_position(a->s->mail, a->account), a->ret, v, &out, -1);
	buf_done(&out);
	append_free(a);
}

static void
on_stored(void *arg, int err, struct engine_ticket *ticket)
{
	struct append_blob *blob = arg;
	struct append *a = blob->a;

	if (err < 0 && a->err == 0)
		a->err = err;
	a->items[blob->index].ticket = ticket;
	free(blob);
	if (--a->left == 0)
		finish(a);
}

/* Every item lies inside the descriptor's file. */
static struct verdict
read_items(struct append *a)
{
	struct wire w = wire_read(a->q.items);
	struct msg_append_item item;
	uint64_t end = 0;
	size_t cap = 0;

	while (w.in.n && msg_append_item_read(&w, &item)) {
		a->items = x_grow(a->items, &cap, a->n + 1, sizeof(*a->items));
		a->items[a->n++] = (struct mail_append_item){ item, NULL };
		if (item.offset > INT64_MAX - item.size)
			return verdict_permfail(REASON_INTERNAL);
		end = MAX(end, item.offset + item.size);
	}
	if (w.in.n || a->n == 0 || (end && !req_fd_holds(a->fd, end)))
		return verdict_permfail(REASON_INTERNAL);
	return VERDICT_DONE;
}

static struct verdict
read_request(struct append *a)
{
	struct verdict v;

	if (!msg_append_get(a->body, &a->q))
		return verdict_permfail(REASON_INTERNAL);
	v = mail_append_check(a->s->mail, a->account, &a->q);
	return verdict_is_done(v) ? read_items(a) : v;
}

static void
store_blobs(struct append *a)
{
	size_t n = a->n;

	/* One more, so that nothing is finished while this loop runs. */
	a->left = n + 1;
	for (size_t i = 0; i < n; i++) {
		struct append_blob *blob = X_NEW(struct append_blob);
		struct engine_source src = {
			.fd = a->fd,
			.offset = a->items[i].msg.offset,
			.size = a->items[i].msg.size,
		};

		*blob = (struct append_blob){ a, i };
		if (src.size)
			engine_blob_put(a->s->engine, &src, on_stored, blob);
		else
			on_stored(blob, 0, NULL);
	}
	if (--a->left == 0)
		finish(a);
}

void
req_append(struct request *r)
{
	struct append *a = X_NEW(struct append);
	struct verdict v;

	a->s = r->s;
	a->ret = ipc_return_new(r->peer->ipc, r->msg);
	a->account = r->session->account;
	a->body = str_copy(r->msg->body);
	a->fd = r->msg->fd;
	r->msg->fd = -1;
	v = read_request(a);
	if (verdict_is_done(v)) {
		store_blobs(a);
		return;
	}
	reply_at(
	    a->s, mail_position(a->s->mail, a->account), a->ret, v, NULL, -1);
	append_free(a);
}
