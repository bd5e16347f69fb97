/* SPDX-License-Identifier: ISC */
/*
 * runtime_test.c - a role's process from start to end, with this test as its
 * supervisor: real fork, real sandbox.
 */
#include "../test.h"
#include "base/log.h"
#include "base/metrics.h"
#include "proc/ipc_io.h"
#include "proc/runtime.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the role: counts RCPT_CHECK, answers with the snapshot's first byte ------- */

struct role_state {
	struct runtime *rt;
	char first;
};

static int
on_prepare(void *arg, struct runtime *rt, struct str snapshot)
{
	struct role_state *s = arg;

	s->rt = rt;
	s->first = snapshot.n ? snapshot.p[0] : '?';
	/* 'x': a configuration that this role cannot live with. */
	return s->first == 'x' ? -EINVAL : 0;
}

static void
on_sandbox(UNUSED void *arg, struct sandbox *sb)
{
	sb->needs = SANDBOX_BASE;
}

static void
on_config(void *arg, struct str snapshot)
{
	struct role_state *s = arg;

	s->first = snapshot.p[0];
}

static void
on_stop(void *arg)
{
	struct role_state *s = arg;

	runtime_quit(s->rt);
}

static void
role_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct role_state *s = arg;
	struct ipc_return r = ipc_return_new(p, m);

	metric_add(M_DELIVERIES, 1);
	ipc_reply(&r, str_make(&s->first, 1), -1);
}

static int
role_run(int fd)
{
	static const struct ipc_handlers ipc = { .message = role_message };
	static const struct runtime_role role = {
		.role = ROLE_STORE,
		.prepare = on_prepare,
		.sandbox = on_sandbox,
		.config = on_config,
		.stop = on_stop,
		.ipc = &ipc,
	};
	struct role_state s = { 0 };

	if (dup2(fd, 3) < 0)
		return 99;
	close_range(4, ~0U, 0);
	return runtime_main(&role, &s);
}

/* --- the supervisor's end --------------------------------------------------------- */

struct sup {
	struct loop *loop;
	struct ipc_peer *role, *front;
	struct metrics_page *page;
	int page_fd;
	pid_t pid;
	struct msg_ctl_ready ready;
	unsigned ready_count, closed;
	char reply;
	enum outcome outcome;
};

static void
sup_message(void *arg, UNUSED struct ipc_peer *p, struct ipc_msg *m)
{
	struct sup *s = arg;

	if (m->type == MSG_CTL_READY && msg_ctl_ready_get(m->body, &s->ready))
		s->ready_count++;
	loop_stop(s->loop);
}

static void
sup_closed(void *arg, UNUSED struct ipc_peer *p)
{
	struct sup *s = arg;

	s->closed++;
	loop_stop(s->loop);
}

static const struct ipc_handlers handlers = { sup_message, sup_closed };

static void
send_config(struct sup *s, const char *text)
{
	struct msg_ctl_config c = {
		.size = strlen(text), .worker = 42, .log_level = LOG_LEVEL_ERROR
	};
	struct buf b = BUF_INIT(KIB(1));
	int fd = memfd_create("config", MFD_CLOEXEC);

	ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	msg_ctl_config_put(&b, &c);
	ipc_notify(s->role, MSG_CTL_CONFIG, 0, buf_str(&b), fd);
	buf_done(&b);
}

static void
send_page(struct sup *s)
{
	struct msg_ctl_metrics m = { .size = sizeof(struct metrics_page) };
	struct buf b = BUF_INIT(KIB(1));

	s->page_fd = memfd_create("metrics", MFD_CLOEXEC);
	ASSERT(ftruncate(s->page_fd, sizeof(*s->page)) == 0);
	s->page =
	    mmap(NULL, sizeof(*s->page), PROT_READ, MAP_SHARED, s->page_fd, 0);
	ASSERT(s->page != MAP_FAILED);
	msg_ctl_metrics_put(&b, &m);
	ipc_notify(s->role, MSG_CTL_METRICS, 0, buf_str(&b), dup(s->page_fd));
	buf_done(&b);
}

