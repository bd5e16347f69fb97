/* SPDX-License-Identifier: ISC */
/*
 * fault_test.c - a mail scenario in which the n-th change of the disk fails,
 * for every n, with three kinds of crash after it.
 *
 * A first run without a fault notes what the store looks like after each
 * step. After a fault and a restart it must look like that after some step
 * that was begun, and not before one that was answered as durable.
 */
#include "fixture.h"
#include "../local/faultfs.h"

#define STEPS_MAX 64
#define USERS     3

static const char *const logins[USERS] = { "a@demo.example", "b@demo.example",
	"c@demo.example" };

struct walk {
	struct fixture f;
	struct faultfs fs;
	char save[80];
	uint64_t users[USERS];
	size_t step; /* steps begun */
	size_t sure; /* steps that are durable */
};

/* What the store looked like after each step. */
static char *after[STEPS_MAX];

/* --- the scenario ------------------------------------------------------------- */

static void
keep(void *arg, int err, struct engine_ticket *t)
{
	if (err == 0)
		*(struct engine_ticket **)arg = t;
}

static struct verdict
deliver(struct walk *w, size_t size, unsigned seed, size_t n)
{
	struct mail_copy_to to[USERS] = { 0 };
	struct mail_delivery d = {
		.size = size, .structure = STR("st"), .received = w->f.now
	};
	char *bytes = x_malloc(size);
	struct engine_source src = {
		.fd = -1, .size = size, .mem = { bytes, size }
	};
	struct verdict v;

	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (char)(seed >> 16);
	}
	for (size_t i = 0; i < n; i++)
		to[i] = (struct mail_copy_to){ .account = w->users[i],
			.prefix = STR("p") };
	engine_blob_put(w->f.engine, &src, keep, &d.ticket);
	if (!d.ticket)
		engine_dispatch(w->f.engine);
	free(bytes);
	if (!d.ticket)
		return verdict_tempfail(REASON_IO);
	v = mail_deliver(w->f.mail, &d, to, n);
	engine_ticket_free(d.ticket);
	return v;
}

static struct verdict
add_users(struct walk *w)
{
	struct msg_domain_add domain = { .name = STR("demo.example") };
	struct verdict v = dir_domain_add(w->f.d, &domain);

	for (size_t i = 0; i < USERS && verdict_is_done(v); i++) {
		struct msg_user_add q = { .login = str_c(logins[i]) };

		v = dir_user_add(w->f.d, &q);
		if (verdict_is_done(v))
			v = dir_account(w->f.d, q.login, &w->users[i]);
	}
	return v;
}

static struct verdict
flag(struct walk *w)
{
	struct msg_flags q = { .mailbox = MAIL_INBOX,
		.op = 1,
		.flags = IMAP_FLAG_DELETED | IMAP_FLAG_SEEN };

	return set_flags(&w->f, w->users[0], q, 2, 4);
}

static struct verdict
rename_box(struct walk *w)
{
	struct msg_mailbox_rename q = { STR("Archive"), STR("x/y") };

	return mail_rename(w->f.mail, w->users[0], &q);
}

static struct verdict
delete_box(struct walk *w)
{
	struct msg_mailbox_delete q = { STR("x/y") };

	return mail_delete(w->f.mail, w->users[0], &q);
}

static struct verdict
undelete(struct walk *w)
{
	uint64_t count;

	return mail_undelete(w->f.mail, w->users[0], 0, STR(""), &count);
}

static struct verdict
let_go(struct walk *w)
{
	w->f.now += 15 * 24 * 3600;
	return mail_purge_step(w->f.mail);
}

static struct verdict
remove_user(struct walk *w)
{
	struct msg_name q = { STR("c@demo.example") };

	return dir_user_remove(w->f.d, &q);
}

