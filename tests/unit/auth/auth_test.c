/* SPDX-License-Identifier: ISC */
/*
 * auth_test.c - whole sign-ins through real internal connections: a front, the
 * auth role, and a store that is made up here.
 */
#include "../test.h"
#include "auth/auth.h"
#include "auth/gsasl_wrap.h"
#include "auth/password.h"
#include "auth/verifier.h"
#include "base/metrics.h"

#include <gsasl.h>
#include <sys/socket.h>

#define WORKER 7

struct world {
	struct loop *loop;
	struct auth *auth;
	struct ipc_peer *front, *front_at_auth, *store, *store_at_auth;
	struct buf argon2, scram;
	unsigned lookups, grants;
	uint32_t granted_session;
	bool is_store_down, is_grant_held;
	char salt_key; /* each byte of it */
	struct ipc_return held_grant;
	/* the last reply */
	enum outcome outcome;
	enum reason reason;
	struct msg_auth_step_reply reply;
	struct buf reply_body;
	unsigned waiting;
};

static struct world w;

/* --- the store ---------------------------------------------------------------- */

static void
give_verifier(struct ipc_return *r, struct str login)
{
	struct msg_verifier_get_reply v = { .account = 42,
		.login = STR("alice@demo.example"),
		.argon2 = buf_str(&w.argon2),
		.scram_sha256 = buf_str(&w.scram) };
	struct buf b = BUF_INIT(KIB(4));

	w.lookups++;
	if (w.is_store_down) {
		ipc_reply_error(r, TEMPFAIL, REASON_IO, NULL);
	} else if (str_eq(login, STR("alice"))) {
		msg_verifier_get_reply_put(&b, &v);
		ipc_reply(r, buf_str(&b), -1);
	} else {
		ipc_reply_error(r, NOT_FOUND, REASON_NO_USER, NULL);
	}
	buf_done(&b);
}

static void
give_salt_key(struct ipc_return *r)
{
	char key[PASSWORD_KEY_BYTES];
	struct msg_salt_key_reply reply = { str_make(key, sizeof(key)) };
	struct buf b = BUF_INIT(KIB(1));

	memset(key, w.salt_key, sizeof(key));
	msg_salt_key_reply_put(&b, &reply);
	ipc_reply(r, buf_str(&b), -1);
	buf_done(&b);
}

static void
store_message(UNUSED void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct ipc_return r = ipc_return_new(p, m);
	struct msg_verifier_get get;
	struct msg_session_grant grant;

	if (m->type == MSG_VERIFIER_GET) {
		CHECK(msg_verifier_get_get(m->body, &get), "get");
		give_verifier(&r, get.login);
	} else if (m->type == MSG_SALT_KEY) {
		give_salt_key(&r);
	} else {
		CHECK(msg_session_grant_get(m->body, &grant), "grant");
		CHECK(grant.worker == WORKER && grant.account == 42, "whom");
		w.granted_session = grant.session;
		w.grants++;
		if (w.is_grant_held)
			w.held_grant = r;
		else
			ipc_reply(&r, STR_NONE, -1);
	}
}

/* --- the auth role and the front -------------------------------------------- */

static void
auth_side_message(UNUSED void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	auth_message(w.auth, p, m);
}

static void
auth_side_closed(UNUSED void *arg, struct ipc_peer *p)
{
	auth_peer_closed(w.auth, p);
}

static void
ignore_message(
    UNUSED void *arg, UNUSED struct ipc_peer *p, UNUSED struct ipc_msg *m)
{
}

static void
ignore_closed(UNUSED void *arg, UNUSED struct ipc_peer *p)
{
}

static const struct ipc_handlers store_side = { store_message, ignore_closed };
static const struct ipc_handlers auth_side = { auth_side_message,
	auth_side_closed };
static const struct ipc_handlers front_side = { ignore_message, ignore_closed };

static struct ipc_peer *
peer(int fd, enum role self, enum role other, const struct ipc_handlers *h)
{
	struct ipc_peer *p = ipc_peer_new(&(struct ipc_config){ .loop = w.loop,
	    .fd = fd,
	    .self = self,
	    .other = other,
	    .worker = WORKER,
	    .handlers = h });

	return ipc_peer_ref(p);
}

static void
connect_front(void)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	w.front = peer(fds[0], ROLE_IMAP, ROLE_AUTH, &front_side);
	w.front_at_auth = peer(fds[1], ROLE_AUTH, ROLE_IMAP, &auth_side);
}

