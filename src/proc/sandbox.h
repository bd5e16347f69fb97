/* SPDX-License-Identifier: ISC */
/*
 * sandbox.h - give up, for good, what a role does not need.
 *
 * The one wrapper of libseccomp; Landlock by system call; capabilities by
 * system call. A role fills in a struct sandbox, as data; applying it cannot be
 * undone. What the kernel does not offer is reported, never ignored silently.
 */
#pragma once

#include "base/base.h"

enum sandbox_need {
	SANDBOX_BASE = 0,        /* memory, clocks, epoll, read/write, send/recv
	                           * on descriptors it has, futex, exit */
	SANDBOX_ACCEPT = 1 << 0, /* accept4, getpeername, setsockopt: fronts */
	SANDBOX_MEMFD = 1 << 1, /* memfd_create, fcntl seals, ftruncate, mmap */
	SANDBOX_THREADS = 1 << 2, /* clone for threads, set_robust_list, ... */
	SANDBOX_FILES = 1 << 3,   /* openat, pread/pwrite, fdatasync, fallocate,
	                           * rename, unlink: below the Landlock paths */
	SANDBOX_CONNECT =
	    1 << 4, /* socket, connect, from an address of its own */
};

struct sandbox_path {
	const char *path;
	bool is_writable;
};

struct sandbox {
	unsigned needs;               /* SANDBOX_* bits */
	struct sandbox_path paths[8]; /* what stays visible; rest: nothing */
	size_t path_count;
	const char *user;    /* become this user when root; NULL: the
	                      * one that the supervisor names */
	uint64_t max_files;  /* RLIMIT_NOFILE; 0: as it is */
	uint64_t max_memory; /* RLIMIT_DATA in bytes; 0: as it is */
};

struct sandbox_state {
	bool has_seccomp, no_new_privs;
	int landlock_abi; /* 0: not available */
	uint32_t uid;
	char note[128]; /* what is missing, in words; empty: nothing */
};

/*
 * Any system call outside of the needs ends the process with SIGSYS; only
 * looking for files is answered ENOENT in a role without SANDBOX_FILES. A
 * writable path can be read too. After it, threads may be created (with
 * SANDBOX_THREADS), not before.
 */
/* 0, or -errno when a step that the kernel offers failed (then the process
 * must not go on). */
int sandbox_apply(
    const struct sandbox *sb, struct sandbox_state *ret) WARN_UNUSED;
