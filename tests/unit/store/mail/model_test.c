/* SPDX-License-Identifier: ISC */
/*
 * model_test.c - random operations on an account, and on a model of it that
 * is a few arrays. After restarts and crashes the two must still agree: after
 * a crash the store is what the model was after one of the last operations,
 * and never before one that was answered as durable.
 */
#include "fixture.h"

#include <sys/wait.h>

#define BOXES    64
#define NAME     128
#define MSGS     400
#define KEYWORDS 4

struct m_msg {
	uint32_t uid, flags, keywords, size;
};

struct m_box {
	uint32_t id; /* 0: free */
	char name[NAME];
	uint32_t uidnext;
	size_t n;
	struct m_msg msgs[MSGS];
};

struct m_lost {
	uint64_t time;
	uint32_t box;
	char name[NAME]; /* of the box when it was removed */
	struct m_msg msg;
};

struct model {
	uint64_t now, rng;
	uint32_t next_id, next_size;
	struct m_box boxes[BOXES];
	struct m_lost lost[4 * MSGS];
	size_t n_lost;
};

static const char *const names[] = { "INBOX", "a", "a/b", "a/b/c", "d", "d/e",
	"f" };

static uint32_t
pick(struct model *m, uint32_t n)
{
	m->rng ^= m->rng << 13;
	m->rng ^= m->rng >> 7;
	m->rng ^= m->rng << 17;
	return (uint32_t)((m->rng >> 11) % n);
}

/* --- the model --------------------------------------------------------------- */

static struct m_box *
find_box(struct model *m, const char *name)
{
	for (size_t i = 0; i < BOXES; i++)
		if (m->boxes[i].id && strcmp(m->boxes[i].name, name) == 0)
			return &m->boxes[i];
	return NULL;
}

static struct m_box *
box_by_id(struct model *m, uint32_t id)
{
	for (size_t i = 0; i < BOXES; i++)
		if (m->boxes[i].id == id)
			return &m->boxes[i];
	return NULL;
}

static struct m_box *
make_box(struct model *m, const char *name)
{
	struct m_box *b = find_box(m, name);
	const char *slash = strrchr(name, '/');

	if (b)
		return b;
	if (slash) {
		char parent[NAME] = { 0 };

		memcpy(parent, name, (size_t)(slash - name));
		make_box(m, parent);
	}
	b = box_by_id(m, 0);
	ASSERT(b);
	*b = (struct m_box){ .id = m->next_id++, .uidnext = 1 };
	snprintf(b->name, sizeof(b->name), "%s", name);
	return b;
}

static void
put_msg(struct m_box *b, struct m_msg msg)
{
	msg.uid = b->uidnext++;
	ASSERT(b->n < MSGS);
	b->msgs[b->n++] = msg;
}

static void
lose(struct model *m, const struct m_box *b, const struct m_msg *msg)
{
	struct m_lost *l = &m->lost[m->n_lost++];

	ASSERT(m->n_lost < ARRAY_LEN(m->lost));
	*l = (struct m_lost){ m->now, b->id, "", *msg };
}

static bool
is_below(const char *name, const char *parent)
{
	size_t n = strlen(parent);

	return strncmp(name, parent, n) == 0 && name[n] == '/';
}

static bool
has_child(struct model *m, const char *name)
{
	for (size_t i = 0; i < BOXES; i++)
		if (m->boxes[i].id && is_below(m->boxes[i].name, name))
			return true;
	return false;
}

static void
start_model(struct model *m, uint64_t seed, uint64_t now)
{
	static const char *const usual[] = { "INBOX", "Drafts", "Sent", "Junk",
		"Trash", "Archive" };

	*m = (struct model){ .now = now, .rng = seed * 2654435761u + 88172645 };
	m->next_id = 1;
	m->next_size = 1;
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		make_box(m, usual[i]);
}

/* --- both at once: s is NULL when only the model goes on ------------------------ */

struct both {
	struct model *m;
	struct fixture *s;
	uint64_t account;
};

static void
agree(bool model, struct verdict v, const char *what)
{
	if (model != verdict_is_done(v))
		fail_msg("%s: model %d, store %s", what, model,
		    reason_str(v.reason));
}

static const char *
any_name(struct model *m)
{
	return names[pick(m, ARRAY_LEN(names))];
}

static const char *const keyword_lists[] = { "", "k0", "k1 k3", "k0 k1 k2" };
static const uint32_t keyword_bits[] = { 0, 1, 10, 7 };