static int
setup(UNUSED void **state)
{
	static const struct auth_config config = {
		.limits = { .failures_max = 4, .window_s = 60, .ban_s = 60 },
		.cache_s = 60,
		.threads = 2,
	};
	int fds[2];

	memset(&w, 0, sizeof(w));
	password_init();
	w.argon2 = w.scram = BUF_INIT(KIB(1));
	w.reply_body = BUF_INIT(KIB(32));
	if (verifier_make(STR("secret"), &w.argon2, &w.scram) != VERIFIER_OK)
		return -1;
	w.loop = loop_new();
	w.auth = auth_new(w.loop, &config);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	w.store = peer(fds[0], ROLE_STORE, ROLE_AUTH, &store_side);
	w.store_at_auth = peer(fds[1], ROLE_AUTH, ROLE_STORE, &auth_side);
	auth_set_store(w.auth, w.store_at_auth);
	connect_front();
	return 0;
}

static void
stop(UNUSED void *arg)
{
	loop_stop(w.loop);
}

static void
run_for(uint64_t ms)
{
	struct loop_timer *t = loop_timer_new(w.loop, stop, NULL);

	loop_timer_set(t, ms);
	loop_run(w.loop);
	loop_timer_free(t);
}

static int
teardown(UNUSED void **state)
{
	struct ipc_peer *peers[] = { w.front, w.front_at_auth, w.store,
		w.store_at_auth };

	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		ipc_peer_close(peers[i]);
		ipc_peer_unref(peers[i]);
	}
	run_for(20);
	auth_free(w.auth);
	run_for(1);
	loop_free(w.loop);
	buf_done(&w.argon2);
	buf_done(&w.scram);
	buf_done(&w.reply_body);
	return 0;
}

/* --- steps --------------------------------------------------------------------- */

static void
got_reply(UNUSED void *arg, struct ipc_msg *m)
{
	w.outcome = m->outcome;
	w.reason = m->outcome == DONE ? REASON_NONE : ipc_reason(m);
	buf_reset(&w.reply_body, KIB(32));
	buf_put_str(&w.reply_body, m->body);
	if (m->outcome == DONE)
		CHECK(msg_auth_step_reply_get(buf_str(&w.reply_body), &w.reply),
		    "reply");
	if (--w.waiting == 0)
		loop_stop(w.loop);
}

struct sent {
	uint32_t session;
	const char *mech, *ip;
	struct str data; /* p NULL: none */
	bool no_tls;
};

static void
send_step(const struct sent *s)
{
	struct msg_auth_step m = { .service = SERVICE_IMAPS,
		.mechanism = str_c(s->mech),
		.has_data = s->data.p != NULL,
		.data = s->data,
		.has_tls = !s->no_tls,
		.client_ip = str_c(s->ip ? s->ip : "192.0.2.1") };
	struct buf b = BUF_INIT(KIB(16));

	msg_auth_step_put(&b, &m);
	w.waiting++;
	ipc_request(w.front, MSG_AUTH_STEP, s->session, buf_str(&b), -1,
	    got_reply, NULL);
	buf_done(&b);
}

static void
step(const struct sent *s)
{
	send_step(s);
	loop_run(w.loop);
}

#define GOOD   ((struct str){ "\0alice\0secret", 13 })
#define BAD1   ((struct str){ "\0alice\0wrong1", 13 })
#define NOBODY ((struct str){ "\0nobody\0secret", 14 })

static bool
signed_in(void)
{
	return w.outcome == DONE && w.reply.state == 1 &&
	       w.reply.account == 42 &&
	       str_eq(w.reply.login, STR("alice@demo.example"));
}

TEST(a_right_password_is_granted_before_it_is_answered)
{
	step(&(struct sent){ 5, "PLAIN", NULL, GOOD, false });
	CHECK(signed_in(), "in");
	CHECK(w.grants == 1 && w.granted_session == 5, "granted");
	CHECK(auth_exchanges(w.auth) == 0, "over");
}

TEST(the_second_time_costs_no_hash_and_no_look_up)
{
	step(&(struct sent){ 5, "PLAIN", NULL, GOOD, false });
	step(&(struct sent){ 6, "PLAIN", NULL, GOOD, false });
	CHECK(signed_in(), "in");
	CHECK(w.lookups == 1 && w.grants == 2, "from the cache");
	/* The password changed: the store says so. */
	struct buf b = BUF_INIT(KIB(1));

	msg_auth_forget_put(
	    &b, &(struct msg_auth_forget){ STR("alice@demo.example") });
	ipc_notify(w.store, MSG_AUTH_FORGET, 0, buf_str(&b), -1);
	buf_done(&b);
	run_for(10);
	step(&(struct sent){ 7, "PLAIN", NULL, GOOD, false });
	CHECK(signed_in() && w.lookups == 2, "looked up again");
}

