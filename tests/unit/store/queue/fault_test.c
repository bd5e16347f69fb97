/* SPDX-License-Identifier: ISC */
/*
 * fault_test.c - a queue scenario in which the n-th change of the disk fails,
 * for every n, with three kinds of crash after it.
 *
 * A first run without a fault notes what the queue looks like after each
 * step. After a fault and a restart it must look like that after some step
 * that was begun, and not before one that was answered as durable; it passes
 * its check, its bytes can be read, and nothing is left when it is emptied.
 */
#include "qfixture.h"
#include "../local/faultfs.h"

#define STEPS 40

struct walk {
	struct qfixture t;
	struct faultfs fs;
	char save[80];
	uint64_t alice;
	struct items lent[2]; /* of one.example, two.example */
	struct buf kept[2];   /* what their strings point into */
	size_t step;          /* steps begun */
	size_t sure;          /* steps that are durable */
};

/* What the queue looked like after each step. */
static char *after[STEPS + 1];

static const char *const domains[] = { "one.example", "two.example" };

/* --- the scenario ---------------------------------------------------------------- */

static void
keep(void *arg, int err, struct engine_ticket *t)
{
	if (err == 0)
		*(struct engine_ticket **)arg = t;
}

static struct verdict
submit(struct walk *w, size_t i)
{
	struct queue_message m = { .mail_from = STR("a@demo.example"),
		.trace = STR("trace"),
		.size = 2000 * (i % 7 + 1),
		.account = 1 };
	char *bytes = x_malloc(m.size);
	struct engine_source src = {
		.fd = -1, .size = m.size, .mem = { bytes, m.size }
	};
	struct engine_ticket *ticket = NULL;
	uint64_t seed = i;

	for (size_t b = 0; b < m.size; b++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes[b] = (char)(seed >> 56);
	}
	engine_blob_put(w->t.f.engine, &src, keep, &ticket);
	if (!ticket)
		engine_dispatch(w->t.f.engine);
	free(bytes);
	if (!ticket)
		return verdict_tempfail(REASON_IO);
	return add_to(&w->t, &m,
	    i % 3 ? "x@one.example y@two.example z@two.example"
		  : "x@one.example",
	    i % 4 ? 0 : w->alice, ticket);
}

static struct verdict
lend(struct walk *w, size_t domain)
{
	struct msg_queue_lease q = { str_c(domains[domain]), 4, w->t.now_ms,
		60000 };
	struct msg_queue_lease_reply r;
	struct items *i = &w->lent[domain];
	struct verdict v;
	struct wire wire;

	buf_reset(&w->kept[domain], KIB(64));
	*i = (struct items){ 0 };
	v = queue_lease(w->t.q, &q, &w->kept[domain]);
	if (!verdict_is_done(v))
		return v;
	ASSERT(msg_queue_lease_reply_get(buf_str(&w->kept[domain]), &r));
	for (wire = wire_read(r.items); wire.in.n; i->n++)
		ASSERT(msg_queue_item_read(&wire, &i->v[i->n]));
	return v;
}

/* One result of each kind. */
static struct verdict
answer(struct walk *w, size_t domain)
{
	static const enum queue_state states[] = { QUEUE_DELIVERED,
		QUEUE_DEFERRED, QUEUE_FAILED, QUEUE_RELEASED };
	const struct items *i = &w->lent[domain];
	struct buf list = BUF_INIT(KIB(64));
	struct msg_queue_results q = { .now_ms = w->t.now_ms };
	struct verdict v;

	for (size_t n = 0; n < i->n; n++)
		msg_queue_result_put(&list,
		    &(struct msg_queue_result){ .message = i->v[n].message,
			.rcpt = i->v[n].rcpt,
			.lease = i->v[n].lease,
			.state = (uint8_t)states[n % ARRAY_LEN(states)],
			.due_ms = w->t.now_ms + 1000,
			.counts = 1,
			.reply = STR("reply") });
	q.results = buf_str(&list);
	v = queue_results(w->t.q, &q, fresh(&w->t.f));
	buf_done(&list);
	return v;
}

static struct verdict
operate(struct walk *w, enum queue_action action, struct msg_queue_filter f)
{
	struct buf filter = BUF_INIT(KIB(4));
	struct msg_queue_change q = { (uint8_t)action, STR_NONE,
		action == QUEUE_REROUTE ? STR("relay") : STR_NONE, STR_NONE };
	struct verdict v;

	msg_queue_filter_put(&filter, &f);
	q.filter = buf_str(&filter);
	v = queue_change(w->t.q, &q, fresh(&w->t.f));
	buf_done(&filter);
	return v;
}

static struct verdict
let_go(struct walk *w)
{
	w->t.now_ms += UINT64_C(15) * 24 * 3600 * 1000;
	w->t.f.now += 15 * 24 * 3600;
	return queue_purge_step(w->t.q);
}

/* The sender takes over: it knows the last lease of that domain, none else. */
static struct verdict
take(struct walk *w, size_t domain)
{
	const struct items *i = &w->lent[domain];
	uint32_t ended;

	return take_over(w->t.q, OWNER, &i->v[0].lease, i->n > 0, &ended);
}

