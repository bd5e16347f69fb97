/* SPDX-License-Identifier: ISC */
/* admin.c - the way to the store, and how answers are told. See admin.h. */
#include "cli/admin.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "cli/output/output.h"
#include "cli/output/wrap.h"
#include "net/idn.h"
#include "proto/smtp/smtp_path.h"
#include "proto/status/status_systems.h"

#define CONNECT_TRIES 10
/* For what is done in one step, however long it takes: an account's check, and a
 * probe, which has limits of its own. */
#define SLOW_S 900

/* The same again, of a command that goes on trying? */
static bool
is_said(struct admin *a, struct str text)
{
	uint64_t was = a->said;

	a->said = hash64(text.p, text.n) | 1;
	return a->says_changes && a->said == was;
}

int
admin_error(struct admin *a, int code, const char *fmt, ...)
{
	struct buf b = BUF_INIT(KIB(8));
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	/* It may name what others wrote. */
	output_tame_lines(b.p, b.n);
	if (is_said(a, buf_str(&b))) {
		buf_done(&b);
		return code;
	}
	if (a->is_json)
		output_json_error(code == ADMIN_USAGE      ? "usage"
				  : code == ADMIN_TEMPFAIL ? "temporary"
							   : "refused",
		    buf_c(&b));
	fprintf(stderr, "mailstead: %s\n", buf_c(&b));
	buf_done(&b);
	return code;
}

static unsigned
patience_ms(const struct admin *a, enum msg_type type)
{
	if (a->patience_ms != 0)
		return a->patience_ms;
	return 1000 * (type == MSG_STORE_CHECK || type == MSG_WATCH_RUN
			      ? SLOW_S
			      : IPC_CLIENT_PATIENCE_S);
}

/* 0, or -errno of the connection. */
static int
call_client(struct admin *a, struct ipc_client *c, const struct ipc_call *call,
    enum outcome *ret_outcome, struct buf *reply, int *ret_fd)
{
	a->asked = call->type;
	ipc_client_set_patience(c, patience_ms(a, call->type));
	return ipc_client_call(c, call, ret_outcome, reply, ret_fd);
}

int
admin_broken(struct admin *a, const struct ipc_client *c, int error)
{
	unsigned s = ipc_client_patience(c) / 1000;
	/* A question that nobody answers has changed nothing. */
	const char *done = msg_rule(a->asked)->flags & MSG_LOOK
	                       ? ""
	                       : ", so what was asked may be done or not";

	if (error == -EINTR)
		return admin_error(a, ADMIN_TEMPFAIL, "interrupted");
	if (error != -ETIMEDOUT)
		return admin_error(a, ADMIN_TEMPFAIL,
		    "the connection to the server broke (%s): try again",
		    strerror(-error));
	/* mailstead status would ask it as well. */
	if (ipc_client_role(c) == ROLE_SUPERVISOR)
		return admin_error(a, ADMIN_TEMPFAIL,
		    "the server's process supervisor has not answered for %u "
		    "s%s: look at the server's log",
		    s, done);
	return admin_error(a, ADMIN_TEMPFAIL,
	    "the server's process %s has not answered for %u s%s: look at "
	    "'mailstead status' and at the server's log",
	    role_name(ipc_client_role(c)), s, done);
}

static int
connect_control(const char *path, unsigned ms)
{
	const struct timeval limit = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* While many wait already, this waits, too. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int e = errno == EAGAIN ? ETIMEDOUT : errno;

		close(fd);
		return -e;
	}
	return fd;
}

/* After an update of the program, the server goes on with what it was. */
static void
compare_builds(struct admin *a, struct str reply)
{
	struct msg_cli_connect_reply server = { 0 };
	bool is_old = !msg_cli_connect_reply_get(reply, &server);

	if (a->is_warned || (!is_old && server.layout == ipc_layout() &&
				str_eq(server.version, STR(VERSION))))
		return;
	a->is_warned = true;
	fprintf(stderr,
	    "mailstead: the server that runs is of another build (%.*s) than "
	    "this command (%s), so answers may be wrong: restart it\n",
	    STR_ARG(is_old ? STR("an older one") : server.version), VERSION);
}