TEST(many_at_once_share_the_work)
{
	for (uint32_t i = 1; i <= 200; i++)
		send_step(&(struct sent){ i, "PLAIN", NULL, GOOD, false });
	loop_run(w.loop);
	CHECK(signed_in(), "the last one");
	CHECK(w.grants == 200, "all of them");
}

TEST(wrong_and_unknown_get_the_same_answer)
{
	step(&(struct sent){ 5, "PLAIN", NULL, BAD1, false });
	CHECK(w.outcome == PERMFAIL && w.reason == REASON_AUTH, "wrong");
	step(&(struct sent){ 6, "PLAIN", NULL, NOBODY, false });
	CHECK(w.outcome == PERMFAIL && w.reason == REASON_AUTH, "unknown");
	CHECK(w.grants == 0, "nothing granted");
}

TEST(a_look_up_that_failed_is_not_a_wrong_password)
{
	w.is_store_down = true;
	step(&(struct sent){ 5, "PLAIN", NULL, GOOD, false });
	CHECK(w.outcome == TEMPFAIL, "try later");
}

TEST(too_many_failures_are_banned)
{
	char data[] = "\0alice\0wrongX";

	for (int i = 0; i < 4; i++) {
		data[12] = (char)('0' + i);
		step(&(struct sent){
		    5, "PLAIN", "2001:db8::1", { data, 13 }, false });
		CHECK(w.reason == REASON_AUTH, "wrong");
	}
	step(&(struct sent){ 5, "PLAIN", "2001:db8::2", GOOD, false });
	CHECK(w.outcome == PERMFAIL && w.reason == REASON_BANNED, "banned");
	step(&(struct sent){ 5, "PLAIN", "192.0.2.77", GOOD, false });
	CHECK(signed_in(), "from elsewhere it works");
}

TEST(passwords_need_tls)
{
	step(&(struct sent){ 5, "PLAIN", NULL, GOOD, true });
	CHECK(w.reason == REASON_AUTH_MECHANISM, "no TLS");
	step(&(struct sent){ 5, "SCRAM-SHA-256-PLUS", NULL,
	    STR("p=tls-exporter,,n=alice,r=x"), true });
	CHECK(w.reason == REASON_AUTH_MECHANISM, "nothing to bind to");
	step(&(struct sent){ 5, "CRAM-MD5", NULL, { NULL, 0 }, false });
	CHECK(w.reason == REASON_AUTH_MECHANISM, "not ours");
	step(&(struct sent){ 5, "", NULL, STR("x"), false });
	CHECK(w.reason == REASON_AUTH_SYNTAX, "no exchange under way");
}

static bool
scram(const char *password)
{
	Gsasl *ctx;
	Gsasl_session *c;
	const char *mech = "SCRAM-SHA-256";
	bool is_content = false;
	struct str in = STR("");
	char *p;
	size_t n;

	CHECK(gsasl_init(&ctx) == GSASL_OK, "init");
	CHECK(gsasl_client_start(ctx, mech, &c) == GSASL_OK, "start");
	gsasl_property_set(c, GSASL_AUTHID, "alice");
	gsasl_property_set(c, GSASL_PASSWORD, password);
	w.reply.state = 0;
	do {
		if (gsasl_step(c, in.p, in.n, &p, &n) < 0)
			break;
		step(&(struct sent){ 9, mech, NULL, { p, n }, true });
		gsasl_free(p);
		mech = "";
		in = w.reply.data;
	} while (w.outcome == DONE && w.reply.state == 0);
	if (signed_in()) {
		is_content = gsasl_step(c, in.p, in.n, &p, &n) == GSASL_OK;
		gsasl_free(p);
	}
	gsasl_finish(c);
	gsasl_done(ctx);
	return is_content;
}

TEST(scram_works_without_tls_and_proves_the_server)
{
	CHECK(scram("secret"), "right");
	CHECK(w.grants == 1, "granted");
	CHECK(!scram("wrong"), "wrong");
	CHECK(w.reason == REASON_AUTH_KNOWN, "said so");
}

/* "s=...,i=..." of the challenge for a name. */
static void
salt_of(const char *first, char *ret, size_t max)
{
	struct str data;
	ptrdiff_t at;

	step(&(struct sent){ 9, "SCRAM-SHA-256", NULL, str_c(first), true });
	CHECK(w.outcome == DONE && w.reply.state == 0, "challenge");
	data = w.reply.data;
	at = str_search(data, STR(",s="));
	CHECK(at > 0, "salt");
	snprintf(ret, max, "%.*s", STR_ARG(str_from(data, (size_t)at)));
}

