/* SPDX-License-Identifier: ISC */
/* cells.h - what the files of counts below DATA/watch have in common. */
#pragma once

#include "base/base.h"

#include <sys/types.h>

/* A descriptor to read and write by place, made when it is not there; -1 and errno. */
int cells_open(const char *dir, const char *name) WARN_UNUSED;
/* All of it, or -errno: a full disk is an error, and never a signal. */
int cells_write(int fd, const uint8_t *p, size_t n, off_t at) WARN_UNUSED;
