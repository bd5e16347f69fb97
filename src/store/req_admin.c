/* SPDX-License-Identifier: ISC */
/*
 * req_admin.c - administration that reaches beyond the directory: sessions
 * that must end, what auth has cached, lost mail, status and check.
 */
#include "store/dir/address.h"
#include "store/server.h"

#define PROBLEMS_BYTES KIB(256) /* of one reply */

struct forget {
	struct server *s;
	char *login;
};

static void
on_durable(void *arg, UNUSED int err)
{
	struct forget *f = arg;
	struct ipc_peer *auth = runtime_peer(f->s->rt, ROLE_AUTH);
	struct msg_auth_forget msg = { str_c(f->login) };
	struct buf body = BUF_INIT(KIB(2));

	msg_auth_forget_put(&body, &msg);
	if (auth)
		ipc_notify(auth, MSG_AUTH_FORGET, 0, buf_str(&body), -1);
	buf_done(&body);
	free(f->login);
	free(f);
}

/*
 * What is cached goes when the change is durable: a crash before that brings
 * the old password back, and then it must not have been refused already.
 */
static void
tell_auth(struct server *s, struct str login)
{
	struct forget *f = X_NEW(struct forget);
	struct buf clean = BUF_INIT(KIB(1));

	/* auth knows accounts by the login that is stored. */
	if (!address_clean(login, &clean))
		buf_reset(&clean, 0);
	*f = (struct forget){ s, str_dup(buf_str(&clean)) };
	engine_sync(s->engine, dir_position(s->dir), on_durable, f);
	buf_done(&clean);
}

struct verdict
req_user_passwd(struct request *r)
{
	struct msg_user_passwd q;
	struct verdict v;

	if (!msg_user_passwd_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = dir_user_passwd(r->s->dir, &q);
	if (verdict_is_done(v))
		tell_auth(r->s, q.login);
	return v;
}

struct verdict
req_user_remove(struct request *r)
{
	struct msg_name q;
	uint64_t account;
	struct verdict v;

	if (!msg_name_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = dir_account(r->s->dir, q.name, &account);
	if (verdict_is_done(v))
		v = dir_user_remove(r->s->dir, &q);
	if (verdict_is_done(v)) {
		sessions_drop_account(r->s, account);
		tell_auth(r->s, q.name);
	}
	return v;
}

struct verdict
req_mail_undelete(struct request *r)
{
	struct msg_mail_undelete q;
	struct msg_count_reply reply = { 0 };
	uint64_t account;
	struct verdict v;

	if (!msg_mail_undelete_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = dir_account(r->s->dir, q.login, &account);
	if (verdict_is_done(v))
		v = mail_undelete(
		    r->s->mail, account, q.since, q.mailbox, &reply.count);
	if (verdict_is_done(v))
		msg_count_reply_put(&r->out, &reply);
	return v;
}

struct verdict
req_status(struct request *r)
{
	struct engine_stats st;
	struct msg_store_status_reply reply;

	engine_stats(r->s->engine, &st);
	reply = (struct msg_store_status_reply){
		.segments = st.segments,
		.log_bytes = st.log_bytes,
		.live_bytes = st.live_bytes,
		.blobs = st.blobs,
		.keys = st.keys,
		.flushes = st.flushes,
		.batches = st.batches,
		.blob_raw_bytes = st.blob_raw_bytes,
		.blob_stored_bytes = st.blob_stored_bytes,
		.free_bytes = st.free_bytes,
		.is_full = st.is_full,
		.sessions = (uint32_t)r->s->sessions.n,
		.accounts = dir_user_count(r->s->dir),
		.dkim_old = dir_dkim_old(r->s->dir),
		.dkim_unpublished = dir_dkim_unpublished(r->s->dir),
	};
	msg_store_status_reply_put(&r->out, &reply);
	return VERDICT_DONE;
}

/* --- check ------------------------------------------------------------------------ */

static void
add_problem(void *arg, const char *text)
{
	struct buf *problems = arg;
	struct msg_text msg = { str_c(text) };

	/* A store in ruins: the count says how many there are. */
	if (problems->n < PROBLEMS_BYTES)
		msg_text_put(problems, &msg);
}

static struct verdict
check_step(struct request *r, uint64_t after, struct mail_check *check,
    uint64_t *ret_next)
{
	struct verdict v = VERDICT_DONE;
	uint64_t account;
	int n;

	if (after == 0)
		v = dir_check(r->s->dir, check);
	if (!verdict_is_done(v))
		return v;
	n = engine_shards(r->s->engine, 'a', after, &account, 1);
	if (n < 0)
		return verdict_engine(n);
	*ret_next = n ? account : 0;
	if (n && dir_is_checked(r->s->dir, account))
		v = mail_check_account(r->s->mail, account, check);
	if (n && verdict_is_done(v))
		v = limiter_check_account(r->s->limiter, account, check);
	return v;
}

static struct verdict
check_queue(struct request *r, struct str from, struct mail_check *check,
    struct buf *next)
{
	struct queue_check qc = { check->problem, check->arg, 0, 0, 0 };
	struct verdict v = queue_check_step(r->s->queue, from, &qc, next);

	check->problems += qc.problems;
	check->messages += qc.entries;
	return v;
}

static struct verdict
check_ledger(struct request *r, struct str from, struct mail_check *check,
    struct buf *next)
{
	struct tables_check tc = { check->problem, check->arg, 0, 0 };
	struct verdict v = tables_check_step(r->s->tables, from, &tc, next);

	check->problems += tc.problems;
	check->messages += tc.rows;
	return v;
}

static struct verdict
check_part(struct request *r, const struct msg_store_check *q,
    struct mail_check *check, struct buf *next, uint64_t *ret_next)
{
	switch ((enum store_part)q->part) {
	case STORE_ACCOUNTS:
		return check_step(r, q->after, check, ret_next);
	case STORE_QUEUE:
		return check_queue(r, q->key, check, next);
	case STORE_LEDGER:
		return check_ledger(r, q->key, check, next);
	}
	return verdict_permfail(REASON_INTERNAL);
}

struct verdict
req_check(struct request *r)
{
	struct buf problems = BUF_INIT(PROBLEMS_BYTES * 2);
	struct buf next = BUF_INIT(ENGINE_KEY_MAX);
	struct mail_check check = { add_problem, &problems, 0, 0, 0 };
	struct msg_store_check_reply reply = { 0 };
	struct msg_store_check q;
	struct verdict v;

	if (!msg_store_check_get(r->msg->body, &q))
		return verdict_permfail(REASON_INTERNAL);
	v = check_part(r, &q, &check, &next, &reply.next);
	reply.next_key = buf_str(&next);
	reply.messages = check.messages;
	reply.bytes = check.bytes;
	reply.problem_count = check.problems;
	reply.problems = buf_str(&problems);
	if (verdict_is_done(v))
		msg_store_check_reply_put(&r->out, &reply);
	buf_done(&problems);
	buf_done(&next);
	return v;
}