TEST(who_does_not_exist_has_a_salt_that_stays)
{
	char one[128], two[128], other[128];

	salt_of("n,,n=ghost,r=abc", one, sizeof(one));
	salt_of("n,,n=ghost,r=xyz", two, sizeof(two));
	salt_of("n,,n=ghost2,r=xyz", other, sizeof(other));
	assert_string_equal(one, two);
	CHECK(strcmp(one, other) != 0, "another name, another salt");
	salt_of("n,,n=alice,r=abc", other, sizeof(other));
	CHECK(strlen(one) == strlen(other), "looks like a real one");
	/* The directory finds alice as Alice too: that must tell nothing. */
	salt_of("n,,n=GHOST,r=xyz", two, sizeof(two));
	assert_string_equal(one, two);
	salt_of("n,,n=Alice,r=abc", two, sizeof(two));
	assert_string_equal(other, two);
	salt_of("n,,n=x@xn--bcher-kva.example,r=xyz", one, sizeof(one));
	salt_of("n,,n=X@b\xC3\xBC"
		"cher.example,r=xyz",
	    two, sizeof(two));
	assert_string_equal(one, two);
}

/* Another life of the whole role, with a store that has this key. */
static void
live_again(char salt_key)
{
	teardown(NULL);
	setup(NULL);
	w.salt_key = salt_key;
}

TEST(a_restart_does_not_tell_who_does_not_exist)
{
	char one[128], two[128];

	live_again('a');
	salt_of("n,,n=ghost,r=abc", one, sizeof(one));
	live_again('a');
	salt_of("n,,n=ghost,r=abc", two, sizeof(two));
	assert_string_equal(one, two);
	live_again('b');
	salt_of("n,,n=ghost,r=abc", two, sizeof(two));
	CHECK(strcmp(one, two) != 0, "another folder, another salt");
}

TEST(exchanges_end_with_their_front)
{
	for (uint32_t i = 1; i <= 50; i++)
		send_step(
		    &(struct sent){ i, "LOGIN", NULL, { NULL, 0 }, false });
	loop_run(w.loop);
	CHECK(auth_exchanges(w.auth) == 50, "half done");
	ipc_peer_close(w.front);
	run_for(20);
	CHECK(auth_exchanges(w.auth) == 0, "gone");
}

/* A front has room for so many requests: each is answered. */
TEST(a_cancelled_one_is_answered_and_not_granted)
{
	send_step(&(struct sent){ 5, "PLAIN", NULL, GOOD, false });
	ipc_notify(w.front, MSG_AUTH_CANCEL, 5, STR_NONE, -1);
	loop_run(w.loop);
	CHECK(w.outcome == TEMPFAIL && w.reason == REASON_GONE, "answered");
	CHECK(auth_exchanges(w.auth) == 0, "gone");
	run_for(150);
	CHECK(w.waiting == 0 && w.grants == 0, "once, and nothing granted");
}

TEST(one_that_waits_for_its_delay_is_answered_when_cancelled)
{
	send_step(&(struct sent){ 5, "PLAIN", NULL, BAD1, false });
	run_for(150);
	ipc_notify(w.front, MSG_AUTH_CANCEL, 5, STR_NONE, -1);
	loop_run(w.loop);
	CHECK(w.outcome == TEMPFAIL && w.reason == REASON_GONE, "answered");
}

/* Else the store would keep a grant that the front has closed too early. */
TEST(one_that_is_being_granted_is_told_to_its_front)
{
	step(&(struct sent){ 5, "PLAIN", NULL, GOOD, false });
	w.is_grant_held = true;
	send_step(&(struct sent){ 6, "PLAIN", NULL, GOOD, false });
	run_for(20);
	CHECK(w.grants == 2 && w.waiting == 1, "under way");
	ipc_notify(w.front, MSG_AUTH_CANCEL, 6, STR_NONE, -1);
	run_for(20);
	CHECK(w.waiting == 1, "not known yet");
	ipc_reply(&w.held_grant, STR_NONE, -1);
	loop_run(w.loop);
	CHECK(signed_in() && auth_exchanges(w.auth) == 0, "told");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_right_password_is_granted_before_it_is_answered),
		WITH(the_second_time_costs_no_hash_and_no_look_up),
		WITH(many_at_once_share_the_work),
		WITH(wrong_and_unknown_get_the_same_answer),
		WITH(a_look_up_that_failed_is_not_a_wrong_password),
		WITH(too_many_failures_are_banned),
		WITH(passwords_need_tls),
		WITH(scram_works_without_tls_and_proves_the_server),
		WITH(who_does_not_exist_has_a_salt_that_stays),
		WITH(a_restart_does_not_tell_who_does_not_exist),
		WITH(exchanges_end_with_their_front),
		WITH(a_cancelled_one_is_answered_and_not_granted),
		WITH(one_that_waits_for_its_delay_is_answered_when_cancelled),
		WITH(one_that_is_being_granted_is_told_to_its_front),
	};

	log_init("auth_test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
