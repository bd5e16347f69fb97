/* SPDX-License-Identifier: ISC */
/*
 * runtime.c - from exec to the end of a role's process. See runtime.h.
 *
 *   WAITING   descriptor 3 is open; configuration and pages to come
 *   STARTING  prepare, sandbox, start: no messages are read
 *   SERVING   connections, listeners and new configurations arrive
 *   STOPPING  CTL_STOP came, or the supervisor is gone: 2 s are left
 *
 * The supervisor sends nothing but configuration and pages before it
 * has CTL_READY, so that no connection arrives in a process that is not ready.
 */
#include "proc/runtime.h"

#include "base/log.h"
#include "base/metrics.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUPERVISOR_FD 3
#define STOP_MS       1500
/* How long a process before us may still write to what it left. */
#define KEEP_WAIT_MS 2000
#define KEEP_STEP_MS 10

struct link {
	struct runtime *rt;
	struct ipc_peer *peer; /* a reference */
	struct link *next;
};

struct runtime {
	const struct runtime_role *role;
	void *arg;
	struct loop *loop;
	struct ipc_peer *supervisor;
	struct link *links; /* connections to other processes, newest first */
	struct loop_timer *stop_timer;
	struct buf snapshot; /* the first one, until it is prepared */
	uint32_t worker;
	uint64_t life;
	char user[64];
	void *keep;
	bool has_config, has_metrics, is_serving, is_stopping, has_failed;
};

struct loop *
runtime_loop(struct runtime *rt)
{
	return rt->loop;
}

uint32_t
runtime_worker(const struct runtime *rt)
{
	return rt->worker;
}

uint64_t
runtime_life(const struct runtime *rt)
{
	return rt->life;
}

void *
runtime_keep(struct runtime *rt)
{
	return rt->keep;
}

void
runtime_quit(struct runtime *rt)
{
	loop_stop(rt->loop);
}

static void
quit_now(void *arg)
{
	runtime_quit(arg);
}

static void
begin_stop(struct runtime *rt)
{
	if (rt->is_stopping)
		return;
	rt->is_stopping = true;
	if (!rt->is_serving || rt->role->stop == NULL) {
		runtime_quit(rt);
		return;
	}
	log_event0(EV_PROC_STOP);
	loop_timer_set(rt->stop_timer, STOP_MS);
	rt->role->stop(rt->arg);
}

/* --- connections to other processes --------------------------------------------- */

static void
link_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct link *l = arg;

	l->rt->role->ipc->message(l->rt->arg, p, m);
}

static void
link_closed(void *arg, struct ipc_peer *p)
{
	struct link *l = arg;
	struct runtime *rt = l->rt;
	struct link **at = &rt->links;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (!rt->is_stopping && ipc_peer_role(p) != ROLE_CLI)
		log_event(EV_IPC_CLOSED,
		    LC("role", role_name(ipc_peer_role(p))),
		    LU("worker", ipc_peer_worker(p)));
	if (rt->role->ipc->closed != NULL)
		rt->role->ipc->closed(rt->arg, p);
	l->peer = ipc_peer_unref(l->peer);
	free(l);
}

static const struct ipc_handlers link_handlers = {
	.message = link_message,
	.closed = link_closed,
};

static void
add_link(struct runtime *rt, struct ipc_msg *m)
{
	struct msg_ctl_peer peer;
	struct ipc_config config = {
		.loop = rt->loop,
		.self = rt->role->role,
		.handlers = &link_handlers,
	};
	struct link *l;

	if (m->fd < 0 || !msg_ctl_peer_get(m->body, &peer) ||
	    peer.role >= ROLE_COUNT || rt->role->ipc == NULL)
		die("runtime: malformed CTL_PEER");
	l = X_NEW(struct link);
	config.fd = m->fd;
	m->fd = -1;
	config.other = (enum role)peer.role;
	config.worker = peer.worker;
	config.arg = l;
	l->rt = rt;
	l->peer = ipc_peer_ref(ipc_peer_new(&config));
	l->next = rt->links;
	rt->links = l;
	if (rt->role->peer != NULL)
		rt->role->peer(rt->arg, l->peer);
}

/*
 * The newest open connection to that role. It goes behind the others, so that
 * several workers of a role take turns.
 */
struct ipc_peer *
runtime_peer(struct runtime *rt, enum role role)
{
	struct link **at = &rt->links, *l;

	while (*at != NULL && (ipc_peer_role((*at)->peer) != role ||
				  !ipc_peer_is_open((*at)->peer)))
		at = &(*at)->next;
	l = *at;
	if (l == NULL)
		return NULL;
	if (l->next != NULL) {
		*at = l->next;
		while (*at != NULL)
			at = &(*at)->next;
		*at = l;
		l->next = NULL;
	}
	return l->peer;
}

struct unsent {
	ipc_reply_fn fn;
	void *arg;
	enum msg_type type;
	uint32_t session;
};

