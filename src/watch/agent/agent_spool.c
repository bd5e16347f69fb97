/* SPDX-License-Identifier: ISC */
/*
 * agent_spool.c - a file of pages, used in turns. See agent.h.
 *
 * Page 0 says what the master has; it is written after each answer. The
 * others are pages of proto/agent, number n in slot 1 + n modulo their number; the
 * newest is in memory and is written with each result. A process that dies
 * loses nothing that it had put; a page that a machine tore is skipped, and
 * what it held counts as lost. The file has all its blocks from the
 * beginning, so that a disk which becomes full later cannot hurt it.
 */
#include "watch/agent/agent.h"

#include "base/hash.h"
#include "watch/history.h"

#include <fcntl.h>
#include <unistd.h>

#define SENT_BYTES 40

struct slot {
	uint64_t number; /* 0: nothing of worth */
	uint64_t first;
	uint16_t n;
};

struct spool {
	int fd;
	unsigned pages;
	struct slot *slots;
	uint64_t sent; /* the first result that the master lacks */
	uint64_t end;
	uint64_t lost;
	/* The page that is being filled; number 0: none. */
	struct agent_page head;
	uint8_t bytes[AGENT_PAGE_BYTES];
};

static off_t
place_of(const struct spool *s, uint64_t number)
{
	return (off_t)((1 + number % s->pages) * AGENT_PAGE_BYTES);
}

static struct slot *
slot_of(struct spool *s, uint64_t number)
{
	return &s->slots[number % s->pages];
}

/* --- what the master has ---------------------------------------------------------- */

static void
write_sent(struct spool *s)
{
	struct buf b = BUF_INIT(SENT_BYTES);

	buf_put(&b, "ms\1", 4);
	wire_put_u32(&b, 0);
	wire_put_u64(&b, s->sent);
	wire_put_u64(&b, s->lost);
	wire_put_u64(&b, s->end);
	wire_put_u64(&b, hash64(b.p, b.n));
	/* Without it the master gets some results once more. */
	(void)!pwrite(s->fd, b.p, b.n, 0);
	buf_done(&b);
}

static void
read_sent(struct spool *s)
{
	char bytes[SENT_BYTES];
	struct wire w = wire_read(str_make(bytes, sizeof(bytes)));

	s->sent = s->end = 1;
	if (pread(s->fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) ||
	    memcmp(bytes, "ms\1", 4) != 0)
		return;
	(void)wire_get_u64(&w);
	s->sent = wire_get_u64(&w);
	s->lost = wire_get_u64(&w);
	s->end = wire_get_u64(&w);
	if (wire_get_u64(&w) == hash64(bytes, sizeof(bytes) - 8) &&
	    s->sent > 0 && s->sent <= s->end)
		return;
	s->sent = s->end = 1;
	s->lost = 0;
}

/* --- opening ------------------------------------------------------------------------ */

static void
read_pages(struct spool *s)
{
	uint8_t bytes[AGENT_PAGE_BYTES];
	struct agent_page p;

	for (unsigned i = 0; i < s->pages; i++) {
		off_t at = (off_t)(1 + i) * AGENT_PAGE_BYTES;

		if (pread(s->fd, bytes, sizeof(bytes), at) !=
			(ssize_t)sizeof(bytes) ||
		    !agent_page_read(bytes, &p) || p.number % s->pages != i)
			continue;
		s->slots[i] = (struct slot){ p.number, p.first, p.n };
		s->end = MAX(s->end, p.first + p.n);
		if (p.number > s->head.number)
			s->head = p;
	}
}

/* The slot with that result, or the next one there is. */
static struct slot *
find(struct spool *s, uint64_t result)
{
	struct slot *best = NULL;

	for (unsigned i = 0; i < s->pages; i++) {
		struct slot *t = &s->slots[i];

		if (t->number > 0 && t->first + t->n > result &&
		    (best == NULL || t->first < best->first))
			best = t;
	}
	return best;
}

/* What was given up before the process ended. */
static void
skip_lost(struct spool *s)
{
	const struct slot *t = find(s, s->sent);

	if (t == NULL || t->first <= s->sent)
		return;
	s->lost += t->first - s->sent;
	s->sent = t->first;
}

