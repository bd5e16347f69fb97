/* SPDX-License-Identifier: ISC */
/*
 * probe.h - ask one system one question, once, on new connections.
 *
 * A probe ends with exactly one report, within the check's time-out. What the
 * other side says is hostile: it is cut, its control characters are replaced,
 * and it goes to the operator only.
 */
#pragma once

#include "base/buf.h"
#include "proc/ipc_msgs.h"
#include "proto/status/status_check.h"
#include "proto/watch/watch_state.h"

#define PROBE_TEXT_MAX     200
#define PROBE_STAGES_MAX   24
#define PROBE_HOST_MAX     63
#define PROBE_DIALOGUE_MAX KIB(32)
#define PROBE_NO_DAYS      UINT16_MAX

struct server;
struct probe;

struct probe_stage {
	const char *name;              /* static */
	char host[PROBE_HOST_MAX + 1]; /* of a hop, cut; else empty */
	enum watch_stage_how how;
	uint64_t us;
};

struct probe_report {
	enum watch_outcome outcome;
	enum watch_cause cause;
	uint32_t us;      /* until the answer that counts */
	const char *text; /* one line, for the operator */
	uint16_t days;    /* left of the certificate, or PROBE_NO_DAYS */
	const struct probe_stage *stages;
	size_t n_stages;
};

/* Runs once, from the loop; the report is valid during the call. */
typedef void (*probe_fn)(void *arg, const struct probe_report *r);

/* check lives until then. dialogue: NULL, or what was said is appended. */
struct probe *probe_start(struct server *sv, const struct status_check *check,
    struct buf *dialogue, probe_fn fn, void *arg);
/* fn will not run, and nothing that was lent is used any more. */
void probe_cancel(struct probe *p);

/* Stages as a list of msg_watch_stage. */
void probe_put_stages(
    const struct probe_stage *stages, size_t n, struct buf *to);
