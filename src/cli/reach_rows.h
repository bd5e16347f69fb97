/* SPDX-License-Identifier: ISC */
/* reach_rows.h - what the watcher counted by network, for two commands. */
#pragma once

#include "cli/admin.h"
#include "proto/reach/reach_judge.h"
#include "proto/reach/reach_net.h"

struct reach_query {
	struct str network; /* in the form of reach_net_format(); "": all */
	uint8_t service;    /* 255: all */
	uint64_t from, to;
	uint32_t step_s; /* 0: one piece */
};

typedef void (*reach_row_fn)(void *arg, const struct msg_reach_row *row);
typedef void (*reach_tls_fn)(void *arg, const struct msg_reach_tls_row *row);
typedef void (*reach_signal_fn)(
    void *arg, const struct msg_reach_signal *signal);
/* fn for each; what is in a row lives during the call. An exit code. */
int reach_rows_each(
    struct admin *a, const struct reach_query *q, reach_row_fn fn, void *arg);
int reach_tls_each(
    struct admin *a, const struct reach_query *q, reach_tls_fn fn, void *arg);
int reach_signals_each(struct admin *a, reach_signal_fn fn, void *arg);

/* A network as on the command line, in its one form. Prints an error. */
bool reach_network_arg(
    struct admin *a, const char *s, char ret[REACH_NET_TEXT]);
const char *reach_service_text(uint8_t service);
bool reach_service_arg(struct admin *a, const char *s, uint8_t *ret);
/* Up to now; since: as args_time(). At most eight days back. */
bool reach_range_arg(struct admin *a, const char *since, struct reach_query *q);
