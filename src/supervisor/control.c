/* SPDX-License-Identifier: ISC */
/*
 * control.c - the socket of the command line: status, metrics, reload, and
 * connections to the other processes.
 *
 * Only root and the user that runs the supervisor may use it; the kernel says
 * who a peer is.
 */
#include "conf/conf_acme.h"
#include "supervisor/internal.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void
put_process(struct child *c, struct buf *b)
{
	char silent[64];
	struct msg_cli_process p = { .role = (uint8_t)c->role,
		.worker = c->worker,
		.pid = (uint32_t)c->pid,
		.state = (uint8_t)c->state,
		.restarts = c->restarts,
		.started = c->pid ? c->started : 0,
		.last_exit = str_c(c->last_exit) };

	if (c->state == PROCESS_SERVING) {
		p.has_seccomp = c->sandbox.has_seccomp;
		p.landlock_abi = c->sandbox.landlock_abi;
		p.no_new_privs = c->sandbox.no_new_privs;
		p.uid = c->sandbox.uid;
		p.note = c->sandbox.note;
	}
	if (c->role == ROLE_ACME && conf_acme_lack(c->sup->conf) != NULL)
		p.note = str_c(conf_acme_lack(c->sup->conf));
	if (c->state == PROCESS_SERVING && c->is_silent) {
		snprintf(silent, sizeof(silent), "no answer for %llu s",
		    (unsigned long long)pulse_silent_s(c));
		p.state = PROCESS_SILENT;
		p.note = str_c(silent);
	}
	msg_cli_process_put(b, &p);
}

static int
child_cmp(const void *a, const void *b)
{
	const struct child *const *x = a, *const *y = b;

	if ((*x)->role != (*y)->role)
		return (*x)->role < (*y)->role ? -1 : 1;
	return (*x)->slot < (*y)->slot ? -1 : (*x)->slot > (*y)->slot;
}

static void
put_processes(struct supervisor *sup, struct buf *b)
{
	struct msg_cli_process self = { .role = ROLE_SUPERVISOR,
		.pid = (uint32_t)getpid(),
		.state = PROCESS_SERVING,
		.started = sup->started,
		.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		.uid = geteuid() };
	struct child *all[256], *c;
	size_t n = 0;

	msg_cli_process_put(b, &self);
	LIST_FOREACH(c, &sup->children, link)
	if (n < ARRAY_LEN(all))
		all[n++] = c;
	qsort(all, n, sizeof(all[0]), child_cmp);
	for (size_t i = 0; i < n; i++)
		put_process(all[i], b);
}

static void
answer_status(struct supervisor *sup, struct ipc_return *r)
{
	struct buf processes = BUF_INIT(KIB(256)), body = BUF_INIT(KIB(512));
	struct msg_cli_status_reply reply = { .version = STR(VERSION),
		.started = sup->started,
		.generation = sup->generation,
		.config_error = str_c(sup->conf_error) };

	put_processes(sup, &processes);
	reply.processes = buf_str(&processes);
	msg_cli_status_reply_put(&body, &reply);
	ipc_reply(r, buf_str(&body), -1);
	buf_done(&processes);
	buf_done(&body);
}

static void
answer_metrics(struct supervisor *sup, struct ipc_return *r)
{
	struct buf text = BUF_INIT(MIB(4)), body = BUF_INIT(MIB(5));
	struct msg_cli_metrics_reply reply;

	supervisor_metrics(sup, &text);
	reply.text = buf_str(&text);
	msg_cli_metrics_reply_put(&body, &reply);
	ipc_reply(r, buf_str(&body), -1);
	buf_done(&text);
	buf_done(&body);
}

static void
answer_connect(struct supervisor *sup, struct ipc_return *r, struct str body)
{
	const struct msg_cli_connect_reply reply = { .version = STR(VERSION),
		.layout = ipc_layout() };
	struct buf out = BUF_INIT(KIB(1));
	struct msg_cli_connect m;
	struct child *c;
	int fd = -ENOENT;

	if (!msg_cli_connect_get(body, &m)) {
		ipc_reply_error(r, PERMFAIL, REASON_INTERNAL, NULL);
		return;
	}
	LIST_FOREACH(c, &sup->children, link)
	if (c->role == m.role && fd < 0)
		fd = connect_cli(c);
	if (fd < 0)
		ipc_reply_error(r, TEMPFAIL, REASON_GONE,
		    "that process is not running at the moment");
	else {
		msg_cli_connect_reply_put(&out, &reply);
		ipc_reply(r, buf_str(&out), fd);
	}
	buf_done(&out);
}

