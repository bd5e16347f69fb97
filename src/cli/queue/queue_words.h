/* SPDX-License-Identifier: ISC */
/*
 * queue_words.h - what queue and trace share: names of states and events, and
 * the lives of messages as the store tells them.
 */
#pragma once

#include "cli/admin.h"

/* Of enum queue_show. */
const char *queue_state_name(unsigned state);
bool queue_state_from_name(const char *name, uint8_t *ret) WARN_UNUSED;
/* What limits of an account hold: count it, change it. Exit codes. */
int queue_count_held(
    struct admin *a, uint64_t account, uint64_t *ret) WARN_UNUSED;
int queue_change_held(struct admin *a, uint64_t account,
    enum queue_action action, uint64_t *ret) WARN_UNUSED;
/* Of enum queue_state and enum queue_history, as an event. */
const char *queue_event_name(unsigned state);

/*
 * Ask for the lives that an id or address leads to, and print them: rows of
 * JSON or text. *ret_found counts them. An exit code.
 */
int queue_print_trace(
    struct admin *a, struct str text, uint64_t *ret_found) WARN_UNUSED;
