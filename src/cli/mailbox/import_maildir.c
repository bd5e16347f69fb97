/* SPDX-License-Identifier: ISC */
/*
 * import_maildir.c - read a Maildir (Maildir++: sub-folders ".A.B").
 *
 * Messages go in by the order of their times, so that UIDs follow it. The
 * names of one folder are held in memory, its messages are not.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/mailbox/importer.h"
#include "proto/imap/imap_flags.h"
#include "proto/imap/imap_utf7.h"
#include "proto/mailfile/maildir_name.h"

struct file {
	char *name; /* "cur/..." */
	uint64_t time;
};

struct folder {
	char *path;
	int fd;
	struct file *files;
	size_t n, cap;
	struct str keywords[MAILDIR_KEYWORDS]; /* into keyword_text */
	struct buf keyword_text;
};

static int
by_time(const void *pa, const void *pb)
{
	const struct file *a = pa, *b = pb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return strcmp(strchr(a->name, '/'), strchr(b->name, '/'));
}

static void
list_files(struct folder *f, const char *sub)
{
	char *path = x_asprintf("%s/%s", f->path, sub);
	DIR *d = opendir(path);
	struct maildir_name name;
	struct dirent *e;

	free(path);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!maildir_name_parse(str_c(e->d_name), &name))
			continue;
		f->files =
		    x_grow(f->files, &f->cap, f->n + 1, sizeof(*f->files));
		f->files[f->n++] =
		    (struct file){ x_asprintf("%s/%s", sub, e->d_name),
			    name.time };
	}
	closedir(d);
}

/* All of a regular file, up to max bytes; 0, or -errno. */
static int
read_file(int dir, const char *name, struct buf *to, struct stat *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = 1;
	int e = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret) < 0)
		e = errno;
	else if (!S_ISREG(ret->st_mode))
		e = EINVAL;
	else if ((uint64_t)ret->st_size > to->max)
		e = EFBIG;
	while (e == 0 && n > 0) {
		char *room = buf_reserve(to, KIB(64));

		n = room ? read(fd, room, KIB(64)) : -1;
		if (n < 0)
			e = room ? errno : EFBIG;
		else
			to->n += (size_t)n;
	}
	close(fd);
	return -e;
}

static void
read_keywords(struct folder *f)
{
	struct str rest, line, name;
	struct stat st;
	unsigned number;

	f->keyword_text = BUF_INIT(KIB(64) * 2);
	if (read_file(f->fd, "dovecot-keywords", &f->keyword_text, &st) < 0)
		return;
	for (rest = buf_str(&f->keyword_text); rest.n > 0;) {
		rest = str_split(rest, '\n', &line);
		if (maildir_keyword_parse(line, &number, &name) &&
		    imap_keyword_is_valid(name))
			f->keywords[number] = name;
	}
}

static bool
folder_open(struct folder *f, const char *path)
{
	*f = (struct folder){ .path = x_strdup(path) };
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return false;
	read_keywords(f);
	list_files(f, "cur");
	list_files(f, "new");
	if (f->n > 0)
		qsort(f->files, f->n, sizeof(*f->files), by_time);
	return true;
}

static void
folder_done(struct folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->files[i].name);
	free(f->files);
	free(f->path);
	closep(&f->fd);
	buf_done(&f->keyword_text);
}

static void
put_keywords(const struct folder *f, uint32_t bits, struct buf *out)
{
	for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++)
		if ((bits & (1U << i)) && f->keywords[i].n > 0)
			msg_text_put(out, &(struct msg_text){ f->keywords[i] });
}