struct reload_answer {
	struct ipc_return ret;
	char *names; /* of options that count later; NULL: none */
};

static void
on_reloaded(void *arg, UNUSED bool is_complete)
{
	struct reload_answer *later = arg;
	struct buf body = BUF_INIT(KIB(4)), text = BUF_INIT(KIB(2));

	buf_put_c(&text, "configuration taken over");
	if (later->names != NULL)
		buf_printf(&text,
		    "; these count when Mailstead is started anew: %s",
		    later->names);
	msg_cli_reload_reply_put(
	    &body, &(struct msg_cli_reload_reply){ .text = buf_str(&text) });
	ipc_reply(&later->ret, buf_str(&body), -1);
	buf_done(&body);
	buf_done(&text);
	free(later->names);
	free(later);
}

/* The answer comes when all processes have taken it over; one that ended
 * meanwhile starts with it. */
static void
answer_reload(struct supervisor *sup, struct ipc_return *r)
{
	struct reload_answer *later;

	if (!reload(sup)) {
		ipc_reply_error(r, PERMFAIL, REASON_CONFLICT, sup->conf_error);
		return;
	}
	later = X_NEW(struct reload_answer);
	later->ret = *r;
	later->names = sup->conf_later ? x_strdup(sup->conf_later) : NULL;
	sync_all(sup, on_reloaded, later);
}

static void
on_message(void *arg, struct ipc_peer *p, struct ipc_msg *m)
{
	struct supervisor *sup = arg;
	struct ipc_return r = ipc_return_new(p, m);

	if (m->type == MSG_CLI_STATUS)
		answer_status(sup, &r);
	else if (m->type == MSG_CLI_METRICS)
		answer_metrics(sup, &r);
	else if (m->type == MSG_CLI_RELOAD)
		answer_reload(sup, &r);
	else if (m->type == MSG_CERT_LIST)
		certs_answer_list(sup, &r, m->body);
	else
		answer_connect(sup, &r, m->body);
}

static const struct ipc_handlers handlers = { .message = on_message };

static bool
is_allowed(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       (cred.uid == 0 || cred.uid == geteuid());
}

static void
on_connection(void *arg)
{
	struct supervisor *sup = arg;
	struct ipc_config config = { .loop = sup->loop,
		.self = ROLE_SUPERVISOR,
		.other = ROLE_CLI,
		.handlers = &handlers,
		.arg = sup };

	config.fd =
	    accept4(sup->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (config.fd < 0)
		return;
	if (is_allowed(config.fd))
		ipc_peer_new(&config);
	else
		(void)close(config.fd);
}

int
control_open(struct supervisor *sup)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	mode_t old;
	int r = 0;

	sup->control_path =
	    x_asprintf("%s/run/control.sock", sup->conf->data_dir);
	if (strlen(sup->control_path) >= sizeof(un.sun_path)) {
		fprintf(stderr,
		    "mailstead: data_dir is too long: %s must be shorter than "
		    "%zu bytes\n",
		    sup->control_path, sizeof(un.sun_path));
		return -ENAMETOOLONG;
	}
	memcpy(un.sun_path, sup->control_path, strlen(sup->control_path));
	(void)unlink(sup->control_path);
	sup->control_fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	old = umask(0177);
	if (sup->control_fd < 0 ||
	    bind(sup->control_fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(sup->control_fd, 64) < 0)
		r = -errno;
	umask(old);
	if (r < 0) {
		fprintf(stderr, "mailstead: %s: %s\n", sup->control_path,
		    strerror(-r));
		return r;
	}
	sup->control_watch =
	    loop_fd_new(sup->loop, sup->control_fd, on_connection, NULL, sup);
	loop_fd_want(sup->control_watch, true, false);
	return 0;
}

void
control_close(struct supervisor *sup)
{
	if (!sup->control_path)
		return;
	loop_fd_free(sup->control_watch);
	sup->control_watch = NULL;
	closep(&sup->control_fd);
	(void)unlink(sup->control_path);
	free(sup->control_path);
	sup->control_path = NULL;
}
