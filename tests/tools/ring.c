/* SPDX-License-Identifier: ISC */
/*
 * ring.c - write a history of 90 days, for tests and pictures of the site:
 *
 *	ring FILE NOW DAYS REPLY_US [down|degraded|planned|gap:AGO_S:LENGTH_S]...
 *
 * Up all the time but where the last words say so; replies that get slower and
 * faster with the hour of the day. The same words give the same file.
 */
#include "proto/watch/watch_ring.h"

#include <stdio.h>

#define STEP_S 300
#define DAY_S  UINT64_C(86400)

static const char *const names[] = { "up", "degraded", "down", "planned",
	"gap" };

struct part {
	unsigned what;
	uint64_t from, to;
};

static uint64_t
number(struct str s)
{
	uint64_t v;

	if (!str_to_u64(s, UINT64_MAX, &v))
		die("no number: %.*s", STR_ARG(s));
	return v;
}

static struct part
parse(const char *text, uint64_t now)
{
	struct str what, ago, rest = str_split(str_c(text), ':', &what);
	struct part p = { 0 };

	rest = str_split(rest, ':', &ago);
	while (p.what < ARRAY_LEN(names) && !str_eq(what, str_c(names[p.what])))
		p.what++;
	if (p.what == ARRAY_LEN(names))
		die("no such state: %s", text);
	p.from = now - number(ago);
	p.to = MIN(p.from + number(rest), now);
	return p;
}

static unsigned
what_is(const struct part *parts, size_t n, uint64_t t)
{
	for (size_t i = 0; i < n; i++)
		if (t >= parts[i].from && t < parts[i].to)
			return parts[i].what;
	return WATCH_SECOND_UP;
}

/* Without a clock or a source of chance: the same each time. */
static uint32_t
reply_us(uint64_t t, uint32_t usual, uint32_t *seed)
{
	uint64_t hour = t / 3600 % 24;
	uint32_t busy = (uint32_t)(hour < 12 ? hour : 24 - hour);

	*seed = *seed * 1103515245 + 12345;
	return usual + usual * busy / 30 + usual * (*seed >> 16 & 0xFF) / 700 +
	       ((*seed >> 8 & 0x3F) == 0 ? usual : 0);
}

static void
fill(struct watch_ring *ring, uint64_t from, uint64_t now, uint32_t usual,
    const struct part *parts, size_t n)
{
	uint32_t seed = usual;

	for (uint64_t t = from; t < now; t += 60) {
		unsigned what = what_is(parts, n, t);

		if (what == WATCH_CLASSES)
			continue;
		watch_ring_spend(ring, (enum watch_class)what, t, t + 60);
		if (t % STEP_S == 0)
			watch_ring_sample(ring, t, reply_us(t, usual, &seed),
			    what == WATCH_SECOND_DOWN);
	}
}

int
main(int argc, char **argv)
{
	static uint8_t bytes[WATCH_RING_BYTES];
	struct watch_ring ring;
	struct part parts[64];
	uint64_t now, days;
	FILE *f;

	if (argc < 5 || argc > 5 + (int)ARRAY_LEN(parts))
		die("usage: ring FILE NOW DAYS REPLY_US [STATE:AGO:LENGTH]...");
	now = number(str_c(argv[2])) / 60 * 60;
	days = number(str_c(argv[3]));
	for (int i = 5; i < argc; i++)
		parts[i - 5] = parse(argv[i], now);
	(void)watch_ring_open(&ring, bytes);
	fill(&ring, (now - days * DAY_S) / 60 * 60, now,
	    (uint32_t)number(str_c(argv[4])), parts, (size_t)argc - 5);
	f = fopen(argv[1], "wb");
	if (f == NULL || fwrite(bytes, 1, sizeof(bytes), f) != sizeof(bytes) ||
	    fclose(f) != 0)
		die("%s: cannot be written", argv[1]);
	return 0;
}
