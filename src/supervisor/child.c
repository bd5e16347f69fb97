/* SPDX-License-Identifier: ISC */
/*
 * child.c - one process: spawn it, hear that it is ready, start it again.
 *
 * fork and exec, so that each process has its own address layout and inherits
 * nothing but standard error, the control connection (descriptor 3) and a few
 * environment variables. A process that ended after a good while is started
 * again at once; one that ends quickly again and again, after a growing pause.
 */
#include "proc/ipc_io.h"
#include "proc/runtime.h"
#include "supervisor/internal.h"
#include "supervisor/notify.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_FD 3

/* Who starts the supervisor decides about these; nothing else is inherited. */
static const char *const kept_variables[] = { "TZ", "LANG", "ASAN_OPTIONS",
	"UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_PRELOAD", "SLOWFLUSH_US" };

static void
make_metrics(struct child *c)
{
	c->metrics_fd =
	    memfd_create("metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (c->metrics_fd < 0 ||
	    ftruncate(c->metrics_fd, sizeof(struct metrics_page)) < 0 ||
	    fcntl(c->metrics_fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		die("metrics page: %s", strerror(errno));
	c->metrics = mmap(NULL, sizeof(struct metrics_page),
	    PROT_READ | PROT_WRITE, MAP_SHARED, c->metrics_fd, 0);
	if (c->metrics == MAP_FAILED)
		die("metrics page: %s", strerror(errno));
}

static void
restart_now(void *arg)
{
	struct child *c = arg;

	if (!c->sup->is_stopping && c->state == PROCESS_DOWN)
		child_spawn(c);
}

struct child *
child_new(struct supervisor *sup, enum role role, uint32_t slot)
{
	struct child *c = X_NEW(struct child);

	c->sup = sup;
	c->role = role;
	c->slot = slot;
	c->restart = loop_timer_new(sup->loop, restart_now, c);
	make_metrics(c);
	c->keep_fd =
	    role == ROLE_SEND ? keep_open(sup, "results", CTL_KEEP_BYTES) : -1;
	LIST_INSERT_HEAD(&sup->children, c, link);
	return c;
}

static void
free_now(void *arg)
{
	struct child *c = arg;

	(void)munmap(c->metrics, sizeof(struct metrics_page));
	closep(&c->metrics_fd);
	closep(&c->keep_fd);
	free(c);
}

/* The connection's closed() comes from the loop: free behind it. */
void
child_free(struct child *c)
{
	LIST_REMOVE(c, link);
	loop_timer_free(c->restart);
	if (c->peer) {
		ipc_peer_close(c->peer);
		c->peer = ipc_peer_unref(c->peer);
	}
	loop_defer(c->sup->loop, free_now, c);
}

/* --- in the new process ---------------------------------------------------------- */

NORETURN static void
become(enum role role, int fd)
{
	char *env[ARRAY_LEN(kept_variables) + 1] = { 0 };
	char *args[] = { (char[]){ "mailstead" }, (char[]){ "--role" },
		x_strdup(role_name(role)), NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t n = 0;
	sigset_t none;

	for (size_t i = 0; i < ARRAY_LEN(kept_variables); i++) {
		const char *v = getenv(kept_variables[i]);

		if (v)
			env[n++] = x_asprintf("%s=%s", kept_variables[i], v);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* dup2() of a descriptor to itself would leave it close-on-exec. */
	fd = fcntl(fd, F_DUPFD, CHILD_FD + 1);
	if (null < 0 || fd < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0 ||
	    dup2(fd, CHILD_FD) < 0)
		_exit(71);
	close_range(CHILD_FD + 1, ~0U, 0);
	execve("/proc/self/exe", args, env);
	_exit(71);
}

/* --- messages of a child ----------------------------------------------------------- */

static bool
do_all_serve(const struct supervisor *sup)
{
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	if (c->state != PROCESS_SERVING)
		return false;
	return true;
}

/* When somebody ended meanwhile, its successor will bring us here again. */
static void
on_all_connected(void *arg, bool is_complete)
{
	struct supervisor *sup = arg;

	sup->is_telling_ready = false;
	if (!is_complete || sup->is_stopping || !do_all_serve(sup))
		return;
	sup->has_told_ready = true;
	puts("ready");
	fflush(stdout);
	(void)notify_manager("READY=1");
}

/* A client that comes in the moment after "ready" finds everybody connected. */
static void
tell_ready_once(struct supervisor *sup)
{
	if (sup->has_told_ready || sup->is_telling_ready || !do_all_serve(sup))
		return;
	sup->is_telling_ready = true;
	sync_all(sup, on_all_connected, sup);
}

static void
became_ready(struct child *c, const struct msg_ctl_ready *r)
{
	c->sandbox = *r;
	snprintf(c->note, sizeof(c->note), "%.*s", STR_ARG(r->note));
	c->sandbox.note = str_c(c->note);
	c->state = PROCESS_SERVING;
	c->ready_ms = loop_now_ms(c->sup->loop);
	c->asked_ms = 0;
	c->is_silent = false;
	connect_child(c);
	tell_ready_once(c->sup);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct child *c = arg;
	struct msg_ctl_ready r;

	if (m->type == MSG_ACME_NEW && c->state == PROCESS_SERVING) {
		struct ipc_return ret = ipc_return_new(p, m);

		certs_take_new(c->sup, &ret, m->body);
		return;
	}
	if (m->type != MSG_CTL_READY || c->state != PROCESS_STARTING ||
	    !msg_ctl_ready_get(m->body, &r)) {
		ipc_peer_close(p);
		return;
	}
	became_ready(c, &r);
}

/* A process whose connection ended is of no use any more. */
static void
on_closed(void *arg, struct ipc_peer *p)
{
	struct child *c = arg;

	if (c->peer != p)
		return;
	c->peer = ipc_peer_unref(c->peer);
	if (c->pid > 0 && c->state != PROCESS_STOPPING)
		(void)kill(c->pid, SIGKILL);
}

static const struct ipc_handlers handlers = {
	.message = on_message,
	.closed = on_closed,
};

/* --- life ------------------------------------------------------------------------------ */

void
child_configure(struct child *c)
{
	struct buf snapshot = BUF_INIT(RUNTIME_SNAPSHOT_MAX),
		   body = BUF_INIT(KIB(1));
	struct msg_ctl_config m = { .generation = c->sup->generation,
		.worker = c->worker,
		.user = geteuid() == 0 ? str_c(c->sup->conf->user) : STR_NONE,
		.log_level = (uint8_t)c->sup->log_level,
		.life = c->sup->life };
	int fd = memfd_create("config", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (!c->peer) {
		closep(&fd);
		return;
	}
	conf_encode(c->sup->conf, c->role, &snapshot);
	if (fd < 0 || snapshot.failed ||
	    write(fd, snapshot.p, snapshot.n) != (ssize_t)snapshot.n)
		die("configuration snapshot: %s", strerror(errno));
	(void)fcntl(fd, F_ADD_SEALS,
	    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	m.size = snapshot.n;
	msg_ctl_config_put(&body, &m);
	ipc_notify(c->peer, MSG_CTL_CONFIG, 0, buf_str(&body), fd);
	buf_done_secret(&snapshot);
	buf_done(&body);
}

static void
send_metrics_page(struct child *c)
{
	struct msg_ctl_metrics m = { .size = sizeof(struct metrics_page) };
	struct buf body = BUF_INIT(KIB(1));
	int fd = fcntl(c->metrics_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		die("metrics page: %s", strerror(errno));
	msg_ctl_metrics_put(&body, &m);
	ipc_notify(c->peer, MSG_CTL_METRICS, 0, buf_str(&body), fd);
	buf_done(&body);
}

void
child_spawn(struct child *c)
{
	struct ipc_config config = { .loop = c->sup->loop,
		.self = ROLE_SUPERVISOR,
		.other = c->role,
		.handlers = &handlers,
		.arg = c };
	int fds[2];

	if (ipc_io_pair(fds) < 0)
		die("socket pair: %s", strerror(errno));
	c->worker = ++c->sup->next_worker;
	c->pid = fork();
	if (c->pid == 0)
		become(c->role, fds[1]);
	(void)close(fds[1]);
	if (c->pid < 0) {
		(void)close(fds[0]);
		c->pid = 0;
		loop_timer_set(c->restart, BACKOFF_MAX_MS);
		return;
	}
	config.fd = fds[0];
	config.worker = c->worker;
	c->peer = ipc_peer_ref(ipc_peer_new(&config));
	c->state = PROCESS_STARTING;
	c->ready_ms = 0;
	c->started = loop_time(c->sup->loop);
	log_event(EV_SUP_SPAWN, LC("role", role_name(c->role)),
	    LU("worker", c->worker), LU("pid", (uint64_t)c->pid));
	child_configure(c);
	send_metrics_page(c);
	if (c->keep_fd >= 0)
		keep_send(c->keep_fd, c->peer, CTL_KEEP_BYTES);
}

void
child_stop(struct child *c)
{
	loop_timer_clear(c->restart);
	if (c->pid == 0)
		return;
	c->state = PROCESS_STOPPING;
	if (c->peer)
		ipc_notify(c->peer, MSG_CTL_STOP, 0, STR_NONE, -1);
}

static void
describe_end(struct child *c, int wait_status)
{
	if (WIFEXITED(wait_status))
		snprintf(c->last_exit, sizeof(c->last_exit), "exit status %d",
		    WEXITSTATUS(wait_status));
	else
		snprintf(c->last_exit, sizeof(c->last_exit), "SIG%s%s",
		    sigabbrev_np(WTERMSIG(wait_status)),
		    WTERMSIG(wait_status) == SIGSYS ? " (sandbox)" : "");
}

void
child_ended(struct child *c, int wait_status)
{
	bool was_stopping = c->state == PROCESS_STOPPING;
	uint64_t served =
	    c->ready_ms ? loop_now_ms(c->sup->loop) - c->ready_ms : 0;

	describe_end(c, wait_status);
	if (!was_stopping)
		log_event(EV_SUP_EXIT, LC("role", role_name(c->role)),
		    LU("worker", c->worker), LU("pid", (uint64_t)c->pid),
		    LC("how", c->last_exit));
	c->pid = 0;
	c->state = PROCESS_DOWN;
	c->metrics->values[M_SESSIONS] = 0;
	if (c->peer) {
		ipc_peer_close(c->peer);
		c->peer = ipc_peer_unref(c->peer);
	}
	if (c->sup->is_stopping || c->is_removed)
		return;
	c->restarts++;
	loop_timer_set(c->restart, backoff_next(&c->backoff, served));
}