static void
answer_unsent(void *arg)
{
	struct unsent *u = arg;
	struct msg_error error = { .reason = REASON_GONE };
	struct buf body = BUF_INIT(KIB(1));
	struct ipc_msg m = { .type = u->type,
		.outcome = TEMPFAIL,
		.is_reply = true,
		.session = u->session,
		.fd = -1 };

	msg_error_put(&body, &error);
	m.body = buf_str(&body);
	u->fn(u->arg, &m);
	buf_done(&body);
	free(u);
}

uint32_t
runtime_request(struct runtime *rt, const struct ipc_peer_request *req,
    ipc_reply_fn fn, void *arg)
{
	struct ipc_peer *p = runtime_peer(rt, req->to);
	struct unsent *u;
	int fd = req->fd;

	if (p != NULL)
		return ipc_request(
		    p, req->type, req->session, req->body, fd, fn, arg);
	closep(&fd);
	u = X_NEW(struct unsent);
	*u = (struct unsent){ fn, arg, req->type, req->session };
	loop_defer(rt->loop, answer_unsent, u);
	return 0;
}

void
runtime_ask_supervisor(struct runtime *rt, enum msg_type type, struct str body,
    ipc_reply_fn fn, void *arg)
{
	(void)ipc_request(rt->supervisor, type, 0, body, -1, fn, arg);
}

/* --- what the supervisor says ----------------------------------------------------- */

static void
take_config(struct runtime *rt, const struct ipc_msg *m)
{
	struct msg_ctl_config c;
	struct buf b = BUF_INIT(RUNTIME_SNAPSHOT_MAX);
	char *to;

	if (m->fd < 0 || !msg_ctl_config_get(m->body, &c) ||
	    c.size > RUNTIME_SNAPSHOT_MAX || c.user.n >= sizeof(rt->user) ||
	    c.log_level > LOG_LEVEL_ERROR)
		die("runtime: malformed CTL_CONFIG");
	to = buf_reserve(&b, c.size);
	if (to == NULL || pread(m->fd, to, c.size, 0) != (ssize_t)c.size)
		die("runtime: snapshot is cut short");
	b.n = c.size;
	rt->worker = c.worker;
	rt->life = c.life;
	log_set_level((enum log_level)c.log_level);
	if (!rt->has_config) {
		rt->has_config = true;
		rt->snapshot = b;
		memcpy(rt->user, c.user.p ? c.user.p : "", c.user.n);
		return;
	}
	if (rt->role->config != NULL)
		rt->role->config(rt->arg, buf_str(&b));
	buf_done_secret(&b);
	log_event(EV_PROC_CONFIG, LU("generation", c.generation));
}

