/* SPDX-License-Identifier: ISC */
/*
 * arrival.h - how a message came, for the store's notes (`mailstead trace`).
 */
#pragma once

#include "smtp/session.h"

/* Of results of the checks, as many bytes are told; longer ones lose their end. */
#define ARRIVAL_RESULTS_MAX 600

/* Appends an encoded msg_arrival of the session's message. */
void arrival_put(struct buf *b, const struct session *s);
