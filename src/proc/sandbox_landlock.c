/* SPDX-License-Identifier: ISC */
/*
 * sandbox_landlock.c - which files, ports and processes a role can reach.
 *
 * By system call, with our own copy of the kernel's interface: the headers of
 * Debian 12 know the first version only, kernels have had seven since. Each
 * version adds rights that can be taken away; we take all that it knows.
 */
#include "proc/sandbox_internal.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH      1
#define RULE_NET_PORT          2

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port {
	uint64_t allowed, port;
};

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_REFER = 1 << 13,     /* version 2 */
	FS_TRUNCATE = 1 << 14,  /* version 3 */
	FS_IOCTL_DEV = 1 << 15, /* version 5 */
	FS_VERSION_1 = (1 << 13) - 1,

	NET_BIND_TCP = 1 << 0, /* version 4 */
	NET_CONNECT_TCP = 1 << 1,

	SCOPE_ABSTRACT_UNIX = 1 << 0, /* version 6 */
	SCOPE_SIGNAL = 1 << 1,
};

#define READ_RIGHTS (FS_READ_FILE | FS_READ_DIR)
#define WRITE_RIGHTS \
	(FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | \
	    FS_MAKE_REG | FS_REFER | FS_TRUNCATE)
/* Those that make sense for a file; the kernel refuses the others on one. */
#define FILE_RIGHTS (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE)

/* What can be taken away, by version; *ret_size is what the kernel reads. */
static struct ruleset_attr
handled(int abi, const struct sandbox *sb, size_t *ret_size)
{
	struct ruleset_attr a = { .fs = FS_VERSION_1 };

	*ret_size = sizeof(a.fs);
	if (abi >= 2)
		a.fs |= FS_REFER;
	if (abi >= 3)
		a.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		a.net = NET_BIND_TCP;
		if (!(sb->needs & SANDBOX_CONNECT))
			a.net |= NET_CONNECT_TCP;
		*ret_size = offsetof(struct ruleset_attr, scoped);
	}
	if (abi >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
		*ret_size = sizeof(a);
	}
	return a;
}

static int
add_path(int ruleset, const struct sandbox_path *p, uint64_t fs_handled)
{
	struct path_beneath rule = { .allowed = READ_RIGHTS };
	CLEANUP(closep) int fd = open(p->path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (p->is_writable)
		rule.allowed |= WRITE_RIGHTS;
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= FILE_RIGHTS;
	rule.allowed &= fs_handled;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule,
		0) < 0)
		return -errno;
	return 0;
}

/* Connections may come from a certain address, whatever their port: bind() with
 * port 0. No port can be taken by that. */
static int
add_any_port(int ruleset)
{
	const struct net_port rule = { .allowed = NET_BIND_TCP, .port = 0 };

	return syscall(
		   SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0
	           ? -errno
	           : 0;
}

int
sandbox_landlock(const struct sandbox *sb)
{
	int abi = (int)syscall(
	    SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	CLEANUP(closep) int ruleset = -1;
	struct ruleset_attr attr;
	size_t size;
	int r;

	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	attr = handled(abi, sb, &size);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; i < sb->path_count; i++) {
		r = add_path(ruleset, &sb->paths[i], attr.fs);
		if (r < 0)
			return r;
	}
	if (attr.net != 0 && (sb->needs & SANDBOX_CONNECT)) {
		r = add_any_port(ruleset);
		if (r < 0)
			return r;
	}
	if (SANDBOX_IS_RELAXED) {
		const struct sandbox_path proc = { "/proc", false };

		r = add_path(ruleset, &proc, attr.fs);
		if (r < 0)
			return r;
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return -errno;
	return abi;
}
