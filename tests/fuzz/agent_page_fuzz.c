/* SPDX-License-Identifier: ISC */
/*
 * LINK: agent
 *
 * The input as a page (with its checksum mended, or nothing would get past
 * it), and as results that are put into one. Properties: of a page that is
 * sane every result can be read, and is within its limits; what was put
 * reads back.
 */
#include "base/hash.h"
#include "proto/agent/agent_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD     56
#define CHECK_AT 48

static void
read_all(const uint8_t *bytes)
{
	struct agent_page p;
	struct agent_kept k;
	size_t at = 0, n = 0;

	if (!agent_page_read(bytes, &p))
		return;
	while (agent_page_next(bytes, &p, &at, &k)) {
		ASSERT(k.key.n > 0 && k.key.n <= AGENT_KEPT_KEY_MAX);
		ASSERT(k.text.n <= AGENT_KEPT_TEXT_MAX);
		ASSERT(k.ended_ms >= p.base_ms);
		n++;
	}
	ASSERT(n == p.n);
}

static void
lie(const uint8_t *data, size_t size)
{
	uint8_t bytes[AGENT_PAGE_BYTES] = { 0 };
	uint64_t sum;

	memcpy(bytes, data, MIN(size, sizeof(bytes)));
	sum = hash64_seed(
	    bytes + HEAD, sizeof(bytes) - HEAD, hash64(bytes, CHECK_AT));
	for (unsigned i = 0; i < 8; i++)
		bytes[CHECK_AT + i] = (uint8_t)(sum >> (8 * i));
	read_all(bytes);
}

static void
write_and_read(struct str in)
{
	struct agent_page p = { .number = 1, .first = 1, .base_ms = 5 };
	uint8_t bytes[AGENT_PAGE_BYTES];
	unsigned n = 0;

	agent_page_init(bytes, &p);
	while (in.n > 8) {
		struct agent_kept k = { .ended_ms = 5 + (uint8_t)in.p[0],
			.took_ms = (uint8_t)in.p[1] * 65535u,
			.outcome = (uint8_t)in.p[2],
			.us = (uint8_t)in.p[3] * 70000u };
		size_t key = 1 + (uint8_t)in.p[4] % AGENT_KEPT_KEY_MAX;
		size_t text = (uint8_t)in.p[5];

		in = str_from(in, 6);
		k.key = str_first(in, key);
		in = str_from(in, k.key.n);
		k.text = str_first(in, text);
		in = str_from(in, k.text.n);
		if (k.key.n == 0 || !agent_page_add(bytes, &k))
			break;
		n++;
	}
	ASSERT(agent_page_read(bytes, &p) && p.n == n);
	read_all(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'w')
		write_and_read(str_make(data + 1, size - 1));
	else
		lie(data, size);
	return 0;
}
