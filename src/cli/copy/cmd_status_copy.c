/* SPDX-License-Identifier: ISC */
/*
 * cmd_status_copy.c - mailstead status export DIR and mailstead status push:
 * static copies of the status site, once or for as long as it runs.
 *
 * This is no role: it writes files and runs rsync, which is what the server's
 * processes must not be able to do. packaging/mailstead-push.service runs it in a
 * sandbox of its own.
 */
#include "cli/copy/cmd_status_copy.h"

#include "cli/copy/copy_send.h"
#include "cli/output/output.h"
#include "conf/conf.h"
#include "conf/mirror_text.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EVERY_S  60   /* copies say so: COPY_EVERY_S of role web */
#define WHOLE_S  3600 /* all of it, whether or not something changed */
#define WITHIN_S 45   /* for rsync */
#define AGAIN_S  5    /* after the server could not be reached */

static volatile sig_atomic_t is_over;

static void
on_signal(UNUSED int signo)
{
	is_over = 1;
}

/* --- configuration ----------------------------------------------------------------------- */

/* The caller's to free; NULL: an error was printed. */
static struct conf *
load(struct admin *a)
{
	char *error = NULL;
	struct conf *c;

	if (conf_load(cli_config_path(), &c, &error) == 0)
		return c;
	error[strlen(error) - 1] = '\0';
	(void)admin_error(a, ADMIN_REFUSED, "%s", error);
	free(error);
	return NULL;
}

static struct copy_maker
maker_of(struct admin *a, const struct conf *c, struct buf *site)
{
	if (c->site_url[0])
		buf_put_c(site, c->site_url);
	else
		buf_printf(site, "https://%s", c->hostname);
	return (struct copy_maker){ .a = a, .site = buf_str(site) };
}

/* --- export --------------------------------------------------------------------------------- */

static const struct output_field fields[] = {
	{ "exported", "EXPORTED", OUTPUT_TEXT },
	{ "files", "FILES", OUTPUT_COUNT },
	{ "bytes", "BYTES", OUTPUT_BYTES },
	{ "written", "WRITTEN", OUTPUT_COUNT },
	{ "removed", "REMOVED", OUTPUT_COUNT },
};

static void
put_copy(struct output *o, const char *target, const struct copy *c,
    const struct copy_result *r)
{
	output_put_text(o, str_c(target));
	output_put_number(o, c->n);
	output_put_number(o, c->bytes);
	output_put_number(o, r->written);
	output_put_number(o, r->removed);
}

static int
say(struct admin *a, const char *dir, const struct copy *c,
    const struct copy_result *r)
{
	struct output *o = output_new("copies", fields, ARRAY_LEN(fields));

	put_copy(o, dir, c, r);
	output_print_one(o, a->is_json);
	output_free(o);
	return ADMIN_OK;
}

static int
export_to(struct admin *a, const char *dir)
{
	struct conf *conf = load(a);
	struct buf site = BUF_INIT(KIB(1));
	struct copy_result result = { 0 };
	struct copy_maker m;
	struct progress p;
	struct copy c;
	int r;

	if (conf == NULL)
		return ADMIN_REFUSED;
	m = maker_of(a, conf, &site);
	progress_start(&p, 1, !a->is_json);
	p.noun = "files";
	r = copy_make(&m, false, &p, &c);
	progress_clear(&p);
	if (r == ADMIN_OK) {
		r = copy_write(a, &c, dir, true, &result);
		if (r == ADMIN_OK)
			r = say(a, dir, &c, &result);
		copy_free(&c);
	}
	copy_result_done(&result);
	copy_maker_done(&m);
	buf_done(&site);
	conf_free(conf);
	return r;
}

/* --- push ------------------------------------------------------------------------------------- */

struct push {
	struct admin *a;
	struct copy_maker maker;
	char **folders;
	size_t n_folders, folders_cap;
	struct copy_send send;
	size_t remotes_cap;
	char own[40]; /* a folder for rsync alone; empty: none is needed */
	uint64_t version;
	struct output *done;      /* what was copied whereto; NULL: not told */
	bool is_known;            /* version is of a copy that was made */
	time_t whole_at, live_at; /* when the next one is due */
};

static void
take_targets(struct push *p, struct str mirrors)
{
	struct str one;

	while (mirrors.n > 0) {
		mirrors = str_split(mirrors, '\n', &one);
		if (mirror_kind_of(one) == MIRROR_FOLDER) {
			p->folders = x_grow(p->folders, &p->folders_cap,
			    p->n_folders + 1, sizeof(*p->folders));
			p->folders[p->n_folders++] = str_dup(one);
		} else if (mirror_kind_of(one) == MIRROR_RSYNC) {
			p->send.remotes =
			    x_grow(p->send.remotes, &p->remotes_cap,
				p->send.n + 1, sizeof(*p->send.remotes));
			p->send.remotes[p->send.n++] =
			    (struct copy_remote){ .target = str_dup(one) };
		}
	}
}

static int
make_own(struct push *p)
{
	if (p->send.n == 0)
		return ADMIN_OK;
	snprintf(p->own, sizeof(p->own), "/tmp/mailstead-copy-XXXXXX");
	if (mkdtemp(p->own) == NULL) {
		p->own[0] = '\0';
		return admin_error(p->a, ADMIN_TEMPFAIL,
		    "cannot make a folder in /tmp: %s", strerror(errno));
	}
	/* Whoever rsync runs as reads it; there is nothing secret in it. */
	(void)!chmod(p->own, 0755);
	p->send.folder = p->own;
	return ADMIN_OK;
}

