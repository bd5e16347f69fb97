/* SPDX-License-Identifier: ISC */
/*
 * model_test.c - random operations on the queue and on a plain list of what
 * should be in it: each lease must hold exactly what the list says.
 */
#include "qfixture.h"

#define ENTRIES_MAX 3000
#define OPS         6000
#define LEASE_MS    60000

struct model_entry {
	char address[40];
	unsigned priority, domain, attempts;
	uint64_t due_ms;
	bool is_gone, is_held;
	uint64_t lease, until_ms; /* lease 0: nobody's */
	struct msg_queue_item item;
};

static struct qfixture t;
static struct model_entry model[ENTRIES_MAX];
static size_t n_model;
static uint64_t owner, seed;

static unsigned
below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static const char *
domain_of(unsigned i)
{
	static const char *const names[] = { "a.example", "b.example",
		"c.b.example" };

	return names[i];
}

static void
add_one(void)
{
	struct model_entry *e = &model[n_model];
	struct queue_message m = { .mail_from = STR("a@b.c"),
		.priority = below(3) ? 10 : (uint8_t)(below(19) + 1) };
	char trace[20];

	if (n_model == ENTRIES_MAX)
		return;
	*e = (struct model_entry){
		.domain = below(3), .priority = m.priority, .due_ms = t.now_ms
	};
	snprintf(trace, sizeof(trace), "t%zu", n_model);
	snprintf(e->address, sizeof(e->address), "u%zu@%s", n_model,
	    domain_of(e->domain));
	if (below(4) == 0) {
		m.hold_until = t.now_ms / 1000 + below(100);
		e->due_ms = MAX(e->due_ms, m.hold_until * 1000);
	}
	m.trace = str_c(trace);
	ASSERT(verdict_is_done(add_to(&t, &m, e->address, 0, NULL)));
	n_model++;
}

/* Is it in the next lease, and which of two comes first? */
static bool
is_leasable(const struct model_entry *e, unsigned domain)
{
	return !e->is_gone && !e->is_held && e->domain == domain &&
	       e->due_ms <= t.now_ms && (!e->lease || e->until_ms <= t.now_ms);
}

static int
by_order(const void *a, const void *b)
{
	const struct model_entry *x = *(struct model_entry *const *)a;
	const struct model_entry *y = *(struct model_entry *const *)b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	if (x->due_ms != y->due_ms)
		return x->due_ms < y->due_ms ? -1 : 1;
	return x < y ? -1 : 1;
}

static void
lease_some(unsigned domain, uint32_t max)
{
	static struct model_entry *want[ENTRIES_MAX];
	struct items i;
	size_t n = 0;

	/* A lease of this domain whose time is over ends for all of it. */
	for (size_t k = 0; k < n_model; k++)
		if (model[k].domain == domain && model[k].lease &&
		    model[k].until_ms <= t.now_ms)
			model[k].lease = 0;
	for (size_t k = 0; k < n_model; k++)
		if (is_leasable(&model[k], domain))
			want[n++] = &model[k];
	if (n)
		qsort(want, n, sizeof(want[0]), by_order);
	lease(&t, domain_of(domain), max, &i);
	if (i.n != MIN(n, max))
		fail_msg("%zu leased, %zu of %zu expected", i.n,
		    MIN(n, (size_t)max), n);
	for (size_t k = 0; k < i.n; k++) {
		if (!str_eq(i.v[k].address, str_c(want[k]->address)))
			fail_msg("%.*s leased, %s expected",
			    STR_ARG(i.v[k].address), want[k]->address);
		CHECK(i.v[k].attempts == want[k]->attempts, "attempts");
		want[k]->lease = i.v[k].lease;
		want[k]->until_ms = t.now_ms + LEASE_MS;
		want[k]->item = i.v[k];
	}
}