static void
import_file(struct importer *im, const struct folder *f,
    const struct file *file, struct str mailbox)
{
	struct buf raw = BUF_INIT(IMPORT_MESSAGE_MAX + KIB(64));
	struct buf crlf = BUF_INIT(2 * IMPORT_MESSAGE_MAX);
	struct buf keywords = BUF_INIT(KIB(8));
	struct maildir_name name = { 0 };
	bool after_cr = false;
	struct stat st = { 0 };
	int r = read_file(f->fd, file->name, &raw, &st);

	if (r < 0) {
		importer_skip(im, file->name, strerror(-r));
	} else if (maildir_name_parse(
		       str_c(strchr(file->name, '/') + 1), &name)) {
		mailfile_put_crlf(&crlf, buf_str(&raw), &after_cr);
		put_keywords(f, name.keywords, &keywords);
		importer_add(im,
		    &(struct import_message){ .mailbox = mailbox,
			.bytes = buf_str(&crlf),
			.unique = name.unique,
			.flags = name.flags,
			.keywords = buf_str(&keywords),
			.date = name.has_time ? name.time
		                              : (uint64_t)MAX(st.st_mtime, 0),
			.source = file->name });
	}
	buf_done(&raw);
	buf_done(&crlf);
	buf_done(&keywords);
}

static void
import_folder(struct importer *im, const char *path, struct str mailbox)
{
	struct folder f;

	if (!folder_open(&f, path)) {
		importer_skip(im, path, strerror(errno));
	} else {
		for (size_t i = 0; i < f.n && im->error == ADMIN_OK; i++) {
			im->done++;
			import_file(im, &f, &f.files[i], mailbox);
		}
		importer_flush(im);
	}
	folder_done(&f);
}

/* ".A.B&APw-" as a mailbox below base. False: not a sub-folder. */
static bool
mailbox_of(const char *folder, struct str base, struct buf *ret)
{
	struct buf path = BUF_INIT(KIB(2)), name = BUF_INIT(KIB(2));
	bool ok = maildir_folder_parse(str_c(folder), &path) && !path.failed;

	/* Not what Maildir++ wants, but some write UTF-8. */
	if (ok && !imap_utf7_decode(&name, buf_str(&path)))
		buf_put_str(&name, buf_str(&path));
	if (ok && base.n > 0) {
		buf_put_str(ret, base);
		buf_put_char(ret, '/');
	}
	buf_put_str(ret, buf_str(&name));
	ok = ok && imap_name_check(buf_str(ret)) == IMAP_NAME_OK;
	buf_done(&path);
	buf_done(&name);
	return ok;
}

bool
import_is_maildir(const char *path)
{
	char *cur = x_asprintf("%s/cur", path);
	struct stat st;
	bool ok = stat(cur, &st) == 0 && S_ISDIR(st.st_mode);

	free(cur);
	return ok;
}

static uint64_t
count_entries(const char *path)
{
	static const char *const subs[] = { "cur", "new" };
	uint64_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
		char *sub = x_asprintf("%s/%s", path, subs[i]);
		DIR *d = opendir(sub);
		struct dirent *e;

		while (d && (e = readdir(d)))
			n += e->d_name[0] != '.';
		if (d)
			closedir(d);
		free(sub);
	}
	return n;
}

static int
is_subfolder(const struct dirent *e)
{
	return e->d_name[0] == '.' && e->d_name[1] && e->d_name[1] != '.';
}

void
import_maildir(struct importer *im, const struct import_source *s)
{
	struct dirent **subs = NULL;
	uint64_t total = count_entries(s->path);
	int n = scandir(s->path, &subs, is_subfolder, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = x_asprintf("%s/%s", s->path, subs[i]->d_name);

		total += count_entries(path);
		free(path);
	}
	progress_start(&im->progress, total, !im->a->is_json);
	import_folder(im, s->path, s->mailbox.n ? s->mailbox : STR("INBOX"));
	for (int i = 0; i < n; i++) {
		char *path = x_asprintf("%s/%s", s->path, subs[i]->d_name);
		struct buf mailbox = BUF_INIT(KIB(4));

		if (!import_is_maildir(path))
			; /* a folder of somebody else's */
		else if (mailbox_of(subs[i]->d_name, s->mailbox, &mailbox))
			import_folder(im, path, buf_str(&mailbox));
		else
			importer_skip(im, path, "not a mailbox name");
		buf_done(&mailbox);
		free(path);
		free(subs[i]);
	}
	free(subs);
}
