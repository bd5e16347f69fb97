/* SPDX-License-Identifier: ISC */
/*
 * agent_page.h - results that an agent keeps until its master has them, in pages
 * of 4096 bytes.
 *
 * Each page stands for itself: it says its number, the number of its first
 * result, by which clock its times are, and has a checksum. So pages may be
 * written, lost or torn in any order, and what can still be read is true.
 *
 * Times are of a clock that runs while the machine sleeps and begins anew with each
 * start of the machine (boot says which); base_ms is such a time, and wall_ms
 * is what the master's wall clock showed then, as far as the agent knew.
 *
 * A page: magic "ma", version u8, a zero, bytes used u16, results u16, then
 * number, first, boot, base_ms, wall_ms, checksum (u64 each), results.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/wire.h"

#define AGENT_PAGE_BYTES   4096
#define AGENT_PAGE_VERSION 1

struct agent_page {
	uint64_t number; /* 1, 2, ... for ever */
	uint64_t first;  /* the number of its first result, likewise */
	uint64_t boot;
	uint64_t base_ms;
	uint64_t wall_ms;
	uint16_t n; /* results in it */
	uint16_t used;
};

struct agent_kept {
	struct str key;    /* at most AGENT_KEPT_KEY_MAX bytes */
	uint64_t ended_ms; /* not before base_ms */
	uint32_t took_ms;
	uint8_t outcome, cause;
	uint32_t us;
	uint16_t days;
	struct str text; /* cut at AGENT_KEPT_TEXT_MAX bytes */
};
#define AGENT_KEPT_KEY_MAX  81
#define AGENT_KEPT_TEXT_MAX 120

/* bytes are always AGENT_PAGE_BYTES. An empty page; n and used count for
 * nothing. */
void agent_page_init(uint8_t *bytes, const struct agent_page *p);
/* False: it is full. */
bool agent_page_add(uint8_t *bytes, const struct agent_kept *k) WARN_UNUSED;
/* False: it is no page, or was not written as a whole. */
bool agent_page_read(const uint8_t *bytes, struct agent_page *ret) WARN_UNUSED;
/* The results of a page that was read, one by one: *at is 0 at first. False:
 * that was the last one. */
bool agent_page_next(const uint8_t *bytes, const struct agent_page *p,
    size_t *at, struct agent_kept *ret) WARN_UNUSED;