static void
send_peer(struct sup *s)
{
	struct msg_ctl_peer m = { .role = ROLE_SMTP, .worker = 5 };
	struct ipc_config config = { .loop = s->loop,
		.self = ROLE_SMTP,
		.other = ROLE_STORE,
		.handlers = &handlers,
		.arg = s };
	struct buf b = BUF_INIT(KIB(1));
	int fd[2];

	ASSERT(ipc_io_pair(fd) == 0);
	config.fd = fd[0];
	s->front = ipc_peer_ref(ipc_peer_new(&config));
	msg_ctl_peer_put(&b, &m);
	ipc_notify(s->role, MSG_CTL_PEER, 0, buf_str(&b), fd[1]);
	buf_done(&b);
}

static void
sup_start(struct sup *s, const char *config_text)
{
	struct ipc_config config = { .self = ROLE_SUPERVISOR,
		.other = ROLE_STORE,
		.handlers = &handlers,
		.arg = s };
	int fd[2];

	*s = (struct sup){ .loop = loop_new() };
	ASSERT(ipc_io_pair(fd) == 0);
	s->pid = fork();
	ASSERT(s->pid >= 0);
	if (s->pid == 0)
		_exit(role_run(fd[1]));
	close(fd[1]);
	config.fd = fd[0];
	config.loop = s->loop;
	s->role = ipc_peer_ref(ipc_peer_new(&config));
	send_config(s, config_text);
	send_page(s);
	loop_run(s->loop);
}

/* The exit status of the role, after everything is cleaned up. */
static int
sup_end(struct sup *s)
{
	int status;

	ASSERT(waitpid(s->pid, &status, 0) == s->pid);
	ipc_peer_close(s->role);
	if (s->front != NULL)
		ipc_peer_close(s->front);
	while (s->closed < (s->front ? 2U : 1U))
		loop_run(s->loop);
	ipc_peer_unref(s->role);
	ipc_peer_unref(s->front);
	(void)munmap(s->page, sizeof(*s->page));
	close(s->page_fd);
	loop_free(s->loop);
	return WIFEXITED(status) ? WEXITSTATUS(status)
	                         : 1000 + WTERMSIG(status);
}

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct sup *s = arg;

	s->outcome = m->outcome;
	s->reply = m->body.n ? m->body.p[0] : '?';
	loop_stop(s->loop);
}

static char
ask(struct sup *s)
{
	ipc_request(s->front, MSG_RCPT_CHECK, 1, STR("x"), -1, on_reply, s);
	loop_run(s->loop);
	return s->reply;
}

TEST(a_role_starts_serves_takes_a_configuration_and_stops)
{
	struct sup s;

	sup_start(&s, "first");
	CHECK(s.ready_count == 1, "ready");
	CHECK(s.ready.has_seccomp && s.ready.no_new_privs, "sandbox");
	CHECK(s.ready.uid == geteuid(), "user");
	send_peer(&s);
	CHECK(ask(&s) == 'f' && s.outcome == DONE, "first configuration");
	send_config(&s, "second");
	/* Two connections have no order between them. */
	for (int i = 0; i < 100 && ask(&s) != 's'; i++)
		usleep(1000);
	CHECK(s.reply == 's', "second configuration");
	CHECK(s.page->values[M_DELIVERIES] >= 2, "metrics page");
	CHECK(s.page->events[EV_PROC_READY] == 1, "events too");
	ipc_notify(s.role, MSG_CTL_STOP, 0, STR_NONE, -1);
	loop_run(s.loop);
	CHECK(sup_end(&s) == 0, "clean end");
}

TEST(a_role_that_cannot_prepare_ends_with_an_error)
{
	struct sup s;

	sup_start(&s, "x");
	CHECK(s.ready_count == 0 && s.closed == 1, "never ready");
	CHECK(sup_end(&s) == 1, "exit status");
}

TEST(a_role_without_its_supervisor_stops)
{
	struct sup s;

	sup_start(&s, "first");
	CHECK(s.ready_count == 1, "ready");
	ipc_peer_close(s.role);
	CHECK(sup_end(&s) == 0, "by itself");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(a_role_starts_serves_takes_a_configuration_and_stops),
		UNIT(a_role_that_cannot_prepare_ends_with_an_error),
		UNIT(a_role_without_its_supervisor_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
