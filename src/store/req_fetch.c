/* SPDX-License-Identifier: ISC */
/*
 * req_fetch.c - FETCH: records at once, bodies when they were read.
 */
#include "store/server.h"

#include <sys/mman.h>

struct fetch {
	struct server *s;
	struct ipc_return ret;
	uint64_t position; /* what was read is durable there */
	struct mail_fetch f;
	int fd;
};

static void
fetch_free(struct fetch *f)
{
	mail_fetch_done(&f->f);
	closep(&f->fd);
	free(f);
}

static void
finish(struct fetch *f, const struct engine_read_result *result)
{
	struct buf out = BUF_INIT(MAIL_REPLY_MAX);
	int fd = -1;

	mail_fetch_finish(&f->f, result, &out);
	if (f->f.is_in_fd) {
		fd = f->fd;
		f->fd = -1;
	}
	reply_at(f->s, f->position, f->ret, VERDICT_DONE, &out, fd);
	buf_done(&out);
	fetch_free(f);
}

static void
on_read(void *arg, const struct engine_read_result *result)
{
	struct fetch *f = arg;

	f->s->reads--;
	finish(f, result);
}

static bool
open_body_fd(struct fetch *f)
{
	f->fd = memfd_create("body", MFD_CLOEXEC);
	return f->fd >= 0;
}

static void
start(struct fetch *f)
{
	if (f->f.is_in_fd && !open_body_fd(f)) {
		reply_error(f->ret, verdict_tempfail(REASON_LIMIT));
		fetch_free(f);
		return;
	}
	if (f->f.n_reads == 0) {
		finish(f, NULL);
		return;
	}
	f->s->reads++;
	engine_blob_read(
	    f->s->engine, f->f.reads, f->f.n_reads, f->fd, on_read, f);
}

void
req_fetch(struct request *r)
{
	struct fetch *f = X_NEW(struct fetch);
	struct msg_fetch q;
	struct verdict v;

	f->s = r->s;
	f->fd = -1;
	f->ret = ipc_return_new(r->peer->ipc, r->msg);
	v = msg_fetch_get(r->msg->body, &q)
	        ? mail_fetch_collect(r->s->mail, r->session->account, &q, &f->f)
	        : verdict_permfail(REASON_INTERNAL);
	f->position = mail_position(r->s->mail, r->session->account);
	if (verdict_is_done(v)) {
		start(f);
		return;
	}
	reply_at(r->s, f->position, f->ret, v, NULL, -1);
	fetch_free(f);
}
