/* SPDX-License-Identifier: ISC */
/* copy_send.c - rsync as a process of its own. See copy_send.h. */
#include "cli/copy/copy_send.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS 20000000
#define SSH     "ssh -oBatchMode=yes -oConnectTimeout=15"

/* --- names ------------------------------------------------------------------------------ */

static int
by_name(const void *pa, const void *pb)
{
	return strcmp(*(char *const *)pa, *(char *const *)pb);
}

static void
add_names(struct copy_names *to, const struct copy_names *names)
{
	size_t n = 0;

	for (size_t i = 0; i < names->n; i++) {
		to->v = x_grow(to->v, &to->cap, to->n + 1, sizeof(*to->v));
		to->v[to->n++] = x_strdup(names->v[i]);
	}
	if (to->n > 0)
		qsort(to->v, to->n, sizeof(*to->v), by_name);
	for (size_t i = 0; i < to->n; i++) {
		if (n > 0 && strcmp(to->v[n - 1], to->v[i]) == 0)
			free(to->v[i]);
		else
			to->v[n++] = to->v[i];
	}
	to->n = n;
}

static void
clear_names(struct copy_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	names->n = 0;
}

void
copy_send_note(struct copy_send *s, const struct copy_names *names)
{
	for (size_t i = 0; i < s->n; i++)
		add_names(&s->remotes[i].due, names);
}

void
copy_send_done(struct copy_send *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->remotes[i].target);
		clear_names(&s->remotes[i].due);
		free(s->remotes[i].due.v);
	}
	free(s->remotes);
	s->remotes = NULL;
	s->n = 0;
}

/* --- the process ------------------------------------------------------------------------ */

/* Names, each with a NUL behind it, in a file that nobody else has. */
static int
list_of(const struct copy_names *names)
{
	char path[] = "/tmp/mailstead-names-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0)
		return -errno;
	unlink(path);
	for (size_t i = 0; i < names->n; i++) {
		size_t n = strlen(names->v[i]) + 1;

		if (write(fd, names->v[i], n) != (ssize_t)n) {
			close(fd);
			return -EIO;
		}
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* In the child; never comes back when it fails. */
static void
become(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	if (pw == NULL || initgroups(user, pw->pw_gid) < 0 ||
	    setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0) {
		fprintf(stderr, "mailstead: cannot become the user %s\n", user);
		_exit(126);
	}
	setenv("HOME", pw->pw_dir, 1);
}

static void
run_child(const struct copy_send *s, const struct copy_remote *r, int list)
{
	char *from = x_asprintf("%s/", s->folder);
	const char *args[] = { "rsync", "-rlt", "--chmod=D755,F644",
		"--delay-updates", "--delete-missing-args", "--from0",
		"--files-from=-", "--timeout=30", "--", from, r->target, NULL };

	/* Unless somebody has another program in its place. */
	setenv("RSYNC_RSH", SSH, 0);
	if (dup2(list, STDIN_FILENO) < 0)
		_exit(126);
	if (s->user != NULL)
		become(s->user);
	signal(SIGPIPE, SIG_DFL);
	/* exec changes none of them. */
	execvp("rsync", (char *const *)(uintptr_t)args);
	fprintf(stderr, "mailstead: cannot run rsync: %s: install it\n",
	    strerror(errno));
	_exit(127);
}

static bool
start(const struct copy_send *s, struct copy_remote *r)
{
	CLEANUP(closep) int list = list_of(&r->due);
	pid_t pid;

	if (list < 0)
		return false;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_child(s, r, list);
	r->pid = pid > 0 ? (int)pid : 0;
	return pid > 0;
}

/* Wait for one until the time is over, then end it. Did it go well? */
static bool
finish(struct copy_remote *r, const struct timespec *until)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct timespec now;
	pid_t pid = r->pid;
	int status;

	r->pid = 0;
	for (;;) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		if (done < 0 && errno != EINTR)
			return false;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= until->tv_sec)
			break;
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return false;
}

static void
tell(struct copy_send *s, struct copy_remote *r, bool ok)
{
	if (ok == !r->is_failing)
		return;
	r->is_failing = !ok;
	if (ok)
		fprintf(
		    stderr, "mailstead: %s has the copy again\n", r->target);
	else
		(void)admin_error(s->a, ADMIN_TEMPFAIL,
		    "%s does not have the copy: rsync failed; it is tried "
		    "again with the next one",
		    r->target);
}

size_t
copy_send_all(struct copy_send *s, uint32_t within_s)
{
	struct timespec until;
	size_t failed = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)within_s;
	for (size_t i = 0; i < s->n; i++)
		if (s->remotes[i].due.n > 0)
			(void)start(s, &s->remotes[i]);
	for (size_t i = 0; i < s->n; i++) {
		struct copy_remote *r = &s->remotes[i];
		bool ok;

		if (r->due.n == 0)
			continue;
		ok = r->pid > 0 && finish(r, &until);
		if (ok)
			clear_names(&r->due);
		failed += !ok;
		tell(s, r, ok);
	}
	return failed;
}