static void
op_append(struct both *x)
{
	static char bytes[100000];
	const char *name = any_name(x->m);
	uint32_t flags = pick(x->m, 32), kw = pick(x->m, 4);
	uint32_t size = x->m->next_size++;
	struct m_box *b = find_box(x->m, name);
	struct append_one a = { .mailbox = name,
		.bytes = { bytes, size },
		.flags = flags,
		.keywords = keyword_lists[kw] };
	struct verdict v;

	if (b && b->n > MSGS / 2)
		return;
	if (b)
		put_msg(b, (struct m_msg){ 0, flags, keyword_bits[kw], size });
	if (!x->s)
		return;
	memset(bytes, 'a' + size % 26, size);
	append_to(x->s, x->account, &a, &v);
	agree(b != NULL, v, "append");
}

static void
op_flags(struct both *x)
{
	struct m_box *b = find_box(x->m, any_name(x->m));
	uint32_t first = 1 + pick(x->m, 60), last = first + pick(x->m, 20);
	uint32_t op = pick(x->m, 3), flags = pick(x->m, 32);
	uint32_t kw = pick(x->m, 4), bits = keyword_bits[kw];
	struct buf list = BUF_INIT(100);
	struct msg_flags q = { .op = (uint8_t)op,
		.flags = flags,
		.keywords = texts(&list, keyword_lists[kw]) };

	for (size_t i = 0; b && i < b->n; i++) {
		struct m_msg *msg = &b->msgs[i];

		if (msg->uid < first || msg->uid > last)
			continue;
		msg->flags = op == 0   ? flags
		             : op == 1 ? msg->flags | flags
		                       : msg->flags & ~flags;
		msg->keywords = op == 0   ? bits
		                : op == 1 ? msg->keywords | bits
		                          : msg->keywords & ~bits;
	}
	if (b && x->s) {
		q.mailbox = b->id;
		agree(
		    true, set_flags(x->s, x->account, q, first, last), "flags");
	}
	buf_done(&list);
}

static void
op_expunge(struct both *x)
{
	struct m_box *b = find_box(x->m, any_name(x->m));
	uint32_t first = 1 + pick(x->m, 60), last = first + pick(x->m, 30);
	bool is_any = pick(x->m, 4) == 0;
	size_t n = 0;

	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++) {
		struct m_msg *msg = &b->msgs[i];

		if (msg->uid >= first && msg->uid <= last &&
		    (is_any || (msg->flags & IMAP_FLAG_DELETED)))
			lose(x->m, b, msg);
		else
			b->msgs[n++] = *msg;
	}
	b->n = n;
	if (x->s)
		agree(true,
		    expunge(x->s, x->account, b->id, first, last, is_any),
		    "expunge");
}

static void
op_copy(struct both *x)
{
	struct m_box *from = find_box(x->m, any_name(x->m)), *to;
	const char *name = any_name(x->m);
	bool is_move = pick(x->m, 2);
	size_t n;

	to = find_box(x->m, name);
	if (!from || (to && to->n + from->n > MSGS / 2))
		return;
	n = from->n;
	for (size_t i = 0; to && i < n; i++)
		put_msg(to, from->msgs[i]);
	if (to && is_move) {
		from->n -= n;
		memmove(from->msgs, from->msgs + n,
		    from->n * sizeof(from->msgs[0]));
	}
	if (x->s)
		agree(to != NULL,
		    copy_to(x->s, x->account, from->id, name, is_move), "copy");
}

/* So many that the model's arrays could overflow. */
static bool
is_crowded(struct model *m)
{
	size_t n = 0, longest = 0;

	for (size_t i = 0; i < BOXES; i++) {
		if (!m->boxes[i].id)
			continue;
		n++;
		longest = MAX(longest, strlen(m->boxes[i].name));
	}
	return n > BOXES / 2 || longest > NAME / 2;
}

static void
op_create(struct both *x)
{
	const char *name = any_name(x->m);
	bool is_new = !find_box(x->m, name);
	struct msg_mailbox_create q = { .name = str_c(name) };

	make_box(x->m, name);
	if (x->s)
		agree(is_new,
		    mail_create(x->s->mail, x->account, &q, fresh(x->s)),
		    "create");
}

static void
op_delete(struct both *x)
{
	const char *name = any_name(x->m);
	struct m_box *b = find_box(x->m, name);
	struct msg_mailbox_delete q = { .name = str_c(name) };
	bool ok = b && b->id != 1 && !has_child(x->m, name);

	for (size_t i = 0; ok && i < b->n; i++)
		lose(x->m, b, &b->msgs[i]);
	for (size_t i = 0; ok && i < x->m->n_lost; i++)
		if (x->m->lost[i].box == b->id)
			memcpy(x->m->lost[i].name, b->name, sizeof(b->name));
	if (ok)
		b->id = 0;
	if (x->s)
		agree(ok, mail_delete(x->s->mail, x->account, &q), "delete");
}

