/* SPDX-License-Identifier: ISC */
/*
 * watch_rows.h - what the commands about watching share: systems and checks as
 * rows, and the states that the watcher tells.
 */
#pragma once

#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "proto/status/status_check.h"
#include "proto/status/status_systems.h"
#include "proto/watch/watch_state.h"

/* What 'watch agent' takes (cmd_watch_agent.c). */
#define WATCH_AGENT_ADD \
	"watch agent add NAME network=LABEL [place=TEXT] [--for TIME] " \
	"[--json]"
#define WATCH_AGENT_LIST   "watch agent list [--json]"
#define WATCH_AGENT_SHOW   "watch agent show NAME [--json]"
#define WATCH_AGENT_REMOVE "watch agent remove NAME [--json]"

/* Of uptime and coverage, unless said otherwise. */
#define WATCH_ROWS_RANGE_S (90U * 86400)

/* A system and its row, whose bytes the strings point into. */
struct watch_system {
	struct buf row;
	struct status_system s;
};
void watch_system_done(struct watch_system *s);
/* Exit codes; prints what is wrong. */
int watch_system_get(
    struct admin *a, const char *id, struct watch_system *ret) WARN_UNUSED;
int watch_system_put(
    struct admin *a, const struct status_system *s) WARN_UNUSED;

/* All systems, read once; they live as long as a. Exit codes likewise. */
int watch_systems_read(
    struct admin *a, const struct status_systems **ret) WARN_UNUSED;

/* Is there an agent with that name, which was not removed? Likewise. */
int watch_agent_have(struct admin *a, struct str name) WARN_UNUSED;

/* SYSTEM/CHECK as typed, as a key. False after an error was printed. */
bool watch_check_key(struct admin *a, const char *s, struct buf *ret);
int watch_fault(struct admin *a, const struct status_fault *f);
/* The same of what does not fit what there is. */
int watch_misfit(struct admin *a, const struct status_fault *f);

/* Each check whose key begins with prefix, as the watcher knows it. */
typedef void (*watch_row_fn)(void *arg, const struct msg_watch_row *row);
int watch_rows_each(struct admin *a, struct str prefix, uint32_t range_s,
    watch_row_fn fn, void *arg) WARN_UNUSED;

/* The fields "status" and "flags", the second for JSON alone. */
#define WATCH_ROW_STATE_FIELDS \
	{ "status", "STATUS", OUTPUT_TEXT }, \
	{ \
		"flags", NULL, OUTPUT_LIST \
	}
/* Both of them: a word (enum watch_status), and words of what else there is to say;
 * people read "down, planned work". */
void watch_row_put_state(struct output *o, const struct msg_watch_row *row);
/* A list of msg_watch_stage, a text each: "submit 12.3 ms", "hop mx.example.org 2 s". */
void watch_put_stages(struct output *o, struct str stages);
/* A word of a status. */
struct str watch_status_word(uint8_t status);