static void
answer_one(struct model_entry *e)
{
	static const enum queue_state states[] = { QUEUE_RELEASED,
		QUEUE_DEFERRED, QUEUE_DELIVERED, QUEUE_FAILED, QUEUE_HELD };
	enum queue_state state = states[below(ARRAY_LEN(states))];
	uint64_t due_ms = t.now_ms + below(50000);
	bool counts;

	if (!e->item.lease)
		return;
	counts = settle(&t, &e->item, state, due_ms);
	CHECK(counts == (!e->is_gone && e->lease == e->item.lease),
	    "whose lease it is");
	if (!counts)
		return;
	e->lease = 0;
	e->due_ms = due_ms;
	e->is_gone = state == QUEUE_DELIVERED || state == QUEUE_FAILED;
	e->is_held |= state == QUEUE_HELD;
	e->attempts += state == QUEUE_DEFERRED || state == QUEUE_HELD;
}

static void
operate_on(struct model_entry *e)
{
	enum queue_action action = (enum queue_action)below(4);
	struct buf filter = BUF_INIT(KIB(1));
	struct msg_queue_change q = { .action = (uint8_t)action };

	msg_queue_filter_put(&filter,
	    &(struct msg_queue_filter){ .recipient = str_c(e->address) });
	q.filter = buf_str(&filter);
	ASSERT(verdict_is_done(queue_change(t.q, &q, fresh(&t.f))));
	buf_done(&filter);
	if (e->is_gone)
		return;
	switch (action) {
	case QUEUE_RETRY:
		if (!e->is_held)
			e->due_ms = MIN(e->due_ms, t.now_ms);
		break;
	case QUEUE_HOLD:
		e->is_held = true;
		break;
	case QUEUE_RELEASE:
		if (e->is_held)
			e->due_ms = MIN(e->due_ms, t.now_ms);
		e->is_held = false;
		break;
	case QUEUE_CANCEL:
		e->is_gone = true;
		break;
	case QUEUE_RETURN:
	case QUEUE_REROUTE:
		break;
	}
}

/*
 * The store starts anew, and then the same sender, which lost some of its
 * leases on the way, or another one takes over.
 */
static void
restart(bool is_new_sender)
{
	static uint64_t known[ENTRIES_MAX];
	uint64_t lost = is_new_sender ? 1 : below(4);
	uint32_t ended;
	size_t n = 0;

	if (is_new_sender)
		owner++;
	queue_free(t.q);
	fixture_close(&t.f);
	fixture_open(&t.f);
	ASSERT(qfixture_try_open(&t) == 0);
	for (size_t i = 0; i < n_model; i++)
		if (model[i].lease &&
		    (is_new_sender || (lost && model[i].lease % lost == 0)))
			model[i].lease = 0;
		else if (model[i].lease)
			known[n++] = model[i].lease;
	ASSERT(verdict_is_done(take_over(t.q, owner, known, n, &ended)));
}

static uint64_t
count_model(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < n_model; i++)
		n += !model[i].is_gone;
	return n;
}

static void
run(uint64_t from)
{
	qfixture_start(&t);
	seed = from;
	owner = OWNER;
	n_model = 0;
	for (unsigned i = 0; i < OPS; i++) {
		unsigned what = below(100);
		struct model_entry *e =
		    n_model ? &model[below((unsigned)n_model)] : NULL;

		if (what < 35 || !e)
			add_one();
		else if (what < 50)
			lease_some(below(3), below(20) + 1);
		else if (what < 80)
			answer_one(e);
		else if (what < 92)
			operate_on(e);
		else if (what < 99)
			t.now_ms += below(20000);
		else
			restart(below(2));
		if (entries(&t) != count_model())
			fail_msg("%llu entries, %llu expected",
			    (unsigned long long)entries(&t),
			    (unsigned long long)count_model());
	}
	CHECK(queue_problems(&t) == 0, "check");
	t.now_ms += 10 * LEASE_MS;
	for (unsigned d = 0; d < 3; d++)
		lease_some(d, 100);
	qfixture_stop(&t);
}

TEST(a_lease_holds_what_a_plain_list_says)
{
	for (uint64_t s = 1; s <= 3; s++)
		run(s);
}

TEST_MAIN(UNIT(a_lease_holds_what_a_plain_list_says))
