/* SPDX-License-Identifier: ISC */
/* admin_test.c - errors of commands. */
#include "../test.h"
#include "cli/admin.h"
#include "proc/ipc_frame.h"
#include "proc/ipc_io.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often one of these texts, each ended by a NUL, is printed. */
static size_t
lines_of(struct admin *a, const char *texts)
{
	char said[1000] = "";
	FILE *was = stderr, *f = fmemopen(said, sizeof(said), "w");
	size_t n = 0;

	assert_non_null(f);
	stderr = f;
	for (; *texts; texts += strlen(texts) + 1)
		(void)admin_error(a, ADMIN_TEMPFAIL, "%s", texts);
	fclose(f);
	stderr = was;
	for (const char *p = said; *p; p++)
		n += *p == '\n';
	return n;
}

TEST(who_goes_on_trying_says_an_error_once)
{
	struct admin a = { 0 };

	assert_int_equal(lines_of(&a, "a\0a\0a\0"), 3);
	a = (struct admin){ .says_changes = true };
	assert_int_equal(lines_of(&a, "a\0a\0a\0"), 1);
	assert_int_equal(lines_of(&a, "a\0b\0b\0a\0"), 2);
	a.said = 0; /* it went well meanwhile */
	assert_int_equal(lines_of(&a, "a\0"), 1);
}

/* --- processes that do not answer ------------------------------------------------- */

/* A supervisor that takes one client, in a child process. */
struct silent {
	char dir[32];
	struct sockaddr_un addr;
	pid_t pid;
};

/* What a supervisor answers who wants to talk to the store. */
static void
lend(int client, int fd)
{
	const struct msg_cli_connect_reply reply = { .version = STR(VERSION),
		.layout = ipc_layout() };
	struct buf body = BUF_INIT(KIB(1)), b = BUF_INIT(KIB(2));
	struct ipc_frame f = { .type = MSG_CLI_CONNECT,
		.is_reply = true,
		.has_fd = true,
		.outcome = DONE,
		.id = 1 };

	msg_cli_connect_reply_put(&body, &reply);
	f.body = buf_str(&body);
	ipc_frame_header(&f, buf_reserve(&b, IPC_HEADER_BYTES));
	b.n += IPC_HEADER_BYTES;
	buf_put_str(&b, f.body);
	if (ipc_io_send(client, b.p, b.n, fd) != (ssize_t)b.n)
		_exit(1);
}

static void
silent_start(struct silent *s, bool is_store)
{
	int fd, pair[2];

	*s = (struct silent){ .dir = "/tmp/admin_test.XXXXXX",
		.addr.sun_family = AF_UNIX };
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->addr.sun_path, sizeof(s->addr.sun_path), "%s/s", s->dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (void *)&s->addr, sizeof(s->addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(ipc_io_pair(pair), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		int client = accept(fd, NULL, NULL);

		if (is_store)
			lend(client, pair[1]);
		for (;;)
			pause();
	}
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

static void
silent_end(struct silent *s)
{
	kill(s->pid, SIGKILL);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
	unlink(s->addr.sun_path);
	rmdir(s->dir);
}

/* What is printed when something is asked. */
static void
ask(struct admin *a, enum msg_type type, char *said, size_t size)
{
	struct buf reply = BUF_INIT(KIB(64));
	FILE *was = stderr, *f = fmemopen(said, size, "w");

	assert_non_null(f);
	stderr = f;
	CHECK(admin_do(a, type, STR(""), "x", &reply) == ADMIN_TEMPFAIL,
	    "temporary");
	fclose(f);
	stderr = was;
	CHECK(a->store == NULL, "no connection that could be used again");
	buf_done(&reply);
}

TEST(who_does_not_answer_is_named)
{
	static const struct {
		bool is_store; /* it is the store that hangs */
		enum msg_type type;
		const char *says;
		bool is_question;
	} cases[] = {
		{ true, MSG_STORE_SYNC, "process store has not answered",
		    false },
		{ true, MSG_QUEUE_LIST, "process store has not answered",
		    true },
		{ false, MSG_STORE_SYNC, "process supervisor has not answered",
		    true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char said[1000] = "";
		struct silent s;
		struct admin a = { .control = s.addr.sun_path };

		silent_start(&s, cases[i].is_store);
		if (cases[i].is_store)
			assert_int_equal(admin_connect(&a), ADMIN_OK);
		a.patience_ms = 30;
		ask(&a, cases[i].type, said, sizeof(said));
		CHECK(strstr(said, cases[i].says) != NULL, said);
		CHECK(strstr(said, "log") != NULL, said);
		/* What changes nothing is not done by half. */
		CHECK((strstr(said, "done or not") == NULL) ==
			  cases[i].is_question,
		    said);
		silent_end(&s);
	}
}

TEST_MAIN(UNIT(who_goes_on_trying_says_an_error_once),
    UNIT(who_does_not_answer_is_named))
