/* SPDX-License-Identifier: ISC */
/*
 * cmd_check.c - mailstead check: is the store what it should be? (With a
 * sub-command it is about what is watched: cmd_watch_check.c.)
 *
 * First the engine (every checksum, every blob), then what mail means above
 * it: entries, counters, references, the directory. While the server runs it
 * does the second part itself, account by account, since only it may open the
 * store. Exit status: 0 clean, 1 problems, 75 could not look.
 */
#include "cli/cli.h"
#include "cli/output/output.h"
#include "store/dir/dir.h"
#include "store/queue/queue.h"
#include "store/tables/tables.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_TAIL "/run/control.sock"
#define LOOK_MAX     64 /* accounts asked for at a time */

struct check {
	struct admin *a;
	char *dir; /* of the engine */
	struct output *problems;
	bool is_running; /* the server is */
	uint64_t n_problems, accounts, queued, rows;
	struct mail_check mail;
};

/* It may name a folder, which its user named. */
static void
print_problem(const char *text)
{
	CLEANUP(freep) char *tame = x_strdup(text);

	output_tame(tame, strlen(tame));
	puts(tame);
}

static void
on_problem(void *arg, const char *text)
{
	struct check *c = arg;

	c->n_problems++;
	if (c->a->is_json)
		output_put_text(c->problems, str_c(text));
	else
		print_problem(text);
}

static void
on_progress(void *arg, uint64_t done, uint64_t total)
{
	struct check *c = arg;

	if (!c->a->is_json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu of %llu records ",
		    (unsigned long long)done, (unsigned long long)total);
}

/* Files that are made on the way belong to whom the store belongs to. Until
 * become_self(): the control socket of a running server is for its owner. */
static int
become_owner(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return -errno;
	if (geteuid() != 0 || st.st_uid == 0)
		return 0;
	if (setegid(st.st_gid) < 0 || seteuid(st.st_uid) < 0)
		return -errno;
	return 0;
}

static void
become_self(void)
{
	if (seteuid(getuid()) < 0 || setegid(getgid()) < 0)
		die("cannot take back the user: %s", strerror(errno));
}

static const char *
error_text(int r)
{
	if (r == -EBUSY)
		return "the server is running: stop it first";
	return r > -1000 ? strerror(-r) : "damaged: see check --rebuild";
}

/* --- the engine ----------------------------------------------------------------- */

