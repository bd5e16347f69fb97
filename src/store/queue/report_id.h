/* SPDX-License-Identifier: ISC */
/*
 * report_id.h - the trace id of a report to a sender, which role send makes from what it is
 * about (send/report/report.c): message "." recipient, a letter, eight digits. Pure.
 */
#pragma once

#include "base/str.h"

/* The number of the message that it is about; false: it is no such id. */
bool report_id_read(struct str id, uint64_t *ret_message) WARN_UNUSED;