/* Ask the supervisor for a connection to a process. -EAGAIN: it has none. */
static int
ask_for_role(struct admin *a, struct ipc_client *c, enum role role, int *ret_fd)
{
	struct msg_cli_connect msg = { .role = (uint8_t)role };
	struct buf body = BUF_INIT(64), reply = BUF_INIT(KIB(64));
	enum outcome o;
	int r;

	msg_cli_connect_put(&body, &msg);
	*ret_fd = -1;
	r = ipc_client_call(c,
	    &(struct ipc_call){
		.type = MSG_CLI_CONNECT, .body = buf_str(&body), .fd = -1 },
	    &o, &reply, ret_fd);
	if (r == 0 && (o != DONE || *ret_fd < 0))
		r = -EAGAIN;
	if (r == 0)
		compare_builds(a, buf_str(&reply));
	buf_done(&body);
	buf_done(&reply);
	return r;
}

int
admin_control(struct admin *a, struct ipc_client **ret)
{
	int control =
	    connect_control(a->control, patience_ms(a, MSG_CLI_CONNECT));

	if (control == -EACCES || control == -EPERM)
		return admin_error(a, ADMIN_REFUSED,
		    "no permission for %s: run this as root, or as the "
		    "user that started the server",
		    a->control);
	if (control < 0 || ipc_client_open(control, ROLE_SUPERVISOR, ret) < 0)
		return admin_error(a, ADMIN_TEMPFAIL,
		    "cannot reach the server at %s (%s): is it running? Start "
		    "it, or name its configuration with -c FILE or its data "
		    "folder with -d DIR",
		    a->control, strerror(-control));
	return ADMIN_OK;
}

/* 0 with a connection to a process, -EAGAIN when it is not there; or an exit
 * code, above zero, after that was printed. */
static int
look_for_role(struct admin *a, enum role role, int *ret_fd)
{
	struct ipc_client *control = NULL;
	int r = admin_control(a, &control);

	if (r != ADMIN_OK)
		return r;
	a->asked = MSG_CLI_CONNECT;
	ipc_client_set_patience(control, patience_ms(a, MSG_CLI_CONNECT));
	r = ask_for_role(a, control, role, ret_fd);
	if (r == -ETIMEDOUT || r == -EINTR)
		r = admin_broken(a, control, r);
	ipc_client_free(control);
	return r;
}

int
admin_role(struct admin *a, enum role role, struct ipc_client **ret)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	int fd = -1, r;

	for (int i = 0;; i++) {
		r = look_for_role(a, role, &fd);
		/* It may just be starting again. */
		if (r != -EAGAIN || i == CONNECT_TRIES)
			break;
		nanosleep(&pause, NULL);
	}
	if (r > 0)
		return r;
	if (r == 0)
		r = ipc_client_open(fd, role, ret);
	if (r < 0)
		return admin_error(a, ADMIN_TEMPFAIL,
		    "the server's process %s is not ready: try again in a "
		    "moment; after an update of the program, restart the "
		    "server",
		    role_name(role));
	return ADMIN_OK;
}

int
admin_connect(struct admin *a)
{
	return a->store ? ADMIN_OK : admin_role(a, ROLE_STORE, &a->store);
}

void
admin_done(struct admin *a)
{
	ipc_client_free(a->store);
	a->store = NULL;
	a->systems = status_systems_free(a->systems);
}

int
admin_ask(struct admin *a, const struct admin_call *call,
    enum outcome *ret_outcome, struct buf *reply, int *ret_fd)
{
	int fd = -1;
	int r = admin_connect(a);

	if (r != ADMIN_OK)
		return r;
	buf_reset(reply, reply->cap);
	r = call_client(a, a->store,
	    &(struct ipc_call){ .type = call->type,
		.session = call->session,
		.body = call->body,
		.fd = call->fd },
	    ret_outcome, reply, &fd);
	if (r < 0) {
		r = admin_broken(a, a->store, r);
		admin_done(a);
		return r;
	}
	if (ret_fd)
		*ret_fd = fd;
	else
		closep(&fd);
	return ADMIN_OK;
}

enum reason
admin_reason(struct str reply)
{
	struct msg_error e;

	return msg_error_get(reply, &e) ? (enum reason)e.reason : REASON_NONE;
}