/* One step; its number decides. Each is one commit. */
static struct verdict
run_step(struct walk *w, size_t i)
{
	switch (i) {
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
		return deliver(w, 3000 * i, (unsigned)i, USERS);
	case 7:
		return deliver(w, 100000, 7, 1);
	case 8:
		return flag(w);
	case 9:
		return copy_to(
		    &w->f, w->users[0], MAIL_INBOX, "Archive", false);
	case 10:
		return copy_to(&w->f, w->users[1], MAIL_INBOX, "Trash", true);
	case 11:
		return expunge(
		    &w->f, w->users[0], MAIL_INBOX, 1, UINT32_MAX, false);
	case 12:
		return rename_box(w);
	case 13:
		return delete_box(w);
	case 14:
		return undelete(w);
	case 15:
		return expunge(
		    &w->f, w->users[2], MAIL_INBOX, 1, UINT32_MAX, true);
	case 20:
		return remove_user(w);
	default:
		if (i < 26)
			return deliver(w, 40000, (unsigned)i, 1 + i % 2);
		return expunge(&w->f, w->users[i % 2], MAIL_INBOX, 1,
		    (uint32_t)i - 12, true);
	}
}

#define STEPS 36

static void
on_durable(void *arg, int err)
{
	*(bool *)arg = err == 0;
}

/* Wait until the step is durable, or the engine is dead. */
static bool
wait_durable(struct walk *w)
{
	bool is_durable = false;

	engine_kick(w->f.engine);
	engine_sync(
	    w->f.engine, engine_position(w->f.engine), on_durable, &is_durable);
	while (!is_durable && !w->fs.was_fatal)
		engine_dispatch(w->f.engine);
	return is_durable && !w->fs.was_fatal;
}

/* --- what it looks like -------------------------------------------------------- */

static void
dump_account(struct walk *w, const char *login, struct buf *b)
{
	struct buf list = BUF_INIT(MIB(1));
	struct msg_mailbox_list_reply r;
	struct msg_mailbox mb;
	struct wire wire;
	uint64_t account;

	if (!verdict_is_done(dir_account(w->f.d, str_c(login), &account)))
		return;
	buf_printf(b, "%s\n", login);
	ASSERT(verdict_is_done(mail_list(
	    w->f.mail, account, &(struct msg_mailbox_list){ 0 }, &list)));
	ASSERT(msg_mailbox_list_reply_get(buf_str(&list), &r));
	wire = wire_read(r.mailboxes);
	while (msg_mailbox_read(&wire, &mb)) {
		struct msg_entries q = { .mailbox = mb.id };

		buf_printf(b, " %.*s %u %llu\n", STR_ARG(mb.name), mb.uidnext,
		    (unsigned long long)mb.modseq);
		if (!mb.id)
			continue;
		ASSERT(verdict_is_done(
		    mail_entries(w->f.mail, account, &q, fresh(&w->f))));
		for (size_t i = 0; i < w->f.out.n; i++)
			buf_printf(b, "%02x", (uint8_t)w->f.out.p[i]);
		buf_put_char(b, '\n');
	}
	buf_done(&list);
}

static char *
dump(struct walk *w)
{
	struct buf b = BUF_INIT(MIB(8));
	char *text;

	for (size_t i = 0; i < USERS; i++)
		dump_account(w, logins[i], &b);
	text = x_strdup(buf_c(&b));
	buf_done(&b);
	return text;
}

/* Every body that the store says it has can be read. */
static void
count_read(void *arg, const struct engine_read_result *r)
{
	size_t *n = arg;

	for (size_t i = 0; i < r->count; i++)
		*n += r->got[i] >= 0;
}

static void
check_bodies(struct walk *w, uint64_t account)
{
	struct buf set = BUF_INIT(100);
	struct msg_fetch q = { .mailbox = MAIL_INBOX,
		.want = FETCH_BODY,
		.max_bytes = FETCH_MAX_BYTES };
	struct mail_fetch mf;
	size_t n = 0;

	q.uids = range_set(&set, 1, UINT32_MAX);
	ASSERT(
	    verdict_is_done(mail_fetch_collect(w->f.mail, account, &q, &mf)));
	if (mf.n_reads)
		engine_blob_read(
		    w->f.engine, mf.reads, mf.n_reads, -1, count_read, &n);
	engine_dispatch(w->f.engine);
	CHECK(n == mf.n_reads, "bodies");
	mail_fetch_done(&mf);
	buf_done(&set);
}

/* --- the walk ---------------------------------------------------------------------- */

