/* SPDX-License-Identifier: ISC */
/*
 * config.c - what a check is made of, for those that must not see its password.
 *
 * It is read from the store anew: who asks has its tag (LEDGER_TAG), and what is
 * told here must not be older than that.
 */
#include "watch/server.h"

#include "proc/ledger.h"

struct question {
	struct ipc_return ret;
	struct str key; /* owned */
};

static void
put_options(const struct status_check *c, struct buf *to)
{
	for (unsigned o = 0; o < STATUS_OPTS; o++) {
		enum status_opt opt = (enum status_opt)o;
		size_t n = status_check_count(c, opt);

		for (size_t i = 0; i < n && !status_opt_is_secret(opt); i++)
			msg_watch_option_put(
			    to, &(struct msg_watch_option){
				    str_c(status_opt_name(opt)),
				    status_check_text(c, opt, i) });
	}
}

static void
answer(struct question *q, const struct status_check *c)
{
	struct buf options = BUF_INIT(KIB(32)), body = BUF_INIT(KIB(64));

	put_options(c, &options);
	msg_watch_config_reply_put(
	    &body, &(struct msg_watch_config_reply){ .kind = (uint8_t)c->kind,
		       .target = c->target,
		       .options = buf_str(&options) });
	ipc_reply(&q->ret, buf_str(&body), -1);
	buf_done(&options);
	buf_done(&body);
}

static void
question_free(struct question *q)
{
	str_free(&q->key);
	free(q);
}

static bool
take_row(void *arg, const struct msg_ledger_row *row)
{
	struct question *q = arg;
	struct status_check c;

	if (!str_eq(row->key, q->key) || !status_check_decode(row->value, &c))
		return true;
	answer(q, &c);
	question_free(q);
	return false;
}

static void
on_end(void *arg, enum outcome outcome)
{
	struct question *q = arg;

	ipc_reply_error(
	    &q->ret, outcome == DONE ? NOT_FOUND : TEMPFAIL, REASON_NONE, NULL);
	question_free(q);
}

bool
config_request(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct msg_watch_config ask;
	struct question *q;

	if (!msg_watch_config_get(m->body, &ask) || ask.key.n > LEDGER_KEY_MAX)
		return false;
	q = X_NEW(struct question);
	*q = (struct question){ ipc_return_new(p, m), str_copy(ask.key) };
	ledger_read(sv->rt, &(struct ledger_read){ .table = LEDGER_CHECK,
				.prefix = q->key,
				.row = take_row,
				.done = on_end,
				.arg = q });
	return true;
}
