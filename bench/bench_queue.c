/* SPDX-License-Identifier: ISC */
/*
 * bench_queue.c - how fast the queue takes, lends and lets go, and what it
 * costs in memory while it is long.
 *
 * bench_queue DIR RECIPIENTS DOMAINS [BYTES]
 *
 * Messages of one recipient each are put into the queue, 32 of them a flush,
 * as 32 busy sessions do; the store is opened anew; all entries are leased, 50
 * at a time, a domain after the other; and all are answered as delivered.
 */
#include "store/queue/queue.h"

#include <poll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TOGETHER  32
#define LEASE     50
#define TICK_EACH 2000

struct bench {
	struct engine *e;
	struct queue *q;
	const char *dir;
	uint64_t n, domains;
	size_t size;
	struct buf out;
};

static uint64_t
now_ms(UNUSED void *arg)
{
	return (uint64_t)time(NULL) * 1000;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Private memory: the index is mapped from its file and can be let go. */
static size_t
private_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[200];
	size_t kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %zu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static void
must(bool is_true, const char *what)
{
	if (!is_true)
		die("bench_queue: %s", what);
}

static void
on_flag(void *arg, UNUSED int err)
{
	*(bool *)arg = true;
}

static void
wait_durable(struct bench *b)
{
	struct pollfd p = { engine_fd(b->e), POLLIN, 0 };
	bool is_durable = false;

	engine_kick(b->e);
	engine_sync(b->e, engine_position(b->e), on_flag, &is_durable);
	while (!is_durable) {
		poll(&p, 1, 1000);
		engine_dispatch(b->e);
	}
}

static void
open_store(struct bench *b)
{
	struct engine_config config = { .dir = b->dir, .helper_threads = 2 };
	struct queue_config qc = { .now_ms = now_ms,
		.limits.history_days = 14 };
	struct engine_open_report report;
	double since;

	must(engine_open(&config, &report, &b->e) == 0, "open");
	qc.engine = b->e;
	since = seconds();
	must(queue_open(&qc, &b->q) == 0, "open the queue");
	printf("queue opened in %.3f s, %zu MB private\n", seconds() - since,
	    private_kib() / 1024);
	must(verdict_is_done(queue_set_owner(b->q, 1)), "owner");
}

static void
close_store(struct bench *b)
{
	queue_free(b->q);
	engine_close(b->e);
}

static void
tell(const char *what, uint64_t n, double since, double cpu_since)
{
	double took = seconds() - since;

	printf("%s: %llu in %.1f s, %.0f a second, %.1f us CPU each\n", what,
	    (unsigned long long)n, took, (double)n / took,
	    (cpu() - cpu_since) * 1e6 / (double)n);
}

/* --- in -------------------------------------------------------------------------- */

struct ready {
	struct bench *b;
	uint64_t i;
	size_t *left;
};

static void
on_stored(void *arg, int err, struct engine_ticket *ticket)
{
	struct ready *r = arg;
	struct bench *b = r->b;
	struct engine_batch *batch = engine_batch_new(b->e);
	char address[80], sender[40], trace[24];
	struct queue_rcpt rcpt = { .prefix = STR("Received: from client.example"
						 " ([192.0.2.1])\r\n\tby mx."
						 "example with ESMTPSA id x;"
						 "\r\n\tMon, 23 Nov 2026 "
						 "00:00:00 +0000\r\n") };
	struct queue_message m = { .size = b->size,
		.account = 1 + r->i % 1000,
		.priority = 10,
		.arrival_ms = now_ms(NULL) };
	struct queue_adding *a;

	must(err == 0, "put");
	snprintf(address, sizeof(address), "user%llu@d%05llu.example",
	    (unsigned long long)r->i, (unsigned long long)(r->i % b->domains));
	snprintf(sender, sizeof(sender), "u%llu@demo.example",
	    (unsigned long long)(r->i % 1000));
	snprintf(trace, sizeof(trace), "%016llx", (unsigned long long)r->i);
	rcpt.address = str_c(address);
	m.mail_from = str_c(sender);
	m.trace = str_c(trace);
	must(verdict_is_done(queue_may_add(b->q, &m, &rcpt, 1)), "may add");
	a = queue_add(b->q, batch, &m, &rcpt, 1, batch_blob_new(batch, ticket));
	must(engine_commit(b->e, batch, NULL, NULL) == 0, "commit");
	queue_added(a, true);
	--*r->left;
}

static void
add_all(struct bench *b)
{
	char *bytes = x_malloc(b->size);
	double since = seconds(), cpu_since = cpu();

	for (size_t i = 0; i < b->size; i++)
		bytes[i] = "the quick brown fox jumps over a lazy dog\r\n"
		    [(i * 7 + i / 43) % 43];
	for (uint64_t i = 0; i < b->n; i += TOGETHER) {
		struct ready ready[TOGETHER];
		size_t n = (size_t)MIN(b->n - i, TOGETHER), left = n;
		struct pollfd p = { engine_fd(b->e), POLLIN, 0 };

		for (size_t k = 0; k < n; k++) {
			struct engine_source src = { .fd = -1,
				.size = b->size,
				.mem = { bytes, b->size } };

			ready[k] = (struct ready){ b, i + k, &left };
			engine_blob_put(b->e, &src, on_stored, &ready[k]);
		}
		while (left) {
			poll(&p, 1, 1000);
			engine_dispatch(b->e);
		}
		wait_durable(b);
		buf_reset(&b->out, KIB(64));
		while (queue_take_due(b->q, &b->out, KIB(3)))
			buf_reset(&b->out, KIB(64));
		if (i / TICK_EACH != (i + TOGETHER) / TICK_EACH)
			engine_tick(b->e);
	}
	tell("enqueue", b->n, since, cpu_since);
	free(bytes);
}

/* --- out ------------------------------------------------------------------------- */

static uint64_t
lease_domain(struct bench *b, const char *name, struct buf *results)
{
	uint64_t n = 0, got = 1;

	while (got) {
		struct msg_queue_lease q = { str_c(name), LEASE,
			now_ms(NULL) + 1000, 3600000 };
		struct msg_queue_lease_reply r;
		struct msg_queue_item item;

		buf_reset(&b->out, KIB(64));
		must(verdict_is_done(queue_lease(b->q, &q, &b->out)), "lease");
		must(msg_queue_lease_reply_get(buf_str(&b->out), &r), "reply");
		got = 0;
		for (struct wire w = wire_read(r.items);
		     w.in.n && msg_queue_item_read(&w, &item); got++)
			msg_queue_result_put(results,
			    &(struct msg_queue_result){ .message = item.message,
				.rcpt = item.rcpt,
				.lease = item.lease,
				.state = QUEUE_DELIVERED,
				.counts = 1,
				.mx = STR("mx1.example"),
				.mx_ip = STR("192.0.2.25"),
				.reply = STR("250 2.0.0 Ok: queued") });
		wait_durable(b);
		n += got;
	}
	return n;
}

static void
deliver_all(struct bench *b)
{
	struct buf *results = x_calloc(b->domains, sizeof(*results));
	double since = seconds(), cpu_since = cpu();
	struct queue_stats st;
	uint64_t n = 0;

	for (uint64_t d = 0; d < b->domains; d++) {
		char name[40];

		results[d] = BUF_INIT(MIB(512));
		snprintf(name, sizeof(name), "d%05llu.example",
		    (unsigned long long)d);
		n += lease_domain(b, name, &results[d]);
		if (d % 20 == 0)
			engine_tick(b->e);
	}
	must(n == b->n, "all were leased");
	tell("lease", n, since, cpu_since);
	queue_stats(b->q, &st);
	printf(
	    "%llu leased in %llu leases, %zu MB private with their results\n",
	    (unsigned long long)st.leased, (unsigned long long)st.leases,
	    private_kib() / 1024);
	since = seconds();
	cpu_since = cpu();
	for (uint64_t d = 0; d < b->domains; d++) {
		struct wire w = wire_read(buf_str(&results[d]));

		while (w.in.n) {
			struct str from = w.in;
			struct msg_queue_result one;
			struct msg_queue_results q = { now_ms(NULL), STR_NONE };

			for (int k = 0; k < LEASE && w.in.n; k++)
				must(msg_queue_result_read(&w, &one), "result");
			q.results = str_first(from, from.n - w.in.n);
			buf_reset(&b->out, KIB(64));
			must(verdict_is_done(queue_results(b->q, &q, &b->out)),
			    "results");
			wait_durable(b);
		}
		buf_done(&results[d]);
		if (d % 20 == 0)
			engine_tick(b->e);
	}
	tell("results", n, since, cpu_since);
	queue_stats(b->q, &st);
	must(st.entries == 0 && st.leased == 0, "nothing is left");
	free(results);
}

int
main(int argc, char **argv)
{
	struct bench b = { .out = BUF_INIT(MIB(16)), .size = 10000 };

	if (argc < 4)
		die("usage: bench_queue DIR RECIPIENTS DOMAINS [BYTES]");
	b.dir = argv[1];
	must(str_to_u64(str_c(argv[2]), UINT32_MAX, &b.n), "a number");
	must(str_to_u64(str_c(argv[3]), 99999, &b.domains), "a number");
	if (argc > 4) {
		uint64_t size;

		must(str_to_u64(str_c(argv[4]), MIB(1), &size), "a size");
		b.size = (size_t)size;
	}
	open_store(&b);
	add_all(&b);
	close_store(&b);
	open_store(&b);
	deliver_all(&b);
	close_store(&b);
	buf_done(&b.out);
	return 0;
}
