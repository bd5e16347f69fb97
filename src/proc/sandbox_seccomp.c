/* SPDX-License-Identifier: ISC */
/*
 * sandbox_seccomp.c - which system calls a role can make. The one wrapper of
 * libseccomp.
 *
 * An allow-list: anything else ends the process with SIGSYS, which `mailstead
 * status` shows. Only looking for files gets an error instead where a role has
 * none: libraries look for files of their own at odd times (settings, time
 * zones) and go on without them.
 */
#include "proc/sandbox_internal.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL(name) SCMP_SYS(name)

/* clang-format off */
static const int base_calls[] = {
	/* descriptors that are already open */
	CALL(read), CALL(readv), CALL(pread64), CALL(preadv), CALL(preadv2),
	CALL(write), CALL(writev), CALL(pwrite64), CALL(pwritev),
	CALL(close), CALL(close_range), CALL(lseek), CALL(fstat), CALL(dup),
	CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6),
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2),
	CALL(epoll_ctl), CALL(epoll_create1), CALL(eventfd2), CALL(pipe2),
	CALL(timerfd_create), CALL(timerfd_settime),
	CALL(sendto), CALL(recvfrom), CALL(sendmsg), CALL(recvmsg),
	CALL(shutdown), CALL(getsockopt), CALL(getsockname),
	/* memory */
	CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(mlock),
	CALL(mlock2), CALL(munlock),
	/* time, random numbers, and who we are */
	CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep),
	CALL(nanosleep), CALL(gettimeofday), CALL(time), CALL(getrandom),
	CALL(getpid), CALL(gettid), CALL(getppid), CALL(getuid),
	CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getrusage),
	CALL(times), CALL(sysinfo), CALL(uname), CALL(getcpu),
	/* threads' locks, signals, the end */
	CALL(futex), CALL(sched_yield), CALL(sched_getaffinity),
	CALL(membarrier), CALL(rseq), CALL(set_robust_list),
	CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn),
	CALL(sigaltstack), CALL(restart_syscall), CALL(exit),
	CALL(exit_group),
};

static const int accept_calls[] = {
	CALL(accept), CALL(accept4), CALL(getpeername), CALL(setsockopt),
};

static const int memfd_calls[] = {
	CALL(memfd_create), CALL(ftruncate), CALL(fallocate), CALL(sendfile),
	CALL(splice), CALL(copy_file_range),
};

/* By path only below what Landlock lets through. */
static const int file_calls[] = {
	CALL(openat), CALL(open), CALL(mkdir), CALL(mkdirat), CALL(rmdir),
	CALL(unlink), CALL(unlinkat), CALL(rename), CALL(renameat),
	CALL(renameat2), CALL(link), CALL(linkat), CALL(newfstatat),
	CALL(stat), CALL(lstat), CALL(statx), CALL(statfs), CALL(fstatfs),
	CALL(access), CALL(faccessat), CALL(faccessat2), CALL(readlink),
	CALL(readlinkat), CALL(getdents64), CALL(getcwd),
	CALL(fdatasync), CALL(fsync), CALL(sync_file_range), CALL(msync),
	CALL(fallocate), CALL(ftruncate), CALL(fadvise64), CALL(readahead),
	CALL(flock), CALL(fchmod), CALL(pwritev2), CALL(copy_file_range),
	CALL(sendfile), CALL(utimensat), CALL(umask),
};

/* Looking for files, in a role that has none: no such file. */
static const int lookup_calls[] = {
	CALL(openat), CALL(open), CALL(stat), CALL(lstat), CALL(statx),
	CALL(newfstatat), CALL(access), CALL(faccessat), CALL(faccessat2),
	CALL(readlink), CALL(readlinkat), CALL(getcwd),
};

static const int connect_calls[] = {
	CALL(connect), CALL(getpeername), CALL(setsockopt), CALL(bind),
	CALL(pipe), CALL(socketpair), /* within libunbound */
};

/* Of sanitizers: symbols of reports, the leak check at the end. */
static const int relaxed_calls[] = {
	CALL(openat), CALL(readlink), CALL(stat), CALL(newfstatat),
	CALL(mmap), CALL(mprotect), CALL(prctl), CALL(ioctl), CALL(clone),
	CALL(wait4), CALL(ptrace), CALL(sched_getparam), CALL(getdents64),
	CALL(sched_getscheduler), CALL(prlimit64), CALL(arch_prctl),
	CALL(process_vm_readv),
};
/* clang-format on */

static int
allow_list(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);

		/* Not every architecture has every call. */
		if (r < 0 && r != -EDOM && r != -EEXIST)
			return r;
	}
	return 0;
}

#define ALLOW(ctx, list) allow_list((ctx), (list), ARRAY_LEN(list))

static int
allow_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp cmp)
{
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &cmp);
}

static struct scmp_arg_cmp
argument(unsigned n, enum scmp_compare op, scmp_datum_t a, scmp_datum_t b)
{
	return (struct scmp_arg_cmp){
		.arg = n, .op = op, .datum_a = a, .datum_b = b
	};
}

#define EQ(n, value) argument((n), SCMP_CMP_EQ, (scmp_datum_t)(value), 0)
#define NE(n, value) argument((n), SCMP_CMP_NE, (scmp_datum_t)(value), 0)
#define BITS(n, mask, expected) \
	argument((n), SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), \
	    (scmp_datum_t)(expected))