static void
op_rename(struct both *x)
{
	const char *from = any_name(x->m), *to = any_name(x->m);
	struct msg_mailbox_rename q = { .name = str_c(from), .to = str_c(to) };
	bool ok =
	    find_box(x->m, from) && !find_box(x->m, to) && !is_below(to, from);
	const char *slash = strrchr(to, '/');
	char parent[NAME] = { 0 };

	if (strcmp(from, "INBOX") == 0 || is_crowded(x->m))
		return;
	if (ok && slash) {
		memcpy(parent, to, (size_t)(slash - to));
		make_box(x->m, parent);
	}
	for (size_t i = 0; ok && i < BOXES; i++) {
		struct m_box *b = &x->m->boxes[i];
		char name[2 * NAME];

		if (!b->id ||
		    (strcmp(b->name, from) != 0 && !is_below(b->name, from)))
			continue;
		snprintf(
		    name, sizeof(name), "%s%s", to, b->name + strlen(from));
		snprintf(b->name, sizeof(b->name), "%.127s", name);
	}
	if (x->s)
		agree(ok, mail_rename(x->s->mail, x->account, &q), "rename");
}

static void
op_undelete(struct both *x)
{
	size_t n = 0, kept = 0;
	uint64_t since = x->m->now - pick(x->m, 20) * 3600, count = 0;

	for (size_t i = 0; i < x->m->n_lost; i++) {
		struct m_lost *l = &x->m->lost[i];
		struct m_box *b = box_by_id(x->m, l->box);

		if (l->time < since) {
			x->m->lost[kept++] = *l;
			continue;
		}
		if (!b)
			b = make_box(x->m, l->name);
		l->msg.flags &= ~(uint32_t)IMAP_FLAG_DELETED;
		put_msg(b, l->msg);
		n++;
	}
	x->m->n_lost = kept;
	if (!x->s)
		return;
	agree(true,
	    mail_undelete(x->s->mail, x->account, since, STR(""), &count),
	    "undelete");
	if (count != n)
		fail_msg("undelete: model %zu, store %llu", n,
		    (unsigned long long)count);
}

static void
op_purge(struct both *x)
{
	uint64_t before = x->m->now - 14 * 24 * 3600;
	size_t kept = 0;

	for (size_t i = 0; i < x->m->n_lost; i++)
		if (x->m->lost[i].time >= before)
			x->m->lost[kept++] = x->m->lost[i];
	x->m->n_lost = kept;
	if (x->s)
		agree(true, mail_purge_step(x->s->mail), "purge");
}

static void
step(struct both *x)
{
	static const struct {
		unsigned weight;
		void (*run)(struct both *x);
	} ops[] = { { 36, op_append }, { 24, op_flags }, { 12, op_expunge },
		{ 8, op_copy }, { 6, op_create }, { 4, op_delete },
		{ 4, op_rename }, { 3, op_undelete }, { 3, op_purge } };
	unsigned at = pick(x->m, 100);

	x->m->now += 3600;
	if (x->s)
		x->s->now = x->m->now;
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (at < ops[i].weight) {
			ops[i].run(x);
			return;
		}
		at -= ops[i].weight;
	}
}

/* --- comparing -------------------------------------------------------------------- */

static int
compare_boxes(const void *a, const void *b)
{
	const struct m_box *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void
dump_model(struct model *m, struct buf *b)
{
	struct m_box *sorted[BOXES];
	size_t n = 0;

	for (size_t i = 0; i < BOXES; i++)
		if (m->boxes[i].id)
			sorted[n++] = &m->boxes[i];
	qsort(sorted, n, sizeof(sorted[0]), compare_boxes);
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s %u %u:", sorted[i]->name, sorted[i]->id,
		    sorted[i]->uidnext);
		for (size_t j = 0; j < sorted[i]->n; j++) {
			struct m_msg *msg = &sorted[i]->msgs[j];

			buf_printf(b, " %u/%x/%x/%u", msg->uid, msg->flags,
			    msg->keywords, msg->size);
		}
		buf_put_char(b, '\n');
	}
}

