/* SPDX-License-Identifier: ISC */
/* rua_mail.c - from a report to a message in the queue. See rua_mail.h. */
#include "send/report/rua_mail.h"

#include "base/crypt.h"
#include "base/log.h"
#include "proc/submit.h"

/* Behind the mail of people (RFC 6710): nobody waits for a report. */
#define PRIORITY (DELIVER_PRIORITY_NORMAL - 4)

struct job {
	struct server *sv;
	rua_mail_fn fn;
	void *arg;
	size_t size;
	char *to;
	char trace[RUA_MAIL_TRACE_LEN + 1];
};

static void
finish(void *arg, enum outcome outcome, const char *why)
{
	struct job *j = arg;
	rua_mail_fn fn = j->fn;
	void *fn_arg = j->arg;

	log_event(outcome == DONE       ? EV_SEND_RUA
		  : outcome == TEMPFAIL ? EV_SEND_RUA_LATER
					: EV_SEND_RUA_LOST,
	    LC("id", j->trace), LC("to", j->to), LU("size", j->size),
	    LC("reason", why));
	free(j->to);
	free(j);
	fn(fn_arg, outcome);
}

/* --- the beginning ------------------------------------------------------------------- */

void
rua_mail_trace(struct str id, char ret[RUA_MAIL_TRACE_LEN + 1])
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct crypt_sum sum;

	/* Whoever chooses a part of the name must not find another's. */
	crypt_digest_put(d, id);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	memcpy(ret, "rua.", 4);
	for (size_t i = 0; i < (RUA_MAIL_TRACE_LEN - 4) / 2; i++)
		snprintf(ret + 4 + 2 * i, 3, "%02x", sum.v[i]);
}

static void
on_too_large(void *arg)
{
	struct job *j = arg;

	finish(j, PERMFAIL, "it is too large");
}

void
rua_mail_send(
    struct server *sv, const struct rua_mail *mail, rua_mail_fn fn, void *arg)
{
	const struct conf *c = sv->conf;
	struct job *j = X_NEW(struct job);
	CLEANUP(freep)
	char *from = c->report_from[0]
	                 ? x_strdup(c->report_from)
	                 : x_asprintf("postmaster@%s", c->hostname);
	CLEANUP(freep) char *id = NULL;
	struct rua_mail_stamp stamp = { .from = str_c(from),
		.now = loop_time(sv->loop) };
	struct submit in = { .to = mail->to,
		.text = BUF_INIT(RUA_MAIL_MAX),
		.priority = PRIORITY };

	j->sv = sv;
	j->fn = fn;
	j->arg = arg;
	j->to = str_dup(mail->to);
	rua_mail_trace(mail->id, j->trace);
	id = x_asprintf("%s@%s", j->trace, c->hostname);
	stamp.message_id = str_c(id);
	rua_mail_compose(mail, &stamp, &in.text);
	j->size = in.text.n;
	if (in.text.failed || mail->data.n > RUA_MAIL_DATA_MAX) {
		buf_done(&in.text);
		loop_defer(sv->loop, on_too_large, j);
		return;
	}
	in.trace = str_c(j->trace);
	submit_mail(sv->rt, &in, finish, j);
}
