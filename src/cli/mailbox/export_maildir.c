/* SPDX-License-Identifier: ISC */
/*
 * export_maildir.c - write one mailbox as a folder of a Maildir. A message
 * is written in tmp/ and renamed to cur/, so that it is there whole or not at
 * all; its name says UID and UIDVALIDITY, so that a second run knows it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/mailbox/exporter.h"
#include "proto/imap/imap_utf7.h"
#include "proto/mailfile/maildir_name.h"

struct known {
	uint32_t uidvalidity, uid;
};

static int
by_uid(const void *pa, const void *pb)
{
	const struct known *a = pa, *b = pb;

	if (a->uidvalidity != b->uidvalidity)
		return a->uidvalidity < b->uidvalidity ? -1 : 1;
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

/* "<time>.U<uid>V<uidvalidity>.mailstead" */
static bool
known_parse(struct str unique, struct known *ret)
{
	struct str rest, ids, uid, validity, time;

	rest = str_split(unique, '.', &time);
	rest = str_split(rest, '.', &ids);
	validity = str_split(ids, 'V', &uid);
	return str_eq(rest, STR("mailstead")) && str_starts(uid, STR("U")) &&
	       str_to_u32(str_from(uid, 1), UINT32_MAX, &ret->uid) &&
	       str_to_u32(validity, UINT32_MAX, &ret->uidvalidity);
}

static void
read_known(struct export_writer *w)
{
	char *cur CLEANUP(freep) = x_asprintf("%s/cur", buf_c(&w->path));
	struct known *names = NULL, k;
	struct maildir_name name;
	struct dirent *e;
	size_t cap = 0;
	DIR *d = opendir(cur);

	while (d && (e = readdir(d))) {
		if (!maildir_name_parse(str_c(e->d_name), &name) ||
		    !known_parse(name.unique, &k))
			continue;
		names = x_grow(names, &cap, w->n_names + 1, sizeof(*names));
		names[w->n_names++] = k;
	}
	if (d)
		closedir(d);
	if (w->n_names > 0)
		qsort(names, w->n_names, sizeof(*names), by_uid);
	w->names = names;
}

/* The folder of the mailbox, below the Maildir. */
static bool
make_path(struct export_writer *w)
{
	struct buf utf7 = BUF_INIT(KIB(4)), folder = BUF_INIT(KIB(4));
	bool ok = true;

	buf_put_c(&w->path, w->target->path);
	if (!str_eq(w->mailbox, STR("INBOX")) && w->target->mailbox.n == 0) {
		ok = imap_utf7_encode(&utf7, w->mailbox);
		maildir_folder_format(buf_str(&utf7), &folder);
		buf_put_char(&w->path, '/');
		buf_put_str(&w->path, buf_str(&folder));
	}
	buf_done(&utf7);
	buf_done(&folder);
	return ok;
}

static int
make_folder(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Letters that an earlier run gave to keywords. */
static void
read_keywords(struct export_writer *w)
{
	int fd = openat(w->fd, "dovecot-keywords", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char line[256];
	struct str name;
	unsigned number;

	while (f && fgets(line, sizeof(line), f)) {
		struct str s = str_c(line);

		if (str_ends(s, STR("\n")))
			s.n--;
		if (maildir_keyword_parse(s, &number, &name) &&
		    w->keywords[number].n == 0)
			w->keywords[number] = str_copy(name);
	}
	if (f)
		fclose(f);
}

int
export_maildir_open(struct export_writer *w)
{
	static const char *const subs[] = { "cur", "new", "tmp" };
	int r;

	if (!make_path(w))
		return -EILSEQ;
	r = make_folder(w->target->path);
	if (r == 0)
		r = make_folder(buf_c(&w->path));
	for (size_t i = 0; i < ARRAY_LEN(subs) && r == 0; i++) {
		char *sub CLEANUP(freep) =
		    x_asprintf("%s/%s", buf_c(&w->path), subs[i]);

		r = make_folder(sub);
	}
	if (r < 0)
		return r;
	w->fd = open(buf_c(&w->path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	read_keywords(w);
	read_known(w);
	return 0;
}

bool
export_maildir_has(
    const struct export_writer *w, const struct export_message *m)
{
	struct known k = { m->uidvalidity, m->uid };

	return w->n_names > 0 &&
	       bsearch(&k, w->names, w->n_names, sizeof(k), by_uid);
}

/* The letter of a keyword, a new one if need be. */
static uint32_t
letter_bit(struct export_writer *w, struct str keyword)
{
	for (unsigned i = 0; i < ARRAY_LEN(w->keywords); i++) {
		if (w->keywords[i].n == 0) {
			w->keywords[i] = str_copy(keyword);
			w->n_keywords++;
			return 1U << i;
		}
		if (str_eq_case(w->keywords[i], keyword))
			return 1U << i;
	}
	w->lost_keywords++;
	return 0;
}

static int
write_file(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno != EINTR)
			return -errno;
		s = str_from(s, n < 0 ? 0 : (size_t)n);
	}
	return 0;
}

static int
write_tmp(
    struct export_writer *w, const char *tmp, const struct export_message *m)
{
	time_t t = (time_t)m->internaldate;
	struct timespec times[2] = { { .tv_sec = t }, { .tv_sec = t } };
	int fd CLEANUP(closep) = openat(w->fd, tmp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	buf_reset(&w->out, MIB(1));
	mailfile_put_lf(&w->out, m->bytes);
	r = write_file(fd, buf_str(&w->out));
	if (r == 0 && futimens(fd, times) < 0)
		r = -errno;
	return r;
}

int
export_maildir_put(struct export_writer *w, const struct export_message *m)
{
	struct buf unique = BUF_INIT(KIB(1)), cur = BUF_INIT(KIB(2));
	char *tmp CLEANUP(freep) = NULL;
	struct maildir_name name = { .flags = m->flags };
	int r;

	buf_printf(&unique, "%llu.U%uV%u.mailstead",
	    (unsigned long long)m->internaldate, m->uid, m->uidvalidity);
	name.unique = buf_str(&unique);
	for (size_t i = 0; i < m->n_keywords; i++)
		name.keywords |= letter_bit(w, m->keywords[i]);
	buf_put_c(&cur, "cur/");
	maildir_name_format(&name, &cur);
	tmp = x_asprintf("tmp/%s", buf_c(&unique));
	r = write_tmp(w, tmp, m);
	if (r == 0 && renameat(w->fd, tmp, w->fd, buf_c(&cur)) < 0)
		r = -errno;
	buf_done(&unique);
	buf_done(&cur);
	return r;
}

static int
write_keywords(struct export_writer *w)
{
	struct buf b = BUF_INIT(KIB(64));
	int fd CLEANUP(closep) = -1;
	int r;

	for (unsigned i = 0; i < ARRAY_LEN(w->keywords); i++)
		if (w->keywords[i].n > 0)
			buf_printf(&b, "%u %.*s\n", i, STR_ARG(w->keywords[i]));
	fd = openat(w->fd, "dovecot-keywords",
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : write_file(fd, buf_str(&b));
	buf_done(&b);
	return r;
}

int
export_maildir_close(struct export_writer *w)
{
	int r = 0;

	if (w->fd >= 0 && w->n_keywords > 0)
		r = write_keywords(w);
	/* One flush for all of it. */
	if (w->fd >= 0 && syncfs(w->fd) < 0 && r == 0)
		r = -errno;
	for (size_t i = 0; i < ARRAY_LEN(w->keywords); i++)
		str_free(&w->keywords[i]);
	free(w->names);
	w->names = NULL;
	closep(&w->fd);
	w->fd = -1;
	return r;
}
