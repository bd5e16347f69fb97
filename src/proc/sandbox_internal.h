/* SPDX-License-Identifier: ISC */
/* sandbox_internal.h - the parts of sandbox.c. */
#pragma once

#include "proc/sandbox.h"

/* Sanitizers make system calls of their own, and read /proc. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_IS_RELAXED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_IS_RELAXED 1
#endif
#endif
#ifndef SANDBOX_IS_RELAXED
#define SANDBOX_IS_RELAXED 0
#endif

/* The ABI that is in force, 0 when the kernel has none, or -errno. */
int sandbox_landlock(const struct sandbox *sb);
/* 0, -ENOSYS when the kernel has none, or -errno. */
int sandbox_seccomp(unsigned needs);
