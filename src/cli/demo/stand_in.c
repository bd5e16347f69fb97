/* SPDX-License-Identifier: ISC */
/* stand_in.c - the process of the stand-ins. See stand_in.h. */
#include "cli/demo/stand_in.h"
#include "proc/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_MAX 128
#define END_MS    5000
#define OK        "ok\n"

struct stand_in {
	pid_t pid;
	int process; /* by which it is ended; below 0: there is none of this kind */
	int link; /* to it: a byte that says "begin", and what it says then */
};

/* --- the process ----------------------------------------------------------------------- */

/* Nothing of the terminal but its errors. */
static void
close_standard(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	(void)close(null);
}

static void
say(int link, const char *text)
{
	(void)!send(link, text, strlen(text), MSG_NOSIGNAL);
}

static void
confine(int link)
{
	struct sandbox sb = { .needs = SANDBOX_ACCEPT,
		.user = getpwnam("nobody") != NULL ? "nobody" : NULL,
		.max_files = FILES_MAX };
	struct sandbox_state state;
	int r = sandbox_apply(&sb, &state);

	if (r == 0)
		return;
	say(link, "the demo's name servers cannot give up their rights\n");
	_exit(1);
}

NORETURN static void
be_stand_in(uint32_t first_port, int link)
{
	struct stand_in_ports *ports;
	char *error = NULL, go;

	close_standard();
	/* The end of the link is the end of the demo, at any time. */
	if (recv(link, &go, 1, 0) != 1)
		_exit(0);
	ports = stand_in_open(first_port, &error);
	if (ports == NULL) {
		say(link, error);
		_exit(1);
	}
	confine(link);
	say(link, OK);
	stand_in_serve(ports, link);
}

/* --- who made it ------------------------------------------------------------------------ */

struct stand_in *
stand_in_new(uint32_t first_port)
{
	struct stand_in *s;
	pid_t pid;
	int link[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		(void)close(link[0]);
		be_stand_in(first_port, link[1]);
	}
	(void)close(link[1]);
	if (pid < 0) {
		(void)close(link[0]);
		return NULL;
	}
	s = X_NEW(struct stand_in);
	s->pid = pid;
	s->process = pidfd_open(pid, 0);
	s->link = link[0];
	return s;
}

bool
stand_in_start(struct stand_in *s)
{
	char text[400] = "";
	size_t at = 0;
	ssize_t n;

	(void)!send(s->link, "", 1, MSG_NOSIGNAL);
	while (at + 1 < sizeof(text) && memchr(text, '\n', at) == NULL &&
	       (n = recv(s->link, text + at, sizeof(text) - 1 - at, 0)) > 0)
		at += (size_t)n;
	if (strcmp(text, OK) == 0)
		return true;
	fprintf(stderr, "mailstead: %s",
	    at > 0 ? text : "the demo's name servers do not start\n");
	return false;
}

void
stand_in_free(struct stand_in *s)
{
	struct pollfd p = { .fd = s->process, .events = POLLIN };

	closep(&s->link);
	/* By number it might be another one: the supervisor reaps all that ends. */
	if (s->process >= 0 &&
	    pidfd_send_signal(s->process, SIGKILL, NULL, 0) == 0)
		(void)poll(&p, 1, END_MS);
	(void)waitpid(s->pid, NULL, WNOHANG);
	closep(&s->process);
	free(s);
}
