/* SPDX-License-Identifier: ISC */
/*
 * main.c - the filter process: start-up, sandbox, and ANALYSE. It reads what
 * strangers wrote, and asks name servers who they are: no files, no mail but
 * the messages in hand.
 */
#include "base/log.h"
#include "base/suffixes.h"
#include "conf/conf_resolver.h"
#include "filter/analyse.h"
#include "filter/check.h"
#include "filter/feedback.h"
#include "filter/filter.h"
#include "filter/rows.h"

#define FILTER_MEMORY_MAX MIB(1024)
#define STOP_MS           500

/* --- life ------------------------------------------------------------------------- */

/* The library's context cannot change: other name servers, or checks that are
 * switched on later, need a new process. */
static int
make_resolver(struct server *sv)
{
	bool validates;
	int r = conf_resolver_start(
	    sv->conf, sv->loop, "filter", &sv->resolver, &validates);

	if (sv->conf->dns_dnssec && !validates)
		log_event0(EV_FILTER_NO_ANCHOR);
	return r;
}

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct server *sv = arg;

	sv->rt = rt;
	sv->loop = runtime_loop(rt);
	conf_take(&sv->conf, snapshot);
	if (!sv->conf->incoming_checks)
		return 0;
	sv->suffixes = suffixes_load();
	return make_resolver(sv);
}

static void
on_sandbox(void *arg, struct sandbox *sb)
{
	struct server *sv = arg;

	sb->needs = SANDBOX_BASE | SANDBOX_MEMFD;
	if (sv->resolver != NULL)
		sb->needs |= SANDBOX_THREADS | SANDBOX_CONNECT;
	sb->max_files = 2048;
	sb->max_memory = FILTER_MEMORY_MAX;
}

static int
on_start(void *arg, UNUSED struct runtime *rt)
{
	struct server *sv = arg;

	sv->rows = rows_new(sv);
	sv->checks = checks_new(sv);
	return 0;
}

static void
on_config(void *arg, struct str snapshot)
{
	struct server *sv = arg;

	conf_take(&sv->conf, snapshot);
}

static void
on_peer(UNUSED void *arg, UNUSED struct ipc_peer *p)
{
}

/* --- ANALYSE ------------------------------------------------------------------------ */

/* One that waits for its check, and then for its report to be on disk. */
struct waiting {
	struct server *sv;
	struct ipc_return ret;
	struct analysis a;
	struct report *report; /* NULL: there is none */
	bool is_report_only;   /* nobody gets it but who reads reports */
	struct buf reply;
};

static struct buf
encode(const struct analysis *a, const struct check_result *c)
{
	struct msg_analyse_reply reply = {
		.verdict = (uint8_t)c->verdict,
		.reply = c->reply,
		.headers = c->headers,
		.is_junk = c->is_junk,
		.structure = buf_str(&a->structure),
		.cuts = buf_str(&a->cuts),
		.hops = a->hops,
		.missing = a->missing,
		.authors = buf_str(&a->authors),
		.author_faults = a->author_faults,
	};
	struct buf b = BUF_INIT(ANALYSE_STRUCTURE_MAX + ANALYSE_AUTHORS_MAX +
				ANALYSE_CUTS_MAX + KIB(64));

	msg_analyse_reply_put(&b, &reply);
	return b;
}

static const struct check_result no_report = { .verdict = ANALYSE_NO_REPORT };

static void
finish(void *arg, enum outcome outcome)
{
	struct waiting *w = arg;

	if (outcome == PERMFAIL && w->is_report_only) {
		buf_done(&w->reply);
		w->reply = encode(&w->a, &no_report);
	}
	if (outcome == TEMPFAIL)
		ipc_reply_error(&w->ret, TEMPFAIL, REASON_GONE, NULL);
	else
		ipc_reply(&w->ret, buf_str(&w->reply), -1);
	feedback_drop(w->report);
	buf_done(&w->reply);
	analysis_done(&w->a);
	free(w);
}

/* Of a message that is refused, the report does not count, either. */
static void
on_checked(void *arg, const struct check_result *result)
{
	struct waiting *w = arg;

	w->reply = encode(&w->a, result);
	if (w->report && result->verdict == ANALYSE_ACCEPT)
		feedback_put(w->sv->rt, TAKE_PTR(w->report), finish, w);
	else
		finish(w, DONE);
}

static struct report *
read_report(struct server *sv, const struct msg_analyse *m, struct str message)
{
	struct feedback_context c = { .hostname = str_c(sv->conf->hostname),
		.now = loop_time(sv->loop) };
	struct str local, base;

	c.domain = str_split(m->reports, '@', &local);
	c.tag = str_split(local, '+', &base);

	return m->reports.n ? feedback_take(message, &c) : NULL;
}

/* What is certain without a look-up; NULL: nothing is. */
static const struct check_result *
judge_at_once(const struct waiting *w, const struct msg_analyse *m)
{
	static const struct check_result none = { .verdict = ANALYSE_ACCEPT };
	static const struct check_result stuffed = {
		.verdict = ANALYSE_REJECT,
		.reply = { "Too many forged Authentication-Results", 38 },
	};

	if (w->a.is_stuffed)
		return &stuffed;
	/* Nothing of it would be kept, and a 250 says that it is. */
	if (w->report == NULL && w->is_report_only)
		return &no_report;
	return check_applies(w->sv, m) ? NULL : &none;
}

static void
analyse(struct server *sv, struct ipc_return *ret, const struct msg_analyse *m,
    struct str message)
{
	struct waiting *w = X_NEW(struct waiting);
	const struct check_result *result;

	w->sv = sv;
	w->ret = *ret;
	analyse_bytes(
	    message, m->is_submission, str_c(sv->conf->hostname), &w->a);
	if (w->a.is_limited)
		log_event(EV_FILTER_LIMIT, LU("size", m->size),
		    LS("from", m->mail_from), LS("ip", m->client_ip));
	w->is_report_only = m->is_report_only;
	if (!w->a.is_stuffed)
		w->report = read_report(sv, m, message);
	result = judge_at_once(w, m);
	if (result != NULL)
		on_checked(w, result);
	else
		check_start(sv, m, message, on_checked, w);
}

static void
on_analyse(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct ipc_return ret = ipc_return_new(p, m);
	struct analyse_source src;
	struct msg_analyse msg;
	int r;

	if (!msg_analyse_get(m->body, &msg) ||
	    (m->fd < 0 && msg.data.n != msg.size)) {
		ipc_reply_error(&ret, TEMPFAIL, REASON_INTERNAL, NULL);
		return;
	}
	r = analyse_open(&src, m->fd, msg.data, msg.size);
	if (r < 0) {
		ipc_reply_error(&ret, TEMPFAIL,
		    r == -EFBIG ? REASON_TOO_BIG : REASON_INTERNAL, NULL);
		return;
	}
	analyse(sv, &ret, &msg, src.message);
	analyse_close(&src);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	if (m->type == MSG_ANALYSE)
		on_analyse(arg, p, m);
}

static void
on_closed(UNUSED void *arg, UNUSED struct ipc_peer *p)
{
}

/* --- the end ------------------------------------------------------------------------ */

static void
quit(void *arg)
{
	struct server *sv = arg;

	runtime_quit(sv->rt);
}

/* Messages that wait for their check are told TEMPFAIL by the end itself. */
static void
on_stop(void *arg)
{
	struct server *sv = arg;

	loop_timer_set(loop_timer_new(sv->loop, quit, sv), STOP_MS);
	rows_stop(sv->rows, quit, sv);
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
