/* SPDX-License-Identifier: ISC */
/*
 * main.c - `mailstead run`: start everything, keep it running, stop it.
 *
 * Stopping goes in stages, so that nothing that was begun is cut off: first
 * the fronts, then filter and auth, the store last.
 */
#include "supervisor/internal.h"
#include "supervisor/notify.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STAGE_MS   600
#define FILES_WANT 65536
#define BUSY_US    100000
#define BUSY_TRIES 20

static const unsigned stages[] = {
	ROLE_BIT(ROLE_SMTP) | ROLE_BIT(ROLE_IMAP) | ROLE_BIT(ROLE_SEND) |
	    ROLE_BIT(ROLE_WATCH) | ROLE_BIT(ROLE_WEB) | ROLE_BIT(ROLE_ACME),
	ROLE_BIT(ROLE_FILTER) | ROLE_BIT(ROLE_AUTH),
	ROLE_BIT(ROLE_STORE),
};

/* --- stopping -------------------------------------------------------------------------- */

static bool
has_running(const struct supervisor *sup, unsigned roles)
{
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	if (c->pid && ROLE_BIT(c->role) & roles)
		return true;
	return false;
}

static void
each_of_stage(struct supervisor *sup, unsigned stage, bool with_force)
{
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	{
		if (!(ROLE_BIT(c->role) & stages[stage]))
			continue;
		if (!with_force)
			child_stop(c);
		else if (c->pid)
			(void)kill(c->pid, SIGKILL);
	}
}

/* Go on to the first stage that has somebody left. */
static void
advance_stop(struct supervisor *sup)
{
	while (sup->stop_stage < ARRAY_LEN(stages) &&
	       !has_running(sup, stages[sup->stop_stage])) {
		if (++sup->stop_stage < ARRAY_LEN(stages))
			each_of_stage(sup, sup->stop_stage, false);
	}
	if (sup->stop_stage == ARRAY_LEN(stages))
		loop_stop(sup->loop);
	else
		loop_timer_set(sup->stop_timer, STAGE_MS);
}

static void
on_stage_timeout(void *arg)
{
	struct supervisor *sup = arg;

	each_of_stage(sup, sup->stop_stage, true);
	loop_timer_set(sup->stop_timer, STAGE_MS);
}

static void
on_stop_signal(void *arg)
{
	struct supervisor *sup = arg;

	if (sup->is_stopping)
		return;
	sup->is_stopping = true;
	log_event0(EV_PROC_STOP);
	(void)notify_manager("STOPPING=1");
	each_of_stage(sup, 0, false);
	advance_stop(sup);
}

static void
on_hangup(void *arg)
{
	struct supervisor *sup = arg;

	if (!sup->is_stopping)
		(void)reload(sup);
}

static struct child *
find_pid(struct supervisor *sup, pid_t pid)
{
	struct child *c;

	LIST_FOREACH(c, &sup->children, link)
	if (c->pid == pid)
		return c;
	return NULL;
}

static void
on_child_signal(void *arg)
{
	struct supervisor *sup = arg;
	struct child *c;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		c = find_pid(sup, pid);
		if (!c)
			continue;
		child_ended(c, status);
		if (c->is_removed)
			child_free(c);
	}
	if (sup->is_stopping)
		advance_stop(sup);
}

/* --- starting --------------------------------------------------------------------------- */

/*
 * Make a folder that belongs to the user whom the processes become, or to us.
 * By descriptor, and never through a symbolic link: a process that was taken
 * over must not make root work on a folder of its choice.
 */
static int
make_dir_at(const char *path, const struct passwd *owner, mode_t mode)
{
	CLEANUP(closep) int fd = -1;
	uid_t uid = owner ? owner->pw_uid : geteuid();
	gid_t gid = owner ? owner->pw_gid : getegid();

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (geteuid() == 0 &&
	    (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0))
		return -errno;
	return 0;
}

/* As root only store/, watch/ and acme/ are the user's; the way to it is ours, to be walked but
 * not to be changed. */