static void
walk_init(struct walk *w, uint64_t fail_at)
{
	*w = (struct walk){ .f = { .now = 1790000000, .undelete_days = 14 } };
	snprintf(w->f.dir, sizeof(w->f.dir), "%s/mailstead-fault-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ASSERT(mkdtemp(w->f.dir));
	snprintf(w->save, sizeof(w->save), "%s.saved", w->f.dir);
	ASSERT(mkdir(w->save, 0700) == 0);
	buf_init(&w->f.out, MIB(8));
	faultfs_init(&w->fs, w->save, fail_at);
	w->f.fs = &w->fs.ops;
	w->f.segment_bytes = KIB(64);
}

static void
walk_done(struct walk *w)
{
	fixture_close(&w->f);
	faultfs_done(&w->fs);
	buf_done(&w->f.out);
	remove_tree(w->f.dir);
	remove_tree(w->save);
}

/* Until the end, or until something fails. */
static void
run_scenario(struct walk *w)
{
	if (fixture_try_open(&w->f) < 0)
		return;
	for (w->step = 0; w->step < STEPS;) {
		size_t i = w->step++;
		struct verdict v;

		v = i == 0 ? add_users(w) : run_step(w, i);
		if (!verdict_is_done(v) || !wait_durable(w))
			return;
		w->sure = w->step;
		if (w->fs.fail_at == 0)
			after[w->step] = dump(w);
		engine_tick(w->f.engine);
	}
	(void)verdict_is_done(let_go(w));
	for (int i = 0; i < 20 && !w->fs.was_fatal; i++) {
		wait_durable(w);
		engine_tick(w->f.engine);
		usleep(1000); /* so that the index is committed */
	}
}

/* The step that the store shows; -1: none of them. */
static long
which_step(struct walk *w)
{
	char *text = dump(w);
	long found = -1;

	for (size_t i = 0; i <= STEPS && found < 0; i++)
		if (after[i] && strcmp(after[i], text) == 0 && i >= w->sure)
			found = (long)i;
	free(text);
	return found;
}

static void
print_problem(UNUSED void *arg, const char *text)
{
	print_message("engine: %s\n", text);
}

static void
check_engine(struct walk *w)
{
	struct engine_check ec = { .dir = w->f.dir, .problem = print_problem };
	uint64_t problems = 1;

	CHECK(engine_check(&ec, &problems) == 0 && problems == 0, "engine");
}

/* Is the scenario over before the fault came? */
static bool
walk_one(uint64_t fail_at, enum crash how)
{
	char when[64];
	struct walk w;
	bool is_over;
	long step;

	walk_init(&w, fail_at);
	snprintf(when, sizeof(when), "fault %llu, crash %d",
	    (unsigned long long)fail_at, (int)how);
	run_scenario(&w);
	is_over = !w.fs.has_failed;
	if (w.f.engine)
		fixture_close(&w.f);
	faultfs_crash(&w.fs, how);
	fixture_open(&w.f);
	CHECK(count_problems(&w.f) == 0, when);
	step = which_step(&w);
	/* Before the users are there nothing can be compared. */
	if (w.sure > 0 && (step < 0 || (size_t)step > w.step))
		fail_msg("%s: durable up to %zu of %zu, found %ld", when,
		    w.sure, w.step, step);
	if (w.sure > 0 && !is_over)
		check_bodies(&w, w.users[0]);
	fixture_close(&w.f);
	check_engine(&w);
	fixture_open(&w.f);
	walk_done(&w);
	return is_over;
}

TEST(whatever_fails_nothing_acknowledged_is_gone)
{
	struct engine_stats stats;
	struct walk w;
	uint64_t n, total;

	walk_init(&w, 0);
	run_scenario(&w);
	CHECK(w.sure == STEPS, "without a fault");
	engine_stats(w.f.engine, &stats);
	CHECK(stats.gc_segments > 0, "segments were collected");
	total = w.fs.count;
	walk_done(&w);
	for (int how = 0; how < CRASH_KINDS; how++)
		for (n = 1; !walk_one(n, (enum crash)how); n++)
			CHECK(n < 10 * total, "it ends");
	print_message("%llu faults, %d kinds of crash\n",
	    (unsigned long long)n - 1, (int)CRASH_KINDS);
	for (size_t i = 0; i < STEPS_MAX; i++)
		free(after[i]);
}

TEST_MAIN(UNIT(whatever_fails_nothing_acknowledged_is_gone))
