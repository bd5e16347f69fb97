/* SPDX-License-Identifier: ISC */
/*
 * sandbox_test.c - each profile, applied for real in a child: what must fail
 * fails or kills, what must work works.
 */
#include "../test.h"
#include "proc/sandbox_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

static char folder[] = "/tmp/mailstead-sandbox-XXXXXX";

/* What a deed may answer; anything above is the deed's own errno. */
enum { WORKED = 0, NOT_APPLIED = 250 };

typedef int (*deed_fn)(void);

static int
result(long r)
{
	return r < 0 ? errno : WORKED;
}

static int
open_passwd(void)
{
	return result(open("/etc/passwd", O_RDONLY));
}

static int
make_socket(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int
make_netlink(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
trace_parent(void)
{
	return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int
run_shell(void)
{
	return result(execl("/bin/true", "true", (char *)NULL));
}

static int
fork_child(void)
{
	return result(syscall(SYS_fork));
}

static int
kill_parent(void)
{
	return result(kill(getppid(), 0));
}

static int
map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : WORKED;
}

static int
change_user(void)
{
	return result(syscall(SYS_setuid, 0));
}

static int
use_memory(void)
{
	char *p = malloc(MIB(4));

	if (p == NULL)
		return errno;
	memset(p, 1, MIB(4));
	free(p);
	return WORKED;
}

static int
use_pair(void)
{
	/* Made before, used now: see in_sandbox(). */
	return result(send(25, "x", 1, 0)) || result(write(2, "", 0));
}

static int
make_memfd(void)
{
	int fd = memfd_create("x", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return errno;
	return result(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
}

static void *
thread_main(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static int
make_thread(void)
{
	pthread_t t;
	int ran = 0, r = pthread_create(&t, NULL, thread_main, &ran);

	if (r != 0)
		return r;
	pthread_join(t, NULL);
	return ran ? WORKED : EIO;
}

static int
write_inside(void)
{
	char path[256], other[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) < 0 ||
	    rename(path, other) < 0 || unlink(other) < 0)
		return errno;
	return result(close(fd));
}

static int
write_outside(void)
{
	return result(open("/tmp/mailstead-outside", O_RDWR | O_CREAT, 0600));
}

static int
escape_upwards(void)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/../../etc/passwd", folder);
	return result(open(path, O_RDONLY));
}

static int
accept_one(void)
{
	int fd = accept4(26, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* Nobody called; that is not the sandbox's answer. */
	return fd < 0 && errno != EAGAIN ? errno : WORKED;
}

static int
bind_to(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	/* Descriptor 27: a TCP socket made before. */
	return result(bind(27, (struct sockaddr *)&a, sizeof(a)));
}

static int
connect_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int r = result(connect(27, (struct sockaddr *)&a, sizeof(a)));

	return r == ECONNREFUSED ? WORKED : r;
}

static int
open_many(void)
{
	int fd = -1;

	for (int i = 0; i < 200; i++)
		fd = dup(2);
	return result(fd);
}

static int
child(unsigned needs, deed_fn deed)
{
	struct sandbox sb = { .needs = needs,
		.max_files = 100,
		.paths = { { folder, true } },
		.path_count = needs & SANDBOX_FILES ? 1 : 0 };
	struct sandbox_state state;

	if (sandbox_apply(&sb, &state) < 0 || !state.has_seccomp ||
	    !state.no_new_privs || state.uid != geteuid())
		return NOT_APPLIED;
	return deed();
}

/* The exit status of a child that does the deed in the sandbox, or 1000 plus
 * the signal that ended it. */
static int
in_sandbox(unsigned needs, deed_fn deed)
{
	int pair[2], status;
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0) {
		int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
		       listen(l, 1) == 0);
		ASSERT(dup2(l, 26) == 26 && dup2(pair[0], 25) == 25);
		ASSERT(dup2(socket(AF_INET, SOCK_STREAM, 0), 27) == 27);
		syscall(SYS_exit_group, child(needs, deed));
	}
	ASSERT(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status)
	                           : WEXITSTATUS(status);
}

#define KILLED (1000 + SIGSYS)

/* clang-format off */
static const struct {
	const char *name;
	unsigned needs;
	deed_fn deed;
	int want;
} cases[] = {
	{ "memory",                0,                use_memory,     WORKED },
	{ "open sockets",          0,                use_pair,       WORKED },
	{ "no files",              0,                open_passwd,    ENOENT },
	{ "no sockets",            0,                make_socket,    KILLED },
	{ "no tracing",            0,                trace_parent,   KILLED },
	{ "no programs",           0,                run_shell,      KILLED },
	{ "no processes",          0,                fork_child,     KILLED },
	{ "no signals",            0,                kill_parent,    KILLED },
	{ "no new code",           0,                map_code,       KILLED },
	{ "no other user",         0,                change_user,    KILLED },
	{ "no memory files",       0,                make_memfd,     KILLED },
	{ "no threads",            0,                make_thread,    KILLED },
	{ "no accepting",          0,                accept_one,     KILLED },
	{ "limited descriptors",   0,                open_many,      EMFILE },
	{ "accepting",             SANDBOX_ACCEPT,   accept_one,     WORKED },
	{ "fronts: no files",      SANDBOX_ACCEPT,   open_passwd,    ENOENT },
	{ "fronts: no sockets",    SANDBOX_ACCEPT,   make_socket,    KILLED },
	{ "fronts: no programs",   SANDBOX_ACCEPT,   run_shell,      KILLED },
	{ "memory files",          SANDBOX_MEMFD,    make_memfd,     WORKED },
	{ "threads",               SANDBOX_THREADS,  make_thread,    WORKED },
	{ "threads: no processes", SANDBOX_THREADS,  fork_child,     KILLED },
	{ "its folder",            SANDBOX_FILES,    write_inside,   WORKED },
	{ "no other folder",       SANDBOX_FILES,    write_outside,  EACCES },
	{ "no other file",         SANDBOX_FILES,    open_passwd,    EACCES },
	{ "no way upwards",        SANDBOX_FILES,    escape_upwards, EACCES },
	{ "files: no sockets",     SANDBOX_FILES,    make_socket,    KILLED },
	{ "files: no programs",    SANDBOX_FILES,    run_shell,      KILLED },
	{ "sockets",               SANDBOX_CONNECT,  make_socket,    WORKED },
	{ "sockets: no netlink",   SANDBOX_CONNECT,  make_netlink,   KILLED },
	{ "connecting",            SANDBOX_CONNECT,  connect_port,   WORKED },
};
/* clang-format on */

TEST(each_profile_allows_what_it_says_and_nothing_else)
{
	/* Sanitizers need calls that the table says are deadly. */
	if (SANDBOX_IS_RELAXED)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char what[128];
		int got = in_sandbox(cases[i].needs, cases[i].deed);

		(void)snprintf(what, sizeof(what), "%s: got %d, want %d",
		    cases[i].name, got, cases[i].want);
		CHECK(got == cases[i].want, what);
	}
}