static int
make_dirs(const struct supervisor *sup)
{
	bool is_root = geteuid() == 0;
	const struct passwd *pw = NULL;
	const struct {
		const char *name;
		mode_t mode;
		bool is_users;
	} dirs[] = {
		{ "", is_root ? 0711 : 0700, false },
		{ "/run", 0700, false },
		{ "/store", 0700, true },
		{ "/watch", 0700, true },
		{ "/acme", 0700, true },
	};

	if (is_root && sup->conf->user[0]) {
		pw = getpwnam(sup->conf->user);
		if (!pw) {
			fprintf(stderr,
			    "mailstead: there is no user %s; make it, or name "
			    "another one as user in the configuration\n",
			    sup->conf->user);
			return -ENOENT;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *path =
		    x_asprintf("%s%s", sup->conf->data_dir, dirs[i].name);
		int r = make_dir_at(
		    path, dirs[i].is_users ? pw : NULL, dirs[i].mode);

		if (r < 0)
			fprintf(
			    stderr, "mailstead: %s: %s\n", path, strerror(-r));
		free(path);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Open the ports. Processes of a supervisor that was killed give theirs up
 * within two seconds: it is worth waiting for them. */
static int
open_ports(struct supervisor *sup, char **ret_error)
{
	int r;

	for (unsigned tries = 0;; tries++) {
		r = listen_update(sup, sup->conf, ret_error);
		if (r != -EADDRINUSE || tries == BUSY_TRIES)
			return r;
		free(*ret_error);
		*ret_error = NULL;
		(void)usleep(BUSY_US);
	}
}

/* Two supervisors on one folder would fight; the lock says so at once. */
static int
take_lock(struct supervisor *sup)
{
	char *path = x_asprintf("%s/run/lock", sup->conf->data_dir);

	sup->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sup->lock_fd < 0 || flock(sup->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		fprintf(stderr,
		    "mailstead: %s: another Mailstead runs with this data "
		    "folder\n",
		    path);
		free(path);
		return -EBUSY;
	}
	free(path);
	return 0;
}

static void
raise_file_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = MAX(l.rlim_cur, FILES_WANT);
	l.rlim_max = MAX(l.rlim_max, FILES_WANT);
	if (setrlimit(RLIMIT_NOFILE, &l) == 0)
		return;
	/* Not root: as far as we may. */
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int
start(struct supervisor *sup)
{
	char *error = NULL;

	if (conf_load(sup->conf_path, &sup->conf, &error) < 0 ||
	    conf_read_tls(sup->conf, &error) < 0) {
		/* Its lines are whole. */
		fprintf(stderr, "mailstead: %s", error);
		free(error);
		return -1;
	}
	reload_log_level(sup);
	log_init("supervisor", sup->log_level);
	log_event(
	    EV_SUP_START, LC("version", VERSION), LC("config", sup->conf_path));
	raise_file_limit();
	if (make_dirs(sup) < 0 || take_lock(sup) < 0)
		return -1;
	if (open_ports(sup, &error) < 0) {
		fprintf(stderr, "mailstead: %s\n", error);
		free(error);
		return -1;
	}
	if (reload_metrics_http(sup, &error) < 0) {
		fprintf(stderr, "mailstead: %s\n", error);
		free(error);
		return -1;
	}
	return control_open(sup);
}

static void
clean_up(struct supervisor *sup)
{
	struct child *c;

	while ((c = LIST_FIRST(&sup->children)) != NULL)
		child_free(c);
	metrics_http_free(sup->metrics_http);
	control_close(sup);
	listen_close(sup);
	closep(&sup->lock_fd);
	conf_free(sup->conf);
	free(sup->conf_error);
	free(sup->conf_later);
}

int
supervisor_run(const char *config_path)
{
	struct supervisor sup = { .conf_path = config_path,
		.generation = 1,
		.lock_fd = -1,
		.control_fd = -1 };

	LIST_INIT(&sup.children);
	/* Nothing that we start needs to become more than we are. */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	sup.loop = loop_new();
	sup.started = loop_time(sup.loop);
	sup.life = loop_time_ms(sup.loop);
	if (start(&sup) < 0) {
		clean_up(&sup);
		return 1;
	}
	sup.stop_timer = loop_timer_new(sup.loop, on_stage_timeout, &sup);
	loop_signal_new(sup.loop, SIGTERM, on_stop_signal, &sup);
	loop_signal_new(sup.loop, SIGINT, on_stop_signal, &sup);
	loop_signal_new(sup.loop, SIGHUP, on_hangup, &sup);
	loop_signal_new(sup.loop, SIGCHLD, on_child_signal, &sup);
	certs_tell(&sup);
	pulse_start(&sup);
	reload_workers(&sup);
	loop_run(sup.loop);
	clean_up(&sup);
	loop_free(sup.loop);
	return 0;
}