static void
take_metrics(struct runtime *rt, const struct ipc_msg *m)
{
	struct msg_ctl_metrics c;
	struct stat st;
	void *page;

	if (m->fd < 0 || !msg_ctl_metrics_get(m->body, &c) ||
	    c.size != sizeof(struct metrics_page) || fstat(m->fd, &st) < 0 ||
	    st.st_size < (off_t)c.size)
		die("runtime: malformed CTL_METRICS");
	page = mmap(NULL, c.size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	if (page == MAP_FAILED)
		die("runtime: mapping of the metrics page: %s",
		    strerror(errno));
	metrics_attach(page);
	rt->has_metrics = true;
}

/*
 * Processes of one supervisor follow each other. That of one that was killed
 * goes on for a moment: its mapping holds the lock until it ends.
 */
static void
take_keep(struct runtime *rt, struct ipc_msg *m)
{
	struct msg_ctl_keep c;
	struct stat st;

	if (m->fd < 0 || rt->keep != NULL || !msg_ctl_keep_get(m->body, &c) ||
	    c.size != CTL_KEEP_BYTES || fstat(m->fd, &st) < 0 ||
	    st.st_size < (off_t)c.size)
		die("runtime: malformed CTL_KEEP");
	for (unsigned ms = 0; ms < KEEP_WAIT_MS; ms += KEEP_STEP_MS) {
		if (flock(m->fd, LOCK_EX | LOCK_NB) == 0 ||
		    errno != EWOULDBLOCK)
			break;
		(void)usleep(KEEP_STEP_MS * 1000);
	}
	rt->keep =
	    mmap(NULL, c.size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	if (rt->keep == MAP_FAILED)
		die("runtime: mapping of what is kept: %s", strerror(errno));
}

static bool
has_all(const struct runtime *rt)
{
	return rt->has_config && rt->has_metrics &&
	       (!rt->role->has_keep || rt->keep != NULL);
}

static void
take_listener(struct runtime *rt, struct ipc_msg *m)
{
	struct msg_ctl_listener c;

	if (m->fd < 0 || !msg_ctl_listener_get(m->body, &c) ||
	    c.service >= SERVICE_COUNT || rt->role->listener == NULL)
		die("runtime: malformed CTL_LISTENER");
	rt->role->listener(rt->arg, (enum service)c.service, m->fd);
	m->fd = -1;
}

/* Everything that was sent before is done: it was read in order. */
static void
answer_sync(struct ipc_peer *p, struct ipc_msg *m)
{
	struct ipc_return r = ipc_return_new(p, m);

	ipc_reply(&r, STR_NONE, -1);
}

static void
supervisor_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct runtime *rt = arg;

	if (m->type == MSG_CTL_CONFIG)
		take_config(rt, m);
	else if (m->type == MSG_CTL_METRICS)
		take_metrics(rt, m);
	else if (m->type == MSG_CTL_KEEP)
		take_keep(rt, m);
	else if (m->type == MSG_CTL_STOP)
		begin_stop(rt);
	else if (m->type == MSG_CTL_SYNC)
		answer_sync(p, m);
	else if (!rt->is_serving || rt->is_stopping)
		return;
	else if (m->type == MSG_CTL_PEER)
		add_link(rt, m);
	else if (m->type == MSG_CTL_LISTENER)
		take_listener(rt, m);
	if (!rt->is_serving && has_all(rt))
		loop_stop(rt->loop);
}

/* Without a supervisor nobody could stop us: end as if it had said so. */
static void
supervisor_closed(void *arg, UNUSED struct ipc_peer *p)
{
	struct runtime *rt = arg;

	if (!rt->is_serving)
		rt->has_failed = true;
	begin_stop(rt);
}

static const struct ipc_handlers supervisor_handlers = {
	.message = supervisor_message,
	.closed = supervisor_closed,
};

/* --- the checklist -------------------------------------------------------------------- */

static int
enter_sandbox(struct runtime *rt, struct sandbox_state *ret)
{
	struct sandbox sb = { 0 };
	int r;

	rt->role->sandbox(rt->arg, &sb);
	if (sb.user == NULL)
		sb.user = rt->user;
	r = sandbox_apply(&sb, ret);
	if (r < 0) {
		fprintf(stderr, "mailstead: %s: sandbox: %s\n",
		    role_name(rt->role->role), strerror(-r));
		return r;
	}
	if (ret->note[0] != '\0')
		log_event(EV_SANDBOX_MISSING, LC("note", ret->note));
	return 0;
}

static void
report_ready(struct runtime *rt, const struct sandbox_state *state)
{
	struct msg_ctl_ready ready = {
		.has_seccomp = state->has_seccomp,
		.landlock_abi = (uint8_t)state->landlock_abi,
		.no_new_privs = state->no_new_privs,
		.uid = state->uid,
		.note = str_c(state->note),
	};
	struct buf body = BUF_INIT(KIB(1));

	msg_ctl_ready_put(&body, &ready);
	ipc_notify(rt->supervisor, MSG_CTL_READY, 0, buf_str(&body), -1);
	buf_done(&body);
	log_event(EV_PROC_READY, LU("worker", rt->worker),
	    LU("uid", state->uid), LI("landlock", state->landlock_abi),
	    LU("seccomp", state->has_seccomp));
}

/* prepare, sandbox, start. 0 or an error that was printed. */
static int
start_role(struct runtime *rt)
{
	const struct runtime_role *role = rt->role;
	struct sandbox_state state = { 0 };
	int r = 0;

	if (role->nice > 0)
		(void)!nice(role->nice); /* everybody may be nicer */
	if (role->prepare != NULL)
		r = role->prepare(rt->arg, rt, buf_str(&rt->snapshot));
	buf_done_secret(&rt->snapshot);
	if (r < 0)
		return r;
	r = enter_sandbox(rt, &state);
	if (r == 0 && role->start != NULL)
		r = role->start(rt->arg, rt);
	if (r < 0)
		return r;
	rt->is_serving = true;
	report_ready(rt, &state);
	return 0;
}

static void
runtime_open(struct runtime *rt)
{
	struct ipc_config config = {
		.fd = SUPERVISOR_FD,
		.self = rt->role->role,
		.other = ROLE_SUPERVISOR,
		.handlers = &supervisor_handlers,
		.arg = rt,
	};

	/* Ctrl-C reaches the whole foreground group; only the supervisor
	 * decides what it means. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	rt->loop = loop_new();
	rt->stop_timer = loop_timer_new(rt->loop, quit_now, rt);
	config.loop = rt->loop;
	rt->supervisor = ipc_peer_ref(ipc_peer_new(&config));
}

int
runtime_main(const struct runtime_role *role, void *arg)
{
	struct runtime rt = { .role = role, .arg = arg };

	log_init(role_name(role->role), LOG_LEVEL_INFO);
	runtime_open(&rt);
	loop_run(rt.loop);
	if (!has_all(&rt))
		return rt.has_failed ? 1 : 0;
	if (rt.is_stopping)
		return 0;
	if (start_role(&rt) < 0)
		return 1;
	loop_run(rt.loop);
	/* Memory goes with the process: other objects may still refer to it,
	 * and nothing is left to be written. */
	return rt.has_failed ? 1 : 0;
}