/* Bits of k0 to k3, from those of the mailbox. */
static uint32_t
named_bits(const struct msg_entries_reply *r, const struct ipc_entry *e)
{
	struct wire w = wire_read(r->keywords);
	struct msg_text kw;
	uint32_t bits = 0;

	for (unsigned i = 0; msg_text_read(&w, &kw); i++)
		if (e->keywords[0] >> i & 1)
			bits |= 1u << (kw.text.p[1] - '0');
	return bits;
}

static void
dump_box(struct both *x, const struct msg_mailbox *mb, struct buf *b)
{
	struct msg_entries q = { .mailbox = mb->id, .from_uid = 1 };
	struct msg_fetch fq = { .mailbox = mb->id,
		.want = FETCH_SIZE,
		.max_bytes = FETCH_MAX_BYTES };
	struct buf set = BUF_INIT(100), items = BUF_INIT(MIB(8));
	struct msg_entries_reply r;
	struct msg_fetch_reply fr;
	struct mail_fetch mf;
	struct wire w;

	fq.uids = range_set(&set, 1, UINT32_MAX);
	ASSERT(verdict_is_done(
	    mail_fetch_collect(x->s->mail, x->account, &fq, &mf)));
	mail_fetch_finish(&mf, NULL, &items);
	ASSERT(msg_fetch_reply_get(buf_str(&items), &fr));
	w = wire_read(fr.items);
	ASSERT(verdict_is_done(
	    mail_entries(x->s->mail, x->account, &q, fresh(x->s))));
	ASSERT(msg_entries_reply_get(buf_str(&x->s->out), &r));
	for (size_t i = 0; i < r.entries.n / sizeof(struct ipc_entry); i++) {
		struct msg_fetch_item item;
		struct ipc_entry e;

		memcpy(&e, r.entries.p + i * sizeof(e), sizeof(e));
		ASSERT(msg_fetch_item_read(&w, &item) && item.uid == e.uid);
		buf_printf(b, " %u/%x/%x/%u", e.uid, e.flags,
		    named_bits(&r, &e), (uint32_t)item.size);
	}
	mail_fetch_done(&mf);
	buf_done(&items);
	buf_done(&set);
}

static void
dump_store(struct both *x, struct buf *b)
{
	struct buf list = BUF_INIT(MIB(1));
	struct msg_mailbox_list_reply r;
	struct msg_mailbox mb;
	struct wire w;

	ASSERT(verdict_is_done(mail_list(
	    x->s->mail, x->account, &(struct msg_mailbox_list){ 0 }, &list)));
	ASSERT(msg_mailbox_list_reply_get(buf_str(&list), &r));
	w = wire_read(r.mailboxes);
	while (msg_mailbox_read(&w, &mb)) {
		if (mb.id == 0) /* only subscribed to */
			continue;
		buf_printf(
		    b, "%.*s %u %u:", STR_ARG(mb.name), mb.id, mb.uidnext);
		dump_box(x, &mb, b);
		buf_put_char(b, '\n');
	}
	buf_done(&list);
}

static bool
is_same(struct both *x)
{
	struct buf a = BUF_INIT(MIB(4)), b = BUF_INIT(MIB(4));
	bool same;

	dump_model(x->m, &a);
	dump_store(x, &b);
	same = str_eq(buf_str(&a), buf_str(&b));
	buf_done(&a);
	buf_done(&b);
	return same;
}

static void
check_same(struct both *x, const char *when)
{
	struct buf a = BUF_INIT(MIB(4)), b = BUF_INIT(MIB(4));

	dump_model(x->m, &a);
	dump_store(x, &b);
	if (!str_eq(buf_str(&a), buf_str(&b)))
		fail_msg(
		    "%s: model:\n%s\nstore:\n%s\n", when, buf_c(&a), buf_c(&b));
	buf_done(&a);
	buf_done(&b);
	CHECK(count_problems(x->s) == 0, when);
}

/* --- a client that only ever asks what changed --------------------------------------- */

struct view {
	uint64_t modseq;
	struct ipc_entry v[2000];
	size_t n;
};

static void
view_apply(struct view *view, const struct msg_entries_reply *r)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n; i++)
		if (!uid_set_has(r->vanished, view->v[i].uid))
			view->v[n++] = view->v[i];
	for (size_t i = 0; i < r->entries.n / sizeof(struct ipc_entry); i++) {
		struct ipc_entry e;
		size_t at = 0;

		memcpy(&e, r->entries.p + i * sizeof(e), sizeof(e));
		while (at < n && view->v[at].uid < e.uid)
			at++;
		if (at == n || view->v[at].uid != e.uid) {
			memmove(view->v + at + 1, view->v + at,
			    (n - at) * sizeof(e));
			n++;
		}
		view->v[at] = e;
	}
	view->n = n;
	view->modseq = r->modseq;
}

