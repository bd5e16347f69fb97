/* SPDX-License-Identifier: ISC */
/*
 * main.c - the filter process: start-up, sandbox, and ANALYSE. It reads what
 * strangers wrote, so it may do nothing but compute: no files, no sockets.
 */
#include "base/log.h"
#include "filter/analyse.h"
#include "filter/filter.h"
#include "proc/runtime.h"

#define FILTER_MEMORY_MAX MIB(1024)

struct server {
	struct runtime *rt;
};

static int
on_prepare(void *arg, struct runtime *rt, UNUSED struct str snapshot)
{
	struct server *s = arg;

	s->rt = rt;
	return 0;
}

static void
on_sandbox(UNUSED void *arg, struct sandbox *sb)
{
	sb->needs = SANDBOX_BASE | SANDBOX_MEMFD;
	sb->max_files = 1024;
	sb->max_memory = FILTER_MEMORY_MAX;
}

static int
on_start(UNUSED void *arg, UNUSED struct runtime *rt)
{
	return 0;
}

static void
on_config(UNUSED void *arg, UNUSED struct str snapshot)
{
}

static void
on_peer(UNUSED void *arg, UNUSED struct ipc_peer *p)
{
}

static void
answer(struct ipc_return *ret, const struct analysis *a)
{
	struct msg_analyse_reply reply = {
		.structure = buf_str(&a->structure),
		.hops = a->hops,
		.missing = a->missing,
		.authors = buf_str(&a->authors),
		.author_faults = a->author_faults,
	};
	struct buf b =
	    BUF_INIT(ANALYSE_STRUCTURE_MAX + ANALYSE_AUTHORS_MAX + KIB(64));

	msg_analyse_reply_put(&b, &reply);
	ipc_reply(ret, buf_str(&b), -1);
	buf_done(&b);
}

static void
on_analyse(struct ipc_peer *p, struct ipc_msg *m)
{
	struct ipc_return ret = ipc_return_new(p, m);
	struct msg_analyse msg;
	struct analysis a;
	int r = 0;

	if (!msg_analyse_get(m->body, &msg) ||
	    (m->fd < 0 && msg.data.n != msg.size)) {
		ipc_reply_error(&ret, TEMPFAIL, REASON_INTERNAL, NULL);
		return;
	}
	if (m->fd < 0)
		analyse_bytes(msg.data, msg.is_submission, &a);
	else
		r = analyse_fd(m->fd, msg.size, msg.is_submission, &a);
	if (r < 0) {
		ipc_reply_error(&ret, TEMPFAIL,
		    r == -EFBIG ? REASON_TOO_BIG : REASON_INTERNAL, NULL);
		return;
	}
	if (a.is_limited)
		log_event(EV_FILTER_LIMIT, LU("size", msg.size),
		    LS("from", msg.mail_from), LS("ip", msg.client_ip));
	answer(&ret, &a);
	analysis_done(&a);
}

static void
on_message(UNUSED void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	if (m->type == MSG_ANALYSE)
		on_analyse(p, m);
}

static void
on_closed(UNUSED void *arg, UNUSED struct ipc_peer *p)
{
}

static void
on_stop(void *arg)
{
	struct server *s = arg;

	runtime_quit(s->rt);
}

int
filter_main(void)
{
	static const struct ipc_handlers ipc = { on_message, on_closed };
	static const struct runtime_role role = {
		.role = ROLE_FILTER,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.start = on_start,
		.config = on_config,
		.peer = on_peer,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct server s = { 0 };

	return runtime_main(&role, &s);
}