TEST(builds_with_sanitizers_have_a_sandbox_too)
{
	CHECK(in_sandbox(SANDBOX_ACCEPT, use_memory) == WORKED, "memory");
	CHECK(in_sandbox(SANDBOX_ACCEPT, make_socket) == KILLED, "socket");
	CHECK(in_sandbox(SANDBOX_FILES, run_shell) == KILLED, "program");
	CHECK(in_sandbox(SANDBOX_FILES, change_user) == KILLED, "user");
	CHECK(in_sandbox(SANDBOX_FILES, write_inside) == WORKED, "inside");
	CHECK(in_sandbox(SANDBOX_FILES, write_outside) == EACCES, "outside");
	CHECK(in_sandbox(SANDBOX_FILES, open_passwd) == EACCES, "passwd");
}

static int
ports_by_landlock(void)
{
	int r = bind_to(1025);

	/* seccomp lets the call through, Landlock has no rule for the port. */
	if (r != EACCES)
		return 100 + r;
	/* Whoever connects may choose the address that it comes from. */
	return bind_to(0);
}

TEST(no_port_can_be_bound_even_with_sockets)
{
	struct sandbox none = { 0 };
	int abi;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		abi = sandbox_landlock(&none);
		_exit(abi < 0 ? 0 : abi);
	}
	ASSERT(waitpid(pid, &status, 0) == pid);
	if (geteuid() != 0 || WEXITSTATUS(status) < 4)
		skip();
	CHECK(in_sandbox(SANDBOX_CONNECT, ports_by_landlock) == WORKED,
	    "bind refused");
}

static int
uid_is_nobody(void)
{
	if (getuid() != 65534 || geteuid() != 65534 || getgid() != 65534)
		return 1;
	return WORKED;
}

static int
become_nobody(void)
{
	struct sandbox sb = { .user = "nobody" };
	struct sandbox_state state;

	if (sandbox_apply(&sb, &state) < 0 || state.uid != 65534)
		return NOT_APPLIED;
	return uid_is_nobody();
}

TEST(root_becomes_the_user_of_the_configuration)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		syscall(SYS_exit_group, become_nobody());
	ASSERT(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == WORKED, "nobody");
}

static int
unknown_user(void)
{
	struct sandbox sb = { .user = "no-such-user-here" };
	struct sandbox_state state;

	return sandbox_apply(&sb, &state) < 0 ? WORKED : 1;
}

TEST(an_unknown_user_is_an_error_not_root)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(unknown_user());
	ASSERT(waitpid(pid, &status, 0) == pid);
	CHECK(WEXITSTATUS(status) == WORKED, "refused");
}

static int
make_folder(UNUSED void **state)
{
	return mkdtemp(folder) == NULL;
}

static int
remove_folder(UNUSED void **state)
{
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(each_profile_allows_what_it_says_and_nothing_else),
		UNIT(builds_with_sanitizers_have_a_sandbox_too),
		UNIT(no_port_can_be_bound_even_with_sockets),
		UNIT(root_becomes_the_user_of_the_configuration),
		UNIT(an_unknown_user_is_an_error_not_root),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