/* One step; its number decides. Each is at most one commit that shows. */
static struct verdict
run_step(struct walk *w, size_t i)
{
	struct msg_queue_filter two = { .domain = STR("two.example") };
	struct msg_queue_filter x = { .recipient = STR("x@one.example") };

	w->t.now_ms += 100;
	switch (i) {
	case 8:
	case 16:
	case 26:
		return lend(w, 0);
	case 10:
	case 18:
		return answer(w, 0);
	case 12:
		return lend(w, 1);
	case 14:
		return answer(w, 1);
	case 20:
		return operate(w, QUEUE_HOLD, two);
	case 22:
		return operate(w, QUEUE_REROUTE, x);
	case 24:
		return operate(w, QUEUE_RELEASE, two);
	case 28:
		return operate(w, QUEUE_CANCEL, x);
	case 30:
		return take(w, 0);
	case 32:
		return lend(w, 1);
	case 34:
		return answer(w, 1);
	case 36:
		return let_go(w);
	case 38:
		return operate(w, QUEUE_RETURN, two);
	default:
		return submit(w, i);
	}
}

static void
on_durable(void *arg, int err)
{
	*(bool *)arg = err == 0;
}

/* Wait until the step is durable, or the engine is dead. */
static bool
wait_durable(struct walk *w)
{
	struct engine *e = w->t.f.engine;
	bool is_durable = false;

	engine_kick(e);
	engine_sync(e, engine_position(e), on_durable, &is_durable);
	while (!is_durable && !w->fs.was_fatal)
		engine_dispatch(e);
	return is_durable && !w->fs.was_fatal;
}

/* --- what it looks like ------------------------------------------------------------ */

static int
put_key(void *arg, struct str key, struct str val)
{
	struct buf *b = arg;

	/* Leases end at a start, if they are of another sender. */
	for (size_t i = 0; i < key.n && key.p[0] != 'L'; i++)
		buf_printf(b, "%02x", (uint8_t)key.p[i]);
	for (size_t i = 0; i < val.n && key.p[0] != 'L'; i++)
		buf_printf(b, "%02x", (uint8_t)val.p[i]);
	buf_put_c(b, key.p[0] == 'L' ? "" : "\n");
	return 0;
}

/* Every key of the queue, and what alice has. */
static char *
dump(struct walk *w)
{
	struct engine_range range = { { 'q', 1 }, STR_NONE, STR_NONE, false };
	struct buf b = BUF_INIT(MIB(8));
	struct msg_mailbox mb = { 0 };
	char *text;

	ASSERT(engine_scan(w->t.f.engine, &range, put_key, &b) == 0);
	if (w->alice)
		ASSERT(status_of(&w->t.f, w->alice, "INBOX", &mb));
	buf_printf(&b, "%u", mb.messages);
	text = x_strdup(buf_c(&b));
	buf_done(&b);
	return text;
}

static void
count_read(void *arg, const struct engine_read_result *r)
{
	*(bool *)arg = r->got[0] >= 0;
}

/* The bytes of all entries can be read. */
static void
check_bytes(struct walk *w)
{
	struct buf filter = BUF_INIT(KIB(1)), prefix = BUF_INIT(MIB(1));

	for (size_t d = 0; d < ARRAY_LEN(domains); d++) {
		struct items i;

		w->t.now_ms += 3600000;
		lease(&w->t, domains[d], 100, &i);
		for (size_t n = 0; n < i.n; n++) {
			struct msg_queue_read q = { i.v[n].message,
				i.v[n].rcpt };
			struct queue_bytes bytes;
			struct engine_read read;
			bool is_read = false;

			ASSERT(verdict_is_done(
			    queue_read(w->t.q, &q, &prefix, &bytes)));
			read = (struct engine_read){ .blob = bytes.blob,
				.size = bytes.blob_size };
			engine_blob_read(
			    w->t.f.engine, &read, 1, -1, count_read, &is_read);
			engine_dispatch(w->t.f.engine);
			CHECK(is_read, "bytes");
		}
	}
	buf_done(&filter);
	buf_done(&prefix);
}

/* --- the walk ------------------------------------------------------------------------ */