int
spool_open(const char *path, unsigned pages, struct spool **ret)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct spool *s;
	int r;

	if (fd < 0)
		return -errno;
	r = history_allocate(fd, (size_t)(1 + pages) * AGENT_PAGE_BYTES);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	s = X_NEW(struct spool);
	s->fd = fd;
	s->pages = pages;
	s->slots = x_calloc(pages, sizeof(*s->slots));
	read_sent(s);
	read_pages(s);
	skip_lost(s);
	/* A page is of one process: the next result begins another one. */
	s->head.n = 0;
	s->head.used = AGENT_PAGE_BYTES;
	*ret = s;
	return 0;
}

void
spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	write_sent(s);
	(void)close(s->fd);
	free(s->slots);
	free(s);
}

/* --- writing ------------------------------------------------------------------------- */

/* What the slot held was not sent: it is given up. */
static void
give_up(struct spool *s, const struct slot *old)
{
	uint64_t after = old->first + old->n;

	if (old->number == 0 || after <= s->sent)
		return;
	s->lost += after - MAX(old->first, s->sent);
	s->sent = after;
}

static void
begin_page(struct spool *s, const struct agent_kept *k, uint64_t boot,
    uint64_t wall_ms)
{
	struct slot *slot;

	s->head = (struct agent_page){ .number = s->head.number + 1,
		.first = s->end,
		.boot = boot,
		.base_ms = k->ended_ms,
		.wall_ms = wall_ms };
	slot = slot_of(s, s->head.number);
	give_up(s, slot);
	*slot = (struct slot){ s->head.number, s->end, 0 };
	agent_page_init(s->bytes, &s->head);
}

void
spool_put(struct spool *s, const struct agent_kept *k, uint64_t boot,
    uint64_t wall_ms)
{
	bool is_fresh = s->head.boot == boot && s->head.used == 0 &&
	                k->ended_ms >= s->head.base_ms;

	if (!is_fresh || !agent_page_add(s->bytes, k)) {
		begin_page(s, k, boot, wall_ms);
		if (!agent_page_add(s->bytes, k))
			return;
	}
	slot_of(s, s->head.number)->n++;
	s->end++;
	(void)!pwrite(
	    s->fd, s->bytes, sizeof(s->bytes), place_of(s, s->head.number));
}

/* --- reading ------------------------------------------------------------------------- */

uint64_t
spool_first(const struct spool *s)
{
	return s->sent;
}

uint64_t
spool_end(const struct spool *s)
{
	return s->end;
}

uint64_t
spool_lost(const struct spool *s)
{
	return s->lost;
}

void
spool_sent(struct spool *s, uint64_t before)
{
	if (before <= s->sent)
		return;
	s->sent = MIN(before, s->end);
	write_sent(s);
}

/* False: fn wants no more. */
static bool
read_page(
    struct spool *s, struct slot *t, spool_fn fn, void *arg, uint64_t *next)
{
	uint8_t bytes[AGENT_PAGE_BYTES];
	struct agent_page p;
	struct agent_kept k;
	size_t at = 0;

	if (pread(s->fd, bytes, sizeof(bytes), place_of(s, t->number)) !=
		(ssize_t)sizeof(bytes) ||
	    !agent_page_read(bytes, &p) || p.number != t->number) {
		/* It was there when the file was opened. */
		s->lost += t->first + t->n - *next;
		*next = t->first + t->n;
		t->number = 0;
		return true;
	}
	for (uint64_t i = p.first; agent_page_next(bytes, &p, &at, &k); i++) {
		if (i < *next)
			continue;
		if (!fn(arg, &p, &k))
			return false;
		*next = i + 1;
	}
	return true;
}

uint64_t
spool_read(struct spool *s, spool_fn fn, void *arg)
{
	uint64_t next = s->sent;
	struct slot *t;

	while ((t = find(s, next)) != NULL) {
		next = MAX(next, t->first);
		if (!read_page(s, t, fn, arg, &next))
			break;
	}
	return next;
}
