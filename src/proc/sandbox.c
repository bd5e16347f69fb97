/* SPDX-License-Identifier: ISC */
/*
 * sandbox.c - the steps of giving up privileges, in the one order that works.
 *
 * Limits first (lowering needs no privilege but file limits may rise once),
 * then the user, then no_new_privs, which the unprivileged Landlock and
 * seccomp need, and seccomp last, because it forbids all of the above.
 */
#include "proc/sandbox_internal.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
limit(int resource, uint64_t n)
{
	struct rlimit l = { .rlim_cur = n, .rlim_max = n };
	struct rlimit have;

	if (setrlimit((__rlimit_resource_t)resource, &l) == 0)
		return 0;
	/* Not ours to raise: take what there is. */
	if (errno != EPERM ||
	    getrlimit((__rlimit_resource_t)resource, &have) < 0)
		return -errno;
	have.rlim_cur = MIN(n, have.rlim_max);
	have.rlim_max = have.rlim_cur;
	return setrlimit((__rlimit_resource_t)resource, &have) < 0 ? -errno : 0;
}

static int
apply_limits(const struct sandbox *sb)
{
	/* A core file of a mail server is other people's mail. */
	int r = limit(RLIMIT_CORE, 0);

	if (r == 0 && sb->max_files)
		r = limit(RLIMIT_NOFILE, sb->max_files);
	/* Sanitizers reserve terabytes of address space as data. */
	if (r == 0 && sb->max_memory && !SANDBOX_IS_RELAXED)
		r = limit(RLIMIT_DATA, sb->max_memory);
	/* Processes of the same user cannot trace each other either. */
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		r = -errno;
	return r;
}

static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

/* Needs CAP_SETPCAP; without it nothing could be regained anyway, because of
 * no_new_privs. */
static void
drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap);
}

static int
become_user(const char *name)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL)
		return errno ? -errno : -ENOENT;
	if (pw->pw_uid == 0)
		return -EINVAL;
	if (setgroups(0, NULL) < 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return -errno;
	/* It must not be possible to come back. */
	ASSERT(setuid(0) < 0 && geteuid() == pw->pw_uid);
	return 0;
}

static int
drop_privileges(const struct sandbox *sb)
{
	int r = 0;

	if (geteuid() == 0) {
		drop_bounding_set();
		if (sb->user != NULL && sb->user[0] != '\0')
			r = become_user(sb->user);
	}
	if (r == 0)
		r = drop_capabilities();
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	/* Changing the user made it dumpable again or not, by sysctl. */
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		r = -errno;
	return r;
}

static void
note(struct sandbox_state *state, const char *what)
{
	size_t n = strlen(state->note);

	(void)snprintf(state->note + n, sizeof(state->note) - n, "%s%s",
	    n ? "; " : "", what);
}

int
sandbox_apply(const struct sandbox *sb, struct sandbox_state *ret)
{
	struct sandbox_state state = { 0 };
	int r;

	ASSERT(sb->path_count <= ARRAY_LEN(sb->paths));
	r = apply_limits(sb);
	if (r == 0)
		r = drop_privileges(sb);
	if (r < 0)
		return r;
	state.no_new_privs = true;
	state.uid = geteuid();
	if (state.uid == 0)
		note(&state, "runs as root, without capabilities");
	if (SANDBOX_IS_RELAXED)
		note(&state, "sanitizer build: relaxed seccomp and Landlock");

	state.landlock_abi = sandbox_landlock(sb);
	if (state.landlock_abi < 0)
		return state.landlock_abi;
	if (state.landlock_abi == 0)
		note(&state, "kernel without Landlock");

	r = sandbox_seccomp(sb->needs);
	if (r < 0 && r != -ENOSYS)
		return r;
	state.has_seccomp = r == 0;
	if (r < 0)
		note(&state, "kernel without seccomp filters");
	*ret = state;
	return 0;
}