static void
walk_init(struct walk *w, uint64_t fail_at)
{
	struct fixture *f = &w->t.f;

	*w = (struct walk){ .t = { .f = { .now = QT0 / 1000 },
				.limits = { 0, 0, 14 },
				.now_ms = QT0 } };
	for (size_t i = 0; i < ARRAY_LEN(w->kept); i++)
		w->kept[i] = BUF_INIT(MIB(1));
	snprintf(f->dir, sizeof(f->dir), "%s/mailstead-fault-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ASSERT(mkdtemp(f->dir));
	snprintf(w->save, sizeof(w->save), "%s.saved", f->dir);
	ASSERT(mkdir(w->save, 0700) == 0);
	buf_init(&f->out, MIB(8));
	faultfs_init(&w->fs, w->save, fail_at);
	f->fs = &w->fs.ops;
	f->segment_bytes = KIB(64);
}

static void
walk_close(struct walk *w)
{
	queue_free(w->t.q);
	w->t.q = NULL;
	if (w->t.f.engine)
		fixture_close(&w->t.f);
}

static void
walk_done(struct walk *w)
{
	walk_close(w);
	faultfs_done(&w->fs);
	buf_done(&w->t.f.out);
	for (size_t i = 0; i < ARRAY_LEN(w->kept); i++)
		buf_done(&w->kept[i]);
	remove_tree(w->t.f.dir);
	remove_tree(w->save);
}

static bool
make_alice(struct walk *w)
{
	struct msg_domain_add domain = { .name = STR("demo.example") };
	struct msg_user_add q = { .login = STR("alice@demo.example") };
	uint64_t account;

	if (!verdict_is_done(dir_domain_add(w->t.f.d, &domain)) ||
	    !verdict_is_done(dir_user_add(w->t.f.d, &q)) ||
	    !verdict_is_done(dir_account(w->t.f.d, q.login, &account)) ||
	    !wait_durable(w))
		return false;
	w->alice = account;
	return true;
}

/* Until the end, or until something fails. */
static void
walk_run(struct walk *w, bool is_noting)
{
	if (fixture_try_open(&w->t.f) < 0 || qfixture_try_open(&w->t) < 0 ||
	    !make_alice(w) || !verdict_is_done(take(w, 0)))
		return;
	if (is_noting)
		after[0] = dump(w);
	while (w->step < STEPS) {
		struct verdict v = run_step(w, ++w->step);

		if (!verdict_is_done(v) || !wait_durable(w))
			return;
		w->sure = w->step;
		if (is_noting)
			after[w->step] = dump(w);
		engine_tick(w->t.f.engine);
	}
	for (int i = 0; i < 20 && !w->fs.was_fatal; i++) {
		wait_durable(w);
		engine_tick(w->t.f.engine);
		usleep(1000); /* so that the index is committed */
	}
}

/* Does the queue look as after one of the steps that it may be at? */
static bool
is_whole(struct walk *w)
{
	char *now = dump(w);
	bool is_found = false;

	for (size_t i = w->sure; i <= w->step; i++)
		is_found |= strcmp(now, after[i]) == 0;
	free(now);
	return is_found;
}

/* Emptied, the queue holds nothing; alice keeps what is hers. */
static void
check_end(struct walk *w, const char *when)
{
	struct msg_queue_filter all = { .state = QUEUE_SHOW_ALL };
	struct msg_mailbox mb;

	CHECK(verdict_is_done(operate(w, QUEUE_CANCEL, all)), when);
	CHECK(entries(&w->t) == 0 && queue_problems(&w->t) == 0, when);
	CHECK(status_of(&w->t.f, w->alice, "INBOX", &mb), when);
	CHECK(blobs(&w->t) == mb.messages, when);
}

static void
print_problem(UNUSED void *arg, const char *text)
{
	print_message("engine: %s\n", text);
}

static void
check_engine(struct walk *w, const char *when)
{
	struct engine_check ec = { .dir = w->t.f.dir,
		.problem = print_problem };
	uint64_t problems = 1;

	CHECK(engine_check(&ec, &problems) == 0 && problems == 0, when);
}

/* Is the scenario over before the fault came? */
static bool
walk_one(uint64_t fail_at, enum crash how)
{
	char when[64];
	struct walk w;
	bool is_over;

	walk_init(&w, fail_at);
	snprintf(when, sizeof(when), "fault %llu, crash %d",
	    (unsigned long long)fail_at, (int)how);
	walk_run(&w, false);
	is_over = !w.fs.has_failed;
	walk_close(&w);
	faultfs_crash(&w.fs, how);
	fixture_open(&w.t.f);
	ASSERT(qfixture_try_open(&w.t) == 0);
	CHECK(queue_problems(&w.t) == 0, when);
	CHECK(count_problems(&w.t.f) == 0, when);
	/* Before alice is there nothing can be compared. */
	if (w.alice) {
		if (!is_whole(&w))
			fail_msg("%s: durable up to %zu of %zu, and not there",
			    when, w.sure, w.step);
		check_bytes(&w);
		check_end(&w, when);
	}
	walk_close(&w);
	check_engine(&w, when);
	walk_done(&w);
	return is_over;
}

TEST(whatever_fails_nothing_acknowledged_is_gone)
{
	bool is_over = false;
	struct walk w;
	uint64_t n;

	walk_init(&w, 0);
	walk_run(&w, true);
	CHECK(w.sure == STEPS, "without a fault");
	walk_done(&w);
	for (n = 1; !is_over; n++)
		for (int how = 0; how < CRASH_KINDS; how++)
			is_over = walk_one(n, (enum crash)how);
	print_message(
	    "%llu faults, three crashes each\n", (unsigned long long)n - 1);
	CHECK(n > 100, "the scenario writes");
	for (size_t i = 0; i <= STEPS; i++)
		free(after[i]);
}

TEST_MAIN(UNIT(whatever_fails_nothing_acknowledged_is_gone))