static int
remove_one(const char *path, UNUSED const struct stat *st, UNUSED int type,
    UNUSED struct FTW *ftw)
{
	return remove(path);
}

static void
push_done(struct push *p)
{
	if (p->own[0])
		(void)!nftw(p->own, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < p->n_folders; i++)
		free(p->folders[i]);
	free(p->folders);
	copy_send_done(&p->send);
	copy_maker_done(&p->maker);
}

/* To every target; the number that failed. */
static size_t
push_copy(struct push *p, const struct copy *c, bool is_whole)
{
	struct copy_result result = { .want_names = true };
	size_t failed = 0;

	for (size_t i = 0; i < p->n_folders; i++) {
		struct copy_result r = { 0 };

		if (copy_write(p->a, c, p->folders[i], is_whole, &r) !=
		    ADMIN_OK)
			failed++;
		else if (p->done != NULL)
			put_copy(p->done, p->folders[i], c, &r);
		copy_result_done(&r);
	}
	if (p->own[0]) {
		if (copy_write(p->a, c, p->own, is_whole, &result) != ADMIN_OK)
			failed += p->send.n;
		copy_send_note(&p->send, &result.changed);
		failed += copy_send_all(&p->send, WITHIN_S);
		for (size_t i = 0; i < p->send.n && p->done != NULL; i++)
			if (!p->send.remotes[i].is_failing)
				put_copy(p->done, p->send.remotes[i].target, c,
				    &result);
		copy_result_done(&result);
	}
	return failed;
}

static int
push_once(struct push *p, bool is_whole, size_t *ret_failed)
{
	struct copy c;
	int r = copy_make(&p->maker, !is_whole, NULL, &c);

	if (r != ADMIN_OK)
		return r;
	*ret_failed = push_copy(p, &c, is_whole);
	copy_free(&c);
	return ADMIN_OK;
}

/* One look: what is due is made. False: the server is not there. */
static bool
push_look(struct push *p)
{
	uint64_t version = 0;
	time_t now = time(NULL);
	bool is_whole, is_due;
	size_t failed = 0;

	if (copy_version(&p->maker, &version) != ADMIN_OK)
		return false;
	/* It knows nothing yet: the copies out there know more. */
	if (version == 0)
		return true;
	is_whole = !p->is_known || version != p->version || now >= p->whole_at;
	is_due = is_whole || now >= p->live_at;
	if (!is_due)
		return true;
	if (push_once(p, is_whole, &failed) != ADMIN_OK)
		return false;
	if (failed == 0)
		p->a->said = 0; /* what comes next is news */
	p->is_known = true;
	p->version = version;
	p->live_at = now + EVERY_S;
	if (is_whole)
		p->whole_at = now + WHOLE_S;
	return true;
}

static void
push_on(struct push *p)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	p->a->says_changes = true;
	while (!is_over) {
		bool ok = push_look(p);

		/* A connection to the store may have broken as well. */
		if (!ok)
			admin_done(p->a);
		for (unsigned s = ok ? 1 : AGAIN_S; s > 0 && !is_over; s--)
			sleep(1);
	}
}

static int
push_and_say(struct push *p, size_t *ret_failed)
{
	int r;

	p->done = output_new("copies", fields, ARRAY_LEN(fields));
	r = push_once(p, true, ret_failed);
	if (r == ADMIN_OK)
		output_print(p->done, p->a->is_json);
	output_free(p->done);
	p->done = NULL;
	return r;
}

static int
push(struct admin *a, bool continuous, const char *user)
{
	struct conf *conf = load(a);
	struct buf site = BUF_INIT(KIB(1));
	struct push p = { .a = a, .send = { .a = a, .user = user } };
	size_t failed = 0;
	int r;

	if (conf == NULL)
		return ADMIN_REFUSED;
	p.maker = maker_of(a, conf, &site);
	take_targets(&p, str_c(conf->site_mirrors));
	if (p.n_folders + p.send.n == 0)
		r = admin_error(a, ADMIN_REFUSED,
		    "site.mirrors names no target: nothing to do");
	else
		r = make_own(&p);
	if (r == ADMIN_OK && continuous)
		push_on(&p);
	else if (r == ADMIN_OK)
		r = push_and_say(&p, &failed);
	if (r == ADMIN_OK && failed > 0)
		r = ADMIN_TEMPFAIL;
	push_done(&p);
	buf_done(&site);
	conf_free(conf);
	return r;
}

/* --- command line ------------------------------------------------------------------------------- */

int
status_export(struct admin *a, int argc, char **argv)
{
	const struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };

	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	if (args.n_words != 1)
		return admin_usage(a, NULL);
	return export_to(a, args.words[0]);
}

int
status_push(struct admin *a, int argc, char **argv)
{
	bool continuous = false;
	const char *user = NULL;
	const struct arg_option options[] = { { "--continuous", NULL,
						  &continuous },
		{ "--user", &user, NULL }, ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };

	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	if (args.n_words != 0)
		return admin_usage(a, NULL);
	return push(a, continuous, user);
}
