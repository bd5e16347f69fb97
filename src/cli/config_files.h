/* SPDX-License-Identifier: ISC */
/*
 * config_files.h - files that the configuration names, looked at before a
 * process starts with them.
 */
#pragma once

#include "base/buf.h"
#include "conf/conf.h"

/* The whole of a file into *to, whose limit counts; false: errno. */
bool config_file_read(const char *path, struct buf *to) WARN_UNUSED;

/*
 * Tables that have an error, or cannot be read: role send would not start.
 * Their errors as lines into *ret_error; true: there are none. What is
 * missing and only weakens the server is told on standard error.
 */
bool config_files_check(const struct conf *c, struct buf *ret_error);