/* What to do about it, in words. */
static const char *
advice(enum reason r)
{
	static const struct {
		enum reason reason;
		const char *text;
	} texts[] = {
		{ REASON_EXISTS, "it exists already" },
		{ REASON_NO_USER, "there is no such user; see 'mailstead user "
				  "list'" },
		{ REASON_NO_DOMAIN,
		    "its domain is not served here; add it first with "
		    "'mailstead domain add'" },
		{ REASON_NOT_LOCAL,
		    "its domain is not served here; add it first with "
		    "'mailstead domain add'" },
		{ REASON_IN_USE, "the domain still has users or aliases; "
				 "remove them first" },
		{ REASON_LOOP, "the alias would lead back to itself" },
		{ REASON_NAME, "that is not a legal name" },
		{ REASON_NO_MAILBOX, "there is no such mailbox" },
		{ REASON_LIMIT, "a limit is reached" },
		{ REASON_TOO_BIG, "it is too big" },
		{ REASON_OVERQUOTA, "the quota is used up; see 'mailstead "
				    "user quota'" },
		{ REASON_DISK_FULL, "the server's disk is full; make room, "
				    "then try again" },
		{ REASON_IO, "the server's disk has errors; see its log" },
		{ REASON_GONE, "the server is restarting a process; try "
			       "again" },
		{ REASON_CORRUPT, "it is damaged on disk; run 'mailstead "
				  "check'" },
		{ REASON_CONFLICT, "it was changed at the same time; try "
				   "again" },
		{ REASON_FORBIDDEN, "that is not allowed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].reason == r)
			return texts[i].text;
	return NULL;
}

int
admin_refused(
    struct admin *a, enum outcome o, struct str reply, const char *what)
{
	int code = o == TEMPFAIL ? ADMIN_TEMPFAIL : ADMIN_REFUSED;
	struct msg_error e = { 0 };
	const char *text;
	struct buf b = BUF_INIT(KIB(8));

	if (!msg_error_get(reply, &e))
		e = (struct msg_error){ 0 };
	text = e.reason == REASON_NO_USER && a->no_user
	           ? a->no_user
	           : advice((enum reason)e.reason);
	if (!text)
		text = o == NOT_FOUND ? "it does not exist"
		       : o == TEMPFAIL
		           ? "the server cannot do it now; try again"
		           : "the server refused";
	buf_printf(&b, "%s: %s", what, text);
	if (e.text.n > 0)
		buf_printf(&b, " (%.*s)", STR_ARG(e.text));
	if (a->is_json)
		output_json_error(e.reason ? reason_str((enum reason)e.reason)
					   : outcome_str(o),
		    buf_c(&b));
	fprintf(stderr, "mailstead: %s\n", buf_c(&b));
	buf_done(&b);
	return code;
}

int
admin_do(struct admin *a, enum msg_type type, struct str body, const char *what,
    struct buf *reply)
{
	struct buf own = BUF_INIT(MIB(16)), *to = reply ? reply : &own;
	enum outcome o;
	int r = admin_ask(
	    a, &(struct admin_call){ type, 0, body, -1 }, &o, to, NULL);

	if (r == ADMIN_OK && o != DONE)
		r = admin_refused(a, o, buf_str(to), what);
	buf_done(&own);
	return r;
}

int
admin_do_role(struct admin *a, enum role role, const struct admin_call *call,
    const char *what, struct buf *reply)
{
	struct ipc_client *c = NULL;
	enum outcome o;
	int code = admin_role(a, role, &c);
	int r;

	if (code != ADMIN_OK)
		return code;
	r = call_client(a, c,
	    &(struct ipc_call){
		.type = call->type, .body = call->body, .fd = -1 },
	    &o, reply, NULL);
	if (r < 0)
		code = admin_broken(a, c, r);
	else if (o != DONE)
		code = admin_refused(a, o, buf_str(reply), what);
	ipc_client_free(c);
	return code;
}

/* A connection that does not wait. False: there is none. */
static bool
try_open(int fd, enum role role, unsigned patience_ms, struct ipc_client **ret)
{
	if (fd < 0)
		return false;
	if (ipc_client_open(fd, role, ret) < 0) {
		(void)close(fd);
		return false;
	}
	ipc_client_set_patience(*ret, patience_ms);
	return true;
}

bool
admin_try_role(struct admin *a, enum role role, const struct admin_call *call,
    unsigned patience_ms, struct buf *reply)
{
	const struct ipc_call q = {
		.type = call->type, .body = call->body, .fd = -1
	};
	int fd = connect_control(a->control, patience_ms), r = -EAGAIN;
	struct ipc_client *c = NULL;
	enum outcome o = TEMPFAIL;

	if (!try_open(fd, ROLE_SUPERVISOR, patience_ms, &c))
		return false;
	fd = -1;
	if (ask_for_role(a, c, role, &fd) < 0)
		closep(&fd);
	ipc_client_free(c);
	c = NULL;
	if (try_open(fd, role, patience_ms, &c))
		r = ipc_client_call(c, &q, &o, reply, NULL);
	ipc_client_free(c);
	return r == 0 && o == DONE;
}

int
admin_say(struct admin *a, const char *key, struct str value, const char *text)
{
	const struct output_field field = { key, key, OUTPUT_TEXT };
	struct output *o;

	if (!a->is_json) {
		printf("%s %.*s\n", text, STR_ARG(value));
		return ADMIN_OK;
	}
	o = output_new("", &field, 1);
	output_put_text(o, value);
	output_print_one(o, true);
	output_free(o);
	return ADMIN_OK;
}

int
admin_say_number(struct admin *a, const char *key, uint64_t n, const char *text)
{
	const struct output_field field = { key, key, OUTPUT_COUNT };
	struct output *o;

	if (!a->is_json) {
		printf("%s %llu\n", text, (unsigned long long)n);
		return ADMIN_OK;
	}
	o = output_new("", &field, 1);
	output_put_number(o, n);
	output_print_one(o, true);
	output_free(o);
	return ADMIN_OK;
}

bool
admin_address(struct admin *a, const char *s, struct buf *ret)
{
	struct arena arena;
	struct smtp_path path;
	enum smtp_path_error e;

	arena_init(&arena, KIB(8));
	e = smtp_mailbox_parse(&arena, str_c(s), SMTP_PATH_ALLOW_UTF8, &path);
	if (e == SMTP_PATH_OK && path.is_literal)
		e = SMTP_PATH_SYNTAX;
	if (e == SMTP_PATH_OK) {
		buf_put_str(ret, path.local);
		buf_put_char(ret, '@');
		if (!idn_canonical(path.domain, ret))
			e = SMTP_PATH_SYNTAX;
	}
	if (e != SMTP_PATH_OK) {
		admin_error(a, ADMIN_USAGE,
		    "\"%s\" is not an address (%s); write it like "
		    "alice@example.org",
		    s, smtp_path_error_str(e));
	}
	arena_done(&arena);
	return e == SMTP_PATH_OK;
}

bool
admin_domain_name(struct admin *a, const char *s, struct buf *ret)
{
	struct arena arena;
	struct smtp_path path;
	enum smtp_path_error e;

	arena_init(&arena, KIB(8));
	e = smtp_domain_parse(&arena, str_c(s), SMTP_PATH_ALLOW_UTF8, &path);
	if (e == SMTP_PATH_OK && path.is_literal)
		e = SMTP_PATH_SYNTAX;
	if (e == SMTP_PATH_OK && !idn_canonical(path.domain, ret))
		e = SMTP_PATH_SYNTAX;
	if (e != SMTP_PATH_OK)
		admin_error(a, ADMIN_USAGE,
		    "\"%s\" is not a domain (%s); write it like example.org", s,
		    smtp_path_error_str(e));
	arena_done(&arena);
	return e == SMTP_PATH_OK;
}

int
admin_usage(struct admin *a, const char *error)
{
	bool is_known = a->usage != NULL;
	struct buf lines = BUF_INIT(KIB(32));
	int r;

	if (is_known)
		wrap_usage(&lines, str_c(a->usage));
	r = admin_error(a, ADMIN_USAGE, "%s%s%s%s", error ? error : "",
	    error && is_known ? "\n" : "", is_known ? "usage: mailstead " : "",
	    buf_c(&lines));
	buf_done(&lines);
	return r;
}

bool
admin_args(struct admin *a, struct args *args, int argc, char **argv)
{
	if (args_parse(args, argc, argv, a->usage))
		return true;
	admin_usage(a, args->error);
	return false;
}

bool
admin_read_line(struct buf *ret)
{
	int c;

	while ((c = getchar()) != EOF && c != '\n')
		buf_put_char(ret, (char)c);
	if (ret->n > 0 && ret->p[ret->n - 1] == '\r')
		ret->n--;
	return ret->n > 0 && !ret->failed;
}

static volatile sig_atomic_t got_signal;

static void
on_signal(int n)
{
	got_signal = n;
}

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* How signals that end the program were treated before. */
struct signals {
	struct sigaction actions[ARRAY_LEN(ending)];
	sigset_t mask;
};

/* They are noticed, and come only while read_char() waits: one that came just
 * before it would not end the wait. */
static void
signals_catch(struct signals *before)
{
	const struct sigaction catching = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
		sigaddset(&set, ending[i]);
		(void)sigaction(ending[i], &catching, &before->actions[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &set, &before->mask);
}

/* They do again what they did. */
static void
signals_restore(const struct signals *before)
{
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		(void)sigaction(ending[i], &before->actions[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* False: the end, an error, or a signal. */
static bool
read_char(int fd, const sigset_t *mask, char *ret)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!got_signal) {
		if (ppoll(&p, 1, NULL, mask) == 1)
			return read(fd, ret, 1) == 1;
		if (errno != EINTR)
			break;
	}
	return false;
}

/* One line from the terminal that nobody sees. Whatever ends it, the terminal
 * shows again what is typed. */
static bool
ask_secretly(const char *prompt, struct buf *ret)
{
	FILE *tty = fopen("/dev/tty", "r+e");
	struct signals before;
	struct termios shown, hidden;
	char c;

	if (!tty)
		return false;
	setvbuf(tty, NULL, _IONBF, 0);
	if (tcgetattr(fileno(tty), &shown) < 0) {
		fclose(tty);
		return false;
	}
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
	got_signal = 0;
	signals_catch(&before);
	tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
	fputs(prompt, tty);
	while (read_char(fileno(tty), &before.mask, &c) && c != '\n')
		buf_put_char(ret, c);
	tcsetattr(fileno(tty), TCSAFLUSH, &shown);
	fputs("\n", tty);
	fclose(tty);
	signals_restore(&before);
	if (got_signal)
		(void)raise(got_signal);
	return !got_signal && !ret->failed;
}

bool
admin_password(struct admin *a, bool from_stdin, struct buf *ret)
{
	struct buf again = BUF_INIT(KIB(2));
	bool ok;

	if (from_stdin) {
		ok = admin_read_line(ret);
		if (!ok)
			admin_error(a, ADMIN_USAGE,
			    ret->failed
				? "the password is too long"
				: "no password on standard input: one line "
				  "is expected");
		return ok;
	}
	if (!ask_secretly("New password: ", ret) ||
	    !ask_secretly("Again: ", &again)) {
		admin_error(a, ADMIN_USAGE,
		    "no terminal to ask for the password: use "
		    "--password-stdin");
		return false;
	}
	ok = str_eq(buf_str(ret), buf_str(&again));
	buf_done_secret(&again);
	if (!ok)
		admin_error(a, ADMIN_USAGE, "the two passwords differ");
	return ok;
}

/* Without line ends behind it. */
static struct str
str_trim_end(struct str s)
{
	while (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	return s;
}

int
admin_ask_supervisor(struct admin *a, enum msg_type type, struct str body,
    const char *what, struct buf *reply)
{
	struct ipc_call call = { .type = type, .body = body, .fd = -1 };
	struct msg_error error;
	struct ipc_client *c;
	enum outcome outcome;
	int r = admin_control(a, &c);

	if (r != ADMIN_OK)
		return r;
	r = call_client(a, c, &call, &outcome, reply, NULL);
	if (r == -ETIMEDOUT && type == MSG_CLI_RELOAD)
		r = admin_error(a, ADMIN_TEMPFAIL,
		    "the server has not said for %u s that all of its "
		    "processes "
		    "took the configuration over: look at 'mailstead status' "
		    "and at the server's log",
		    ipc_client_patience(c) / 1000);
	else if (r < 0)
		r = admin_broken(a, c, r);
	ipc_client_free(c);
	if (r != ADMIN_OK)
		return r;
	if (outcome == DONE)
		return ADMIN_OK;
	/* The supervisor's own words, where it has some. */
	if (msg_error_get(buf_str(reply), &error) && error.text.n > 0)
		return admin_error(a, ADMIN_REFUSED, "%s: %.*s", what,
		    STR_ARG(str_trim_end(error.text)));
	return admin_refused(a, outcome, buf_str(reply), what);
}