/* Calls that are harmless with some arguments only. */
static int
allow_base_arguments(scmp_filter_ctx ctx)
{
	static const int fcntls[] = { F_GETFL, F_SETFL, F_GETFD, F_SETFD,
		F_DUPFD_CLOEXEC, F_GET_SEALS };
	/* TCGETS: whether standard error is a terminal. */
	static const unsigned ioctls[] = { FIONREAD, FIONBIO, TCGETS };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(fcntls); i++)
		r |= allow_if(ctx, CALL(fcntl), EQ(1, fcntls[i]));
	for (size_t i = 0; i < ARRAY_LEN(ioctls); i++)
		r |= allow_if(ctx, CALL(ioctl), EQ(1, ioctls[i]));
	/* No new code, ever. */
	r |= allow_if(ctx, CALL(mmap), BITS(2, PROT_EXEC, 0));
	r |= allow_if(ctx, CALL(mprotect), BITS(2, PROT_EXEC, 0));
	/* abort() and assertions; nobody else can be signalled. */
	r |= allow_if(ctx, CALL(tgkill), EQ(0, getpid()));
	r |= allow_if(ctx, CALL(prctl), EQ(0, PR_SET_NAME));
	/* Reading limits, of this process. */
	r |= seccomp_rule_add(
	    ctx, SCMP_ACT_ALLOW, CALL(prlimit64), 2, EQ(0, 0), EQ(2, 0));
	return r;
}

static int
allow_threads(scmp_filter_ctx ctx)
{
	const scmp_datum_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
	int r = allow_if(ctx, CALL(clone), BITS(0, thread, thread));

	/* Its flags are in memory, where a filter cannot look: glibc falls
	 * back to clone. */
	r |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
	/* A thread may make itself less important. */
	r |= allow_if(ctx, CALL(setpriority), EQ(0, PRIO_PROCESS));
	return r;
}

static int
allow_files(scmp_filter_ctx ctx)
{
	static const int fcntls[] = { F_SETLK, F_SETLKW, F_GETLK, F_OFD_SETLK,
		F_OFD_SETLKW, F_OFD_GETLK };
	int r = ALLOW(ctx, file_calls);

	for (size_t i = 0; i < ARRAY_LEN(fcntls); i++)
		r |= allow_if(ctx, CALL(fcntl), EQ(1, fcntls[i]));
	return r;
}

static int
refuse_lookups(scmp_filter_ctx ctx)
{
	/* fstat() of the C library. It looks at a descriptor, not a path. */
	int r = allow_if(ctx, CALL(newfstatat), EQ(3, AT_EMPTY_PATH));

	for (size_t i = 0; i < ARRAY_LEN(lookup_calls); i++) {
		if (lookup_calls[i] == CALL(newfstatat))
			r |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOENT),
			    CALL(newfstatat), 1, NE(3, AT_EMPTY_PATH));
		else
			r |= seccomp_rule_add(
			    ctx, SCMP_ACT_ERRNO(ENOENT), lookup_calls[i], 0);
	}
	return r;
}

static int
allow_connect(scmp_filter_ctx ctx)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
	int r = ALLOW(ctx, connect_calls);

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		r |= allow_if(ctx, CALL(socket), EQ(0, families[i]));
	return r;
}

static int
fill(scmp_filter_ctx ctx, unsigned needs)
{
	int r = seccomp_attr_set(
	    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (SANDBOX_IS_RELAXED)
		r |= ALLOW(ctx, relaxed_calls);
	else if (!(needs & SANDBOX_FILES))
		r |= refuse_lookups(ctx);
	r |= ALLOW(ctx, base_calls);
	if (!SANDBOX_IS_RELAXED)
		r |= allow_base_arguments(ctx);
	else
		r |= allow_if(ctx, CALL(tgkill), EQ(0, getpid())) |
		     seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(fcntl), 0);
	if (needs & SANDBOX_ACCEPT)
		r |= ALLOW(ctx, accept_calls);
	if (needs & SANDBOX_MEMFD) {
		r |= ALLOW(ctx, memfd_calls);
		if (!SANDBOX_IS_RELAXED)
			r |= allow_if(ctx, CALL(fcntl), EQ(1, F_ADD_SEALS));
	}
	if ((needs & SANDBOX_THREADS) && !SANDBOX_IS_RELAXED)
		r |= allow_threads(ctx);
	if (needs & SANDBOX_THREADS && SANDBOX_IS_RELAXED)
		r |= seccomp_rule_add(
		    ctx, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
	if (needs & SANDBOX_FILES)
		r |= SANDBOX_IS_RELAXED ? ALLOW(ctx, file_calls)
		                        : allow_files(ctx);
	if (needs & SANDBOX_CONNECT)
		r |= allow_connect(ctx);
	return r;
}

int
sandbox_seccomp(unsigned needs)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (ctx == NULL)
		return -ENOSYS;
	r = fill(ctx, needs);
	/* A rule that cannot be built is a bug, not a missing feature. */
	r = r != 0 ? -EINVAL : seccomp_load(ctx);
	seccomp_release(ctx);
	if (r == -ECANCELED)
		return -ENOSYS;
	return r;
}