static int
check_engine(struct check *c, bool is_rebuild)
{
	struct engine_check ec = { .dir = c->dir,
		.problem = on_problem,
		.progress = on_progress,
		.arg = c };
	uint64_t problems = 0;
	int r = 0;

	if (is_rebuild)
		r = engine_rebuild(&ec);
	if (r == 0)
		r = engine_check(&ec, &problems);
	if (!c->a->is_json && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (r < 0)
		return admin_error(
		    c->a, ADMIN_TEMPFAIL, "%s: %s", c->dir, error_text(r));
	return ADMIN_OK;
}

/* --- mail and directory, the server being stopped ---------------------------------- */

static uint64_t
now(UNUSED void *arg)
{
	return (uint64_t)time(NULL);
}

static struct verdict
check_accounts(struct check *c, struct engine *e, struct dir *d, struct mail *m)
{
	struct verdict v = dir_check(d, &c->mail);
	uint64_t ids[LOOK_MAX], after = 0;
	int n = LOOK_MAX;

	while (verdict_is_done(v) && n == LOOK_MAX) {
		n = engine_shards(e, 'a', after, ids, LOOK_MAX);
		if (n < 0)
			return verdict_engine(n);
		for (int i = 0; i < n && verdict_is_done(v); i++) {
			after = ids[i];
			if (!dir_is_checked(d, after))
				continue;
			c->accounts++;
			v = mail_check_account(m, after, &c->mail);
		}
	}
	return v;
}

static uint64_t
now_ms(void *arg)
{
	return now(arg) * 1000;
}

static struct verdict
check_queue(struct check *c, struct engine *e)
{
	struct queue_config config = { .engine = e, .now_ms = now_ms };
	struct queue_check qc = { on_problem, c, 0, 0, 0 };
	struct buf from = BUF_INIT(ENGINE_KEY_MAX);
	struct buf next = BUF_INIT(ENGINE_KEY_MAX);
	struct verdict v;
	struct queue *q;
	int r = queue_open(&config, &q);

	if (r < 0)
		return verdict_engine(r);
	do {
		v = queue_check_step(q, buf_str(&from), &qc, &next);
		buf_reset(&from, ENGINE_KEY_MAX);
		buf_put_str(&from, buf_str(&next));
	} while (verdict_is_done(v) && from.n);
	c->queued = qc.entries;
	queue_free(q);
	buf_done(&from);
	buf_done(&next);
	return v;
}

static struct verdict
check_ledger(struct check *c, struct engine *e)
{
	struct tables_config config = { .engine = e, .now = now };
	struct tables_check tc = { on_problem, c, 0, 0 };
	struct buf from = BUF_INIT(ENGINE_KEY_MAX);
	struct buf next = BUF_INIT(ENGINE_KEY_MAX);
	struct tables *t;
	struct verdict v;
	int r = tables_open(&config, &t);

	if (r < 0)
		return verdict_engine(r);
	do {
		v = tables_check_step(t, buf_str(&from), &tc, &next);
		buf_reset(&from, ENGINE_KEY_MAX);
		buf_put_str(&from, buf_str(&next));
	} while (verdict_is_done(v) && from.n);
	c->rows = tc.rows;
	tables_free(t);
	buf_done(&from);
	buf_done(&next);
	return v;
}

static int
check_stopped(struct check *c, struct verdict *ret)
{
	struct engine_config config = { .dir = c->dir };
	struct engine_open_report report;
	struct engine *e;
	struct mail *m;
	struct dir *d;
	int r = engine_open(&config, &report, &e);

	if (r < 0)
		return r;
	m = mail_new(&(struct mail_config){ .engine = e, .now = now });
	d = dir_new(&(struct dir_config){
	    .engine = e, .mail = m, .now = now, .undelete_days = 36500 });
	*ret = check_accounts(c, e, d, m);
	if (verdict_is_done(*ret))
		*ret = check_queue(c, e);
	if (verdict_is_done(*ret))
		*ret = check_ledger(c, e);
	engine_close(e);
	dir_free(d);
	mail_free(m);
	return 0;
}

/* --- the same by the server -------------------------------------------------------------- */

static void
take_problems(struct check *c, const struct msg_store_check_reply *r)
{
	struct wire w = wire_read(r->problems);
	uint64_t told = c->n_problems;
	struct msg_text text;

	while (msg_text_read(&w, &text)) {
		char *copy = str_dup(text.text);

		on_problem(c, copy);
		free(copy);
	}
	/* Those that did not fit into the reply. */
	c->n_problems = told + MAX(r->problem_count, c->n_problems - told);
}

/* One step; *ret points into reply. */
static int
ask_step(struct check *c, const struct msg_store_check *q, struct buf *reply,
    struct msg_store_check_reply *ret)
{
	struct buf body = BUF_INIT(KIB(1));
	int code;

	msg_store_check_put(&body, q);
	buf_reset(reply, KIB(64));
	code = admin_do(c->a, MSG_STORE_CHECK, buf_str(&body), "check", reply);
	buf_done(&body);
	if (code != ADMIN_OK)
		return code;
	if (!msg_store_check_reply_get(buf_str(reply), ret))
		return admin_error(c->a, ADMIN_TEMPFAIL,
		    "the server's answer is not understood");
	take_problems(c, ret);
	return ADMIN_OK;
}

/* The queue or the ledger; *count adds up what was looked at. */
static int
ask_part(struct check *c, enum store_part part, uint64_t *count)
{
	struct buf reply = BUF_INIT(MIB(8)), key = BUF_INIT(KIB(1));
	struct msg_store_check q = { .part = (uint8_t)part };
	struct msg_store_check_reply r;
	int code;

	do {
		code = ask_step(c, &q, &reply, &r);
		if (code != ADMIN_OK)
			break;
		*count += r.messages;
		buf_reset(&key, KIB(1));
		buf_put_str(&key, r.next_key);
		q.key = buf_str(&key);
	} while (q.key.n > 0);
	buf_done(&reply);
	buf_done(&key);
	return code;
}

static int
check_running(struct check *c)
{
	struct buf reply = BUF_INIT(MIB(8));
	struct msg_store_check_reply r = { .next = 1 };
	struct msg_store_check q = { 0 };
	int code = admin_connect(c->a);

	while (code == ADMIN_OK && r.next) {
		code = ask_step(c, &q, &reply, &r);
		if (code != ADMIN_OK)
			break;
		c->mail.messages += r.messages;
		c->mail.bytes += r.bytes;
		c->accounts += r.next != 0;
		q.after = r.next;
	}
	if (code == ADMIN_OK)
		code = ask_part(c, STORE_QUEUE, &c->queued);
	if (code == ADMIN_OK)
		code = ask_part(c, STORE_LEDGER, &c->rows);
	buf_done(&reply);
	return code;
}

static int
check_mail(struct check *c)
{
	struct verdict v = VERDICT_DONE;
	int r;

	if (c->is_running) {
		become_self();
		return check_running(c);
	}
	r = check_stopped(c, &v);
	if (r < 0)
		return admin_error(
		    c->a, ADMIN_TEMPFAIL, "%s: %s", c->dir, error_text(r));
	if (!verdict_is_done(v))
		return admin_error(c->a, ADMIN_TEMPFAIL, "could not go on: %s",
		    reason_str(v.reason));
	return ADMIN_OK;
}

/* --- the command ------------------------------------------------------------------------------ */

static void
tell(struct check *c)
{
	if (c->a->is_json) {
		output_print(c->problems, true);
		return;
	}
	printf(
	    "%llu account%s, %llu message%s, %llu recipient%s in the queue: ",
	    (unsigned long long)c->accounts, str_s(c->accounts),
	    (unsigned long long)c->mail.messages, str_s(c->mail.messages),
	    (unsigned long long)c->queued, str_s(c->queued));
	if (c->n_problems)
		printf("%llu problem%s\n", (unsigned long long)c->n_problems,
		    str_s(c->n_problems));
	else
		puts("clean");
}

/* Asked first, and not found out by the store's lock: a store that is just
 * being started again must not find it taken by us. */
static bool
is_running(const char *control)
{
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (fd < 0 || strlen(control) >= sizeof(to.sun_path))
		return false;
	memcpy(to.sun_path, control, strlen(control));
	return connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ||
	       errno == EACCES || errno == EAGAIN;
}

static char *
engine_dir(const char *control)
{
	struct str s = str_c(control);

	if (str_ends(s, STR(CONTROL_TAIL)))
		s.n -= sizeof(CONTROL_TAIL) - 1;
	return x_asprintf("%.*s/store", STR_ARG(s));
}

int
cmd_check(struct admin *a, int argc, char **argv)
{
	static const struct output_field fields[] = { { "text", "PROBLEM",
	    OUTPUT_TEXT } };
	bool is_rebuild = false;
	struct arg_option options[] = { { "--rebuild", NULL, &is_rebuild },
		ADMIN_OPTIONS(a) };
	struct args args = { .options = options,
		.n_options = ARRAY_LEN(options) };
	struct check c = { .a = a, .mail.problem = on_problem, .mail.arg = &c };
	int r;

	if (argc > 0 && argv[0][0] != '-')
		return admin_check(a, argc, argv);
	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	c.dir = engine_dir(a->control);
	c.is_running = is_running(a->control);
	if (c.is_running && is_rebuild) {
		free(c.dir);
		return admin_error(a, ADMIN_REFUSED,
		    "the server is running: stop it before --rebuild");
	}
	c.problems = output_new("problems", fields, ARRAY_LEN(fields));
	r = become_owner(c.dir);
	if (r < 0)
		r = admin_error(
		    a, ADMIN_TEMPFAIL, "%s: %s", c.dir, strerror(-r));
	else
		r = check_engine(&c, is_rebuild);
	if (r == ADMIN_OK)
		r = check_mail(&c);
	if (r == ADMIN_OK)
		tell(&c);
	output_free(c.problems);
	free(c.dir);
	return r == ADMIN_OK && c.n_problems ? ADMIN_REFUSED : r;
}