static void
view_sync(struct both *x, struct view *view)
{
	struct msg_entries q = { .mailbox = MAIL_INBOX,
		.from_uid = 1,
		.since_modseq = view->modseq };
	struct msg_entries_reply r;

	ASSERT(verdict_is_done(
	    mail_entries(x->s->mail, x->account, &q, fresh(x->s))));
	ASSERT(msg_entries_reply_get(buf_str(&x->s->out), &r));
	CHECK(!r.is_too_old, "the log reaches back");
	view_apply(view, &r);
	q.since_modseq = 0;
	ASSERT(verdict_is_done(
	    mail_entries(x->s->mail, x->account, &q, fresh(x->s))));
	ASSERT(msg_entries_reply_get(buf_str(&x->s->out), &r));
	if (!str_eq(r.entries, str_make(view->v, view->n * sizeof(view->v[0]))))
		fail_msg("the view differs at %llu",
		    (unsigned long long)view->modseq);
}

/* --- the tests ------------------------------------------------------------------------- */

TEST(random_operations_and_restarts_agree_with_the_model)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		static struct model m;
		static struct view view;
		struct fixture f;
		struct both x = { &m, &f, 0 };

		fixture_start(&f);
		start_model(&m, seed, f.now);
		x.account = add_user(&f, "a@demo.example");
		view = (struct view){ 0 };
		for (int i = 1; i <= 400; i++) {
			step(&x);
			if (i % 7 == 0)
				view_sync(&x, &view);
			if (i % 50 == 0)
				check_same(&x, "going on");
			if (i % 100 == 0) {
				fixture_close(&f);
				fixture_open(&f);
				check_same(&x, "after a restart");
			}
			engine_kick(f.engine);
			if (i % 20 == 0)
				engine_tick(f.engine);
		}
		fixture_stop(&f);
	}
}

static void
on_durable(void *arg, UNUSED int err)
{
	*(bool *)arg = true;
}

/* Runs in a child that dies without closing anything: n steps, of which the
 * first ones are waited for and reported. */
static void
run_and_die(struct both *x, int n, int n_sure, int report)
{
	for (int i = 0; i < n; i++) {
		bool is_durable = false;
		char c = 1;

		step(x);
		engine_kick(x->s->engine);
		if (i >= n_sure)
			continue;
		engine_sync(x->s->engine, engine_position(x->s->engine),
		    on_durable, &is_durable);
		while (!is_durable)
			engine_dispatch(x->s->engine);
		if (write(report, &c, 1) != 1)
			break;
	}
	_exit(0);
}

static int
crash(struct both *x, int n, int n_sure)
{
	int pipes[2], status, acked = 0;
	char c;
	pid_t pid;

	ASSERT(pipe(pipes) == 0);
	pid = fork();
	ASSERT(pid >= 0);
	if (pid == 0) {
		close(pipes[0]);
		fixture_open(x->s);
		run_and_die(x, n, n_sure, pipes[1]);
	}
	close(pipes[1]);
	while (read(pipes[0], &c, 1) == 1)
		acked++;
	close(pipes[0]);
	ASSERT(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child");
	return acked;
}

TEST(after_a_crash_the_store_is_what_it_was_and_nothing_acknowledged_is_gone)
{
	static struct model m;
	struct fixture f;
	struct both x = { &m, &f, 0 }, only_model = { &m, NULL, 0 };

	fixture_start(&f);
	start_model(&m, 99, f.now);
	x.account = add_user(&f, "a@demo.example");
	fixture_close(&f);
	for (int round = 0; round < 40; round++) {
		int n_sure = round % 9, n = n_sure + round % 5;
		int acked = crash(&x, n, n_sure), i;

		CHECK(acked == n_sure, "all that were waited for");
		for (i = 0; i < acked; i++)
			step(&only_model);
		fixture_open(&f);
		f.now = m.now;
		/* Some of those that nobody waited for may be there. */
		for (; i < n && !is_same(&x); i++)
			step(&only_model);
		f.now = m.now;
		check_same(&x, "after a crash");
		fixture_close(&f);
	}
	fixture_stop(&f);
}

TEST_MAIN(UNIT(random_operations_and_restarts_agree_with_the_model),
    UNIT(
	after_a_crash_the_store_is_what_it_was_and_nothing_acknowledged_is_gone))
