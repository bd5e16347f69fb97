/* SPDX-License-Identifier: ISC */
/*
 * cmd_demo.c - `mailstead demo DIR`: a whole mail service on loopback.
 *
 * This process becomes the supervisor, so that signals and the exit status
 * need no forwarding. Beside it a guide waits for the supervisor's "ready"
 * (its standard output is a pipe to the guide), makes the accounts through
 * the control socket like any administrator, tries the ports, says what to
 * try, prints "ready" itself, and goes away. A third process stands in for what a
 * provider has beside mail (stand_in.h).
 */
#include "cli/demo/demo.h"
#include "cli/demo/stand_in.h"
#include "supervisor/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PORTS      10000 /* 10025, 10143, ... */
#define READY_LINE "ready\n"
#define START_MS   30000

enum wait { WAIT_READY, WAIT_ENDED, WAIT_TOO_LONG };

/* The supervisor writes its line at once; what ends without it is its life. */
static enum wait
wait_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[sizeof(READY_LINE)] = "";
	ssize_t n;
	int r;

	do
		r = poll(&p, 1, START_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return WAIT_TOO_LONG;
	n = read(fd, text, sizeof(text) - 1);
	return n > 0 && strcmp(text, READY_LINE) == 0 ? WAIT_READY : WAIT_ENDED;
}

static bool
guide(struct admin *a, const struct demo *d, struct stand_in *s, int ready_fd)
{
	struct conf *c = NULL;
	char *error = NULL;
	bool is_ok;

	switch (wait_ready(ready_fd)) {
	case WAIT_READY:
		break;
	case WAIT_ENDED: /* it has said why */
		return true;
	case WAIT_TOO_LONG:
		fputs("mailstead: a process does not start; the reason stands "
		      "above. Stopping.\n",
		    stderr);
		return false;
	}
	if (conf_load(d->conf_path, &c, &error) < 0) {
		fprintf(stderr, "mailstead: %s", error);
		free(error);
		return false;
	}
	a->control = d->control;
	is_ok = stand_in_start(s) && demo_make_accounts(a, d) == ADMIN_OK &&
	        demo_ports_answer(c);
	if (is_ok) {
		demo_tell(d, c);
		fputs(READY_LINE, stdout);
		fflush(stdout);
	}
	conf_free(c);
	return is_ok;
}

NORETURN static void
be_guide(struct admin *a, const struct demo *d, struct stand_in *s,
    int ready_fd, bool *has_failed)
{
	/* The supervisor has what it needs; nobody is left to be guided. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!guide(a, d, s, ready_fd)) {
		*has_failed = true;
		(void)kill(getppid(), SIGTERM);
	}
	admin_done(a);
	_exit(0);
}

static int
run(struct admin *a, const struct demo *d)
{
	bool *has_failed = mmap(NULL, sizeof(*has_failed),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct stand_in *s;
	int ready[2], status;
	pid_t pid;

	fflush(stdout);
	s = stand_in_new(d->ports);
	if (s == NULL || has_failed == MAP_FAILED || pipe(ready) < 0)
		return admin_error(
		    a, ADMIN_TEMPFAIL, "cannot start: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		(void)close(ready[1]);
		be_guide(a, d, s, ready[0], has_failed);
	}
	if (pid < 0 || dup2(ready[1], STDOUT_FILENO) < 0)
		return admin_error(
		    a, ADMIN_TEMPFAIL, "cannot start: %s", strerror(errno));
	(void)close(ready[0]);
	(void)close(ready[1]);
	status = supervisor_run(d->conf_path);
	stand_in_free(s);
	if (*has_failed)
		status = ADMIN_REFUSED;
	(void)munmap(has_failed, sizeof(*has_failed));
	return status;
}

int
cmd_demo(struct admin *a, int argc, char **argv)
{
	const char *ports = NULL;
	struct demo d = { .ports = PORTS };
	struct arg_option options[] = {
		{ "--ports", &ports, NULL },
		{ "--posts", &d.archive, NULL },
	};
	struct args args = { .options = options,
		.n_options = ARRAY_LEN(options) };
	int r;

	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	if (args.n_words != 1)
		return admin_usage(a, NULL);
	d.has_ports = ports != NULL;
	if (ports && !str_to_u32(str_c(ports), DEMO_PORTS_MAX, &d.ports))
		return admin_usage(a, "--ports needs a number up to 64000");
	r = demo_make_files(a, &d, args.words[0]);
	if (r == ADMIN_OK)
		r = run(a, &d);
	demo_done(&d);
	return r;
}
